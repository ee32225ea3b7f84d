"""A polynomial in place of a log density that takes long to compute, near its mode, where it is nearly a parabola."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from hiermod.marginal.mode import Density, Mode

DEGREES = (4, 6)
POINTS_PER_TERM = 2.0
REACH = 1.3  # of the points that it is fitted at, in standard deviations


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A polynomial of points that are whitened at the mode.

    Parameters
    ----------
    mode : Mode
    exponents : ndarray of int, shape (terms, dimension)
    coefficients : ndarray, shape (terms,)
    """

    mode: Mode
    exponents: np.ndarray
    coefficients: np.ndarray

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """The log density at points, shape ``(points,)``."""
        z = np.linalg.solve(self.mode.spread, (points - self.mode.point).T).T
        return np.asarray(_terms(z, self.exponents) @ self.coefficients)


def fit_surrogate(density: Density, mode: Mode, degree: int, rng: np.random.Generator) -> Surrogate:
    """Fit a polynomial of a degree by least squares, at points scattered about the mode."""
    dimension = len(mode.point)
    exponents = _exponents(dimension, degree)
    number = int(POINTS_PER_TERM * len(exponents)) + 8
    z = REACH * rng.standard_normal((number, dimension))
    z[0] = 0.0
    values = density(mode.point + z @ mode.spread.T)
    weight = np.exp(-0.25 * (z**2).sum(axis=1) / dimension)
    coefficients = np.linalg.lstsq(_terms(z, exponents) * weight[:, None], values * weight, rcond=None)[0]
    return Surrogate(mode, exponents, coefficients)


def _exponents(dimension: int, degree: int) -> np.ndarray:
    rows = [
        np.bincount(chosen, minlength=dimension) if chosen else np.zeros(dimension, dtype=int)
        for total in range(degree + 1)
        for chosen in combinations_with_replacement(range(dimension), total)
    ]
    return np.array(rows)


def _terms(z: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    powers = z[:, :, None] ** np.arange(exponents.max() + 1)
    terms = np.ones((len(z), len(exponents)))
    for place in range(z.shape[1]):
        terms *= powers[:, place, exponents[:, place]]
    return terms
