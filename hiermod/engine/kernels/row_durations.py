"""Log densities of single durations with their derivatives, in compiled code, as `row_densities` has them."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.durations import exponential_part
from hiermod.engine.kernels.elementary import exp, log
from hiermod.engine.kernels.special import digamma

Row = tuple[float, float, float, float, float]


@numba.njit(**NJIT)
def weibull(y: float, eta: float, shape: float) -> Row:
    """Mean and shape."""
    inverse = 1.0 / shape
    x = log(y) - eta + math.lgamma(1.0 + inverse)
    hazard = exp(shape * x)
    by_shape = (1.0 - hazard) * (x - digamma(1.0 + inverse) * inverse) + inverse
    return shape * x - hazard + math.log(shape), shape * (hazard - 1.0), by_shape, 0.0, 0.0


@numba.njit(**NJIT)
def shifted_lognormal(y: float, eta: float, sigma: float, shift: float) -> Row:
    """Mean and standard deviation of the logarithm of what is beyond the shift."""
    beyond = max(y - shift, 1e-300)
    log_beyond = log(beyond)
    t = (log_beyond - eta) / sigma
    value = -0.5 * t * t - log_beyond - math.log(sigma)
    return value, t / sigma, (t * t - 1.0) / sigma, (t / sigma + 1.0) / beyond, 0.0


@numba.njit(**NJIT)
def exgaussian(y: float, eta: float, sigma: float, beta: float) -> Row:
    """Mean, standard deviation of the normal part, and mean of the exponential one."""
    part, by_z, by_sigma, by_beta = exponential_part((y - eta + beta) / sigma, sigma, beta)
    return part - math.log(beta), -by_z / sigma, by_sigma, by_beta - 1.0 / beta, 0.0
