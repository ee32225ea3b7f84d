"""Which columns of a design are combinations of those before them, at a cost of no more than their number squared.

Columns that are 0 in nearly all rows, such as the indicators of a factor of many levels, fall into blocks of disjoint
rows. Each block is orthogonalised by itself, and the few other columns against all blocks; what is left of no column is
a combination. The order of the columns comes in last: of all combinations, the last column of each is the dependent
one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

FEW_ROWS = 4096
TOLERANCE = 1e-7  # of a column's length, as R's qr() has it
NEGLIGIBLE = 1e-6  # weights of columns of length 1, and what rounding leaves of a combination
PANEL = 64  # columns that are orthogonalised one by one


@dataclass(frozen=True)
class Dependent:
    """A column and the earlier ones that make it up, with their weights; none where it is 0 in every row."""

    place: int
    others: tuple[int, ...]
    weights: tuple[float, ...]


def find_dependent(column: Callable[[int], np.ndarray], count: int) -> list[Dependent]:
    """Which of `count` columns are combinations of those before them.

    A few rows are enough to show that a column is none. What they leave is held against all rows, and those that
    differ most join the few.
    """
    if not count:
        return []
    size = len(column(0))
    rows = np.arange(0, size, max(size // FEW_ROWS, 1))
    while True:
        dependent = _dependent(np.column_stack([column(place)[rows] for place in range(count)]))
        apart = [_rows_apart(one, column, len(rows)) for one in dependent]
        more = np.union1d(rows, np.concatenate([rows, *apart]))
        if len(more) == len(rows):
            return dependent
        rows = more


def is_sparse(values: np.ndarray) -> bool:
    """Whether a column is 0 in nearly all rows."""
    return bool(np.count_nonzero(values) <= np.sqrt(len(values)))


def _dependent(columns: np.ndarray) -> list[Dependent]:
    """The same for a matrix."""
    length = np.linalg.norm(columns, axis=0)
    filled = np.flatnonzero(length)
    dependent = [Dependent(int(place), (), ()) for place in np.flatnonzero(length == 0.0)]
    for place, combination in zip(*_null_space(columns[:, filled] / length[filled]), strict=True):
        used = np.flatnonzero(np.abs(combination[:place]) > NEGLIGIBLE)
        weights = -combination[used] * length[filled[place]] / length[filled[used]]
        dependent.append(Dependent(int(filled[place]), tuple(filled[used].tolist()), tuple(weights.tolist())))
    return sorted(dependent, key=lambda one: one.place)


def _null_space(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which columns of length 1 are dependent, and for each a combination that is 0, of itself and independent ones."""
    count = unit.shape[1]
    local = np.count_nonzero(unit, axis=0) <= np.sqrt(len(unit))
    blocks = [_Orthogonal.of(unit, rows, columns) for rows, columns in _blocks(unit, np.flatnonzero(local))]
    others = np.flatnonzero(~local)
    rest = unit[:, others]
    for _ in range(2):  # as rounding asks
        for block in blocks:
            block.take_off(rest)
    within = [(block.columns, *_reduced(block.combinations())) for block in blocks if block.dependent]
    last = np.concatenate([np.zeros(0, dtype=np.int64), *(columns[places] for columns, places, _ in within)])
    null = np.zeros((len(last), count))
    ends = np.cumsum([0, *(len(places) for _, places, _ in within)])
    for (columns, _, combinations), first, end in zip(within, ends, ends[1:], strict=False):
        null[first:end, columns] = combinations
    whole = np.zeros((0, count))
    combined = _Orthogonal.of(rest, np.arange(len(rest)), np.arange(len(others)))
    if combined.dependent:
        whole = np.zeros((combined.dependent, count))
        whole[:, others] = combined.combinations().T
        values = unit[:, others] @ whole[:, others].T
        for block in blocks:
            whole[:, block.kept_columns] -= block.weights_of(values).T
        places, whole = _reduced((whole - whole[:, last] @ null).T)
        null -= null[:, places] @ whole
        last = np.concatenate([last, places])
    return last, np.vstack([null, whole])


def _reduced(null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last column of each combination, and combinations of which each has one of these, with the weight 1."""
    null = np.linalg.qr(null)[0]
    last = len(null) - 1 - _orthonormal(null[::-1].T)[1]
    return last, np.linalg.solve(null[last].T, null.T)


def _blocks(unit: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows and columns of blocks that share no row."""
    if not len(columns):
        return []
    filled = sparse.csc_matrix(unit[:, columns] != 0.0)
    size = len(unit)
    graph = sparse.bmat([[None, filled], [filled.T, None]], format="csr")
    number = sparse.csgraph.connected_components(graph, directed=False)[1]
    of_row, of_column = number[:size], number[size:]
    row_order, column_order = np.argsort(of_row, kind="stable"), np.argsort(of_column, kind="stable")
    there = np.unique(of_column)
    rows = [np.searchsorted(of_row[row_order], there, side) for side in ("left", "right")]
    places = [np.searchsorted(of_column[column_order], there, side) for side in ("left", "right")]
    return [
        (row_order[first:last], columns[column_order[begin:end]])
        for first, last, begin, end in zip(*rows, *places, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Orthogonal:
    """An orthonormal `basis` of some columns on some rows, which of them are `kept`, and what all are made of."""

    rows: np.ndarray
    columns: np.ndarray
    basis: np.ndarray
    kept: np.ndarray
    made_of: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> _Orthogonal:
        """That of a part of a matrix."""
        part = matrix[np.ix_(rows, columns)]
        basis, kept = _orthonormal(part)
        return cls(rows, columns, basis, kept, basis.T @ part)

    @property
    def kept_columns(self) -> np.ndarray:
        """The columns that are no combinations of those before them."""
        return self.columns[self.kept]

    def take_off(self, values: np.ndarray) -> None:
        """Take off columns, in place, what the basis says of them."""
        values[self.rows] -= self.basis @ (self.basis.T @ values[self.rows])

    def weights_of(self, values: np.ndarray) -> np.ndarray:
        """How the kept columns make up a column."""
        return self._solved(self.basis.T @ values[self.rows])

    @property
    def dependent(self) -> int:
        """How many columns are combinations of those before them."""
        return len(self.columns) - len(self.kept)

    def combinations(self) -> np.ndarray:
        """Combinations of the columns that are 0, shape ``(columns, dependent)``."""
        others = np.setdiff1d(np.arange(len(self.columns)), self.kept)
        null = np.zeros((len(self.columns), len(others)))
        null[others, np.arange(len(others))] = 1.0
        null[self.kept] = -self._solved(self.made_of[:, others])
        return null

    def _solved(self, coefficients: np.ndarray) -> np.ndarray:
        return (
            np.asarray(solve_triangular(self.made_of[:, self.kept], coefficients)) if len(self.kept) else coefficients
        )


def _orthonormal(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An orthonormal basis of columns, and which of them are no combinations of those before them.

    Gram and Schmidt's procedure, done twice as rounding asks, for a panel of columns at once.
    """
    if not columns.size:
        return np.zeros((len(columns), 0)), np.zeros(0, dtype=np.int64)
    turned, short = np.linalg.qr(columns)
    count = columns.shape[1]
    if len(short) == count and (np.abs(np.diagonal(short)) > TOLERANCE).all():
        return turned, np.arange(count)
    basis = np.zeros((len(short), 0))
    kept: list[int] = []
    for first in range(0, count, PANEL):
        panel = short[:, first : first + PANEL].copy()
        for _ in range(2):
            panel -= basis @ (basis.T @ panel)
        added = np.zeros((len(short), 0))
        for place, vector in enumerate(panel.T, first):
            rest = vector - added @ (added.T @ vector)
            rest -= added @ (added.T @ rest)
            if (norm := np.linalg.norm(rest)) > TOLERANCE:
                added = np.column_stack([added, rest / norm])
                kept.append(place)
        added -= basis @ (basis.T @ added)
        basis = np.hstack([basis, added / np.linalg.norm(added, axis=0)])
    return turned @ basis, np.array(kept, dtype=np.int64)


def _rows_apart(one: Dependent, column: Callable[[int], np.ndarray], limit: int) -> np.ndarray:
    """The rows, at most `limit`, where a column differs most from the combination; none where it differs nowhere."""
    values = column(one.place)
    rest = np.abs(values - sum(weight * column(other) for other, weight in zip(one.others, one.weights, strict=True)))
    if np.linalg.norm(rest) <= NEGLIGIBLE * np.linalg.norm(values):
        return np.zeros(0, dtype=np.int64)
    worst = np.argsort(-rest, kind="stable")[:limit]
    return worst[rest[worst] > 0.0]
