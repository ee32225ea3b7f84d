"""Log likelihood and score of a block of rows, kernel by kernel, in compiled code.

Each returns the log likelihood of `rows` rows from `start` on, up to a constant, takes their linear predictor from
`eta`, which it may overwrite, writes its derivative by that to `row_scores`, and adds those by the family's parameters
to `by_auxiliary`. Under a canonical link responses enter by their sums with the design alone, and what is written and
returned here is the rest.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.special import digamma, log_rates, log_rising, rising_rate
from hiermod.engine.kernels.numbers.vector_ops import product
from hiermod.engine.kernels.numbers.vector_ops import total as total_of
from hiermod.engine.kernels.record import KERNELS, ORDERED
from hiermod.engine.kernels.rows import ordered
from hiermod.engine.kernels.rows.durations import score_weibull
from hiermod.engine.kernels.views import doubles

(
    LOGIT, PROBIT, CLOGLOG, POISSON, NEGBINOMIAL, STUDENT, GAMMA, BETA_LOGIT, BETA_PROBIT, BETA_CLOGLOG, GAUSSIAN,
    ONE_TRIAL, LOGNORMAL, WEIBULL,
) = KERNELS.values()  # fmt: skip


@numba.njit(**NJIT)
def score_block(kernel: int, record: Any, work: Any, start: int, rows: int) -> float:
    """Score a block of rows of one segment."""
    if kernel >= ORDERED:
        return ordered.score_block(kernel, record, work, start, rows)
    if kernel == ONE_TRIAL:
        return _one_trial(work, rows)
    if kernel == LOGIT:
        return _logit(record, work, start, rows)
    if kernel == POISSON:
        return _poisson(record, work, start, rows)
    if kernel in (PROBIT, CLOGLOG):
        return _trials(kernel, record, work, start, rows)
    if kernel == NEGBINOMIAL:
        return _negbinomial(record, work, start, rows)
    if kernel == STUDENT:
        return _student(record, work, start, rows)
    if kernel == GAMMA:
        return _gamma(record, work, start, rows)
    if kernel == LOGNORMAL:
        return _lognormal(record, work, start, rows)
    if kernel == WEIBULL:
        return score_weibull(record, work, start, rows)
    return _beta_binomial(kernel - BETA_LOGIT, record, work, start, rows)


@numba.njit(**NJIT)
def _one_trial(work: Any, rows: int) -> float:
    """Logit of single trials: one logarithm for all, of the product of each row's larger chance, between 1/2 and 1."""
    eta, score = doubles(work.eta), doubles(work.row_scores)
    for i in range(rows):
        x = eta[i]
        small = exp(-abs(x))
        score[i] = -(1.0 if x >= 0.0 else small) / (1.0 + small)
        eta[i] = max(x, 0.0)
    result = -total_of(eta, 0, rows)
    for i in range(rows):
        eta[i] = 0.5 + abs(0.5 + score[i])
    return result + math.log(product(eta, 0, rows))


@numba.njit(**NJIT)
def _logit(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    size = doubles(record.size)
    for i in range(rows):
        x, n = eta[i], size[start + i]
        small = exp(-abs(x))
        score[i] = -n * (1.0 if x >= 0.0 else small) / (1.0 + small)
        eta[i] = -n * (max(x, 0.0) + log1p(small))
    return total_of(eta, 0, rows)


@numba.njit(**NJIT)
def _poisson(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    size = doubles(record.size)
    for i in range(rows):
        score[i] = -size[start + i] * exp(eta[i])
    return total_of(score, 0, rows)


@numba.njit(**NJIT)
def _trials(link: int, record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    total = 0.0
    for i in range(rows):
        successes, failures = y[start + i], size[start + i] - y[start + i]
        success, failure, up, down = log_rates(link, eta[i])
        total += successes * success + failures * failure
        score[i] = successes * up + failures * down
    return total


@numba.njit(**NJIT)
def _negbinomial(record: Any, work: Any, start: int, rows: int) -> float:
    """Rows of one count after the other share what depends on the count alone."""
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    alpha = auxiliary[0]
    log_alpha, total, slope, last, rising, by_alpha = math.log(alpha), 0.0, 0.0, -1.0, 0.0, 0.0
    for i in range(rows):
        value, weight = y[start + i], size[start + i]
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
def _student(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    sigma, nu = auxiliary[0], auxiliary[1]
    total, by_sigma, by_nu, weights = 0.0, 0.0, 0.0, 0.0
    for i in range(rows):
        weight = size[start + i]
        t = (y[start + i] - eta[i]) / sigma
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
def _gamma(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    alpha = auxiliary[0]
    total, weights = 0.0, 0.0
    for i in range(rows):
        value, weight = y[start + i], size[start + i]
        x = log(value) - eta[i]
        ratio = exp(x)
        score[i] = weight * alpha * (ratio - 1.0)
        total += weight * (x - ratio)
        weights += weight
    slopes[0] += total + weights * (math.log(alpha) + 1.0 - digamma(alpha))
    return alpha * total + weights * (alpha * math.log(alpha) - math.lgamma(alpha))


@numba.njit(**NJIT)
def _lognormal(record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    sigma, squares, weights = auxiliary[0], 0.0, 0.0
    for i in range(rows):
        weight = size[start + i]
        t = (log(y[start + i]) - eta[i]) / sigma
        score[i] = weight * t / sigma
        squares += weight * t * t
        weights += weight
    slopes[0] += (squares - weights) / sigma
    return -0.5 * squares - weights * math.log(sigma)


@numba.njit(**NJIT)
def _beta_binomial(link: int, record: Any, work: Any, start: int, rows: int) -> float:
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size, count = doubles(record.response), doubles(record.size), doubles(record.count)
    auxiliary, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    kappa = auxiliary[0]
    total, slope = 0.0, 0.0
    for i in range(rows):
        successes, trials, weight = y[start + i], size[start + i], count[start + i]
        log_success, log_failure, up, down = log_rates(link, eta[i])
        won, by_won, won_by_kappa = rising_rate(log_success, up, kappa, successes)
        lost, by_lost, lost_by_kappa = rising_rate(log_failure, down, kappa, trials - successes)
        all_, by_all = log_rising(kappa, trials)
        total += weight * (won + lost - all_)
        score[i] = weight * (by_won + by_lost)
        slope += weight * (won_by_kappa + lost_by_kappa - by_all)
    slopes[0] += slope
    return total
