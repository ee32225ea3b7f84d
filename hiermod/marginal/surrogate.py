"""A polynomial in place of a log density that takes long to compute, near its mode, where it is nearly a parabola."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from hiermod.marginal.mode import Density, Mode

DEGREES, MOST_TERMS = (4, 6), 2000  # more terms take minutes to fit
POINTS_PER_TERM = 2.0
REACH = 1.3  # of the points that it is fitted at, in standard deviations
AT_ONCE = 512  # points, whose terms a processor holds near itself
TRUSTED = 4.0  # how much farther than usual a point may be from the mode; beyond, the density falls as a normal one


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A polynomial of points that are whitened at the mode.

    Parameters
    ----------
    mode : Mode
    degree : int
    coefficients : ndarray, shape (terms,)
    """

    mode: Mode
    degree: int
    coefficients: np.ndarray

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """The log density at points, shape ``(points,)``."""
        z = np.linalg.solve(self.mode.spread, (points - self.mode.point).T).T
        distance = np.linalg.norm(z, axis=1)
        edge = np.sqrt(z.shape[1]) + TRUSTED
        beyond = np.maximum(distance**2 - edge**2, 0.0)
        z = z * np.minimum(1.0, edge / np.maximum(distance, 1e-300))[:, None]
        parts = [
            np.einsum("t,tp->p", self.coefficients, _terms(z[at : at + AT_ONCE], self.degree))
            for at in range(0, len(z), AT_ONCE)
        ]
        return np.asarray(np.concatenate([*parts, np.zeros(0)]) + self.mode.value - 0.5 * beyond)


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
    return tuple(degree for degree in DEGREES if _number(dimension, degree) <= MOST_TERMS)


def points_needed(dimension: int, degree: int) -> int:
    """How often the density is computed for a polynomial."""
    return int(POINTS_PER_TERM * _number(dimension, degree)) + 8


def fit_surrogate(mode: Mode, degree: int, scatter: Scatter) -> Surrogate:
    """Fit a polynomial of a degree by least squares.

    Normal equations do: points are so many and so spread that the terms' condition number is some thousands.
    """
    weight = np.exp(-0.25 * (scatter.z**2).sum(axis=1) / len(mode.point))
    heights = (scatter.values - mode.value) * weight
    terms = _terms(scatter.z, degree) * weight
    factor = cho_factor(terms @ terms.T, overwrite_a=True, check_finite=False)
    return Surrogate(mode, degree, cho_solve(factor, terms @ heights, check_finite=False))


def _number(dimension: int, degree: int) -> int:
    return comb(dimension + degree, degree)


def _terms(z: np.ndarray, degree: int) -> np.ndarray:
    """All monomials up to a degree, shape ``(terms, points)``.

    Those of each degree, in the order of their variables, are made of those of the one before: by a variable times
    the ones that begin with it or a later one.
    """
    size, columns = z.shape[1], np.ascontiguousarray(z.T)
    terms = np.empty((_number(size, degree), len(z)))
    terms[0] = 1.0
    first, begins, at = 0, [0] * size, 1
    for _ in range(degree):
        last, starts = at, []
        for variable in range(size):
            before = terms[first + begins[variable] : last]
            starts.append(at - last)
            terms[at : at + len(before)] = columns[variable] * before
            at += len(before)
        first, begins = last, starts
    return terms
