"""Single parameters: from the line to their support, with the log density of their priors, in compiled code.

Positive ones are exponentials, or, where a half-normal prior of scale s is all that bounds them above, ``s I(v)`` with
``I(v) = v Φ(v) + φ(v)``, the integral of the normal distribution function. Under that map the prior itself is nearly
normal, its density falling as fast towards zero as towards large values; a logarithm leaves it a long tail to the left
and a steep end to the right, which standard deviations of few groups have, too.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels.record import (
    BETA,
    EXPONENTIAL,
    GAMMA,
    INTERVAL,
    INVERSE_GAMMA,
    LAPLACE,
    LOG_NORMAL,
    LOGISTIC,
    NORMAL,
    SOFT,
    STUDENT,
)
from hiermod.engine.kernels.special import NJIT, log_normal_cdf, log_sigmoids

NEWTON = 30
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
        x[i], slopes[i], volume, by_volume = soft(v, b) if transform == SOFT else exponential(v)
        density, slope = log_prior(kind, a, b, c, x[i])
        total += density + volume
        by_value[i] = slope * slopes[i] + by_volume
    return total


@numba.njit(**NJIT)
def exponential(v: float) -> tuple[float, float, float, float]:
    """A positive number, its derivative, the logarithm of that (up to a constant), and the derivative of that."""
    x = math.exp(v)
    return x, x, v, 1.0


@numba.njit(**NJIT)
def soft(v: float, scale: float) -> tuple[float, float, float, float]:
    """The same for ``scale I(v)``."""
    log_cdf, ratio = log_normal_cdf(v)
    cdf = math.exp(log_cdf)
    return scale * cdf * (v + ratio), scale * cdf, log_cdf, ratio


def inverse_soft(x: np.ndarray) -> np.ndarray:
    """Where I takes the values `x`, by Newton's steps for its logarithm, which is concave."""
    v, target = np.maximum(x, -1.0), np.log(x)
    for _ in range(NEWTON):
        log_cdf, ratio = np.transpose([log_normal_cdf.py_func(at) for at in v]).reshape(2, -1)
        inner = v + ratio
        v = v - (log_cdf + np.log(inner) - target) * inner
    return v
