"""The whole log density of a model in the sampler's coordinates, with its gradient, in compiled code.

Coordinates are ``(w, v)``: w for the common coefficients and the effects of groups, v for hyperparameters (standard
deviations, correlations, the family's, and coefficients whose priors bound them). A fixed map of low rank comes first
(`directions`), then common coefficients follow as in `common_coefficients`, and effects as in `effects`, factor by
factor, each given coefficients before it; where several factors have few groups, theirs and the common ones as in
`joint_block`.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT, threads
from hiermod.engine.kernels.coordinates import (
    common_coefficients,
    coupling,
    covariance,
    effects,
    hyperparameters,
    joint_block,
    monotonic,
)
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, copy, dot, fill, scale
from hiermod.engine.kernels.rows import ordered
from hiermod.engine.kernels.views import doubles, factor_at, matrix

Array = np.ndarray


@numba.njit(**NJIT)
def log_density(record: Any, work: Any, z: Array, gradient: Array) -> float:
    """Log density at `z` up to a constant; writes its gradient."""
    total = coefficients(record, work, z)
    fill(doubles(work.by_x), 0, 0.0, record.hyperparameters)
    total += threads.log_likelihood(record, work)
    total += common_coefficients.log_priors(record, work)
    total += ordered.log_priors(record, work)
    _coefficients_back(record, work)
    size = record.coordinates
    _stretched(record, doubles(work.by_w), gradient, size)
    ordered.back(record, work)
    hyperparameters.back(record, work, gradient)
    return total


@numba.njit(**NJIT)
def _stretched(record: Any, z: Array, out: Array, size: int) -> None:
    """Apply the symmetric map of low rank; it is its own transpose, so that gradients go back by it too."""
    rank = record.rank
    directions, stretch = doubles(record.directions), doubles(record.stretch)
    copy(out, 0, z, 0, size)
    for r in range(rank):
        along = stretch[r] * dot(directions, r * size, z, 0, size)
        add_scaled(out, 0, directions, r * size, along, size)


@numba.njit(**NJIT)
def coefficients(record: Any, work: Any, z: Array) -> float:
    """Write coefficients and hyperparameters, with what the way back needs; return the log density of the map."""
    size = record.coordinates
    _stretched(record, z, doubles(work.w), size)
    total = hyperparameters.forward(record, work, z)
    ordered.forward(record, work)
    s = hyperparameters.information_scale(record, work)
    if record.joint_size > 0:
        total += joint_block.forward(record, work, s)
    else:
        total += common_coefficients.forward(record, work)
    common_coefficients.bounded(record, work)
    monotonic.forward(record, work)
    score, remaining = doubles(record.score), doubles(work.effects_score)
    for place in range(record.joint_factors, record.factors):
        factor = factor_at(record.factor_table, place)
        covariance.factor_root(record, factor, work)
        _scale_root(factor, work, s)
        copy(remaining, factor.effects, score, factor.effects, factor.groups * factor.width)
        coupling.score_given_others(record, place, factor, work)
        scale(remaining, factor.effects, s, factor.groups * factor.width)
        total += effects.forward(record, factor, work)
    return total


@numba.njit(**NJIT)
def _scale_root(factor: Any, work: Any, s: float) -> None:
    """Write sΛ of a factor."""
    area = factor.width * factor.width
    root, scaled = doubles(work.roots + 8 * factor.root), doubles(work.scaled_roots + 8 * factor.root)
    for i in range(area):
        scaled[i] = s * root[i]


@numba.njit(**NJIT)
def _coefficients_back(record: Any, work: Any) -> None:
    """From the derivative by the coefficients, write that by `w`, and add that by hyperparameters."""
    s, by_s = hyperparameters.information_scale(record, work), 0.0
    remaining, by_score = doubles(work.effects_score), doubles(work.by_score)
    for place in range(record.factors - 1, record.joint_factors - 1, -1):
        factor = factor_at(record.factor_table, place)
        d, size = factor.width, factor.groups * factor.width
        root, by_root, by_scaled = (
            matrix(work.roots + 8 * factor.root, d), matrix(work.by_root, d), matrix(work.by_scaled_root, d)
        )  # fmt: skip
        fill(doubles(work.by_root), 0, 0.0, d * d)
        fill(doubles(work.by_scaled_root), 0, 0.0, d * d)
        effects.back(record, factor, work)
        by_s += dot(by_score, 0, remaining, factor.effects, size) / s
        for i in range(d):
            for j in range(i + 1):
                by_s += by_scaled[i, j] * root[i, j]
                by_root[i, j] += s * by_scaled[i, j]
        covariance.factor_root_back(record, factor, work)
        scale(by_score, 0, s, size)
        coupling.score_given_others_back(record, place, factor, work)
    if record.joint_size > 0:
        by_s += joint_block.back(record, work, s)
    else:
        common_coefficients.back(record, work)
    common_coefficients.bounded_back(record, work)
    monotonic.back(record, work)
    hyperparameters.information_scale_back(record, work, s, by_s)
