"""Families of numbers above 0: gamma and lognormal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.functionals import Functional
from hiermod.families.links import IDENTITY, LOG, Link
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGEST_EXPONENT, Ops, remainder
from hiermod.families.real import log_normal_density, residual_scale, response_sd, take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong, overdispersion
from hiermod.priors.distributions import Prior

FAR_TAIL, TAIL_TERMS = 1e-250, 8  # of smaller chances so many terms of a continued fraction give all digits


def take_positive(name: str, response: ResponseRows) -> None:
    """Refuse numbers that are not above 0."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values <= 0.0)
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers above 0; {response.name!r} holds {first_wrong(response, wrong)}. "
            f"{_advice(name, response.values)}"
        )


def _advice(name: str, values: np.ndarray) -> str:
    """Which family takes zeros, or numbers below 0."""
    below = bool((values < 0.0).any())
    other = "hurdle_lognormal" if name == "lognormal" else "hurdle_gamma"
    return (
        "Where numbers below 0 are possible, another family fits, such as 'student'."
        if below
        else f"Where 0 is possible, {other!r} gives zeros a part of their own."
    )


def _gamma(ops: Ops, response: Any, mu: Linear, alpha: Any) -> Any:
    """A number of mean mu, shape `alpha` and rate ``alpha/mu``."""
    log_value = ops.log(response[0])
    ratio = log_value - _log_mean(ops, mu)
    distance = ratio - ops.expm1(ops.minimum(ratio, LARGEST_EXPONENT))
    density = 0.5 * ops.log(alpha) - HALF_LOG_TAU - remainder(ops, alpha) + alpha * distance - log_value
    return mu.link.limited(ops, mu.eta, density)


def _log_mean(ops: Ops, mu: Linear) -> Any:
    return mu.eta if mu.link.name == "log" else -ops.log(mu.link.held(ops, mu.eta))


def _gamma_tails(ops: Ops, response: Any, mu: Linear, alpha: Any) -> tuple[Any, Any]:
    """By continued fractions where a chance would round to 0, so that its logarithm goes on falling."""
    ratio = ops.minimum(ops.log(response[0]) - _log_mean(ops, mu), LARGEST_EXPONENT)
    x = alpha * ops.exp(ratio)
    front = 0.5 * ops.log(alpha) - HALF_LOG_TAU - remainder(ops, alpha) + alpha * (ratio - ops.expm1(ratio))
    below, above = ops.gammainc(alpha, x), ops.gammaincc(alpha, x)
    far_below, far_above = below < FAR_TAIL, above < FAR_TAIL
    low, high = ops.where(far_below, x, 0.5 * alpha), ops.where(far_above, x, 2.0 * alpha + 1.0)
    return (
        ops.where(far_below, front - ops.log(_far_below(alpha, low)), ops.log(ops.maximum(below, FAR_TAIL))),
        ops.where(far_above, front - ops.log(_far_above(alpha, high)), ops.log(ops.maximum(above, FAR_TAIL))),
    )


def _far_above(alpha: Any, x: Any) -> Any:
    """``x^alpha exp(-x)`` over the upper incomplete gamma function, for x far above alpha."""
    total = x + (2.0 * TAIL_TERMS + 1.0) - alpha
    for place in range(TAIL_TERMS, 0, -1):
        total = x + (2.0 * place - 1.0) - alpha - place * (place - alpha) / total
    return total


def _far_below(alpha: Any, x: Any) -> Any:
    """The same over the lower one, for x far below alpha."""
    total = alpha + float(TAIL_TERMS) - x
    for place in range(TAIL_TERMS, 0, -1):
        total = alpha + (place - 1.0) - x + place * x / total
    return total


def _gamma_cdf(response: Any, mu: Linear, alpha: Any) -> Chances:
    chance = special.gammainc(alpha, alpha * response[0] / mu.link.inverse(mu.eta))
    return chance, chance


def _gamma_quantile(chance: float, mu: Linear, alpha: Any) -> Any:
    return mu.link.inverse(mu.eta) * special.gammaincinv(alpha, chance) / alpha


def _gamma_limited_mean(horizon: float, mu: Linear, alpha: Any) -> Any:
    mean = mu.link.inverse(mu.eta)
    x = alpha * horizon / mean
    return mean * special.gammainc(alpha + 1.0, x) + horizon * special.gammaincc(alpha, x)


def _gamma_variance(mean: Any, alpha: Any) -> Any:
    return mean**2 / alpha


def _draw_gamma(rng: np.random.Generator, shape: Any, mean: Any, _: Any, alpha: Any) -> Any:
    return mean * rng.standard_gamma(alpha, shape) / alpha


def _lognormal(ops: Ops, response: Any, mu: Linear, sigma: Any) -> Any:
    log_value = ops.log(response[0])
    return log_normal_density(ops, log_value, mu.eta, sigma) - log_value


def _lognormal_tails(ops: Ops, response: Any, mu: Linear, sigma: Any) -> tuple[Any, Any]:
    t = (ops.log(response[0]) - mu.eta) / sigma
    return ops.log_ndtr(t), ops.log_ndtr(-t)


def _lognormal_cdf(response: Any, mu: Linear, sigma: Any) -> Chances:
    chance = special.ndtr((np.log(response[0]) - mu.eta) / sigma)
    return chance, chance


def _lognormal_quantile(chance: float, mu: Linear, sigma: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.exp(mu.eta + sigma * special.ndtri(chance))


def lognormal_limited_mean(horizon: float, mu: Linear, sigma: Any) -> Any:
    """That of ``exp(eta)`` times a lognormal number."""
    t = (np.log(horizon) - mu.eta) / sigma
    return np.exp(mu.eta + sigma**2 / 2.0 + special.log_ndtr(t - sigma)) + horizon * special.ndtr(-t)


def _lognormal_variance(mean: Any, sigma: Any) -> Any:
    return mean**2 * np.expm1(sigma**2)


def _draw_lognormal(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any) -> Any:
    return mean * np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2.0)


def _log_less(shift: Any, mean: Any) -> Any:
    return np.log(mean) - shift


def _exp_more(shift: Any, predictor: Any) -> Any:
    return np.exp(predictor + shift)


def _more(shift: Any, predictor: Any) -> Any:
    return predictor + shift


def shifted_log_link(shift: Any) -> Link:
    """The link of an outcome that is ``exp(eta + shift)``."""
    inverse = partial(_exp_more, shift)
    return replace(
        LOG, forward=partial(_log_less, shift), inverse=inverse, slope=inverse, log_inverse=partial(_more, shift)
    )


def _lognormal_mean_link(_: Link, sigma: Any) -> Link:
    """The mean is ``exp(eta + sigma²/2)``."""
    return shifted_log_link(sigma**2 / 2.0)


def _lognormal_median_link(*_: Any) -> Link:
    return LOG


def lognormal_has_posterior_mean(outcome: str, priors: Mapping[str, tuple[Prior, ...]], averaged: bool) -> bool:
    """That of ``exp(sigma²/2)`` asks for a prior of sigma whose tail falls faster, however many rows there are.

    A half-normal one of scale s falls as ``exp(-sigma²/(2 s²))``; what rows leave unknown of eta adds up to sigma²/2.
    That of a quantile, ``exp(eta + z sigma)``, asks for one that falls faster than ``exp(-z sigma)``.
    """
    of_mean = outcome in ("mean", "positive")
    z = np.inf if of_mean else 0.0 if outcome == "median" else float(special.ndtri(float(outcome[1:]) / 100.0))
    if averaged or z <= 0.0 or "sigma" not in priors:  # of a linear predictor, exp(exp(2 eta)/2) has none
        return not averaged and z <= 0.0
    prior = priors["sigma"][0]
    normal = prior.plain and prior.name == "HalfNormal" and (not of_mean or float(prior.arguments[0]) ** 2 < 0.5)
    exponential = prior.plain and prior.name == "Exponential" and float(prior.arguments[0]) > z
    return normal or exponential or prior.support[1] < np.inf


GAMMA = Family(
    name="gamma", links=LINKS["gamma"], link=LOG, kind="positive",
    parameters=(Parameter("alpha", "shape, standard deviation mu/sqrt(alpha)", "shape", overdispersion),),
    statistic="values", check=take_positive, log_density=_gamma, log_tails=_gamma_tails, cdf=_gamma_cdf,
    limited_mean=_gamma_limited_mean,
    quantile=_gamma_quantile,
    variance=_gamma_variance, draw=_draw_gamma, kernel="gamma", bambi="gamma", response="numbers above 0",
    latex=r"\operatorname{Gamma}(\alpha, \alpha / \mu_i)",
    words="With mean mu, its shape is alpha and its standard deviation mu/sqrt(alpha).", information_power=1.0,
)  # fmt: skip
LOGNORMAL = Family(
    name="lognormal", links=LINKS["lognormal"], link=IDENTITY, kind="positive",
    parameters=(Parameter("sigma", "standard deviation of the logarithm", "log of the response", residual_scale,
                          estimate=response_sd),),
    statistic="values", check=take_positive, log_density=_lognormal, log_tails=_lognormal_tails, cdf=_lognormal_cdf,
    limited_mean=lognormal_limited_mean,
    quantile=_lognormal_quantile,
    variance=_lognormal_variance, draw=_draw_lognormal, kernel="lognormal", bambi=None,
    response="numbers above 0 that vary by factors", latex=r"\operatorname{LogNormal}(\mu_i, \sigma)",
    words="Its median is exp(mu), its mean exp(mu + sigma²/2).", location="mean logarithm",
    mean_link=_lognormal_mean_link,
    outcomes=(Functional("median", "median {}", link=_lognormal_median_link, uses=("mu",), per_unit=True),),
    has_posterior_mean=lognormal_has_posterior_mean, explosive=("sigma",), transform=np.log, information_power=-2.0,
)  # fmt: skip
FAMILIES = (GAMMA, LOGNORMAL)
