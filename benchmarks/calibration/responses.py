"""Families in NumPy and SciPy: responses at random, and their log densities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

INVERSE_LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda predictor: predictor,
    "log": np.exp,
    "logit": special.expit,
    "probit": special.ndtr,
}


@dataclass(frozen=True)
class Response:
    """A family: the names of its own parameters, a response at random, and its log density.

    ``random(rng, mean, trials, *own)``, ``log_density(y, mean, trials, *own)`` and ``expected(mean, *own)`` take arrays
    that broadcast; `mean` is the inverse link of the linear predictor, the expected response unless `expected` differs.
    """

    own: tuple[str, ...]
    random: Callable[..., np.ndarray]
    log_density: Callable[..., np.ndarray]
    expected: Callable[..., np.ndarray] = lambda mean, *_: mean


def _bernoulli(rng: Any, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return (rng.random(mean.shape) < mean).astype(int)


def _log_binomial(y: np.ndarray, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return _log_choose(trials, y) + special.xlogy(y, mean) + special.xlog1py(trials - y, -mean)


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    return special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)


def _log_gaussian(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return -0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2.0 * np.pi)


def _log_poisson(y: np.ndarray, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return special.xlogy(y, mean) - mean - special.gammaln(y + 1.0)


def _negbinomial(rng: Any, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return rng.poisson(rng.gamma(np.broadcast_to(alpha, mean.shape), mean / alpha))


def _log_negbinomial(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    ways = special.gammaln(y + alpha) - special.gammaln(alpha) - special.gammaln(y + 1.0)
    return ways + alpha * np.log(alpha / (alpha + mean)) + special.xlogy(y, mean / (alpha + mean))


def _student(rng: Any, mean: np.ndarray, trials: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    return mean + sigma * rng.standard_t(np.broadcast_to(nu, mean.shape))


def _log_student(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    constant = special.gammaln((nu + 1.0) / 2.0) - special.gammaln(nu / 2.0) - 0.5 * np.log(np.pi * nu) - np.log(sigma)
    return constant - (nu + 1.0) / 2.0 * np.log1p(((y - mean) / sigma) ** 2 / nu)


def _gamma(rng: Any, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return rng.gamma(np.broadcast_to(alpha, mean.shape), mean / alpha)


def _log_gamma(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rate = alpha / mean
    return alpha * np.log(rate) - special.gammaln(alpha) + (alpha - 1.0) * np.log(y) - rate * y


def _beta_binomial(rng: Any, mean: np.ndarray, trials: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    return rng.binomial(trials, rng.beta(mean * kappa, (1.0 - mean) * kappa))


def _log_beta_binomial(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    a, b = mean * kappa, (1.0 - mean) * kappa
    return _log_choose(trials, y) + special.betaln(y + a, trials - y + b) - special.betaln(a, b)


def _inflated_negbinomial(
    rng: Any, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray, zi: np.ndarray
) -> np.ndarray:  # fmt: skip
    return np.where(rng.random(mean.shape) < zi, 0, _negbinomial(rng, mean, trials, alpha))


def _log_inflated_negbinomial(
    y: np.ndarray, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray, zi: np.ndarray
) -> np.ndarray:  # fmt: skip
    chance = (1.0 - zi) * np.exp(_log_negbinomial(y, mean, trials, alpha))
    return np.log(np.where(y == 0, zi + chance, chance))


def _hurdle_gamma(rng: Any, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray, hu: np.ndarray) -> np.ndarray:
    return np.where(rng.random(mean.shape) < hu, 0.0, _gamma(rng, mean, trials, alpha))


def _log_hurdle_gamma(
    y: np.ndarray, mean: np.ndarray, trials: np.ndarray, alpha: np.ndarray, hu: np.ndarray
) -> np.ndarray:  # fmt: skip
    positive = np.log1p(-hu) + _log_gamma(np.where(y > 0.0, y, 1.0), mean, trials, alpha)
    return np.where(y > 0.0, positive, np.log(hu))


def _beside_zeros(mean: np.ndarray, _: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (1.0 - share) * mean


SMALLEST, LARGEST = 1e-12, 1.0 - 1e-12  # of shares, which are neither 0 nor 1


def _beta(rng: Any, mean: np.ndarray, trials: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.clip(rng.beta(mean * phi, (1.0 - mean) * phi), SMALLEST, LARGEST)


def _log_beta(y: np.ndarray, mean: np.ndarray, trials: np.ndarray, phi: np.ndarray) -> np.ndarray:
    a, b = mean * phi, (1.0 - mean) * phi
    return (a - 1.0) * np.log(y) + (b - 1.0) * np.log1p(-y) - special.betaln(a, b)


def _known(rng: Any, mean: np.ndarray, errors: np.ndarray, sigma: Any = 0.0) -> np.ndarray:
    return rng.normal(mean, np.hypot(errors, sigma))


def _log_known(y: np.ndarray, mean: np.ndarray, errors: np.ndarray, sigma: Any = 0.0) -> np.ndarray:
    return _log_gaussian(y, mean, errors, np.hypot(errors, sigma))


def _censored_weibull(rng: Any, mean: np.ndarray, last: np.ndarray, shape: np.ndarray) -> np.ndarray:
    scale = mean / special.gamma(1.0 + 1.0 / shape)
    return np.minimum(scale * rng.weibull(np.broadcast_to(shape, mean.shape)), last)


def _log_censored_weibull(y: np.ndarray, mean: np.ndarray, last: np.ndarray, shape: np.ndarray) -> np.ndarray:
    relative = y * special.gamma(1.0 + 1.0 / shape) / mean
    log_hazard = np.log(shape) - np.log(y) + shape * np.log(relative)
    return np.where(y < last, log_hazard, 0.0) - relative**shape


RESPONSES = {
    "censored_weibull": Response(("shape",), _censored_weibull, _log_censored_weibull),
    "beta": Response(("phi",), _beta, _log_beta),
    "known_errors": Response((), _known, _log_known),
    "added_errors": Response(("sigma",), _known, _log_known),
    "bernoulli": Response((), _bernoulli, _log_binomial),
    "binomial": Response((), lambda rng, mean, trials: rng.binomial(trials, mean), _log_binomial),
    "gaussian": Response(("sigma",), lambda rng, mean, trials, sigma: rng.normal(mean, sigma), _log_gaussian),
    "poisson": Response((), lambda rng, mean, trials: rng.poisson(mean), _log_poisson),
    "negbinomial": Response(("alpha",), _negbinomial, _log_negbinomial),
    "student": Response(("sigma", "nu"), _student, _log_student),
    "gamma": Response(("alpha",), _gamma, _log_gamma),
    "beta_binomial": Response(("kappa",), _beta_binomial, _log_beta_binomial),
    "zero_inflated_negbinomial": Response(
        ("alpha", "zi"), _inflated_negbinomial, _log_inflated_negbinomial, _beside_zeros
    ),
    "hurdle_gamma": Response(("alpha", "hu"), _hurdle_gamma, _log_hurdle_gamma, _beside_zeros),
}
