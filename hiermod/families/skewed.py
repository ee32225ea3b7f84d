"""Families of numbers with a tail to one side or heavy ones; parameters as in brms.

inverse_gaussian and frechet of numbers above 0, skew_normal, laplace, asym_laplace and gen_extreme_value of any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from hiermod.families.functionals import Functional
from hiermod.families.links import IDENTITY, LOG, Link
from hiermod.families.names import LINKS
from hiermod.families.ops import HALF_LOG_TAU, LARGEST_EXPONENT, Ops
from hiermod.families.positive import shifted_log_link, take_positive
from hiermod.families.real import MEDIAN, location_of, log_normal_density, residual_scale, response_sd, take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, ResponseScale, own_link
from hiermod.priors.distributions import Prior

ROOT_TWO_OVER_PI = float(np.sqrt(2.0 / np.pi))
LOG_2 = float(np.log(2.0))
NEXT_TO_ONE = 1e-6
FLAT = 1e-3  # products up to here by a series, which leaves out less than 1e-16 of it
GUMBEL, GUMBEL_VARIANCE = 1e-4, float(np.pi**2 / 6.0)  # shapes up to here by the first terms of a series
NOTHING = 1e-16  # the least share of a tail that is left when another is taken off


def _shape_of_unit(scale: ResponseScale) -> Prior:
    """As of other shapes, by the mean of the responses: a shape of that size is a coefficient of variation of 1."""
    return Prior("InverseGamma", (0.4, 0.3 * float(np.exp(np.clip(scale.location, -200.0, 200.0)))))


POWERS = {"inverse": 1.0, "1/mu^2": 0.5}  # of the linear predictor, whose inverse the mean is


def _log_mean(ops: Ops, mu: Linear) -> Any:
    return mu.eta if mu.link.name == "log" else -POWERS[mu.link.name] * ops.log(mu.link.held(ops, mu.eta))


def _inverse_gaussian(ops: Ops, response: Any, mu: Linear, shape: Any) -> Any:
    """A number of mean mu and variance mu³/shape."""
    log_value = ops.log(response[0])
    apart = ops.expm1(ops.minimum(log_value - _log_mean(ops, mu), LARGEST_EXPONENT))
    distance = apart * apart / (2.0 * response[0])
    density = 0.5 * ops.log(shape) - HALF_LOG_TAU - 1.5 * log_value - shape * distance
    return mu.link.limited(ops, mu.eta, density)


def _inverse_gaussian_parts(ops: Ops, value: Any, mu: Linear, shape: Any) -> tuple[Any, Any, Any]:
    """The logarithms of ``Φ(z)``, of ``Φ(-z)`` and of ``exp(2 shape/mu) Φ(-z')`` (Chhikara and Folks 1989)."""
    root, log_mean = (shape / value) ** 0.5, _log_mean(ops, mu)
    ratio = ops.exp(ops.minimum(ops.log(value) - log_mean, LARGEST_EXPONENT))
    z, beyond = root * (ratio - 1.0), root * (ratio + 1.0)
    other = 2.0 * shape / ops.exp(log_mean) + ops.log_ndtr(-beyond)
    return ops.log_ndtr(z), ops.log_ndtr(-z), other


def _inverse_gaussian_tails(ops: Ops, response: Any, mu: Linear, shape: Any) -> tuple[Any, Any]:
    below, above, other = _inverse_gaussian_parts(ops, response[0], mu, shape)
    larger, smaller = ops.maximum(below, other), ops.minimum(below, other)
    rest = ops.log1p(-ops.exp(ops.minimum(other - above, -NOTHING)))
    return larger + ops.log1p(ops.exp(smaller - larger)), above + rest


def _inverse_gaussian_cdf(response: Any, mu: Linear, shape: Any) -> Chances:
    from hiermod.families.ops import NUMPY

    below, _, other = _inverse_gaussian_parts(NUMPY, response[0], mu, shape)
    chance = np.minimum(np.exp(below) + np.exp(other), 1.0)
    return chance, chance


def _inverse_gaussian_limited_mean(horizon: float, mu: Linear, shape: Any) -> Any:
    """``E[min(y, h)] = mu (Φ(z) - exp(2 shape/mu) Φ(-z')) + h S(h)``."""
    from hiermod.families.ops import NUMPY

    below, above, other = _inverse_gaussian_parts(NUMPY, horizon, mu, shape)
    survival = np.maximum(np.exp(above) - np.exp(other), 0.0)
    return mu.link.inverse(mu.eta) * (np.exp(below) - np.exp(other)) + horizon * survival


def _inverse_gaussian_variance(mean: Any, shape: Any) -> Any:
    return mean**3 / shape


def _draw_inverse_gaussian(rng: np.random.Generator, shape: Any, mean: Any, _: Any, own: Any) -> Any:
    return rng.wald(np.broadcast_to(mean, shape), np.broadcast_to(own, shape))


def _standardised(ops: Ops, value: Any, mu: Linear, sigma: Any, alpha: Any) -> tuple[Any, Any]:
    """The distance from where a skew normal number stands, in units of its scale, and that scale."""
    delta = alpha / (1.0 + alpha**2) ** 0.5
    omega = sigma / (1.0 - (ROOT_TWO_OVER_PI * delta) ** 2) ** 0.5
    return (value - location_of(ops, mu)) / omega + ROOT_TWO_OVER_PI * delta, omega


def _skew_normal(ops: Ops, response: Any, mu: Linear, sigma: Any, alpha: Any) -> Any:
    """A number of mean mu and standard deviation sigma; alpha is the slant (Azzalini 1985, Scand. J. Stat. 12)."""
    z, omega = _standardised(ops, response[0], mu, sigma, alpha)
    return LOG_2 + log_normal_density(ops, z, 0.0, ops.const(1.0)) - ops.log(omega) + ops.log_ndtr(alpha * z)


def _skew_normal_cdf(response: Any, mu: Linear, sigma: Any, alpha: Any) -> Chances:
    from hiermod.families.ops import NUMPY

    z, _ = _standardised(NUMPY, response[0], mu, sigma, alpha)
    chance = np.clip(special.ndtr(z) - 2.0 * special.owens_t(z, alpha), 0.0, 1.0)
    return chance, chance


def _skew_normal_variance(mean: Any, sigma: Any, alpha: Any) -> Any:
    return sigma**2 * np.ones_like(mean * alpha)


def _draw_skew_normal(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, alpha: Any) -> Any:
    delta = alpha / np.sqrt(1.0 + np.square(alpha))
    omega = sigma / np.sqrt(1.0 - 2.0 / np.pi * delta**2)
    half, other = np.abs(rng.standard_normal(shape)), rng.standard_normal(shape)
    return mean + omega * (delta * (half - ROOT_TWO_OVER_PI) + np.sqrt(1.0 - delta**2) * other)


def _asym_laplace(ops: Ops, response: Any, mu: Linear, sigma: Any, quantile: Any) -> Any:
    """A number whose quantile at the chance `quantile` is mu (Yu and Moyeed 2001, Stat. Prob. Letters 54)."""
    z = (response[0] - mu.eta) / sigma
    loss = ops.where(z < 0.0, (quantile - 1.0) * z, quantile * z)
    return ops.log(quantile) + ops.log1p(-quantile) - ops.log(sigma) - loss


def _asym_laplace_tails(ops: Ops, response: Any, mu: Linear, sigma: Any, quantile: Any) -> tuple[Any, Any]:
    z = (response[0] - mu.eta) / sigma
    left, right = (1.0 - quantile) * ops.minimum(z, 0.0), -quantile * ops.maximum(z, 0.0)
    low, high = ops.log(quantile) + left, ops.log1p(-quantile) + right
    return (
        ops.where(z < 0.0, low, ops.log1p(-(1.0 - quantile) * ops.exp(right))),
        ops.where(z < 0.0, ops.log1p(-quantile * ops.exp(left)), high),
    )


def _asym_laplace_cdf(response: Any, mu: Linear, sigma: Any, quantile: Any) -> Chances:
    z = (response[0] - mu.eta) / sigma
    low = quantile * np.exp((1.0 - quantile) * np.minimum(z, 0.0))
    chance = np.where(z < 0.0, low, 1.0 - (1.0 - quantile) * np.exp(-quantile * np.maximum(z, 0.0)))
    return chance, chance


def _asym_laplace_quantile(chance: float, mu: Linear, sigma: Any, quantile: Any) -> Any:
    below = np.log(np.minimum(chance / quantile, 1.0)) / (1.0 - quantile)
    above = -np.log(np.minimum((1.0 - chance) / (1.0 - quantile), 1.0)) / quantile
    return mu.eta + sigma * (below + above)


def _asym_laplace_variance(mean: Any, sigma: Any, quantile: Any) -> Any:
    rest = 1.0 - quantile
    return sigma**2 * (quantile**2 + rest**2) / (quantile * rest) ** 2 * np.ones_like(mean)


def _beyond(sigma: Any, quantile: Any) -> Any:
    """By how much the mean is above mu."""
    return sigma * (1.0 - 2.0 * quantile) / (quantile * (1.0 - quantile))


def _less(shift: Any, mean: Any) -> Any:
    return mean - shift


def _more(shift: Any, predictor: Any) -> Any:
    return predictor + shift


def _asym_laplace_mean_link(_: Link, sigma: Any, quantile: Any) -> Link:
    shift = _beyond(sigma, quantile)
    return replace(IDENTITY, name="beyond mu", forward=partial(_less, shift), inverse=partial(_more, shift))


def _draw_asym_laplace(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, quantile: Any) -> Any:
    right, left = rng.standard_exponential((2, *shape))
    return mean - _beyond(sigma, quantile) + sigma * (right / quantile - left / (1.0 - quantile))


def _laplace(ops: Ops, response: Any, mu: Linear, sigma: Any) -> Any:
    """A number of median mu, whose mean distance from it is sigma."""
    return -abs(response[0] - mu.eta) / sigma - ops.log(sigma) - LOG_2


def _laplace_tails(ops: Ops, response: Any, mu: Linear, sigma: Any) -> tuple[Any, Any]:
    z = (response[0] - mu.eta) / sigma
    tail, rest = -abs(z) - LOG_2, ops.log1p(-0.5 * ops.exp(-abs(z)))
    return ops.where(z < 0.0, tail, rest), ops.where(z < 0.0, rest, tail)


def _laplace_cdf(response: Any, mu: Linear, sigma: Any) -> Chances:
    z = (response[0] - mu.eta) / sigma
    tail = 0.5 * np.exp(-np.abs(z))
    chance = np.where(z < 0.0, tail, 1.0 - tail)
    return chance, chance


def _laplace_quantile(chance: float, mu: Linear, sigma: Any) -> Any:
    return mu.eta - sigma * np.sign(chance - 0.5) * np.log1p(-2.0 * abs(chance - 0.5))


def _laplace_variance(mean: Any, sigma: Any) -> Any:
    return 2.0 * sigma**2 * np.ones_like(mean)


def _draw_laplace(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any) -> Any:
    return rng.laplace(mean, sigma, shape)


def _frechet_ratio(ops: Ops, response: Any, mu: Linear, nu: Any) -> tuple[Any, Any]:
    """The logarithm of a response over the scale, and nu where there is a mean."""
    held = ops.maximum(nu, 1.0 + NEXT_TO_ONE)
    return ops.log(response[0]) - mu.eta + ops.gammaln(1.0 - 1.0 / held), held


def _frechet(ops: Ops, response: Any, mu: Linear, nu: Any) -> Any:
    """A number of mean mu and scale ``mu/Γ(1 - 1/nu)``; only with a nu above 1 it has one."""
    log_ratio, held = _frechet_ratio(ops, response, mu, nu)
    density = ops.log(held) - held * log_ratio - ops.exp(ops.minimum(-held * log_ratio, LARGEST_EXPONENT))
    return ops.where(nu > 1.0, density - ops.log(response[0]), -np.inf)


def _frechet_tails(ops: Ops, response: Any, mu: Linear, nu: Any) -> tuple[Any, Any]:
    log_ratio, held = _frechet_ratio(ops, response, mu, nu)
    hazard = ops.exp(ops.minimum(-held * log_ratio, LARGEST_EXPONENT))
    return -hazard, ops.log(-ops.expm1(-hazard))


def _frechet_cdf(response: Any, mu: Linear, nu: Any) -> Chances:
    from hiermod.families.ops import NUMPY

    log_ratio, held = _frechet_ratio(NUMPY, response, mu, nu)
    with np.errstate(over="ignore"):
        chance = np.exp(-np.exp(-held * log_ratio))
    return chance, chance


def _frechet_quantile(chance: float, mu: Linear, nu: Any) -> Any:
    held = np.maximum(nu, 1.0 + NEXT_TO_ONE)
    return np.exp(mu.eta - special.gammaln(1.0 - 1.0 / held) - np.log(-np.log(chance)) / held)


def _frechet_median_link(_: Link, nu: Any) -> Link:
    held = np.maximum(nu, 1.0 + NEXT_TO_ONE)
    return shifted_log_link(-special.gammaln(1.0 - 1.0 / held) - np.log(LOG_2) / held)


def _draw_frechet(rng: np.random.Generator, shape: Any, mean: Any, _: Any, nu: Any) -> Any:
    held = np.maximum(nu, 1.0 + NEXT_TO_ONE)
    return mean * np.exp(-np.log(rng.standard_exponential(shape)) / held - special.gammaln(1.0 - 1.0 / held))


def _reduced(ops: Ops, response: Any, mu: Linear, sigma: Any, xi: Any) -> tuple[Any, Any]:
    """``log(1 + xi z)/xi``, by its series where xi z is small, and ``1 + xi z``, above 0 where there are numbers."""
    z = (response[0] - mu.eta) / sigma
    inner = 1.0 + xi * z
    product = ops.clip(xi * z, -FLAT, FLAT)
    series = z * (1.0 - product * (0.5 - product * (1.0 / 3.0 - product * (0.25 - product * 0.2))))
    small = abs(xi * z) < FLAT
    own = ops.where(small, 1.0, xi)
    return ops.where(small, series, ops.log(ops.where(inner > 0.0, inner, 1.0)) / own), inner


def _extreme(ops: Ops, response: Any, mu: Linear, sigma: Any, xi: Any) -> Any:
    """The largest of many numbers, mu being its location (Coles 2001, An Introduction to Statistical Modeling)."""
    reduced, inner = _reduced(ops, response, mu, sigma, xi)
    density = -ops.log(sigma) - (1.0 + xi) * reduced - ops.exp(ops.minimum(-reduced, LARGEST_EXPONENT))
    return ops.where(inner > 0.0, density, -np.inf)


def _extreme_cdf(response: Any, mu: Linear, sigma: Any, xi: Any) -> Chances:
    from hiermod.families.ops import NUMPY

    with np.errstate(over="ignore"):
        reduced, inner = _reduced(NUMPY, response, mu, sigma, xi)
        chance = np.where(inner > 0.0, np.exp(-np.exp(-reduced)), np.where(xi > 0.0, 0.0, 1.0))
    return chance, chance


def _stretched(t: Any, xi: Any) -> Any:
    """``expm1(xi t)/xi``, t itself where xi is 0."""
    small = np.abs(xi) < 1e-12
    return np.where(small, t, np.expm1(xi * t) / np.where(small, 1.0, xi))


def _extreme_quantile(chance: float, mu: Linear, sigma: Any, xi: Any) -> Any:
    return mu.eta + sigma * _stretched(-np.log(-np.log(chance)), xi)


def _extreme_beyond(sigma: Any, xi: Any) -> Any:
    """By how much the mean is above mu; it has none with a xi of 1 or more."""
    held = np.where(np.abs(xi) < GUMBEL, GUMBEL, np.minimum(xi, 1.0 - NEXT_TO_ONE))
    near = np.euler_gamma + 0.5 * xi * (np.euler_gamma**2 + GUMBEL_VARIANCE)
    own = np.where(np.abs(xi) < GUMBEL, near, np.expm1(special.gammaln(1.0 - held)) / held)
    return np.where(xi < 1.0, sigma * own, np.inf)


def _extreme_mean_link(_: Link, sigma: Any, xi: Any) -> Link:
    shift = _extreme_beyond(sigma, xi)
    return replace(IDENTITY, name="beyond mu", forward=partial(_less, shift), inverse=partial(_more, shift))


def _draw_extreme(rng: np.random.Generator, shape: Any, mean: Any, _: Any, sigma: Any, xi: Any) -> Any:
    location = np.where(np.isfinite(mean), mean - _extreme_beyond(sigma, np.minimum(xi, 1.0 - NEXT_TO_ONE)), np.nan)
    return location + sigma * _stretched(-np.log(rng.standard_exponential(shape)), xi)


def _extreme_has_posterior_mean(outcome: str, priors: Mapping[str, tuple[Prior, ...]], averaged: bool) -> bool:
    """The mean, only where no xi of 1 or more is possible."""
    return outcome != "mean" or ("xi" in priors and not averaged and priors["xi"][0].support[1] < 1.0)


QUANTILE = Functional("quantile", "quantile of {} at its chance", link=own_link, uses=("mu",), per_unit=True)
INVERSE_GAUSSIAN = Family(
    name="inverse_gaussian", links=LINKS["inverse_gaussian"], link=LOG, kind="positive",
    parameters=(Parameter("shape", "variance mu³/shape", "response", _shape_of_unit),),
    statistic="values", check=take_positive, log_density=_inverse_gaussian, log_tails=_inverse_gaussian_tails,
    cdf=_inverse_gaussian_cdf, limited_mean=_inverse_gaussian_limited_mean, variance=_inverse_gaussian_variance,
    draw=_draw_inverse_gaussian, kernel=None, bambi=None, response="numbers above 0 with a long right tail",
    latex=r"\operatorname{InverseGaussian}(\mu_i, \mathrm{shape})", words="With mean mu, its variance is mu³/shape.",
    information_power=1.0,
)  # fmt: skip
SKEW_NORMAL = Family(
    name="skew_normal", links=LINKS["skew_normal"], link=IDENTITY, kind="real",
    parameters=(
        Parameter("sigma", "standard deviation", "response", residual_scale, estimate=response_sd),
        Parameter("alpha", "slant: to the right where it is above 0", "slant", "Normal(0, 4)", support="real"),
    ),
    statistic="values", check=take_numbers, log_density=_skew_normal, cdf=_skew_normal_cdf,
    variance=_skew_normal_variance, draw=_draw_skew_normal, kernel=None, bambi=None,
    response="numbers that lean to one side", latex=r"\operatorname{SkewNormal}(\mu_i, \sigma, \alpha)",
    words="It has the mean mu, the standard deviation sigma and the slant alpha.",
)  # fmt: skip
ASYM_LAPLACE = Family(
    name="asym_laplace", links=LINKS["asym_laplace"], link=IDENTITY, kind="real",
    parameters=(
        Parameter("sigma", "scale of the loss", "response", residual_scale, estimate=response_sd),
        Parameter("quantile", "chance of less than mu", "chance", support="unit"),
    ),
    statistic="values", check=take_numbers, log_density=_asym_laplace, log_tails=_asym_laplace_tails,
    cdf=_asym_laplace_cdf, quantile=_asym_laplace_quantile, variance=_asym_laplace_variance, draw=_draw_asym_laplace,
    mean_link=_asym_laplace_mean_link, outcomes=(QUANTILE,), kernel=None, bambi=None,
    response="numbers, of which a quantile is modelled", latex=r"\operatorname{AsymLaplace}(\mu_i, \sigma, q)",
    words="mu is the quantile of the response at the chance `quantile`, its median where that is 0.5.",
    location="quantile at the chance `quantile`",
)  # fmt: skip
LAPLACE = Family(
    name="laplace", links=LINKS["laplace"], link=IDENTITY, kind="real",
    parameters=(Parameter("sigma", "mean distance from the median", "response", residual_scale, estimate=response_sd),),
    statistic="values", check=take_numbers, log_density=_laplace, log_tails=_laplace_tails, cdf=_laplace_cdf,
    quantile=_laplace_quantile, variance=_laplace_variance, draw=_draw_laplace, kernel=None, bambi=None,
    response="numbers with sharp peaks and heavy tails", latex=r"\operatorname{Laplace}(\mu_i, \sigma)",
    words="It has the median and mean mu, and the mean distance sigma from it.", outcomes=(MEDIAN,),
    information_power=-2.0,
)  # fmt: skip
FRECHET = Family(
    name="frechet", links=LINKS["frechet"], link=LOG, kind="positive",
    parameters=(Parameter("nu", "shape above 1, smaller the heavier the tail", "shape", "Gamma(2, 0.1, lower=1)"),),
    statistic="values", check=take_positive, log_density=_frechet, log_tails=_frechet_tails, cdf=_frechet_cdf,
    quantile=_frechet_quantile, median_link=_frechet_median_link, draw=_draw_frechet,
    kernel=None, bambi=None, response="largest of many numbers above 0",
    latex=r"\operatorname{Frechet}(\nu, \mu_i / \Gamma(1 - 1/\nu))",
    words="With mean mu, its scale is mu/gamma(1 - 1/nu).", information_power=2.0,
)  # fmt: skip
GEN_EXTREME_VALUE = Family(
    name="gen_extreme_value", links=LINKS["gen_extreme_value"], link=IDENTITY, kind="real",
    parameters=(
        Parameter("sigma", "scale", "response", residual_scale, estimate=response_sd),
        Parameter("xi", "shape: a heavy right tail above 0, an end to the right below 0", "shape", "Normal(0, 0.3)",
                  support="real"),
    ),
    statistic="values", check=take_numbers, log_density=_extreme, cdf=_extreme_cdf, quantile=_extreme_quantile,
    draw=_draw_extreme, mean_link=_extreme_mean_link,
    has_posterior_mean=_extreme_has_posterior_mean, explosive=("xi",), kernel=None, bambi=None,
    response="largest of many numbers", latex=r"\operatorname{GEV}(\mu_i, \sigma, \xi)",
    words="mu is its location, which the quantile at exp(-1) = 0.37 is.", location="location",
)  # fmt: skip
FAMILIES = (INVERSE_GAUSSIAN, SKEW_NORMAL, LAPLACE, ASYM_LAPLACE, GEN_EXTREME_VALUE, FRECHET)
