"""Incomplete gamma and beta functions with their derivatives by the first parameter, in compiled code.

Series and continued fractions are carried along with their derivatives; both tails keep their digits where they are
small. The recurrences are those of Press et al. (2007, Numerical Recipes, sections 6.2 and 6.4).
"""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.special import digamma, log_rising

MOST_TERMS = 100_000
SMALLEST, CLOSE = 1e-290, 1e-16
HALF_LOG_PI = 0.5723649429247001
Tails = tuple[float, float, float, float]


@numba.njit(**NJIT)
def log_gamma_tails(a: float, x: float) -> Tails:
    """Logarithms of the regularised incomplete gamma functions P(a, x) and Q(a, x), and their derivatives by a."""
    log_front = a * math.log(x) - x - math.lgamma(a)
    by_front = math.log(x) - digamma(a)
    if x < a + 1.0:
        value, slope = _gamma_series(a, x)
        log_p, by_p = log_front + math.log(value), by_front + slope / value
        log_q, by_q = _other_tail(log_p, by_p)
        return log_p, log_q, by_p, by_q
    value, slope = _gamma_fraction(a, x)
    log_q, by_q = log_front + math.log(value), by_front + slope / value
    log_p, by_p = _other_tail(log_q, by_q)
    return log_p, log_q, by_p, by_q


@numba.njit(**NJIT)
def _other_tail(log_tail: float, slope: float) -> tuple[float, float]:
    """log(1 - p) and its derivative, by those of log p."""
    p = math.exp(log_tail)
    return math.log1p(-p), -p * slope / (1.0 - p)


@numba.njit(**NJIT)
def _gamma_series(a: float, x: float) -> tuple[float, float]:
    """Σ x^n / (a (a + 1) ... (a + n)), and its derivative by a."""
    term, by_term = 1.0 / a, -1.0 / (a * a)
    value, slope = term, by_term
    for n in range(1, MOST_TERMS):
        over = 1.0 / (a + n)
        by_term = (by_term - term * over) * x * over
        term *= x * over
        value += term
        slope += by_term
        if term < CLOSE * value and abs(by_term) < CLOSE * abs(slope):
            break
    return value, slope


@numba.njit(**NJIT)
def _gamma_fraction(a: float, x: float) -> tuple[float, float]:
    """The continued fraction of Γ(a, x) / (x^a e^-x), and its derivative by a."""
    b, by_b = x + 1.0 - a, -1.0
    c, by_c = 1.0 / SMALLEST, 0.0
    d = 1.0 / b
    by_d = -by_b * d * d
    h, by_h = d, by_d
    for i in range(1, MOST_TERMS):
        over, by_over = -i * (i - a), float(i)
        b += 2.0
        by_c = by_b + (by_over - over * by_c / c) / c
        c = b + over / c
        by_d = by_over * d + over * by_d + by_b
        d = 1.0 / (over * d + b)
        by_d = -by_d * d * d
        step, by_step = c * d, by_c * d + c * by_d
        by_h = by_h * step + h * by_step
        h *= step
        if abs(step - 1.0) < CLOSE * 10.0 and abs(h * by_step) < CLOSE * 10.0 * (abs(by_h) + abs(h)):
            break
    return h, by_h


@numba.njit(**NJIT)
def log_t_tail(nu: float, t: float) -> tuple[float, float, float, float]:
    """Of a t distribution with `nu` degrees of freedom: the logarithms of the tail beyond |t| and of the rest.

    With their derivatives by nu. The tail is half of I_x(nu/2, 1/2) at x = nu/(nu + t²).
    """
    a, square = 0.5 * nu, t * t
    x, y = nu / (nu + square), square / (nu + square)
    rising, by_rising = log_rising(a, 0.5)
    log_x = -math.log1p(square / nu)
    # d log x/d nu = y/nu and d log y/d nu = -x/nu, for a derivative by nu in all
    if x < (a + 1.0) / (a + 2.5):
        value, by_a, by_x = _beta_fraction(a, 0.5, x, 1.0, 0.0)
        log_tail = a * log_x + 0.5 * math.log(y) + rising - HALF_LOG_PI - math.log(a) + math.log(0.5 * value)
        slope = 0.5 * (log_x + by_rising - 1.0 / a + by_a / value) + (a * y - 0.5 * x + by_x * x * y / value) / nu
        log_rest, by_rest = _other_tail(log_tail, slope)
        return log_tail, log_rest, slope, by_rest
    if square == 0.0:
        return -math.log(2.0), -math.log(2.0), 0.0, 0.0
    value, by_a, by_y = _beta_fraction(0.5, a, y, 0.0, 1.0)
    log_inner = a * log_x + 0.5 * math.log(y) + rising - HALF_LOG_PI + math.log(2.0 * value)
    slope = 0.5 * (log_x + by_rising + by_a / value) + (a * y - 0.5 * x - by_y * x * y / value) / nu
    inner = math.exp(log_inner)
    tail = 0.5 * (1.0 - inner)
    return math.log(tail), math.log(1.0 - tail), -0.5 * inner * slope / tail, 0.5 * inner * slope / (1.0 - tail)


@numba.njit(**NJIT)
def _beta_fraction(a: float, b: float, x: float, by_a: float, by_b: float) -> tuple[float, float, float]:
    """The continued fraction of the incomplete beta function, its derivative along (by_a, by_b), and that by x."""
    c, dc, ec = 1.0, 0.0, 0.0
    first = 1.0 / (a + 1.0)
    d = 1.0 - (a + b) * x * first
    dd = -x * first * (by_a + by_b - (a + b) * by_a * first)
    ed = -(a + b) * first
    d, dd, ed = _inverse(d, dd, ed)
    h, dh, eh = d, dd, ed
    for m in range(1, MOST_TERMS):
        for odd in range(2):
            if odd == 0:
                over = m * (b - m) / ((a - 1.0 + 2 * m) * (a + 2 * m))
                slope = m * by_b / ((a - 1.0 + 2 * m) * (a + 2 * m)) - over * by_a * (
                    1.0 / (a - 1.0 + 2 * m) + 1.0 / (a + 2 * m)
                )
            else:
                over = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 1.0 + 2 * m))
                slope = over * (
                    by_a / (a + m) + (by_a + by_b) / (a + b + m) - by_a / (a + 2 * m) - by_a / (a + 1.0 + 2 * m)
                )
            q, dq, eq = over * x, slope * x, over
            d, dd, ed = _inverse(1.0 + q * d, dq * d + q * dd, eq * d + q * ed)
            c, dc, ec = 1.0 + q / c, (dq - q * dc / c) / c, (eq - q * ec / c) / c
            step, by_step, along = c * d, dc * d + c * dd, ec * d + c * ed
            dh, eh = dh * step + h * by_step, eh * step + h * along
            h *= step
        if abs(step - 1.0) < 10.0 * CLOSE and abs(h * by_step) < 10.0 * CLOSE * (abs(dh) + abs(h)):
            break
    return h, dh, eh


@numba.njit(**NJIT)
def _inverse(d: float, first: float, second: float) -> tuple[float, float, float]:
    if abs(d) < SMALLEST:
        d = SMALLEST
    over = 1.0 / d
    return over, -first * over * over, -second * over * over
