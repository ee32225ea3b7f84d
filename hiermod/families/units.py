"""Families of numbers between 0 and 1: beta, and zero_one_inflated_beta."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.links import LOGIT, Link
from hiermod.families.mixtures import hurdle, log_shares
from hiermod.families.names import RATE_LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGE, Ops, remainder
from hiermod.families.rates import SMALLEST_SHAPE, log_rates
from hiermod.families.real import take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong, overdispersion


def take_shares(name: str, response: ResponseRows) -> None:
    """Refuse numbers that are not strictly between 0 and 1."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero((response.values <= 0.0) | (response.values >= 1.0))
    if not len(wrong):
        return
    outside = bool(((response.values < 0.0) | (response.values > 1.0)).any())
    ends = int(np.isin(response.values, (0.0, 1.0)).sum())
    advice = (
        "Shares of 100 are divided first: I(y / 100)." if outside else
        f"In {ends:,} rows it is 0 or 1, which 'zero_one_inflated_beta' takes; shares of a known number of trials are "
        "binomial, s/n."
    )  # fmt: skip
    raise DataError(
        f"The family {name} takes numbers between 0 and 1, without both; {response.name!r} holds "
        f"{first_wrong(response, wrong)}. {advice}"
    )


def _stirling(ops: Ops, x: Any, log_x: Any) -> Any:
    """``log Γ(x) - x log x + x - log(2π)/2``, of an x that may round to 0 with its logarithm."""
    small, large = ops.minimum(x, LARGE), ops.maximum(x, LARGE)
    held = ops.minimum(log_x, ops.log(ops.const(LARGE)))
    near = ops.gammaln(1.0 + small) - held - small * held + small - HALF_LOG_TAU
    return ops.where(x < LARGE, near, remainder(ops, large) - 0.5 * log_x)


def beta_density(ops: Ops, share: Any, mu: Linear, phi: Any) -> Any:
    """The log density of ``Beta(mu·phi, (1 - mu)·phi)``; both shapes may round to 0 or be without end."""
    log_success, log_failure = log_rates(ops, mu)
    log_share, log_rest, log_phi = ops.log(share), ops.log1p(-share), ops.log(phi)
    first, second = ops.exp(log_success) * phi, ops.exp(log_failure) * phi
    normed = _stirling(ops, phi, log_phi) - _stirling(ops, first, log_success + log_phi)
    normed = normed - _stirling(ops, second, log_failure + log_phi) - HALF_LOG_TAU
    data = first * (log_share - log_success) + second * (log_rest - log_failure)
    return normed + data - log_share - log_rest


def _beta(ops: Ops, response: Any, mu: Linear, phi: Any) -> Any:
    return beta_density(ops, response[0], mu, phi)


def _beta_cdf(response: Any, mu: Linear, phi: Any) -> Chances:
    mean = mu.link.inverse(mu.eta)
    shapes = (np.maximum(share * phi, SMALLEST_SHAPE) for share in (mean, 1.0 - mean))
    chance = special.betainc(*shapes, response[0])
    return chance, chance


def _beta_quantile(chance: float, mu: Linear, phi: Any) -> Any:
    mean = mu.link.inverse(mu.eta)
    return special.betaincinv(*(np.maximum(share * phi, SMALLEST_SHAPE) for share in (mean, 1.0 - mean)), chance)


def _beta_variance(mean: Any, phi: Any) -> Any:
    return mean * (1.0 - mean) / (1.0 + phi)


def draw_beta(rng: np.random.Generator, shape: Any, mean: Any, _: Any, phi: Any) -> np.ndarray:
    """Draw shares."""
    share = np.clip(mean, 0.0, 1.0)
    first, second = (np.maximum(part * phi, SMALLEST_SHAPE) for part in (share, 1.0 - share))
    return np.asarray(rng.beta(first, second, shape))


def take_ends(name: str, response: ResponseRows) -> None:
    """Refuse numbers below 0 or above 1."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero((response.values < 0.0) | (response.values > 1.0))
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers from 0 to 1; {response.name!r} holds {first_wrong(response, wrong)}. "
            "Shares of 100 are divided first: I(y / 100)."
        )


def _inflated(ops: Ops, response: Any, mu: Linear, phi: Any, zoi: Any, coi: Any) -> Any:
    """0 and 1 have the share `zoi`, of which `coi` is that of 1; all others are Beta."""
    value = response[0]
    one, end = ops.where(value >= 1.0, 1.0, 0.0), ops.where((value <= 0.0) | (value >= 1.0), 1.0, 0.0)
    inside = ops.where(end > 0.0, 0.5, value)
    (log_end, log_inside), (log_one, log_zero) = (log_shares(ops, share) for share in (zoi, coi))
    at_end = log_end + ops.where(one > 0.0, log_one, log_zero)
    return ops.where(end > 0.0, at_end, log_inside + beta_density(ops, inside, mu, phi))


def _inflated_cdf(response: Any, mu: Linear, phi: Any, zoi: Any, coi: Any) -> Chances:
    value, zero = float(response[0]), zoi * (1.0 - coi)
    if value <= 0.0:
        return np.zeros_like(mu.eta + zero), zero + np.zeros_like(mu.eta)
    if value >= 1.0:
        return 1.0 - zoi * coi + np.zeros_like(mu.eta), np.ones_like(mu.eta + zero)
    chance = zero + (1.0 - zoi) * _beta_cdf(response, mu, phi)[0]
    return chance, chance


def _of_all(zoi: Any, coi: Any, inner: Any) -> Any:
    return zoi * coi + (1.0 - zoi) * inner


def _of_inner(zoi: Any, coi: Any, mean: Any) -> Any:
    return np.clip((mean - zoi * coi) / (1.0 - zoi), 0.0, 1.0)


def _all_inverse(link: Link, zoi: Any, coi: Any, eta: Any) -> Any:
    return _of_all(zoi, coi, link.inverse(eta))


def _all_forward(link: Link, zoi: Any, coi: Any, mean: Any) -> Any:
    return link.forward(_of_inner(zoi, coi, mean))


def _all_slope(link: Link, zoi: Any, eta: Any) -> Any:
    return (1.0 - zoi) * link.slope(eta)


def _inflated_mean_link(link: Link, phi: Any, zoi: Any, coi: Any) -> Link:
    """The mean of all responses is ``zoi·coi + (1 - zoi)·mu``."""
    return Link(
        f"zero_one_inflated_{link.name}", link.words, link.latex, partial(_all_forward, link, zoi, coi),
        partial(_all_inverse, link, zoi, coi), partial(_all_slope, link, zoi),
    )  # fmt: skip


def _inflated_variance(mean: Any, phi: Any, zoi: Any, coi: Any) -> Any:
    inner = _of_inner(zoi, coi, mean)
    return zoi * coi + (1.0 - zoi) * (_beta_variance(inner, phi) + inner**2) - mean**2


def _draw_inflated(rng: np.random.Generator, shape: Any, mean: Any, _: Any, phi: Any, zoi: Any, coi: Any) -> np.ndarray:
    inside = draw_beta(rng, shape, _of_inner(zoi, coi, mean), _, phi)
    return np.where(rng.random(shape) < zoi, rng.random(shape) < coi, inside)


BETA = Family(
    name="beta", links=RATE_LINKS, link=LOGIT, kind="unit",
    parameters=(Parameter("phi", "precision, variance mu·(1 - mu)/(1 + phi)", "precision", overdispersion),),
    statistic="values", check=take_shares, log_density=_beta, cdf=_beta_cdf, variance=_beta_variance, draw=draw_beta,
    quantile=_beta_quantile, kernel="beta", bambi=None, response="shares between 0 and 1, without both",
    latex=r"\operatorname{Beta}(\mu_i \phi, (1 - \mu_i) \phi)",
    words="With mean mu, its variance is mu·(1 - mu)/(1 + phi).",
)  # fmt: skip
ZERO_ONE_INFLATED_BETA = Family(
    name="zero_one_inflated_beta", links=RATE_LINKS, link=LOGIT, kind="unit",
    parameters=(
        Parameter("phi", "precision of what is between 0 and 1", "precision", overdispersion),
        Parameter("zoi", "share of 0 and 1", "share", "Beta(1, 1)", support="unit"),
        Parameter("coi", "share of 1 among these", "share", "Beta(1, 1)", support="unit"),
    ),
    statistic="values", check=take_ends, log_density=_inflated, cdf=_inflated_cdf, variance=_inflated_variance,
    draw=_draw_inflated, mean_link=_inflated_mean_link, kernel="zero_one_inflated_beta", bambi=None,
    response="shares from 0 to 1, with both",
    latex=r"\mathit{zoi} \cdot \operatorname{Bernoulli}(\mathit{coi}) + (1 - \mathit{zoi}) \cdot "
    r"\operatorname{Beta}(\mu_i \phi, (1 - \mu_i) \phi)",
    words="A share zoi of the responses is 0 or 1, of which coi is 1; the others are Beta with mean mu.",
    location="log odds of the mean between 0 and 1",
)  # fmt: skip


def take_below_one(name: str, response: ResponseRows) -> None:
    """Refuse numbers below 0, and 1 or above."""
    take_ends(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values == 1.0)
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers from 0 on and below 1; {response.name!r} holds "
            f"{first_wrong(response, wrong)}. 'zero_one_inflated_beta' takes 1 as well."
        )


ZERO_INFLATED_BETA = replace(
    hurdle(BETA, "beta", "zero_inflated_beta", "zi"), check=take_below_one,
    response="shares between 0 and 1, and zeros", location="log odds of the mean above 0",
)  # fmt: skip
FAMILIES = (BETA, ZERO_ONE_INFLATED_BETA, ZERO_INFLATED_BETA)
