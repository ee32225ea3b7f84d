"""Common coefficients from independent coordinates, and the way back of gradients, in compiled code.

As far as the data go, a coefficient has the variance ``V = a + Σ b x²``, where x are the standard deviations of the
groups' effects that it is the mean of. A prior of precision p and centre c takes ``q = 1 / (1 + p V)`` of it and of the
distance to the data's estimate m: the coefficient is near ``c + (m − c) q`` with the variance ``V q``. Both move with x
in each draw.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.kernels.hyperparameters import FIELDS, log_prior
from hiermod.engine.kernels.record import (
    COEFFICIENT_ARGUMENTS,
    COEFFICIENT_KINDS,
    COMMON_NUMBERS,
    COMMON_SPREAD,
    LINEAR,
    LINEAR_MAP,
    SCALAR_KINDS,
    SCALARS,
    doubles,
    integers,
)
from hiermod.engine.kernels.special import NJIT

PLACED = 2  # column of the kinds of scalars: the common coefficient that one is, -1 for none
NUMBERS = 4  # of a coefficient: a, p, c, m
Array = np.ndarray


@numba.njit(**NJIT)
def common_coefficients(head: Array, w: Array, x: Array, theta: Array, along: Array, spread: Array) -> float:
    """Write the common coefficients of the centred design; return the log density of the map.

    What the way back needs is kept: steps in units of a coefficient's spread in `along`, these and V in `spread`.
    """
    linear, count = head[LINEAR], head[SCALARS]
    numbers, map_ = doubles(head, COMMON_NUMBERS, NUMBERS * linear), doubles(head, LINEAR_MAP, linear * linear)
    by_sds = doubles(head, COMMON_SPREAD, linear * count)
    total = 0.0
    for i in range(linear):
        variance, precision = numbers[NUMBERS * i], numbers[NUMBERS * i + 1]
        centre, estimate = numbers[NUMBERS * i + 2], numbers[NUMBERS * i + 3]
        for k in range(count):
            variance += by_sds[i * count + k] * x[k] * x[k]
        left = 1.0 / (1.0 + precision * variance)
        along[i] = 0.0
        for j in range(linear):
            along[i] += map_[i * linear + j] * w[j]
        spread[i], spread[linear + i] = math.sqrt(variance * left), variance
        theta[i] = centre + (estimate - centre) * left + spread[i] * along[i]
        total += math.log(spread[i]) if spread[i] != 1.0 else 0.0
    bounded_coefficients(head, x, theta)
    return total


@numba.njit(**NJIT)
def bounded_coefficients(head: Array, x: Array, theta: Array) -> None:
    """Write the coefficients that priors bound, which are single parameters."""
    kinds = integers(head, SCALAR_KINDS, FIELDS * head[SCALARS])
    for i in range(head[SCALARS]):
        if kinds[i * FIELDS + PLACED] >= 0:
            theta[kinds[i * FIELDS + PLACED]] = x[i]


@numba.njit(**NJIT)
def bounded_coefficients_back(head: Array, by_theta: Array, by_x: Array) -> None:
    """Add the derivatives by them."""
    kinds = integers(head, SCALAR_KINDS, FIELDS * head[SCALARS])
    for i in range(head[SCALARS]):
        if kinds[i * FIELDS + PLACED] >= 0:
            by_x[i] += by_theta[kinds[i * FIELDS + PLACED]]


@numba.njit(**NJIT)
def common_coefficients_back(
    head: Array, x: Array, along: Array, spread: Array, by_theta: Array, by_w: Array, by_x: Array
) -> None:
    """From the derivative by the coefficients, write that by `w`, and add that by the single parameters."""
    linear, count = head[LINEAR], head[SCALARS]
    numbers, map_ = doubles(head, COMMON_NUMBERS, NUMBERS * linear), doubles(head, LINEAR_MAP, linear * linear)
    by_sds = doubles(head, COMMON_SPREAD, linear * count)
    by_w[:linear] = 0.0
    for i in range(linear):
        slope, variance = by_theta[i] * spread[i], spread[linear + i]
        for j in range(linear):
            by_w[j] += map_[i * linear + j] * slope
        precision, apart = numbers[NUMBERS * i + 1], numbers[NUMBERS * i + 3] - numbers[NUMBERS * i + 2]
        left = 1.0 / (1.0 + precision * variance)
        by_variance = 0.5 * left / variance * (1.0 + slope * along[i]) - by_theta[i] * apart * precision * left * left
        for k in range(count):
            by_x[k] += 2.0 * by_variance * by_sds[i * count + k] * x[k]
    bounded_coefficients_back(head, by_theta, by_x)


@numba.njit(**NJIT)
def coefficient_priors(head: Array, theta: Array, by_theta: Array) -> float:
    """Log density of the priors of common coefficients that the line supports; adds its derivative."""
    linear = head[LINEAR]
    kinds = integers(head, COEFFICIENT_KINDS, linear)
    numbers = doubles(head, COEFFICIENT_ARGUMENTS, 3 * linear)
    total = 0.0
    for i in range(linear):
        density, slope = log_prior(kinds[i], numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2], theta[i])
        total += density
        by_theta[i] += slope
    return total
