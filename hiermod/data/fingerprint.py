"""A fingerprint of the rows that a model used: the same for rows in any order, counted or one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.data.levels import as_levels
from hiermod.data.responses import MomentRows, ResponseRows, TrialsRows

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
DIGITS = 6  # of sums that an engine may add up in any order


def fingerprint(frame: pd.DataFrame, response: ResponseRows) -> str:
    """Two sums of hashes over rows, each as often as it counts, as text."""
    row = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(frame.columns):
        row = _mixed(row, _hashes(frame[name], name))
    for place, part in enumerate(_parts(response)):
        row = _mixed(row, _hashes(pd.Series(part), f"response {place}"))
    times = response.times.astype(np.uint64)
    sums = [int((times * own).sum(dtype=np.uint64)) for own in (row, _mixed(row, row))]
    return "".join(f"{own:016x}" for own in sums)


def _parts(response: ResponseRows) -> list[np.ndarray]:
    """The numbers of each row; of rows that stand for many, their means in units of the spread within them."""
    if isinstance(response, TrialsRows):
        return [response.successes, response.trials]
    if not isinstance(response, MomentRows):
        return [response.values]
    means = [*response.moments.mean.T, response.values]
    squares = np.einsum("cii->i", response.moments.cross) / response.times.sum()
    return [np.round(own / (np.sqrt(square) or 1.0), DIGITS) for own, square in zip(means, squares, strict=True)]


def _hashes(column: pd.Series, name: str) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = np.array([f"{name}\0{level!r}" for level in as_levels(column.cat.categories)], dtype=object)
        return pd.util.hash_array(levels, categorize=False)[column.cat.codes.to_numpy()]
    numbers = column.to_numpy(dtype=float) + 0.0
    return _mixed(pd.util.hash_array(numbers), pd.util.hash_array(np.array([name], dtype=object), categorize=False))


def _mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Hashes of pairs, which depend on their order."""
    mixed = (one ^ (one >> np.uint64(29))) * MULTIPLIER + other
    return (mixed ^ (mixed >> np.uint64(32))) * MULTIPLIER
