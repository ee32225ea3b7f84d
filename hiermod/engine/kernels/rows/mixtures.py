"""What zeros with a part of their own make of a row's log density and its derivatives, in compiled code.

The share of that part comes by its log odds, so that neither it nor what it leaves to 1 rounds away.
"""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log1p
from hiermod.engine.kernels.numbers.special import log_rates, log_sigmoids

NEAR = -36.0  # below, log(1 + exp(x)) is exp(x) to a double's digits


@numba.njit(**NJIT)
def poisson(y: float, eta: float) -> tuple[float, float]:
    """A count and its derivative by the logarithm of its mean."""
    mean = exp(eta)
    return y * eta - mean, y - mean


@numba.njit(**NJIT)
def trials(link: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """Successes out of trials."""
    success, failure, up, down = log_rates(link, eta)
    return y * success + (n - y) * failure, y * up + (n - y) * down


@numba.njit(**NJIT)
def inflated(value: float, log_odds: float, zero: bool) -> tuple[float, float, float]:
    """Log density beside further zeros, given that of the other part; how much of it that part is; slope by the odds.

    A zero is one of either part; other responses are all of the other one.
    """
    log_zero, log_rest, share = log_sigmoids(log_odds)
    inner = log_rest + value
    if not zero:
        return inner, 1.0, -share
    away = inner - log_zero
    small = exp(-abs(away))
    own = (1.0 if away >= 0.0 else small) / (1.0 + small)
    return max(inner, log_zero) + log1p(small), own, (1.0 - own) * (1.0 - share) - own * share


@numba.njit(**NJIT)
def shares_of_zeros(zeros: float, rows: float, log_odds: float) -> tuple[float, float]:
    """So many zeros among equal rows of a hurdle, and the derivative by the log odds."""
    log_zero, log_rest, share = log_sigmoids(log_odds)
    return zeros * log_zero + (rows - zeros) * log_rest, zeros - rows * share


@numba.njit(**NJIT)
def above_zero_poisson(eta: float) -> tuple[float, float]:
    """The log chance of a count above 0, and its derivative by the logarithm of the mean."""
    above, _, slope, _ = log_rates(2, eta)
    return above, slope


@numba.njit(**NJIT)
def above_zero_negbinomial(eta: float, alpha: float) -> tuple[float, float, float]:
    """The same of variance mu + mu²/alpha: of 1 - exp(-h), h being alpha log(1 + mu/alpha); and its slope by alpha."""
    log_alpha = math.log(alpha)
    x = eta - log_alpha
    if x < NEAR:
        above, _, slope, _ = log_rates(2, eta)
        return above, slope, 0.0
    small = exp(-abs(x))
    share = (1.0 if x >= 0.0 else small) / (1.0 + small)
    excess = max(x, 0.0) + log1p(small)
    above, _, slope, _ = log_rates(2, log_alpha + math.log(excess))
    return above, slope * share / excess, slope * (excess - share) / (alpha * excess)
