"""Log likelihood and score of rows of durations, in compiled code; as `families` has those of others."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.elementary import exp, log
from hiermod.engine.kernels.plain import HALF_LOG_TAU
from hiermod.engine.kernels.record import BLOCK, KERNELS
from hiermod.engine.kernels.special import digamma, log_normal_cdf
from hiermod.engine.kernels.views import doubles

WEIBULL, EXPONENTIAL, SHIFTED_LOGNORMAL = (
    KERNELS[name] for name in ("weibull_log", "exponential_log", "shifted_lognormal_identity")
)
NEARLY_NORMAL = -5.0  # standard deviations of the normal part


@numba.njit(**NJIT)
def score_durations(kernel: int, record: Any, work: Any, start: int, rows: int) -> float:
    """Score a block of rows of a family of durations."""
    if kernel == WEIBULL:
        return _weibull(record, work, start, rows)
    if kernel == EXPONENTIAL:
        return _exponential(record, work, start, rows)
    if kernel == SHIFTED_LOGNORMAL:
        return _shifted_lognormal(record, work, start, rows)
    return _exgaussian(record, work, start, rows)


@numba.njit(**NJIT)
def _weibull(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    auxiliary, slopes = doubles(work.auxiliary, 1), doubles(work.by_auxiliary, 1)
    shape = auxiliary[0]
    shift, by_shift = math.lgamma(1.0 + 1.0 / shape), digamma(1.0 + 1.0 / shape) / shape
    total, slope, weights = 0.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        weight = size[begin + i]
        x = log(y[begin + i]) - eta[i] + shift
        hazard = exp(shape * x)
        score[i] = weight * shape * (hazard - 1.0)
        total += weight * (shape * x - hazard)
        slope += weight * (1.0 - hazard) * (x - by_shift)
        weights += weight
    slopes[0] += slope + weights / shape
    return total + weights * math.log(shape)


@numba.njit(**NJIT)
def _exponential(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    total = 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        weight, x = size[begin + i], log(y[begin + i]) - eta[i]
        ratio = exp(x)
        score[i] = weight * (ratio - 1.0)
        total += weight * (x - ratio)
    return total


@numba.njit(**NJIT)
def _shifted_lognormal(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    auxiliary, slopes = doubles(work.auxiliary, 2), doubles(work.by_auxiliary, 2)
    sigma, ndt = auxiliary[0], auxiliary[1]
    total, squares, by_ndt, weights = 0.0, 0.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        weight, beyond = size[begin + i], max(y[begin + i] - ndt, 1e-300)
        log_beyond = log(beyond)
        t = (log_beyond - eta[i]) / sigma
        score[i] = weight * t / sigma
        total += weight * log_beyond
        squares += weight * t * t
        by_ndt += weight * (t / sigma + 1.0) / beyond
        weights += weight
    slopes[0] += (squares - weights) / sigma
    slopes[1] += by_ndt
    return -0.5 * squares - total - weights * math.log(sigma)


@numba.njit(**NJIT)
def _exgaussian(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    auxiliary, slopes = doubles(work.auxiliary, 2), doubles(work.by_auxiliary, 2)
    sigma, beta = auxiliary[0], auxiliary[1]
    total, by_sigma, by_beta = 0.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        weight = size[begin + i]
        part, by_z, by_own_sigma, by_own_beta = exponential_part((y[begin + i] - eta[i] + beta) / sigma, sigma, beta)
        total += weight * (part - math.log(beta))
        score[i] = -weight * by_z / sigma
        by_sigma += weight * by_own_sigma
        by_beta += weight * (by_own_beta - 1.0 / beta)
    slopes[0] += by_sigma
    slopes[1] += by_beta
    return total


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
