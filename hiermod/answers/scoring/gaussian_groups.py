"""Gaussian rows of a group whose effects are not known: a multivariate normal, in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hiermod.data.cells.observations import Observations

if TYPE_CHECKING:
    from hiermod.answers.scoring.group_density import Unseen

LARGEST = 4_000_000  # numbers that a block of draws holds at once


def log_joint(
    left: Observations, times: np.ndarray, predictor: np.ndarray, sigma: np.ndarray, unseen: Sequence[Unseen]
) -> np.ndarray:
    """Log density of rows together, in every draw, their effects ``Z u``, u standard normal, integrated out.

    The covariance of rows is ``Z Z' + sigma² W⁻¹``, W holding how often each counts; with ``A = I + Z' W Z / sigma²``,
    its inverse and determinant are those of A, as large as there are effects.

    Parameters
    ----------
    predictor : ndarray, shape (rows of ``left.frame``, draws)
        The linear predictor without the effects that `unseen` has.
    """
    size = len(left.frame)
    count = np.bincount(left.place, times, size)
    mean = np.bincount(left.place, times * left.responses[:, 0], size) / count
    within = times @ (left.responses[:, 0] - mean[left.place]) ** 2
    residual, precision = mean[:, None] - predictor, sigma**-2.0
    total = -0.5 * (count.sum() * np.log(2.0 * np.pi / precision) + (within + count @ residual**2) * precision)
    for block, loadings in _blocks(unseen):
        weighted = loadings * (count[:, None] * precision[block, None, None])
        inner = np.eye(loadings.shape[2]) + np.swapaxes(loadings, 1, 2) @ weighted
        factor = np.linalg.cholesky(inner)
        pull = np.linalg.solve(factor, np.einsum("srk,rs->sk", weighted, residual[:, block])[:, :, None])
        total[block] += 0.5 * (pull**2).sum(axis=(1, 2)) - np.log(np.einsum("skk->sk", factor)).sum(axis=1)
    return np.asarray(total)


def log_single(left: Observations, predictor: np.ndarray, sigma: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log density of each observation by itself, whose effects have the standard deviation `spread` together."""
    variance = (sigma**2 + spread**2)[left.place]
    residual = left.responses - predictor[left.place]
    return np.asarray(-0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance))


def count_effects(unseen: Sequence[Unseen]) -> int:
    """How many effects are not known: those of all levels."""
    return sum(own.loadings.shape[2] * len(np.unique(own.levels[own.levels >= 0])) for own in unseen)


def _blocks(unseen: Sequence[Unseen]) -> Iterator[tuple[slice, np.ndarray]]:
    """Z in blocks of draws, shape ``(draws, rows, effects)``: each level's effects load on its own rows."""
    if not unseen:
        return
    draws, rows = unseen[0].loadings.shape[:2]
    members = [own.levels == level for own in unseen for level in np.unique(own.levels[own.levels >= 0])]
    terms = [own.loadings for own in unseen for _ in np.unique(own.levels[own.levels >= 0])]
    effects = count_effects(unseen)
    step = max(1, LARGEST // (effects * (rows + effects)))
    for start in range(0, draws, step):
        block = slice(start, start + step)
        parts = [own[block] * inside[:, None] for own, inside in zip(terms, members, strict=True)]
        yield block, np.concatenate(parts, axis=2)
