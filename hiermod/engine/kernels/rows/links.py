"""Log densities of single rows under less usual links, and of known errors; as `densities` has others.

Where a linear predictor has no mean, a row's density is 0. Samplers of continuous paths do badly at such a wall: what
stands there instead is the density's mirror image, and whoever samples leaves out the draws beyond (`sampling.native`).
"""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log
from hiermod.engine.kernels.rows.densities import gamma, gaussian

Row = tuple[float, float, float, float, float]
REACH = 0.05  # of the logarithm of a rate, or of the inverse of a mean over that of the response, beyond the bound


@numba.njit(**NJIT)
def gaussian_log(y: float, eta: float, sigma: float) -> Row:
    """A number about exp(eta)."""
    mean = math.exp(min(eta, 300.0))
    value, by_mean, by_sigma, _, _ = gaussian(y, 0.0, mean, sigma)
    return value, by_mean * mean, by_sigma, 0.0, 0.0


@numba.njit(**NJIT)
def gamma_inverse(y: float, eta: float, alpha: float) -> Row:
    """A number of mean 1/eta, mirrored below 0, where it falls off."""
    inverse = max(abs(eta), 1e-300)
    value, by_log_mean, by_alpha, _, _ = gamma(y, -log(inverse), alpha)
    by_inverse = -by_log_mean / inverse
    if eta > 0.0:
        return value, by_inverse, by_alpha, 0.0, 0.0
    away = y * eta / REACH
    return value - 0.5 * away * away, -by_inverse - away * y / REACH, by_alpha, 0.0, 0.0


@numba.njit(**NJIT)
def trials_log(y: float, n: float, eta: float) -> Row:
    """Successes of trials of the rate exp(eta), mirrored above 0, where it falls off."""
    low, failures = min(-abs(eta), -1e-300), n - y
    rate, rest = exp(low), -math.expm1(low)
    log_rest = math.log(rest) if low > -0.7 else math.log1p(-rate)
    value, slope = y * low + failures * log_rest, y - failures * rate / rest
    if eta < 0.0:
        return value, slope, 0.0, 0.0, 0.0
    away = eta / REACH
    return value - 0.5 * away * away, -slope - away / REACH, 0.0, 0.0, 0.0


@numba.njit(**NJIT)
def gaussian_known(y: float, error: float, eta: float) -> Row:
    """A number with a known standard error, and no residual beside it."""
    away = (y - eta) / error
    return -0.5 * away * away, away / error, 0.0, 0.0, 0.0


@numba.njit(**NJIT)
def gaussian_added(y: float, error: float, eta: float, sigma: float) -> Row:
    """A number with a known standard error, and a residual beside it."""
    precision = 1.0 / (sigma * sigma + error * error)
    away = y - eta
    squares = away * away * precision
    value = 0.5 * (math.log(precision) - squares)
    return value, away * precision, sigma * precision * (squares - 1.0), 0.0, 0.0
