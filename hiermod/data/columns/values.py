"""What the values of a column are: their kind, missing and infinite ones, levels in order, codes for new values."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.data.columns.texts import Texts, row_name
from hiermod.data.sources.frames import ENUMS
from hiermod.errors import DataError

SAMPLE = 20_000
MAX_LEVELS = 50  # a number of so many values is one that questions can be asked by
FIRST = 1000
EXACT = 2.0**53  # whole numbers up to here are floating-point numbers too
DENSE = 2**20  # so many numbers are counted rather than sorted


def number_rows(frame: pd.DataFrame) -> np.ndarray:
    """Give equal rows of a frame one number, in the order of their values (not of their appearance)."""
    return _renumbered(*_key(frame))[0]


def number_and_first(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """`number_rows`, and the first row of each number."""
    key, size = _key(frame)
    if size > _dense(len(key)):
        number = _renumbered(key, size)[0]
        return number, first_of(number)
    first = np.full(size, -1, dtype=np.int64)
    first[key[::-1]] = np.arange(len(key) - 1, -1, -1)
    occurs = first >= 0
    return _without_gaps(key, occurs), first[occurs]


def codable(column: pd.Series) -> pd.Series:
    """A column whose values `number_rows` can put in order."""
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column
    return column.astype("category")


def first_of(number: np.ndarray) -> np.ndarray:
    """The first row of each number."""
    first = np.full(int(number.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number) - 1, -1, -1)
    return first


def distinct_rows(frame: pd.DataFrame) -> np.ndarray:
    """The distinct rows of numbers, in order, shape ``(distinct, columns)``."""
    return frame.to_numpy()[first_of(number_rows(frame))]


def count_distinct(frame: pd.DataFrame) -> int:
    """How many rows are distinct; all of them, where hardly any are equal."""
    if hardly_repeats(frame):
        return len(frame)
    key, size = _key(frame)
    return max(len(np.unique(key)) if size > _dense(len(key)) else int(_occurring(key, size).sum()), 1)


def hardly_repeats(frame: pd.DataFrame) -> bool:
    """Whether so few rows of a large frame are equal that grouping them does not pay, judged by a sample."""
    if len(frame) <= SAMPLE or not frame.columns.size:
        return False
    places = np.unique(np.random.default_rng(0).integers(0, len(frame), SAMPLE))
    return hardly_repeat(frame.iloc[places], len(frame))


def hardly_repeat(sample: pd.DataFrame, rows: int) -> bool:
    """Whether a sample of so many rows has fewer equal ones than if every distinct row came twice."""
    equal, half = int(sample.duplicated().sum()), rows / 2.0
    return equal < len(sample) - half * -np.expm1(-len(sample) / half)


def has_many(values: pd.Series) -> bool:
    """Whether a numeric column has more values than questions can be asked by."""
    numbers = values.to_numpy()
    if len(np.unique(numbers[:FIRST])) > MAX_LEVELS:
        return True
    whole = np.issubdtype(numbers.dtype, np.integer) and len(numbers)
    if whole and int(numbers.max()) - int(numbers.min()) < MAX_LEVELS:
        return False
    return len(pd.unique(numbers)) > MAX_LEVELS


def all_equal(values: np.ndarray) -> bool:
    """Whether one value is all there is."""
    return bool((values[:FIRST] == values[0]).all() and (values == values[0]).all())


def once(rows: int) -> np.ndarray:
    """That each of so many rows counts once, in the memory of one number."""
    return np.broadcast_to(1.0, rows)


def rows_of[T: (np.ndarray, pd.Series, pd.DataFrame)](values: T, marked: np.ndarray) -> T:
    """The marked rows; where these are all, the same without a copy."""
    return values if marked.all() else values[marked]


def is_once(times: np.ndarray) -> bool:
    """Whether each row counts once."""
    return bool(((times if any(times.strides) else times[:1]) == 1.0).all())


def owned(values: np.ndarray) -> np.ndarray:
    """A copy, which nobody else can change; what `once` made stays as it is."""
    return values.copy() if any(values.strides) else values


def _key(frame: pd.DataFrame) -> tuple[np.ndarray, int]:
    """A number of each row, equal where rows are, in the order of their values; and a bound of these numbers."""
    key, size = np.zeros(len(frame), dtype=np.int64), 1
    for name in frame.columns:
        codes, count = _codes(frame[name])
        if size > 1 and size * count > _dense(len(frame)):
            key, size = _renumbered(key, size)
        if size > 1:
            key *= count
        np.add(key, codes, out=key, casting="unsafe")
        size *= count
    return key, size


def _codes(column: pd.Series) -> tuple[np.ndarray, int]:
    """Codes from 0 on in the order of values, and a bound of how many there are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), max(len(column.cat.categories), 1)
    values = column.to_numpy()
    if np.issubdtype(values.dtype, np.integer) and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < _dense(len(values)):
            return (values.astype(np.int64) - low if low else values), high - low + 1
    codes, distinct = pd.factorize(values, sort=True)
    return codes, max(len(distinct), 1)


def _renumbered(key: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """The same order with numbers from 0 on and no gaps, and how many there are."""
    if size > _dense(len(key)):
        distinct, codes = np.unique(key, return_inverse=True)
        return codes.astype(np.int64), len(distinct)
    occurs = _occurring(key, size)
    return _without_gaps(key, occurs), int(occurs.sum())


def _without_gaps(key: np.ndarray, occurs: np.ndarray) -> np.ndarray:
    """Numbers of those that occur, in the same order."""
    return key if occurs.all() else (np.cumsum(occurs) - 1)[key]


def _occurring(key: np.ndarray, size: int) -> np.ndarray:
    """Which numbers below `size` occur."""
    occurs = np.zeros(size, dtype=bool)
    occurs[key] = True
    return occurs


def _dense(rows: int) -> int:
    return max(4 * rows, DENSE)


Level = bool | int | float | str | dt.date


def scores_of(levels: tuple[Level, ...]) -> tuple[float, ...]:
    """What each level counts in a mean score: its number if all are numbers, else 1, 2, ..."""
    if all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
        return tuple(float(level) for level in levels if isinstance(level, int | float))
    return tuple(float(place) for place in range(1, len(levels) + 1))


@dataclass(frozen=True, eq=False)
class Leveled:
    """The values of a factor: a code for each row, the levels in order, and how contrasts code them."""

    codes: np.ndarray
    levels: tuple[Level, ...]
    coding: str = "treatment"

    @property
    def categorical(self) -> pd.Categorical:
        """A column of these levels."""
        return level_series(self.codes, self.levels, trusted=True)


@dataclass(frozen=True, eq=False)
class Values:
    """The values of one column; what they are is found once, when it is first asked for."""

    name: str
    series: pd.Series

    @cached_property
    def kind(self) -> str:
        """``bool``, ``int``, ``float``, ``text``, ``date`` or ``mixed``."""
        return kind_of(self.series)

    @property
    def encoded(self) -> bool:
        """Whether they are categories, and no plain values."""
        return isinstance(self.series.dtype, pd.CategoricalDtype)

    @property
    def ordered(self) -> bool:
        """Whether they say that their levels are ordered."""
        dtype = self.series.dtype
        return isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered)

    @property
    def enumerated(self) -> bool:
        """Whether they are of an Enum, whose levels stand in the order in which they were declared."""
        return self.encoded and self.name in self.series.attrs.get(ENUMS, ())

    @cached_property
    def texts(self) -> Texts | None:
        """What text means, alone or among numbers; None where there is none."""
        if self.kind == "text" or (self.kind == "mixed" and among_numbers(self.series)):
            return Texts.of(self.name, self.series)
        return None

    def refuse_unread(self) -> None:
        """Refuse values of a type that is not read: durations, complex numbers, lists and other objects."""
        if self.kind == "mixed" and not among_numbers(self.series):
            _refuse_mixed(self.name, self.series)

    @property
    def missing(self) -> np.ndarray:
        """Which are NaN or null."""
        return missing_values(self.series)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Finite numbers; infinity is refused."""
        numbers = self.series.to_numpy(dtype=float)
        if self.kind not in ("int", "bool"):
            check_finite(self.name, numbers, self.series.index)
        return numbers

    @cached_property
    def leveled(self) -> Leveled:
        """The levels that occur: in category order where there is one, else sorted; mixed types are refused."""
        return Leveled(*code_levels(self.name, self.series), "poly" if self.ordered else "treatment")

    @property
    def declared(self) -> tuple[Level, ...]:
        """All levels in their order, those that do not occur among them, where the order was declared; else none."""
        return as_levels(self.series.cat.categories) if self.ordered or self.enumerated else ()

    @property
    def unused(self) -> list[Level]:
        """The categories that do not occur."""
        categories = as_levels(self.series.cat.categories) if self.encoded else ()
        return [level for level in categories if level not in self.leveled.levels]


def kind_of(values: pd.Series) -> str:
    """Tell what a column holds: ``bool``, ``int``, ``float``, ``text``, ``date`` or ``mixed``."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return kind_of(pd.Series(dtype.categories))
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_integer_dtype(dtype):
        return "int"
    if pd.api.types.is_float_dtype(dtype):
        return "float"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    names = {"string": "text", "boolean": "bool", "integer": "int", "floating": "float", "decimal": "float",
             "date": "date", "datetime": "date", "mixed-integer-float": "float", "interval": "text",
             "empty": "text"}  # fmt: skip
    return names.get(inferred, "mixed")


def missing_rows(frame: pd.DataFrame) -> np.ndarray:
    """Mark the rows with NaN or null in any column."""
    return np.column_stack([missing_values(frame[name]) for name in frame.columns]).any(axis=1)


def missing_values(values: pd.Series) -> np.ndarray:
    """Mark NaN and null; a column of Arrow's may hold both, and pandas counts null alone."""
    missing = values.isna().to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(values.dtype) and pd.api.types.is_extension_array_dtype(values.dtype):
        return missing | np.isnan(values.to_numpy(dtype=float, na_value=np.nan))
    return missing


def check_finite(name: str, values: np.ndarray, rows: pd.Index | None = None) -> None:
    """Refuse infinity, naming the first row that holds it by its place in the data."""
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise DataError(
            f"The column {name!r} holds infinity ({len(infinite)} rows, the first is "
            f"{row_name(pd.RangeIndex(len(values)) if rows is None else rows, infinite[0])}). "
            "Replace it by a number, or by a missing value to drop those rows."
        )


def code_levels(name: str, values: pd.Series) -> tuple[np.ndarray, tuple[Level, ...]]:
    """Return each value's code and the levels that occur: in category order where there is one, else sorted."""
    kind = kind_of(values)
    if kind == "mixed":
        _refuse_mixed(name, values)
    if kind == "date":
        _refuse_instants(name, values)
    values = whole_as_integers(values)
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = values.cat.remove_unused_categories()
        return used.cat.codes.to_numpy().astype(np.int64), as_levels(used.cat.categories)
    if pd.api.types.is_integer_dtype(values.dtype) and len(values) and not values.hasnans:
        return _code_integers(values.to_numpy())
    codes, levels = pd.factorize(values, sort=True)
    return codes.astype(np.int64, copy=False), as_levels(pd.Index(levels))


def _code_integers(values: np.ndarray) -> tuple[np.ndarray, tuple[Level, ...]]:
    """The same of whole numbers, which are counted rather than sorted where they are dense."""
    low, high = int(values.min()), int(values.max())
    if high - low >= _dense(len(values)) or high >= 2**63:
        codes, levels = pd.factorize(values, sort=True)
        return codes.astype(np.int64, copy=False), tuple(levels.tolist())
    key = values.astype(np.int64, copy=False)
    key = key - low if low else key
    occurs = _occurring(key, high - low + 1)
    return _without_gaps(key, occurs), tuple((np.flatnonzero(occurs) + low).tolist())


def whole_as_integers(values: pd.Series) -> pd.Series:
    """Floating-point numbers that are whole, as they come beside missing values, as integers; others as they are."""
    if kind_of(values) != "float":
        return values
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        whole = whole_as_integers(pd.Series(values.cat.categories))
        return values.cat.rename_categories(pd.Index(whole)) if kind_of(whole) == "int" else values
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    present = numbers[~np.isnan(numbers)]
    if not len(present) or not ((present == np.round(present)) & (np.abs(present) <= EXACT)).all():
        return values
    whole = pd.Series(np.where(np.isnan(numbers), 0.0, numbers).astype(np.int64), values.index, name=values.name)
    return whole if len(present) == len(numbers) else whole.astype("Int64").mask(np.isnan(numbers))


def _refuse_instants(name: str, values: pd.Series) -> None:
    """Local time zones would not survive storage, nor would differences below a microsecond."""
    distinct = values.dtype.categories if isinstance(values.dtype, pd.CategoricalDtype) else pd.Index(pd.unique(values))
    if not isinstance(distinct, pd.DatetimeIndex):
        return
    if str(distinct.tz) not in ("None", "UTC") or len(distinct.floor("us").unique()) < len(distinct):
        raise DataError(
            f"The column {name!r} holds instants in a local time zone, or closer than a microsecond, as levels. "
            f"Make them text: data[{name!r}] = data[{name!r}].astype(str)."
        )


def as_levels(index: pd.Index) -> tuple[Level, ...]:
    """Turn an index into plain Python values: bool, int, float, text or date."""
    if isinstance(index.dtype, pd.StringDtype) or (index.dtype.kind in "biuf" and not index.hasnans):
        return tuple(index.tolist())
    values = tuple(_plain(value) for value in index)
    dates = tuple(value.date() for value in values if isinstance(value, dt.datetime) and _is_midnight(value))
    return dates if dates and len(dates) == len(values) else values


def _plain(value: Any) -> Level:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return str(value) if isinstance(value, pd.Interval) else value


def _is_midnight(value: dt.datetime) -> bool:
    return value.time() == dt.time.min and value.tzinfo is None


def level_series(codes: np.ndarray, levels: tuple[Level, ...], trusted: bool = False) -> pd.Categorical:
    """A categorical column of coded levels that keeps their types; codes that are not `trusted` are looked at."""
    return pd.Categorical.from_codes(codes, categories=_index_of(levels), validate=not trusted)


def _index_of(levels: tuple[Level, ...]) -> pd.Index:
    """Levels as an index that keeps their types."""
    kinds = set(map(type, levels))
    if kinds == {int}:
        with suppress(OverflowError):  # of numbers beyond 64 bits
            return pd.Index(np.array(levels, dtype=np.int64))
    return pd.Index(levels, dtype=object if bool in kinds else None)


def level_text(level: Any) -> str:
    """A level on one line."""
    text = format(level, ".10g") if isinstance(level, float) else str(level)
    return " ".join(text.split()) or "''"


def _refuse_mixed(name: str, values: pd.Series) -> NoReturn:
    """Name what does not fit: the texts among numbers, or the type that is not read."""
    column = f"data[{name!r}]"
    to_text = f"{column} = {column}.map(str, na_action='ignore')"
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        seconds = f"{column}.dt.total_seconds()"
        raise DataError(f"The column {name!r} holds durations. As numbers: {seconds}; as levels: {to_text}.")
    if values.dtype.kind == "c":
        real = f"{column} = numpy.real({column})"
        raise DataError(f"The column {name!r} holds complex numbers. Their real part: {real}; as levels: {to_text}.")
    if among_numbers(values):
        texts = Texts.of(name, values)
        raise DataError(
            f"The column {name!r} mixes types: numbers and text. {texts.findings} {texts.remedy} As levels: {to_text}."
        )
    raise DataError(
        f"The column {name!r} mixes types, or holds one that is not read (numbers, text, booleans, dates are). "
        f"Make it text: {to_text}."
    )


def among_numbers(values: pd.Series) -> bool:
    """Whether a column holds text among numbers, and nothing else."""
    if values.dtype != object:
        return False
    present = list(values.dropna())
    text = np.array([isinstance(value, str) for value in present], dtype=bool)
    number = np.array([isinstance(value, Real) and not isinstance(value, bool) for value in present], dtype=bool)
    return bool(text.any() and number.any() and (text | number).all())
