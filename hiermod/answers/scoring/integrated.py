"""Densities of rows and groups of a fit whose groups' effects are integrated out: from integrals, not from effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse, special

from hiermod.data.cells.observations import Members, Observations
from hiermod.data.columns.values import first_of
from hiermod.engine.layout.problem import read_problem, stated_map
from hiermod.families.ops import NUMPY
from hiermod.marginal.effects import GaussianConditional, PatternConditional
from hiermod.marginal.left_out import NO_PATTERN, Change, GaussianRows, PatternRows, RowsOfGroups
from hiermod.marginal.patterns import joint_ids, keys_of_groups, rounded
from hiermod.modeling.design import offset
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

ALL = 1.0 - 1e-9  # of a level's rows
REMEMBERED = 1000  # integrals, an array of draws each


def rows_of_groups(spec: Spec, seen: Observations) -> RowsOfGroups | None:
    """Observations as rows of the groups of a model's largest factor; None where one is of another's unseen group."""
    problem, frame, place = read_problem(spec), seen.frame, seen.place
    terms = problem.factors[-1].of_groups
    blocks = [block.matrix(frame) for block in spec.coefficients.blocks]
    dense = np.hstack([np.empty((len(frame), 0)), *blocks]) @ stated_map(problem)
    design, alike = [sparse.csr_array(dense)], [*map(rounded, dense.T)]
    for factor in problem.factors[:-1]:
        for term in factor.of_groups:
            codes, every = term.grouping.codes(frame), np.arange(len(frame))
            if (codes < 0).any():
                return None
            numbers = np.hstack([block.matrix(frame) for block in term.blocks]).T
            shape = (len(frame), term.grouping.size)
            design += [sparse.csr_array((column, (every, codes)), shape=shape) for column in numbers]
            alike += [codes, *numbers]
    multipliers = np.hstack([block.matrix(frame) for term in terms for block in term.blocks])
    response = seen.responses[:, 0]
    size, constant = np.ones(len(response)), np.zeros(len(response))
    if seen.responses.shape[1] == 2:
        size = seen.responses[:, 1]
        constant = np.asarray(NUMPY.log_choose(size, response))
    elif spec.family.kind == "count":
        constant = -special.gammaln(response + 1.0)
    offsets = offset(spec.predictors["mu"].offsets, frame)
    return RowsOfGroups(
        terms[0].grouping.codes(frame)[place], sparse.csr_array(sparse.hstack(design, format="csr")),
        joint_ids(alike) if alike else np.zeros(len(frame), dtype=int), place, offsets[place], multipliers[place],
        response, size, constant,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class IntegratedRows:
    """Observations of such a fit; those of one kind have the same density given their group's rows."""

    rows: PatternRows | GaussianRows

    @cached_property
    def kinds(self) -> np.ndarray:
        """A number of each observation, equal where they are of groups with the same pattern, and equal themselves."""
        if isinstance(self.rows, GaussianRows):
            return np.arange(len(self.rows.rows.groups))
        return joint_ids([self.rows.patterns, self.rows.rows.content])

    def given_others(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Places of one kind, and their log density given the group's other rows, and given one more that is equal."""
        return ((places, *density) for places, density in self._by_kind(self.rows.given_others))

    def given_all(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Places of one kind, and their log density given the group's rows that were fitted."""
        return self._by_kind(self.rows.given_all)

    def _by_kind[D](self, density: Callable[[np.ndarray], Iterator[D]]) -> Iterator[tuple[np.ndarray, D]]:
        first = first_of(self.kinds)
        order = np.argsort(self.rows.rows.groups[first] if isinstance(self.rows, GaussianRows)
                           else self.rows.patterns[first], kind="stable")  # fmt: skip
        members = np.split(np.argsort(self.kinds, kind="stable"), np.cumsum(np.bincount(self.kinds))[:-1])
        for kind, found in zip(order.tolist(), density(first[order]), strict=True):
            yield members[kind], found


def integrated_rows(posterior: Posterior, seen: Observations) -> IntegratedRows | None:
    """The observations of a fit whose groups' effects are integrated out; None of another one."""
    conditional = posterior.conditional
    if conditional is None:
        return None
    assert isinstance(posterior.spec, Spec)
    rows = rows_of_groups(posterior.spec, seen)
    if rows is None:
        return None
    if isinstance(conditional, PatternConditional):
        return IntegratedRows(PatternRows(conditional, rows))
    assert isinstance(conditional, GaussianConditional)
    return IntegratedRows(GaussianRows(conditional, rows))


class IntegratedGroups:
    """Groups of observations of such a fit, under a canonical link; as `GroupDensity` says.

    Parameters
    ----------
    rows : PatternRows
        The observations.
    times : ndarray
        How many rows of the data are equal to each.
    fitted : bool
        Whether the fit has seen them; otherwise it was made without the group that is asked for.
    """

    def __init__(self, rows: PatternRows, times: np.ndarray, fitted: bool) -> None:
        self._rows, self._codes, self._times, self._fitted = rows, rows.rows.groups, times, fitted
        self._sizes = np.bincount(self._codes, times)
        self._content = joint_ids([rows.rows.content, times])
        self._known: dict[int, np.ndarray] = {}

    def alike(self, groups: Sequence[Members]) -> np.ndarray | None:
        """Levels whose rows are equal; None where a group is no whole level, or hardly any are alike."""
        places = np.concatenate([group.places for group in groups])
        lengths = np.array([len(group.places) for group in groups])
        of_group = np.repeat(np.arange(len(groups)), lengths)
        codes, first = self._codes[places], np.cumsum(lengths) - lengths
        sizes = np.bincount(of_group, np.concatenate([group.times for group in groups]))
        if (codes != codes[first][of_group]).any() or (sizes < ALL * self._sizes[codes[first]]).any():
            return None
        return keys_of_groups(self._content[places], lengths)

    def joint(self, group: Members) -> np.ndarray:
        """Log density of all of a group's observations together, in every draw."""
        total = self._rows.outside(group.places, group.times)
        for own in self._by_level(group):
            pattern = self._pattern(own)
            if not self._fitted:
                whole, rest = self._changed([Change(pattern, own.places, own.times.astype(float))])[0], pattern
                total += whole - self._of_pattern(rest)
            elif self._is_whole(own):
                total += self._of_pattern(pattern)
            else:
                (rest_of_level,) = self._changed([Change(pattern, own.places, -own.times.astype(float))])
                total += self._of_pattern(pattern) - rest_of_level
        return total

    def single(self, group: Members) -> np.ndarray:
        """Log density of each of a group's observations by itself, shape ``(observations, draws)``."""
        found = np.empty((len(group.places), len(self._rows.conditional.beta)))
        for own in self._by_level(group):
            pattern, off, times = self._pattern(own), own.places, -own.times.astype(float)
            if not self._fitted:
                off, times = off[:0], times[:0]
            elif self._is_whole(own):
                pattern, off, times = NO_PATTERN, off[:0], times[:0]
            beside = [Change(pattern, np.append(off, place), np.append(times, 1.0)) for place in own.places.tolist()]
            rest, *rows = self._changed([Change(pattern, off, times), *beside])
            for place, row in zip(own.places.tolist(), rows, strict=True):
                outside = self._rows.outside(np.array([place]), np.ones(1))
                found[np.searchsorted(group.places, place)] = outside + row - rest
        return found

    def _by_level(self, group: Members) -> Iterator[Members]:
        codes = self._codes[group.places]
        for level in np.unique(codes):
            inside = codes == level
            yield Members(group.places[inside], group.times[inside])

    def _pattern(self, own: Members) -> int:
        return int(self._rows.patterns[own.places[0]])

    def _is_whole(self, own: Members) -> bool:
        """Whether it is all rows of its level."""
        return bool(own.times.sum() >= ALL * self._sizes[self._codes[own.places[0]]])

    def _changed(self, changes: Sequence[Change]) -> list[np.ndarray]:
        return [*self._rows.integrals(changes)]

    def _of_pattern(self, pattern: int) -> np.ndarray:
        """The logarithm of a pattern's integral, remembered for some."""
        if pattern not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            nothing = np.zeros(0)
            (self._known[pattern],) = self._changed([Change(pattern, nothing.astype(int), nothing)])
        return self._known[pattern]
