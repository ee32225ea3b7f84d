"""Likelihoods of rows whose parameters each have a linear predictor or one value, in compiled code.

A slot is a parameter of the family: 0 is mu, 1 the first one beside it, and so on. Each has a block of linear
predictors and one of scores. A family needs one function of a row (`densities`), a branch in `row_density`, and a
name in `record.ROW_KERNELS`; models with a single linear predictor are scored by the same.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.grouped import add_effects_of, add_scores_of
from hiermod.engine.kernels.numbers.special import log_rates
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, dot, fill, total
from hiermod.engine.kernels.record import (
    BLOCK,
    BOUNDED,
    BY_ROWS,
    FEW_SLOTS,
    HURDLE,
    INFLATED,
    LOG_LINK,
    LOG_ODDS,
    REAL_LINE,
    ROW_KERNELS,
)
from hiermod.engine.kernels.rows import bounded, counts, densities, durations, links, mixtures, units
from hiermod.engine.kernels.views import doubles, integers, parameter_at

Array = np.ndarray
FIRST_BOUNDED = BY_ROWS + BOUNDED
GAUSSIAN = ROW_KERNELS["gaussian_identity"]
GAUSSIAN_WITHIN = ROW_KERNELS["gaussian_within"]
STUDENT = ROW_KERNELS["student_identity"]
NEGBINOMIAL = ROW_KERNELS["negbinomial_log"]
GAMMA = ROW_KERNELS["gamma_log"]
LOGNORMAL = ROW_KERNELS["lognormal_identity"]
WEIBULL = ROW_KERNELS["weibull_log"]
EXPONENTIAL = ROW_KERNELS["exponential_log"]
SHIFTED_LOGNORMAL = ROW_KERNELS["shifted_lognormal_identity"]
EXGAUSSIAN = ROW_KERNELS["exgaussian_identity"]
BETA_LOGIT = ROW_KERNELS["beta_binomial_logit"]
BETA_PROBIT = ROW_KERNELS["beta_binomial_probit"]
BETA_CLOGLOG = ROW_KERNELS["beta_binomial_cloglog"]
GEOMETRIC = ROW_KERNELS["geometric_log"]
NBINOM1 = ROW_KERNELS["nbinom1_log"]
GAUSSIAN_LOG = ROW_KERNELS["gaussian_log"]
GAMMA_INVERSE = ROW_KERNELS["gamma_inverse"]
GAUSSIAN_KNOWN = ROW_KERNELS["gaussian_known_identity"]
GAUSSIAN_ADDED = ROW_KERNELS["gaussian_added_identity"]
TRIALS_LOG = ROW_KERNELS["trials_log"]
ENDS = ROW_KERNELS["zero_one_inflated_beta_logit"]
BETA = ROW_KERNELS["beta_logit"]  # the first of three links
POISSON = ROW_KERNELS["poisson_log"]
LOGIT = ROW_KERNELS["trials_logit"]
PROBIT = ROW_KERNELS["trials_probit"]
CLOGLOG = ROW_KERNELS["trials_cloglog"]
CATEGORICAL = ROW_KERNELS["categorical_logit"]
FIRST_MIXTURE = min(ROW_KERNELS.values()) + INFLATED
FIRST_HURDLE = min(ROW_KERNELS.values()) + HURDLE
SHARES = ROW_KERNELS["hurdle_shares"]


@numba.njit(**NJIT)
def row_density(
    kernel: int, y: float, n: float, eta: float, a: float, b: float, c: float
) -> tuple[float, float, float, float, float]:
    """Log density of a row, and its derivatives by the linear predictor of mu and by the other parameters' values."""
    if kernel == GAUSSIAN:
        return densities.gaussian(y, n, eta, a)
    if kernel == GAUSSIAN_WITHIN:
        return densities.gaussian_within(y, eta, a)
    if kernel == STUDENT:
        return densities.student(y, eta, a, b)
    if kernel == NEGBINOMIAL:
        value, by_eta, by_shape, by_b, by_c = densities.negbinomial(y, eta, n * a)  # an exposure multiplies the shape
        return value, by_eta, n * by_shape, by_b, by_c
    if kernel == GAMMA:
        return densities.gamma(y, eta, a)
    if kernel == LOGNORMAL:
        return densities.lognormal(y, eta, a)
    if kernel == WEIBULL:
        return durations.weibull(y, eta, a)
    if kernel == EXPONENTIAL:
        return durations.exponential(y, eta)
    if kernel == SHIFTED_LOGNORMAL:
        return durations.shifted_lognormal(y, eta, a, b)
    if kernel == EXGAUSSIAN:
        return durations.exgaussian(y, eta, a, b)
    if kernel == POISSON:
        return (*mixtures.poisson(y, eta), 0.0, 0.0, 0.0)
    if kernel in (LOGIT, PROBIT, CLOGLOG):
        return (*mixtures.trials(kernel - LOGIT, y, n, eta), 0.0, 0.0, 0.0)
    if kernel == BETA_LOGIT:
        return densities.beta_binomial(0, y, n, eta, a)
    if kernel == BETA_PROBIT:
        return densities.beta_binomial(1, y, n, eta, a)
    if kernel == GAUSSIAN_LOG:
        return links.gaussian_log(y, eta, a)
    if kernel == GAMMA_INVERSE:
        return links.gamma_inverse(y, eta, a)
    if kernel == TRIALS_LOG:
        return links.trials_log(y, n, eta)
    if kernel == GAUSSIAN_KNOWN:
        return links.gaussian_known(y, n, eta)
    if kernel == GAUSSIAN_ADDED:
        return links.gaussian_added(y, n, eta, a)
    if kernel == GEOMETRIC:
        return counts.geometric(y, eta)
    if kernel == NBINOM1:
        return counts.nbinom1(y, eta, a)
    if ENDS <= kernel <= ENDS + 2:
        return units.zero_one_inflated_beta(kernel - ENDS, y, eta, a, b, c)
    if BETA <= kernel <= BETA + 2:
        return units.beta(kernel - BETA, y, eta, a)
    return densities.beta_binomial(2, y, n, eta, a)


@numba.njit(**NJIT)
def bounded_density(
    kernel: int, record: Any, row: int, eta: float, a: float, b: float, c: float
) -> tuple[float, float, float, float, float]:
    """The same of a row that may be censored, `size` being its code, or recorded between bounds alone."""
    y, code = doubles(record.response)[row], doubles(record.size)[row]
    least, most = doubles(record.least)[row], doubles(record.most)[row]
    if code == 0.0:
        value, by_eta, by_a, by_b, _ = row_density(kernel, y, 0.0, eta, a, b, c)
    else:
        upper = doubles(record.upper)[row]
        value, by_eta, by_a, by_b = bounded.unknown(kernel, y, code, upper, eta, a, b)
    if least > -math.inf or most < math.inf:
        seen, seen_eta, seen_a, seen_b = bounded.recorded(kernel, least, most, eta, a, b)
        return value - seen, by_eta - seen_eta, by_a - seen_a, by_b - seen_b, 0.0
    return value, by_eta, by_a, by_b, 0.0


@numba.njit(**NJIT)
def mixed_density(
    kernel: int, place: int, y: float, n: float, eta: float, a: float, b: float, c: float
) -> tuple[float, float, float, float, float]:
    """The same where zeros have a part of their own; the log odds of its share are the last parameter, at `place`.

    A hurdle's rows are either above 0 or shares of zeros, `y` of `n`.
    """
    odds, by_odds = a if place == 1 else b if place == 2 else c, 0.0
    if kernel == SHARES:
        value, by_odds = mixtures.shares_of_zeros(y, n, odds)
        by_eta, by_a, by_b, by_c = 0.0, 0.0, 0.0, 0.0
    elif kernel >= FIRST_HURDLE:
        base = kernel - HURDLE
        value, by_eta, by_a, by_b, by_c = row_density(base, y, n, eta, a, b, c)
        if base == POISSON:
            above, slope = mixtures.above_zero_poisson(eta)
            value -= above
            by_eta -= slope
        elif base == NEGBINOMIAL:
            above, slope, slope_by_a = mixtures.above_zero_negbinomial(eta, a)
            value -= above
            by_eta -= slope
            by_a -= slope_by_a
    else:
        inner, by_eta, by_a, by_b, by_c = row_density(kernel - INFLATED, y, n, eta, a, b, c)
        value, own, by_odds = mixtures.inflated(inner, odds, y == 0.0)
        by_eta, by_a, by_b, by_c = own * by_eta, own * by_a, own * by_b, own * by_c
    if place == 1:
        return value, by_eta, by_odds, 0.0, 0.0
    if place == 2:
        return value, by_eta, by_a, by_odds, 0.0
    return value, by_eta, by_a, by_b, by_odds


@numba.njit(**NJIT)
def in_part(kernel: int, slot: int, share: int) -> bool:
    """Whether rows depend on a parameter: the two parts of a hurdle share none, `share` being the slot of zeros."""
    if kernel < FIRST_HURDLE:
        return True
    return (slot == share) == (kernel == SHARES)


@numba.njit(**NJIT)
def score(kernel: int, record: Any, work: Any, start: int, rows: int) -> float:
    """Score a block of rows by the linear predictors in `etas`, which become the parameters' values."""
    values, scores = doubles(work.etas), doubles(work.scores)
    for slot in range(1, max(FEW_SLOTS, record.parameters + 1)):
        if slot <= record.parameters and in_part(kernel, slot, record.parameters):
            _values_and_slopes(record, slot, slot * BLOCK, rows, values, scores)
        else:
            fill(values, slot * BLOCK, 1.0, rows)
            fill(scores, slot * BLOCK, 0.0, rows)
    y, size, weight = doubles(record.response), doubles(record.size), doubles(record.count)
    result, second, third, fourth = 0.0, BLOCK, 2 * BLOCK, 3 * BLOCK
    if kernel == CATEGORICAL:
        return _categorical(record, values, scores, start, rows)
    mixed = kernel >= FIRST_MIXTURE
    for i in range(rows):
        times, response, number = weight[start + i], y[start + i], size[start + i]
        eta, a, b, c = values[i], values[second + i], values[third + i], values[fourth + i]
        if mixed:
            value, by_eta, by_a, by_b, by_c = mixed_density(kernel, record.parameters, response, number, eta, a, b, c)
        elif kernel >= FIRST_BOUNDED:
            value, by_eta, by_a, by_b, by_c = bounded_density(kernel - BOUNDED, record, start + i, eta, a, b, c)
        else:
            value, by_eta, by_a, by_b, by_c = row_density(kernel, response, number, eta, a, b, c)
        result += times * value
        scores[i] = times * by_eta
        scores[second + i] *= times * by_a
        scores[third + i] *= times * by_b
        scores[fourth + i] *= times * by_c
    return result


@numba.njit(**NJIT)
def _categorical(record: Any, etas: Array, scores: Array, start: int, rows: int) -> float:
    """Chances in proportion to the exponentials of as many linear predictors as there are categories."""
    y, weight = doubles(record.response), doubles(record.count)
    result = 0.0
    for i in range(rows):
        times, own, largest, total = weight[start + i], int(y[start + i]) - 1, etas[i], 0.0
        for slot in range(1, record.parameters + 1):
            largest = max(largest, etas[slot * BLOCK + i])
        for slot in range(record.parameters + 1):
            total += math.exp(etas[slot * BLOCK + i] - largest)
        result += times * (etas[own * BLOCK + i] - largest - math.log(total))
        for slot in range(record.parameters + 1):
            chance = math.exp(etas[slot * BLOCK + i] - largest) / total
            scores[slot * BLOCK + i] = times * ((1.0 if slot == own else 0.0) - chance)
    return result


@numba.njit(**NJIT)
def _values_and_slopes(record: Any, slot: int, at: int, rows: int, values: Array, slopes: Array) -> None:
    """A parameter's values by the inverse link, and their derivatives by the linear predictor; of one value, that."""
    link = parameter_at(record.parameter_table, slot - 1).link
    if link >= LOG_ODDS:
        _log_odds_and_slopes(link - LOG_ODDS, at, rows, values, slopes)
    elif link == REAL_LINE:
        fill(slopes, at, 1.0, rows)
    elif link == LOG_LINK:
        for i in range(rows):
            values[at + i] = slopes[at + i] = math.exp(values[at + i])
    else:
        for i in range(rows):
            success, _, slope, _ = log_rates(link, values[at + i])
            values[at + i] = math.exp(success)
            slopes[at + i] = values[at + i] * slope


@numba.njit(**NJIT)
def _log_odds_and_slopes(link: int, at: int, rows: int, values: Array, slopes: Array) -> None:
    """The log odds of a parameter between 0 and 1, with their derivatives by its linear predictor or one value."""
    if link == REAL_LINE:
        value = values[at]
        fill(values, at, math.log(value) - math.log1p(-value), rows)
        fill(slopes, at, 1.0 / (value * (1.0 - value)), rows)
    elif link == 0:
        fill(slopes, at, 1.0, rows)
    else:
        for i in range(rows):
            success, failure, up, down = log_rates(link, values[at + i])
            values[at + i] = success - failure
            slopes[at + i] = up - down


@numba.njit(**NJIT)
def linear_predictors(kernel: int, record: Any, work: Any, start: int, count: int) -> None:
    """Write the linear predictors of `count` rows from `start` on; of parameters without one, their value."""
    for slot in range(record.parameters + 1):
        if not in_part(kernel, slot, record.parameters):
            continue
        eta, scalar = doubles(work.etas + 8 * BLOCK * slot), _scalar(record, slot)
        if scalar >= 0:
            fill(eta, 0, doubles(work.auxiliary)[scalar], count)
        else:
            _linear_predictor(record, work, slot, start, count, eta)


@numba.njit(**NJIT)
def _scalar(record: Any, slot: int) -> int:
    """Where a parameter without a linear predictor stands among the family's hyperparameters; else below 0."""
    return parameter_at(record.parameter_table, slot - 1).scalar if slot > 0 else -1


@numba.njit(**NJIT)
def _linear_predictor(record: Any, work: Any, slot: int, start: int, count: int, eta: Array) -> None:
    rows, common = record.rows, record.common
    design, owners = doubles(record.design), integers(record.common_slots)
    theta = doubles(work.theta)
    fill(eta, 0, 0.0, count)
    if record.has_offset:
        add_scaled(eta, 0, doubles(record.offset), slot * rows + start, 1.0, count)
    for j in range(common):
        if owners[j] == slot:
            add_scaled(eta, 0, design, j * rows + start, theta[j], count)
    add_effects_of(record, slot, theta, start, count, eta)


@numba.njit(**NJIT)
def scatter(kernel: int, record: Any, work: Any, start: int, count: int) -> None:
    """Add the scores of `count` rows to the derivatives by coefficients and by the family's hyperparameters."""
    rows, common = record.rows, record.common
    design, owners = doubles(record.design), integers(record.common_slots)
    by_theta = doubles(work.by_theta)
    for slot in range(record.parameters + 1):
        if not in_part(kernel, slot, record.parameters):
            continue
        score, scalar = doubles(work.scores + 8 * BLOCK * slot), _scalar(record, slot)
        if scalar >= 0:
            doubles(work.by_auxiliary)[scalar] += total(score, 0, count)
            continue
        for j in range(common):
            if owners[j] == slot:
                by_theta[j] += dot(score, 0, design, j * rows + start, count)
        add_scores_of(record, slot, score, start, count, by_theta)
