"""Entries of a sparse matrix's row, four in a turn, each with a sum of its own: one sum would wait for each addition.

The order is fixed, so that sums have the same bits on all processors that have the same instructions.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels import NJIT

Array = np.ndarray


@numba.njit(**NJIT)
def dot_difference(values: Array, columns: Array, first: int, last: int, x: Array, y: Array) -> float:
    """Sum of the row's products with x − y."""
    k, end, a, b, c, d = np.uint64(first), np.uint64(last), 0.0, 0.0, 0.0, 0.0
    while k + np.uint64(3) < end:
        a += _difference(values, columns, k, x, y)
        b += _difference(values, columns, k + np.uint64(1), x, y)
        c += _difference(values, columns, k + np.uint64(2), x, y)
        d += _difference(values, columns, k + np.uint64(3), x, y)
        k += np.uint64(4)
    while k < end:
        a += _difference(values, columns, k, x, y)
        k += np.uint64(1)
    return (a + b) + (c + d)


@numba.njit(**NJIT)
def _difference(values: Array, columns: Array, k: int, x: Array, y: Array) -> float:
    column = np.uint64(columns[k])
    return values[k] * (x[column] - y[column])


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
def dot_and_add_scaled(
    values: Array, columns: Array, first: int, last: int, x: Array, out: Array, scale: float
) -> float:
    """Sum of the row's products with x; a multiple of the row is added to `out`."""
    k, end, a, b, c, d = np.uint64(first), np.uint64(last), 0.0, 0.0, 0.0, 0.0
    while k + np.uint64(3) < end:
        a += _product(values, columns, k, x, out, scale)
        b += _product(values, columns, k + np.uint64(1), x, out, scale)
        c += _product(values, columns, k + np.uint64(2), x, out, scale)
        d += _product(values, columns, k + np.uint64(3), x, out, scale)
        k += np.uint64(4)
    while k < end:
        a += _product(values, columns, k, x, out, scale)
        k += np.uint64(1)
    return (a + b) + (c + d)


@numba.njit(**NJIT)
def _product(values: Array, columns: Array, k: int, x: Array, out: Array, scale: float) -> float:
    column, value = np.uint64(columns[k]), values[k]
    out[column] += value * scale
    return value * x[column]
