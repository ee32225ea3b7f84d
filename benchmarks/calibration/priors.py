"""Numbers drawn from priors by NumPy alone; correlations by the onion, where hiermod takes partial ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Generator = np.random.Generator
SAMPLERS: dict[str, Callable[..., Any]] = {
    "Normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "StudentT": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "HalfNormal": lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
    "Exponential": lambda rng, size, lam: rng.exponential(1.0 / lam, size),
    "Gamma": lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
    "InverseGamma": lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
    "Beta": lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
    "LogNormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
}


def numbers(prior: str) -> tuple[str, list[float]]:
    """The name and the numbers of a prior such as ``"Normal(0, 1.5)"``."""
    name, _, inside = prior.removesuffix(")").partition("(")
    return name, [float(number) for number in inside.split(",")]


def draw(prior: str, rng: Generator, size: int | tuple[int, ...] = ()) -> np.ndarray:
    """Draw numbers from a prior."""
    name, arguments = numbers(prior)
    return np.asarray(SAMPLERS[name](rng, size, *arguments))


def draw_correlations(prior: str, rng: Generator, size: int) -> np.ndarray:
    """Draw a correlation matrix from ``"LKJ(eta)"``: Lewandowski, Kurowicka and Joe (2009), section 3.2.

    Each row is new in turn: its squared length in the coordinates of those before is a Beta, its direction uniform.
    """
    _, (eta,) = numbers(prior)
    shape = eta + (size - 2) / 2
    correlation = 2.0 * rng.beta(shape, shape) - 1.0
    matrix = np.array([[1.0, correlation], [correlation, 1.0]])
    for known in range(2, size):
        shape -= 0.5
        direction = rng.normal(size=known)
        direction *= np.sqrt(rng.beta(known / 2, shape)) / np.linalg.norm(direction)
        row = np.linalg.cholesky(matrix) @ direction
        matrix = np.block([[matrix, row[:, None]], [row[None, :], np.ones((1, 1))]])
    return matrix
