"""A log likelihood and its gradient, in compiled code: of blocks of rows, or of a matrix of products."""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels.families import score_block
from hiermod.engine.kernels.grouped import add_effects, add_scores
from hiermod.engine.kernels.record import (
    BLOCK,
    COEFFICIENTS,
    COMMON,
    COUNT,
    DESIGN,
    FAMILY,
    OFFSET,
    OFFSETS,
    PLAIN_COLUMNS,
    PRODUCT_COLUMNS,
    PRODUCT_NUMBERS,
    PRODUCT_POINT,
    PRODUCT_ROWS,
    PRODUCT_SCORE,
    PRODUCT_VALUES,
    PRODUCTS,
    RESPONSE,
    ROWS,
    SIZE,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.vector_ops import add_scaled, dot, fill, total

Array = np.ndarray


@numba.njit(**NJIT)
def score_rows(
    head: Array, theta: Array, auxiliary: Array, first: int, last: int, by_theta: Array, slopes: Array, eta: Array,
    score: Array,
) -> float:  # fmt: skip
    """Log likelihood of rows from `first` to before `last`; adds its derivatives; `eta` and `score` have `BLOCK`."""
    rows = head[ROWS]
    response, size = doubles(head, RESPONSE, rows), doubles(head, SIZE, rows)
    count = doubles(head, COUNT, rows)
    result = 0.0
    for start in range(first, last, BLOCK):
        own = min(BLOCK, last - start)
        linear_predictor(head, theta, start, own, eta)
        result += score_block(head[FAMILY], eta, response, size, count, start, own, auxiliary, score, slopes)
        scatter(head, score, start, own, by_theta)
    return result


@numba.njit(**NJIT)
def linear_predictor(head: Array, theta: Array, start: int, own: int, eta: Array) -> None:
    """Write the linear predictor of `own` rows from `start` on."""
    rows, common = head[ROWS], head[COMMON]
    design = doubles(head, DESIGN, common * rows)
    plain = integers(head, PLAIN_COLUMNS, common)
    base = 0.0
    for j in range(common):
        if plain[j]:
            base += theta[j]
    fill(eta, 0, base, own)
    if head[OFFSETS]:
        add_scaled(eta, 0, doubles(head, OFFSET, rows), start, 1.0, own)
    for j in range(common):
        if not plain[j]:
            add_scaled(eta, 0, design, j * rows + start, theta[j], own)
    add_effects(head, theta, start, own, eta)


@numba.njit(**NJIT)
def scatter(head: Array, score: Array, start: int, own: int, by_theta: Array) -> None:
    """Add the scores of `own` rows to the derivatives by their coefficients."""
    rows, common = head[ROWS], head[COMMON]
    design, plain = doubles(head, DESIGN, common * rows), integers(head, PLAIN_COLUMNS, common)
    for j in range(common):
        by_theta[j] += total(score, 0, own) if plain[j] else dot(score, 0, design, j * rows + start, own)
    add_scores(head, score, start, own, by_theta)


@numba.njit(**NJIT)
def products_likelihood(head: Array, theta: Array, auxiliary: Array, by_theta: Array, slopes: Array) -> float:
    """A Gaussian log likelihood from F'F, and from F'(y − Fp) and the squares left at a point p near the mode.

    The matrix is symmetric and holds its upper triangle by rows, the diagonal first in each.
    """
    size, sigma = head[COEFFICIENTS], auxiliary[0]
    rows, columns = integers(head, PRODUCT_ROWS, size + 1), integers(head, PRODUCT_COLUMNS, head[PRODUCTS])
    values = doubles(head, PRODUCT_VALUES, head[PRODUCTS])
    score, point = doubles(head, PRODUCT_SCORE, size), doubles(head, PRODUCT_POINT, size)
    numbers = doubles(head, PRODUCT_NUMBERS, 2)
    step = theta - point
    by_theta[:] = 0.0
    for i in range(size):
        begin, end, own, sum_ = rows[i], rows[i + 1], step[i], 0.0
        if begin == end:
            continue
        for k in range(np.uint64(begin + 1), np.uint64(end)):
            column = np.uint64(columns[k])
            sum_ += values[k] * step[column]
            by_theta[column] += values[k] * own
        by_theta[i] += sum_ + values[begin] * own
    squares = numbers[0]
    precision = 1.0 / (sigma * sigma)
    for i in range(size):
        squares += step[i] * (by_theta[i] - 2.0 * score[i])
        by_theta[i] = (score[i] - by_theta[i]) * precision
    slopes[0] += (squares * precision - numbers[1]) / sigma
    return -0.5 * squares * precision - numbers[1] * math.log(sigma)
