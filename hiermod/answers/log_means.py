"""Logarithms of means by linear predictors.

They are exact where a rate rounds to 0 or 1 and where a mean rounds to 0 or overflows: ratios and odds are finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from hiermod.families.links import Link
from hiermod.families.ops import HALF_LOG_TAU, NUMPY

RANGE = 8.5  # standard deviations about the mode that are integrated; what lies beyond is 1e-16 of the whole
CLOSE, NEAR = 0.25, 0.05  # to which the mode is sought; within which the curvature is measured
MAX_STEP, WIDEST_STEP, LEAST_STEP = 0.35, 0.25, 0.02  # of the rule: over the spread, over the narrowest width


@dataclass(frozen=True, eq=False)
class Logs:
    """Logarithms of averages, shape ``(..., draws)``; of average rates also those of what is left of them to 1."""

    mean: np.ndarray
    rest: np.ndarray | None = None

    @property
    def order(self) -> np.ndarray:
        """Numbers in the order of the averages: log odds of rates, else logarithms."""
        return self.mean if self.rest is None else self.mean - self.rest

    def reshaped(self, shape: tuple[int, ...]) -> Logs:
        """The same in another shape."""
        return Logs(self.mean.reshape(shape), None if self.rest is None else self.rest.reshape(shape))

    def averaged(self, weights: np.ndarray) -> Logs:
        """Weighted averages over arms, shape ``(cells, arms, draws)``; a row of weights for each average."""
        return Logs(_averaged(weights, self.mean), None if self.rest is None else _averaged(weights, self.rest))


def _averaged(weights: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """``log(sum of weight · exp(log))`` over arms; single arms are taken as they are."""
    result = logs[:, weights.argmax(axis=1)]
    for place in np.flatnonzero(weights.max(axis=1) != 1.0):
        arms = np.flatnonzero(weights[place])
        result[:, place] = special.logsumexp(logs[:, arms], axis=1, b=weights[place, arms][:, None])
    return result


def log_means(link: Link, predictor: np.ndarray) -> np.ndarray:
    """Logarithms of positive means, shape ``(1, …)``, or of the chances of success and failure, ``(2, …)``."""
    if link.log_rates is not None:
        return np.stack(link.log_rates(NUMPY, predictor))
    assert link.log_inverse is not None
    return np.asarray(link.log_inverse(predictor))[None]


def population_log_means(link: Link, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """`log_means` of the expectation where the linear predictor is ``mean + sqrt(variance) Z``, Z standard normal.

    Log and probit have closed forms. Of the others both chances are integrated by the trapezoidal rule about the mode
    of each integrand, which lies far from 0 where a chance is small: relative errors stay small with the chance.
    """
    if link.log_inverse is not None:
        return np.asarray(link.log_inverse(mean + variance / 2.0))[None]
    if link.name == "probit":
        return log_means(link, mean / np.sqrt(1.0 + variance))
    spread = np.sqrt(variance)
    return np.stack([_log_expectation(_chance(link, place), mean, spread) for place in (0, 1)])


def _chance(link: Link, place: int) -> Callable[[np.ndarray], np.ndarray]:
    log_rates = link.log_rates
    assert log_rates is not None
    return lambda predictor: log_rates(NUMPY, predictor)[place]


def _log_expectation(
    log_value: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, spread: np.ndarray
) -> np.ndarray:  # fmt: skip
    """``log E[exp(log_value(mean + spread Z))]``, elementwise; `log_value` is concave."""

    def log_integrand(z: np.ndarray) -> np.ndarray:
        return log_value(mean + spread * z) - z**2 / 2.0

    mode = _mode(log_integrand, np.zeros_like(mean))
    top, total = log_integrand(mode), np.zeros_like(mean)
    curvature = (2.0 * top - log_integrand(mode - NEAR) - log_integrand(mode + NEAR)) / NEAR**2
    width = 1.0 / np.sqrt(max(float(curvature.max(initial=1.0)), 1.0))
    step = max(LEAST_STEP, min(WIDEST_STEP * width, MAX_STEP / max(float(spread.max(initial=0.0)), MAX_STEP)))
    for place in np.arange(-np.ceil(RANGE / step), np.ceil(RANGE / step) + 1) * step:
        total += np.exp(log_integrand(mode + place) - top)
    return np.asarray(top + np.log(total * step) - HALF_LOG_TAU)


def _mode(log_integrand: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    """The mode of a log-concave function about `start`, to `CLOSE`: bracketed by doubling, then halved."""
    reach = 1.0
    while True:
        low, high = start - reach, start + reach
        inside = (log_integrand(low) <= log_integrand(low + CLOSE)) & (
            log_integrand(high) <= log_integrand(high - CLOSE)
        )
        if inside.all() or reach > 1e9:
            break
        reach *= 2.0
    while reach > CLOSE:
        middle = (low + high) / 2.0
        rising = log_integrand(middle + CLOSE / 2.0) > log_integrand(middle - CLOSE / 2.0)
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        reach /= 2.0
    return (low + high) / 2.0
