"""How the scores of a factor's effects depend on the coefficients before them, in compiled code.

Columns that reach most effects (those of common coefficients, and of a crossed factor with few groups) are kept whole;
the others as a sparse matrix, whose rows are all effects. Both stand factor by factor.
"""

from __future__ import annotations

from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.sparse import dot_difference, subtract_scaled
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, dot
from hiermod.engine.kernels.views import doubles, full_at, integers


@numba.njit(**NJIT)
def score_given_others(record: Any, place: int, factor: Any, work: Any) -> None:
    """Take from the score of a factor's effects what coefficients before them explain."""
    at, size = factor.effects, factor.groups * factor.width
    mode, theta = doubles(record.mode), doubles(work.theta)
    out = doubles(work.effects_score)
    whole = full_at(record.full_table, place)
    columns = integers(record.full_columns)
    values = doubles(record.full_coupling)
    for k in range(whole.columns):
        column = columns[whole.first + k]
        add_scaled(out, at, values, whole.values + k * size, mode[column] - theta[column], size)
    rows = integers(record.coupling_rows)
    if rows[at] == rows[at + size]:
        return
    columns, rest = integers(record.coupling_columns), doubles(record.coupling)
    for i in range(at, at + size):
        out[i] -= dot_difference(rest, columns, rows[i], rows[i + 1], theta, mode)


@numba.njit(**NJIT)
def score_given_others_back(record: Any, place: int, factor: Any, work: Any) -> None:
    """Add the derivatives by these coefficients."""
    at, size = factor.effects, factor.groups * factor.width
    by_score, by_theta = doubles(work.by_score), doubles(work.by_theta)
    whole = full_at(record.full_table, place)
    columns = integers(record.full_columns)
    values = doubles(record.full_coupling)
    for k in range(whole.columns):
        by_theta[columns[whole.first + k]] -= dot(values, whole.values + k * size, by_score, 0, size)
    rows = integers(record.coupling_rows)
    if rows[at] == rows[at + size]:
        return
    columns, rest = integers(record.coupling_columns), doubles(record.coupling)
    for i in range(size):
        subtract_scaled(by_theta, rest, columns, rows[at + i], rows[at + i + 1], by_score[i])
