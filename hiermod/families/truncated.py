"""Counts above 0: what is left of families of counts without zeros, by itself and as a part of hurdles.

With h(mu) minus the logarithm of the chance of 0, a count above 0 has the chance 1 - exp(-h). Everything here is
written by log h, which keeps its digits where that chance rounds to 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.counts import GENPOIS, LARGEST_MEAN, NBINOM1, NEGBINOMIAL, POISSON, offspring, take_counts
from hiermod.families.links import CLOGLOG, Link
from hiermod.families.names import LINKS
from hiermod.families.ops import NUMPY, Ops
from hiermod.families.record import Chances, Family, Linear, first_wrong

SMALL = 1e-8  # the square of less is nothing
FAR = 36.0  # below minus this, log(1 + exp(x)) is exp(x) to a double's digits
STEPS, CLOSE = 40, 1e-12  # of Newton's method for the linear predictor of a mean
LEAST, LARGEST_ETA, NOTHING = -600.0, 600.0, 1e-250  # a mean of counts above 0 has no linear predictor from 1 down


@dataclass(frozen=True)
class Hazard:
    """Of a family of counts: log h, its derivative by the linear predictor, and new counts above 0.

    Where h is in proportion to mu, `share` is its logarithm over mu, by the parameters.
    """

    log: Callable[..., Any]
    slope: Callable[..., Any]
    draw: Callable[..., Any]
    share: Callable[..., Any] | None = None


def _poisson_hazard(_: Ops, eta: Any) -> Any:
    return eta


def _poisson_slope(eta: Any) -> Any:
    return np.ones_like(eta)


def _negbinomial_hazard(ops: Ops, eta: Any, alpha: Any) -> Any:
    """``alpha log(1 + mu/alpha)``; where mu/alpha is next to nothing, mu."""
    log_alpha = ops.log(alpha)
    excess = eta - log_alpha
    near = ops.log(ops.softplus(ops.maximum(excess, -FAR)))
    return log_alpha + ops.where(excess < -FAR, excess, near)


def _nbinom1_share(ops: Ops, phi: Any) -> Any:
    """``log(log(1 + phi)/phi)``."""
    return ops.log(ops.log1p(phi)) - ops.log(phi)


def _nbinom1_hazard(ops: Ops, eta: Any, phi: Any) -> Any:
    """``mu log(1 + phi)/phi``."""
    return eta + _nbinom1_share(ops, phi)


def _nbinom1_slope(eta: Any, phi: Any) -> Any:
    return np.ones_like(eta + phi)


def _negbinomial_slope(eta: Any, alpha: Any) -> Any:
    """``share/log(1 + mu/alpha)``, the share being ``mu/(alpha + mu)``."""
    excess = np.maximum(eta - np.log(alpha), -FAR)
    return 1.0 / ((1.0 + np.exp(-excess)) * NUMPY.softplus(excess))


def _first_event(rng: np.random.Generator, shape: Any, hazard: Any) -> Any:
    """When the first of Poisson's events comes, given that one comes before the time `hazard`."""
    return -np.log1p(rng.random(shape) * np.expm1(-hazard))


def _draw_poisson(rng: np.random.Generator, shape: Any, eta: Any) -> Any:
    """The first event, and those after it."""
    mean = np.exp(eta)
    rest = np.maximum(mean - _first_event(rng, shape, mean), 0.0)
    return np.where(mean > LARGEST_MEAN, mean, 1.0 + rng.poisson(np.minimum(rest, LARGEST_MEAN)))


def _draw_negbinomial(rng: np.random.Generator, shape: Any, eta: Any, alpha: Any) -> Any:
    """A Poisson number of logarithmic counts: that of the first event, and those after it, again negative binomial."""
    hazard = np.exp(_negbinomial_hazard(NUMPY, eta, alpha))
    left = np.maximum(1.0 - _first_event(rng, shape, hazard) / hazard, 0.0)
    odds = np.exp(eta) / alpha
    first = rng.logseries(np.minimum(odds / (1.0 + odds), np.nextafter(1.0, 0.0)), shape).astype(float)
    rest = rng.standard_gamma(alpha * left, shape) * odds
    return first + np.where(rest > LARGEST_MEAN, rest, rng.poisson(np.minimum(rest, LARGEST_MEAN)))


def _draw_nbinom1(rng: np.random.Generator, shape: Any, eta: Any, phi: Any) -> Any:
    """The same, in which the logarithmic counts do not depend on mu."""
    hazard = np.exp(_nbinom1_hazard(NUMPY, eta, phi))
    left = np.maximum(1.0 - _first_event(rng, shape, hazard) / hazard, 0.0)
    first = rng.logseries(np.minimum(phi / (1.0 + phi), np.nextafter(1.0, 0.0)), shape).astype(float)
    rest = rng.standard_gamma(np.exp(eta) / phi * left, shape) * phi
    return first + np.where(rest > LARGEST_MEAN, rest, rng.poisson(np.minimum(rest, LARGEST_MEAN)))


def _genpois_share(ops: Ops, phi: Any) -> Any:
    return -ops.log1p(phi)


def _genpois_hazard(ops: Ops, eta: Any, phi: Any) -> Any:
    """The first generation's mean, ``mu/(1 + phi)``."""
    return eta - ops.log1p(phi)


def _draw_genpois(rng: np.random.Generator, shape: Any, eta: Any, phi: Any) -> Any:
    """The first generation is a Poisson count above 0."""
    return offspring(rng, _draw_poisson(rng, shape, _genpois_hazard(NUMPY, eta, phi)), phi / (1.0 + phi))


HAZARDS = {
    "poisson": Hazard(_poisson_hazard, _poisson_slope, _draw_poisson),
    "negbinomial": Hazard(_negbinomial_hazard, _negbinomial_slope, _draw_negbinomial),
    "nbinom1": Hazard(_nbinom1_hazard, _nbinom1_slope, _draw_nbinom1, _nbinom1_share),
    "genpois": Hazard(_genpois_hazard, _nbinom1_slope, _draw_genpois, _genpois_share),
}


def _log_density(base: Family, hazard: Hazard, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    log_above, _ = _log_rates(ops, hazard.log(ops, mu.eta, *parameters))
    count = ops.maximum(response[0], 1.0)
    density = base.log_density(ops, (count, *response[1:]), mu, *parameters) - log_above
    return ops.where(response[0] > 0.0, density, -np.inf)


def _log_rates(ops: Ops, log_hazard: Any) -> tuple[Any, Any]:
    """The logarithms of the chances of a count above 0, and of 0."""
    assert CLOGLOG.log_rates is not None
    log_above, log_zero = CLOGLOG.log_rates(ops, log_hazard)
    return log_above, log_zero


def _log_mean(hazard: Hazard, parameters: tuple[Any, ...], eta: Any) -> Any:
    """The logarithm of ``mu/(1 - exp(-h))``; of small mu it is 0 without the digits that cancel."""
    log_hazard = hazard.log(NUMPY, eta, *parameters)
    per_hazard = _log_ratio(np.exp(np.minimum(log_hazard, LARGEST_ETA)))
    return eta - log_hazard + per_hazard


def _log_ratio(hazard: Any) -> Any:
    """``log(h/(1 - exp(-h)))``."""
    held = np.maximum(hazard, SMALL)
    return np.where(hazard < SMALL, hazard / 2.0, np.log(held) - np.log(-np.expm1(-held)))


def _mean(hazard: Hazard, parameters: tuple[Any, ...], eta: Any) -> Any:
    return np.exp(_log_mean(hazard, parameters, eta))


def _log_mean_slope(hazard: Hazard, parameters: tuple[Any, ...], eta: Any) -> Any:
    """``1 - (h/expm1(h)) · d log h/d eta``."""
    size = np.exp(np.clip(hazard.log(NUMPY, eta, *parameters), LEAST, LARGEST_ETA))
    held = np.clip(size, SMALL, -LEAST)
    short = np.where(size < SMALL, size / 2.0, 1.0 - held / np.expm1(held))  # of h/expm1(h) to 1
    rise = hazard.slope(eta, *parameters)
    return 1.0 - rise + rise * short


def _slope(hazard: Hazard, parameters: tuple[Any, ...], eta: Any) -> Any:
    return _mean(hazard, parameters, eta) * _log_mean_slope(hazard, parameters, eta)


def _predictor(hazard: Hazard, parameters: tuple[Any, ...], mean: Any) -> Any:
    """The linear predictor of a mean above 1, by Newton's steps for the logarithm of the mean less 1.

    That logarithm is nearly linear in the predictor, of slope between 1/2 and 1. Where h is in proportion to mu, h has
    the mean of Poisson counts.
    """
    if hazard.share is not None:
        share = hazard.share(NUMPY, *parameters)
        return _predictor(HAZARDS["poisson"], (), mean * np.exp(share)) - share
    target = np.log(np.maximum(np.asarray(mean, dtype=float) - 1.0, NOTHING))
    eta = np.broadcast_to(target, np.broadcast_shapes(np.shape(target), *map(np.shape, parameters)))
    for _ in range(STEPS):
        log_mean = _log_mean(hazard, parameters, eta)
        above = np.expm1(log_mean)
        steepness = _log_mean_slope(hazard, parameters, eta) * np.exp(log_mean)
        step = (np.log(above) - target) * above / steepness
        eta = np.clip(eta - step, LEAST, LARGEST_ETA)
        if not np.abs(step).max(initial=0.0) > CLOSE:
            break
    return eta


def _mean_link(hazard: Hazard, link: Link, *parameters: Any) -> Link:
    """Between the mean of counts above 0 and the linear predictor; it has no closed form over a population."""
    own = (hazard, parameters)
    return replace(
        link, name="log_above_zero", words="log of the mean without truncation", forward=partial(_predictor, *own),
        inverse=partial(_mean, *own), slope=partial(_slope, *own), log_inverse=None,
    )  # fmt: skip


def _variance(base: Family, hazard: Hazard, mean: Any, *parameters: Any) -> Any:
    """``E[y²] - E[y]²``, of which the second moment is that with zeros over the chance of none."""
    untruncated = np.exp(_predictor(hazard, parameters, mean))
    assert base.variance is not None
    return mean * (base.variance(untruncated, *parameters) / untruncated + untruncated - mean)


def _cdf(base: Family, hazard: Hazard, response: Any, mu: Linear, *parameters: Any) -> Chances:
    """Chances less that of 0, over that of a count above 0."""
    assert base.cdf is not None
    log_above, log_zero = _log_rates(NUMPY, hazard.log(NUMPY, mu.eta, *parameters))
    below, up_to = base.cdf(response, mu, *parameters)
    zero, above = np.exp(log_zero), np.exp(log_above)
    return np.clip((below - zero) / above, 0.0, 1.0), np.clip((up_to - zero) / above, 0.0, 1.0)


def _draw(hazard: Hazard, rng: np.random.Generator, shape: Any, mean: Any, _: Any, *parameters: Any) -> Any:
    return hazard.draw(rng, shape, np.clip(_predictor(hazard, parameters, mean), LEAST, LARGEST_ETA), *parameters)


def take_counts_above_zero(name: str, response: ResponseRows) -> None:
    """Refuse zeros."""
    take_counts(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values == 0.0)
    if len(wrong):
        base = name.removeprefix("truncated_")
        raise DataError(
            f"The family {name} takes counts from 1 on; {response.name!r} holds {first_wrong(response, wrong)}. With "
            f"zeros among the counts it is {base!r}; 'hurdle_{base}' gives them a part of their own."
        )


def truncated(base: Family) -> Family:
    """The family of counts above 0 of a family of counts, whose mu is the mean that counts would have with zeros."""
    hazard = HAZARDS[base.name]
    return replace(
        base, name=f"truncated_{base.name}", links=LINKS[f"truncated_{base.name}"],  # type: ignore[index]
        statistic="values", rated="", kernel=None, check=take_counts_above_zero,
        response=f"{base.response}, all above 0",
        words=f"It is {base.name} without its zeros.{f' {base.words}' if base.words else ''}",
        location="log of the mean before zeros are cut off",
        latex=rf"{base.latex}_{{>0}}", bambi=None, log_tails=None, log_density=partial(_log_density, base, hazard),
        mean_link=partial(_mean_link, hazard), variance=partial(_variance, base, hazard),
        cdf=partial(_cdf, base, hazard), draw=partial(_draw, hazard),
    )  # fmt: skip


POSITIVE_COUNTS = FAMILIES = tuple(truncated(base) for base in (POISSON, NEGBINOMIAL, NBINOM1, GENPOIS))
