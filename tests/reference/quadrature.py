"""Exact posterior answers of small models by numerical integration (numpy and scipy only).

    python tests/reference/quadrature.py            # writes quadrature.csv beside this file

Nothing here is random and nothing comes from the package under test.  Every integral is a
trapezoidal sum over an analytic integrand or a composite Gauss-Legendre rule; `refined=True`
takes a finer and wider grid, and the two agree to better than 1e-6 (`--check` prints by how much).

Models (see README.md for the answers' names):

variants      theta_g ~ Beta(a, b),  p(a, b) ~ (a + b)^(-5/2),  s_g ~ Binomial(n_g, theta_g)
country       logit P = alpha_c + beta_c treated;  alpha_c ~ N(mu_a, sigma_a), beta_c ~ N(mu_b, sigma_b);
              mu ~ StudentT(3, 0, 1),  sigma ~ HalfNormal(1)
oneway        s_g ~ Binomial(n_g, inv_logit(mu + u_g)),  u_g ~ N(0, sd);
              mu ~ StudentT(3, 0, 1),  sd ~ HalfNormal(1)
gaussian      y_i ~ N(mu + u_g[i], sigma),  u_g ~ N(0, sd);
              mu ~ N(m0, s0),  sd ~ HalfNormal(s1),  sigma ~ Exponential(rate)
"""

import csv
import os
import sys
from functools import partial

import numpy as np
from scipy import fft, interpolate, optimize, special, stats

HERE = os.path.dirname(os.path.abspath(__file__))

VARIANTS = {
    "variants1": (["A", "B", "C", "D"], [30, 50, 55, 60], [100, 100, 100, 100]),
    "variants2": (["A", "B", "C", "D"], [3, 50, 55, 60], [10, 100, 100, 100]),
    "variants_ab": (["A", "B"], [30, 45], [100, 100]),
}
# country: (successes control, trials control, successes treated, trials treated)
COUNTRY = {
    "country": {"Canada": (30, 100, 50, 100), "China": (55, 100, 60, 100)},
    "country200": {"Canada": (60, 200, 100, 200), "China": (110, 200, 120, 200)},
}
GAUSSIAN_PRIOR = {"m0": 5.0, "s0": 3.0, "s1": 1.0, "rate": 1.0}
INTERVAL = (0.025, 0.975)


def panels(edges, order):
    """Nodes and weights of a composite Gauss-Legendre rule."""
    x, w = np.polynomial.legendre.leggauss(order)
    edges = np.asarray(edges, float)
    half = np.diff(edges)[:, None] / 2
    mid = (edges[1:] + edges[:-1])[:, None] / 2
    return (mid + half * x).ravel(), (half * w).ravel()


def quantiles(label, group, cdf, low, high):
    """The rows of the ends of the interval of a distribution function."""

    def end(level):
        return optimize.brentq(lambda x: float(cdf(x)) - level, low, high, xtol=1e-13)

    return [(f"{label}_q{level}", group, end(level)) for level in INTERVAL]


# --------------------------------------------------------------------------- variants


class Pooled:
    """P(theta_g <= x) given one large a+b, where Beta(a+s, b+f) is too narrow for the grid of a/(a+b).

    The density of logit(a/(a+b)) is interpolated; the Beta's distribution function is integrated over
    nodes laid about its step, and is 1 to the left of them.
    """

    def __init__(self, kappa, logit, logp):
        near = logp > logp.max() - 80
        log_density = interpolate.make_interp_spline(logit[near], logp[near], k=5)
        fine = np.linspace(logit[near][0], logit[near][-1], 16 * int(near.sum()))
        self.kappa = kappa
        self.density = interpolate.make_interp_spline(fine, np.exp(log_density(fine)), k=5)
        self.integral = self.density.antiderivative()
        self.range = fine[0], fine[-1]

    nodes = np.polynomial.legendre.leggauss(80)

    def below(self, x, s, f):
        k, n = self.kappa, s + f
        step = np.clip((x * (k + n) - s) / k, 1e-6, 1 - 1e-6)
        half = 9 * np.sqrt((k + n) / (step * (1 - step))) / k
        low, high = np.clip(special.logit(step) + np.array([-half, half]), *self.range)
        at = (low + high) / 2 + (high - low) / 2 * self.nodes[0]
        inside = self.density(at) * special.betainc(k * special.expit(at) + s, k * special.expit(-at) + f, x)
        return self.integral(low) - self.integral(self.range[0]) + (high - low) / 2 * (inside @ self.nodes[1])


def variants(names, successes, trials, refined=False):
    """Answers of the Beta-Binomial model.

    With m = a/(a+b) and u = (a+b)^(-1/2) the prior is flat on (0, 1) x (0, oo); the posterior is
    analytic in u at 0 (complete pooling) and falls off as a power of u.
    """
    s = np.asarray(successes, float)
    f = np.asarray(trials, float) - s
    n = s + f
    edges = [
        0,
        0.01,
        0.03,
        0.06,
        0.1,
        0.15,
        0.2,
        0.3,
        0.4,
        0.6,
        0.8,
        1,
        1.5,
        2,
        3,
        5,
        8,
        14,
        25,
        50,
        100,
        300,
        1e3,
        1e4,
        1e5,
        1e6,
    ]
    u, wu = panels(edges, 20 if refined else 12)
    step, reach = (0.025, 24.0) if refined else (0.04, 18.0)
    logit = np.arange(-reach, reach + step / 2, step)
    m = special.expit(logit)
    U, M = np.meshgrid(u, m, indexing="ij")
    Q = np.broadcast_to(special.expit(-logit), U.shape)
    kappa = U**-2.0
    a, b = kappa * M, kappa * Q

    # log of Beta(a+s, b+f)/Beta(a, b) as sums of logarithms: no cancellation for huge a+b
    rising = [np.zeros_like(a), np.zeros_like(a), np.zeros_like(a)]
    logp = np.zeros_like(a)
    at = {}
    for which, base, upto in ((0, a, s), (1, b, f), (2, kappa, n)):
        for i in range(int(max(upto))):
            rising[which] += np.log1p(i / base) + np.log(base / kappa)
            for g in np.flatnonzero(upto == i + 1):
                at[which, g] = rising[which].copy()
    for g in range(len(s)):
        logp += at.get((0, g), 0.0) + at.get((1, g), 0.0) - at[2, g]
    logw = logp + np.log(wu)[:, None] + np.log(M * Q)
    logw -= logw.max()
    w = np.exp(logw)
    # for the quantiles: large a+b apart
    large = np.flatnonzero((u**-2.0 > 1000) & (w.sum(1) > 1e-16 * w.sum()))
    pooled = [Pooled(u[i] ** -2.0, logit, logw[i] - np.log(step * w.sum())) for i in large]
    apart = np.zeros(w.shape, bool)
    apart[large] = True
    w /= w.sum()
    keep = w > (1e-15 if refined else 1e-13)
    w, a, b, kappa, M, U, apart = w[keep], a[keep], b[keep], kappa[keep], M[keep], U[keep], apart[keep]
    w /= w.sum()

    out = [
        ("mean_a_over_ab", "", w @ M),
        ("mean_ab_to_minus_half", "", w @ U),
        ("sd_a_over_ab", "", np.sqrt(w @ M**2 - (w @ M) ** 2)),
    ]
    A, B = a[:, None] + s, b[:, None] + f
    node_mean = A / (A + B)
    node_var = A * B / ((A + B) ** 2 * (A + B + 1))
    mean = w @ node_mean

    def below(g, x):
        wide = w[~apart] @ special.betainc(A[~apart, g], B[~apart, g], x)
        return wide + sum(part.below(x, s[g], f[g]) for part in pooled)

    for g, name in enumerate(names):
        out.append(("rate_mean", name, mean[g]))
        var = w @ (node_var[:, g] + (node_mean[:, g] - mean[g]) ** 2)
        out.append(("rate_sd", name, np.sqrt(var)))
        out += quantiles("rate", name, partial(below, g), 1e-6, 1 - 1e-6)
        out.append(("pull", name, w @ (kappa / (kappa + n[g]))))

    # P(beats), P(best), E max: for each node a trapezoidal sum over logit(theta) on a grid of its own
    G = len(s)
    beats, best, top = np.zeros((G, G)), np.zeros(G), 0.0
    spread = np.sqrt(special.polygamma(1, A) + special.polygamma(1, B))  # sd of logit(theta)
    centre = special.digamma(A) - special.digamma(B)
    tails = 14 if refined else 11
    low, high = (centre - tails * spread).min(1), (centre + tails * spread).max(1)
    fine = (0.15 if refined else 0.25) * spread.min(1)
    count = np.ceil((high - low) / fine).astype(int) + 1
    size = (np.ceil(count / 32) * 32).astype(int)
    for k in np.unique(size):
        rows = np.flatnonzero(size == k)
        for part in np.array_split(rows, max(1, len(rows) * k // 400000)):
            h = (high[part] - low[part]) / (k - 1)
            x = low[part, None] + h[:, None] * np.arange(k)
            theta = special.expit(x)
            cdf = np.empty((G, *x.shape))
            pdf = np.empty_like(cdf)
            for g in range(G):
                Ag, Bg = A[part, g, None], B[part, g, None]
                cdf[g] = special.betainc(Ag, Bg, theta)
                pdf[g] = np.exp(Ag * special.log_expit(x) + Bg * special.log_expit(-x) - special.betaln(Ag, Bg))
                pdf[g] /= pdf[g].sum(1, keepdims=True)  # takes out the rounding of betaln at huge a+b
            for g in range(G):
                first = pdf[g].copy()
                for j in range(G):
                    if j != g:
                        beats[g, j] += w[part] @ (pdf[g] * cdf[j]).sum(1)
                        first *= cdf[j]
                best[g] += w[part] @ first.sum(1)
                top += w[part] @ (first * theta).sum(1)
    for g, name in enumerate(names):
        for j, other in enumerate(names):
            if j != g:
                out.append(("p_beats", f"{name}:{other}", beats[g, j]))
    for g, name in enumerate(names):
        out.append(("p_best", name, best[g]))
        out.append(("expected_loss", name, top - mean[g]))
    out.append(("mean_of_best", "", top))
    return out


# ------------------------------------------------------------- smoothing on a uniform grid


class Line:
    """A periodic uniform grid, and convolution with normal densities on it (exact for smooth functions)."""

    def __init__(self, reach, step):
        self.n = fft.next_fast_len(round(2 * reach / step), real=True)
        self.n += self.n % 2
        self.step = step
        self.x = (np.arange(self.n) - self.n // 2) * step  # holds 0 exactly
        self.omega = 2 * np.pi * fft.fftfreq(self.n, step)
        self.half_omega = 2 * np.pi * fft.rfftfreq(self.n, step)


def integral_from_start(line, values):
    """Cumulative integral, as a piecewise polynomial, of a smooth function given on the grid.

    The function is first brought to an eight times finer grid by its Fourier series.
    """
    finer = 8
    values = fft.irfft(fft.rfft(values), n=finer * line.n) * finer
    x = line.x[0] + np.arange(finer * line.n) * (line.step / finer)
    return interpolate.make_interp_spline(x, values, k=5).antiderivative()


# ---------------------------------------------------------------------------- country


def lift_cdf(line, rows, x):
    """P(treated rate - control rate <= x); rows holds (alpha, the integral over beta up to a bound)."""
    value = 0.0
    for alpha, up_to in rows:
        p = special.expit(alpha) + x
        if p >= 1:
            value += float(up_to(line.x[-1]))
        elif p > 0:
            value += float(up_to(np.clip(special.logit(p) - alpha, line.x[0], line.x[-1])))
    return value


def country(cells, refined=False):
    """Answers of the independent two-coefficient logistic model, for any number of countries.

    For given (sigma_a, sigma_b) a country's likelihood, as a function of (mu_a, mu_b), is its
    likelihood in (alpha, beta) convolved with two normal densities; the posterior of one country's
    (alpha, beta) is its likelihood times the others' integrated out, convolved again.
    """
    names = list(cells)
    line = Line(30.0, 0.04) if refined else Line(24.0, 0.05)
    alpha, beta = line.x[:, None], line.x[None, :]
    like = []
    for s0, n0, s1, n1 in cells.values():
        eta = alpha + beta
        value = (
            s0 * special.log_expit(alpha)
            + (n0 - s0) * special.log_expit(-alpha)
            + s1 * special.log_expit(eta)
            + (n1 - s1) * special.log_expit(-eta)
        )
        like.append(np.exp(value - value.max()))
    spectrum = [fft.rfft2(L) for L in like]
    prior_mu = stats.t.pdf(line.x, 3)
    prior = prior_mu[:, None] * prior_mu[None, :]
    sigma, wsigma = panels([0, 0.25, 0.5, 1, 2, 3.5, 6.5], 7 if refined else 6)
    wsigma = wsigma * stats.halfnorm.pdf(sigma)

    evidence = np.zeros((len(sigma), len(sigma)))
    hyper = np.zeros(4)  # sums of mu_a, mu_b, mu_a^2, mu_b^2
    around = [np.zeros((line.n, line.n)) for _ in names]
    for i, sa in enumerate(sigma):
        for j, sb in enumerate(sigma):
            smooth = (
                np.exp(-0.5 * (sa * line.omega) ** 2)[:, None] * np.exp(-0.5 * (sb * line.half_omega) ** 2)[None, :]
            )
            w = wsigma[i] * wsigma[j]
            integrated = [fft.irfft2(S * smooth, s=prior.shape) for S in spectrum]
            joint = prior * np.prod(integrated, axis=0)
            evidence[i, j] = w * joint.sum()
            ma, mb = joint.sum(1), joint.sum(0)
            hyper += w * np.array([ma @ line.x, mb @ line.x, ma @ line.x**2, mb @ line.x**2])
            for c in range(len(names)):
                others = prior.copy()
                for d in range(len(names)):
                    if d != c:
                        others *= integrated[d]
                around[c] += w * fft.irfft2(fft.rfft2(others) * smooth, s=prior.shape)
    total = evidence.sum()
    out = []
    mean, square = hyper[:2] / total, hyper[2:] / total
    for k, which in enumerate("ab"):
        out.append((f"mu_{which}_mean", "", mean[k]))
        out.append((f"mu_{which}_sd", "", np.sqrt(square[k] - mean[k] ** 2)))
        margin = evidence.sum(1 - k) / total
        out.append((f"sigma_{which}_mean", "", margin @ sigma))
        out.append((f"sigma_{which}_sd", "", np.sqrt(margin @ sigma**2 - (margin @ sigma) ** 2)))

    zero = line.n // 2
    assert line.x[zero] == 0.0
    for c, name in enumerate(names):
        density = like[c] * around[c]
        density /= density.sum()
        near = density.sum(1) > 1e-18
        density = density[near]
        a = line.x[near, None]
        control, treated = special.expit(a), special.expit(a + beta)
        lift = treated - control
        in_beta = density.sum(0)

        for label, values in (
            ("control_rate", control),
            ("treated_rate", treated),
            ("lift", lift),
            ("intercept", np.broadcast_to(a, density.shape)),
            ("slope", np.broadcast_to(beta, density.shape)),
        ):
            mean = (density * values).sum()
            out.append((f"{label}_mean", name, mean))
            out.append((f"{label}_sd", name, np.sqrt((density * (values - mean) ** 2).sum())))
        slope_cdf = integral_from_start(line, in_beta / line.step)
        out.append(("p_slope_positive", name, 1 - float(slope_cdf(0.0))))
        out += quantiles("slope", name, slope_cdf, -9, 9)
        # a row of the grid (given alpha), integrated over beta
        rows = [(ai, integral_from_start(line, row / line.step)) for ai, row in zip(a[:, 0], density, strict=True)]
        out += quantiles("lift", name, partial(lift_cdf, line, rows), -0.9, 0.9)
        worse = integral_from_start(line, (density * -lift).sum(0) / line.step)
        loss = float(worse(0.0))
        out.append(("loss_of_treating", name, loss))
        out.append(("loss_of_not_treating", name, loss + (density * lift).sum()))
    return out


# ----------------------------------------------------------------- one-way, binomial


def oneway(names, successes, trials, refined=False):
    """Answers of the logistic model with one intercept per group."""
    line = Line(60.0, 0.02) if refined else Line(50.0, 0.03)
    like = []
    for s, n in zip(successes, trials, strict=True):
        assert 0 < s < n  # else the likelihood does not fall off on both sides
        value = s * special.log_expit(line.x) + (n - s) * special.log_expit(-line.x)
        like.append(np.exp(value - value.max()))
    spectrum = [fft.rfft(L) for L in like]
    prior = stats.t.pdf(line.x, 3)
    sigma, wsigma = panels([0, 0.25, 0.5, 1, 2, 3.5, 6, 8], 12 if refined else 8)
    wsigma = wsigma * stats.halfnorm.pdf(sigma)
    z = np.arange(-10, 10.01, 0.05 if refined else 0.1)
    wz = stats.norm.pdf(z)
    wz /= wz.sum()

    om = line.half_omega
    evidence = np.zeros(len(sigma))
    mu_density = np.zeros(line.n)
    population = 0.0
    around = [np.zeros(line.n) for _ in names]
    effect = np.zeros((len(names), 2))  # sums of u and u^2
    for i, sd in enumerate(sigma):
        smooth = np.exp(-0.5 * (sd * om) ** 2)
        integrated = [fft.irfft(S * smooth, n=line.n) for S in spectrum]
        joint = wsigma[i] * prior * np.prod(integrated, axis=0)
        evidence[i] = joint.sum()
        mu_density += joint
        near = joint > 0
        population += joint[near] @ (special.expit(line.x[near, None] + sd * z) @ wz)
        for g in range(len(names)):
            others = wsigma[i] * prior.copy()
            for j in range(len(names)):
                if j != g:
                    others *= integrated[j]
            hat = fft.rfft(others)
            around[g] += fft.irfft(hat * smooth, n=line.n)
            # theta = mu + u: transforms of u N(u; 0, sd) and u^2 N(u; 0, sd)
            effect[g, 0] += like[g] @ fft.irfft(hat * (-1j * sd**2 * om) * smooth, n=line.n)
            effect[g, 1] += like[g] @ fft.irfft(hat * (sd**2 - sd**4 * om**2) * smooth, n=line.n)
    total = evidence.sum()
    out = []
    mu_density /= total
    margin = evidence / total
    mu = mu_density @ line.x
    typical = special.expit(line.x)
    out += [("mu_mean", "", mu), ("mu_sd", "", np.sqrt(mu_density @ (line.x - mu) ** 2))]
    mu_cdf = integral_from_start(line, mu_density / line.step)
    out += quantiles("mu", "", mu_cdf, -20, 20)
    sd_mean = margin @ sigma
    out += [
        ("sd_mean", "", sd_mean),
        ("sd_sd", "", np.sqrt(margin @ (sigma - sd_mean) ** 2)),
        ("typical_rate_mean", "", mu_density @ typical),
        ("population_rate_mean", "", population / total),
    ]
    for g, name in enumerate(names):
        density = like[g] * around[g]
        density /= density.sum()
        rate = density @ typical
        out += [("rate_mean", name, rate), ("rate_sd", name, np.sqrt(density @ (typical - rate) ** 2))]
        cdf = integral_from_start(line, density / line.step)
        ends = quantiles("rate", name, cdf, -20, 20)
        out += [(label, group, special.expit(x)) for label, group, x in ends]
        first, second = effect[g] / total
        out += [
            ("linear_mean", name, density @ line.x),
            ("effect_mean", name, first),
            ("effect_sd", name, np.sqrt(second - first**2)),
        ]
    return out


# ----------------------------------------------------------------- one-way, Gaussian


def gaussian(groups, y, m0, s0, s1, rate, refined=False):
    """Answers of the Gaussian model with one intercept per group; given (sd, sigma), all is exact."""
    names = list(dict.fromkeys(groups))
    groups, y = np.asarray(groups), np.asarray(y, float)
    n = np.array([(groups == g).sum() for g in names], float)
    bar = np.array([y[groups == g].mean() for g in names])
    within = sum(((y[groups == g] - b) ** 2).sum() for g, b in zip(names, bar, strict=True))

    tau, wtau = panels(s1 * np.array([0, 0.1, 0.25, 0.5, 1, 2, 3, 4.5, 6, 8.5]), 16 if refined else 10)
    step = 0.02 if refined else 0.03
    log_sigma = np.arange(-6, 5, step)
    T, S = np.meshgrid(tau, np.exp(log_sigma), indexing="ij")
    T, S = T.ravel()[:, None], S.ravel()[:, None]
    weight = (wtau[:, None] * np.ones(len(log_sigma))).ravel()

    variance = T**2 + S**2 / n  # of a group's mean about mu
    precision = 1 / variance
    post_prec = 1 / s0**2 + precision.sum(1)
    mu = (m0 / s0**2 + precision @ bar) / post_prec
    logp = (
        -0.5 * (np.log(variance).sum(1) + (precision * (bar - m0) ** 2).sum(1))
        - 0.5 * np.log(post_prec * s0**2)
        + 0.5 * (precision @ (bar - m0)) ** 2 / post_prec
        - (n.sum() - len(n)) * np.log(S[:, 0])
        - 0.5 * within / S[:, 0] ** 2
        - 0.5 * (T[:, 0] / s1) ** 2
        - rate * S[:, 0]
        + np.log(S[:, 0])
    )
    w = weight * np.exp(logp - logp.max())
    constant = (
        -0.5 * n.sum() * np.log(2 * np.pi) - 0.5 * np.log(n).sum() + np.log(2 / np.sqrt(2 * np.pi) / s1) + np.log(rate)
    )
    log_evidence = np.log(w.sum() * step) + logp.max() + constant
    w /= w.sum()

    shrink = T**2 / variance  # u_g given mu: shrink * (bar - mu), variance T^2 (1 - shrink)
    u_mean = shrink * (bar - mu[:, None])
    u_var = T**2 * (1 - shrink) + shrink**2 / post_prec[:, None]
    line_mean = mu[:, None] + u_mean
    line_var = T**2 * (1 - shrink) + (1 - shrink) ** 2 / post_prec[:, None]

    def mixture(label, group, mean, var):
        centre = w @ mean
        spread = np.sqrt(w @ (var + (mean - centre) ** 2))
        return [
            (f"{label}_mean", group, centre),
            (f"{label}_sd", group, spread),
            *quantiles(
                label,
                group,
                lambda x: w @ special.ndtr((x - mean) / np.sqrt(var)),
                centre - 30 * spread,
                centre + 30 * spread,
            ),
        ]

    out = [("log_evidence", "", log_evidence)]
    for label, value in (("sd", T[:, 0]), ("sigma", S[:, 0])):
        out += [(f"{label}_mean", "", w @ value), (f"{label}_sd", "", np.sqrt(w @ (value - w @ value) ** 2))]
    out += mixture("intercept", "", mu, 1 / post_prec)
    for k, name in enumerate(names):
        out += mixture("effect", name, u_mean[:, k], u_var[:, k])
    for k, name in enumerate(names):
        out += mixture("group_mean", name, line_mean[:, k], line_var[:, k])
    return out


# --------------------------------------------------------------------------------- files


def read(name):
    with open(os.path.join(HERE, name), newline="") as handle:
        return list(csv.DictReader(handle))


def everything(refined=False):
    rows = []
    for model, data in VARIANTS.items():
        rows += [(model, *row) for row in variants(*data, refined=refined)]
    for model, data in COUNTRY.items():
        rows += [(model, *row) for row in country(data, refined=refined)]
    data = read("oneway_binomial.csv")
    rows += [
        ("oneway_binomial", *row)
        for row in oneway(
            [r["g"] for r in data], [int(r["s"]) for r in data], [int(r["n"]) for r in data], refined=refined
        )
    ]
    data = read("oneway_gaussian.csv")
    rows += [
        ("oneway_gaussian", *row)
        for row in gaussian([r["g"] for r in data], [float(r["y"]) for r in data], refined=refined, **GAUSSIAN_PRIOR)
    ]
    return [(model, quantity, group, float(value)) for model, quantity, group, value in rows]


def main():
    rows = everything()
    with open(os.path.join(HERE, "quadrature.csv"), "w", newline="") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(["model", "quantity", "group", "value"])
        out.writerows((model, quantity, group, repr(value)) for model, quantity, group, value in rows)
    if "--check" in sys.argv[1:]:
        worst = {}
        for (model, quantity, group, value), other in zip(rows, everything(refined=True), strict=True):
            worst[model] = max(worst.get(model, (0, "")), (abs(value - other[3]), f"{quantity} {group}"))
        for model, (gap, where) in worst.items():
            print(f"{model}: the finer grid differs by at most {gap:.1e} ({where})")


if __name__ == "__main__":
    main()
