"""Log densities of rows of a group given its other rows, the group's effects integrated out and never drawn.

Under a canonical link that is a ratio of two integrals: of the group's pattern with these rows, and without them. Of
Gaussian rows it is normal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from hiermod.marginal.effects import GaussianConditional, PatternConditional
from hiermod.marginal.gaussian import posterior_precision
from hiermod.marginal.patterns import Patterns, joint_ids, rounded
from hiermod.marginal.placement import NODES
from hiermod.marginal.quadrature import PatternLikelihood, likelihood_of_patterns

CHUNK = 2000  # patterns whose modes are found at once
TRIED = 16  # of these, by which their nodes are chosen
ALLOWED = 1e-7  # error of a log density at the most extreme draws
NO_PATTERN = -1  # of a group without rows
NOTHING = 1e-9  # of the size of rows, below which none is left


@dataclass(frozen=True, eq=False)
class RowsOfGroups:
    """Rows of groups of one factor, as a problem codes them.

    Parameters
    ----------
    groups : ndarray of int, shape (rows,)
    design : sparse array, shape (different rows, columns)
        Of all coefficients before the factor's effects.
    alike : ndarray of int, shape (different rows,)
        A number of each, equal where these are but for rounding.
    place : ndarray of int, shape (rows,)
        Which row of the design each is of.
    offset : ndarray, shape (rows,)
    multipliers : ndarray, shape (rows, width)
    response, size : ndarray, shape (rows,)
        Successes and trials; counts, or real numbers, and 1.
    constant : ndarray, shape (rows,)
        What of their log density depends on the response alone.
    """

    groups: np.ndarray
    design: sparse.csr_array
    alike: np.ndarray
    place: np.ndarray
    offset: np.ndarray
    multipliers: np.ndarray
    response: np.ndarray
    size: np.ndarray
    constant: np.ndarray

    @property
    def content(self) -> np.ndarray:
        """A number of each row, equal where all but the group is."""
        columns = [self.alike[self.place], rounded(self.offset), *self.multipliers.T]
        return joint_ids([*columns, self.response, self.size])

    def designs(self, rows: np.ndarray) -> np.ndarray:
        """Of some rows, shape ``(rows, columns)``."""
        return self.design[self.place[rows]].toarray()


@dataclass(frozen=True, eq=False)
class Change:
    """A group's pattern, or `NO_PATTERN`, and how often some rows are added to it; negative `times` take rows off."""

    pattern: int
    rows: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, eq=False)
class PatternRows:
    """Rows whose groups have patterns of data."""

    conditional: PatternConditional
    rows: RowsOfGroups

    @property
    def patterns(self) -> np.ndarray:
        """The pattern of the group of each row."""
        return self.conditional.likelihood.patterns.of_group[self.rows.groups]

    def outside(self, places: np.ndarray, times: np.ndarray) -> np.ndarray:
        """What of the log density of some rows stands outside the integral, in every draw."""
        own, response = self.rows, times * self.rows.response[places]
        fixed = float(response @ own.offset[places] + times @ own.constant[places])
        return np.asarray(self.conditional.beta @ (response @ own.designs(places)) + fixed)

    def integrals(self, changes: Sequence[Change]) -> Iterator[np.ndarray]:
        """Logarithms of integrals, one array of draws for each."""
        for start in range(0, len(changes), CHUNK):
            some = changes[start : start + CHUNK]
            likelihood = self._placed(self._changed(some))
            for place in range(len(some)):
                sizes = likelihood.patterns.some(np.array([place])).size
                if abs(sizes.sum()) <= NOTHING * np.abs(sizes).max(initial=0.0):
                    yield np.zeros(len(self.conditional.beta))
                else:
                    yield self._values(likelihood.alone(place))

    def _values(self, likelihood: PatternLikelihood) -> np.ndarray:
        draws = self.conditional
        return likelihood.log_likelihood(draws.beta, draws.root, np.zeros((len(draws.beta), 0)))

    def _changed(self, changes: Sequence[Change]) -> Patterns:
        """The patterns after their changes, one of each."""
        own, own_rows = self.conditional.likelihood.patterns, self.rows
        chosen = np.array([change.pattern for change in changes])
        base = own.with_none().some(np.where(chosen == NO_PATTERN, len(own.starts), chosen))
        lengths = np.diff(np.append(base.starts, len(base.size)))
        added = np.array([len(change.rows) for change in changes])
        rows = np.concatenate([change.rows for change in changes]).astype(int)
        times = np.concatenate([change.times for change in changes])
        ends = np.concatenate([np.repeat(np.arange(len(changes)), lengths), np.repeat(np.arange(len(changes)), added)])
        order = np.argsort(ends, kind="stable")
        totals = base.totals.copy()
        np.add.at(
            totals, ends[len(base.size) :], (times * own_rows.response[rows])[:, None] * own_rows.multipliers[rows]
        )
        return Patterns(
            np.arange(len(changes)), np.ones(len(changes)), totals, np.cumsum(lengths + added) - (lengths + added),
            np.concatenate([base.design, own_rows.designs(rows)])[order],
            np.concatenate([base.offset, own_rows.offset[rows]])[order],
            np.concatenate([base.size, times * own_rows.size[rows]])[order],
            np.concatenate([base.multipliers, own_rows.multipliers[rows]])[order],
        )  # fmt: skip

    def _placed(self, patterns: Patterns) -> PatternLikelihood:
        """Patterns with the first number of nodes that the next one hardly changes, at the most extreme draws."""
        draws, kernel = self.conditional, self.conditional.likelihood.kernel
        every = likelihood_of_patterns(patterns, kernel, np.zeros(patterns.design.shape[1]))
        every = every.at(draws.beta.mean(axis=0), draws.root.mean(axis=0))
        tried = np.unique(np.linspace(0, len(patterns.counts) - 1, TRIED).astype(int))
        extreme = draws.extremes
        beta, root, none = draws.beta[extreme], draws.root[extreme], np.zeros((len(extreme), 0))

        def values(number: int) -> np.ndarray:
            placed = every.with_nodes(number)
            return np.array([placed.alone(place).log_likelihood(beta, root, none) for place in tried])

        before = values(NODES[0])
        for number, following in pairwise(NODES):
            after = values(following)
            if np.abs(after - before).max() < ALLOWED:
                return every.with_nodes(number)
            before = after
        return every.with_nodes(NODES[-1])

    def given_others(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of each of some rows, which are among those of the groups' patterns, the log density in every draw.

        Given the group's other rows, and as that of one more such row given all.
        """
        for outside, (whole, without, beside) in self._changed_by(places, (-1.0, 1.0)):
            yield outside + whole - without, outside + beside - whole

    def given_all(self, places: np.ndarray) -> Iterator[np.ndarray]:
        """Of each of some rows, which are among no pattern, the log density given the group's rows."""
        for outside, (whole, beside) in self._changed_by(places, (1.0,)):
            yield outside + beside - whole

    def _changed_by(
        self, places: np.ndarray, times: Sequence[float]
    ) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
        """Of each row what stands outside, and the integrals of its pattern and of that with it so many times more.

        Those of the pattern itself are computed once for neighbours that share it.
        """
        patterns, nothing, changes = self.patterns[places], np.zeros(0), []
        first = np.diff(patterns, prepend=-1) != 0
        for place, pattern, new in zip(places.tolist(), patterns.tolist(), first.tolist(), strict=True):
            changes += [Change(pattern, nothing.astype(int), nothing)] * new
            changes += [Change(pattern, np.array([place]), np.array([each])) for each in times]
        values = self.integrals(changes)
        whole = nothing
        for place, new in zip(places.tolist(), first.tolist(), strict=True):
            whole = next(values) if new else whole
            yield self.outside(np.array([place]), np.ones(1)), (whole, *(next(values) for _ in times))


@dataclass(frozen=True, eq=False)
class GaussianRows:
    """Gaussian rows."""

    conditional: GaussianConditional
    rows: RowsOfGroups

    def given_others(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As `PatternRows.given_others` says."""
        variance = self.conditional.sigma**2
        for residual, leverage in self._residuals(places):
            rest = 1.0 - leverage
            yield _log_normal(residual / rest, variance / rest), _log_normal(residual, variance * (1.0 + leverage))

    def given_all(self, places: np.ndarray) -> Iterator[np.ndarray]:
        """As `PatternRows.given_all` says."""
        for residual, leverage in self._residuals(places):
            yield _log_normal(residual, self.conditional.sigma**2 * (1.0 + leverage))

    def _residuals(self, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """How far rows are from their expectation given the group's, and the variance of that over sigma²."""
        own, rows = self.conditional, self.rows
        rest = np.concatenate([np.ones((len(own.beta), 1)), -own.beta], axis=1)
        last, precision, effects = -1, np.empty(0), np.empty(0)
        for place, design in zip(places.tolist(), self._designs(places), strict=True):
            if (group := int(rows.groups[place])) != last:
                precision = posterior_precision(own.information[[group]], own.root, own.sigma)[:, 0]
                scores = np.einsum("bki,bk->bi", own.root, rest @ own.sums[group].T) / (own.sigma**2)[:, None]
                effects, last = np.linalg.solve(precision, scores[..., None])[..., 0], group
            along = np.einsum("bki,k->bi", own.root, rows.multipliers[place])
            solved = np.linalg.solve(precision, along[..., None])[..., 0]
            fixed = rows.response[place] - rows.offset[place] - own.beta @ design
            yield fixed - (along * effects).sum(axis=1), (along * solved).sum(axis=1) / own.sigma**2

    def _designs(self, places: np.ndarray) -> Iterator[np.ndarray]:
        """Of one row after the other."""
        for start in range(0, len(places), CHUNK):
            yield from self.rows.designs(places[start : start + CHUNK])


def _log_normal(residual: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return np.asarray(-0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance))
