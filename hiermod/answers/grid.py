"""Grids: which rows enter which average, with which variable set to which level."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.answers.rows import AnySpec, Base, is_numeric, with_column, with_levels
from hiermod.data.levels import Level, as_levels, encode
from hiermod.data.numbering import number_rows
from hiermod.data.predictors import Factor
from hiermod.errors import AnswerError, DataError, did_you_mean
from hiermod.formula.parser import canonical

MAX_ARMS = 50


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows with the average each enters; `keys` has a row per average."""

    frame: pd.DataFrame
    weight: np.ndarray
    cell: np.ndarray
    keys: pd.DataFrame


def check_columns(spec: AnySpec, by: Any, role: str = "by") -> tuple[str, ...]:
    """Read ``by=`` into column names of the model."""
    names = () if by is None else tuple(by) if isinstance(by, list | tuple) else (by,)
    for name in names:
        if not isinstance(name, str):
            raise AnswerError(f"{role}={by!r}: a column's name, or a list of names, is needed.")
        name = canonical(name)
        if name in spec.cells.averaged:
            _refuse_averaged(spec, name)
        if name not in spec.cells.frame and name in spec.formula.predictor_columns():
            raise AnswerError(f"{role}: {name!r} differs within cells. Fit with compress=False to ask by it.")
        if name not in spec.cells.frame:
            raise AnswerError(f"{role}: the model has no column {name!r}.{did_you_mean(str(name), spec.cells.frame)}")
    if len(set(names)) < len(names):
        raise AnswerError(f"{role}: a column is named twice in {list(names)}.")
    return tuple(canonical(name) for name in names)


def _refuse_averaged(spec: AnySpec, name: str) -> NoReturn:
    """Refuse to ask by a number over which cells average: it has too many values."""
    count = f"{spec.cells.observations()[0][name].nunique()} distinct" if spec.cells.rows_kept else "many distinct"
    raise AnswerError(
        f"{name!r} has {count} numbers, too many to set every row to each. Look at its coefficient in fit.fixef(), or "
        "at fit.predict() at chosen values."
    )


def check_column(spec: AnySpec, name: Any, role: str) -> str:
    """Read one column name of the model."""
    if not isinstance(name, str):
        raise AnswerError(f"{role}={name!r}: the name of one column is needed.")
    return check_columns(spec, name, role)[0]


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
    refuse_many(spec, name, len(levels))
    return levels


def refuse_many(spec: AnySpec, name: str, count: int) -> None:
    """Refuse to set a numeric column to each of very many values."""
    if is_numeric(spec, name) and count > MAX_ARMS:
        raise AnswerError(
            f"{name!r} has {count} distinct numbers, too many to set every row to each. Look at its coefficient in "
            "fit.fixef(), or at fit.predict() at chosen values."
        )


def cell_grid(spec: AnySpec, base: Base, by: tuple[str, ...], setting: tuple[str, ...]) -> Grid:
    """Rows of each `by` cell, the columns in `setting` set to each of their levels for every row of the cell.

    The other `by` columns select rows. Keys are in the order of levels, the first `by` column slowest.
    """
    selecting = tuple(name for name in by if name not in setting)
    selected, combos = _select(base.frame, selecting)
    levels = {name: levels_of(spec, name) for name in setting}
    for name, own in levels.items():
        refuse_many(spec, name, len(own))
    frames, keys, cells = [], [], []
    for place, chosen in enumerate(itertools.product(*levels.values())):
        key = combos
        for name, level in zip(setting, chosen, strict=True):
            key = with_column(key, name, level)
        settled = {name: (level, levels[name]) for name, level in zip(setting, chosen, strict=True)}
        frames.append(with_levels(spec, base, settled))
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
    grid = _merged(Grid(frame, weight, rank[np.concatenate(cells)], ordered))
    _refuse_weightless(grid)
    return grid


def _refuse_weightless(grid: Grid) -> None:
    empty = np.flatnonzero(np.bincount(grid.cell, grid.weight, len(grid.keys)) <= 0)
    if len(empty):
        where = ", ".join(f"{name} {value}" for name, value in grid.keys.iloc[empty[0]].items())
        raise DataError(f"All rows of {where or 'data='} have the weight 0, so there is no average. Leave them out.")


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
    codes = {name: encode(keys[name], levels[name]) for name in names}
    return np.lexsort([np.where(codes[name] < 0, len(levels[name]), codes[name]) for name in reversed(names)])


def _merged(grid: Grid) -> Grid:
    """Sum the weights of equal rows of the same average: they need not be computed twice."""
    codable = {name: _codable(grid.frame[name]) for name in grid.frame}
    number = number_rows(pd.DataFrame({**codable, "": grid.cell}))
    first = np.unique(number, return_index=True)[1]
    weight = np.bincount(number, grid.weight)
    return Grid(grid.frame.iloc[first].reset_index(drop=True), weight, grid.cell[first], grid.keys)
