"""Records of families that Bambi has and hiermod does not fit, for answers about Bambi's own draws.

Parameters are PyMC's. Nothing here is compiled, sampled or given priors: densities are on NumPy arrays.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special, stats

from hiermod.families.links import IDENTITY, LOG, Link
from hiermod.families.record import Chances, Family, Linear, Parameter


def _mu(mu: Linear) -> Any:
    return mu.link.inverse(mu.eta)


def _laplace(_: Any, response: Any, mu: Linear, b: Any) -> Any:
    return -np.abs(response[0] - _mu(mu)) / b - np.log(2.0 * b)


def _laplace_cdf(response: Any, mu: Linear, b: Any) -> Chances:
    z = (response[0] - _mu(mu)) / b
    chance = 0.5 + 0.5 * np.sign(z) * -np.expm1(-np.abs(z))
    return chance, chance


def _laplace_quantile(chance: float, mu: Linear, b: Any) -> Any:
    return _mu(mu) - b * np.sign(chance - 0.5) * np.log1p(-2.0 * abs(chance - 0.5))


def _laplace_variance(mean: Any, b: Any) -> Any:
    return 2.0 * b**2 + 0.0 * mean


def _draw_laplace(rng: np.random.Generator, shape: Any, mean: Any, _: Any, b: Any) -> Any:
    return rng.laplace(mean, b, shape)


def _asymmetric(_: Any, response: Any, mu: Linear, b: Any, kappa: Any) -> Any:
    z = response[0] - _mu(mu)
    return np.log(b) - np.log(kappa + 1.0 / kappa) - b * np.abs(z) * kappa ** np.sign(z)


def _asymmetric_cdf(response: Any, mu: Linear, b: Any, kappa: Any) -> Chances:
    z = response[0] - _mu(mu)
    below = kappa**2 / (1.0 + kappa**2) * np.exp(b * np.minimum(z, 0.0) / kappa)
    above = np.exp(-b * kappa * np.maximum(z, 0.0)) / (1.0 + kappa**2)
    chance = np.where(z < 0.0, below, 1.0 - above)
    return chance, chance


def _asymmetric_quantile(chance: float, mu: Linear, b: Any, kappa: Any) -> Any:
    low = kappa**2 / (1.0 + kappa**2)
    below = kappa / b * np.log(np.minimum(chance / low, 1.0))
    above = -np.log(np.minimum((1.0 - chance) * (1.0 + kappa**2), 1.0)) / (b * kappa)
    return _mu(mu) + below + above


def _asymmetric_variance(mean: Any, b: Any, kappa: Any) -> Any:
    return (1.0 + kappa**4) / (b * kappa) ** 2 + 0.0 * mean


def _beyond_mu(b: Any, kappa: Any) -> Any:
    """By how much the mean is above mu."""
    return (1.0 / kappa - kappa) / b


def _draw_asymmetric(rng: np.random.Generator, shape: Any, mean: Any, _: Any, b: Any, kappa: Any) -> Any:
    right, left = rng.standard_exponential((2, *shape))
    return mean - _beyond_mu(b, kappa) + right / (b * kappa) - left * kappa / b


def _forward(link: Link, shift: Any, mean: Any) -> Any:
    return link.forward(mean - shift)


def _inverse(link: Link, shift: Any, predictor: Any) -> Any:
    return link.inverse(predictor) + shift


def _asymmetric_mean_link(link: Link, b: Any, kappa: Any) -> Link:
    shift = _beyond_mu(b, kappa)
    return replace(
        link, name=f"{link.name} of mu", forward=partial(_forward, link, shift), inverse=partial(_inverse, link, shift),
        log_inverse=None,
    )  # fmt: skip


def _von_mises(_: Any, response: Any, mu: Linear, kappa: Any) -> Any:
    return kappa * (np.cos(response[0] - _mu(mu)) - 1.0) - np.log(2.0 * np.pi * special.i0e(kappa))


def _von_mises_cdf(response: Any, mu: Linear, kappa: Any) -> Chances:
    """From -pi on."""
    low = stats.vonmises.cdf(-np.pi, kappa, loc=_mu(mu))
    chance = np.clip(stats.vonmises.cdf(response[0], kappa, loc=_mu(mu)) - low, 0.0, 1.0)
    return chance, chance


def _von_mises_variance(mean: Any, kappa: Any) -> Any:
    """The circular one."""
    return 1.0 - special.i1e(kappa) / special.i0e(kappa) + 0.0 * mean


def _draw_von_mises(rng: np.random.Generator, shape: Any, mean: Any, _: Any, kappa: Any) -> Any:
    return rng.vonmises(np.arctan2(np.sin(mean), np.cos(mean)), kappa, shape)


def _wald(_: Any, response: Any, mu: Linear, lam: Any) -> Any:
    y, mean = response[0], _mu(mu)
    return 0.5 * np.log(lam / (2.0 * np.pi * y**3)) - lam * (y / mean - 1.0) ** 2 / (2.0 * y)


def _wald_cdf(response: Any, mu: Linear, lam: Any) -> Chances:
    y, mean = response[0], _mu(mu)
    root = np.sqrt(lam / y)
    further = np.exp(2.0 * lam / mean + special.log_ndtr(-root * (y / mean + 1.0)))
    chance = special.ndtr(root * (y / mean - 1.0)) + further
    return chance, chance


def _wald_variance(mean: Any, lam: Any) -> Any:
    return mean**3 / lam


def _draw_wald(rng: np.random.Generator, shape: Any, mean: Any, _: Any, lam: Any) -> Any:
    return rng.wald(np.broadcast_to(mean, shape), np.broadcast_to(lam, shape))


FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="laplace", kind="real", links=("identity", "log"), link=IDENTITY, log_density=_laplace,
            parameters=(Parameter("b", "scale", "response"),), cdf=_laplace_cdf, quantile=_laplace_quantile,
            variance=_laplace_variance, draw=_draw_laplace, bambi="laplace", location="median",
        ),
        Family(
            name="asymmetriclaplace", kind="real", links=("identity", "log"), link=IDENTITY, log_density=_asymmetric,
            parameters=(Parameter("b", "rate"), Parameter("kappa", "asymmetry")), cdf=_asymmetric_cdf,
            quantile=_asymmetric_quantile, variance=_asymmetric_variance, draw=_draw_asymmetric,
            mean_link=_asymmetric_mean_link, bambi="asymmetriclaplace", location="mode",
        ),
        Family(
            name="vonmises", kind="real", links=("identity",), link=IDENTITY, log_density=_von_mises,
            parameters=(Parameter("kappa", "concentration"),), cdf=_von_mises_cdf, variance=_von_mises_variance,
            draw=_draw_von_mises, bambi="vonmises", location="mean direction",
        ),
        Family(
            name="wald", kind="positive", links=("log",), link=LOG, log_density=_wald,
            parameters=(Parameter("lam", "shape"),), cdf=_wald_cdf, variance=_wald_variance, draw=_draw_wald,
            bambi="wald",
        ),
    )
}  # fmt: skip
NOTICES = {
    "vonmises": "vonmises: means are mean directions, mu in radians, and variances circular",
}
