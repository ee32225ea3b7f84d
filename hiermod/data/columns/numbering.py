"""Numbers for equal rows of a frame, and whether values repeat at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

SAMPLE = 20_000
MAX_LEVELS = 50  # a number of so many values is one that questions can be asked by
FIRST = 1000
DENSE = 2**20  # so many numbers are counted rather than sorted


def number_rows(frame: pd.DataFrame) -> np.ndarray:
    """Give equal rows of a frame one number, in the order of their values (not of their appearance)."""
    key, size = np.zeros(len(frame), dtype=np.int64), 1
    for name in frame.columns:
        codes, count = _codes(frame[name])
        if size > 1 and size * count > _dense(len(frame)):
            key, size = _renumbered(key, size)
        key, size = key * count + codes, size * count
    return _renumbered(key, size)[0]


def first_of(number: np.ndarray) -> np.ndarray:
    """The first row of each number."""
    first = np.full(int(number.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return first


def distinct_rows(frame: pd.DataFrame) -> np.ndarray:
    """The distinct rows of numbers, in order, shape ``(distinct, columns)``."""
    return frame.to_numpy()[first_of(number_rows(frame))]


def count_distinct(frame: pd.DataFrame) -> int:
    """How many rows are distinct; all of them, where hardly any are equal."""
    return len(frame) if hardly_repeats(frame) else int(number_rows(frame).max(initial=0)) + 1


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
    return len(np.unique(numbers[:FIRST])) > MAX_LEVELS or len(pd.unique(numbers)) > MAX_LEVELS


def _codes(column: pd.Series) -> tuple[np.ndarray, int]:
    """Codes from 0 on in the order of values, and a bound of how many there are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64), max(len(column.cat.categories), 1)
    values = column.to_numpy()
    if np.issubdtype(values.dtype, np.integer) and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < _dense(len(values)):
            return values.astype(np.int64) - low, high - low + 1
    codes, distinct = pd.factorize(values, sort=True)
    return codes.astype(np.int64), max(len(distinct), 1)


def _renumbered(key: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """The same order with numbers from 0 on and no gaps, and how many there are."""
    if size > _dense(len(key)):
        distinct, codes = np.unique(key, return_inverse=True)
        return codes.astype(np.int64), len(distinct)
    occurs = np.zeros(size, dtype=bool)
    occurs[key] = True
    place = np.cumsum(occurs) - 1
    return place[key], int(place[-1]) + 1 if size else 0


def _dense(rows: int) -> int:
    return max(4 * rows, DENSE)
