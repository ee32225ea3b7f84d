"""What groups' effects add to the linear predictor of a block of rows, and the way back, in compiled code.

Rows may be sorted by the last factor's groups; then its groups are runs of rows, which vectorise.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.vector_ops import add, add_scaled, dot, total
from hiermod.engine.kernels.views import doubles, factor_at, integers

Array = np.ndarray

ONE, TWO, THREE, FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


@numba.njit(**NJIT)
def add_effects(record: Any, theta: Array, start: int, count: int, eta: Array) -> None:
    """Add the effects of `count` rows from `start` on."""
    rows, factors = record.rows, record.factors
    codes = integers(record.codes, factors * rows)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        for column in range(factor.width):
            first, multiplier = factor.start + column * factor.groups, factor.multiplier + column
            if record.is_sorted and place == factors - 1:
                _add_runs(record, theta, first, codes[at], multiplier, start, count, eta)
            else:
                _gather(record, theta, first, codes, at, multiplier, start, count, eta)


@numba.njit(**NJIT)
def add_scores(record: Any, score: Array, start: int, count: int, by_theta: Array) -> None:
    """Add the scores of `count` rows from `start` on to the derivatives by their effects."""
    rows, factors = record.rows, record.factors
    codes = integers(record.codes, factors * rows)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        for column in range(factor.width):
            first, multiplier = factor.start + column * factor.groups, factor.multiplier + column
            if record.is_sorted and place == factors - 1:
                _sum_runs(record, score, first, codes[at], multiplier, start, count, by_theta)
            else:
                _scatter(record, score, first, codes, at, multiplier, start, count, by_theta)


@numba.njit(**NJIT)
def add_effects_of(record: Any, slot: int, theta: Array, start: int, count: int, eta: Array) -> None:
    """Add the effects that stand in one parameter's linear predictor."""
    rows, factors = record.rows, record.factors
    codes = integers(record.codes, factors * rows)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        slots = integers(record.effect_slots, factor.multiplier + factor.width)
        for column in range(factor.width):
            first, multiplier = factor.start + column * factor.groups, factor.multiplier + column
            if slots[multiplier] != slot:
                continue
            if record.is_sorted and place == factors - 1:
                _add_runs(record, theta, first, codes[at], multiplier, start, count, eta)
            else:
                _gather(record, theta, first, codes, at, multiplier, start, count, eta)


@numba.njit(**NJIT)
def add_scores_of(record: Any, slot: int, score: Array, start: int, count: int, by_theta: Array) -> None:
    """Add the scores by one parameter's linear predictor to the derivatives by the effects that stand in it."""
    rows, factors = record.rows, record.factors
    codes = integers(record.codes, factors * rows)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        slots = integers(record.effect_slots, factor.multiplier + factor.width)
        for column in range(factor.width):
            first, multiplier = factor.start + column * factor.groups, factor.multiplier + column
            if slots[multiplier] != slot:
                continue
            if record.is_sorted and place == factors - 1:
                _sum_runs(record, score, first, codes[at], multiplier, start, count, by_theta)
            else:
                _scatter(record, score, first, codes, at, multiplier, start, count, by_theta)


@numba.njit(**NJIT, inline="always")
def _multipliers(record: Any, multiplier: int) -> Array:
    """What the effects of all rows are multiplied by; empty where that is one."""
    if integers(record.plain_multipliers, multiplier + 1)[multiplier]:
        return doubles(record.multipliers, 0)
    return doubles(record.multipliers, (multiplier + 1) * record.rows)


@numba.njit(**NJIT)
def _add_runs(
    record: Any, theta: Array, first: int, group: int, multiplier: int, start: int, count: int, eta: Array
) -> None:
    numbers, here = _multipliers(record, multiplier), multiplier * record.rows + start
    ends, base, group_, done = integers(record.group_ends, group + count), np.uint64(first), np.uint64(group), 0
    while done < count:
        stop = min(count, ends[group_] - start)
        if len(numbers):
            add_scaled(eta, done, numbers, here + done, theta[base + group_], stop - done)
        else:
            add(eta, done, theta[base + group_], stop - done)
        done, group_ = stop, group_ + np.uint64(1)


@numba.njit(**NJIT)
def _sum_runs(
    record: Any, score: Array, first: int, group: int, multiplier: int, start: int, count: int, by_theta: Array
) -> None:
    numbers, here = _multipliers(record, multiplier), multiplier * record.rows + start
    ends, base, group_, done = integers(record.group_ends, group + count), np.uint64(first), np.uint64(group), 0
    while done < count:
        stop = min(count, ends[group_] - start)
        if len(numbers):
            by_theta[base + group_] += dot(score, done, numbers, here + done, stop - done)
        else:
            by_theta[base + group_] += total(score, done, stop - done)
        done, group_ = stop, group_ + np.uint64(1)


@numba.njit(**NJIT)
def _gather(
    record: Any, theta: Array, first: int, codes: Array, at: int, multiplier: int, start: int, count: int, eta: Array
) -> None:
    numbers, here = _multipliers(record, multiplier), np.uint64(multiplier * record.rows + start)
    base, place = np.uint64(first), np.uint64(at)
    if not len(numbers):
        k, end = np.uint64(0), np.uint64(count)
        while k + THREE < end:  # four in a turn, since the compiler does not unroll
            eta[k] += theta[base + np.uint64(codes[place + k])]
            eta[k + ONE] += theta[base + np.uint64(codes[place + k + ONE])]
            eta[k + TWO] += theta[base + np.uint64(codes[place + k + TWO])]
            eta[k + THREE] += theta[base + np.uint64(codes[place + k + THREE])]
            k += FOUR
        while k < end:
            eta[k] += theta[base + np.uint64(codes[place + k])]
            k += ONE
        return
    for i in range(np.uint64(count)):
        eta[i] += theta[base + np.uint64(codes[place + i])] * numbers[here + i]


@numba.njit(**NJIT)
def _scatter(
    record: Any, score: Array, first: int, codes: Array, at: int, multiplier: int, start: int, count: int,
    by_theta: Array,
) -> None:  # fmt: skip
    numbers, here = _multipliers(record, multiplier), np.uint64(multiplier * record.rows + start)
    base, place = np.uint64(first), np.uint64(at)
    if not len(numbers):
        k, end = np.uint64(0), np.uint64(count)
        while k + THREE < end:
            by_theta[base + np.uint64(codes[place + k])] += score[k]
            by_theta[base + np.uint64(codes[place + k + ONE])] += score[k + ONE]
            by_theta[base + np.uint64(codes[place + k + TWO])] += score[k + TWO]
            by_theta[base + np.uint64(codes[place + k + THREE])] += score[k + THREE]
            k += FOUR
        while k < end:
            by_theta[base + np.uint64(codes[place + k])] += score[k]
            k += ONE
        return
    for i in range(np.uint64(count)):
        by_theta[base + np.uint64(codes[place + i])] += score[i] * numbers[here + i]
