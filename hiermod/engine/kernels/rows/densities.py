"""Log densities of single rows with their derivatives by each parameter, in compiled code.

Each takes a row's response ``y``, its trials or other number ``n``, the linear predictor of mu, and up to three further
parameters of the family by their values, in the record's order. It returns the log density up to a constant and its
derivatives by the linear predictor and by these values, zeros for those that the family has not.
"""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.special import digamma, log_rates, log_rising, rising_rate

Row = tuple[float, float, float, float, float]


@numba.njit(**NJIT)
def gaussian(y: float, within: float, eta: float, sigma: float) -> Row:
    """The mean of equal rows, `within` being the mean square about it."""
    precision = 1.0 / (sigma * sigma)
    away = y - eta
    squares = (away * away + within) * precision
    return -0.5 * squares - math.log(sigma), away * precision, (squares - 1.0) / sigma, 0.0, 0.0


@numba.njit(**NJIT)
def gaussian_within(y: float, eta: float, sigma: float) -> Row:
    """A row that stands for the spread of numeric predictors within a cell, which has a square and no density."""
    precision = 1.0 / (sigma * sigma)
    away = y - eta
    squares = away * away * precision
    return -0.5 * squares, away * precision, squares / sigma, 0.0, 0.0


@numba.njit(**NJIT)
def student(y: float, eta: float, sigma: float, nu: float) -> Row:
    """Scale and degrees of freedom."""
    t = (y - eta) / sigma
    tail = math.log1p(t * t / nu)
    pull = (nu + 1.0) * t / (nu + t * t)
    half, slope = log_rising(0.5 * nu, 0.5)
    value = half - 0.5 * math.log(nu) - math.log(sigma) - 0.5 * (nu + 1.0) * tail
    return value, pull / sigma, (t * pull - 1.0) / sigma, 0.5 * (slope + (t * pull - 1.0) / nu - tail), 0.0


@numba.njit(**NJIT)
def negbinomial(y: float, eta: float, alpha: float) -> Row:
    """Variance mu + mu²/alpha."""
    rising, by_alpha = log_rising(alpha, y)
    x = eta - math.log(alpha)
    small = exp(-abs(x))
    share = (1.0 if x >= 0.0 else small) / (1.0 + small)  # mean over mean and alpha
    above = max(x, 0.0) + log1p(small)  # logarithm of 1 + mean / alpha
    value = rising + y * x - (y + alpha) * above
    return value, y - (y + alpha) * share, by_alpha - above + share - y * (1.0 - share) / alpha, 0.0, 0.0


@numba.njit(**NJIT)
def gamma(y: float, eta: float, alpha: float) -> Row:
    """Mean and shape."""
    x = log(y) - eta
    ratio = exp(x)
    value = alpha * (x - ratio) + alpha * math.log(alpha) - math.lgamma(alpha)
    return value, alpha * (ratio - 1.0), x - ratio + math.log(alpha) + 1.0 - digamma(alpha), 0.0, 0.0


@numba.njit(**NJIT)
def lognormal(y: float, eta: float, sigma: float) -> Row:
    """Mean and standard deviation of the logarithm."""
    return gaussian(log(y), 0.0, eta, sigma)


@numba.njit(**NJIT)
def beta_binomial(link: int, y: float, n: float, eta: float, kappa: float) -> Row:
    """Rates that are Beta(mu·kappa, (1 - mu)·kappa)."""
    log_success, log_failure, up, down = log_rates(link, eta)
    won, by_won, won_by_kappa = rising_rate(log_success, up, kappa, y)
    lost, by_lost, lost_by_kappa = rising_rate(log_failure, down, kappa, n - y)
    all_, by_all = log_rising(kappa, n)
    return won + lost - all_, by_won + by_lost, won_by_kappa + lost_by_kappa - by_all, 0.0, 0.0
