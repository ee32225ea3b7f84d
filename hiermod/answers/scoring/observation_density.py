"""Log density of single observations, with all constants: the NumPy twin of `hiermod.modeling.pymc.densities`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from hiermod.families.record import Family
from hiermod.families.stirling import HALF_LOG_TAU, LARGE, series

LARGEST_EXPONENT = 300.0  # beyond, a density is nothing; so far, its logarithm times any count can still be squared
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


def log_density(
    family: Family, response: np.ndarray, predictor: np.ndarray, auxiliary: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Log density of one observation in every draw.

    Parameters
    ----------
    family : Family
    response : numpy.ndarray
        The observation: successes and trials, or the one value of a count or a real number.
    predictor : numpy.ndarray
        Draws of its linear predictor.
    auxiliary : sequence of numpy.ndarray
        Draws of the family's own parameters, in the order of ``family.auxiliary``.
    """
    if family.is_rate:
        successes, trials = response
        rates = LOG_RATES[family.link.name](predictor)
        kernel = _beta_rates(successes, trials, *rates, *auxiliary) if auxiliary else _rates(successes, trials, *rates)
        return kernel + log_choose(trials, successes)
    return SINGLE[family.name](response[0], predictor, *auxiliary)


def _rates(successes: float, trials: float, log_success: np.ndarray, log_failure: np.ndarray) -> np.ndarray:
    return successes * log_success + (trials - successes) * log_failure


def _beta_rates(
    successes: float, trials: float, log_success: np.ndarray, log_failure: np.ndarray, kappa: np.ndarray
) -> np.ndarray:
    """a(a + 1)… b(b + 1)… / kappa(kappa + 1)…, each first factor by its logarithm, the others over ``kappa + 1``."""
    rates = np.exp(log_success), np.exp(log_failure)
    total = -_rise(1.0 + kappa, trials - 1.0)
    for count, log_rate, rate, other in (
        (successes, log_success, *rates),
        (trials - successes, log_failure, *rates[::-1]),
    ):
        if count:
            ratio = np.log(rate + other / (1.0 + kappa))
            total = total + log_rate + (count - 1.0) * ratio + _rise(1.0 + rate * kappa, count - 1.0)
    return total - np.log1p(1.0 / kappa) if 0.0 < successes < trials else total


def _poisson(count: float, predictor: np.ndarray) -> np.ndarray:
    return count * predictor - _bounded_exp(predictor) - special.gammaln(count + 1.0)


def _negbinomial(count: float, predictor: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    excess = np.logaddexp(0.0, predictor - np.log(alpha))
    rest = _rise(alpha, count) - special.gammaln(count + 1.0)
    return count * (predictor - excess) - alpha * excess + rest


def _gaussian(value: float, predictor: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return -0.5 * ((value - predictor) / sigma) ** 2 - np.log(sigma) - HALF_LOG_TAU


def _student(value: float, predictor: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    squares = ((value - predictor) / sigma) ** 2
    return _rise(nu / 2.0, 0.5) - HALF_LOG_TAU - np.log(sigma) - (nu + 1.0) / 2.0 * np.log1p(squares / nu)


def _gamma(value: float, predictor: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    ratio = np.log(value) - predictor
    distance = ratio - np.expm1(np.minimum(ratio, LARGEST_EXPONENT))
    return 0.5 * np.log(alpha) - HALF_LOG_TAU - _remainder(alpha) + alpha * distance - np.log(value)


SINGLE: dict[str, Callable[..., np.ndarray]] = {
    "poisson": _poisson,
    "negbinomial": _negbinomial,
    "gaussian": _gaussian,
    "student": _student,
    "gamma": _gamma,
}


def _remainder(x: np.ndarray) -> np.ndarray:
    """What Stirling's formula lacks of ``log Γ(x)``; each branch is held where it is finite."""
    small = np.minimum(x, LARGE)
    near = special.gammaln(small) - (small - 0.5) * np.log(small) + small - HALF_LOG_TAU
    return np.where(x < LARGE, near, series(np.maximum(x, LARGE)))


def _rise(x: np.ndarray, m: float) -> np.ndarray:
    """``log Γ(x + m) - log Γ(x) - m log x`` without taking large numbers from each other."""
    return (x + m - 0.5) * np.log1p(m / x) - m + _remainder(x + m) - _remainder(x)


def log_choose(trials: float, successes: float) -> float:
    """Logarithm of the binomial coefficient; exactly 0 where there is one way."""
    if successes in (0.0, trials):
        return 0.0
    return float(-np.log1p(trials) - special.betaln(trials - successes + 1.0, successes + 1.0))
