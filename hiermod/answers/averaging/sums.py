"""Sums over very many groups, drawn without the effects of each: given the hyperparameters they are nearly normal.

Groups are independent then, so that means and covariance matrices of their parts of all averages add up. Both are
computed by nodes of the groups' conditional distribution. They change little within the posterior: polynomials of the
hyperparameters that are fitted at some of its draws, and tested at others, say what they are at all.

A sum of independent terms is off a normal one by at most 0.56 L, L being the sum of their absolute third central
moments over the cube of the sum's standard deviation (Berry and Esseen). Where L is not small, the effects of the
groups that make it large are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import pandas as pd

from hiermod.answers.averaging.alike import Kinds, find_kinds
from hiermod.answers.group_effects import Groups
from hiermod.answers.reader import LinearReader, reader
from hiermod.families.functionals import Functional
from hiermod.marginal.effects import Conditional
from hiermod.marginal.patterns import joint_ids
from hiermod.sampling.posterior import Posterior

SUMS = 2000  # the purpose of the random numbers of sums
NORMAL = 0.1  # L of a sum that is taken as normal
MOST_CELLS, MOST_SIGNATURES = 200, 2000  # averages, and sets of averages that a group enters
DEGREES = (2, 3, 4)  # of polynomials
POINTS_PER_TERM, MORE_POINTS, HELD = 2, 6, 12  # draws that polynomials are fitted and tested at
CLOSE = 5e-3  # what they may be off by, in standard deviations of the sum given the hyperparameters
SAME = 1e-6  # relative difference of moments by two numbers of nodes
OF_EFFECT, OF_NODE = 4e-7, 4e-8  # measured seconds a draw of a group's effects, and of a row at a node
NUMBERS = 2**18  # that are worked on at once
JITTER = 1e-12


@dataclass(frozen=True, eq=False)
class Moments:
    """Means of averages ``(draws, cells)``, and Cholesky factors of their covariance matrices."""

    mean: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True, eq=False)
class Sums:
    """What groups of some kinds add to averages.

    Parameters
    ----------
    kinds : Kinds
    frame : DataFrame
        The whole table.
    cells : int
        How many averages there are.
    linear : bool
        Whether they are of linear predictors.
    """

    posterior: Posterior
    readings: Groups
    kinds: Kinds
    conditional: Conditional
    frame: pd.DataFrame
    cells: int
    linear: bool
    outcome: Functional | None

    def without(self, apart: np.ndarray) -> Sums:
        """The same of the kinds that are not apart."""
        return replace(self, kinds=self.kinds.some(np.flatnonzero(~apart)))

    @cached_property
    def signature(self) -> np.ndarray:
        """A number for each kind, equal where kinds enter the same averages."""
        begins = self.kinds.sums
        of_sum, cell = self.kinds.kind[begins], self.kinds.cell[begins]
        lengths = np.bincount(of_sum)
        key, ends = np.zeros(len(lengths), dtype=np.int64), np.cumsum(lengths) - lengths
        for place in range(int(lengths.max(initial=0))):
            longer = np.flatnonzero(lengths > place)
            key[longer] = joint_ids([key[longer], lengths[longer], cell[ends[longer] + place]])
        return joint_ids([key, lengths])

    @cached_property
    def number(self) -> int:
        """So many nodes a dimension that more do not change the moments in the middle of the posterior."""
        numbers, before = self.conditional.numbers_of_nodes, None
        for place, number in enumerate(numbers):
            found = self._added(self._middle, number)
            if before is not None and _alike(before, found):
                return numbers[place - 1]
            before = found
        return numbers[-1]

    def far_from_normal(self) -> np.ndarray:
        """Which kinds make the sum of any cell far from normal, where the others add up to one that is near."""
        apart = np.zeros(len(self.kinds.times), dtype=bool)
        if self.conditional.is_normal and self.linear:
            return apart
        begins = self.kinds.sums
        kind, cell = self.kinds.kind[begins], self.kinds.cell[begins]
        variances, cubes = self._by_kind(self._middle, self.number)
        times = self.kinds.times[kind]
        spread = np.bincount(cell, times * variances, self.cells) ** 1.5
        total = np.bincount(cell, times * cubes, self.cells)
        for place in np.flatnonzero(total > NORMAL * spread):
            own = np.flatnonzero(cell == place)
            own = own[np.argsort(-cubes[own])]
            left = total[place] - np.cumsum(times[own] * cubes[own])
            apart[kind[own[: np.argmax(left <= NORMAL * spread[place]) + 1]]] = True
        return apart

    def draw(self) -> np.ndarray | None:
        """Draws, shape ``(cells, draws)``, always the same; None where all effects are drawn sooner."""
        moments = self._interpolated()
        if moments is None:
            nodes = self.number ** sum(len(term.row_names) for term in self.posterior.drawn_terms)
            if self.kinds.times.sum() * OF_EFFECT < len(self.kinds.rows) * nodes * OF_NODE:
                return None
            moments = self._moments(np.arange(self.posterior.size))
        normals = self.posterior.generator(SUMS).standard_normal(moments.mean.shape)
        return np.asarray((moments.mean + np.einsum("sij,sj->si", moments.factor, normals)).T)

    @cached_property
    def _standard(self) -> np.ndarray:
        """The hyperparameters in each draw, whitened."""
        values = self.conditional.parameters - self.conditional.parameters.mean(axis=0)
        left, sizes, _ = np.linalg.svd(values, full_matrices=False)
        return np.asarray(left[:, sizes > 1e-10 * sizes.max()] * np.sqrt(len(values)))

    @cached_property
    def _middle(self) -> np.ndarray:
        """The draw in the middle."""
        return np.array([int(np.argmin((self._standard**2).sum(axis=1)))])

    def _interpolated(self) -> Moments | None:
        """By polynomials; None where these are not near enough."""
        z, size = self._standard, self.posterior.size
        order = np.random.default_rng(SUMS).permutation(size)
        held, rest = order[:HELD], order[HELD:]
        far = rest[np.argsort(-(z[rest] ** 2).sum(axis=1))]
        points, numbers, spread = held, *self._numbers(held)
        for degree in DEGREES:
            needed = POINTS_PER_TERM * comb(z.shape[1] + degree, degree) + MORE_POINTS
            if 3 * (needed + HELD) > size:
                return None
            every = list(dict.fromkeys([*points.tolist(), *far[: needed // 3].tolist(), *rest.tolist()]))[
                : HELD + needed
            ]
            more = np.array(every[len(points) :], dtype=np.int64)
            points, numbers = np.array(every), np.concatenate([numbers, self._numbers(more)[0]])
            terms, middle = _terms(z, degree), numbers.mean(axis=0)
            known = terms @ np.linalg.lstsq(terms[points[HELD:]], (numbers - middle)[HELD:], rcond=None)[0] + middle
            if (np.abs(known[held] - numbers[:HELD]) <= CLOSE * spread).all():
                return Moments(known[:, : self.cells], known[:, self.cells :].reshape(size, self.cells, self.cells))
        return None

    def _numbers(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All numbers of the moments in some draws, and the standard deviation that each is measured by."""
        found = self._moments(draws)
        spread = np.sqrt((found.factor**2).sum(axis=2))
        numbers = np.concatenate([found.mean, found.factor.reshape(len(draws), -1)], axis=1)
        return numbers, np.concatenate([spread, np.repeat(spread, self.cells, axis=1)], axis=1)

    def _moments(self, draws: np.ndarray) -> Moments:
        mean, covariance = self._added(draws, self.number)
        size = np.einsum("ccs->sc", covariance)
        covariance = covariance.transpose(2, 0, 1) + (JITTER * size + 1e-300)[:, :, None] * np.eye(self.cells)
        return Moments(mean.T, np.linalg.cholesky(covariance))

    def _added(self, draws: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The means ``(cells, draws)`` and covariances ``(cells, cells, draws)`` of what all groups add."""
        mean = np.zeros((self.cells, len(draws)))
        covariance = np.zeros((self.cells, self.cells, len(draws)))
        for part in self._parts(draws, number):
            mean[part.cells] += np.einsum("g,gcs->cs", part.times, part.mean)
            away = part.away * np.sqrt(part.chances * part.times[:, None])[:, :, None]
            away = away.transpose(2, 0, 1, 3).reshape(len(part.cells), -1, len(draws))
            for i, one in enumerate(part.cells):
                for j, other in enumerate(part.cells[: i + 1]):
                    found = np.einsum("xs,xs->s", away[i], away[j])
                    covariance[one, other] += found
                    if i != j:
                        covariance[other, one] += found
        return mean, covariance

    def _by_kind(self, draws: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Variance and absolute third central moment, in one draw, of what a group of each kind adds to a cell."""
        variances, cubes = np.empty(len(self.kinds.sums)), np.empty(len(self.kinds.sums))
        begins = np.searchsorted(self.kinds.kind[self.kinds.sums], np.arange(len(self.kinds.times)))
        for part in self._parts(draws, number):
            places, away = begins[part.kinds][:, None] + np.arange(len(part.cells)), np.abs(part.away[..., 0])
            variances[places] = (part.chances * away**2).sum(axis=0)
            cubes[places] = (part.chances * away**3).sum(axis=0)
        return variances, cubes

    def _parts(self, draws: np.ndarray, number: int) -> Iterator[_Part]:
        """The kinds in blocks, those of one entering the same averages."""
        model = reader(self.posterior.thinned(draws), self.readings, outcome=self.outcome)
        assert isinstance(model, LinearReader)
        step = max(1, NUMBERS * len(self.kinds.times) // (len(draws) * len(self.kinds.rows)))
        order = np.argsort(self.signature, kind="stable")
        for same in np.split(order, np.flatnonzero(np.diff(self.signature[order])) + 1):
            for at in range(0, len(same), step):
                own = self.kinds.some(same[at : at + step])
                effects, chances = self.conditional.nodes(own.groups, draws, number)
                cells, shape = own.cell[own.sums], (len(own.times), -1, len(draws))
                values = model.at_effects(self.frame.iloc[own.rows], effects, own.kind, self.linear)
                added = np.stack(
                    [np.add.reduceat(own.share[:, None] * each, own.sums).reshape(shape) for each in values]
                )
                mean = (chances[:, :, None] * added).sum(axis=0)
                yield _Part(same[at : at + step], own.times, cells[: added.shape[2]], chances, mean, added - mean)


@dataclass(frozen=True, eq=False)
class _Part:
    """Some kinds, how many groups each has, and the cells that they enter.

    Chances of nodes ``(nodes, kinds, draws)``, means of what a group adds ``(kinds, cells, draws)``, and at each node
    how far that is from them.
    """

    kinds: np.ndarray
    times: np.ndarray
    cells: np.ndarray
    chances: np.ndarray
    mean: np.ndarray
    away: np.ndarray


def sums_of_groups(
    posterior: Posterior, readings: Groups, frame: pd.DataFrame, weight: np.ndarray, cell: np.ndarray, cells: int,
    linear: bool, outcome: Functional | None,
) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
    """Which rows of a table remain, as the effects of their groups have to be drawn, and draws of what others add.

    These have shape ``(cells, draws)``; None where all rows remain.
    """
    every = np.arange(len(frame))
    found = find_kinds(posterior, readings, frame, weight, cell, linear) if cells <= MOST_CELLS else None
    if found is None:
        return every, None
    kinds, conditional = found
    sums = Sums(posterior, readings, kinds, conditional, frame, cells, linear, outcome)
    if sums.signature.max() >= MOST_SIGNATURES:
        return every, None
    apart = sums.far_from_normal()
    if apart.all():
        return every, None
    drawn = (sums.without(apart) if apart.any() else sums).draw()
    return every if drawn is None else np.flatnonzero(apart[kinds.kind_of_row]), drawn


def _alike(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(bool(np.abs(a - b).max() <= SAME * np.abs(b).max()) for a, b in zip(one, other, strict=True))


def _terms(z: np.ndarray, degree: int) -> np.ndarray:
    columns = [np.ones(len(z))]
    for total in range(1, degree + 1):
        columns += [
            z[:, list(chosen)].prod(axis=1) for chosen in combinations_with_replacement(range(z.shape[1]), total)
        ]
    return np.column_stack(columns)
