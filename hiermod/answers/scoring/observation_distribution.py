"""Distribution functions of single observations: the chance of less, and of at most as much, in every draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from hiermod.answers.scoring.observation_density import log_density
from hiermod.families.record import Family

Chances = tuple[np.ndarray, np.ndarray]


def cumulative(
    family: Family, response: np.ndarray, predictor: np.ndarray, auxiliary: Sequence[np.ndarray] = ()
) -> Chances:
    """P(Y < y) and P(Y <= y) of one observation in every draw; parameters are those of `log_density`."""
    if family.name == "beta_binomial":
        return _summed(family, response, predictor, auxiliary)
    mean = family.link.inverse(predictor)
    if family.is_rate:
        successes, trials = response
        return _whole(successes, lambda count: special.bdtr(count, int(trials), mean), mean)
    value = response[0]
    if family.counts:
        up_to = _poisson if family.name == "poisson" else _negbinomial
        return _whole(value, lambda count: up_to(count, mean, *auxiliary), mean)
    chance = CONTINUOUS[family.name](value, mean, *auxiliary)
    return chance, chance


def _whole(value: float, up_to: Callable[[float], np.ndarray], mean: np.ndarray) -> Chances:
    return up_to(value - 1.0) if value else np.zeros_like(mean), up_to(value)


def _poisson(count: float, mean: np.ndarray) -> np.ndarray:
    return np.asarray(special.pdtr(count, mean))


def _negbinomial(count: float, mean: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.asarray(special.betainc(alpha, count + 1.0, alpha / (alpha + mean)))


def _gaussian(value: float, mean: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return np.asarray(special.ndtr((value - mean) / sigma))


def _student(value: float, mean: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    return np.asarray(special.stdtr(nu, (value - mean) / sigma))


def _gamma(value: float, mean: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.asarray(special.gammainc(alpha, alpha * value / mean))


CONTINUOUS: dict[str, Callable[..., np.ndarray]] = {"gaussian": _gaussian, "student": _student, "gamma": _gamma}


def _summed(family: Family, response: np.ndarray, predictor: np.ndarray, auxiliary: Sequence[np.ndarray]) -> Chances:
    """Sums of probabilities over the side with fewer terms."""
    successes, trials = (int(number) for number in response)
    from_below = 2 * successes <= trials
    side = range(successes) if from_below else range(successes + 1, trials + 1)
    total = np.zeros_like(predictor)
    for count in side:
        total += np.exp(log_density(family, np.array([count, trials], dtype=float), predictor, auxiliary))
    own = np.exp(log_density(family, response, predictor, auxiliary))
    return (total, total + own) if from_below else (1.0 - total - own, 1.0 - total)
