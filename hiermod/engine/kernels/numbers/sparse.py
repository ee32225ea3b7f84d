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
    k, a, b, c, d = first, 0.0, 0.0, 0.0, 0.0
    while k + 3 < last:
        a += _difference(values, columns, k, x, y)
        b += _difference(values, columns, k + 1, x, y)
        c += _difference(values, columns, k + 2, x, y)
        d += _difference(values, columns, k + 3, x, y)
        k += 4
    while k < last:
        a += _difference(values, columns, k, x, y)
        k += 1
    return (a + b) + (c + d)


@numba.njit(**NJIT)
def _difference(values: Array, columns: Array, k: int, x: Array, y: Array) -> float:
    column = columns[k]
    return values[k] * (x[column] - y[column])


@numba.njit(**NJIT)
def subtract_scaled(out: Array, values: Array, columns: Array, first: int, last: int, scale: float) -> None:
    """Take a multiple of the row from `out`."""
    k = first
    while k + 3 < last:
        out[columns[k]] -= values[k] * scale
        out[columns[k + 1]] -= values[k + 1] * scale
        out[columns[k + 2]] -= values[k + 2] * scale
        out[columns[k + 3]] -= values[k + 3] * scale
        k += 4
    while k < last:
        out[columns[k]] -= values[k] * scale
        k += 1


@numba.njit(**NJIT)
def dot_and_add_scaled(
    values: Array, columns: Array, first: int, last: int, x: Array, out: Array, scale: float
) -> float:
    """Sum of the row's products with x; a multiple of the row is added to `out`."""
    k, a, b, c, d = first, 0.0, 0.0, 0.0, 0.0
    while k + 3 < last:
        a += _product(values, columns, k, x, out, scale)
        b += _product(values, columns, k + 1, x, out, scale)
        c += _product(values, columns, k + 2, x, out, scale)
        d += _product(values, columns, k + 3, x, out, scale)
        k += 4
    while k < last:
        a += _product(values, columns, k, x, out, scale)
        k += 1
    return (a + b) + (c + d)


@numba.njit(**NJIT)
def _product(values: Array, columns: Array, k: int, x: Array, out: Array, scale: float) -> float:
    column, value = columns[k], values[k]
    out[column] += value * scale
    return value * x[column]
