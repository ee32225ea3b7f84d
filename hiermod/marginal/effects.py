"""Effects of groups from their exact conditional distribution, given draws of the hyperparameters."""

from __future__ import annotations

import numpy as np

from hiermod.engine.layout.problem import Problem
from hiermod.marginal.likelihoods import CHUNK, CUMULANTS, PatternLikelihood, group_sums, posterior_precision

POINTS = 129  # of a grid
REACH = 7.0  # of the grid to both sides of the mode, in standard deviations
NEWTON = 50
SMALL_STEP = 1e-6


def gaussian_effects(
    problem: Problem, beta: np.ndarray, root: np.ndarray, sigma: np.ndarray, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """Draws of shape ``(draws, width, groups)``: jointly normal within each group."""
    information, sums = group_sums(problem)
    groups, width = information.shape[:2]
    found = np.empty((len(beta), width, groups))
    rest = np.concatenate([np.ones((len(beta), 1)), -beta], axis=1)
    step = max(1, CHUNK // (groups * width * width))
    for at in range(0, len(beta), step):
        own = slice(at, at + step)
        precision = posterior_precision(information, root[own], sigma[own])
        scores = np.einsum("gix,bx->bgi", sums, rest[own]) / (sigma[own] ** 2)[:, None, None]
        scores = np.einsum("bki,bgk->bgi", root[own], scores)
        mean = np.linalg.solve(precision, scores[..., None])
        lower = np.linalg.cholesky(precision).swapaxes(2, 3)
        normals = mean + np.linalg.solve(lower, rng.standard_normal(mean.shape))
        found[own] = np.einsum("bij,bgj->big", root[own], normals[..., 0])
    return found


def pattern_effects(
    likelihood: PatternLikelihood, beta: np.ndarray, root: np.ndarray, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """Draws of shape ``(draws, 1, groups)`` of groups with one effect each.

    The distribution function of each pattern is inverted on a grid of 129 points, which gives the standard deviation
    to a thousandth.
    """
    own = likelihood.patterns
    members = np.split(np.argsort(own.of_group, kind="stable"), np.cumsum(own.counts.astype(int))[:-1])
    found = np.empty((len(beta), 1, len(own.of_group)))
    step = max(1, CHUNK // (POINTS * len(own.size)))
    for at in range(0, len(beta), step):
        part = slice(at, at + step)
        grid, below = _distributions(likelihood, beta[part], root[part, 0, 0])
        for pattern, groups in enumerate(members):
            uniform = rng.uniform(size=(len(grid), len(groups)))
            for place in range(len(grid)):
                drawn = np.interp(uniform[place], below[place, pattern], grid[place, pattern])
                found[at + place, 0, groups] = root[at + place, 0, 0] * drawn
    return found


def _distributions(
    likelihood: PatternLikelihood, beta: np.ndarray, sd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """A grid of standard normals, and each pattern's distribution function there; shape ``(draws, patterns, points)``."""
    own = likelihood.patterns
    cumulant, slopes = CUMULANTS[likelihood.kernel]
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
