"""Groups that data tell nothing apart: their trials at equal rows of the design, and their responses' sums with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.engine.layout.problem import Problem

LONGEST = 64  # different rows of a group
DIGITS = 12
LEAST_SHARED = 2.0  # groups of a pattern on average, below which patterns are not worth their name


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns of groups under a canonical link.

    A pattern's entries, different rows of the design with their sizes, stand side by side.

    Parameters
    ----------
    of_group : ndarray of int, shape (groups,)
        Which pattern each group has.
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

    @property
    def pattern_of_entry(self) -> np.ndarray:
        """Which pattern each entry belongs to."""
        lengths = np.diff(np.append(self.starts, len(self.size)))
        return np.repeat(np.arange(len(self.starts)), lengths)

    def only(self, pattern: int) -> Patterns:
        """One of them."""
        ends = np.append(self.starts, len(self.size))
        own = slice(ends[pattern], ends[pattern + 1])
        one, first = slice(pattern, pattern + 1), np.zeros(1, dtype=int)
        return Patterns(
            self.of_group, self.counts[one], self.totals[one], first,
            self.design[own], self.offset[own], self.size[own], self.multipliers[own],
        )  # fmt: skip


def find_patterns(problem: Problem) -> Patterns | None:
    """The patterns of the groups of a problem's only factor; None where few groups share one.

    Keys are compared whole, step by step, so that no two patterns are ever taken for one.
    """
    factor = problem.factors[0]
    groups, codes = factor.groups, factor.codes
    content = joint_ids([*map(_rounded, problem.design), *factor.multipliers, problem.offset, problem.size])
    order = np.lexsort((content, codes))
    content, codes = content[order], codes[order]
    lengths = np.bincount(codes, minlength=groups)
    if lengths.max(initial=0) > LONGEST:
        return None
    begins = np.cumsum(lengths) - lengths
    key, used = np.zeros(groups, dtype=np.int64), 1
    for place in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > place)
        ids = joint_ids([key[longer], content[begins[longer] + place]])
        key[longer] = ids + used
        used += int(ids.max()) + 1
        if used * LEAST_SHARED > groups + LONGEST:
            return None
    totals = np.stack(
        [np.bincount(factor.codes, problem.response * own, minlength=groups) for own in factor.multipliers], axis=1
    )
    of_group = joint_ids([key, *map(_rounded, totals.T)])
    counts = np.bincount(of_group)
    if len(counts) * LEAST_SHARED > groups:
        return None
    first = np.full(len(counts), groups)
    np.minimum.at(first, of_group, np.arange(groups))
    entries = np.concatenate([order[begins[group] : begins[group] + lengths[group]] for group in first])
    starts = np.cumsum(lengths[first]) - lengths[first]
    return Patterns(
        of_group, counts.astype(float), totals[first], starts, problem.design[:, entries].T, problem.offset[entries],
        problem.size[entries], factor.multipliers[:, entries].T,
    )  # fmt: skip


def _rounded(column: np.ndarray) -> np.ndarray:
    """Without the last digits, which rounding in centring and sums leaves different where numbers are the same."""
    largest = float(np.abs(column).max(initial=0.0))
    return np.asarray(np.round(column / largest, DIGITS) + 0.0) if largest > 0.0 else column


def joint_ids(columns: list[np.ndarray]) -> np.ndarray:
    """Numbers from 0 on, equal where all of the columns are."""
    ids = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        own = pd.factorize(column)[0].astype(np.int64)
        ids = pd.factorize(ids * (int(own.max(initial=0)) + 1) + own)[0].astype(np.int64)
    return ids
