"""Families of durations: weibull, exponential, shifted_lognormal and exgaussian.

The first two are by their mean, as in brms; the last two are of response times, which begin with a shift or end in an
exponential tail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from hiermod.families.links import CLOGLOG, IDENTITY, LOG, Link
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGEST_EXPONENT, Ops
from hiermod.families.positive import (
    lognormal_has_posterior_mean,
    lognormal_limited_mean,
    shifted_log_link,
    take_positive,
)
from hiermod.families.real import location_of, log_normal_density, residual_scale, take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, ResponseScale, own_link
from hiermod.priors.distributions import Prior

LOG_LOG_2 = float(np.log(np.log(2.0)))
HALF_LOG_HALF_PI = 0.5 * float(np.log(np.pi / 2.0))
ROOT_HALF = float(np.sqrt(0.5))
NEXT_TO_NOTHING = 1e-300


def _shape_near_one(_: ResponseScale) -> Prior:
    """Centred where the hazard neither rises nor falls; 95 % between 0.14 and 7.1."""
    return Prior("LogNormal", (0.0, 1.0))


def _before_the_first(scale: ResponseScale) -> Prior:
    """Uniform below the smallest response, as in brms."""
    return Prior("Uniform", (0.0, scale.smallest))


def _log_hazard(ops: Ops, response: Any, mu: Linear, shape: Any) -> Any:
    """The logarithm of the cumulative hazard, ``(y Γ(1 + 1/shape) / mu)^shape``."""
    return shape * (ops.log(response[0]) - mu.eta + ops.gammaln(1.0 + 1.0 / shape))


def _weibull(ops: Ops, response: Any, mu: Linear, shape: Any) -> Any:
    log_hazard = _log_hazard(ops, response, mu, shape)
    hazard = ops.exp(ops.minimum(log_hazard, LARGEST_EXPONENT))
    return ops.log(shape) - ops.log(response[0]) + log_hazard - hazard


def _weibull_tails(ops: Ops, response: Any, mu: Linear, shape: Any) -> tuple[Any, Any]:
    assert CLOGLOG.log_rates is not None
    return CLOGLOG.log_rates(ops, _log_hazard(ops, response, mu, shape))


def _weibull_cdf(response: Any, mu: Linear, shape: Any) -> Chances:
    with np.errstate(over="ignore", divide="ignore"):
        log_hazard = shape * (np.log(response[0]) - mu.eta + special.gammaln(1.0 + 1.0 / shape))
        chance = -np.expm1(-np.exp(log_hazard))
    return chance, chance


def _weibull_quantile(chance: float, mu: Linear, shape: Any) -> Any:
    return np.exp(mu.eta + np.log(-np.log1p(-chance)) / shape - special.gammaln(1.0 + 1.0 / shape))


def _weibull_limited_mean(horizon: float, mu: Linear, shape: Any) -> Any:
    """The area below ``exp(-(y/scale)^shape)``, an incomplete gamma function."""
    with np.errstate(over="ignore"):
        hazard = np.exp(shape * (np.log(horizon) - mu.eta + special.gammaln(1.0 + 1.0 / shape)))
    return np.exp(mu.eta + np.log(np.maximum(special.gammainc(1.0 / shape, hazard), NEXT_TO_NOTHING)))


def _weibull_variance(mean: Any, shape: Any) -> Any:
    """``mean² (Γ(1 + 2/shape) / Γ(1 + 1/shape)² - 1)``."""
    return mean**2 * np.expm1(special.gammaln(1.0 + 2.0 / shape) - 2.0 * special.gammaln(1.0 + 1.0 / shape))


def _draw_weibull(rng: np.random.Generator, shape: Any, mean: Any, _: Any, own: Any) -> Any:
    return mean * np.exp(np.log(rng.standard_exponential(shape)) / own - special.gammaln(1.0 + 1.0 / own))


def _weibull_median_link(_: Link, shape: Any) -> Link:
    return shifted_log_link(LOG_LOG_2 / shape - special.gammaln(1.0 + 1.0 / shape))


def _exponential(ops: Ops, response: Any, mu: Linear) -> Any:
    log_ratio = ops.log(response[0]) - mu.eta
    return -mu.eta - ops.exp(ops.minimum(log_ratio, LARGEST_EXPONENT))


def _exponential_tails(ops: Ops, response: Any, mu: Linear) -> tuple[Any, Any]:
    assert CLOGLOG.log_rates is not None
    return CLOGLOG.log_rates(ops, ops.log(response[0]) - mu.eta)


def _exponential_cdf(response: Any, mu: Linear) -> Chances:
    chance = -np.expm1(-response[0] * np.exp(-mu.eta))
    return chance, chance


def _exponential_quantile(chance: float, mu: Linear) -> Any:
    return -np.log1p(-chance) * np.exp(mu.eta)


def _exponential_limited_mean(horizon: float, mu: Linear) -> Any:
    mean = np.exp(mu.eta)
    return -mean * np.expm1(-horizon / mean)


def _exponential_variance(mean: Any) -> Any:
    return mean**2


def _draw_exponential(rng: np.random.Generator, shape: Any, mean: Any, _: Any) -> Any:
    return mean * rng.standard_exponential(shape)


def _exponential_median_link(_: Link) -> Link:
    return shifted_log_link(LOG_LOG_2)


def _log_beyond(ops: Ops, response: Any, ndt: Any) -> Any:
    """The logarithm of what is beyond the shift; next to nothing where there is nothing."""
    return ops.log(ops.maximum(response[0] - ndt, NEXT_TO_NOTHING))


def _shifted(ops: Ops, response: Any, mu: Linear, sigma: Any, ndt: Any) -> Any:
    log_beyond = _log_beyond(ops, response, ndt)
    return log_normal_density(ops, log_beyond, mu.eta, sigma) - log_beyond


def _shifted_tails(ops: Ops, response: Any, mu: Linear, sigma: Any, ndt: Any) -> tuple[Any, Any]:
    t = (_log_beyond(ops, response, ndt) - mu.eta) / sigma
    return ops.log_ndtr(t), ops.log_ndtr(-t)


def _shifted_cdf(response: Any, mu: Linear, sigma: Any, ndt: Any) -> Chances:
    beyond = np.maximum(response[0] - ndt, NEXT_TO_NOTHING)
    chance = special.ndtr((np.log(beyond) - mu.eta) / sigma)
    return chance, chance


def _shifted_quantile(chance: float, mu: Linear, sigma: Any, ndt: Any) -> Any:
    return ndt + np.exp(mu.eta + sigma * special.ndtri(chance))


def _shifted_limited_mean(horizon: float, mu: Linear, sigma: Any, ndt: Any) -> Any:
    beyond = np.maximum(horizon - ndt, NEXT_TO_NOTHING)
    return np.minimum(ndt, horizon) + lognormal_limited_mean(beyond, mu, sigma)


def _shifted_variance(mean: Any, sigma: Any, ndt: Any) -> Any:
    return (mean - ndt) ** 2 * np.expm1(sigma**2)


def _draw_shifted(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, ndt: Any) -> Any:
    return ndt + (mean - ndt) * np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2.0)


def _log_less(shift: Any, ndt: Any, mean: Any) -> Any:
    return np.log(mean - ndt) - shift


def _exp_beyond(shift: Any, ndt: Any, predictor: Any) -> Any:
    return ndt + np.exp(predictor + shift)


def _exp_more(shift: Any, predictor: Any) -> Any:
    return np.exp(predictor + shift)


def _log_beyond_zero(shift: Any, ndt: Any, predictor: Any) -> Any:
    return np.logaddexp(np.log(ndt), predictor + shift)


def _beyond_link(shift: Any, ndt: Any) -> Link:
    return replace(
        LOG, name="log beyond ndt", forward=partial(_log_less, shift, ndt), inverse=partial(_exp_beyond, shift, ndt),
        slope=partial(_exp_more, shift), log_inverse=partial(_log_beyond_zero, shift, ndt),
    )  # fmt: skip


def _shifted_mean_link(_: Link, sigma: Any, ndt: Any) -> Link:
    """The mean is ``ndt + exp(eta + sigma²/2)``."""
    return _beyond_link(sigma**2 / 2.0, ndt)


def _shifted_median_link(_: Link, sigma: Any, ndt: Any) -> Link:
    return _beyond_link(0.0, ndt)


def _shifted_has_posterior_mean(outcome: str, priors: Mapping[str, tuple[Prior, ...]], averaged: bool) -> bool:
    return lognormal_has_posterior_mean(outcome, priors, averaged)


def _exponential_part(ops: Ops, response: Any, mu: Linear, sigma: Any, beta: Any) -> tuple[Any, Any]:
    """``log(beta f(y))`` of the density f, and the standardised distance from where the normal part stands.

    With z that distance and u = z - sigma/beta it is ``log(φ(z) Φ(u) / φ(u))``; for u < 0 by the scaled complementary
    error function, which keeps its digits where beta is small beside sigma and the family is nearly normal.
    """
    z = (response[0] - location_of(ops, mu) + beta) / sigma
    u = z - sigma / beta
    tail = ops.log(ops.erfcx(-ROOT_HALF * ops.minimum(u, 0.0))) + HALF_LOG_HALF_PI
    direct = ops.log_ndtr(ops.maximum(u, 0.0)) + 0.5 * (sigma / beta) ** 2 - z * sigma / beta
    return ops.where(u < 0.0, tail - 0.5 * z**2 - HALF_LOG_TAU, direct), z


def _exgaussian(ops: Ops, response: Any, mu: Linear, sigma: Any, beta: Any) -> Any:
    return _exponential_part(ops, response, mu, sigma, beta)[0] - ops.log(beta)


def _exgaussian_tails(ops: Ops, response: Any, mu: Linear, sigma: Any, beta: Any) -> tuple[Any, Any]:
    """Both from ``S(y) = Φ(-z) + beta f(y)``: a sum above, a difference below."""
    part, z = _exponential_part(ops, response, mu, sigma, beta)
    below, above = ops.log_ndtr(z), ops.log_ndtr(-z)
    larger = ops.maximum(above, part)
    log_survival = larger + ops.log1p(ops.exp(ops.minimum(above, part) - larger))
    return below + ops.log1p(-ops.exp(ops.minimum(part - below, -1e-16))), log_survival


def _exgaussian_cdf(response: Any, mu: Linear, sigma: Any, beta: Any) -> Chances:
    from hiermod.families.ops import NUMPY

    part, z = _exponential_part(NUMPY, response, mu, sigma, beta)
    chance = np.maximum(special.ndtr(z) - np.exp(part), 0.0)
    return chance, chance


def _exgaussian_variance(mean: Any, sigma: Any, beta: Any) -> Any:
    return (sigma**2 + beta**2) * np.ones_like(mean)


def _draw_exgaussian(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, beta: Any) -> Any:
    return rng.normal(mean - beta, sigma, shape) + beta * rng.standard_exponential(shape)


WEIBULL = Family(
    name="weibull", links=LINKS["weibull"], link=LOG, kind="positive",
    parameters=(Parameter("shape", "the hazard rises where it is above 1", "shape", _shape_near_one),),
    statistic="values", check=take_positive, log_density=_weibull, log_tails=_weibull_tails, cdf=_weibull_cdf,
    limited_mean=_weibull_limited_mean,
    quantile=_weibull_quantile, variance=_weibull_variance, draw=_draw_weibull, median_link=_weibull_median_link,
    kernel="weibull", bambi=None, response="durations whose hazard rises or falls",
    latex=r"\operatorname{Weibull}(\mathrm{shape}, \mu_i / \Gamma(1 + 1/\mathrm{shape}))",
    words="With mean mu, its scale is mu/gamma(1 + 1/shape).", information_power=2.0,
)  # fmt: skip
EXPONENTIAL = Family(
    name="exponential", links=LINKS["exponential"], link=LOG, kind="positive", statistic="values", check=take_positive,
    log_density=_exponential, log_tails=_exponential_tails, cdf=_exponential_cdf,
    limited_mean=_exponential_limited_mean, variance=_exponential_variance,
    quantile=_exponential_quantile, draw=_draw_exponential, median_link=_exponential_median_link,
    kernel="exponential", bambi="exponential",
    response="durations of constant hazard", latex=r"\operatorname{Exponential}(1 / \mu_i)",
)  # fmt: skip
SHIFTED_LOGNORMAL = Family(
    name="shifted_lognormal", links=LINKS["shifted_lognormal"], link=IDENTITY, kind="positive",
    parameters=(
        Parameter("sigma", "standard deviation of the logarithm", "log of the response", residual_scale),
        Parameter("ndt", "shift, below the smallest response", "response", _before_the_first, below_response=True),
    ),
    statistic="values", check=take_positive, log_density=_shifted, log_tails=_shifted_tails, cdf=_shifted_cdf,
    limited_mean=_shifted_limited_mean,
    quantile=_shifted_quantile, variance=_shifted_variance, draw=_draw_shifted, kernel="shifted_lognormal", bambi=None,
    response="response times, which begin with a shift",
    latex=r"\mathrm{ndt} + \operatorname{LogNormal}(\mu_i, \sigma)",
    words="What is beyond the shift ndt has the median exp(mu) and the mean exp(mu + sigma²/2).",
    location="mean logarithm of what is beyond the shift", mean_link=_shifted_mean_link,
    median_link=_shifted_median_link, has_posterior_mean=_shifted_has_posterior_mean,
    explosive=("sigma",), transform=np.log,
    information_power=-2.0,
)  # fmt: skip
EXGAUSSIAN = Family(
    name="exgaussian", links=LINKS["exgaussian"], link=IDENTITY, kind="real",
    parameters=(
        Parameter("sigma", "standard deviation of the normal part", "response", residual_scale),
        Parameter("beta", "mean of the exponential part", "response", residual_scale),
    ),
    statistic="values", check=take_numbers, log_density=_exgaussian, log_tails=_exgaussian_tails, cdf=_exgaussian_cdf,
    variance=_exgaussian_variance, draw=_draw_exgaussian, mean_link=own_link, kernel="exgaussian", bambi=None,
    response="response times with a long right tail",
    latex=r"\operatorname{Normal}(\mu_i - \beta, \sigma) + \operatorname{Exponential}(1 / \beta)",
    words="It is the sum of a normal part of mean mu - beta and an exponential part of mean beta.",
)  # fmt: skip
FAMILIES = (WEIBULL, EXPONENTIAL, SHIFTED_LOGNORMAL, EXGAUSSIAN)
