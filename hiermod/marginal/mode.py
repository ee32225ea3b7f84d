"""Where a smooth density of a few dimensions has its mode, and how wide it is there, by differences of its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Density = Callable[[np.ndarray], np.ndarray]
STEPS = 60
FIRST_WIDTH, SHARE = 1e-2, 0.1  # of differences: the first ones, and by standard deviations
LENGTHS = 2.0 ** -np.arange(1.0, 12.0)
CLOSE = 1e-5  # squared distance to the mode that is left, in standard deviations


class NoModeError(Exception):
    """The density has no mode that can be found."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A mode, the log density there, and a factor of the covariance matrix of the normal density that fits there."""

    point: np.ndarray
    value: float
    spread: np.ndarray


def find_mode(
    density_at: Callable[[np.ndarray], Density], start: np.ndarray, spread: np.ndarray | None = None
) -> Mode:  # fmt: skip
    """Climb by Newton's steps.

    Parameters
    ----------
    density_at : callable
        The log density, computed as is best near a point; it takes points of shape ``(points, dimension)``.
    start : ndarray, shape (dimension,)
    spread : ndarray, shape (dimension, dimension), optional
        A guess of the mode's.

    Raises
    ------
    NoModeError
    """
    point, directions = start, FIRST_WIDTH * np.eye(len(start)) if spread is None else SHARE * spread
    for _ in range(STEPS):
        density = density_at(point)
        value, gradient, curvature = _differences(density, point, directions)
        roots, vectors = np.linalg.eigh(-curvature)
        roots = np.maximum(np.abs(roots), 1e-12)
        step = vectors @ ((vectors.T @ gradient) / roots)
        left = float(gradient @ step)
        if not np.isfinite(left):
            raise NoModeError
        widths = np.clip(SHARE / np.sqrt(roots), 0.01, 100.0)
        settled = left < CLOSE and bool((np.abs(np.log(widths)) < 0.7).all())
        move, directions = directions @ step, directions @ (vectors * widths)
        if settled:
            return Mode(point, value, directions / SHARE)
        point = _further(density, point, value, move)
    raise NoModeError


def _further(density: Density, point: np.ndarray, value: float, move: np.ndarray) -> np.ndarray:
    """The end of a step, or of the best of shorter ones where that is not higher; the point itself if none is."""
    if density((point + move)[None])[0] > value:
        return np.asarray(point + move)
    candidates = point + LENGTHS[:, None] * move
    values = density(candidates)
    best = int(np.argmax(values))
    return np.asarray(candidates[best]) if values[best] > value else point


def _differences(density: Density, point: np.ndarray, directions: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient and second derivatives along the columns of `directions`."""
    size = len(point)
    first, second = np.tril_indices(size, -1)
    single = directions.T
    points = np.concatenate(
        [point[None], point + single, point - single, point + single[first] + single[second],
         point - single[first] - single[second]]
    )  # fmt: skip
    values = density(points)
    if not np.isfinite(values).all():
        raise NoModeError
    middle, up, down = values[0], values[1 : size + 1], values[size + 1 : 2 * size + 1]
    both, neither = np.split(values[2 * size + 1 :], 2)
    curvature = np.diag(up + down - 2.0 * middle)
    mixed = 0.5 * (both + neither - up[first] - up[second] - down[first] - down[second] + 2.0 * middle)
    curvature[first, second] = curvature[second, first] = mixed
    return float(middle), 0.5 * (up - down), curvature
