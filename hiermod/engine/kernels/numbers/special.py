"""Special functions of likelihoods, with their derivatives, for compiled code."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT, plain
from hiermod.engine.kernels.numbers.elementary import exp, log1p

HALF_LOG_TAU = plain.HALF_LOG_TAU
LOG_2 = 0.6931471805599453
NEXT_TO_NOTHING = -300.0  # a logarithm
SERIES_FROM = 10.0  # Stirling's series is exact to double precision from here on
log_normal_cdf = numba.njit(**NJIT)(plain.log_normal_cdf)


@numba.njit(**NJIT)
def log_sigmoids(eta: float) -> tuple[float, float, float]:
    """Logarithms of sigmoid(eta) and of one less it, and sigmoid(eta)."""
    small = exp(-abs(eta))
    rest = log1p(small)
    rate = (1.0 if eta >= 0.0 else small) / (1.0 + small)
    return min(eta, 0.0) - rest, -max(eta, 0.0) - rest, rate


@numba.njit(**NJIT)
def log_rates(link: int, eta: float) -> tuple[float, float, float, float]:
    """Logarithms of a rate and of one less it under a link (0 logit, 1 probit, 2 cloglog), and their derivatives."""
    if link == 0:
        success, failure, rate = log_sigmoids(eta)
        return success, failure, math.exp(failure), -rate
    if link == 1:
        success, slope = log_normal_cdf(eta)
        failure, other = log_normal_cdf(-eta)
        return success, failure, slope, -other
    hazard = math.exp(min(eta, 700.0))
    if eta < -20.0:
        return eta - 0.5 * hazard, -hazard, 1.0 - 0.5 * hazard, -hazard
    if hazard > 700.0:
        return 0.0, -hazard, 0.0, -hazard
    return math.log(-math.expm1(-hazard)), -hazard, hazard / math.expm1(hazard), -hazard


@numba.njit(**NJIT)
def digamma(x: float) -> float:
    """Derivative of the logarithm of the gamma function, x > 0."""
    shift = 0.0
    while x < SERIES_FROM:
        shift -= 1.0 / x
        x += 1.0
    return shift + math.log(x) - 0.5 / x - _digamma_rest(x)


@numba.njit(**NJIT)
def _digamma_rest(x: float) -> float:
    z = 1.0 / (x * x)
    p = 1.0 / 12.0
    p = -691.0 / 32760.0 + z * p
    p = 1.0 / 132.0 + z * p
    p = -1.0 / 240.0 + z * p
    p = 1.0 / 252.0 + z * p
    p = -1.0 / 120.0 + z * p
    return z * (1.0 / 12.0 + z * p)


@numba.njit(**NJIT)
def _stirling_rest(x: float) -> float:
    z = 1.0 / (x * x)
    p = 1.0 / 156.0
    p = -691.0 / 360360.0 + z * p
    p = 1.0 / 1188.0 + z * p
    p = -1.0 / 1680.0 + z * p
    p = 1.0 / 1260.0 + z * p
    p = -1.0 / 360.0 + z * p
    return (1.0 / 12.0 + z * p) / x


@numba.njit(**NJIT)
def stirling_rest_of(x: float, log_x: float) -> float:
    """lgamma(x) − x log x + x − log(2π)/2, without cancellation; an x that rounds to 0 is known by its logarithm."""
    if x < SERIES_FROM:
        return math.lgamma(1.0 + x) - log_x - x * log_x + x - HALF_LOG_TAU
    return _stirling_rest(x) - 0.5 * log_x


@numba.njit(**NJIT)
def log_rising(x: float, count: float) -> tuple[float, float]:
    """lgamma(x + count) − lgamma(x) and its derivative by x, without cancellation; x > 0, count >= 0."""
    if count == 0.0:
        return 0.0, 0.0
    value, slope, product, by_x = 0.0, 0.0, 1.0, 0.0
    if x < SERIES_FROM:
        while x < SERIES_FROM and count >= 1.0:  # at most ten factors
            by_x = by_x * x + product
            product *= x
            x += 1.0
            count -= 1.0
        value, slope = math.log(product), by_x / product
    if count == 0.0:
        return value, slope
    if x < SERIES_FROM:
        return value + math.lgamma(x + count) - math.lgamma(x), slope + digamma(x + count) - digamma(x)
    above = x + count
    gain = math.log1p(count / x)
    value += (x - 0.5) * gain + count * (math.log(above) - 1.0) + _stirling_rest(above) - _stirling_rest(x)
    slope += gain + 0.5 * count / (x * above) - _digamma_rest(above) + _digamma_rest(x)
    return value, slope


@numba.njit(**NJIT)
def rising_rate(log_rate: float, slope: float, kappa: float, count: float) -> tuple[float, float, float]:
    """lgamma(x + count) − lgamma(x) at x = kappa · rate, and its derivatives by the linear predictor and by kappa.

    Where x is next to nothing its logarithm stands for it: x (x + 1) … is x times (count − 1)!.
    """
    if count == 0.0:
        return 0.0, 0.0, 0.0
    log_x = log_rate + math.log(kappa)
    if log_x < NEXT_TO_NOTHING:
        return log_x + math.lgamma(count), slope, 1.0 / kappa
    rate = math.exp(log_rate)
    value, by_x = log_rising(kappa * rate, count)
    return value, by_x * kappa * rate * slope, by_x * rate
