"""Grids: which rows enter which average, with which variable set to which level."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.compress import number_rows
from hiermod.data.frames import has_columns, missing_rows, read_columns
from hiermod.data.levels import Level, as_levels, encode, level_series
from hiermod.data.predictors import Factor
from hiermod.data.responses import read_counts
from hiermod.errors import AnswerError, DataError, did_you_mean
from hiermod.formula.expressions import columns
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec

MAX_ARMS = 50
AnySpec = Spec | BetaSpec


@dataclass(frozen=True, eq=False)
class Base:
    """Rows to average over, with their weights."""

    frame: pd.DataFrame
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows with the average each enters; `keys` has a row per average."""

    frame: pd.DataFrame
    weight: np.ndarray
    cell: np.ndarray
    keys: pd.DataFrame


def base_rows(spec: AnySpec, data: Any, weights: str | None, needed: Sequence[str], groups: str) -> Base:
    """The fitted cells, or the rows of `data` read as the model reads them."""
    if data is None:
        if weights is not None:
            raise AnswerError("weights= names a column of data=, which is not given.")
        return Base(spec.cells.frame, spec.cells.response.weight)
    names = list(spec.formula.predictors())
    if groups == "observed":
        names += spec.formula.grouping_columns()
    names = list(dict.fromkeys([*names, *(name for name in needed if name in spec.cells.frame)]))
    raw = read_columns(data, tuple(dict.fromkeys([*names, *([weights] if weights else [])])))
    if raw.empty or missing_rows(raw).any():
        raise DataError("data= has no rows, or rows with missing values. Drop those rows first.")
    weight = _own_weights(spec, data, len(raw)) if weights is None else _read_weights(raw, weights)
    return Base(read_new_rows(spec, raw[names]), weight)


def read_new_rows(spec: AnySpec, raw: pd.DataFrame) -> pd.DataFrame:
    """Code new rows as the fitted ones; unknown levels of predictors are refused, of groups kept as they are."""
    predictors = spec.cells.predictors
    columns = {name: predictors[name].column(raw[name]) if name in predictors else raw[name] for name in raw.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(raw)))


def _own_weights(spec: AnySpec, data: Any, rows: int) -> np.ndarray:
    """A row weighs its trials where the response has them and `data` too; else one."""
    response = spec.formula.response
    if not isinstance(response, TrialsResponse) or not has_columns(data, columns(response.trials)):
        return np.ones(rows)
    trials = trials_of(response, data, rows)
    if not trials.any():
        raise DataError(f"data= has no trials: {response.trials} is 0 in every row.")
    return trials


def trials_of(response: TrialsResponse, data: Any, rows: int) -> np.ndarray:
    """The trials of each row of new data."""
    names = tuple(dict.fromkeys(columns(response.trials)))
    frame = read_columns(data, names) if names else pd.DataFrame(index=pd.RangeIndex(rows))
    if names and missing_rows(frame).any():
        raise DataError(f"The trials of data=, {response.trials}, are missing in some rows. Fill or drop those rows.")
    return read_counts(response.trials, frame)


def _read_weights(raw: pd.DataFrame, weights: str) -> np.ndarray:
    values = raw[weights].to_numpy(dtype=float)
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(f"The weights in {weights!r} must be finite numbers from 0 on, not all of them 0.")
    return values


def check_columns(spec: AnySpec, by: Any, role: str = "by") -> tuple[str, ...]:
    """Read ``by=`` into column names of the model."""
    names = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in spec.cells.frame:
            raise AnswerError(f"{role}: the model has no column {name!r}.{did_you_mean(str(name), spec.cells.frame)}")
    if len(set(names)) < len(names):
        raise AnswerError(f"{role}: a column is named twice in {list(names)}.")
    return names


def levels_of(spec: AnySpec, name: str) -> tuple[Level, ...]:
    """The levels of a column that occur in the fitted data, in their order."""
    predictor = spec.cells.predictors.get(name)
    if isinstance(predictor, Factor):
        return predictor.levels
    column = spec.cells.frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return as_levels(column.cat.categories)
    return as_levels(pd.Index(np.unique(column.to_numpy())))


def arm_levels(spec: AnySpec, name: str) -> tuple[Level, ...]:
    """The levels of a variable that can be compared as arms."""
    levels = levels_of(spec, name)
    if len(levels) < 2:
        raise AnswerError(f"{name!r} has one level only ({levels[0]!r}): there is nothing to compare.")
    if name in spec.cells.predictors and not isinstance(spec.cells.predictors[name], Factor) and len(levels) > MAX_ARMS:
        raise AnswerError(
            f"{name!r} has {len(levels)} distinct numbers, too many to compare as arms. Look at its coefficient in "
            "fit.fixef(), or at fit.predict() at chosen values."
        )
    return levels


def with_level(frame: pd.DataFrame, name: str, level: Level, levels: tuple[Level, ...]) -> pd.DataFrame:
    """A copy of `frame` in which one column has one level throughout."""
    column = frame.get(name)
    if column is not None and not isinstance(column.dtype, pd.CategoricalDtype) and not isinstance(level, str):
        return with_column(frame, name, level)
    code = levels.index(level)
    return with_column(frame, name, level_series(np.full(len(frame), code), levels))


def with_column(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """A copy of `frame` with one column new or changed, whatever its name (`assign` cannot take ``self``)."""
    copy = frame.copy(deep=False)
    copy[name] = values
    return copy


def cell_grid(spec: AnySpec, base: Base, by: tuple[str, ...], setting: tuple[str, ...]) -> Grid:
    """Rows of each `by` cell, the columns in `setting` set to each of their levels for every row of the cell.

    The other `by` columns select rows. Keys are in the order of levels, the first `by` column slowest.
    """
    selecting = tuple(name for name in by if name not in setting)
    selected, combos = _select(base.frame, selecting)
    levels = {name: levels_of(spec, name) for name in setting}
    frames, keys, cells = [], [], []
    for place, chosen in enumerate(itertools.product(*levels.values())):
        frame, key = base.frame, combos
        for name, level in zip(setting, chosen, strict=True):
            frame, key = with_level(frame, name, level, levels[name]), with_column(key, name, level)
        frames.append(frame)
        keys.append(key)
        cells.append(selected + place * len(combos))
    all_keys = pd.concat(keys, ignore_index=True)
    names = list(dict.fromkeys([*by, *setting]))
    order = _key_order(all_keys, names, {**levels, **{name: levels_of(spec, name) for name in selecting}})
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    weight = np.tile(base.weight, len(frames))
    frame = pd.concat(frames, ignore_index=True)
    ordered = all_keys.iloc[order][names].reset_index(drop=True)
    return _merged(Grid(frame, weight, rank[np.concatenate(cells)], ordered))


def _select(frame: pd.DataFrame, names: tuple[str, ...]) -> tuple[np.ndarray, pd.DataFrame]:
    """The number of each row's combination of `names`, and the combinations that occur."""
    if not names:
        return np.zeros(len(frame), dtype=np.int64), pd.DataFrame(index=[0])
    columns = frame[list(names)]
    plain = pd.DataFrame({name: _codable(columns[name]) for name in names})
    number = number_rows(plain)
    first = np.unique(number, return_index=True)[1]
    combos = {name: pd.Series([*as_levels(pd.Index(columns[name].iloc[first]))]) for name in names}
    return number, pd.DataFrame(combos)


def _codable(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column
    return column.astype("category")


def _key_order(keys: pd.DataFrame, names: list[str], levels: dict[str, tuple[Level, ...]]) -> np.ndarray:
    if not names:
        return np.arange(len(keys))
    return np.lexsort([encode(keys[name], levels[name]) for name in reversed(names)])


def _merged(grid: Grid) -> Grid:
    """Sum the weights of equal rows of the same average: they need not be computed twice."""
    codable = {name: _codable(grid.frame[name]) for name in grid.frame}
    number = number_rows(pd.DataFrame({**codable, "": grid.cell}))
    first = np.unique(number, return_index=True)[1]
    weight = np.bincount(number, grid.weight)
    return Grid(grid.frame.iloc[first].reset_index(drop=True), weight, grid.cell[first], grid.keys)
