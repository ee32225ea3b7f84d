"""Single parameters in compiled code: from the line to their support, with the log density of their priors."""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.codes import (
    BETA,
    EXPONENTIAL,
    GAMMA,
    INTERVAL,
    INVERSE_GAMMA,
    LAPLACE,
    LOG,
    LOG_NORMAL,
    LOGISTIC,
    NORMAL,
    STUDENT,
)  # fmt: skip
from hiermod.engine.special import NJIT, log_sigmoids

FIELDS, ARGUMENTS = 3, 5  # of a parameter: transform, kind of prior, coefficient; numbers of the prior, bounds
Array = np.ndarray


@numba.njit(**NJIT)
def log_prior(kind: int, a: float, b: float, c: float, x: float) -> tuple[float, float]:
    """Log density at x up to a constant, and its derivative; a, b, c are the prior's numbers in PyMC's order."""
    if kind == NORMAL:
        t = (x - a) / b
        return -0.5 * t * t, -t / b
    if kind == STUDENT:
        t = (x - b) / c
        return -0.5 * (a + 1.0) * math.log1p(t * t / a), -(a + 1.0) * t / ((a + t * t) * c)
    if kind == LAPLACE:
        return -abs(x - a) / b, (-1.0 if x > a else 1.0) / b
    if kind == LOGISTIC:
        up, down, rate = log_sigmoids((x - a) / b)
        return up + down, (1.0 - 2.0 * rate) / b
    if kind == EXPONENTIAL:
        return -a * x, -a
    if kind == GAMMA:
        return (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if kind == INVERSE_GAMMA:
        return -(a + 1.0) * math.log(x) - b / x, (b / x - a - 1.0) / x
    if kind == LOG_NORMAL:
        t = (math.log(x) - a) / b
        return -0.5 * t * t - math.log(x), -(t / b + 1.0) / x
    return 0.0, 0.0


@numba.njit(**NJIT)
def constrain(
    values: Array, count: int, kinds: Array, arguments: Array, x: Array, slopes: Array, by_value: Array
) -> float:
    """Map `values` on the line to `x` on their supports; return the log density of priors and of the map.

    `slopes` gets dx/dvalue, `by_value` the derivative of what is returned by value.
    """
    total = 0.0
    for i in range(count):
        v, transform, kind = values[i], kinds[FIELDS * i], kinds[FIELDS * i + 1]
        at = ARGUMENTS * i
        a, b, c = arguments[at], arguments[at + 1], arguments[at + 2]
        if transform == INTERVAL:
            low, high = arguments[at + 3], arguments[at + 4]
            up, down, rate = log_sigmoids(v)
            x[i], slopes[i] = low + (high - low) * rate, (high - low) * math.exp(up + down)
            extra = a if kind == BETA else 1.0
            total += extra * (up + down)
            by_value[i] = extra * (1.0 - 2.0 * rate)
            continue
        x[i] = math.exp(v) if transform == LOG else v
        slopes[i] = x[i] if transform == LOG else 1.0
        density, slope = log_prior(kind, a, b, c, x[i])
        total += density + (v if transform == LOG else 0.0)
        by_value[i] = slope * slopes[i] + (1.0 if transform == LOG else 0.0)
    return total
