"""A log likelihood and its gradient, in compiled code: of blocks of rows, or of a matrix of products.

A likelihood is a list of segments, each a run of rows with the kernel that scores them.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.grouped import add_effects, add_scores
from hiermod.engine.kernels.numbers.sparse import dot_and_add_scaled
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, add_two_scaled, dot, fill, set_scaled, total, two_dots
from hiermod.engine.kernels.record import BLOCK, BY_ROWS
from hiermod.engine.kernels.rows import by_rows
from hiermod.engine.kernels.rows.families import score_block
from hiermod.engine.kernels.views import doubles, integers, segment_at


@numba.njit(**NJIT)
def score_rows(record: Any, work: Any, first: int, last: int) -> float:
    """Log likelihood of rows from `first` to before `last`; adds its derivatives."""
    result = 0.0
    for place in range(record.segments):
        segment = segment_at(record.segment_table, place)
        end = min(last, segment.last)
        for start in range(max(first, segment.first), end, BLOCK):
            count = min(BLOCK, end - start)
            if segment.kernel >= BY_ROWS:
                by_rows.linear_predictors(segment.kernel, record, work, start, count)
                result += by_rows.score(segment.kernel, record, work, start, count)
                by_rows.scatter(segment.kernel, record, work, start, count)
                continue
            linear_predictor(record, work, start, count)
            result += score_block(segment.kernel, record, work, start, count)
            scatter(record, work, start, count)
    return result


@numba.njit(**NJIT)
def linear_predictor(record: Any, work: Any, start: int, count: int) -> None:
    """Write the linear predictor of `count` rows from `start` on."""
    rows, common = record.rows, record.common
    design, plain = doubles(record.design), integers(record.plain_columns)
    theta, eta = doubles(work.theta), doubles(work.eta)
    base = 0.0
    for j in range(common):
        if plain[j]:
            base += theta[j]
    begun, waiting = False, -1
    if record.has_offset:
        set_scaled(eta, 0, base, doubles(record.offset), start, 1.0, count)
        begun = True
    for j in range(common):
        if plain[j]:
            continue
        if not begun:
            set_scaled(eta, 0, base, design, j * rows + start, theta[j], count)
            begun = True
        elif waiting < 0:
            waiting = j
        else:
            add_two_scaled(eta, 0, design, waiting * rows + start, theta[waiting], j * rows + start, theta[j], count)
            waiting = -1
    if not begun:
        fill(eta, 0, base, count)
    if waiting >= 0:
        add_scaled(eta, 0, design, waiting * rows + start, theta[waiting], count)
    add_effects(record, theta, start, count, eta)


@numba.njit(**NJIT)
def scatter(record: Any, work: Any, start: int, count: int) -> None:
    """Add the scores of `count` rows to the derivatives by their coefficients."""
    rows, common = record.rows, record.common
    design, plain = doubles(record.design), integers(record.plain_columns)
    score, by_theta = doubles(work.row_scores), doubles(work.by_theta)
    waiting = -1
    for j in range(common):
        if plain[j]:
            by_theta[j] += total(score, 0, count)
        elif waiting < 0:
            waiting = j
        else:
            one, other = two_dots(score, 0, design, waiting * rows + start, j * rows + start, count)
            by_theta[waiting] += one
            by_theta[j] += other
            waiting = -1
    if waiting >= 0:
        by_theta[waiting] += dot(score, 0, design, waiting * rows + start, count)
    add_scores(record, score, start, count, by_theta)


@numba.njit(**NJIT)
def products_likelihood(record: Any, work: Any) -> float:
    """A Gaussian log likelihood from F'F, and from F'(y − Fp) and the squares that remain at a point p near the mode.

    The matrix is symmetric and holds its upper triangle by rows, the diagonal first in each.
    """
    size, sigma = record.coefficients, doubles(work.auxiliary)[0]
    rows = integers(record.product_rows)
    columns, values = integers(record.product_columns), doubles(record.product_values)
    score, point = doubles(record.product_score), doubles(record.product_point)
    numbers = doubles(record.product_numbers)
    theta, by_theta, step = doubles(work.theta), doubles(work.by_theta), doubles(work.step)
    for i in range(size):
        step[i] = theta[i] - point[i]
    fill(by_theta, 0, 0.0, size)
    for i in range(size):
        begin, end, along = rows[i], rows[i + 1], step[i]
        if begin == end:
            continue
        sum_ = dot_and_add_scaled(values, columns, begin + 1, end, step, by_theta, along)
        by_theta[i] += sum_ + values[begin] * along
    squares = numbers[0]
    precision = 1.0 / (sigma * sigma)
    for i in range(size):
        squares += step[i] * (by_theta[i] - 2.0 * score[i])
        by_theta[i] = (score[i] - by_theta[i]) * precision
    doubles(work.by_auxiliary)[0] += (squares * precision - numbers[1]) / sigma
    return -0.5 * squares * precision - numbers[1] * math.log(sigma)
