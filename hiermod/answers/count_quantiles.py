"""Quantiles of counts over a population of groups: of the responses of all of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from hiermod.answers.expectations import Population, averaged
from hiermod.families.functionals import LARGEST_START, Functional

WIDEST, CLOSEST = 0.6, 0.02  # steps of the integral over groups, in standard deviations
REACH = 2.0  # standard deviations above the mean, up to which single counts are to be told apart
MOST_STEPS = 200
Others = Callable[[Population, np.ndarray], Sequence[np.ndarray]]


def quantile_of_population(
    outcome: Functional, population: Population, names: Sequence[str], linear: Callable[[np.ndarray], object],
    others: Others,
) -> np.ndarray:  # fmt: skip
    """The smallest count that is not exceeded with the outcome's chance, shape ``(rows, draws)``.

    Parameters
    ----------
    names : sequence of str
        The linear predictors that are integrated, mu's last.
    linear : callable
        Makes mu of its linear predictor, which has a log link.
    others : callable
        The other parameters, at some places of the arrays.
    """
    eta = population.mean["mu"]
    variance = population.covariance.get(("mu", "mu"), np.zeros(eta.shape))
    spread = np.sqrt(variance)
    with np.errstate(over="ignore", divide="ignore"):
        counts = np.exp(eta + REACH * spread)
        step = float(np.clip(np.min(1.0 / (np.sqrt(counts) * np.maximum(spread, 1e-300))), CLOSEST, WIDEST))
        start, width = np.exp(np.minimum(eta, np.log(LARGEST_START))), np.sqrt(1.0 / np.maximum(counts, 1.0) + variance)

    def at_most(count: np.ndarray, places: np.ndarray) -> np.ndarray:
        def inner(known: Population) -> np.ndarray:
            assert outcome.at_most is not None
            return np.asarray(outcome.at_most(count, linear(known.mean["mu"]), *others(known, places)))

        return averaged(population.at(places), names, inner, step=step)

    return _searched(outcome.chance, at_most, start, np.maximum(width, 0.1))


def _searched(
    chance: float, at_most: Callable[[np.ndarray, np.ndarray], np.ndarray], start: np.ndarray, width: np.ndarray
) -> np.ndarray:
    """Where a distribution function reaches `chance`: its normal scores are nearly linear in logarithms of counts."""
    size, aim = start.size, special.ndtri(chance)
    low, high = np.full(size, -1.0), np.full(size, np.inf)
    scores_low, scores_high = np.full(size, -np.inf), np.full(size, np.inf)
    tried = np.maximum(np.floor(np.exp(np.log(start.ravel() + 0.5) + aim * width.ravel()) - 0.5), 0.0)
    for round_ in range(MOST_STEPS):
        places = np.flatnonzero(high - low > 1.0)
        if not len(places):
            break
        count = tried[places]
        chances = at_most(count, places)
        scores, reached = special.ndtri(np.clip(chances, 1e-300, 1.0 - 1e-16)), chances >= chance
        high[places[reached]], scores_high[places[reached]] = count[reached], scores[reached]
        low[places[~reached]], scores_low[places[~reached]] = count[~reached], scores[~reached]
        tried = _next(low, high, scores_low, scores_high, aim, bisect=round_ % 4 == 3)
    return high.reshape(start.shape)


def _next(
    low: np.ndarray, high: np.ndarray, scores_low: np.ndarray, scores_high: np.ndarray, aim: float, bisect: bool
) -> np.ndarray:
    """A count between: by the line through both ends, else the middle; beyond the lower end where there is no upper."""
    with np.errstate(all="ignore"):
        logs = np.log(np.array([low, high]) + 0.5)
        share = (aim - scores_low) / (scores_high - scores_low)
        between = np.floor(np.exp(logs[0] + share * (logs[1] - logs[0])) - 0.5 + 1e-9)
        middle = np.floor((low + high) / 2.0)
        between = middle if bisect else np.where(np.isfinite(between), between, middle)
        inside = np.clip(between, low + 1.0, high - 1.0)
        return np.where(np.isfinite(high), inside, 2.0 * np.maximum(low, 0.0) + 1.0)
