"""Log densities of single rows of numbers between 0 and 1, in compiled code; as `densities` has others."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import log
from hiermod.engine.kernels.numbers.special import digamma, log_rates, log_sigmoids, stirling_rest_of

Row = tuple[float, float, float, float, float]


@numba.njit(**NJIT)
def beta(link: int, y: float, eta: float, phi: float) -> Row:
    """Beta(mu·phi, (1 - mu)·phi)."""
    log_phi = math.log(phi)
    log_success, log_failure, up, down = log_rates(link, eta)
    first, by_first = _part(log(y), log_success, log_phi)
    second, by_second = _part(log(1.0 - y), log_failure, log_phi)
    value = first + second + stirling_rest_of(phi, log_phi)
    return value, up * by_first + down * by_second, (by_first + by_second) / phi + digamma(phi), 0.0, 0.0


@numba.njit(**NJIT)
def zero_one_inflated_beta(link: int, y: float, eta: float, phi: float, end_odds: float, one_odds: float) -> Row:
    """0 and 1 have a share, and 1 a share of that, both by their log odds."""
    log_end, log_inside, end = log_sigmoids(end_odds)
    if 0.0 < y < 1.0:
        value, by_eta, by_phi, _, _ = beta(link, y, eta, phi)
        return value + log_inside, by_eta, by_phi, -end, 0.0
    log_one, log_zero, one = log_sigmoids(one_odds)
    is_one = 1.0 if y >= 1.0 else 0.0
    return log_end + (log_one if y >= 1.0 else log_zero), 0.0, 0.0, 1.0 - end, is_one - one


@numba.njit(**NJIT)
def _part(log_value: float, log_rate: float, log_phi: float) -> tuple[float, float]:
    """What one of the two shapes x adds, and the derivative of x log(value) - lgamma(x) by the logarithm of x."""
    log_shape = log_rate + log_phi
    shape = math.exp(log_shape)
    value = shape * (log_value - log_rate) - stirling_rest_of(shape, log_shape)
    return value, shape * (log_value - digamma(1.0 + shape)) + 1.0
