"""What rates of groups are draws from: one Beta of successes in trials, or one Gamma of events by exposure.

Each has a mean, and a size that tells how near its rates are to it: a + b of a Beta(a, b), the shape of a Gamma.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from hiermod.families.ops import NUMPY, rise

TINY, HUGE = 1e-300, 1e300
Function = Callable[..., Any]


@dataclass(frozen=True)
class Pool:
    """A distribution of rates; its functions take arrays that broadcast.

    Parameters
    ----------
    name : str
        What ``pooling=`` calls it.
    draw : callable
        ``draw(rng, mean, size, events, exposure)``: rates of groups with these data, 0 and 0 of an unseen one.
    cdf : callable
        ``cdf(rate, mean, size)`` of an unseen group's rate.
    log_density : callable
        ``log_density(events, exposure, mean, size)`` of a group's data, its rate integrated out, without what depends
        on the data alone.
    log_likelihood : callable
        ``log_likelihood(events, exposure, rates)``, without the same.
    pull : callable
        ``pull(exposure, mean, size)``: the weight of the mean in a group's expected rate.
    spread, size : str
        What is told of the rates' scatter, and of the parameter that it is the power -1/2 of.
    events, exposure : str
        What a group's data are called.
    informative : callable
        ``informative(events, exposure)``: which groups' data bound the spread.
    """

    name: str
    draw: Function
    cdf: Function
    log_density: Function
    log_likelihood: Function
    pull: Function
    spread: str
    size: str
    events: str
    exposure: str
    informative: Function


def beta_shapes(mean: Any, size: Any) -> tuple[Any, Any]:
    """The parameters a and b of a Beta distribution."""
    return mean * size, (1.0 - mean) * size


def _draw_beta(rng: np.random.Generator, mean: Any, size: Any, events: Any = 0.0, exposure: Any = 0.0) -> np.ndarray:
    a, b = (np.maximum(shape, TINY) for shape in beta_shapes(mean, size))
    return np.asarray(rng.beta(a + events, b + (exposure - events)))


def _beta_density(events: Any, exposure: Any, mean: Any, size: Any) -> np.ndarray:
    a, b = (np.maximum(shape, TINY) for shape in beta_shapes(mean, size))
    pooled = special.xlogy(events, mean) + special.xlog1py(exposure - events, -mean)
    rises = rise(NUMPY, a, events) + rise(NUMPY, b, exposure - events) - rise(NUMPY, size, exposure)
    return np.asarray(pooled + rises)


def _draw_gamma(rng: np.random.Generator, mean: Any, size: Any, events: Any = 0.0, exposure: Any = 0.0) -> np.ndarray:
    shape = np.maximum(size, TINY)
    return np.asarray(rng.standard_gamma(shape + events) / (shape / np.minimum(mean, HUGE) + exposure))


def _gamma_density(events: Any, exposure: Any, mean: Any, size: Any) -> np.ndarray:
    shape, held = np.maximum(size, TINY), np.clip(mean, TINY, HUGE)
    return np.asarray(rise(NUMPY, shape, events) + special.xlogy(events, held)
                      - (shape + events) * np.log1p(exposure * held / shape))  # fmt: skip


BETA = Pool(
    "beta", draw=_draw_beta, cdf=lambda rate, mean, size: special.betainc(*beta_shapes(mean, size), rate),
    log_density=_beta_density,
    log_likelihood=lambda events, exposure, rates: special.xlogy(events, rates)
    + special.xlog1py(exposure - events, -rates),
    pull=lambda exposure, mean, size: size / (size + exposure),
    spread="(a + b)^(-1/2) of Beta(a, b)", size="a + b", events="successes", exposure="trials",
    informative=lambda events, exposure: (events > 0) & (events < exposure),
)  # fmt: skip
GAMMA = Pool(
    "gamma", draw=_draw_gamma, cdf=lambda rate, mean, size: special.gammainc(size, rate * size / mean),
    log_density=_gamma_density,
    log_likelihood=lambda events, exposure, rates: special.xlogy(events, rates) - exposure * rates,
    pull=lambda exposure, mean, size: size / (size + exposure * np.minimum(mean, HUGE)),
    spread="shape^(-1/2) of Gamma(shape, shape / mean)", size="the shape", events="events", exposure="exposure",
    informative=lambda events, exposure: events > 0,
)  # fmt: skip
POOLS = {pool.name: pool for pool in (BETA, GAMMA)}
