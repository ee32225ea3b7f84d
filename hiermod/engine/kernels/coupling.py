"""How the scores of a factor's effects depend on the coefficients before them.

Columns that reach most effects (those of common coefficients, and of a crossed factor with few groups) are kept whole;
the others as a sparse matrix. Both stand factor by factor.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy import sparse

from hiermod.engine.kernels.record import (
    COEFFICIENTS,
    COMMON,
    COUPLING,
    COUPLING_COLUMNS,
    COUPLING_ROWS,
    FACTORS,
    FULL_COLUMNS,
    FULL_COUPLING,
    FULL_TABLE,
    REFERENCE,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.vector_ops import add_scaled, dot

FULL = 0.25  # share of effects that a column must reach to be kept whole
FIRST, COUNT, AT, FULL_FIELDS = 0, 1, 2, 3
Array = np.ndarray


def coupling_arrays(links: list[sparse.csr_array]) -> dict[str, np.ndarray]:
    """The arrays of one matrix for each factor, shape ``(effects, coefficients)``, zero from the factor on."""
    table, columns, values, rest = [], [np.zeros(0, dtype=int)], [np.zeros(0)], []
    first, at = 0, 0
    for link in links:
        reached = np.bincount(link.indices, minlength=link.shape[1])
        whole = np.flatnonzero(reached > FULL * link.shape[0])
        table.append([first, len(whole), at])
        columns.append(whole)
        values.append(link[:, whole].toarray().ravel(order="F"))
        first, at = first + len(whole), at + link.shape[0] * len(whole)
        rest.append(link @ sparse.diags_array((reached <= FULL * link.shape[0]).astype(float)))
    across = sparse.csr_array(sparse.vstack(rest)) if rest else sparse.csr_array((0, 0))
    across.eliminate_zeros()
    return {
        "full_table": np.array(table, dtype=int), "full_columns": np.concatenate(columns),
        "full_coupling": np.concatenate(values), "coupling": across.data,
        "coupling_rows": across.indptr.astype(int), "coupling_columns": across.indices.astype(int),
    }  # fmt: skip


@numba.njit(**NJIT)
def score_given_others(head: Array, factor: int, theta: Array, at: int, size: int, out: Array) -> None:
    """Take from the score of a factor's `size` effects, from `at` on, what coefficients before them explain."""
    reference = doubles(head, REFERENCE, head[COEFFICIENTS])
    table = integers(head, FULL_TABLE, head[FACTORS] * FULL_FIELDS)[factor * FULL_FIELDS :]
    full = integers(head, FULL_COLUMNS, table[FIRST] + table[COUNT])
    values = doubles(head, FULL_COUPLING, table[AT] + table[COUNT] * size)
    for k in range(table[COUNT]):
        column = full[table[FIRST] + k]
        add_scaled(out, at, values, table[AT] + k * size, reference[column] - theta[column], size)
    rows = integers(head, COUPLING_ROWS, head[COEFFICIENTS] - head[COMMON] + 1)
    if rows[at] == rows[at + size]:
        return
    columns, rest = integers(head, COUPLING_COLUMNS, rows[at + size]), doubles(head, COUPLING, rows[at + size])
    for i in range(at, at + size):
        total = 0.0
        for k in range(np.uint64(rows[i]), np.uint64(rows[i + 1])):
            column = np.uint64(columns[k])
            total += rest[k] * (theta[column] - reference[column])
        out[i] -= total


@numba.njit(**NJIT)
def score_given_others_back(head: Array, factor: int, by_score: Array, at: int, size: int, by_theta: Array) -> None:
    """Add the derivatives by these coefficients; `by_score` begins with the factor's first effect."""
    table = integers(head, FULL_TABLE, head[FACTORS] * FULL_FIELDS)[factor * FULL_FIELDS :]
    full = integers(head, FULL_COLUMNS, table[FIRST] + table[COUNT])
    values = doubles(head, FULL_COUPLING, table[AT] + table[COUNT] * size)
    for k in range(table[COUNT]):
        by_theta[full[table[FIRST] + k]] -= dot(values, table[AT] + k * size, by_score, 0, size)
    rows = integers(head, COUPLING_ROWS, head[COEFFICIENTS] - head[COMMON] + 1)
    if rows[at] == rows[at + size]:
        return
    columns, rest = integers(head, COUPLING_COLUMNS, rows[at + size]), doubles(head, COUPLING, rows[at + size])
    for i in range(size):
        own = by_score[i]
        for k in range(np.uint64(rows[at + i]), np.uint64(rows[at + i + 1])):
            by_theta[np.uint64(columns[k])] -= rest[k] * own
