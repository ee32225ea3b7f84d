"""Hyperparameters (standard deviations, correlations, the family's): from the line to their support, with their priors.

Those bounded on one side are exponentials beyond the bound, or, where a half-normal prior of scale s is all that bounds
a positive one above, ``s I(v)`` with
``I(v) = v Φ(v) + φ(v)``, the integral of the normal distribution function. Under that map the prior itself is nearly
normal, its density falling as fast towards zero as towards large values; a logarithm leaves it a long tail to the left
and a steep end to the right, which standard deviations of few groups have, too.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.special import log_normal_cdf, log_sigmoids
from hiermod.engine.kernels.record import BELOW, INTERVAL, LINE_ITSELF, PRIOR_KERNELS, SOFT
from hiermod.engine.kernels.views import doubles, hyperparameter_at

(
    NORMAL, STUDENT, LAPLACE, LOGISTIC, UNIFORM, EXPONENTIAL, GAMMA, INVERSE_GAMMA, LOG_NORMAL, BETA,
) = PRIOR_KERNELS.values()  # fmt: skip
Array = np.ndarray


@numba.njit(**NJIT)
def log_prior(kernel: int, a: float, b: float, c: float, x: float) -> tuple[float, float]:
    """Log density at x up to a constant, and its derivative; a, b, c are the prior's numbers in PyMC's order."""
    if kernel == NORMAL:
        t = (x - a) / b
        return -0.5 * t * t, -t / b
    if kernel == STUDENT:
        t = (x - b) / c
        return -0.5 * (a + 1.0) * math.log1p(t * t / a), -(a + 1.0) * t / ((a + t * t) * c)
    if kernel == LAPLACE:
        return -abs(x - a) / b, (-1.0 if x > a else 1.0) / b
    if kernel == LOGISTIC:
        up, down, rate = log_sigmoids((x - a) / b)
        return up + down, (1.0 - 2.0 * rate) / b
    if kernel == EXPONENTIAL:
        return -a * x, -a
    if kernel == GAMMA:
        return (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if kernel == INVERSE_GAMMA:
        return -(a + 1.0) * math.log(x) - b / x, (b / x - a - 1.0) / x
    if kernel == LOG_NORMAL:
        t = (math.log(x) - a) / b
        return -0.5 * t * t - math.log(x), -(t / b + 1.0) / x
    if kernel == BETA:
        return (a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x), (a - 1.0) / x - (b - 1.0) / (1.0 - x)
    return 0.0, 0.0


@numba.njit(**NJIT)
def log_prior_of_power(kernel: int, a: float, b: float, c: float, power: float, x: float) -> tuple[float, float]:
    """The same at x, where ``x^power`` has the prior."""
    if power == 1.0:
        return log_prior(kernel, a, b, c, x)
    value = x**power
    density, slope = log_prior(kernel, a, b, c, value)
    return density + (power - 1.0) * math.log(x), (slope * power * value + power - 1.0) / x


@numba.njit(**NJIT)
def forward(record: Any, work: Any, z: Array) -> float:
    """Write hyperparameters from their coordinates, the last ones of z; return the log density of priors and map."""
    count = record.hyperparameters
    centre, map_ = doubles(record.hyperparameter_centre), doubles(record.hyperparameter_map)
    values, at = doubles(work.values), record.coordinates
    for i in range(count):
        values[i] = centre[i]
        for j in range(count):
            values[i] += map_[i * count + j] * z[at + j]
    return _constrain(record, work)


@numba.njit(**NJIT)
def _constrain(record: Any, work: Any) -> float:
    """Map `values` on the line to `x` on their supports; return the log density of priors and of the map.

    `slopes` gets dx/dvalue, `by_value` the derivative of what is returned by value.
    """
    count, total = record.hyperparameters, 0.0
    values, x = doubles(work.values), doubles(work.x)
    slopes, by_value = doubles(work.slopes), doubles(work.by_value)
    for i in range(count):
        row, v = hyperparameter_at(record.hyperparameter_table, i), values[i]
        if row.transform == INTERVAL:
            up, down, rate = log_sigmoids(v)
            x[i], slopes[i] = row.low + (row.high - row.low) * rate, (row.high - row.low) * math.exp(up + down)
            volume, by_volume = up + down, 1.0 - 2.0 * rate
            if row.kernel == BETA and row.power == 1.0:
                total += row.a * up + row.b * down
                by_value[i] = row.a * (1.0 - rate) - row.b * rate
                continue
        else:
            x[i], slopes[i], volume, by_volume = soft(v, row.b) if row.transform == SOFT else beyond(v, row)
        density, slope = log_prior_of_power(row.kernel, row.a, row.b, row.c, row.power, x[i])
        total += density + volume
        by_value[i] = slope * slopes[i] + by_volume
    return total


@numba.njit(**NJIT)
def beyond(v: float, row: Any) -> tuple[float, float, float, float]:
    """A number beyond a bound, or on the line, its derivative, the logarithm of that, and the derivative of that."""
    if row.transform == LINE_ITSELF:
        return v, 1.0, 0.0, 0.0
    away = math.exp(v)
    if row.transform == BELOW:
        return row.high - away, -away, v, 1.0
    return row.low + away, away, v, 1.0


@numba.njit(**NJIT)
def soft(v: float, scale: float) -> tuple[float, float, float, float]:
    """The same for ``scale I(v)``, the logarithm up to a constant."""
    log_cdf, ratio = log_normal_cdf(v)
    cdf = math.exp(log_cdf)
    return scale * cdf * (v + ratio), scale * cdf, log_cdf, ratio


@numba.njit(**NJIT)
def back(record: Any, work: Any, gradient: Array) -> None:
    """Write the derivatives by coordinates, the last ones of the gradient."""
    count = record.hyperparameters
    map_, at = doubles(record.hyperparameter_map), record.coordinates
    by_x, slopes, by_value = doubles(work.by_x), doubles(work.slopes), doubles(work.by_value)
    for j in range(count):
        slope = 0.0
        for i in range(count):
            slope += map_[i * count + j] * (by_x[i] * slopes[i] + by_value[i])
        gradient[at + j] = slope


@numba.njit(**NJIT)
def information_scale(record: Any, work: Any) -> float:
    """By what the root of the data's information differs from that at the mode: (parameter / its value)^power."""
    numbers = doubles(record.scale)
    if numbers[1] == 0.0:
        return 1.0
    return (doubles(work.auxiliary)[0] / numbers[0]) ** numbers[1]


@numba.njit(**NJIT)
def information_scale_back(record: Any, work: Any, s: float, by_s: float) -> None:
    """Add the derivative by the family's parameter."""
    power = doubles(record.scale)[1]
    if power != 0.0:
        doubles(work.by_auxiliary)[0] += by_s * power * s / doubles(work.auxiliary)[0]
