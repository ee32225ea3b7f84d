"""Families of numbers: gaussian and student."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows, TallyRows, TrialsRows
from hiermod.errors import DataError
from hiermod.families.functionals import Functional
from hiermod.families.links import IDENTITY
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, NUMPY, SMALLEST_CHANCE, Ops, bounded_exp, rise
from hiermod.families.record import Chances, Family, Linear, Parameter, ResponseScale, own_link
from hiermod.priors.distributions import Prior


def take_numbers(name: str, response: ResponseRows) -> None:
    """Refuse successes, and numbers that were rounded until hardly anything tells them apart."""
    assert not isinstance(response, TallyRows)  # which `choose_family` refuses
    if isinstance(response, TrialsRows) or response.kind == "bool":
        raise DataError(
            f"The family {name} takes one numeric column; this response is successes, so say 'binomial'. A ratio of "
            "two columns that is meant as a number stands in I(): I(s / n)."
        )
    if response.within is None:
        _refuse_rounded(response)


def _refuse_rounded(response: SingleRows) -> None:
    low, high = float(response.values.min()), float(response.values.max())
    apart = float(np.spacing(max(-low, high)))
    if high - low >= apart * (2.0 * len(response.values)) ** 0.5:  # the least that the sd can be of such a range
        return
    sd = float((response.values - response.values[0]).std())
    if 0.0 < sd < apart:
        raise DataError(
            f"The numbers in {response.name!r} are of the size of {response.values[0]:g}, where floating-point numbers "
            f"are {apart:g} apart, and their standard deviation is {sd:.3g}: their differences have been rounded. "
            "Subtract a number of that size where they are exact, in the integers or times that they were made of."
        )


def residual_scale(scale: ResponseScale) -> Prior:
    """The default prior of a residual's scale."""
    return Prior("Exponential", (1.0 / (scale.spread or scale.unit),))


def response_sd(scale: ResponseScale) -> float:
    """The standard deviation of the response, or of its logarithm."""
    return scale.unit


def _degrees_of_freedom(_: ResponseScale) -> Prior:
    """Juárez and Steel's (2010, J. Appl. Econometrics 25, 1128-1154)."""
    return Prior("Gamma", (2.0, 0.1))


def log_normal_density(ops: Ops, value: Any, location: Any, sigma: Any) -> Any:
    """The normal log density."""
    return -0.5 * ((value - location) / sigma) ** 2 - ops.log(sigma) - HALF_LOG_TAU


def _gaussian(ops: Ops, response: Any, mu: Linear, sigma: Any) -> Any:
    return log_normal_density(ops, response[0], location_of(ops, mu), sigma)


def location_of(ops: Ops, mu: Linear) -> Any:
    """What the linear predictor says of the mean, held where it would overflow."""
    return mu.eta if mu.link.name == "identity" else bounded_exp(ops, mu.eta)


def _student(ops: Ops, response: Any, mu: Linear, sigma: Any, nu: Any) -> Any:
    squares = ((response[0] - location_of(ops, mu)) / sigma) ** 2
    return rise(ops, nu / 2.0, 0.5) - HALF_LOG_TAU - ops.log(sigma) - (nu + 1.0) / 2.0 * ops.log1p(squares / nu)


def _gaussian_tails(ops: Ops, response: Any, mu: Linear, sigma: Any) -> tuple[Any, Any]:
    t = (response[0] - location_of(ops, mu)) / sigma
    return ops.log_ndtr(t), ops.log_ndtr(-t)


def _student_tails(ops: Ops, response: Any, mu: Linear, sigma: Any, nu: Any) -> tuple[Any, Any]:
    """By the tail that is beyond |t|, half an incomplete beta function."""
    t = (response[0] - location_of(ops, mu)) / sigma
    beyond = 0.5 * ops.betainc(nu / 2.0, ops.const(0.5), nu / (nu + t**2))
    tail, rest = ops.log(ops.maximum(beyond, SMALLEST_CHANCE)), ops.log1p(-beyond)
    return ops.where(t < 0.0, tail, rest), ops.where(t < 0.0, rest, tail)


def _gaussian_cdf(response: Any, mu: Linear, sigma: Any) -> Chances:
    chance = special.ndtr((response[0] - location_of(NUMPY, mu)) / sigma)
    return chance, chance


def _gaussian_quantile(chance: float, mu: Linear, sigma: Any) -> Any:
    return location_of(NUMPY, mu) + sigma * special.ndtri(chance)


def _student_cdf(response: Any, mu: Linear, sigma: Any, nu: Any) -> Chances:
    chance = special.stdtr(nu, (response[0] - location_of(NUMPY, mu)) / sigma)
    return chance, chance


def _student_quantile(chance: float, mu: Linear, sigma: Any, nu: Any) -> Any:
    return location_of(NUMPY, mu) + sigma * special.stdtrit(nu, chance)


def _gaussian_variance(mean: Any, sigma: Any) -> Any:
    return sigma**2 * np.ones_like(mean)


def _student_variance(mean: Any, sigma: Any, nu: Any) -> Any:
    """There is none with two degrees of freedom or less."""
    freedom = np.maximum(nu - 2.0, 0.0)
    with np.errstate(divide="ignore"):
        return sigma**2 * nu / freedom * np.ones_like(mean)


def _draw(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any) -> np.ndarray:
    return rng.normal(mean, sigma, shape)


def _draw_student(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, nu: Any) -> Any:
    return mean + sigma * rng.standard_t(nu, shape)


MEDIAN = Functional("median", "median {}", link=own_link, uses=("mu",), per_unit=True)
GAUSSIAN = Family(
    name="gaussian", links=LINKS["gaussian"], link=IDENTITY, kind="real",
    parameters=(Parameter("sigma", "standard deviation", "response", residual_scale, estimate=response_sd),),
    statistic="real", check=take_numbers, log_density=_gaussian, log_tails=_gaussian_tails, cdf=_gaussian_cdf,
    variance=_gaussian_variance, draw=_draw, kernel="gaussian", bambi="gaussian", response="numbers",
    latex=r"\operatorname{Normal}(\mu_i, \sigma)", outcomes=(MEDIAN,), quantile=_gaussian_quantile,
    information_power=-2.0,
)  # fmt: skip
STUDENT = Family(
    name="student", links=LINKS["student"], link=IDENTITY, kind="real",
    parameters=(
        Parameter("sigma", "scale", "response", residual_scale, estimate=response_sd),
        Parameter("nu", "degrees of freedom", "degrees of freedom", _degrees_of_freedom, True),
    ),
    statistic="values", check=take_numbers, log_density=_student, log_tails=_student_tails, cdf=_student_cdf,
    variance=_student_variance, draw=_draw_student, kernel="student", bambi="t", response="numbers with outliers",
    latex=r"\operatorname{StudentT}(\nu, \mu_i, \sigma)",
    words="It has nu degrees of freedom and the scale sigma.", location="location", outcomes=(MEDIAN,),
    quantile=_student_quantile, information_power=-2.0,
)  # fmt: skip
FAMILIES = (GAUSSIAN, STUDENT)
