"""Entries of a sparse matrix's row, four in a turn: too few instructions for the compiler to unroll at its own cost.

They are taken one after the other, so that sums have the same bits as in a loop over single entries.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels import NJIT

Array = np.ndarray


@numba.njit(**NJIT)
def _add_difference(values: Array, columns: Array, k: int, x: Array, y: Array, sum_: float) -> float:
    column = np.uint64(columns[k])
    return sum_ + values[k] * (x[column] - y[column])


@numba.njit(**NJIT)
def dot_difference(values: Array, columns: Array, first: int, last: int, x: Array, y: Array) -> float:
    """Sum of the row's products with x − y."""
    k, end, sum_ = np.uint64(first), np.uint64(last), 0.0
    while k + np.uint64(3) < end:
        sum_ = _add_difference(values, columns, k, x, y, sum_)
        sum_ = _add_difference(values, columns, k + np.uint64(1), x, y, sum_)
        sum_ = _add_difference(values, columns, k + np.uint64(2), x, y, sum_)
        sum_ = _add_difference(values, columns, k + np.uint64(3), x, y, sum_)
        k += np.uint64(4)
    while k < end:
        sum_ = _add_difference(values, columns, k, x, y, sum_)
        k += np.uint64(1)
    return sum_


@numba.njit(**NJIT)
def subtract_scaled(out: Array, values: Array, columns: Array, first: int, last: int, scale: float) -> None:
    """Take a multiple of the row from `out`."""
    k, end = np.uint64(first), np.uint64(last)
    while k + np.uint64(3) < end:
        out[np.uint64(columns[k])] -= values[k] * scale
        out[np.uint64(columns[k + np.uint64(1)])] -= values[k + np.uint64(1)] * scale
        out[np.uint64(columns[k + np.uint64(2)])] -= values[k + np.uint64(2)] * scale
        out[np.uint64(columns[k + np.uint64(3)])] -= values[k + np.uint64(3)] * scale
        k += np.uint64(4)
    while k < end:
        out[np.uint64(columns[k])] -= values[k] * scale
        k += np.uint64(1)


@numba.njit(**NJIT)
def _add_both(values: Array, columns: Array, k: int, x: Array, out: Array, scale: float, sum_: float) -> float:
    column, value = np.uint64(columns[k]), values[k]
    out[column] += value * scale
    return sum_ + value * x[column]


@numba.njit(**NJIT)
def dot_and_add_scaled(
    values: Array, columns: Array, first: int, last: int, x: Array, out: Array, scale: float
) -> float:
    """Sum of the row's products with x; a multiple of the row is added to `out`."""
    k, end, sum_ = np.uint64(first), np.uint64(last), 0.0
    while k + np.uint64(3) < end:
        sum_ = _add_both(values, columns, k, x, out, scale, sum_)
        sum_ = _add_both(values, columns, k + np.uint64(1), x, out, scale, sum_)
        sum_ = _add_both(values, columns, k + np.uint64(2), x, out, scale, sum_)
        sum_ = _add_both(values, columns, k + np.uint64(3), x, out, scale, sum_)
        k += np.uint64(4)
    while k < end:
        sum_ = _add_both(values, columns, k, x, out, scale, sum_)
        k += np.uint64(1)
    return sum_
