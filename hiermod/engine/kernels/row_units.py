"""Log densities of single rows of numbers between 0 and 1, in compiled code; as `row_densities` has others."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.elementary import log
from hiermod.engine.kernels.special import digamma, log_rates, stirling_rest_of

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
def zero_one_inflated_beta(link: int, y: float, eta: float, phi: float, zoi: float, coi: float) -> Row:
    """0 and 1 have the share zoi, of which coi is that of 1."""
    if y <= 0.0:
        return math.log(zoi) + math.log1p(-coi), 0.0, 0.0, 1.0 / zoi, -1.0 / (1.0 - coi)
    if y >= 1.0:
        return math.log(zoi) + math.log(coi), 0.0, 0.0, 1.0 / zoi, 1.0 / coi
    value, by_eta, by_phi, _, _ = beta(link, y, eta, phi)
    return value + math.log1p(-zoi), by_eta, by_phi, -1.0 / (1.0 - zoi), 0.0


@numba.njit(**NJIT)
def _part(log_value: float, log_rate: float, log_phi: float) -> tuple[float, float]:
    """What one of the two shapes x adds, and the derivative of x log(value) - lgamma(x) by the logarithm of x."""
    log_shape = log_rate + log_phi
    shape = math.exp(log_shape)
    value = shape * (log_value - log_rate) - stirling_rest_of(shape, log_shape)
    return value, shape * (log_value - digamma(1.0 + shape)) + 1.0
