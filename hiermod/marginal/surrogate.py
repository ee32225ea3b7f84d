"""A polynomial in place of a log density that takes long to compute, near its mode, where it is nearly a parabola."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb

import numpy as np
from scipy.linalg import lstsq

from hiermod.marginal.mode import Density, Mode

DEGREES, MOST_TERMS = (4, 6), 2000  # more terms take minutes to fit
POINTS_PER_TERM = 2.0
REACH = 1.3  # of the points that it is fitted at, in standard deviations
TRUSTED = 4.0  # how much farther than usual a point may be from the mode; beyond, the density falls as a normal one


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
        distance = np.linalg.norm(z, axis=1)
        edge = np.sqrt(z.shape[1]) + TRUSTED
        beyond = np.maximum(distance**2 - edge**2, 0.0)
        z = z * np.minimum(1.0, edge / np.maximum(distance, 1e-300))[:, None]
        return np.asarray(_terms(z, self.exponents) @ self.coefficients + self.mode.value - 0.5 * beyond)


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points about a mode, whitened, and the log density there."""

    z: np.ndarray
    values: np.ndarray


def scattered(density: Density, mode: Mode, degree: int, rng: np.random.Generator, known: Scatter | None) -> Scatter:
    """As many points as a polynomial of a degree needs, the known ones among them."""
    dimension = len(mode.point)
    number = points_needed(dimension, degree)
    if known is None:
        known = Scatter(np.zeros((1, dimension)), np.array([mode.value]))
    z = REACH * rng.standard_normal((number - len(known.z), dimension))
    values = density(mode.point + z @ mode.spread.T)
    return Scatter(np.concatenate([known.z, z]), np.concatenate([known.values, values]))


def degrees(dimension: int) -> tuple[int, ...]:
    """Which degrees are tried."""
    return tuple(degree for degree in DEGREES if comb(dimension + degree, degree) <= MOST_TERMS)


def points_needed(dimension: int, degree: int) -> int:
    """How often the density is computed for a polynomial."""
    return int(POINTS_PER_TERM * comb(dimension + degree, degree)) + 8


def fit_surrogate(mode: Mode, degree: int, scatter: Scatter) -> Surrogate:
    """Fit a polynomial of a degree by least squares."""
    dimension = len(mode.point)
    exponents = _exponents(dimension, degree)
    weight = np.exp(-0.25 * (scatter.z**2).sum(axis=1) / dimension)
    terms = _terms(scatter.z, exponents)
    heights = (scatter.values - mode.value) * weight
    coefficients = lstsq(terms * weight[:, None], heights, lapack_driver="gelsy", check_finite=False)[0]
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
