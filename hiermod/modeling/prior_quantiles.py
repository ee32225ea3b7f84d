"""Quantiles of priors, by SciPy's special functions: its distributions take a second to import."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from hiermod.priors.reading import Prior

QUANTILES: dict[str, Callable[..., float]] = {
    "Normal": lambda p, mu, sigma: mu + sigma * special.ndtri(p),
    "StudentT": lambda p, nu, mu, sigma: mu + sigma * special.stdtrit(nu, p),
    "Cauchy": lambda p, alpha, beta: alpha + beta * np.tan(np.pi * (p - 0.5)),
    "Laplace": lambda p, mu, b: mu + b * (np.log(2.0 * p) if p < 0.5 else -np.log(2.0 * (1.0 - p))),
    "Logistic": lambda p, mu, s: mu + s * special.logit(p),
    "Uniform": lambda p, lower, upper: lower + (upper - lower) * p,
    "HalfNormal": lambda p, sigma: sigma * special.ndtri(0.5 * (1.0 + p)),
    "HalfStudentT": lambda p, nu, sigma: sigma * special.stdtrit(nu, 0.5 * (1.0 + p)),
    "HalfCauchy": lambda p, beta: beta * np.tan(0.5 * np.pi * p),
    "Exponential": lambda p, lam: -np.log1p(-p) / lam,
    "Gamma": lambda p, alpha, beta: special.gammaincinv(alpha, p) / beta,
    "InverseGamma": lambda p, alpha, beta: beta / special.gammainccinv(alpha, p),
    "LogNormal": lambda p, mu, sigma: np.exp(mu + sigma * special.ndtri(p)),
}


def central_interval(prior: Prior, prob: float = 0.95) -> tuple[float, float]:
    """The equal-tailed interval of a prior of one number."""
    low, high = (
        float(QUANTILES[prior.name](tail, *prior.arguments)) for tail in ((1.0 - prob) / 2.0, (1.0 + prob) / 2.0)
    )
    return low, high
