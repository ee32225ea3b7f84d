"""Kernels of numbers between 0 and 1: beta. What each does stands in `families`."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.elementary import log
from hiermod.engine.kernels.record import BLOCK
from hiermod.engine.kernels.special import digamma, log_rates, stirling_rest_of
from hiermod.engine.kernels.views import doubles


@numba.njit(**NJIT)
def beta(link: int, record: Any, work: Any, start: int, rows: int) -> float:
    """Beta(mu·phi, (1 − mu)·phi), up to what depends on responses alone."""
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    auxiliary, slopes = doubles(work.auxiliary, 1), doubles(work.by_auxiliary, 1)
    phi = auxiliary[0]
    log_phi = math.log(phi)
    total, slope, weights = 0.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        value, weight = y[begin + i], size[begin + i]
        log_success, log_failure, up, down = log_rates(link, eta[i])
        first, by_first = _part(log(value), log_success, log_phi)
        second, by_second = _part(log(1.0 - value), log_failure, log_phi)
        total += weight * (first + second)
        score[i] = weight * (up * by_first + down * by_second)
        slope += weight * (by_first + by_second)
        weights += weight
    slopes[0] += slope / phi + weights * digamma(phi)
    return total + weights * stirling_rest_of(phi, log_phi)


@numba.njit(**NJIT)
def _part(log_value: float, log_rate: float, log_phi: float) -> tuple[float, float]:
    """What one of the two shapes x adds, and the derivative of x log(value) − lgamma(x) by the logarithm of x."""
    log_shape = log_rate + log_phi
    shape = math.exp(log_shape)
    value = shape * (log_value - log_rate) - stirling_rest_of(shape, log_shape)
    return value, shape * (log_value - digamma(1.0 + shape)) + 1.0
