"""Common coefficients from independent coordinates, and the way back of gradients, in compiled code.

As far as the data go, a coefficient has the variance ``V = a + Σ b x²``, where x are the standard deviations of the
groups' effects that it is the mean of. A prior of precision p and centre c takes ``q = 1 / (1 + p V)`` of it and of the
distance to the data's estimate m: the coefficient is near ``c + (m − c) q`` with the variance ``V q``. Both move with x
in each draw.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.coordinates.hyperparameters import log_prior
from hiermod.engine.kernels.numbers.vector_ops import fill
from hiermod.engine.kernels.views import common_at, doubles, hyperparameter_at, prior_at


@numba.njit(**NJIT)
def forward(record: Any, work: Any) -> float:
    """Write the common coefficients of the centred design; return the log density of the map.

    What the way back needs is kept: V in `variances`, a coefficient's spread, and steps in units of it in `along`.
    """
    linear, count = record.linear, record.hyperparameters
    map_, by_sds = doubles(record.linear_map), doubles(record.common_spread)
    w, x, theta = doubles(work.w), doubles(work.x), doubles(work.theta)
    along, spread = doubles(work.along), doubles(work.spread)
    variances, total = doubles(work.variances), 0.0
    for i in range(linear):
        row = common_at(record.common_table, i)
        variance = row.variance
        for k in range(count):
            variance += by_sds[i * count + k] * x[k] * x[k]
        share = 1.0 / (1.0 + row.precision * variance)
        along[i] = 0.0
        for j in range(linear):
            along[i] += map_[i * linear + j] * w[j]
        spread[i], variances[i] = math.sqrt(variance * share), variance
        theta[i] = row.centre + (row.estimate - row.centre) * share + spread[i] * along[i]
        total += math.log(spread[i]) if spread[i] != 1.0 else 0.0
    return total


@numba.njit(**NJIT)
def back(record: Any, work: Any) -> None:
    """From the derivative by the coefficients, write that by `w`, and add that by hyperparameters."""
    linear, count = record.linear, record.hyperparameters
    map_, by_sds = doubles(record.linear_map), doubles(record.common_spread)
    x, along = doubles(work.x), doubles(work.along)
    spread, variances = doubles(work.spread), doubles(work.variances)
    by_theta, by_w, by_x = doubles(work.by_theta), doubles(work.by_w), doubles(work.by_x)
    fill(by_w, 0, 0.0, linear)
    for i in range(linear):
        row = common_at(record.common_table, i)
        slope, variance = by_theta[i] * spread[i], variances[i]
        for j in range(linear):
            by_w[j] += map_[i * linear + j] * slope
        shift, share = row.estimate - row.centre, 1.0 / (1.0 + row.precision * variance)
        by_variance = (
            0.5 * share / variance * (1.0 + slope * along[i]) - by_theta[i] * shift * row.precision * share * share
        )
        for k in range(count):
            by_x[k] += 2.0 * by_variance * by_sds[i * count + k] * x[k]


@numba.njit(**NJIT)
def bounded(record: Any, work: Any) -> None:
    """Write the coefficients that priors bound, which are hyperparameters."""
    x, theta = doubles(work.x), doubles(work.theta)
    for i in range(record.hyperparameters):
        place = hyperparameter_at(record.hyperparameter_table, i).coefficient
        if place >= 0:
            theta[place] = x[i]


@numba.njit(**NJIT)
def bounded_back(record: Any, work: Any) -> None:
    """Add the derivatives by them."""
    by_x, by_theta = doubles(work.by_x), doubles(work.by_theta)
    for i in range(record.hyperparameters):
        place = hyperparameter_at(record.hyperparameter_table, i).coefficient
        if place >= 0:
            by_x[i] += by_theta[place]


@numba.njit(**NJIT)
def log_priors(record: Any, work: Any) -> float:
    """Log density of the priors of common coefficients that the line supports; adds its derivative."""
    theta, by_theta = doubles(work.theta), doubles(work.by_theta)
    total = 0.0
    for i in range(record.linear):
        prior = prior_at(record.prior_table, i)
        density, slope = log_prior(prior.kernel, prior.a, prior.b, prior.c, theta[i])
        total += density
        by_theta[i] += slope
    return total
