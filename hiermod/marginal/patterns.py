"""Groups that data tell nothing apart: their trials at equal rows of the design, and their responses' sums with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.values import first_of
from hiermod.engine.layout.problem import Factor, Problem

LONGEST = 64  # different rows of a group
ROUNDING = 1e-12  # of the largest size


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns of groups under a canonical link.

    A pattern's entries, different rows of the design with their sizes, stand side by side.

    Parameters
    ----------
    of_group : ndarray of int, shape (groups,)
        Which pattern each group of the problem has; one of these may stand for several.
    counts : ndarray, shape (patterns,)
        How many groups have it.
    totals : ndarray, shape (patterns, width)
        Sums of responses times what effects are multiplied by.
    starts : ndarray of int, shape (patterns,)
        Where each pattern's entries begin.
    design : ndarray, shape (entries, columns)
    offset, size : ndarray, shape (entries,)
    multipliers : ndarray, shape (entries, width)
    """

    of_group: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    starts: np.ndarray
    design: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    multipliers: np.ndarray

    def sample(self, groups: int) -> Patterns:
        """Those of so many groups at most, evenly spaced among all in the order of their patterns."""
        total = int(self.counts.sum())
        if total <= groups:
            return self
        places = np.searchsorted(np.cumsum(self.counts), np.arange(groups) * total // groups, side="right")
        present, counts = np.unique(places, return_counts=True)
        return replace(self.some(present), counts=counts.astype(float))

    def some(self, patterns: np.ndarray) -> Patterns:
        """Some of them."""
        ends = np.append(self.starts, len(self.size))
        lengths = np.diff(ends)[patterns]
        starts = np.cumsum(lengths) - lengths
        entries = np.repeat(self.starts[patterns] - starts, lengths) + np.arange(int(lengths.sum()))
        return Patterns(
            self.of_group, self.counts[patterns], self.totals[patterns], starts, self.design[entries],
            self.offset[entries], self.size[entries], self.multipliers[entries],
        )  # fmt: skip

    def with_none(self) -> Patterns:
        """The same and, last, the pattern of groups without rows, which none has."""
        return replace(
            self, counts=np.append(self.counts, 0.0), starts=np.append(self.starts, len(self.size)),
            totals=np.append(self.totals, np.zeros((1, self.totals.shape[1])), axis=0),
        )  # fmt: skip

    def summed(self, numbers: np.ndarray) -> np.ndarray:
        """Sums of entries' numbers by pattern; 0 of a group without rows, as one that is left out."""
        found = np.zeros((len(self.starts), *numbers.shape[1:]))
        some = np.diff(np.append(self.starts, len(self.size))) > 0
        if some.any():
            found[some] = np.add.reduceat(numbers, self.starts[some])
        return found

    @property
    def pattern_of_entry(self) -> np.ndarray:
        """Which pattern each entry belongs to."""
        lengths = np.diff(np.append(self.starts, len(self.size)))
        return np.repeat(np.arange(len(self.starts)), lengths)


@dataclass(frozen=True, eq=False)
class Entries:
    """Patterns whose design is not made yet, of one column fewer than any: none.

    Parameters
    ----------
    patterns : Patterns
    rows : ndarray of int, shape (entries,)
        A row of the problem that each entry is equal to.
    content : ndarray of int
        Of every row of the problem, a number that is equal where all but the group and the response is.
    """

    patterns: Patterns
    rows: np.ndarray
    content: np.ndarray


def find_patterns(problem: Problem) -> Patterns:
    """The patterns of the groups of a problem's last factor; its design has the effects of other factors, too."""
    found = find_entries(problem)
    return replace(found.patterns, design=wide_design(problem, found.rows))


def wide_design(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """The design of all coefficients before the last factor's, shape ``(rows, columns)``."""
    parts, every = [problem.design[:, rows].T], np.arange(len(rows))
    for factor in problem.factors[:-1]:
        for numbers in factor.multipliers:
            part = np.zeros((len(rows), factor.groups))
            part[every, factor.codes[rows]] = numbers[rows]
            parts.append(part)
    return np.hstack(parts)


def find_entries(problem: Problem) -> Entries:
    """The patterns of the groups of a problem's last factor; one for each group where hardly any share one.

    Keys are compared whole, step by step, so that no two patterns are ever taken for one. Levels of other factors are
    part of them. Where a group stands for several, its rows are counted over all of these, which share them equally.
    """
    factor = problem.factors[-1]
    times = grouping_of(factor).times
    groups, order, size = factor.groups, np.argsort(factor.codes, kind="stable"), problem.size / times[factor.codes]
    totals = (
        np.stack(
            [np.bincount(factor.codes, problem.response * own, minlength=groups) for own in factor.multipliers], axis=1
        )
        / times[:, None]
    )
    of_group = np.arange(groups)
    others = [column for own in problem.factors[:-1] for column in (own.codes, *own.multipliers)]
    whole = joint_ids([*map(rounded, problem.design), *others, *factor.multipliers, problem.offset])
    row, content = whole, joint_ids([whole, size])
    shared = 2 * int(content.max(initial=0)) < len(content)
    if shared:
        order = np.argsort(factor.codes.astype(np.int64) * (int(row.max()) + 1) + row, kind="stable")
        first = np.flatnonzero((np.diff(row[order], prepend=-1) != 0) | (np.diff(factor.codes[order], prepend=-1) != 0))
        order, size = order[first], np.add.reduceat(size[order], first)
        content = joint_ids([row[order], size])
    else:
        size = size[order]
    lengths = np.bincount(factor.codes[order], minlength=groups)
    if shared:
        key = keys_of_groups(content, lengths)
        of_group = of_group if key is None else joint_ids([key, *map(rounded, totals.T)])
    first = first_of(of_group)
    begins = np.cumsum(lengths) - lengths
    starts = np.cumsum(lengths[first]) - lengths[first]
    own = np.repeat(begins[first] - starts, lengths[first]) + np.arange(int(lengths[first].sum()))
    entries = order[own]
    patterns = Patterns(
        of_group, np.bincount(of_group, times), totals[first], starts, np.zeros((len(entries), 0)),
        problem.offset[entries], size[own], factor.multipliers[:, entries].T,
    )  # fmt: skip
    return Entries(patterns, entries, whole)


def grouping_of(factor: Factor) -> Grouping:
    """The grouping factor of group terms."""
    return factor.of_groups[0].grouping


def keys_of_groups(content: np.ndarray, lengths: np.ndarray) -> np.ndarray | None:
    """A number for each group, equal where all of its rows are; None where hardly any share one."""
    groups, longest = len(lengths), int(lengths.max(initial=0))
    begins = np.cumsum(lengths) - lengths
    key, used = np.zeros(groups, dtype=np.int64), 1
    if longest > LONGEST:
        return None
    for place in range(longest):
        longer = np.flatnonzero(lengths > place)
        ids = joint_ids([key[longer], content[begins[longer] + place]])
        key[longer] = ids + used
        used += int(ids.max()) + 1
        if used > groups + LONGEST:
            return None
    return key


def rounded(column: np.ndarray) -> np.ndarray:
    """Numbers that are equal where values differ by rounding alone, as in centring and sums, and not elsewhere."""
    place, values = pd.factorize(column)
    order = np.argsort(values)
    apart = np.diff(values[order]) > ROUNDING * np.abs(values).max(initial=0.0)
    ids = np.empty(len(values), dtype=np.int64)
    ids[order] = np.concatenate([[0], np.cumsum(apart)])[: len(values)]
    return np.asarray(ids[place])


def joint_ids(columns: list[np.ndarray]) -> np.ndarray:
    """Numbers from 0 on, equal where all of the columns are."""
    ids = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        own = pd.factorize(column)[0].astype(np.int64)
        ids = pd.factorize(ids * (int(own.max(initial=0)) + 1) + own)[0].astype(np.int64)
    return ids
