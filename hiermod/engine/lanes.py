"""Arithmetic on runs of numbers inside flat arrays, each a loop that the compiler vectorises."""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.elementary import log
from hiermod.engine.special import NJIT

Array = np.ndarray


@numba.njit(**NJIT)
def fill(out: Array, at: int, value: float, count: int) -> None:
    """Set a run."""
    for g in range(count):
        out[at + g] = value


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
def add_product(
    out: Array, at: int, x: Array, from_: int, y: Array, and_: int, scale: float, count: int
) -> None:
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


@numba.njit(**NJIT)
def total(x: Array, at: int, count: int) -> float:
    """Sum a run, in eight lanes."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    e, f, g, h = 0.0, 0.0, 0.0, 0.0
    whole = at + count - count % 8
    for i in range(at, whole, 8):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        e += x[i + 4]
        f += x[i + 5]
        g += x[i + 6]
        h += x[i + 7]
    rest = 0.0
    for i in range(whole, at + count):
        rest += x[i]
    return ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest


@numba.njit(**NJIT)
def dot(x: Array, at: int, y: Array, and_: int, count: int) -> float:
    """Sum of products of two runs, in eight lanes."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    e, f, g, h = 0.0, 0.0, 0.0, 0.0
    whole = count - count % 8
    for i in range(0, whole, 8):
        k, m = at + i, and_ + i
        a += x[k] * y[m]
        b += x[k + 1] * y[m + 1]
        c += x[k + 2] * y[m + 2]
        d += x[k + 3] * y[m + 3]
        e += x[k + 4] * y[m + 4]
        f += x[k + 5] * y[m + 5]
        g += x[k + 6] * y[m + 6]
        h += x[k + 7] * y[m + 7]
    rest = 0.0
    for i in range(whole, count):
        rest += x[at + i] * y[and_ + i]
    return ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
