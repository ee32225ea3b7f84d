"""A fingerprint of the rows that a model used: the same for rows in any order, counted or one by one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from hiermod.data.columns.levels import as_levels
from hiermod.data.columns.responses import MomentRows, ResponseRows, TrialsRows

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
DIGITS = 6  # of sums that an engine may add up in any order


def fingerprint(frame: pd.DataFrame, response: ResponseRows, structure: Iterable[object]) -> str:
    """Two sums of hashes over rows, each as often as it counts, as text.

    `structure` is what rows alone do not tell, such as the order of levels.
    """
    row = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(frame.columns):
        row = _mixed(row, _hashes(frame[name], name))
    parts, scales = _parts(response)
    for place, part in enumerate(parts):
        row = _mixed(row, _hashes(pd.Series(part), f"response {place}"))
    told = pd.util.hash_array(np.array([repr([*map(repr, structure), scales])], dtype=object), categorize=False)
    row = _mixed(row, np.repeat(told, len(row)))
    times = response.times.astype(np.uint64)
    sums = [int((times * own).sum(dtype=np.uint64)) for own in (row, _mixed(row, row))]
    return "".join(f"{own:016x}" for own in sums)


def _parts(response: ResponseRows) -> tuple[list[np.ndarray], list[str]]:
    """The numbers of each row, and what scales them.

    Of rows that stand for many these are means and cross-products in units of the spread, rounded: an engine may add up
    in any order.
    """
    if isinstance(response, TrialsRows):
        return [response.successes, response.trials], []
    if not isinstance(response, MomentRows):
        return [response.values], []
    moments, count = response.moments, response.times
    squares = np.einsum("cii->i", moments.cross) / count.sum()
    spread = np.where(squares > 0.0, np.sqrt(squares), 1.0)
    means = np.column_stack([moments.mean, response.values]) / spread
    cross = moments.cross / spread / spread[:, None] / count[:, None, None]
    upper = np.triu_indices(len(spread))
    parts = [*means.T, *(cross[:, row, column] for row, column in zip(*upper, strict=True))]
    centres = [moments.centres[name] / spread[moments.features.index((name,))] for name in moments.names]
    return [np.round(own, DIGITS) for own in parts], [f"{own:.{DIGITS}g}" for own in (*spread, *centres)]


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
