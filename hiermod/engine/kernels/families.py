"""Log likelihood and score of a block of rows, family by family, in compiled code.

Each returns the log likelihood up to a constant, writes its derivative by the linear predictor to `score`, and adds
those by the family's auxiliary parameters to `slopes`. Under a canonical link responses enter by their sums with the
design alone (`CANONICAL`), and what is written and returned here is the rest.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels.elementary import exp, log, log1p
from hiermod.engine.kernels.record import (
    BETA_LOGIT,
    CLOGLOG,
    GAMMA_LOG,
    LOGIT,
    NEGBINOMIAL,
    ONE_TRIAL,
    POISSON,
    PROBIT,
    STUDENT_T,
)
from hiermod.engine.kernels.special import NJIT, digamma, log_rates, log_rising
from hiermod.engine.kernels.vector_ops import product
from hiermod.engine.kernels.vector_ops import total as total_of

Array = np.ndarray
NEXT_TO_NOTHING = -300.0  # a logarithm


@numba.njit(**NJIT)
def score_block(
    code: int, eta: Array, y: Array, size: Array, count: Array, start: int, rows: int,
    auxiliary: Array, score: Array, slopes: Array,
) -> float:  # fmt: skip
    """Score rows `start` to `start + rows`; `eta` and `score` hold this block alone."""
    if code == ONE_TRIAL:
        return _one_trial(eta, rows, score)
    if code == LOGIT:
        return _logit(eta, size, start, rows, score)
    if code == POISSON:
        return _poisson(eta, size, start, rows, score)
    if code in (PROBIT, CLOGLOG):
        return _trials(code, eta, y, size, start, rows, score)
    if code == NEGBINOMIAL:
        return _negbinomial(eta, y, size, start, rows, auxiliary, score, slopes)
    if code == STUDENT_T:
        return _student(eta, y, size, start, rows, auxiliary, score, slopes)
    if code == GAMMA_LOG:
        return _gamma(eta, y, size, start, rows, auxiliary, score, slopes)
    return _beta_binomial(code - BETA_LOGIT, eta, y, size, count, start, rows, auxiliary, score, slopes)


@numba.njit(**NJIT)
def _one_trial(eta: Array, rows: int, score: Array) -> float:
    """Logit of single trials: one logarithm for all, of the product of each row's larger chance, between 1/2 and 1."""
    for i in range(np.uint64(rows)):
        x = eta[i]
        small = exp(-abs(x))
        score[i] = -(1.0 if x >= 0.0 else small) / (1.0 + small)
        eta[i] = max(x, 0.0)
    result = -total_of(eta, 0, rows)
    for i in range(np.uint64(rows)):
        eta[i] = 0.5 + abs(0.5 + score[i])
    return result + math.log(product(eta, 0, rows))


@numba.njit(**NJIT)
def _logit(eta: Array, size: Array, start: int, rows: int, score: Array) -> float:
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        x, n = eta[i], size[begin + i]
        small = exp(-abs(x))
        score[i] = -n * (1.0 if x >= 0.0 else small) / (1.0 + small)
        eta[i] = -n * (max(x, 0.0) + log1p(small))
    return total_of(eta, 0, rows)


@numba.njit(**NJIT)
def _poisson(eta: Array, size: Array, start: int, rows: int, score: Array) -> float:
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        score[i] = eta[i] = -size[begin + i] * exp(eta[i])
    return total_of(eta, 0, rows)


@numba.njit(**NJIT)
def _trials(link: int, eta: Array, y: Array, size: Array, start: int, rows: int, score: Array) -> float:
    total = 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        successes, failures = y[begin + i], size[begin + i] - y[begin + i]
        success, failure, up, down = log_rates(link, eta[i])
        total += successes * success + failures * failure
        score[i] = successes * up + failures * down
    return total


@numba.njit(**NJIT)
def _negbinomial(
    eta: Array, y: Array, size: Array, start: int, rows: int, auxiliary: Array, score: Array, slopes: Array
) -> float:
    """Rows of one count after the other share what depends on the count alone."""
    alpha = auxiliary[0]
    log_alpha, total, slope, last, rising, by_alpha = math.log(alpha), 0.0, 0.0, -1.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        value, weight = y[begin + i], size[begin + i]
        if value != last:
            rising, by_alpha = log_rising(alpha, value)
            last = value
        x = eta[i] - log_alpha
        small = exp(-abs(x))
        share = (1.0 if x >= 0.0 else small) / (1.0 + small)  # mean over mean and alpha
        above = max(x, 0.0) + log1p(small)  # logarithm of 1 + mean / alpha
        total += weight * (rising + value * x - (value + alpha) * above)
        score[i] = weight * (value - (value + alpha) * share)
        slope += weight * (by_alpha - above + share - value * (1.0 - share) / alpha)
    slopes[0] += slope
    return total


@numba.njit(**NJIT)
def _student(
    eta: Array, y: Array, size: Array, start: int, rows: int, auxiliary: Array, score: Array, slopes: Array
) -> float:
    sigma, nu = auxiliary[0], auxiliary[1]
    total, by_sigma, by_nu, weights = 0.0, 0.0, 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        weight = size[begin + i]
        t = (y[begin + i] - eta[i]) / sigma
        ratio = t * t / nu
        tail = log(1.0 + ratio) if ratio > 0.4 else math.log1p(ratio)
        pull = (nu + 1.0) * t / (nu + t * t)
        total -= weight * 0.5 * (nu + 1.0) * tail
        score[i] = weight * pull / sigma
        by_sigma += weight * t * pull
        by_nu += weight * (t * pull / nu - tail)
        weights += weight
    half, _ = log_rising(0.5 * nu, 0.5)
    total += weights * (half - 0.5 * math.log(nu) - math.log(sigma))
    slopes[0] += (by_sigma - weights) / sigma
    slopes[1] += 0.5 * (by_nu + weights * (digamma(0.5 * (nu + 1.0)) - digamma(0.5 * nu) - 1.0 / nu))
    return total


@numba.njit(**NJIT)
def _gamma(
    eta: Array, y: Array, size: Array, start: int, rows: int, auxiliary: Array, score: Array, slopes: Array
) -> float:
    alpha = auxiliary[0]
    total, weights = 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        value, weight = y[begin + i], size[begin + i]
        x = log(value) - eta[i]
        ratio = exp(x)
        score[i] = weight * alpha * (ratio - 1.0)
        total += weight * (x - ratio)
        weights += weight
    slopes[0] += total + weights * (math.log(alpha) + 1.0 - digamma(alpha))
    return alpha * total + weights * (alpha * math.log(alpha) - math.lgamma(alpha))


@numba.njit(**NJIT)
def _beta_binomial(
    link: int, eta: Array, y: Array, size: Array, count: Array, start: int, rows: int,
    auxiliary: Array, score: Array, slopes: Array,
) -> float:  # fmt: skip
    kappa = auxiliary[0]
    total, slope = 0.0, 0.0
    begin = np.uint64(start)
    for i in range(np.uint64(rows)):
        successes, trials, weight = y[begin + i], size[begin + i], count[begin + i]
        log_success, log_failure, up, down = log_rates(link, eta[i])
        won, by_won, won_by_kappa = _rising_rate(log_success, up, kappa, successes)
        lost, by_lost, lost_by_kappa = _rising_rate(log_failure, down, kappa, trials - successes)
        all_, by_all = log_rising(kappa, trials)
        total += weight * (won + lost - all_)
        score[i] = weight * (by_won + by_lost)
        slope += weight * (won_by_kappa + lost_by_kappa - by_all)
    slopes[0] += slope
    return total


@numba.njit(**NJIT)
def _rising_rate(log_rate: float, slope: float, kappa: float, count: float) -> tuple[float, float, float]:
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
