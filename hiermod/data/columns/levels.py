"""When two values are the same level, whatever they are stored as; the one place that decides.

Numbers are one level whatever their type (1, 1.0, True), and so are a date and its midnight. Text is the level that it
spells (``"1"``, ``"1.0"``, ``"True"``, ``"2024-01-01"``) where levels are no text, and the other way round. Texts are
one level if they are equal. What could be a level but is not surely one (``"01"`` and 1, ``"1"`` and ``"1.0"``, 1 where
both of these are levels) is refused, and both readings shown: a known group must not be taken for a new one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns.texts import PLAIN
from hiermod.data.columns.values import Level, as_levels
from hiermod.errors import DataError

BOOLEANS = {"true": True, "false": False}
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.+Z-]+)?")


def encode(values: Any, levels: tuple[Level, ...]) -> np.ndarray:
    """Return the code of each value among `levels`, -1 where it is none of them.

    Raises
    ------
    DataError
        Where a value may be a level, or may be another.
    """
    series = pd.Series(values)
    codes, distinct = _distinct(series)
    if distinct == levels:
        return codes.astype(np.int64)
    by_value = _Known(levels).codes(distinct, str(series.name or ""))
    return np.where(codes < 0, -1, by_value[codes] if len(by_value) else -1)


def match_level(value: Any, levels: tuple[Level, ...], name: str = "") -> Level | None:
    """The level that a value is, None where it is none; one that may be a level or another is refused."""
    if isinstance(value, list | tuple | dict | set | np.ndarray):
        return None
    (code,) = _Known(levels).codes(as_levels(pd.Index([value], dtype=object)), name)
    return levels[code] if code >= 0 else None


def number_of(value: Any) -> int | float | None:
    """The finite number that a value is or is the usual spelling of; None where it is none."""
    (plain,) = as_levels(pd.Index([value], dtype=object)) if np.ndim(value) == 0 else ("",)
    number = _spelled(plain) if isinstance(plain, str) else plain
    if not isinstance(number, int | float) or not np.isfinite(number):
        return None
    return int(number) if isinstance(number, bool) else number


def as_fitted(values: pd.Series, levels: tuple[Level, ...]) -> pd.Series:
    """Values as the levels that they are; others as the type of the levels, where it can say them."""
    codes, distinct = _distinct(values)
    by_value = _Known(levels).codes(distinct, str(values.name or ""))
    kinds = {_kind(level) for level in levels}
    known = [
        levels[code] if code >= 0 else _cast(value, *kinds) if len(kinds) == 1 else value
        for value, code in zip(distinct, by_value, strict=True)
    ]
    cast = pd.Series([known[code] if code >= 0 else None for code in codes], index=values.index, name=values.name)
    return cast if len(cast) else values


def _distinct(series: pd.Series) -> tuple[np.ndarray, tuple[Level, ...]]:
    """Codes of values, -1 of missing ones, and the distinct values."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy(), as_levels(series.cat.categories)
    codes, distinct = pd.factorize(series)
    return codes, as_levels(pd.Index(distinct))


class _Known:
    """Levels by all that they may be written as."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self._levels = levels
        self._exact: dict[Hashable, int] = {_comparable(level): code for code, level in enumerate(levels)}

    def codes(self, values: tuple[Level, ...], name: str) -> np.ndarray:
        codes = np.array([self._exact.get(_comparable(value), -1) for value in values], dtype=np.int64)
        for place in np.flatnonzero(codes < 0):
            codes[place] = self._other_code(values[place], name)
        return codes

    def _other_code(self, value: Level, name: str) -> int:
        """The code of a level that is stored otherwise than the value."""
        text = isinstance(value, str)
        spelled = self._spelled.get(_spelled(value) if isinstance(value, str) else _comparable(value), [])
        sure = [code for code in spelled if isinstance(self._levels[code], str) != text]
        if len(sure) == 1:
            return sure[0]
        doubtful = sure or spelled or self._loose.get(_number(value), [])
        if doubtful:
            raise DataError(_doubt(value, [self._levels[code] for code in doubtful], name))
        return -1

    @cached_property
    def _spelled(self) -> dict[Hashable, list[int]]:
        return self._listed(
            [_spelled(level) if isinstance(level, str) else _comparable(level) for level in self._levels]
        )

    @cached_property
    def _loose(self) -> dict[Hashable, list[int]]:
        return self._listed([_number(level) for level in self._levels])

    @staticmethod
    def _listed(keys: list[Hashable]) -> dict[Hashable, list[int]]:
        by_key: dict[Hashable, list[int]] = {}
        for code, key in enumerate(keys):
            if key is not None:
                by_key.setdefault(key, []).append(code)
        return by_key


def _comparable(level: Level) -> Hashable:
    """What is equal of equal levels of one kind: True equals 1, and a date its midnight."""
    if isinstance(level, dt.date) and not isinstance(level, dt.datetime):
        return dt.datetime.combine(level, dt.time.min)
    return level


def _spelled(text: str) -> Hashable:
    """The number, truth value or date that a text is the usual spelling of; None where it is none."""
    if WHOLE.fullmatch(text):
        return int(text.removesuffix(".0"))
    if PLAIN.fullmatch(text):
        number = float(text)
        return number if repr(number) == text else None
    if text.casefold() in BOOLEANS:
        return BOOLEANS[text.casefold()]
    if DAY.fullmatch(text):
        try:
            return dt.datetime.fromisoformat(text)
        except ValueError:
            return None
    return None


def _number(level: Level) -> Hashable:
    """The number that a level is or is written as, however unusually; None where it is none."""
    if isinstance(level, str):
        return float(level) if PLAIN.fullmatch(level.strip()) else None
    return level if isinstance(level, int | float) else None


def _kind(level: Level) -> type:
    kinds = (bool, int, float, str, dt.datetime, dt.date)
    return next(kind for kind in kinds if isinstance(level, kind))


def _cast(value: Level, kind: type) -> Level:
    """A value that is no level as the type of levels; as it is, where that cannot say it."""
    if kind is str:
        whole = isinstance(value, float) and value == int(value) if not isinstance(value, str) else False
        return str(int(value)) if whole else str(value)  # type: ignore[arg-type]
    spelled = _spelled(value) if isinstance(value, str) else value
    if kind is int and isinstance(spelled, int | float) and spelled == int(spelled):
        return int(spelled)
    if kind is dt.date and isinstance(spelled, dt.datetime) and spelled.time() == dt.time.min:
        return spelled.date()
    if kind is dt.datetime and isinstance(spelled, dt.date):
        return spelled if isinstance(spelled, dt.datetime) else dt.datetime.combine(spelled, dt.time.min)
    return value


def _doubt(value: Level, levels: list[Level], name: str) -> str:
    where = f"The column {name!r} holds {value!r}, which" if name else f"{value!r}"
    readings = " or ".join(f"the level {level!r}" for level in levels)
    one = f"{readings}, or another that is not known" if len(levels) == 1 else readings
    return f"{where} may be {one}. Write it as the fitted data have it: {' or '.join(map(repr, levels))}."
