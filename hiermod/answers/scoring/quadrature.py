"""Integrals over a standard normal, one for each draw: quadrature about the mode of each integrand, on its scale.

In one and two dimensions by the trapezoidal rule in ``x = stretch · sinh(t)``, whose error falls exponentially for the
one-sided integrands of few data too; in more by Gauss-Hermite rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

SINH = {1: (2.0, 0.2, 12), 2: (2.5, 0.3, 7)}  # stretch, step, nodes on each side
HERMITE = {3: 7, 4: 5}  # nodes in each dimension
FEW_NODES = 3
MOST_DIMENSIONS = 6
STEPS, HALVINGS = 60, 15
LONGEST = 3.0  # step, in units of the normal's spread: far off, curvature says little about where the mode is
CLOSE = 0.02  # in units of the integrand's spread, off which the rule's centre may be
NEAR = 0.5  # the same, where steps that long lead downhill: at the top of a cliff
SETTLED = 0.05  # relative change of the spread, under which differences of its size are fine enough

LogDensity = Callable[[np.ndarray], np.ndarray]


def log_normal_integral(log_density: LogDensity, draws: int, dimensions: int) -> np.ndarray:
    """``log ∫ exp(log_density(z)) N(z; 0, I) dz`` in every draw, shape ``(draws,)``.

    Parameters
    ----------
    log_density : callable
        From points of shape ``(draws, dimensions)`` to logarithms of shape ``(draws,)``.
    """
    if not dimensions:
        return log_density(np.zeros((draws, 0)))

    def integrand(z: np.ndarray) -> np.ndarray:
        return log_density(z) - 0.5 * (z**2).sum(axis=1)

    centre, factor = _mode(integrand, draws, dimensions)
    total = np.full(draws, -np.inf)
    for node, log_weight in _rule(dimensions):
        np.logaddexp(total, log_weight + integrand(centre + factor @ node), out=total)
    return total + np.log(np.abs(np.einsum("dkk->dk", factor))).sum(axis=1)


def _rule(dimensions: int) -> list[tuple[np.ndarray, float]]:
    """Nodes, and logarithms of weights that divide by sqrt(2 pi) in each dimension."""
    if dimensions in SINH:
        stretch, step, side = SINH[dimensions]
        steps = step * np.arange(-side, side + 1)
        nodes = stretch * np.sinh(steps)
        logs = np.log(stretch * step * np.cosh(steps)) - 0.5 * np.log(2.0 * np.pi)
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(HERMITE.get(dimensions, FEW_NODES))
        logs = np.log(weights / weights.sum()) + 0.5 * nodes**2
    places = itertools.product(range(len(nodes)), repeat=dimensions)
    return [(nodes[list(place)], float(logs[list(place)].sum())) for place in places]


def _mode(integrand: LogDensity, draws: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """The mode in each draw, and a lower factor of the inverse curvature there, by damped Newton steps."""
    point, spread = np.zeros((draws, dimensions)), np.ones((draws, dimensions))
    factor = np.tile(np.eye(dimensions), (draws, 1, 1))
    value = integrand(point)
    for _ in range(STEPS):
        gradient, curvature = _derivatives(integrand, point, value, 0.1 * spread)
        factor, before = _inverse_factor(curvature), spread
        step = np.einsum("dij,dkj,dk->di", factor, factor, gradient)
        spread = np.sqrt((factor**2).sum(axis=2))
        off, change = np.abs(step / spread).max(axis=1), np.abs(spread / before - 1.0).max()
        step *= LONGEST / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), LONGEST)
        point, value, taken = _damped(integrand, point, value, step)
        still = np.abs(taken / spread).max(axis=1) < CLOSE
        if change < SETTLED and (still & (off < NEAR)).all():
            break
    return point, factor


def _damped(
    integrand: LogDensity, point: np.ndarray, value: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take each draw's step, halved where it would lead downhill; the point and value reached, and the step taken."""
    lowest = value - 1e-9 - 1e-12 * np.abs(value)
    for _ in range(HALVINGS):
        reached = integrand(point + step)
        worse = ~(reached >= lowest)
        if not worse.any():
            return point + step, reached, step
        step = np.where(worse[:, None], 0.5 * step, step)
    step = np.where(worse[:, None], 0.0, step)
    return point + step, np.where(worse, value, reached), step


def _derivatives(
    integrand: LogDensity, point: np.ndarray, value: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient, and minus the matrix of second derivatives, by central differences of `width`."""
    draws, dimensions = point.shape
    gradient, curvature = np.empty((draws, dimensions)), np.empty((draws, dimensions, dimensions))
    up, down = [], []
    for place in range(dimensions):
        move = np.zeros_like(point)
        move[:, place] = width[:, place]
        up.append(integrand(point + move))
        down.append(integrand(point - move))
        gradient[:, place] = (up[-1] - down[-1]) / (2.0 * width[:, place])
        curvature[:, place, place] = (2.0 * value - up[-1] - down[-1]) / width[:, place] ** 2
    for one, other in itertools.combinations(range(dimensions), 2):
        move = np.zeros_like(point)
        move[:, [one, other]] = width[:, [one, other]]
        both = integrand(point + move) + integrand(point - move) + 2.0 * value
        mixed = (both - up[one] - down[one] - up[other] - down[other]) / (2.0 * width[:, one] * width[:, other])
        curvature[:, one, other] = curvature[:, other, one] = -mixed
    return gradient, curvature


def _inverse_factor(curvature: np.ndarray) -> np.ndarray:
    """A lower factor L with ``L L'`` the inverse of a curvature, which is held positive."""
    values, vectors = np.linalg.eigh(np.where(np.isfinite(curvature), curvature, 0.0))
    inverse = (vectors / np.maximum(values, 0.1)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.linalg.cholesky(inverse)
