"""Effects that differ between the thresholds of ordered categories, brms's ``cs()``.

Each threshold has a linear predictor of its own, by which it is nearer or further: ``F(t_k - eta - cs_k)`` takes the
place of ``F(t_k - eta)``. None has an intercept, which the thresholds are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hiermod.families.links import Link
from hiermod.families.ops import Ops
from hiermod.families.record import Addition, Chances, Family, Linear, Parameter

SPECIFIC = Parameter("cs", "what moves a threshold of its own", "log odds", support="real", anchored=True)


def _moved(count: int, parameters: Sequence[Any]) -> list[Any]:
    """The thresholds less what moves each, and the parameters after these."""
    thresholds, moves, rest = parameters[:count], parameters[count : 2 * count], parameters[2 * count :]
    return [*(threshold - move for threshold, move in zip(thresholds, moves, strict=True)), *rest]


def _density(count: int, density: Any, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    return density(ops, response, mu, *_moved(count, parameters))


def _cdf(count: int, cdf: Any, response: Any, mu: Linear, *parameters: Any) -> Chances:
    less, most = cdf(response, mu, *_moved(count, parameters))
    return less, most


def _draw(count: int, draw: Any, rng: np.random.Generator, shape: Any, mu: Any, trials: Any, *parameters: Any) -> Any:
    return draw(rng, shape, mu, trials, *_moved(count, parameters))


def _weighted(count: int, weighted: Any, weights: Sequence[float], link: Link, *parameters: Any) -> Link:
    own: Link = weighted(weights, link, *_moved(count, parameters))
    return own


def with_specific(family: Family) -> Family:
    """The family of known categories whose thresholds have linear predictors of their own; PyMC samples it."""
    count, own = len(family.entries), family.auxiliary
    moves = tuple(
        replace(SPECIFIC, name=f"{SPECIFIC.name}{place}", words=f"what moves threshold {place}")
        for place in range(1, count + 1)
    )
    assert own[:count] == tuple(entry.name for entry in family.entries)
    weighted = partial(_weighted, count, family.weighted)
    return replace(
        family, parameters=(*family.entries, *moves, *family.parameters[count:]), kernel=None, weighted=weighted,
        log_density=partial(_density, count, family.log_density), cdf=partial(_cdf, count, family.cdf),
        draw=partial(_draw, count, family.draw), mean_link=partial(weighted, family.scores),
    )  # fmt: skip


OF_EACH_THRESHOLD = Addition(SPECIFIC, with_specific, several=True)
