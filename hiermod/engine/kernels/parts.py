"""The parts of a density in compiled code: single parameters, covariances of effects, and how information grows."""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels.effects import covariance_factor, covariance_factor_back
from hiermod.engine.kernels.hyperparameters import ARGUMENTS, FIELDS, constrain
from hiermod.engine.kernels.record import (
    AUXILIARY,
    BAR_COLUMNS,
    BAR_FIELDS,
    BAR_FIRST,
    BAR_PARTIAL,
    BAR_SDS,
    BAR_TABLE,
    BARS,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    FIRST_BAR,
    SCALAR_ARGUMENTS,
    SCALAR_CENTRE,
    SCALAR_KINDS,
    SCALAR_MAP,
    SCALARS,
    SCALE,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT

Array = np.ndarray


@numba.njit(**NJIT)
def single_parameters(head: Array, z: Array, at: int, values: Array, x: Array, slopes: Array, by_value: Array) -> float:
    """Standard deviations and the like from their coordinates; returns the log density of their priors."""
    count = head[SCALARS]
    centre, map_ = doubles(head, SCALAR_CENTRE, count), doubles(head, SCALAR_MAP, count * count)
    kinds = integers(head, SCALAR_KINDS, FIELDS * count)
    arguments = doubles(head, SCALAR_ARGUMENTS, ARGUMENTS * count)
    for i in range(count):
        values[i] = centre[i]
        for j in range(count):
            values[i] += map_[i * count + j] * z[at + j]
    return constrain(values, count, kinds, arguments, x, slopes, by_value)


@numba.njit(**NJIT)
def factor_covariance(head: Array, factor: int, x: Array, out: Array) -> None:
    """Λ of a factor: that of its bars, along the diagonal."""
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    first, bars = table[factor * FACTOR_FIELDS + FIRST_BAR], table[factor * FACTOR_FIELDS + BARS]
    rows = integers(head, BAR_TABLE, (first + bars) * BAR_FIELDS)
    out[:, :] = 0.0
    for bar in range(first, first + bars):
        at = bar * BAR_FIELDS
        covariance_factor(
            x, rows[at + BAR_SDS], rows[at + BAR_PARTIAL], rows[at + BAR_FIRST], rows[at + BAR_COLUMNS], out
        )


@numba.njit(**NJIT)
def factor_covariance_back(head: Array, factor: int, x: Array, lam: Array, by_lam: Array, by_x: Array) -> None:
    """Add the derivatives by what a covariance is made of."""
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    first, bars = table[factor * FACTOR_FIELDS + FIRST_BAR], table[factor * FACTOR_FIELDS + BARS]
    rows = integers(head, BAR_TABLE, (first + bars) * BAR_FIELDS)
    for bar in range(first, first + bars):
        at = bar * BAR_FIELDS
        covariance_factor_back(
            x, rows[at + BAR_SDS], rows[at + BAR_PARTIAL], rows[at + BAR_FIRST], rows[at + BAR_COLUMNS], lam, by_lam,
            by_x,
        )  # fmt: skip


@numba.njit(**NJIT)
def information_scale(head: Array, x: Array) -> float:
    """By what the root of the data's information differs from that at the reference: (parameter / its value)^power."""
    numbers = doubles(head, SCALE, 2)
    if numbers[1] == 0.0:
        return 1.0
    return (x[head[AUXILIARY]] / numbers[0]) ** numbers[1]


@numba.njit(**NJIT)
def information_scale_back(head: Array, x: Array, s: float, by_s: float, by_x: Array) -> None:
    """Add the derivative by the family's parameter."""
    power = doubles(head, SCALE, 2)[1]
    if power != 0.0:
        by_x[head[AUXILIARY]] += by_s * power * s / x[head[AUXILIARY]]
