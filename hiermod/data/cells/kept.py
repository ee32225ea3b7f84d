"""The rows behind cells: put into the order of cells, and fingerprinted, when somebody asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns.bounds import BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.responses import MomentRows, ResponseRows, TallyRows, TrialsRows
from hiermod.data.columns.values import as_levels, owned

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
AT_ONCE = 2**15  # rows, whose hashes stay in the processor's cache
DIGITS = 6  # of sums that an engine may add up in any order


class Kept:
    """The responses of the rows behind cells, how often each row counts, and columns that differ within cells.

    Parameters
    ----------
    parts : mapping by name
        Arrays of a row each.
    cell : ndarray of int, optional
        The cell of each row; None where rows stand in the order of cells.
    each : ndarray of int
        How many rows each cell has.
    """

    def __init__(self, parts: Mapping[str, np.ndarray], cell: np.ndarray | None, each: np.ndarray) -> None:
        self._parts, self._cell, self.each = dict(parts), cell, each

    @property
    def parts(self) -> Mapping[str, np.ndarray]:
        """The arrays, rows in the order of cells, and as they came within each."""
        if self._cell is not None:
            if (np.diff(self._cell) < 0).any():
                order = np.argsort(self._cell, kind="stable")
                self._parts = {name: part[order] if any(part.strides) else part for name, part in self._parts.items()}
            self._cell = None
        return self._parts

    def of(self, cells: np.ndarray) -> Kept:
        """The rows of some cells, which are marked."""
        rows = np.repeat(cells, self.each)
        return Kept({name: part[rows] for name, part in self.parts.items()}, None, self.each[cells])


def own_rows(response: ResponseRows) -> ResponseRows:
    """The same response in memory that nobody else can change."""
    parts = {part.name: getattr(response, part.name) for part in fields(response)}
    own: dict[str, Any] = {name: owned(part) for name, part in parts.items() if isinstance(part, np.ndarray)}
    return replace(response, **own)


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Two sums of hashes over rows, each as often as it counts, as text: the same in any order, counted or one by one.

    Parameters
    ----------
    columns : DataFrame
        Those that differ within cells, a row of the data each.
    of_cells : DataFrame
        The others, a row of each cell.
    cell : ndarray of int, optional
        The cell of each row; without it `columns` are all.
    response : ResponseRows
    structure : tuple
        What rows alone do not tell, such as the order of levels.
    """

    columns: pd.DataFrame
    response: ResponseRows
    structure: tuple[object, ...]
    of_cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    cell: np.ndarray | None = None

    def by_cells(self, cells: pd.DataFrame, response: ResponseRows, cell: np.ndarray) -> Fingerprint:
        """The same that takes columns which have one value in each cell from the cells."""
        settled = [name for name in self.columns if name in cells]
        loose = {name: _held(self.columns[name].array) for name in self.columns if name not in cells}
        columns = pd.DataFrame(loose, index=self.columns.index, copy=False)
        return Fingerprint(columns, response, self.structure, cells[settled], cell)

    def __call__(self) -> str:
        """The text."""
        parts, scales = _parts(self.response)
        structured = _hash(repr([*map(repr, self.structure), scales]))
        names = sorted([*self.columns, *self.of_cells])
        leading = list(itertools.takewhile(self.of_cells.columns.__contains__, names))
        known = np.zeros(max(len(self.of_cells), 1), dtype=np.uint64)
        for name in leading:
            known = _mixed(known, _hashes(self.of_cells[name].array, name)(slice(None)))
        hashed = [self._hashes_of_rows(name) for name in names[len(leading) :]]
        hashed += [_hashes(part, f"response {place}") for place, part in enumerate(parts)]
        sums, counts = np.zeros(2, dtype=np.uint64), self.response.times
        for start in range(0, len(counts), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            times = counts[some].astype(np.uint64)
            row = np.repeat(known, len(times)) if self.cell is None else known[self.cell[some]]
            for hashes in hashed:
                row = _mixed(row, hashes(some))
            row = _mixed(row, structured)
            sums += [(times * own).sum(dtype=np.uint64) for own in (row, _mixed(row, row))]
        return "".join(f"{total:016x}" for total in sums)

    def _hashes_of_rows(self, name: str) -> Callable[[slice], np.ndarray]:
        if name in self.columns:
            return _hashes(self.columns[name].array, name)
        of_cells, cell = _hashes(self.of_cells[name].array, name)(slice(None)), self.cell
        assert cell is not None
        return lambda some: of_cells[cell[some]]


def _held(column: pd.api.extensions.ExtensionArray) -> pd.api.extensions.ExtensionArray | np.ndarray:
    return column if isinstance(column, pd.Categorical) else owned(column.to_numpy())


def _parts(response: ResponseRows) -> tuple[list[np.ndarray], list[str]]:
    """The numbers of each row, and what scales them.

    Of rows that stand for many these are means and cross-products in units of the spread, rounded: an engine may add up
    in any order.
    """
    if isinstance(response, TrialsRows):
        return [response.successes, response.trials], []
    if isinstance(response, TallyRows):
        return list(response.counts.T), []
    if isinstance(response, BoundedRows | MeasuredRows):
        return list(response.parts.values()), []
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
    return [np.round(part, DIGITS) for part in parts], [f"{scale:.{DIGITS}g}" for scale in (*spread, *centres)]


def _hashes(column: pd.api.extensions.ExtensionArray | np.ndarray, name: str) -> Callable[[slice], np.ndarray]:
    """The hashes of some rows of a column."""
    if isinstance(column, pd.Categorical):
        texts = np.array([f"{name}\0{level!r}" for level in as_levels(column.categories)], dtype=object)
        levels, codes = pd.util.hash_array(texts, categorize=False), column.codes
        return lambda some: levels[codes[some]]
    own = _hash(name)
    return lambda some: _mixed(pd.util.hash_array(np.asarray(column[some], dtype=float) + 0.0), own)


def _hash(text: str) -> np.ndarray:
    return pd.util.hash_array(np.array([text], dtype=object), categorize=False)


def _mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Hashes of pairs, which depend on their order."""
    mixed = (one ^ (one >> np.uint64(29))) * MULTIPLIER + other
    return (mixed ^ (mixed >> np.uint64(32))) * MULTIPLIER
