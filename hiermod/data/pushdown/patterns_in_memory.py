"""Patterns of the groups of a frame in memory: rows are counted by group and kind, and groups that are alike are one.

What patterns are is told in `hiermod.data.pushdown.patterns`. Here rows are counted in one table of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns.groupings import MANY_GROUPS, text_notices
from hiermod.data.columns.values import (
    as_levels,
    first_of,
    kind_of,
    missing_values,
    number_and_first,
    number_rows,
    rows_of,
    whole_as_integers,
)
from hiermod.data.pushdown.patterns import MOST_KINDS, MOST_UNUSED, Found, Kinds, assembled, sharing_factor, used_kinds
from hiermod.errors import DataError
from hiermod.formula.nodes import Formula

FEWEST = 100_000  # rows, up to which patterns are not looked for
LEAST_SHARING = 4  # groups a pattern, on average, from which on it pays
SAMPLE = 10_000  # rows, and groups, by which it is told beforehand whether it does
MOST_COUNTS = 8  # times as many as rows are the numbers of the table


@dataclass(frozen=True, eq=False)
class GroupCodes:
    """The group of each row by its place among `levels`, -1 where it has none; whether levels stand in their order."""

    codes: np.ndarray
    levels: pd.Index
    in_order: bool

    def first(self, number: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The first level, by the places of those that are `present`, of each number that these have."""
        if self.in_order:
            return present[first_of(number)]
        names = self.levels.take(present).tolist()
        found: dict[int, int] = {}
        for place, (own, name) in enumerate(zip(number.tolist(), names, strict=True)):
            if own not in found or name < names[found[own]]:
                found[own] = place
        return present[[found[own] for own in range(len(found))]]

    def before(self, place: int, present: np.ndarray) -> int:
        """How many of the levels that are `present` stand before one."""
        earlier = present < place if self.in_order else self.levels.take(present) < self.levels[place]
        return int(np.sum(earlier))


def find_patterns_in_memory(formula: Formula, frame: pd.DataFrame, named: Sequence[Any] = ()) -> Found | None:
    """Find the patterns of the groups of a frame; None where groups are few, or hardly share any.

    Parameters
    ----------
    frame : DataFrame
        The columns that the formula reads.
    named : sequence
        Groups that stand for themselves; None is found where one of them has no rows.
    """
    group = sharing_factor(formula)
    if group is None or len(frame) <= FEWEST:
        return None
    others = [name for name in frame.columns if name != group]
    with suppress(TypeError):  # values that are not read at all, of which others tell
        if len(frame[others].iloc[:SAMPLE].drop_duplicates()) > MOST_UNUSED * MOST_KINDS:
            return None
        groups = _group_codes(group, frame[group])
        return None if groups is None else _found(formula, frame, group, groups, named)
    return None


def _group_codes(name: str, column: pd.Series) -> GroupCodes | None:
    """The groups, where their names are whole numbers or text of which there is nothing to tell, and are many."""
    kind = kind_of(column)
    if kind not in ("int", "float", "text"):
        return None
    values = whole_as_integers(column)
    if kind_of(values) == "float":
        return None
    missing = missing_values(values)
    levels: pd.Index
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, in_order = values.cat.codes.to_numpy(), True
        levels = pd.CategoricalIndex(values.cat.categories, dtype=values.dtype)
    elif kind == "text":
        codes, levels = pd.factorize(values)
        levels, in_order = pd.Index(levels), False
    else:
        codes, levels = _codes_of_integers(values, missing)
        in_order = True
    if len(levels) < MANY_GROUPS:
        return None
    if kind == "text":
        try:
            if text_notices(name, pd.Series(levels)):
                return None
        except DataError:
            return None
    return GroupCodes(np.where(missing, -1, codes) if missing.any() else codes, levels, in_order)


def _codes_of_integers(values: pd.Series, missing: np.ndarray) -> tuple[np.ndarray, pd.Index]:
    """Codes and levels of whole numbers; where these are dense, they are their codes."""
    present = values[~missing] if missing.any() else values
    low, high = (int(present.min()), int(present.max())) if len(present) else (0, 0)
    if high - low >= len(values) or high >= 2**63:
        codes, levels = pd.factorize(values, sort=True)
        return codes, pd.Index(levels)
    plain = values.to_numpy(dtype=np.int64, na_value=low) if missing.any() else values.to_numpy()
    return plain.astype(np.int64, copy=False) - low if low else plain, pd.RangeIndex(low, high + 1)


def _found(formula: Formula, frame: pd.DataFrame, group: str, groups: GroupCodes, named: Sequence[Any]) -> Found | None:
    """The patterns, their rows counted over all groups of each, then the groups that are `named`."""
    kind, kinds = _kinds(formula, frame.drop(columns=group), groups.codes < 0)
    if kinds is None or len(groups.levels) * len(kinds.used) > MOST_COUNTS * len(frame):
        return None
    table = _counted(groups, kind, kinds)
    single = groups.levels.get_indexer(pd.Index(list(named), dtype=groups.levels.dtype if named else None))
    has_rows = table.any(axis=0)
    if (single < 0).any() or not has_rows[single].all():
        return None
    before = [groups.before(place, np.flatnonzero(has_rows)) for place in single.tolist()]
    has_rows[single] = False
    present = np.flatnonzero(has_rows)
    shared = rows_of(table.T, has_rows).T
    number = _numbers_of(shared, kinds.content)
    if number is None or not 1 < number.max(initial=0) + 1 <= len(present) // LEAST_SHARING:
        return None
    first, times = groups.first(number, present), np.bincount(number)
    rows = np.stack([np.bincount(number, own) for own in shared], axis=1).astype(np.int64)
    order = np.argsort(first if groups.in_order else groups.levels.take(first))
    levels = groups.levels.take(np.concatenate([first[order], single]))
    names = pd.Series(levels).astype("Int64") if levels.dtype.kind == "i" else pd.Series(levels)
    counted, count = assembled(names, np.concatenate([rows[order], table[:, single].T]), kinds, group)
    standing_for = dict(zip(as_levels(levels), [*times[order].tolist(), *(1 for _ in single)], strict=True))
    return Found(counted, count, standing_for, dict(zip(named, before, strict=True)))


def _kinds(formula: Formula, frame: pd.DataFrame, absent: np.ndarray) -> tuple[np.ndarray, Kinds | None]:
    """The kind of each row, and what the kinds are: the rows but for their group, those without one apart."""
    coded = [_coded(frame[name]) for name in frame.columns] + ([absent.astype(np.int8)] if absent.any() else [])
    kind, first = number_and_first(pd.DataFrame(dict(enumerate(coded)), copy=False))
    if len(first) > MOST_UNUSED * MOST_KINDS:
        return kind, None
    count = np.bincount(kind, minlength=len(first))
    return kind, used_kinds(formula, frame.iloc[first].reset_index(drop=True), count, absent[first])


def _coded(values: pd.Series) -> np.ndarray:
    """Whole numbers that are equal where values are, missing ones apart."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy()
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub":
        return values.to_numpy().view(np.int8) if values.dtype.kind == "b" else values.to_numpy()
    codes, _ = pd.factorize(values)
    return np.where(missing_values(values), -1, codes)


def _counted(groups: GroupCodes, kind: np.ndarray, kinds: Kinds) -> np.ndarray:
    """How many rows of each kind that is used each group has, shape ``(used, groups)``."""
    start, size = np.full(len(kinds.count), -1), len(groups.levels)
    start[kinds.used] = size * np.arange(len(kinds.used))
    key, codes = start[kind], groups.codes
    if len(kinds.used) < len(kinds.count):
        key, codes = key[key >= 0], codes[key >= 0]
    key += codes
    return np.bincount(key, minlength=size * len(kinds.used)).reshape(-1, size)


def _numbers_of(table: np.ndarray, content: np.ndarray) -> np.ndarray | None:
    """A number of each group, equal where the numbers of its pattern are; None where some of them hardly share any."""

    def patterns(rows: np.ndarray) -> pd.DataFrame:
        weighted = (
            [(each, own) for each, own in zip(factors, rows, strict=True) if each] for factors in content.tolist()
        )
        sums = (sum(factor * own for factor, own in pairs) for pairs in weighted)
        return pd.DataFrame(dict(enumerate(sums)), index=range(rows.shape[1]))

    some = patterns(table[:, :: max(1, table.shape[1] // SAMPLE)])
    return None if len(some.drop_duplicates()) > len(some) // 2 else number_rows(patterns(table))
