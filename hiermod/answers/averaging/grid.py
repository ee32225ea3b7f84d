"""Grids: which rows enter which average, with which variable set to which level; and these averages."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from hiermod.answers.averaging.columns import order_of
from hiermod.answers.averaging.query import Query
from hiermod.answers.averaging.rows import with_column, with_levels
from hiermod.answers.group_effects import Groups
from hiermod.answers.reader import reader
from hiermod.data.columns.values import Level, as_levels, encode, number_rows
from hiermod.errors import DataError
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows with the average each enters; `keys` has a row per average."""

    frame: pd.DataFrame
    weight: np.ndarray
    cell: np.ndarray
    keys: pd.DataFrame


def cell_grid(spec: ModelSpec, query: Query) -> Grid:
    """The rows of each cell, set to each level of the columns that are set; the other columns of cells select rows.

    Keys are in the order of levels, the first column slowest.
    """
    rows, settings = query.rows, query.settings
    selecting = tuple(name for name in query.cells if name not in settings)
    selected, combos = _select(rows.frame, selecting)
    frames, keys, cells = [], [], []
    for place, levels in enumerate(itertools.product(*settings.values())):
        key, chosen = combos, dict(zip(settings, levels, strict=True))
        for name, level in chosen.items():
            key = with_column(key, name, level)
        frames.append(with_levels(spec, rows, {**query.held, **chosen}))
        keys.append(key)
        cells.append(selected + place * len(combos))
    all_keys = pd.concat(keys, ignore_index=True)
    names = list(dict.fromkeys([*query.cells, *settings]))
    orders = {name: query.selected.get(name) or order_of(spec, name, rows.frame) for name in selecting}
    order = _key_order(all_keys, names, {**settings, **orders})
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    weight = np.tile(rows.weight, len(frames))
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
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
    """Sum the weights of equal rows of an average, which need not be computed twice; rows of one stand together."""
    codable = {name: _codable(grid.frame[name]) for name in grid.frame}
    number = number_rows(pd.DataFrame({"": grid.cell, **codable}))
    first = np.unique(number, return_index=True)[1]
    weight = np.bincount(number, grid.weight)
    return Grid(grid.frame.iloc[first].reset_index(drop=True), weight, grid.cell[first], grid.keys)


def averages(
    posterior: Posterior, groups: Groups, grid: Grid, linear: bool = False, outcome: str = "mean"
) -> np.ndarray:  # fmt: skip
    """Weighted averages of means or medians, or of linear predictors, within each draw, shape ``(averages, draws)``."""
    average = Averaging(grid.weight, grid.cell, len(grid.keys), posterior.size)
    for rows, values in reader(posterior, groups, outcome=outcome).blocks(grid.frame, linear):
        average.add(rows, values)
    return average.total


class Averaging:
    """Adds blocks of rows up to weighted averages; `total` has shape ``(count, draws)``."""

    def __init__(self, weight: np.ndarray, cell: np.ndarray, count: int, draws: int) -> None:
        share = weight / np.bincount(cell, weight, count)[cell]
        self._shares = sparse.csr_array((share, (cell, np.arange(len(cell)))), shape=(count, len(cell))).tocsc()
        self._share, self._cell, self.draws = share, cell, draws
        self.total = np.zeros((count, draws))

    def add(self, rows: slice, values: np.ndarray) -> None:
        """Add the draws of some rows, shape ``(rows, draws)``."""
        first, last = self._cell[rows].min(), self._cell[rows].max()
        if first == last:
            self.total[first] += self._share[rows] @ values
        else:
            self.total[first : last + 1] += self._shares[:, rows].tocsr()[first : last + 1] @ values
