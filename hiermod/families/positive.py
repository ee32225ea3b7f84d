"""Families of numbers above 0: gamma."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.links import LOG
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGEST_EXPONENT, Ops, remainder
from hiermod.families.real import take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong, overdispersion


def _take_positive(name: str, response: ResponseRows) -> None:
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


def _gamma_cdf(response: Any, mu: Linear, alpha: Any) -> Chances:
    chance = special.gammainc(alpha, alpha * response[0] / mu.link.inverse(mu.eta))
    return chance, chance


def _gamma_variance(mean: Any, alpha: Any) -> Any:
    return mean**2 / alpha


def _draw_gamma(rng: np.random.Generator, shape: Any, mean: Any, _: Any, alpha: Any) -> Any:
    return mean * rng.standard_gamma(alpha, shape) / alpha


GAMMA = Family(
    name="gamma", links=LINKS["gamma"], link=LOG, kind="positive",
    parameters=(Parameter("alpha", "shape, standard deviation mu/sqrt(alpha)", "shape", overdispersion),),
    statistic="values", check=_take_positive, log_density=_gamma, cdf=_gamma_cdf, variance=_gamma_variance,
    draw=_draw_gamma, kernel="gamma", bambi="gamma", response="numbers above 0",
    latex=r"\operatorname{Gamma}(\alpha, \alpha / \mu_i)",
    words="With mean mu, its shape is alpha and its standard deviation mu/sqrt(alpha).", information_power=1.0,
)  # fmt: skip
FAMILIES = (GAMMA,)
