"""Log density of single observations, with all constants: the NumPy twin of `hiermod.modeling.likelihood`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from hiermod.modeling.families import Family

LARGEST_EXPONENT = 300.0  # beyond, a density is nothing; so far, its logarithm times any count can still be squared
HALF_LOG_TAU = 0.5 * float(np.log(2.0 * np.pi))
LogRates = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _logit(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return special.log_expit(predictor), special.log_expit(-predictor)


def _probit(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return special.log_ndtr(predictor), special.log_ndtr(-predictor)


def _cloglog(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Below -40 a rate is its hazard; each branch is held where it is exact."""
    hazard = _bounded_exp(predictor)
    rare = np.log(-np.expm1(-np.exp(np.clip(predictor, -40.0, 0.0)))) + np.minimum(predictor + 40.0, 0.0)
    return np.where(predictor < 0.0, rare, np.log1p(-np.exp(-np.maximum(hazard, 1.0)))), -hazard


def _bounded_exp(predictor: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(predictor, LARGEST_EXPONENT))


LOG_RATES: dict[str, LogRates] = {"logit": _logit, "probit": _probit, "cloglog": _cloglog}


def log_density(family: Family, response: np.ndarray, predictor: np.ndarray, sigma: np.ndarray | None) -> np.ndarray:
    """Log density of one observation in every draw.

    Parameters
    ----------
    family : Family
    response : numpy.ndarray
        The observation: successes and trials, or the one value of a count or a real number.
    predictor : numpy.ndarray
        Draws of its linear predictor.
    sigma : numpy.ndarray or None
        Draws of the residual standard deviation, of a gaussian family.
    """
    match family.statistic:
        case "trials":
            successes, trials = response
            log_success, log_failure = LOG_RATES[family.link.name](predictor)
            return successes * log_success + (trials - successes) * log_failure + _log_choose(trials, successes)
        case "count":
            return response[0] * predictor - _bounded_exp(predictor) - special.gammaln(response[0] + 1.0)
    assert sigma is not None
    return -0.5 * ((response[0] - predictor) / sigma) ** 2 - np.log(sigma) - HALF_LOG_TAU


def _log_choose(trials: float, successes: float) -> float:
    """Logarithm of the binomial coefficient; exactly 0 where there is one way."""
    if successes in (0.0, trials):
        return 0.0
    return float(-np.log1p(trials) - special.betaln(trials - successes + 1.0, successes + 1.0))
