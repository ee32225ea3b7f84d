"""Log densities and probabilities of rows that are censored or truncated, with their derivatives, in compiled code."""

from __future__ import annotations

import math

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log
from hiermod.engine.kernels.numbers.incomplete import log_gamma_tails, log_t_tail
from hiermod.engine.kernels.numbers.special import digamma, log_normal_cdf, log_rates
from hiermod.engine.kernels.record import ROW_KERNELS
from hiermod.engine.kernels.rows.durations import NEXT_TO_NOTHING, exponential_part

GAUSSIAN = ROW_KERNELS["gaussian_identity"]
STUDENT = ROW_KERNELS["student_identity"]
GAMMA = ROW_KERNELS["gamma_log"]
LOGNORMAL = ROW_KERNELS["lognormal_identity"]
WEIBULL = ROW_KERNELS["weibull_log"]
EXPONENTIAL = ROW_KERNELS["exponential_log"]
SHIFTED = ROW_KERNELS["shifted_lognormal_identity"]
RIGHT, LEFT, INTERVAL = 1.0, -1.0, 2.0
PROBIT, CLOGLOG = 1, 2
LOG_HALF = -0.6931471805599453
LARGEST = 300.0
Part = tuple[float, float, float, float]  # a logarithm, and its derivatives by eta and two parameters


@numba.njit(**NJIT)
def unknown(kernel: int, y: float, code: float, upper: float, eta: float, a: float, b: float) -> Part:
    """The log probability of a row that is censored."""
    below, above = tails(kernel, y, eta, a, b)
    if code == RIGHT:
        return above
    if code == LEFT:
        return below
    below_end, above_end = tails(kernel, upper, eta, a, b)
    return between(below, above, below_end, above_end)


@numba.njit(**NJIT)
def recorded(kernel: int, least: float, most: float, eta: float, a: float, b: float) -> Part:
    """The log probability of what is recorded at all, of responses between two bounds."""
    low, high = least > -math.inf, most < math.inf
    if low and high:
        below, above = tails(kernel, least, eta, a, b)
        below_end, above_end = tails(kernel, most, eta, a, b)
        return between(below, above, below_end, above_end)
    if low:
        return tails(kernel, least, eta, a, b)[1]
    return tails(kernel, most, eta, a, b)[0]


@numba.njit(**NJIT)
def between(below: Part, above: Part, below_end: Part, above_end: Part) -> Part:
    """The log chance of an interval by the tails at its ends: the difference of those that are smaller."""
    larger, smaller = (below_end, below) if below[0] < LOG_HALF else (above, above_end)
    value = larger[0] + math.log(-math.expm1(min(smaller[0] - larger[0], -NEXT_TO_NOTHING)))
    up, down = math.exp(larger[0] - value), math.exp(smaller[0] - value)
    by_eta, by_a, by_b = larger[1] * up, larger[2] * up, larger[3] * up
    return value, by_eta - smaller[1] * down, by_a - smaller[2] * down, by_b - smaller[3] * down


@numba.njit(**NJIT)
def tails(kernel: int, y: float, eta: float, a: float, b: float) -> tuple[Part, Part]:
    """The logarithms of the chances of at most `y`, and of more."""
    if kernel == WEIBULL:
        x = log(y) - eta + math.lgamma(1.0 + 1.0 / a)
        return by_link(CLOGLOG, a * x, -a, x - digamma(1.0 + 1.0 / a) / a, 0.0)
    if kernel == EXPONENTIAL:
        return by_link(CLOGLOG, log(y) - eta, -1.0, 0.0, 0.0)
    if kernel == GAUSSIAN:
        t = (y - eta) / a
        return by_link(PROBIT, t, -1.0 / a, -t / a, 0.0)
    if kernel == LOGNORMAL:
        t = (log(y) - eta) / a
        return by_link(PROBIT, t, -1.0 / a, -t / a, 0.0)
    if kernel == SHIFTED:
        beyond = max(y - b, NEXT_TO_NOTHING)
        t = (log(beyond) - eta) / a
        return by_link(PROBIT, t, -1.0 / a, -t / a, -1.0 / (beyond * a))
    if kernel == GAMMA:
        return gamma_tails(y, eta, a)
    if kernel == STUDENT:
        return student_tails(y, eta, a, b)
    return exgaussian_tails(y, eta, a, b)


@numba.njit(**NJIT)
def by_link(link: int, t: float, by_eta: float, by_a: float, by_b: float) -> tuple[Part, Part]:
    """Both tails of a standard distribution at t, the inverse of a link of rates, and t's derivatives."""
    below, above, up, down = log_rates(link, t)
    return (below, up * by_eta, up * by_a, up * by_b), (above, down * by_eta, down * by_a, down * by_b)


@numba.njit(**NJIT)
def gamma_tails(y: float, eta: float, alpha: float) -> tuple[Part, Part]:
    """Both tails at x = alpha y/mu, whose derivatives are -x by eta and x/alpha by alpha."""
    log_ratio = min(log(y) - eta, LARGEST)
    x = alpha * exp(log_ratio)
    below, above, by_below, by_above = log_gamma_tails(alpha, x)
    log_slope = alpha * math.log(x) - x - math.lgamma(alpha)  # of x f(x)
    up, down = math.exp(log_slope - below), -math.exp(log_slope - above)
    return (below, -up, by_below + up / alpha, 0.0), (above, -down, by_above + down / alpha, 0.0)


@numba.njit(**NJIT)
def student_tails(y: float, eta: float, sigma: float, nu: float) -> tuple[Part, Part]:
    """Both tails by the one beyond |t|."""
    t = (y - eta) / sigma
    tail, rest, by_tail, by_rest = log_t_tail(nu, t)
    log_density = (
        math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi)
        - 0.5 * (nu + 1.0) * math.log1p(t * t / nu)
    )  # fmt: skip
    below, above, by_below, by_above = (rest, tail, by_rest, by_tail) if t >= 0.0 else (tail, rest, by_tail, by_rest)
    up, down = math.exp(log_density - below), -math.exp(log_density - above)
    return (
        (below, -up / sigma, -up * t / sigma, by_below),
        (above, -down / sigma, -down * t / sigma, by_above),
    )


@numba.njit(**NJIT)
def exgaussian_tails(y: float, eta: float, sigma: float, beta: float) -> tuple[Part, Part]:
    """Both tails by ``S(y) = Φ(-z) + beta f(y)`` at ``z = (y - mu + beta)/sigma``: a sum above, a difference below."""
    z = (y - eta + beta) / sigma
    part, part_by_z, part_by_sigma, part_by_beta = exponential_part(z, sigma, beta)
    low, by_low = log_normal_cdf(z)
    high, by_high = log_normal_cdf(-z)
    larger = max(high, part)
    above = larger + math.log1p(math.exp(min(high, part) - larger))
    normal, exponential = math.exp(high - above), math.exp(part - above)
    below = low + math.log1p(-math.exp(min(part - low, -1e-16)))
    plus, minus = math.exp(low - below), math.exp(part - below)
    # Φ(z) and Φ(-z) have the derivatives -1/sigma, -z/sigma and 1/sigma of z by eta, sigma and beta
    up, down = plus * by_low, -normal * by_high
    return (
        (
            below, (minus * part_by_z - up) / sigma, -up * z / sigma - minus * part_by_sigma,
            up / sigma - minus * part_by_beta,
        ),
        (
            above, -(down + exponential * part_by_z) / sigma, -down * z / sigma + exponential * part_by_sigma,
            down / sigma + exponential * part_by_beta,
        ),
    )  # fmt: skip
