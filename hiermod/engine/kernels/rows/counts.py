"""Log densities of rows of counts that vary more than chance, in compiled code; as `densities` has others."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log1p
from hiermod.engine.kernels.numbers.special import log_rising

NEXT_TO_NOTHING = -300.0  # a logarithm
Row = tuple[float, float, float, float, float]


@numba.njit(**NJIT)
def geometric(y: float, eta: float) -> Row:
    """A negative binomial count of shape 1."""
    small = exp(-abs(eta))
    share = (1.0 if eta >= 0.0 else small) / (1.0 + small)
    value = y * eta - (y + 1.0) * (max(eta, 0.0) + log1p(small))
    return value, y - (y + 1.0) * share, 0.0, 0.0, 0.0


@numba.njit(**NJIT)
def nbinom1(y: float, eta: float, phi: float) -> Row:
    """A negative binomial count of shape r = mu/phi; one of r that is next to nothing is known by its logarithm."""
    log_phi, log_more = math.log(phi), math.log1p(phi)
    log_shape = eta - log_phi
    shape = exp(log_shape)
    rising, by_log_shape = 0.0, 0.0
    if y > 0.0 and log_shape < NEXT_TO_NOTHING:
        rising, by_log_shape = log_shape + math.lgamma(y), 1.0
    elif y > 0.0:
        rising, by_shape = log_rising(shape, y)
        by_log_shape = shape * by_shape
    by_eta = by_log_shape - shape * log_more
    value = rising + y * log_phi - (shape + y) * log_more
    return value, by_eta, (y - by_eta) / phi - (shape + y) / (1.0 + phi), 0.0, 0.0
