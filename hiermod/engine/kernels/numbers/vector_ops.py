"""Arithmetic on runs of numbers inside flat arrays, each a loop that the compiler vectorises."""

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
    for g in range(count):
        out[at + g] = value


@numba.njit(**NJIT)
def add(out: Array, at: int, value: float, count: int) -> None:
    """Add a number to a run."""
    for g in range(count):
        out[at + g] += value


@numba.njit(**NJIT)
def copy(out: Array, at: int, x: Array, from_: int, count: int) -> None:
    """Copy a run."""
    for g in range(count):
        out[at + g] = x[from_ + g]


@numba.njit(**NJIT)
def add_scaled(out: Array, at: int, x: Array, from_: int, scale: float, count: int) -> None:
    """Add a multiple of another run."""
    for g in range(count):
        out[at + g] += scale * x[from_ + g]


@numba.njit(**NJIT)
def set_scaled(out: Array, at: int, base: float, x: Array, from_: int, scale: float, count: int) -> None:
    """Set a run to a number and a multiple of another run."""
    for g in range(count):
        out[at + g] = base + scale * x[from_ + g]


@numba.njit(**NJIT)
def add_two_scaled(
    out: Array, at: int, x: Array, from_: int, scale: float, and_from: int, and_scale: float, count: int
) -> None:
    """Add multiples of two runs of one array."""
    for g in range(count):
        out[at + g] = (out[at + g] + scale * x[from_ + g]) + and_scale * x[and_from + g]


@numba.njit(**NJIT)
def scale(out: Array, at: int, factor: float, count: int) -> None:
    """Multiply a run by a number."""
    if factor != 1.0:
        for g in range(count):
            out[at + g] *= factor


@numba.njit(**NJIT)
def add_product(out: Array, at: int, x: Array, from_: int, y: Array, and_: int, scale: float, count: int) -> None:
    """Add a multiple of the product of two runs."""
    for g in range(count):
        out[at + g] += scale * x[from_ + g] * y[and_ + g]


@numba.njit(**NJIT)
def divide(out: Array, at: int, y: Array, by: int, count: int) -> None:
    """Divide by another run."""
    for g in range(count):
        out[at + g] /= y[by + g]


@numba.njit(**NJIT)
def root(out: Array, at: int, terms: Array, count: int) -> None:
    """Take square roots, and their logarithms from `terms`."""
    for g in range(count):
        terms[g] -= 0.5 * log(out[at + g])
        out[at + g] = math.sqrt(out[at + g])


@numba.njit(**SUMMED)
def total(x: Array, at: int, count: int) -> float:
    """Sum a run."""
    sum_ = 0.0
    for g in range(count):
        sum_ += x[at + g]
    return sum_


@numba.njit(**SUMMED)
def dot(x: Array, at: int, y: Array, and_: int, count: int) -> float:
    """Sum of products of two runs."""
    sum_ = 0.0
    for g in range(count):
        sum_ += x[at + g] * y[and_ + g]
    return sum_


@numba.njit(**SUMMED)
def two_dots(x: Array, at: int, y: Array, and_: int, and_other: int, count: int) -> tuple[float, float]:
    """Sums of products of a run with two runs of another array."""
    sum_, other_sum = 0.0, 0.0
    for g in range(count):
        sum_ += x[at + g] * y[and_ + g]
        other_sum += x[at + g] * y[and_other + g]
    return sum_, other_sum


@numba.njit(**SUMMED)
def product(x: Array, at: int, count: int) -> float:
    """Product of a run."""
    product_ = 1.0
    for g in range(count):
        product_ *= x[at + g]
    return product_
