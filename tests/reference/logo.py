"""log p(y_g | y_-g) of each group, and log p(y_i | y_-g) of its rows, by numerical integration.

    python tests/reference/logo.py            # writes logo.csv beside this file, in some minutes

Each is a ratio of two evidences, log p(y) - log p(y_-g), so that no posterior is sampled anywhere.
Models and data are those of quadrature.py: `oneway_gaussian`, `oneway_binomial`, and `variants2`.
"""

import csv
import os

import numpy as np
from quadrature import GAUSSIAN_PRIOR, VARIANTS, gaussian, panels, read
from scipy import special, stats

HERE = os.path.dirname(os.path.abspath(__file__))


def gaussian_evidence(groups, y):
    return next(value for name, _, value in gaussian(groups, y, **GAUSSIAN_PRIOR) if name == "log_evidence")


def binomial_evidence(successes, trials):
    """Over mu and sd, each group's effect integrated within; binomial coefficients included."""
    mu, w_mu = panels(np.arange(-12.0, 12.01, 0.5), 8)
    sd, w_sd = panels([0, 0.25, 0.5, 1, 2, 3.5, 6, 8], 10)
    z = np.arange(-10, 10.01, 0.02)
    w_z = stats.norm.pdf(z) * 0.02
    total = stats.t.logpdf(mu, 3)[None, :] + np.log(w_mu)[None, :] + (stats.halfnorm.logpdf(sd) + np.log(w_sd))[:, None]
    for s, n in zip(successes, trials, strict=True):
        for row, own in enumerate(sd):
            eta = mu[:, None] + own * z[None, :]
            value = np.exp(s * special.log_expit(eta) + (n - s) * special.log_expit(-eta))
            total[row] += np.log(value @ w_z) + stats.binom.logpmf(s, n, 0.5) + n * np.log(2)
    return special.logsumexp(total)


def variants_evidence(successes, trials):
    """Over the mean and the spread (a + b)^(-1/2), both flat; a ratio of two is proper."""
    mean, w_mean = panels(np.linspace(0, 1, 41), 12)
    spread, w_spread = panels(np.concatenate([[0], np.geomspace(0.005, 400, 60)]), 12)
    size = spread[:, None] ** -2
    a, b = mean[None, :] * size, (1 - mean)[None, :] * size
    total = np.log(w_mean)[None, :] + np.log(w_spread)[:, None]
    for s, n in zip(successes, trials, strict=True):
        total = total + special.betaln(a + s, b + n - s) - special.betaln(a, b)
        total = total + stats.binom.logpmf(s, n, 0.5) + n * np.log(2)
    return special.logsumexp(total)


def leave_out(model, names, evidence, parts):
    """Rows (model, score, group, place, value); `parts` gives the rows of each group."""
    rows = []
    whole = evidence([part for name in names for part in parts[name]])
    for name in names:
        rest = [part for other in names if other != name for part in parts[other]]
        without = evidence(rest)
        rows.append((model, "joint", name, "", whole - without))
        for place, part in enumerate(parts[name]):
            rows.append((model, "row", name, place, evidence([*rest, part]) - without))
    return rows


def main():
    data = read("oneway_gaussian.csv")
    groups, y = [row["g"] for row in data], [float(row["y"]) for row in data]
    names = list(dict.fromkeys(groups))
    parts = {name: [(g, value) for g, value in zip(groups, y, strict=True) if g == name] for name in names}
    rows = leave_out("oneway_gaussian", names, lambda own: gaussian_evidence(*zip(*own, strict=True)), parts)
    data = read("oneway_binomial.csv")
    parts = {row["g"]: [(int(row["s"]), int(row["n"]))] for row in data}
    rows += leave_out("oneway_binomial", list(parts), lambda own: binomial_evidence(*zip(*own, strict=True)), parts)
    names, successes, trials = VARIANTS["variants2"]
    parts = {name: [(s, n)] for name, s, n in zip(names, successes, trials, strict=True)}
    rows += leave_out("variants2", names, lambda own: variants_evidence(*zip(*own, strict=True)), parts)
    with open(os.path.join(HERE, "logo.csv"), "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["model", "score", "group", "place", "value"])
        writer.writerows([(*row[:4], f"{row[4]:.12g}") for row in rows])


if __name__ == "__main__":
    main()
