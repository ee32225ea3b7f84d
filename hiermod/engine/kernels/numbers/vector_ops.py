"""Arithmetic on runs of numbers inside flat arrays, each a loop that the compiler vectorises.

Places are unsigned: a signed one may be negative and count from the end, which the compiler would test at each number.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import log

Array = np.ndarray
SUMMED = {**NJIT, "fastmath": {"contract", "reassoc", "nsz"}}  # the order of sums is fixed once compiled


@numba.njit(**NJIT)
def fill(out: Array, at: int, value: float, count: int) -> None:
    """Set a run."""
    first = np.uint64(at)
    for g in range(np.uint64(count)):
        out[first + g] = value


@numba.njit(**NJIT)
def add(out: Array, at: int, value: float, count: int) -> None:
    """Add a number to a run."""
    first = np.uint64(at)
    for g in range(np.uint64(count)):
        out[first + g] += value


@numba.njit(**NJIT)
def copy(out: Array, at: int, x: Array, from_: int, count: int) -> None:
    """Copy a run."""
    first, other = np.uint64(at), np.uint64(from_)
    for g in range(np.uint64(count)):
        out[first + g] = x[other + g]


@numba.njit(**NJIT)
def add_scaled(out: Array, at: int, x: Array, from_: int, scale: float, count: int) -> None:
    """Add a multiple of another run."""
    first, other = np.uint64(at), np.uint64(from_)
    for g in range(np.uint64(count)):
        out[first + g] += scale * x[other + g]


@numba.njit(**NJIT)
def set_scaled(out: Array, at: int, base: float, x: Array, from_: int, scale: float, count: int) -> None:
    """Set a run to a number and a multiple of another run."""
    first, other = np.uint64(at), np.uint64(from_)
    for g in range(np.uint64(count)):
        out[first + g] = base + scale * x[other + g]


@numba.njit(**NJIT)
def add_two_scaled(
    out: Array, at: int, x: Array, from_: int, scale: float, and_from: int, and_scale: float, count: int
) -> None:
    """Add multiples of two runs of one array."""
    first, other, third = np.uint64(at), np.uint64(from_), np.uint64(and_from)
    for g in range(np.uint64(count)):
        out[first + g] = (out[first + g] + scale * x[other + g]) + and_scale * x[third + g]


@numba.njit(**NJIT)
def scale(out: Array, at: int, factor: float, count: int) -> None:
    """Multiply a run by a number."""
    if factor != 1.0:
        first = np.uint64(at)
        for g in range(np.uint64(count)):
            out[first + g] *= factor


@numba.njit(**NJIT)
def add_product(out: Array, at: int, x: Array, from_: int, y: Array, and_: int, scale: float, count: int) -> None:
    """Add a multiple of the product of two runs."""
    first, other, third = np.uint64(at), np.uint64(from_), np.uint64(and_)
    for g in range(np.uint64(count)):
        out[first + g] += scale * x[other + g] * y[third + g]


@numba.njit(**NJIT)
def divide(out: Array, at: int, y: Array, by: int, count: int) -> None:
    """Divide by another run."""
    first, other = np.uint64(at), np.uint64(by)
    for g in range(np.uint64(count)):
        out[first + g] /= y[other + g]


@numba.njit(**NJIT)
def root(out: Array, at: int, terms: Array, count: int) -> None:
    """Take square roots, and their logarithms from `terms`."""
    first = np.uint64(at)
    for g in range(np.uint64(count)):
        terms[g] -= 0.5 * log(out[first + g])
        out[first + g] = math.sqrt(out[first + g])


@numba.njit(**SUMMED)
def total(x: Array, at: int, count: int) -> float:
    """Sum a run."""
    first, sum_ = np.uint64(at), 0.0
    for g in range(np.uint64(count)):
        sum_ += x[first + g]
    return sum_


@numba.njit(**SUMMED)
def dot(x: Array, at: int, y: Array, and_: int, count: int) -> float:
    """Sum of products of two runs."""
    first, other, sum_ = np.uint64(at), np.uint64(and_), 0.0
    for g in range(np.uint64(count)):
        sum_ += x[first + g] * y[other + g]
    return sum_


@numba.njit(**SUMMED)
def two_dots(x: Array, at: int, y: Array, and_: int, and_other: int, count: int) -> tuple[float, float]:
    """Sums of products of a run with two runs of another array."""
    first, second, third, sum_, other_sum = np.uint64(at), np.uint64(and_), np.uint64(and_other), 0.0, 0.0
    for g in range(np.uint64(count)):
        sum_ += x[first + g] * y[second + g]
        other_sum += x[first + g] * y[third + g]
    return sum_, other_sum


@numba.njit(**SUMMED)
def product(x: Array, at: int, count: int) -> float:
    """Product of a run."""
    first, product_ = np.uint64(at), 1.0
    for g in range(np.uint64(count)):
        product_ *= x[first + g]
    return product_
