"""Quantiles of priors, from SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from hiermod.modeling.priors import Prior

FROZEN: dict[str, Callable[..., Any]] = {
    "Normal": lambda mu, sigma: stats.norm(mu, sigma),
    "StudentT": lambda nu, mu, sigma: stats.t(nu, mu, sigma),
    "Cauchy": lambda alpha, beta: stats.cauchy(alpha, beta),
    "Laplace": lambda mu, b: stats.laplace(mu, b),
    "Logistic": lambda mu, s: stats.logistic(mu, s),
    "Uniform": lambda lower, upper: stats.uniform(lower, upper - lower),
    "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
    "HalfCauchy": lambda beta: stats.halfcauchy(scale=beta),
    "Exponential": lambda lam: stats.expon(scale=1.0 / lam),
    "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1.0 / beta),
    "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
}


def central_interval(prior: Prior, prob: float = 0.95) -> tuple[float, float]:
    """The equal-tailed interval of a prior of one number."""
    tails = ((1.0 - prob) / 2.0, (1.0 + prob) / 2.0)
    if prior.name == "HalfStudentT":
        nu, sigma = prior.arguments
        low, high = (stats.t.ppf((1.0 + tail) / 2.0, nu, scale=sigma) for tail in tails)
    else:
        low, high = (FROZEN[prior.name](*prior.arguments).ppf(tail) for tail in tails)
    return float(low), float(high)
