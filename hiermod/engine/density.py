"""The whole log density of a model in the sampler's coordinates, with its gradient, in compiled code.

Coordinates are ``(w, v)``: w for the common coefficients and the effects of groups, v for single parameters (standard
deviations, correlations, auxiliary ones, and coefficients whose priors bound them). A fixed map of low rank comes
first (`directions`), then common coefficients are linear in w, and effects follow as in `effects`, those of the factor
that is `COUPLED` given all other coefficients.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.effects import LANES, effects_back, effects_forward
from hiermod.engine.head import (
    AUXILIARY,
    COEFFICIENTS,
    COMMON,
    COUPLED,
    DIRECTIONS,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    GROUPS,
    INFORMATION,
    INFORMATION_AT,
    LINEAR,
    LINEAR_MAP,
    RANK,
    SCALAR_KINDS,
    SCALAR_MAP,
    SCALARS,
    SCORE,
    SCORE_AT,
    START,
    STRETCH,
    WIDTH,
    doubles,
    integers,
)  # fmt: skip
from hiermod.engine.lanes import add_scaled, copy, dot
from hiermod.engine.likelihood import log_likelihood
from hiermod.engine.parts import (
    PLACED,
    coefficient_priors,
    common_coefficients,
    factor_covariance,
    factor_covariance_back,
    score_given_others,
    score_given_others_back,
    single_parameters,
)  # fmt: skip
from hiermod.engine.scalars import FIELDS
from hiermod.engine.special import NJIT

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
            score_given_others(head, theta, groups * d, given, at)
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
        factor_covariance_back(head, factor, x, lam, by_lam, by_x)
        if table[row + COUPLED]:
            score_given_others_back(head, by_score, groups * d, by_theta)
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
