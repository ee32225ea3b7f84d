"""Ordered categories: log likelihood and score of a block of rows, and the prior of their thresholds, in compiled code.

Thresholds are measured from one of them, whose place is `reference`: minus that is the first common coefficient, so
that it stands in the linear predictor, and the family's parameters are the distances ``c`` of the others from it.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.coordinates.hyperparameters import log_prior
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.special import log_normal_cdf, log_rates, log_sigmoids
from hiermod.engine.kernels.numbers.vector_ops import fill
from hiermod.engine.kernels.numbers.vector_ops import total as total_of
from hiermod.engine.kernels.record import BLOCK, ORDERED_KERNELS
from hiermod.engine.kernels.views import doubles, threshold_at

Array = np.ndarray
CUMULATIVE, SRATIO, CRATIO, ACAT = (ORDERED_KERNELS[f"{name}_logit"] for name in ("cumulative", "sratio", "cratio",
                                                                                 "acat"))  # fmt: skip
HALF_LOG_TAU = 0.9189385332046727
LARGEST = 700.0  # exponent
NO_THRESHOLD = 1e300  # where the outer categories end
LOWER, UPPER, INNER, ODDS, BY_LOWER, BY_UPPER, WEIGHT, BELOW, ABOVE = range(0, 9 * BLOCK, BLOCK)  # of a block's work


@numba.njit(**NJIT)
def score_block(kernel: int, record: Any, work: Any, start: int, rows: int) -> float:
    """Score a block of rows; adds the derivatives by distances of thresholds."""
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    distances, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    if kernel == CUMULATIVE and record.thresholds < BLOCK:
        return _cumulative_logit(record, work, distances, slopes, start, rows)
    total = 0.0
    for i in range(rows):
        weight = size[start + i]
        value, score[i] = _row(kernel, record, distances, slopes, int(y[start + i]), eta[i], weight)
        total += value
    return total


@numba.njit(**NJIT)
def _row(
    kernel: int, record: Any, distances: Array, slopes: Array, category: int, eta: float, weight: float
) -> tuple[float, float]:
    """The log chance of a category times a weight, and its derivative by the linear predictor."""
    if kernel < SRATIO:
        return _cumulative(kernel - CUMULATIVE, record, distances, slopes, category, eta, weight)
    if kernel < CRATIO:
        return _steps(kernel - SRATIO, -1.0, record, distances, slopes, category, eta, weight)
    if kernel < ACAT:
        return _steps(kernel - CRATIO, 1.0, record, distances, slopes, category, eta, weight)
    return _neighbours(record, distances, slopes, category, eta, weight)


@numba.njit(**NJIT)
def _distance(record: Any, distances: Array, place: int) -> float:
    """How far a threshold is from the one at the reference."""
    if place == record.reference:
        return 0.0
    return distances[place - 1] if place > record.reference else distances[place]


@numba.njit(**NJIT)
def _add(record: Any, slopes: Array, place: int, slope: float) -> None:
    """Add the derivative by a threshold's distance."""
    if place > record.reference:
        slopes[place - 1] += slope
    elif place < record.reference:
        slopes[place] += slope


@numba.njit(**NJIT)
def _cumulative(
    link: int, record: Any, distances: Array, slopes: Array, category: int, eta: float, weight: float
) -> tuple[float, float]:
    """What the distribution has between two thresholds, the outer ones being infinite."""
    if category == 1:
        value, _, slope, _ = log_rates(link, _distance(record, distances, 0) - eta)
        _add(record, slopes, 0, weight * slope)
        return weight * value, -weight * slope
    low = _distance(record, distances, category - 2) - eta
    if category > record.thresholds:
        _, value, _, slope = log_rates(link, low)
        _add(record, slopes, category - 2, weight * slope)
        return weight * value, -weight * slope
    high = _distance(record, distances, category - 1) - eta
    value, by_low, by_high = _between(link, low, high)
    _add(record, slopes, category - 2, weight * by_low)
    _add(record, slopes, category - 1, weight * by_high)
    return weight * value, -weight * (by_low + by_high)


@numba.njit(**NJIT)
def _between(link: int, low: float, high: float) -> tuple[float, float, float]:
    """``log(F(high) − F(low))`` and its derivatives."""
    if link == 0:
        one, _, rate_high = log_sigmoids(high)
        _, other, rate_low = log_sigmoids(low)
        inner, odds = _gap(high - low)
        return one + other + inner, -rate_low - odds, 1.0 - rate_high + odds
    if link == 1:
        flip = low + high > 0.0
        below, above = (-high, -low) if flip else (low, high)
        first, _ = log_normal_cdf(below)
        last, _ = log_normal_cdf(above)
        value = last + math.log(-math.expm1(min(first - last, -1e-300)))
        return (
            value,
            -math.exp(-0.5 * low * low - HALF_LOG_TAU - value),
            math.exp(-0.5 * high * high - HALF_LOG_TAU - value),
        )
    hazard, log_growth = math.exp(min(low, LARGEST)), high + math.log(-math.expm1(low - high))
    growth = math.exp(min(log_growth, LARGEST))
    if growth < 1e-17:
        share = math.exp(min(low - log_growth, LARGEST))
        return log_growth - hazard, -share, math.exp(min(high - log_growth, LARGEST))
    stays = -math.expm1(-growth)
    by_high = math.exp(min(high, LARGEST) - growth) / stays
    return math.log(stays) - hazard, -hazard / stays, by_high


@numba.njit(**NJIT)
def _gap(width: float) -> tuple[float, float]:
    """``log(1 − exp(−width))`` and its derivative, of the logit's ``log(F(high) − F(low))`` all that rows share."""
    small = math.exp(-width)
    if small < 0.5:
        return math.log1p(-small), small / (1.0 - small)
    rest = -math.expm1(-width)
    return math.log(rest), small / rest


@numba.njit(**NJIT)
def _cumulative_logit(record: Any, work: Any, distances: Array, slopes: Array, start: int, rows: int) -> float:
    """The logit's log chances ``log F(high) + log(1 − F(low)) + log(1 − exp(low − high))``, the last by category."""
    eta, score = doubles(work.eta), doubles(work.row_scores)
    y, size = doubles(record.response), doubles(record.size)
    own = doubles(work.etas)
    _categories(record, own, distances)
    for i in range(rows):
        category = int(y[start + i]) - 1
        own[WEIGHT + category] += size[start + i]
        own[BELOW + i], own[ABOVE + i] = own[LOWER + category] - eta[i], own[UPPER + category] - eta[i]
    for i in range(rows):
        low, high, weight = own[BELOW + i], own[ABOVE + i], size[start + i]
        small, other = exp(-abs(low)), exp(-abs(high))
        below, above = (1.0 if low >= 0.0 else small) / (1.0 + small), (other if high >= 0.0 else 1.0) / (1.0 + other)
        eta[i] = weight * (min(high, 0.0) - max(low, 0.0) - log((1.0 + small) * (1.0 + other)))
        score[i] = weight * (below - above)
        own[BELOW + i], own[ABOVE + i] = weight * below, weight * above
    for i in range(rows):
        category = int(y[start + i]) - 1
        own[BY_LOWER + category] -= own[BELOW + i]
        own[BY_UPPER + category] += own[ABOVE + i]
    return total_of(eta, 0, rows) + _by_category(record, own, slopes)


@numba.njit(**NJIT)
def _categories(record: Any, own: Array, distances: Array) -> None:
    """Write the thresholds about each category and what its rows share, and clear their sums."""
    categories = record.thresholds + 1
    for place in (BY_LOWER, BY_UPPER, WEIGHT):
        fill(own, place, 0.0, categories)
    for category in range(categories):
        first, last = category == 0, category == record.thresholds
        low = -NO_THRESHOLD if first else _distance(record, distances, category - 1)
        high = NO_THRESHOLD if last else _distance(record, distances, category)
        own[LOWER + category], own[UPPER + category] = low, high
        inner, odds = (0.0, 0.0) if first or last else _gap(high - low)
        own[INNER + category], own[ODDS + category] = inner, odds


@numba.njit(**NJIT)
def _by_category(record: Any, own: Array, slopes: Array) -> float:
    """What rows share, by category; adds the derivatives by the thresholds."""
    total = 0.0
    for category in range(record.thresholds + 1):
        shared = own[WEIGHT + category] * own[ODDS + category]
        total += own[WEIGHT + category] * own[INNER + category]
        if category > 0:
            _add(record, slopes, category - 1, own[BY_LOWER + category] - shared)
        if category < record.thresholds:
            _add(record, slopes, category, own[BY_UPPER + category] + shared)
    return total


@numba.njit(**NJIT)
def _steps(
    link: int, sign: float, record: Any, distances: Array, slopes: Array, category: int, eta: float, weight: float
) -> tuple[float, float]:
    """Steps from the first category on; at each one stops by ``F(c − eta)``, or goes on by ``F(eta − c)``."""
    total, score = 0.0, 0.0
    for place in range(min(category, record.thresholds)):
        success, failure, up, down = log_rates(link, sign * (eta - _distance(record, distances, place)))
        stops, by_success = place == category - 1, place == category - 1
        if sign > 0.0:
            by_success = not stops
        total += success if by_success else failure
        slope = sign * (up if by_success else down)
        score += slope
        _add(record, slopes, place, -weight * slope)
    return weight * total, weight * score


@numba.njit(**NJIT)
def _neighbours(
    record: Any, distances: Array, slopes: Array, category: int, eta: float, weight: float
) -> tuple[float, float]:
    """Log odds of neighbouring categories; chances of all are summed first, then taken off from the last on."""
    here, own, total = 0.0, 0.0, 0.0
    for place in range(record.thresholds):
        here += eta - _distance(record, distances, place)
        own = here if place == category - 2 else own
        total = max(here, total) + log1p(exp(-abs(here - total)))
    beyond, score = 0.0, 0.0
    for place in range(record.thresholds - 1, -1, -1):
        beyond += math.exp(here - total)
        slope = (1.0 if category > place + 1 else 0.0) - beyond
        score += slope
        _add(record, slopes, place, -weight * slope)
        here -= eta - _distance(record, distances, place)
    return weight * (own - total), weight * score


@numba.njit(**NJIT)
def forward(record: Any, work: Any) -> None:
    """Sum the distances between neighbours, where thresholds have to increase, up to those from the reference."""
    if not record.increasing:
        return
    x = doubles(work.auxiliary)
    for place in range(record.reference + 1, record.thresholds - 1):
        x[place] += x[place - 1]
    for place in range(record.reference - 1, -1, -1):
        x[place] = (x[place + 1] if place < record.reference - 1 else 0.0) - x[place]


@numba.njit(**NJIT)
def back(record: Any, work: Any) -> None:
    """From the derivatives by distances from the reference to those by distances between neighbours."""
    if not record.increasing:
        return
    by_x = doubles(work.by_auxiliary)
    for place in range(record.thresholds - 3, record.reference - 1, -1):
        by_x[place] += by_x[place + 1]
    for place in range(1, record.reference):
        by_x[place] += by_x[place - 1]
    for place in range(record.reference):
        by_x[place] = -by_x[place]


@numba.njit(**NJIT)
def log_priors(record: Any, work: Any) -> float:
    """Log density of the thresholds' prior; adds its derivatives."""
    if record.thresholds == 0:
        return 0.0
    distances, slopes = doubles(work.auxiliary), doubles(work.by_auxiliary)
    theta, by_theta = doubles(work.theta), doubles(work.by_theta)
    size, eta, total = doubles(record.chances)[0], theta[0], 0.0
    if size > 0.0:
        weight = size if record.threshold_kernel >= ACAT else size - 1.0
        if weight != 0.0:
            for category in range(1, record.thresholds + 2):
                value, score = _row(record.threshold_kernel, record, distances, slopes, category, eta, weight)
                total += value
                by_theta[0] += score
    for place in range(record.thresholds):
        threshold = _distance(record, distances, place) - eta
        if size > 0.0:
            value, slope = _volume(record.threshold_kernel, record.thresholds - 1 - place, threshold)
        else:
            prior = threshold_at(record.threshold_table, place)
            value, slope = log_prior(prior.kernel, prior.a, prior.b, prior.c, threshold)
        total += value
        by_theta[0] -= slope
        _add(record, slopes, place, slope)
    return total


@numba.njit(**NJIT)
def _volume(kernel: int, later: int, threshold: float) -> tuple[float, float]:
    """Of the map from chances to thresholds, one of these; so many stand beyond it."""
    if kernel >= ACAT:
        return 0.0, 0.0
    if kernel < SRATIO:
        return _log_slope(kernel - CUMULATIVE, threshold)
    sign = 1.0 if kernel < CRATIO else -1.0
    link = kernel - (SRATIO if kernel < CRATIO else CRATIO)
    success, failure, up, down = log_rates(link, sign * threshold)
    value, slope = _log_slope(link, sign * threshold)
    if sign > 0.0:
        return value + later * failure, slope + later * down
    return value + later * success, -slope - later * up


@numba.njit(**NJIT)
def _log_slope(link: int, x: float) -> tuple[float, float]:
    """Logarithm of the slope of F, and its derivative."""
    if link == 0:
        up, down, rate = log_sigmoids(x)
        return up + down, 1.0 - 2.0 * rate
    if link == 1:
        return -0.5 * x * x, -x
    hazard = math.exp(min(x, LARGEST))
    return x - hazard, 1.0 - hazard
