"""Small dense matrices in compiled code, flat, column after column."""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.lanes import add_scaled, dot, scale
from hiermod.engine.special import NJIT

LEAST = 1e-12  # pivot, where rounding has left none
Array = np.ndarray


@numba.njit(**NJIT)
def cholesky(a: Array, size: int) -> float:
    """Replace the lower triangle of a matrix, column after column, by its factor; return the sum of its logarithms."""
    total = 0.0
    for j in range(size):
        for k in range(j):
            add_scaled(a, j * size + j, a, k * size + j, -a[k * size + j], size - j)
        pivot = math.sqrt(max(a[j * size + j], LEAST))
        total += math.log(pivot)
        scale(a, j * size + j, 1.0 / pivot, size - j)
        a[j * size + j] = pivot
    return total


@numba.njit(**NJIT)
def solve_lower(lower: Array, size: int, vector: Array) -> None:
    """Solve with a lower triangle."""
    for j in range(size):
        vector[j] /= lower[j * size + j]
        add_scaled(vector, j + 1, lower, j * size + j + 1, -vector[j], size - j - 1)


@numba.njit(**NJIT)
def solve_upper(lower: Array, size: int, vector: Array, first: int) -> None:
    """Solve with the transpose, in a run of a vector."""
    for j in range(size - 1, -1, -1):
        known = dot(lower, j * size + j + 1, vector, first + j + 1, size - j - 1)
        vector[first + j] = (vector[first + j] - known) / lower[j * size + j]


@numba.njit(**NJIT)
def transpose(a: Array, size: int) -> None:
    """Exchange rows and columns."""
    for i in range(size):
        for j in range(i):
            a[i * size + j], a[j * size + i] = a[j * size + i], a[i * size + j]


@numba.njit(**NJIT)
def symmetric(a: Array, size: int) -> None:
    """The mean of a matrix and its transpose."""
    for i in range(size):
        for j in range(i):
            middle = 0.5 * (a[i * size + j] + a[j * size + i])
            a[i * size + j], a[j * size + i] = middle, middle
