"""Log densities of single rows under less usual links, in compiled code; as `row_densities` has others.

Where a linear predictor has no mean, the density is 0.
"""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.elementary import exp, log
from hiermod.engine.kernels.row_densities import gamma, gaussian

Row = tuple[float, float, float, float, float]
NOWHERE = (-math.inf, 0.0, 0.0, 0.0, 0.0)


@numba.njit(**NJIT)
def gaussian_log(y: float, eta: float, sigma: float) -> Row:
    """A number about exp(eta)."""
    mean = math.exp(min(eta, 300.0))
    value, by_mean, by_sigma, _, _ = gaussian(y, 0.0, mean, sigma)
    return value, by_mean * mean, by_sigma, 0.0, 0.0


@numba.njit(**NJIT)
def gamma_inverse(y: float, eta: float, alpha: float) -> Row:
    """A number of mean 1/eta."""
    if not eta > 0.0:
        return NOWHERE
    value, by_log_mean, by_alpha, _, _ = gamma(y, -log(eta), alpha)
    return value, -by_log_mean / eta, by_alpha, 0.0, 0.0


@numba.njit(**NJIT)
def trials_log(y: float, n: float, eta: float) -> Row:
    """Successes of trials of the rate exp(eta)."""
    if not eta < 0.0:
        return NOWHERE
    failures, rate = n - y, exp(eta)
    rest = -math.expm1(eta)
    log_rest = math.log(rest) if eta > -0.7 else math.log1p(-rate)
    return y * eta + failures * log_rest, y - failures * rate / rest, 0.0, 0.0, 0.0
