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


@numba.njit(**NJIT)
def add_effects(record: Any, theta: Array, start: int, count: int, eta: Array) -> None:
    """Add the effects of `count` rows from `start` on."""
    rows, factors = record.rows, record.factors
    codes = integers(record.codes)
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
    codes = integers(record.codes)
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
    codes = integers(record.codes)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        slots = integers(record.effect_slots)
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
    codes = integers(record.codes)
    for place in range(factors):
        factor, at = factor_at(record.factor_table, place), place * rows + start
        slots = integers(record.effect_slots)
        for column in range(factor.width):
            first, multiplier = factor.start + column * factor.groups, factor.multiplier + column
            if slots[multiplier] != slot:
                continue
            if record.is_sorted and place == factors - 1:
                _sum_runs(record, score, first, codes[at], multiplier, start, count, by_theta)
            else:
                _scatter(record, score, first, codes, at, multiplier, start, count, by_theta)


@numba.njit(**NJIT)
def _is_plain(record: Any, multiplier: int) -> int:
    """Whether effects are multiplied by one in all rows."""
    return integers(record.plain_multipliers)[multiplier]


@numba.njit(**NJIT)
def _add_runs(
    record: Any, theta: Array, first: int, group: int, multiplier: int, start: int, count: int, eta: Array
) -> None:
    numbers, here = doubles(record.multipliers), multiplier * record.rows + start
    ends, plain, place, done = integers(record.group_ends), _is_plain(record, multiplier), first + group, 0
    while done < count:
        stop = min(count, ends[group] - start)
        if plain:
            add(eta, done, theta[place], stop - done)
        else:
            add_scaled(eta, done, numbers, here + done, theta[place], stop - done)
        done, place, group = stop, place + 1, group + 1


@numba.njit(**NJIT)
def _sum_runs(
    record: Any, score: Array, first: int, group: int, multiplier: int, start: int, count: int, by_theta: Array
) -> None:
    numbers, here = doubles(record.multipliers), multiplier * record.rows + start
    ends, plain, place, done = integers(record.group_ends), _is_plain(record, multiplier), first + group, 0
    while done < count:
        stop = min(count, ends[group] - start)
        if plain:
            by_theta[place] += total(score, done, stop - done)
        else:
            by_theta[place] += dot(score, done, numbers, here + done, stop - done)
        done, place, group = stop, place + 1, group + 1


@numba.njit(**NJIT)
def _gather(
    record: Any, theta: Array, first: int, codes: Array, at: int, multiplier: int, start: int, count: int, eta: Array
) -> None:
    numbers, here = doubles(record.multipliers), multiplier * record.rows + start
    if _is_plain(record, multiplier):
        k = 0
        while k + 3 < count:  # four in a turn, since the compiler does not unroll
            eta[k] += theta[first + codes[at + k]]
            eta[k + 1] += theta[first + codes[at + k + 1]]
            eta[k + 2] += theta[first + codes[at + k + 2]]
            eta[k + 3] += theta[first + codes[at + k + 3]]
            k += 4
        while k < count:
            eta[k] += theta[first + codes[at + k]]
            k += 1
        return
    for i in range(count):
        eta[i] += theta[first + codes[at + i]] * numbers[here + i]


@numba.njit(**NJIT)
def _scatter(
    record: Any, score: Array, first: int, codes: Array, at: int, multiplier: int, start: int, count: int,
    by_theta: Array,
) -> None:  # fmt: skip
    numbers, here = doubles(record.multipliers), multiplier * record.rows + start
    if _is_plain(record, multiplier):
        k = 0
        while k + 3 < count:
            by_theta[first + codes[at + k]] += score[k]
            by_theta[first + codes[at + k + 1]] += score[k + 1]
            by_theta[first + codes[at + k + 2]] += score[k + 2]
            by_theta[first + codes[at + k + 3]] += score[k + 3]
            k += 4
        while k < count:
            by_theta[first + codes[at + k]] += score[k]
            k += 1
        return
    for i in range(count):
        by_theta[first + codes[at + i]] += score[i] * numbers[here + i]
