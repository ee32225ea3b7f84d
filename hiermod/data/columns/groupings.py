"""Grouping factors: one column, or several crossed, and the levels that occur."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
import pandas as pd

from hiermod.data.columns.levels import encode
from hiermod.data.columns.texts import Texts, alike_notices, sign_notices, sort_of
from hiermod.data.columns.values import Level, Leveled, Values, distinct_rows, whole_as_integers
from hiermod.errors import DataError, enumerate_names
from hiermod.formula.nodes import without_slash

SAMPLE = 1000  # values by which formatted numbers are told
MANY_GROUPS = 1000  # from which on their effects may be integrated out; with fewer the posterior is wide


@dataclass(frozen=True, eq=False)
class Grouping:
    """A grouping factor, possibly crossed (``country:city``): only combinations that occur are levels.

    `columns` gives each column's own levels, `combinations` (levels × columns) their codes. Where levels are groups
    that stand for all with their pattern of data, `standing_for` says for how many, in the order of levels, and
    `places` where those that stand for themselves are among all groups in their order; -1 for the others.
    """

    columns: dict[str, tuple[Level, ...]]
    combinations: np.ndarray
    standing_for: np.ndarray | None = None
    places: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The factor's name, such as ``country:city``."""
        return without_slash(":".join(self.columns))

    @property
    def size(self) -> int:
        """How many levels occur."""
        return len(self.combinations)

    @property
    def groups(self) -> int:
        """How many groups the data has: levels, and those that they stand for."""
        return self.size if self.standing_for is None else int(self.standing_for.sum())

    @property
    def times(self) -> np.ndarray:
        """How many groups each level stands for, mostly itself alone."""
        return np.ones(self.size) if self.standing_for is None else self.standing_for.astype(float)

    def with_groups(self, standing_for: Mapping[Level, int], places: Mapping[Level, int]) -> Grouping:
        """The same of levels that stand for so many groups, some of them for themselves."""
        numbers = [(standing_for[level], places.get(level, -1)) for level in self.labels()]
        times, own = np.array(numbers, dtype=np.int64).T
        return replace(self, standing_for=times, places=own)

    def labels(self) -> list[Level]:
        """The levels as they are typed; those of a crossed factor joined by ``:``."""
        if len(self.columns) == 1:
            (levels,) = self.columns.values()
            return [levels[code] for code in self.combinations[:, 0]]
        by_column = [
            np.array([str(level) for level in levels], dtype=object)[self.combinations[:, place]]
            for place, levels in enumerate(self.columns.values())
        ]
        return [":".join(parts) for parts in zip(*by_column, strict=True)]

    @cached_property
    def texts(self) -> LevelTexts:
        """The levels as text."""
        return LevelTexts(self)

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Each row's level, -1 where the fitted data did not have it."""
        keys = np.zeros(len(frame), dtype=np.int64)
        known = np.ones(len(frame), dtype=bool)
        levels_keys = np.zeros(self.size, dtype=np.int64)
        for place, (column, levels) in enumerate(self.columns.items()):
            codes = encode(frame[column], levels)
            known &= codes >= 0
            keys = keys * len(levels) + codes
            levels_keys = levels_keys * len(levels) + self.combinations[:, place]
        order = np.argsort(levels_keys, kind="stable")
        nearest = np.searchsorted(levels_keys[order], keys).clip(max=self.size - 1)
        return np.where(known & (levels_keys[order][nearest] == keys), order[nearest], -1)


class LevelTexts(Sequence[str]):
    """The levels of a grouping factor as text, which is made when somebody reads one."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping

    @cached_property
    def _made(self) -> tuple[str, ...]:
        return tuple(map(str, self._grouping.labels()))

    def __len__(self) -> int:
        return self._grouping.size

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self._made[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        return self is other or self._made == (other._made if isinstance(other, LevelTexts) else other)

    def __hash__(self) -> int:
        return hash(self._made)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._made, dtype=dtype)


def read_grouping(factors: tuple[str, ...], frame: pd.DataFrame) -> tuple[Grouping, dict[str, pd.Categorical]]:
    """Understand a grouping factor from columns without missing values; give it and its columns as levels."""
    columns = {name: Values(name, whole_as_integers(frame[name])) for name in factors}
    for values in columns.values():
        _refuse_float_groups(values)
    leveled = {name: values.leveled for name, values in columns.items()}
    combinations = _combinations(tuple(leveled.values()))
    grouping = Grouping({name: column.levels for name, column in leveled.items()}, combinations)
    if len(combinations) < 2:
        (label,) = grouping.labels()
        raise DataError(
            f"The grouping factor {':'.join(factors)!r} has one level only ({label!r}): "
            "there is nothing to vary over. At least two levels are needed."
        )
    _refuse_equal_labels(grouping)
    return grouping, {name: column.categorical for name, column in leveled.items()}


def _combinations(columns: tuple[Leveled, ...]) -> np.ndarray:
    """The codes of levels that occur together, in order, shape ``(combinations, columns)``."""
    if len(columns) == 1:
        return np.arange(len(columns[0].levels))[:, None]
    return distinct_rows(pd.DataFrame(np.column_stack([column.codes for column in columns])))


def _refuse_equal_labels(grouping: Grouping) -> None:
    labels = grouping.labels() if len(grouping.columns) > 1 else []
    if len(set(labels)) < len(labels):
        twice = next(label for place, label in enumerate(labels) if label in labels[:place])
        raise DataError(
            f"Two levels of the grouping factor {grouping.name!r} are both written {twice!r}, "
            "since ':' stands in the levels themselves. Replace it there."
        )


def _refuse_float_groups(values: Values) -> None:
    if values.kind == "float":
        name, numbers = values.name, values.series.to_numpy(dtype=float)
        raise DataError(
            f"The grouping column {name!r} holds floating-point numbers ({enumerate_names(pd.unique(numbers)[:3])}, …)"
            "; groups are whole numbers, text, booleans or dates. "
            f"Convert it: data[{name!r}] = data[{name!r}].map(str), or bin it with pandas.cut."
        )


def text_notices(name: str, values: pd.Series) -> list[str]:
    """What is to be told of a grouping column of text, whose labels may be numbers.

    Raises
    ------
    DataError
        Where markers of missing values stand among numbers: rows without a group would be one.
    """
    texts = Values(name, values).texts
    if texts is None:
        return []
    if not (_looks_formatted(texts) or texts.markers):
        return alike_notices(texts)
    if texts.markers and texts.meaning in ("gaps", "formatted"):
        texts.refuse_as_labels(f"The grouping column {name!r}", f"If they are groups, give them names: {texts.naming}.")
    if texts.meaning in ("formatted", "stained") and texts.of_sort("formatted"):
        shown = enumerate_names(texts.of_sort("formatted"), 3)
        return [f"{name}: text that reads as numbers ({shown}) is taken as {len(texts.distinct):,} groups"]
    return sign_notices(texts)


def _looks_formatted(texts: Texts) -> bool:
    """Whether the first values have a formatted number among them; many are not all read."""
    return any(sort_of(value) == "formatted" for value in texts.distinct[:SAMPLE])
