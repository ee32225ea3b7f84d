"""What groups' effects add to the linear predictor of a block of rows, and the way back, in compiled code.

Rows may be sorted by the last factor's groups; then its groups are runs of rows, which vectorise.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels.record import (
    CODES,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    FIRST_MULTIPLIER,
    GROUP_ENDS,
    GROUPS,
    MULTIPLIERS,
    PLAIN_MULTIPLIERS,
    ROWS,
    SORTED,
    START,
    WIDTH,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.vector_ops import add, add_scaled, dot, total

Array = np.ndarray


@numba.njit(**NJIT)
def add_effects(head: Array, theta: Array, start: int, own: int, eta: Array) -> None:
    """Add the effects of `own` rows from `start` on."""
    rows, factors = head[ROWS], head[FACTORS]
    table, codes = integers(head, FACTOR_TABLE, factors * FACTOR_FIELDS), integers(head, CODES, factors * rows)
    for factor in range(factors):
        place, at = factor * FACTOR_FIELDS, factor * rows + start
        groups = table[place + GROUPS]
        for column in range(table[place + WIDTH]):
            first = table[place + START] + column * groups
            multiplier = table[place + FIRST_MULTIPLIER] + column
            if head[SORTED] and factor == factors - 1:
                _add_runs(head, theta, first, codes[at], multiplier, start, own, eta)
            else:
                _gather(head, theta, first, codes, at, multiplier, start, own, eta)


@numba.njit(**NJIT)
def add_scores(head: Array, score: Array, start: int, own: int, by_theta: Array) -> None:
    """Add the scores of `own` rows from `start` on to the derivatives by their effects."""
    rows, factors = head[ROWS], head[FACTORS]
    table, codes = integers(head, FACTOR_TABLE, factors * FACTOR_FIELDS), integers(head, CODES, factors * rows)
    for factor in range(factors):
        place, at = factor * FACTOR_FIELDS, factor * rows + start
        groups = table[place + GROUPS]
        for column in range(table[place + WIDTH]):
            first = table[place + START] + column * groups
            multiplier = table[place + FIRST_MULTIPLIER] + column
            if head[SORTED] and factor == factors - 1:
                _sum_runs(head, score, first, codes[at], multiplier, start, own, by_theta)
            else:
                _scatter(head, score, first, codes, at, multiplier, start, own, by_theta)


@numba.njit(**NJIT)
def _multipliers(head: Array, multiplier: int) -> Array:
    """What the effects of all rows are multiplied by; empty where that is one."""
    if integers(head, PLAIN_MULTIPLIERS, multiplier + 1)[multiplier]:
        return doubles(head, MULTIPLIERS, 0)
    return doubles(head, MULTIPLIERS, (multiplier + 1) * head[ROWS])


@numba.njit(**NJIT)
def _add_runs(
    head: Array, theta: Array, first: int, group: int, multiplier: int, start: int, own: int, eta: Array
) -> None:
    numbers, here = _multipliers(head, multiplier), multiplier * head[ROWS] + start
    ends, base, group_, done = integers(head, GROUP_ENDS, group + own), np.uint64(first), np.uint64(group), 0
    while done < own:
        stop = min(own, ends[group_] - start)
        if len(numbers):
            add_scaled(eta, done, numbers, here + done, theta[base + group_], stop - done)
        else:
            add(eta, done, theta[base + group_], stop - done)
        done, group_ = stop, group_ + np.uint64(1)


@numba.njit(**NJIT)
def _sum_runs(
    head: Array, score: Array, first: int, group: int, multiplier: int, start: int, own: int, by_theta: Array
) -> None:
    numbers, here = _multipliers(head, multiplier), multiplier * head[ROWS] + start
    ends, base, group_, done = integers(head, GROUP_ENDS, group + own), np.uint64(first), np.uint64(group), 0
    while done < own:
        stop = min(own, ends[group_] - start)
        if len(numbers):
            by_theta[base + group_] += dot(score, done, numbers, here + done, stop - done)
        else:
            by_theta[base + group_] += total(score, done, stop - done)
        done, group_ = stop, group_ + np.uint64(1)


@numba.njit(**NJIT)
def _gather(
    head: Array, theta: Array, first: int, codes: Array, at: int, multiplier: int, start: int, own: int, eta: Array
) -> None:
    numbers, here = _multipliers(head, multiplier), np.uint64(multiplier * head[ROWS] + start)
    base, place = np.uint64(first), np.uint64(at)
    if not len(numbers):
        for i in range(np.uint64(own)):
            eta[i] += theta[base + np.uint64(codes[place + i])]
        return
    for i in range(np.uint64(own)):
        eta[i] += theta[base + np.uint64(codes[place + i])] * numbers[here + i]


@numba.njit(**NJIT)
def _scatter(
    head: Array, score: Array, first: int, codes: Array, at: int, multiplier: int, start: int, own: int, by_theta: Array
) -> None:
    numbers, here = _multipliers(head, multiplier), np.uint64(multiplier * head[ROWS] + start)
    base, place = np.uint64(first), np.uint64(at)
    if not len(numbers):
        for i in range(np.uint64(own)):
            by_theta[base + np.uint64(codes[place + i])] += score[i]
        return
    for i in range(np.uint64(own)):
        by_theta[base + np.uint64(codes[place + i])] += score[i] * numbers[here + i]
