"""Effects of groups from their exact conditional distribution, given draws of the hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hiermod.marginal.likelihoods import CHUNK, CUMULANTS, posterior_precision
from hiermod.marginal.patterns import Patterns

POINTS = 129  # of a grid
REACH = 7.0  # of the grid to both sides of the mode, in standard deviations
NEWTON = 50
SMALL_STEP = 1e-6


class Conditional(Protocol):
    """The distribution of groups' effects given draws of the hyperparameters."""

    def draw(self, groups: np.ndarray, rng: Callable[[int], np.random.Generator]) -> np.ndarray:
        """Draws for some groups, shape ``(draws, groups, width)``; `rng` gives each group a generator of its own."""


@dataclass(frozen=True, eq=False)
class GaussianConditional:
    """Jointly normal within each group.

    Parameters
    ----------
    information : ndarray, shape (groups, width, width)
        Z'WZ.
    sums : ndarray, shape (groups, width, columns + 1)
        Z'W(y, X).
    beta : ndarray, shape (draws, columns)
    root : ndarray, shape (draws, width, width)
    sigma : ndarray, shape (draws,)
    """

    information: np.ndarray
    sums: np.ndarray
    beta: np.ndarray
    root: np.ndarray
    sigma: np.ndarray

    def draw(self, groups: np.ndarray, rng: Callable[[int], np.random.Generator]) -> np.ndarray:
        """As `Conditional.draw` says."""
        draws, width = self.root.shape[:2]
        found = np.empty((draws, len(groups), width))
        rest = np.concatenate([np.ones((draws, 1)), -self.beta], axis=1)
        step = max(1, CHUNK // (draws * width * width))
        for at in range(0, len(groups), step):
            own = groups[at : at + step]
            precision = posterior_precision(self.information[own], self.root, self.sigma)
            scores = np.einsum("gix,bx->bgi", self.sums[own], rest) / (self.sigma**2)[:, None, None]
            scores = np.einsum("bki,bgk->bgi", self.root, scores)
            normals = np.stack([rng(group).standard_normal((draws, width)) for group in own.tolist()], axis=1)
            upper = np.linalg.cholesky(precision).swapaxes(2, 3)
            mean = np.linalg.solve(precision, scores[..., None])
            drawn = (mean + np.linalg.solve(upper, normals[..., None]))[..., 0]
            found[:, at : at + step] = np.einsum("bij,bgj->bgi", self.root, drawn)
        return found


@dataclass(frozen=True, eq=False)
class PatternConditional:
    """By pattern, of groups with one effect each; `sd` has shape ``(draws,)``.

    The distribution function of each pattern is inverted on a grid of 129 points, which gives the standard deviation
    to a thousandth.
    """

    patterns: Patterns
    kernel: str
    beta: np.ndarray
    sd: np.ndarray

    def draw(self, groups: np.ndarray, rng: Callable[[int], np.random.Generator]) -> np.ndarray:
        """As `Conditional.draw` says."""
        draws = len(self.sd)
        found = np.empty((draws, len(groups), 1))
        of_group = self.patterns.of_group[groups]
        order = np.argsort(of_group, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(of_group[order])) + 1):
            uniform = np.stack([rng(group).uniform(size=draws) for group in groups[places].tolist()], axis=1)
            own = self.patterns.only(int(of_group[places[0]]))
            step = max(1, CHUNK // (POINTS * len(own.size)))
            for at in range(0, draws, step):
                part = slice(at, at + step)
                grid, below = distributions(own, self.kernel, self.beta[part], self.sd[part])
                for place in range(len(grid)):
                    drawn = np.interp(uniform[at + place], below[place, 0], grid[place, 0])
                    found[at + place, places, 0] = self.sd[at + place] * drawn
        return found


def distributions(
    own: Patterns, kernel: str, beta: np.ndarray, sd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """A grid of standard normals and each pattern's distribution function on it, ``(draws, patterns, points)``."""
    cumulant, slopes = CUMULANTS[kernel]
    base, along = beta @ own.design.T + own.offset, sd[:, None] * own.multipliers[:, 0]
    scores, group = sd[:, None] * own.totals[:, 0], own.pattern_of_entry
    mode = np.zeros(scores.shape)
    for _ in range(NEWTON):
        mean, variance = slopes(base + along * mode[:, group])
        precision = 1.0 + np.add.reduceat(own.size * variance * along**2, own.starts, axis=1)
        move = (scores - np.add.reduceat(own.size * mean * along, own.starts, axis=1) - mode) / precision
        mode += np.clip(move, -2.0, 2.0)
        if np.abs(move).max(initial=0.0) < SMALL_STEP:
            break
    grid = mode[..., None] + np.linspace(-REACH, REACH, POINTS) / np.sqrt(precision)[..., None]
    eta = base[..., None] + along[..., None] * grid[:, group]
    terms = np.add.reduceat(own.size[:, None] * cumulant(eta), own.starts, axis=1)
    log_density = scores[..., None] * grid - terms - 0.5 * grid**2
    density = np.exp(log_density - log_density.max(axis=2, keepdims=True))
    below = np.zeros(density.shape)
    np.cumsum(0.5 * (density[..., 1:] + density[..., :-1]), axis=2, out=below[..., 1:])
    return grid, below / below[..., -1:]
