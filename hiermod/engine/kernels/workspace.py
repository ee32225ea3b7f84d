"""Room for one evaluation of a density, cut from a single allocation: many cost more than small models do."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba import carray

from hiermod.engine.kernels.dense import stride_of
from hiermod.engine.kernels.effects import LANES
from hiermod.engine.kernels.record import (
    BLOCK,
    COEFFICIENTS,
    COMMON,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    GROUPS,
    LINEAR,
    SCALARS,
    TOGETHER,
    WIDTH,
    integers,
    pointer,
    size_together,
)
from hiermod.engine.kernels.special import NJIT

Array = np.ndarray


class Workspace(NamedTuple):
    """Arrays of one evaluation.

    Of all coefficients: `theta`, `by_theta`. Of coordinates: `w`, `by_w`. Of single parameters: `values` on the line,
    `x`, `slopes`, `by_value`, `by_x`. Of common ones: `along`, `spread`. Of effects: `given`, `shifted`, `own`,
    `normals`, `by_score`. Of groups' matrices: `lower`, `product`. Of a factor's: `squares`. Of lanes: `inner`, `back`,
    `terms`. Of coefficients sampled jointly: `joint`. Of a block of rows: `eta`, `row_scores`. All of it: `owner`.
    """

    theta: Array
    by_theta: Array
    w: Array
    by_w: Array
    values: Array
    x: Array
    slopes: Array
    by_value: Array
    by_x: Array
    along: Array
    spread: Array
    given: Array
    shifted: Array
    own: Array
    normals: Array
    by_score: Array
    lower: Array
    product: Array
    squares: Array
    inner: Array
    back: Array
    terms: Array
    eta: Array
    row_scores: Array
    joint: Array
    owner: Array


@numba.njit(**NJIT)
def workspace(head: Array) -> Workspace:
    """Allocate; `by_x` is zero, the rest is not set."""
    common, linear, size, count = head[COMMON], head[LINEAR], head[COEFFICIENTS], head[SCALARS]
    own, effects, matrices, width = size - common + linear, size - common, 0, 0
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    for factor in range(head[FACTORS]):
        d = table[factor * FACTOR_FIELDS + WIDTH]
        matrices += table[factor * FACTOR_FIELDS + GROUPS] * d * d
        width = max(width, d)
    square = width * width
    together = size_together(head)
    jointly = together * (3 * stride_of(together) + 3)
    for factor in range(head[TOGETHER]):
        jointly += table[factor * FACTOR_FIELDS + WIDTH] ** 2
    all_ = np.empty(
        2 * (size + own + matrices)
        + 5 * (count + effects)
        + 3 * linear
        + 4 * square
        + (square + width + 1) * LANES
        + 2 * BLOCK
        + jointly
    )
    a = 2 * size
    b = a + 2 * own
    c = b + 5 * count
    d = c + 3 * linear
    e = d + 5 * effects
    f = e + 2 * matrices
    g = f + 4 * square
    h = g + square * LANES
    i = h + (width + 1) * LANES
    all_[b + 4 * count : c] = 0.0
    return Workspace(
        _cut(all_, 0, size), _cut(all_, size, size), _cut(all_, a, own), _cut(all_, a + own, own),
        _cut(all_, b, count), _cut(all_, b + count, count), _cut(all_, b + 2 * count, count),
        _cut(all_, b + 3 * count, count), _cut(all_, b + 4 * count, count),
        _cut(all_, c, linear), _cut(all_, c + linear, 2 * linear),
        _cut(all_, d, effects), _cut(all_, d + effects, effects), _cut(all_, d + 2 * effects, effects),
        _cut(all_, d + 3 * effects, effects), _cut(all_, d + 4 * effects, effects),
        _cut(all_, e, matrices), _cut(all_, e + matrices, matrices), _cut(all_, f, 4 * square),
        _cut(all_, g, square * LANES), _cut(all_, h, width * LANES), _cut(all_, h + width * LANES, LANES),
        _cut(all_, i, BLOCK), _cut(all_, i + BLOCK, BLOCK), _cut(all_, i + 2 * BLOCK, jointly), all_,
    )  # fmt: skip


@numba.njit(**NJIT)
def _cut(all_: Array, at: int, size: int) -> Array:
    """A view that is not counted among the owners of its memory: counting costs more than small models do."""
    return carray(pointer(all_.ctypes.data + 8 * at), (size,), dtype=np.float64)


@numba.njit(**NJIT)
def square_of(work: Workspace, place: int, d: int) -> Array:
    """One of the four matrices of a factor: Λ, sΛ, and the derivatives by both."""
    return carray(pointer(work.squares.ctypes.data + 8 * place * d * d), (d, d), dtype=np.float64)
