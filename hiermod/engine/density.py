"""The whole log density of a model in the sampler's coordinates, with its gradient, in compiled code.

Coordinates are ``(w, v)``: w for the common coefficients and the effects of groups, v for single parameters (standard
deviations, correlations, auxiliary ones, and coefficients whose priors bound them). A fixed map of low rank comes first
(`directions`), then common coefficients are linear in w, and effects follow as in `effects`, those of the factor that is
`COUPLED` given all other coefficients.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.effects import LANES, covariance_factor, covariance_factor_back, effects_back, effects_forward
from hiermod.engine.head import (
    AUXILIARY, BAR_COLUMNS, BAR_FIELDS, BAR_FIRST, BAR_PARTIAL, BAR_SDS, BAR_TABLE, BARS, COEFFICIENT_ARGUMENTS,
    COEFFICIENT_KINDS, COEFFICIENTS, COMMON, COUPLED, COUPLING, COUPLING_COLUMNS, COUPLING_ROWS, DIRECTIONS,
    FACTOR_FIELDS, FACTOR_TABLE, FACTORS, FIRST_BAR, GROUPS, INFORMATION, INFORMATION_AT, LINEAR, LINEAR_MAP, RANK,
    REFERENCE, SCALAR_ARGUMENTS, SCALAR_CENTRE, SCALAR_KINDS, SCALAR_MAP, SCALARS, SCORE, SCORE_AT, START, STRETCH,
    WIDTH, doubles, integers,
)  # fmt: skip
from hiermod.engine.lanes import add_scaled, copy, dot
from hiermod.engine.likelihood import log_likelihood
from hiermod.engine.scalars import ARGUMENTS, FIELDS, constrain, log_prior
from hiermod.engine.special import NJIT

PLACED = 2  # column of the kinds of scalars: the common coefficient that one is, -1 for none
Array = np.ndarray


@numba.njit(**NJIT)
def stretched(head: Array, z: Array, out: Array, size: int) -> None:
    """Apply the symmetric map of low rank; it is its own transpose, so that gradients go back by it too."""
    rank = head[RANK]
    directions, stretch = doubles(head, DIRECTIONS, rank * size), doubles(head, STRETCH, rank)
    copy(out, 0, z, 0, size)
    for r in range(rank):
        along = stretch[r] * dot(directions, r * size, z, 0, size)
        add_scaled(out, 0, directions, r * size, along, size)


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
def _factor_covariance_back(head: Array, factor: int, x: Array, lam: Array, by_lam: Array, by_x: Array) -> None:
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
def _score_given_others(head: Array, theta: Array, size: int, out: Array, at: int) -> None:
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
def _score_given_others_back(head: Array, by_score: Array, size: int, by_theta: Array) -> None:
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


@numba.njit(**NJIT)
def expand(head: Array, z: Array, theta: Array, x: Array) -> None:
    """Coefficients and single parameters at a point."""
    by_value = np.empty(head[SCALARS])
    _forward(head, z, theta, x, by_value, np.empty(head[SCALARS]))


@numba.njit(**NJIT)
def _forward(head: Array, z: Array, theta: Array, x: Array, slopes: Array, by_value: Array):  # type: ignore[no-untyped-def]
    common, linear, size = head[COMMON], head[LINEAR], head[COEFFICIENTS]
    own_size = size - common + linear
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    w = np.empty(own_size)
    stretched(head, z, w, own_size)
    total = single_parameters(head, z, own_size, x, slopes, by_value)
    common_coefficients(head, w, x, theta)
    effects = size - common
    matrices = 0
    for factor in range(head[FACTORS]):
        matrices += table[factor * FACTOR_FIELDS + GROUPS] * table[factor * FACTOR_FIELDS + WIDTH] ** 2
    lower, product = np.empty(matrices), np.empty(matrices)
    shifted, own, normals, given, terms = (
        np.empty(effects), np.empty(effects), np.empty(effects), np.empty(effects), np.empty(LANES),
    )  # fmt: skip
    information, score = doubles(head, INFORMATION, matrices), doubles(head, SCORE, effects)
    for factor in range(head[FACTORS]):
        row = factor * FACTOR_FIELDS
        groups, d, at = table[row + GROUPS], table[row + WIDTH], table[row + SCORE_AT]
        lam = np.empty((d, d))
        factor_covariance(head, factor, x, lam)
        copy(given, at, score, at, groups * d)
        if table[row + COUPLED]:
            _score_given_others(head, theta, groups * d, given, at)
        total += effects_forward(
            d, groups, w, linear + at, lam, information, table[row + INFORMATION_AT], theta, table[row + START],
            lower, product, given, shifted, own, normals, at, terms,
        )  # fmt: skip
    return total, lower, product, shifted, own, normals, given


@numba.njit(**NJIT)
def log_density(head: Array, z: Array, gradient: Array) -> float:
    """Log density at `z` up to a constant; writes its gradient."""
    common, linear, size, count = head[COMMON], head[LINEAR], head[COEFFICIENTS], head[SCALARS]
    own_size = size - common + linear
    theta, by_theta = np.empty(size), np.empty(size)
    x, slopes, by_value, by_x = np.empty(count), np.empty(count), np.empty(count), np.zeros(count)
    total, lower, product, shifted, own, normals, given = _forward(head, z, theta, x, slopes, by_value)
    auxiliary, by_auxiliary = np.ones(2), np.zeros(2)
    first = head[AUXILIARY]
    for i in range(min(2, count - first)):
        auxiliary[i] = x[first + i]
    total += log_likelihood(head, theta, auxiliary, by_theta, by_auxiliary)
    for i in range(min(2, count - first)):
        by_x[first + i] += by_auxiliary[i]
    total += coefficient_priors(head, theta, by_theta)
    by_w = np.empty(own_size)
    _back(head, x, lower, product, shifted, own, normals, given, by_theta, by_x, by_w)
    stretched(head, by_w, gradient, own_size)
    map_ = doubles(head, SCALAR_MAP, count * count)
    for j in range(count):
        slope = 0.0
        for i in range(count):
            slope += map_[i * count + j] * (by_x[i] * slopes[i] + by_value[i])
        gradient[own_size + j] = slope
    return total


@numba.njit(**NJIT)
def _back(
    head: Array, x: Array, lower: Array, product: Array, shifted: Array, own: Array, normals: Array, given: Array,
    by_theta: Array, by_x: Array, by_w: Array,
) -> None:  # fmt: skip
    linear, count = head[LINEAR], head[SCALARS]
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    for factor in range(head[FACTORS] - 1, -1, -1):
        row = factor * FACTOR_FIELDS
        groups, d, at = table[row + GROUPS], table[row + WIDTH], table[row + SCORE_AT]
        lam, by_lam, by_score = np.empty((d, d)), np.zeros((d, d)), np.empty(groups * d)
        factor_covariance(head, factor, x, lam)
        effects_back(
            d, groups, by_theta, table[row + START], lam, lower, product, table[row + INFORMATION_AT], given, shifted,
            own, normals, at, by_w, linear + at, by_score, by_lam, np.empty(d * d * LANES), np.empty(d * LANES),
        )  # fmt: skip
        _factor_covariance_back(head, factor, x, lam, by_lam, by_x)
        if table[row + COUPLED]:
            _score_given_others_back(head, by_score, groups * d, by_theta)
    map_ = doubles(head, LINEAR_MAP, linear * linear)
    for j in range(linear):
        slope = 0.0
        for i in range(linear):
            slope += map_[i * linear + j] * by_theta[i]
        by_w[j] = slope
    kinds = integers(head, SCALAR_KINDS, FIELDS * count)
    for i in range(count):
        if kinds[i * FIELDS + PLACED] >= 0:
            by_x[i] += by_theta[kinds[i * FIELDS + PLACED]]
