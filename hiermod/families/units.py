"""Families of numbers between 0 and 1: beta."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.links import LOGIT
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
        f"In {ends:,} rows it is 0 or 1. Shares of a known number of trials are binomial, s/n, and take both."
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


BETA = Family(
    name="beta", links=RATE_LINKS, link=LOGIT, kind="unit",
    parameters=(Parameter("phi", "precision, variance mu·(1 - mu)/(1 + phi)", "precision", overdispersion),),
    statistic="values", check=take_shares, log_density=_beta, cdf=_beta_cdf, variance=_beta_variance, draw=draw_beta,
    quantile=_beta_quantile, kernel="beta", bambi="beta", response="shares between 0 and 1, without both",
    latex=r"\operatorname{Beta}(\mu_i \phi, (1 - \mu_i) \phi)",
    words="With mean mu, its variance is mu·(1 - mu)/(1 + phi).",
)  # fmt: skip
FAMILIES = (BETA,)
