"""Effects of groups from their exact conditional distribution, given draws of the hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Protocol

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from hiermod.data.columns.values import first_of
from hiermod.marginal.gaussian import CHUNK, posterior_precision
from hiermod.marginal.patterns import joint_ids
from hiermod.marginal.quadrature import LINKS, PatternLikelihood

FREEDOM = 4.0  # degrees of freedom of proposals: their chi-squared is made of two uniform numbers
WIDER = 1.05  # proposals' scale, over the spread of the density
TRIED = np.array([-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
MORE = 0.1  # added to the logarithm of a bound
NODES = ((12, 24, 48, 80), (8, 12, 20, 32), (6, 10, 14, 20))  # of a dimension, by effects a group


class Conditional(Protocol):
    """The distribution of groups' effects given draws of the hyperparameters."""

    def draw(self, groups: np.ndarray, rng: Callable[[int], np.random.Generator]) -> np.ndarray:
        """Draws for some groups, shape ``(draws, groups, width)``; `rng` gives each group a generator of its own."""

    def kinds(self, linear: bool) -> np.ndarray:
        """A number for each group, equal where their sums, or those of what is linear in effects, are drawn as one."""

    def merged(self, groups: np.ndarray, kind: np.ndarray) -> tuple[Conditional, np.ndarray]:
        """A conditional of groups that stand for those of each kind, and which these are."""

    @property
    def parameters(self) -> np.ndarray:
        """The hyperparameters that it depends on, shape ``(draws, number)``."""

    @property
    def is_normal(self) -> bool:
        """Whether effects are jointly normal."""

    @property
    def numbers_of_nodes(self) -> tuple[int, ...]:
        """How many nodes a dimension `nodes` may take, the fewest first."""

    def nodes(self, groups: np.ndarray, draws: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Effects of some groups at nodes, and the chances that stand for their distribution, in some of the draws.

        Shapes are ``(nodes, width, groups, draws)`` and ``(nodes, groups, draws)``.
        """


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

    def kinds(self, linear: bool) -> np.ndarray:
        """Of groups with the same information; their means differ."""
        if not linear:
            return np.arange(len(self.information))
        return joint_ids(list(self.information.reshape(len(self.information), -1).T))

    def merged(self, groups: np.ndarray, kind: np.ndarray) -> tuple[Conditional, np.ndarray]:
        """Each has the mean of the sums of its kind."""
        own = self.sums[groups].reshape(len(groups), -1)
        sums = np.stack([np.bincount(kind, column) for column in own.T], axis=1) / np.bincount(kind)[:, None]
        information = self.information[groups[first_of(kind)]]
        return replace(self, information=information, sums=sums.reshape(-1, *self.sums.shape[1:])), np.arange(len(sums))

    @property
    def parameters(self) -> np.ndarray:
        """As `Conditional.parameters` says."""
        return np.column_stack([self.beta, _entries(self.root), self.sigma])

    @property
    def is_normal(self) -> bool:
        """They are."""
        return True

    @property
    def numbers_of_nodes(self) -> tuple[int, ...]:
        """Two are enough for moments of what is linear in the effects."""
        return (2, *NODES[self.root.shape[1] - 1])

    def nodes(self, groups: np.ndarray, draws: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Conditional.nodes` says."""
        grid, log_weights = _grid(number, self.root.shape[1])
        beta, root, sigma = self.beta[draws], self.root[draws], self.sigma[draws]
        precision = posterior_precision(self.information[groups], root, sigma)
        rest = np.concatenate([np.ones((len(beta), 1)), -beta], axis=1)
        scores = np.einsum("gix,bx->bgi", self.sums[groups], rest) / (sigma**2)[:, None, None]
        scores = np.einsum("bki,bgk->bgi", root, scores)
        mean = np.linalg.solve(precision, scores[..., None])[..., 0]
        spread = np.linalg.inv(np.linalg.cholesky(precision)).swapaxes(2, 3)
        normals = mean.transpose(2, 1, 0) + np.einsum("bgij,kj->kigb", spread, grid)
        chances = np.exp(log_weights - 0.5 * (grid**2).sum(axis=1))[:, None, None]
        return _effects(root, normals), np.broadcast_to(chances / chances.sum(), (len(grid), *normals.shape[2:]))

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
    """By rejection, from proposals of a multivariate t about the mode of each group's pattern, group by group.

    Modes are those at the posterior mean, moved along with the hyperparameters as far as their derivatives say. A
    pattern's bound on the ratio of densities is found beforehand, so that a group's effects are the same whoever else
    is asked for.

    Parameters
    ----------
    likelihood : PatternLikelihood
        Placed at the means of `beta` and `root`.
    beta : ndarray, shape (draws, columns)
    root : ndarray, shape (draws, width, width)
    """

    likelihood: PatternLikelihood
    beta: np.ndarray
    root: np.ndarray

    def draw(self, groups: np.ndarray, rng: Callable[[int], np.random.Generator]) -> np.ndarray:
        """As `Conditional.draw` says."""
        draws, width = self.root.shape[:2]
        found = np.empty((draws, len(groups), width))
        of_group = self.likelihood.patterns.of_group[groups]
        order = np.argsort(of_group, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(of_group[order])) + 1):
            pattern = int(of_group[places[0]])
            centre = self.modes(pattern)
            bound = self._bound(pattern, centre)
            for place in places.tolist():
                normals = self._drawn(pattern, centre, bound, rng(int(groups[place])))
                found[:, place] = np.einsum("bij,bj->bi", self.root, normals)
        return found

    def kinds(self, linear: bool) -> np.ndarray:
        """Of groups with the same pattern of data."""
        return self.likelihood.patterns.of_group

    def merged(self, groups: np.ndarray, kind: np.ndarray) -> tuple[Conditional, np.ndarray]:
        """The first group of each kind."""
        return self, groups[first_of(kind)]

    @property
    def parameters(self) -> np.ndarray:
        """As `Conditional.parameters` says."""
        return np.column_stack([self.beta, _entries(self.root)])

    @property
    def is_normal(self) -> bool:
        """They are not."""
        return False

    @property
    def numbers_of_nodes(self) -> tuple[int, ...]:
        """As `Conditional.numbers_of_nodes` says."""
        return NODES[self.root.shape[1] - 1]

    def nodes(self, groups: np.ndarray, draws: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Conditional.nodes` says; nodes stand where the posterior mean puts them."""
        ids, root = self.likelihood.patterns.of_group[groups], self.root[draws]
        own, modes, spreads = self.likelihood.patterns.some(ids), self.likelihood.modes, self.likelihood.spreads
        grid, log_weights = _grid(number, root.shape[1])
        normals = modes[ids] + WIDER * np.einsum("gij,kj->kgi", spreads[ids], grid)
        effects = _effects(
            root, np.broadcast_to(normals.swapaxes(1, 2)[..., None], (len(grid), *normals.shape[1:][::-1], 1))
        )
        base, group = own.design @ self.beta[draws].T + own.offset[:, None], own.pattern_of_entry
        cumulant, chances = LINKS[self.likelihood.kernel].cumulant, np.empty((len(grid), len(groups), len(draws)))
        with np.errstate(over="ignore"):
            for place, each in enumerate(effects):
                eta = base.copy()
                for multiplier, effect in zip(own.multipliers.T, each, strict=True):
                    eta += multiplier[:, None] * effect[group]
                pull = np.add.reduceat(own.size[:, None] * cumulant(eta), own.starts)
                linear = np.einsum("gi,igb->gb", own.totals, each) - 0.5 * (normals[place] ** 2).sum(axis=1)[:, None]
                chances[place] = linear - pull + log_weights[place]
        chances = np.exp(chances - chances.max(axis=0))
        return effects, chances / chances.sum(axis=0)

    def modes(self, pattern: int) -> np.ndarray:
        """About where a pattern's most likely normals are in each draw, shape ``(draws, width)``."""
        mode, by_beta, by_root = self.likelihood.derivatives_of_modes(pattern, self._middle[0], self._middle[1])
        moves = (self.root - self._middle[1]).reshape(len(self.root), -1)
        return np.asarray(mode + (self.beta - self._middle[0]) @ by_beta.T + moves @ by_root.T)

    @cached_property
    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        return self.beta.mean(axis=0), self.root.mean(axis=0)

    def _drawn(self, pattern: int, centre: np.ndarray, bound: float, rng: np.random.Generator) -> np.ndarray:
        """A group's normals, shape ``(draws, width)``."""
        normals, waiting = np.empty(centre.shape), np.arange(len(centre))
        spread = WIDER * self.likelihood.spreads[pattern]
        while len(waiting):
            z, chance = rng.standard_normal((len(waiting), len(spread))), rng.uniform(size=(len(waiting), 3))
            z *= np.sqrt(FREEDOM / (-2.0 * np.log1p(-chance[:, :2]).sum(axis=1)))[:, None]
            ratio = self._log_ratio(pattern, waiting, centre[waiting], z)
            taken = np.log1p(-chance[:, 2]) + bound < ratio
            normals[waiting[taken]] = centre[waiting[taken]] + z[taken] @ spread.T
            waiting = waiting[~taken]
        return normals

    def _log_ratio(self, pattern: int, rows: np.ndarray, centre: np.ndarray, z: np.ndarray) -> np.ndarray:
        return self.likelihood.log_ratio(pattern, self.beta[rows], self.root[rows], centre, z, WIDER, FREEDOM)

    def _bound(self, pattern: int, centre: np.ndarray) -> float:
        """The logarithm of the largest ratio of densities, as far as some draws and points tell, and a little more."""
        width = centre.shape[1]
        axes = np.concatenate([np.eye(width), (2.0 * np.array([*product([0, 1], repeat=width)]) - 1.0) / width**0.5])
        z = (TRIED[:, None, None] * axes).reshape(-1, width)
        rows = np.unique(np.concatenate([self.extremes, np.linspace(0, len(centre) - 1, 4).astype(int)]))
        each = np.repeat(rows, len(z))
        return float(self._log_ratio(pattern, each, centre[each], np.tile(z, (len(rows), 1))).max()) + MORE

    @cached_property
    def extremes(self) -> np.ndarray:
        """Draws with the smallest and the largest of each hyperparameter."""
        every = np.concatenate([self.beta, self.root.reshape(len(self.root), -1)], axis=1)
        return np.unique(np.concatenate([every.argmin(axis=0), every.argmax(axis=0)]))


def _entries(root: np.ndarray) -> np.ndarray:
    """Those of Λ that are not 0 everywhere, shape ``(draws, number)``."""
    flat = root.reshape(len(root), -1)
    return np.asarray(flat[:, (flat != 0.0).any(axis=0)])


def _grid(number: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes ``(nodes, width)`` and the logarithms of weights of the integral of any function, up to a constant."""
    x, weights = hermegauss(number)
    grid = np.array([*product(x, repeat=width)])
    return grid, np.log([*product(weights, repeat=width)]).sum(axis=1) + 0.5 * (grid**2).sum(axis=1)


def _effects(root: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Λ o of normals ``(nodes, width, groups, draws)``; they may be the same in all draws."""
    return np.stack(
        [sum((root[:, i, j] * normals[:, j] for j in range(i + 1)), np.zeros(1)) for i in range(root.shape[1])], axis=1
    )
