"""The whole log density of a model in the sampler's coordinates, with its gradient, in compiled code.

Coordinates are ``(w, v)``: w for the common coefficients and the effects of groups, v for single parameters (standard
deviations, correlations, auxiliary ones, and coefficients whose priors bound them). A fixed map of low rank comes
first (`directions`), then common coefficients follow as in `common`, and effects as in `effects`, factor by factor,
each given coefficients before it; where several factors have few groups, theirs and the common ones as in `together`.
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels.common import (
    bounded_coefficients,
    bounded_coefficients_back,
    coefficient_priors,
    common_coefficients,
    common_coefficients_back,
)
from hiermod.engine.kernels.coupling import score_given_others, score_given_others_back
from hiermod.engine.kernels.effects import effects_back, effects_forward
from hiermod.engine.kernels.joint_block import together_back, together_forward
from hiermod.engine.kernels.parts import (
    factor_covariance,
    factor_covariance_back,
    information_scale,
    information_scale_back,
    single_parameters,
)
from hiermod.engine.kernels.record import (
    AUXILIARY,
    COEFFICIENTS,
    COMMON,
    DIRECTIONS,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    GROUPS,
    INFORMATION,
    INFORMATION_AT,
    LINEAR,
    RANK,
    SCALAR_MAP,
    SCALARS,
    SCORE,
    SCORE_AT,
    START,
    STRETCH,
    TOGETHER,
    WIDTH,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.threads import log_likelihood
from hiermod.engine.kernels.vector_ops import add_scaled, copy, dot, scale
from hiermod.engine.kernels.workspace import Workspace, square_of, workspace

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
def expand(head: Array, z: Array, theta: Array, x: Array) -> int:
    """Coefficients and single parameters at a point; return the size of the workspace, which so lives until then."""
    work = workspace(head)
    _forward(head, z, work)
    copy(theta, 0, work.theta, 0, len(theta))
    copy(x, 0, work.x, 0, len(x))
    return len(work.owner)


@numba.njit(**NJIT)
def log_density(head: Array, z: Array, gradient: Array) -> float:
    """Log density at `z` up to a constant; writes its gradient."""
    own_size, count = head[COEFFICIENTS] - head[COMMON] + head[LINEAR], head[SCALARS]
    work = workspace(head)
    total = _forward(head, z, work)
    first = head[AUXILIARY]
    total += log_likelihood(
        head, work.theta, work.x[first:], work.by_theta, work.by_x[first:], work.eta, work.row_scores
    )
    total += coefficient_priors(head, work.theta, work.by_theta)
    _back(head, work)
    stretched(head, work.by_w, gradient, own_size)
    map_ = doubles(head, SCALAR_MAP, count * count)
    for j in range(count):
        slope = 0.0
        for i in range(count):
            slope += map_[i * count + j] * (work.by_x[i] * work.slopes[i] + work.by_value[i])
        gradient[own_size + j] = slope
    return total


@numba.njit(**NJIT)
def _forward(head: Array, z: Array, work: Workspace) -> float:
    """Write coefficients and single parameters, with what the way back needs; return the log density of the map."""
    common, linear = head[COMMON], head[LINEAR]
    effects, own_size = head[COEFFICIENTS] - common, head[COEFFICIENTS] - common + linear
    stretched(head, z, work.w, own_size)
    total = single_parameters(head, z, own_size, work.values, work.x, work.slopes, work.by_value)
    s = information_scale(head, work.x)
    if head[TOGETHER] > 0:
        total += together_forward(head, work.x, s, work.w, work.theta, work.joint)
        bounded_coefficients(head, work.x, work.theta)
    else:
        total += common_coefficients(head, work.w, work.x, work.theta, work.along, work.spread)
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    information, score = doubles(head, INFORMATION, len(work.lower)), doubles(head, SCORE, effects)
    for factor in range(head[TOGETHER], head[FACTORS]):
        row = factor * FACTOR_FIELDS
        groups, d, at = table[row + GROUPS], table[row + WIDTH], table[row + SCORE_AT]
        lam, scaled = square_of(work, 0, d), square_of(work, 1, d)
        _covariances(head, factor, work.x, s, lam, scaled)
        copy(work.given, at, score, at, groups * d)
        score_given_others(head, factor, work.theta, at, groups * d, work.given)
        scale(work.given, at, s, groups * d)
        total += effects_forward(
            d, groups, work.w, linear + at, lam, scaled, information, table[row + INFORMATION_AT], work.theta,
            table[row + START], work.lower, work.product, work.given, work.shifted, work.own, work.normals, at,
            work.terms,
        )  # fmt: skip
    return total


@numba.njit(**NJIT)
def _covariances(head: Array, factor: int, x: Array, s: float, lam: Array, scaled: Array) -> None:
    """Write Λ of a factor, and sΛ."""
    factor_covariance(head, factor, x, lam)
    for i in range(len(lam)):
        for j in range(len(lam)):
            scaled[i, j] = s * lam[i, j]


@numba.njit(**NJIT)
def _back(head: Array, work: Workspace) -> None:
    """From the derivative by the coefficients, write that by `w`, and add that by the single parameters."""
    linear = head[LINEAR]
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    s, by_s = information_scale(head, work.x), 0.0
    for factor in range(head[FACTORS] - 1, head[TOGETHER] - 1, -1):
        row = factor * FACTOR_FIELDS
        groups, d, at = table[row + GROUPS], table[row + WIDTH], table[row + SCORE_AT]
        lam, scaled = square_of(work, 0, d), square_of(work, 1, d)
        by_lam, by_scaled = square_of(work, 2, d), square_of(work, 3, d)
        _covariances(head, factor, work.x, s, lam, scaled)
        by_lam[:, :], by_scaled[:, :] = 0.0, 0.0
        effects_back(
            d, groups, work.by_theta, table[row + START], lam, scaled, work.lower, work.product,
            table[row + INFORMATION_AT], work.given, work.shifted, work.own, work.normals, at, work.by_w, linear + at,
            work.by_score, by_lam, by_scaled, work.inner, work.back,
        )  # fmt: skip
        by_s += dot(work.by_score, 0, work.given, at, groups * d) / s
        for i in range(d):
            for j in range(i + 1):
                by_s += by_scaled[i, j] * lam[i, j]
                by_lam[i, j] += s * by_scaled[i, j]
        factor_covariance_back(head, factor, work.x, lam, by_lam, work.by_x)
        scale(work.by_score, 0, s, groups * d)
        score_given_others_back(head, factor, work.by_score, at, groups * d, work.by_theta)
    if head[TOGETHER] > 0:
        by_s += together_back(head, work.x, s, work.by_theta, work.by_w, work.by_x, work.squares, work.joint)
        bounded_coefficients_back(head, work.by_theta, work.by_x)
    else:
        common_coefficients_back(head, work.x, work.along, work.spread, work.by_theta, work.by_w, work.by_x)
    information_scale_back(head, work.x, s, by_s, work.by_x)
