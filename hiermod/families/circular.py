"""The family of directions, von_mises: angles in radians, from -pi to pi, about a mean direction.

As in brms, the linear predictor is the tangent of half the mean direction (Fisher and Lee 1992, Biometrics 48).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.errors import DataError
from hiermod.families.links import TAN_HALF
from hiermod.families.names import LINKS
from hiermod.families.ops import Ops
from hiermod.families.real import take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong

STEEPEST = 1e30  # tangent of half an angle, whose square is finite
LOG_TAU = float(np.log(2.0 * np.pi))


def take_directions(name: str, response: ResponseRows) -> None:
    """Refuse what is no angle from -pi to pi."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(np.abs(response.values) > np.pi)
    if len(wrong):
        raise DataError(
            f"The family {name} takes directions in radians, from -pi to pi; {response.name!r} holds "
            f"{first_wrong(response, wrong)}. Of degrees: np.deg2rad((y + 180) % 360 - 180) in the data."
        )


def _von_mises(ops: Ops, response: Any, mu: Linear, kappa: Any) -> Any:
    """With t the tangent of half of mu, ``1 - cos(y - mu)`` is ``2 (sin(y/2) - t cos(y/2))²/(1 + t²)``."""
    half, t = 0.5 * response[0], ops.clip(mu.eta, -STEEPEST, STEEPEST)
    away = (ops.sin(half) - t * ops.cos(half)) ** 2 / (1.0 + t**2)
    return kappa - 2.0 * kappa * away - ops.log_i0(kappa) - LOG_TAU


def _cdf(response: Any, mu: Linear, kappa: Any) -> Chances:
    """From -pi on."""
    from scipy import stats

    direction = mu.link.inverse(mu.eta)
    low = stats.vonmises.cdf(-np.pi, kappa, loc=direction)
    chance = np.clip(stats.vonmises.cdf(response[0], kappa, loc=direction) - low, 0.0, 1.0)
    return chance, chance


def _variance(mean: Any, kappa: Any) -> Any:
    """The circular one, one minus the length of the mean direction."""
    return 1.0 - special.i1e(kappa) / special.i0e(kappa) + 0.0 * mean


def _draw(rng: np.random.Generator, shape: Any, mean: Any, _: Any, kappa: Any) -> Any:
    return rng.vonmises(mean, kappa, shape)


VON_MISES = Family(
    name="von_mises", links=LINKS["von_mises"], link=TAN_HALF, kind="real",
    parameters=(Parameter("kappa", "concentration about the mean direction", "concentration", "Gamma(2, 0.1)", True),),
    statistic="values", check=take_directions, log_density=_von_mises, cdf=_cdf, variance=_variance, draw=_draw,
    kernel=None, bambi=None, response="directions in radians, from -pi to pi",
    latex=r"\operatorname{VonMises}(\mu_i, \kappa)",
    words="mu is the mean direction; means are mean directions, and variances circular.",
)  # fmt: skip
FAMILIES = (VON_MISES,)
