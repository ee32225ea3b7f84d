"""Numbers drawn from priors, by NumPy, where there are proper ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hiermod.errors import ModelError
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.priors.reading import Prior

Generator = np.random.Generator
SAMPLERS: dict[str, Callable[..., Any]] = {
    "Normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "StudentT": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "Cauchy": lambda rng, size, alpha, beta: alpha + beta * rng.standard_cauchy(size),
    "Laplace": lambda rng, size, mu, b: rng.laplace(mu, b, size),
    "Logistic": lambda rng, size, mu, s: rng.logistic(mu, s, size),
    "Uniform": lambda rng, size, lower, upper: rng.uniform(lower, upper, size),
    "HalfNormal": lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
    "HalfStudentT": lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
    "HalfCauchy": lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
    "Exponential": lambda rng, size, lam: rng.exponential(1.0 / np.asarray(lam), size),
    "Gamma": lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / np.asarray(beta), size),
    "InverseGamma": lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
    "LogNormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
}


def with_proper_priors(spec: Spec | BetaSpec, what: str) -> Spec:
    """The spec, if it has a proper prior of every parameter.

    Raises
    ------
    ModelError
        If it is one of ``pooling="beta"``, or its priors are somebody else's.
    """
    if isinstance(spec, BetaSpec):
        raise ModelError(
            f"{what}: pooling='beta' has the improper hyperprior p(a, b) ∝ (a + b)^(-5/2), which is no distribution. "
            "Use pooling='normal', whose priors are proper."
        )
    if set(spec.priors.coefficients) != {block.name for block in spec.common.blocks}:
        raise ModelError(
            f"{what}: this model's priors are Bambi's, and not known here. Fit the formula with hiermod.fit() for "
            "hiermod's own model, or use bambi's prior_predictive()."
        )
    return spec


def draw(prior: Prior, rng: Generator, draws: int, columns: int) -> np.ndarray:
    """Independent draws of the numbers that share a prior, shape ``(draws, columns)``."""
    return np.asarray(SAMPLERS[prior.name](rng, (draws, columns), *prior.arguments), dtype=float)


def draw_partial_correlations(prior: Prior, size: int, rng: Generator, draws: int) -> np.ndarray:
    """Canonical partial correlations of an LKJ prior, by rows of the lower triangle; shape ``(draws, pairs)``."""
    columns = np.array([column for row in range(1, size) for column in range(row)])
    shape = float(prior.arguments[0]) + (size - 2 - columns) / 2
    return 2.0 * rng.beta(shape, shape, (draws, len(columns))) - 1.0
