"""Log densities of durations with their derivatives, in compiled code: of rows, and of blocks of weibull rows."""

from __future__ import annotations

import math
from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log
from hiermod.engine.kernels.numbers.special import digamma, log_normal_cdf
from hiermod.engine.kernels.plain import HALF_LOG_TAU
from hiermod.engine.kernels.views import doubles

Row = tuple[float, float, float, float, float]
NEARLY_NORMAL = -5.0  # standard deviations of an exgaussian's normal part
NEXT_TO_NOTHING = 1e-300


@numba.njit(**NJIT)
def score_weibull(record: Any, work: Any, start: int, rows: int) -> float:
    """Score a block of weibull rows of one linear predictor, which share the shape's gamma functions."""
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    shape = auxiliary[0]
    shift, by_shift = math.lgamma(1.0 + 1.0 / shape), digamma(1.0 + 1.0 / shape) / shape
    total, slope, weights = 0.0, 0.0, 0.0
    for i in range(rows):
        weight = size[start + i]
        x = log(y[start + i]) - eta[i] + shift
        hazard = exp(shape * x)
        score[i] = weight * shape * (hazard - 1.0)
        total += weight * (shape * x - hazard)
        slope += weight * (1.0 - hazard) * (x - by_shift)
        weights += weight
    slopes[0] += slope + weights / shape
    return total + weights * math.log(shape)


@numba.njit(**NJIT)
def weibull(y: float, eta: float, shape: float) -> Row:
    """Mean and shape."""
    x = log(y) - eta + math.lgamma(1.0 + 1.0 / shape)
    hazard = exp(shape * x)
    slope = 1.0 / shape + (1.0 - hazard) * (x - digamma(1.0 + 1.0 / shape) / shape)
    return math.log(shape) + shape * x - hazard, shape * (hazard - 1.0), slope, 0.0, 0.0


@numba.njit(**NJIT)
def exponential(y: float, eta: float) -> Row:
    """Mean."""
    x = log(y) - eta
    ratio = exp(x)
    return x - ratio, ratio - 1.0, 0.0, 0.0, 0.0


@numba.njit(**NJIT)
def shifted_lognormal(y: float, eta: float, sigma: float, ndt: float) -> Row:
    """Mean and standard deviation of the logarithm of what is beyond a shift."""
    beyond = max(y - ndt, NEXT_TO_NOTHING)
    log_beyond = log(beyond)
    t = (log_beyond - eta) / sigma
    value = -0.5 * t * t - log_beyond - math.log(sigma)
    return value, t / sigma, (t * t - 1.0) / sigma, (t / sigma + 1.0) / beyond, 0.0


@numba.njit(**NJIT)
def exgaussian(y: float, eta: float, sigma: float, beta: float) -> Row:
    """Mean, standard deviation of the normal part, mean of the exponential part."""
    part, by_z, by_sigma, by_beta = exponential_part((y - eta + beta) / sigma, sigma, beta)
    return part - math.log(beta), -by_z / sigma, by_sigma, by_beta - 1.0 / beta, 0.0


@numba.njit(**NJIT)
def exponential_part(z: float, sigma: float, beta: float) -> tuple[float, float, float, float]:
    """``log(beta f(y))`` of an exgaussian density f at ``z = (y - mu + beta)/sigma``, and its derivatives.

    They are by z alone, and by `sigma` and `beta` where mu stays. With u = z - sigma/beta it is log(φ(z) Φ(u)/φ(u)).
    """
    ratio = sigma / beta
    u = z - ratio
    log_cdf, mills = log_normal_cdf(u)
    direct = log_cdf + ratio * (0.5 * ratio - z)
    value = -0.5 * z * z - HALF_LOG_TAU - math.log(mills) if u < NEARLY_NORMAL else direct
    rest = mills + u
    by_z = rest - z
    return value, by_z, -by_z * z / sigma - rest / beta, by_z / sigma + rest * ratio / beta
