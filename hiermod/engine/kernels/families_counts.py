"""Kernels of counts that vary more than chance: geometric and nbinom1. What each does stands in `families`."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.elementary import exp, log1p
from hiermod.engine.kernels.record import BLOCK
from hiermod.engine.kernels.special import log_rising
from hiermod.engine.kernels.vector_ops import total as total_of
from hiermod.engine.kernels.views import doubles

NEXT_TO_NOTHING = -300.0  # a logarithm


@numba.njit(**NJIT)
def geometric(record: Any, work: Any, start: int, rows: int) -> float:
    """A negative binomial count of shape 1."""
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        x, value, weight = eta[i], y[begin + i], size[begin + i]
        small = exp(-abs(x))
        share = (1.0 if x >= 0.0 else small) / (1.0 + small)
        score[i] = weight * (value - (value + 1.0) * share)
        eta[i] = weight * (value * x - (value + 1.0) * (max(x, 0.0) + log1p(small)))
    return total_of(eta, 0, rows)


@numba.njit(**NJIT)
def nbinom1(record: Any, work: Any, start: int, rows: int) -> float:
    """A negative binomial count of shape r = mu/phi, whose score is r times that by r."""
    eta, score = doubles(work.eta, BLOCK), doubles(work.row_scores, BLOCK)
    y, size = doubles(record.response, record.rows), doubles(record.size, record.rows)
    auxiliary, slopes = doubles(work.auxiliary, 1), doubles(work.by_auxiliary, 1)
    phi = auxiliary[0]
    log_phi, log_more = math.log(phi), math.log1p(phi)
    total, slope = 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        value, weight = y[begin + i], size[begin + i]
        log_shape = eta[i] - log_phi
        shape = exp(log_shape)
        if value == 0.0:
            rising, by_log_shape = 0.0, 0.0
        elif log_shape < NEXT_TO_NOTHING:
            rising, by_log_shape = log_shape + math.lgamma(value), 1.0
        else:
            rising, by_shape = log_rising(shape, value)
            by_log_shape = shape * by_shape
        total += weight * (rising + value * log_phi - (shape + value) * log_more)
        score[i] = weight * (by_log_shape - shape * log_more)
        slope += weight * (value / phi - (shape + value) / (1.0 + phi)) - score[i] / phi
    slopes[0] += slope
    return total
