"""Small dense matrices in compiled code, flat, column after column; a column has room for whole vectors of numbers."""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels import NJIT, plain
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, dot, scale
from hiermod.engine.kernels.plain import VECTOR

LEAST = 1e-12  # pivot, where rounding leaves none
Array = np.ndarray
stride_of = numba.njit(**NJIT)(plain.stride_of)


@numba.njit(**NJIT)
def subtract(
    out: Array, at: int, x: Array, from_: int, factors: Array, first: int, distance: int, many: int, stride: int
) -> None:
    """Take from a column, from `at` to its end, multiples of `many` columns of another matrix that follow each other.

    `from_` is where the first of them has what stands at `at`; factors begin at `first` and stand at this distance.
    """
    other, factor, remaining, count = from_, first, many, stride - at % stride
    while remaining >= 4:
        second, third, fourth = other + stride, other + 2 * stride, other + 3 * stride
        a, b = factors[factor], factors[factor + distance]
        c, d = factors[factor + 2 * distance], factors[factor + 3 * distance]
        for i in range(count):
            out[at + i] -= a * x[other + i] + b * x[second + i] + c * x[third + i] + d * x[fourth + i]
        other, factor, remaining = fourth + stride, factor + 4 * distance, remaining - 4
    while remaining > 0:
        a = factors[factor]
        for i in range(count):
            out[at + i] -= a * x[other + i]
        other, factor, remaining = other + stride, factor + distance, remaining - 1


@numba.njit(**NJIT)
def cholesky(a: Array, size: int) -> float:
    """Replace the lower triangle of a matrix by its factor; return the sum of its logarithms.

    What stands above the diagonal is not kept.
    """
    total, stride = 0.0, stride_of(size)
    for j in range(size):
        column = j * stride
        low = j - j % VECTOR
        subtract(a, column + low, a, low, a, j, stride, j, stride)
        pivot = math.sqrt(max(a[column + j], LEAST))
        total += math.log(pivot)
        scale(a, column + j, 1.0 / pivot, size - j)
        a[column + j] = pivot
    return total


@numba.njit(**NJIT)
def solve_lower(lower: Array, size: int, vector: Array) -> None:
    """Solve with a lower triangle."""
    stride = stride_of(size)
    for j in range(size):
        vector[j] /= lower[j * stride + j]
        add_scaled(vector, j + 1, lower, j * stride + j + 1, -vector[j], size - j - 1)


@numba.njit(**NJIT)
def solve_upper(lower: Array, size: int, vector: Array) -> None:
    """Solve with the transpose of a lower triangle."""
    stride = stride_of(size)
    for j in range(size - 1, -1, -1):
        known = dot(lower, j * stride + j + 1, vector, j + 1, size - j - 1)
        vector[j] = (vector[j] - known) / lower[j * stride + j]


@numba.njit(**NJIT)
def solve_upper_rows(lower: Array, size: int, a: Array) -> None:
    """The same for a matrix that stands row after row."""
    stride = stride_of(size)
    for j in range(size - 1, -1, -1):
        column = j * stride
        subtract(a, column, a, column + stride, lower, column + j + 1, 1, size - j - 1, stride)
        scale(a, column, 1.0 / lower[column + j], stride)


@numba.njit(**NJIT)
def transpose(a: Array, size: int) -> None:
    """Exchange rows and columns."""
    stride = stride_of(size)
    for i in range(size):
        for j in range(i):
            a[i * stride + j], a[j * stride + i] = a[j * stride + i], a[i * stride + j]


@numba.njit(**NJIT)
def symmetric(a: Array, size: int) -> None:
    """The mean of a matrix and its transpose."""
    stride = stride_of(size)
    for i in range(size):
        for j in range(i):
            middle = 0.5 * (a[i * stride + j] + a[j * stride + i])
            a[i * stride + j], a[j * stride + i] = middle, middle
