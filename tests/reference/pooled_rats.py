"""Rat tumours (Gelman et al., Bayesian Data Analysis, 5.3) by SciPy's dblquad; writes pooled_rats.csv.

Coordinates are those of the book, log(a / b) and log(a + b), in which p(a, b) ∝ (a + b)^(-5/2) is a·b·(a + b)^(-5/2).
"""

import csv
import pathlib

import numpy as np
from scipy.integrate import dblquad
from scipy.special import betaln, expit

HERE = pathlib.Path(__file__).parent
SUCCESSES, TRIALS = np.loadtxt(HERE / "rats.csv", delimiter=",", skiprows=1).T
PAIRS, TIMES = np.unique(np.column_stack([SUCCESSES, TRIALS]), axis=0, return_counts=True)
TOP = -733.0  # about the largest log density


def density(log_ratio, log_size):
    mean, size = expit(log_ratio), np.exp(log_size)
    a, b = mean * size, (1.0 - mean) * size
    s, n = PAIRS.T
    total = TIMES @ (betaln(a + s, b + n - s) - betaln(a, b))
    return np.exp(total + np.log(a) + np.log(b) - 2.5 * log_size - TOP)


def integral(of):
    def integrand(log_ratio, log_size):
        return of(expit(log_ratio), np.exp(log_size)) * density(log_ratio, log_size)

    return dblquad(integrand, 0.5, 14.0, -4.0, -0.5, epsabs=0.0, epsrel=1e-9)[0]


def quantities():
    total = integral(lambda mean, size: 1.0)
    mean = integral(lambda mean, size: mean) / total
    yield "mean", mean
    yield "sd", np.sqrt(integral(lambda own, size: (own - mean) ** 2) / total)
    rates = {
        (s, n): integral(lambda mean, size, s=s, n=n: (mean * size + s) / (size + n)) / total for s, n in PAIRS.tolist()
    }
    for place, pair in enumerate(zip(SUCCESSES.tolist(), TRIALS.tolist(), strict=True)):
        yield f"rate[{place}]", rates[pair]


if __name__ == "__main__":
    with (HERE / "pooled_rats.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["quantity", "value"])
        writer.writerows((name, repr(float(value))) for name, value in quantities())
