"""The parts of a density in compiled code: single parameters, common coefficients, covariances, scores of effects."""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.effects import covariance_factor, covariance_factor_back
from hiermod.engine.head import (
    BAR_COLUMNS,
    BAR_FIELDS,
    BAR_FIRST,
    BAR_PARTIAL,
    BAR_SDS,
    BAR_TABLE,
    BARS,
    COEFFICIENT_ARGUMENTS,
    COEFFICIENT_KINDS,
    COEFFICIENTS,
    COUPLING,
    COUPLING_COLUMNS,
    COUPLING_ROWS,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    FIRST_BAR,
    LINEAR,
    LINEAR_MAP,
    REFERENCE,
    SCALAR_ARGUMENTS,
    SCALAR_CENTRE,
    SCALAR_KINDS,
    SCALAR_MAP,
    SCALARS,
    doubles,
    integers,
)  # fmt: skip
from hiermod.engine.scalars import ARGUMENTS, FIELDS, constrain, log_prior
from hiermod.engine.special import NJIT

PLACED = 2  # column of the kinds of scalars: the common coefficient that one is, -1 for none
Array = np.ndarray


@numba.njit(**NJIT)
def single_parameters(head: Array, z: Array, at: int, x: Array, slopes: Array, by_value: Array) -> float:
    """Standard deviations and the like from their coordinates; returns the log density of their priors."""
    count = head[SCALARS]
    centre, map_ = doubles(head, SCALAR_CENTRE, count), doubles(head, SCALAR_MAP, count * count)
    kinds = integers(head, SCALAR_KINDS, FIELDS * count)
    arguments = doubles(head, SCALAR_ARGUMENTS, ARGUMENTS * count)
    values = np.empty(count)
    for i in range(count):
        values[i] = centre[i]
        for j in range(count):
            values[i] += map_[i * count + j] * z[at + j]
    return constrain(values, count, kinds, arguments, x, slopes, by_value)


@numba.njit(**NJIT)
def common_coefficients(head: Array, w: Array, x: Array, theta: Array) -> None:
    """Write the common coefficients of the centred design."""
    linear, count = head[LINEAR], head[SCALARS]
    reference, map_ = doubles(head, REFERENCE, head[COEFFICIENTS]), doubles(head, LINEAR_MAP, linear * linear)
    for i in range(linear):
        theta[i] = reference[i]
        for j in range(linear):
            theta[i] += map_[i * linear + j] * w[j]
    kinds = integers(head, SCALAR_KINDS, FIELDS * count)
    for i in range(count):
        if kinds[i * FIELDS + PLACED] >= 0:
            theta[kinds[i * FIELDS + PLACED]] = x[i]


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
def score_given_others(head: Array, theta: Array, size: int, out: Array, at: int) -> None:
    """Take from a factor's score what other coefficients explain."""
    reference = doubles(head, REFERENCE, head[COEFFICIENTS])
    rows = integers(head, COUPLING_ROWS, size + 1)
    columns, values = integers(head, COUPLING_COLUMNS, rows[size]), doubles(head, COUPLING, rows[size])
    for i in range(size):
        total = 0.0
        for k in range(rows[i], rows[i + 1]):
            total += values[k] * (theta[columns[k]] - reference[columns[k]])
        out[at + i] -= total


@numba.njit(**NJIT)
def score_given_others_back(head: Array, by_score: Array, size: int, by_theta: Array) -> None:
    """Add the derivatives by the other coefficients."""
    rows = integers(head, COUPLING_ROWS, size + 1)
    columns, values = integers(head, COUPLING_COLUMNS, rows[size]), doubles(head, COUPLING, rows[size])
    for i in range(size):
        own = by_score[i]
        for k in range(rows[i], rows[i + 1]):
            by_theta[columns[k]] -= values[k] * own


@numba.njit(**NJIT)
def coefficient_priors(head: Array, theta: Array, by_theta: Array) -> float:
    """Log density of the priors of common coefficients that the line supports; adds its derivative."""
    linear = head[LINEAR]
    kinds = integers(head, COEFFICIENT_KINDS, linear)
    numbers = doubles(head, COEFFICIENT_ARGUMENTS, 3 * linear)
    total = 0.0
    for i in range(linear):
        density, slope = log_prior(kinds[i], numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2], theta[i])
        total += density
        by_theta[i] += slope
    return total
