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
from hiermod.families.links import IDENTITY, LOG, Link
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGEST_EXPONENT, SMALLEST_CHANCE, Ops, remainder
from hiermod.families.real import log_normal_density, residual_scale, take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong, overdispersion
from hiermod.priors.distributions import Prior


def take_positive(name: str, response: ResponseRows) -> None:
    """Refuse numbers that are not above 0."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values <= 0.0)
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers above 0; {response.name!r} holds {first_wrong(response, wrong)}. "
            "Where 0 is possible, another family fits, such as 'student'."
        )


def _gamma(ops: Ops, response: Any, mu: Linear, alpha: Any) -> Any:
    """A number of mean ``mu = exp(eta)``, shape `alpha` and rate ``alpha/mu``."""
    log_value = ops.log(response[0])
    ratio = log_value - mu.eta
    distance = ratio - ops.expm1(ops.minimum(ratio, LARGEST_EXPONENT))
    return 0.5 * ops.log(alpha) - HALF_LOG_TAU - remainder(ops, alpha) + alpha * distance - log_value


def _gamma_tails(ops: Ops, response: Any, mu: Linear, alpha: Any) -> tuple[Any, Any]:
    x = alpha * ops.exp(ops.minimum(ops.log(response[0]) - mu.eta, LARGEST_EXPONENT))
    below, above = ops.gammainc(alpha, x), ops.gammaincc(alpha, x)
    return ops.log(ops.maximum(below, SMALLEST_CHANCE)), ops.log(ops.maximum(above, SMALLEST_CHANCE))


def _gamma_cdf(response: Any, mu: Linear, alpha: Any) -> Chances:
    chance = special.gammainc(alpha, alpha * response[0] / mu.link.inverse(mu.eta))
    return chance, chance


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


def _lognormal_median_link(_: Link, sigma: Any) -> Link:
    return LOG


def lognormal_has_posterior_mean(outcome: str, priors: Mapping[str, tuple[Prior, ...]], averaged: bool) -> bool:
    """That of ``exp(sigma²/2)`` asks for a prior of sigma whose tail falls faster, however many rows there are.

    A half-normal one of scale s falls as ``exp(-sigma²/(2 s²))``; what rows leave unknown of eta adds up to sigma²/2.
    """
    prior = priors["sigma"][0]
    normal = prior.plain and prior.name == "HalfNormal" and float(prior.arguments[0]) ** 2 < 0.5
    light = normal or prior.support[1] < float("inf")
    return not averaged and (outcome == "median" or light)


GAMMA = Family(
    name="gamma", links=LINKS["gamma"], link=LOG, kind="positive",
    parameters=(Parameter("alpha", "shape, standard deviation mu/sqrt(alpha)", "shape", overdispersion),),
    statistic="values", check=take_positive, log_density=_gamma, log_tails=_gamma_tails, cdf=_gamma_cdf,
    variance=_gamma_variance, draw=_draw_gamma, kernel="gamma", bambi="gamma", response="numbers above 0",
    latex=r"\operatorname{Gamma}(\alpha, \alpha / \mu_i)",
    words="With mean mu, its shape is alpha and its standard deviation mu/sqrt(alpha).", information_power=1.0,
)  # fmt: skip
LOGNORMAL = Family(
    name="lognormal", links=LINKS["lognormal"], link=IDENTITY, kind="positive",
    parameters=(Parameter("sigma", "standard deviation of the logarithm", "log of the response", residual_scale),),
    statistic="values", check=take_positive, log_density=_lognormal, log_tails=_lognormal_tails, cdf=_lognormal_cdf,
    variance=_lognormal_variance, draw=_draw_lognormal, kernel="lognormal", bambi=None,
    response="numbers above 0 that vary by factors", latex=r"\operatorname{LogNormal}(\mu_i, \sigma)",
    words="Its median is exp(mu), its mean exp(mu + sigma²/2).", location="mean logarithm",
    mean_link=_lognormal_mean_link, median_link=_lognormal_median_link,
    has_posterior_mean=lognormal_has_posterior_mean, transform=np.log, information_power=-2.0,
)  # fmt: skip
FAMILIES = (GAMMA, LOGNORMAL)
