"""Posteriors under every kind of prior beside a sum over a grid: SciPy's chances of a cell by the likelihood there."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm
from tests.truth import mean_errors, probability_errors

DATA = pd.DataFrame({"s": [1, 4, 2, 7, 3], "n": [9, 10, 12, 11, 8], "g": list("abcde")})
MEANS, SPREADS = np.linspace(-10.0, 10.0, 801), np.concatenate([[0.0], np.geomspace(1e-3, 50.0, 400), [np.inf]])
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WHOLE = {
    "Normal": stats.norm,
    "StudentT": stats.t,
    "Cauchy": stats.cauchy,
    "Laplace": stats.laplace,
    "Logistic": stats.logistic,
    "Uniform": lambda low, high: stats.uniform(low, high - low),
    "HalfNormal": lambda scale: stats.halfnorm(scale=scale),
    "HalfStudentT": lambda nu, scale: stats.t(nu, 0.0, scale),  # above 0
    "HalfCauchy": lambda scale: stats.halfcauchy(scale=scale),
    "Exponential": lambda rate: stats.expon(scale=1.0 / rate),
    "Gamma": lambda shape, rate: stats.gamma(shape, scale=1.0 / rate),
    "InverseGamma": lambda shape, scale: stats.invgamma(shape, scale=scale),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "Beta": stats.beta,
}
COEFFICIENT = [
    ("Normal", (-1, 0.5)), ("StudentT", (3, -1, 0.5)), ("Cauchy", (-0.5, 0.3)), ("Laplace", (-0.5, 0.2)),
    ("Logistic", (0, 0.2)), ("Uniform", (-0.7, 0.2)), ("HalfNormal", (0.3,)), ("HalfStudentT", (3, 0.3)),
    ("HalfCauchy", (0.3,)), ("Exponential", (4,)), ("Gamma", (2, 5)), ("InverseGamma", (3, 0.5)),
    ("LogNormal", (-1, 0.5)), ("Beta", (2, 4)), ("Normal", (-0.2, 0.5), -0.6, np.inf),
    ("StudentT", (4, 0, 1), -np.inf, -1), ("Laplace", (-0.5, 0.2), -1.2, 0.1), ("Gamma", (2, 5), 0.1, 0.6),
]  # fmt: skip
SPREAD = [
    ("sd", "Uniform", (0, 0.8)), ("sd", "Normal", (1, 0.3), 0.0), ("sd", "HalfNormal", (0.5,)),
    ("sd", "LogNormal", (-1, 0.7)), ("sd", "Gamma", (4, 6)), ("sd", "StudentT", (3, 1.2, 0.2), 0.0),
    ("sd", "Beta", (3, 2)), ("sd", "Exponential", (2,)), ("sd", "InverseGamma", (3, 2)),
    ("var", "InverseGamma", (2, 1)), ("var", "Uniform", (0.2, 2)), ("var", "Exponential", (2,)),
    ("var", "Normal", (1, 0.3), 0.0), ("prec", "Gamma", (2, 1)), ("prec", "Uniform", (0.5, 6)),
    ("prec", "LogNormal", (1, 0.5)), ("prec", "Normal", (2, 1), 0.3, 6.0), ("prec", "Exponential", (0.5,)),
]  # fmt: skip
POWERS = {"sd": 1.0, "var": 2.0, "prec": -2.0}


def text(name, arguments, lower=-np.inf, upper=np.inf):
    bounds = [f"{key}={value}" for key, value in (("lower", lower), ("upper", upper)) if np.isfinite(value)]
    return f"{name}({', '.join([*map(str, arguments), *bounds])})"


def chances(edges, power, name, arguments, lower=-np.inf, upper=np.inf):
    """How likely each cell is under a prior of a power of the number."""
    whole = WHOLE[name](*arguments)
    low, high = (0.0 if name.startswith("Half") else lower), upper
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = whole.cdf(np.clip(edges if power == 1.0 else edges**power, low, high))
    return np.abs(np.diff(ends))


@pytest.fixture(scope="module")
def likelihood():
    """At the middle of each cell, shape (means, spreads); the groups' effects are integrated out."""
    means, spreads = (MEANS[1:] + MEANS[:-1]) / 2.0, np.sqrt(SPREADS[1:-1] * SPREADS[2:])[:-1]
    spreads = np.concatenate([[5e-4], spreads, [60.0]])
    total = np.zeros((len(means), len(spreads)))
    for successes, trials in zip(DATA["s"], DATA["n"], strict=True):
        rate = np.zeros_like(total)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            eta = means[:, None] + spreads * node
            rate += weight * np.exp(successes * special.log_expit(eta) + (trials - successes) * special.log_expit(-eta))
        total += np.log(rate)
    return means, spreads, np.exp(total - total.max())


@pytest.mark.parametrize(("of_mean", "of_spread"), list(zip(COEFFICIENT, SPREAD, strict=True)), ids=str)
def test_the_posterior_is_that_of_the_grid(likelihood, of_mean, of_spread):
    means, spreads, density = likelihood
    kind, *rest = of_spread
    joint = density * chances(MEANS, 1.0, *of_mean)[:, None] * chances(SPREADS, POWERS[kind], *rest)
    joint /= joint.sum()
    priors = {"Intercept": text(*of_mean), f"{kind}(1|g)": text(*rest)}
    fit = hm.fit("s/n ~ 1 + (1 | g)", DATA, priors=priors, seed=7, progress=False)
    assert "engine: compiled" in fit.notices
    draws = {name: fit.posterior[name].to_numpy() for name in ("Intercept", "1|g_sigma")}
    grids = {"Intercept": (MEANS, means, joint.sum(axis=1)), "1|g_sigma": (SPREADS, spreads, joint.sum(axis=0))}
    for name, (edges, middle, weight) in grids.items():
        line, values = (np.log(middle), np.log(draws[name])) if name == "1|g_sigma" else (middle, draws[name])
        assert mean_errors(values, float(weight @ line)) < 4
        for p in (0.1, 0.5, 0.9):
            place = int(np.searchsorted(np.cumsum(weight), p)) + 1
            truth = float(weight[:place].sum())
            if 0.02 < truth < 0.98:
                assert probability_errors(draws[name], draws[name] <= edges[place], truth) < 4
