"""Log densities of one response, with all constants, by its linear predictor and its family's own parameters.

They are right where means overflow or round to 0, and where a parameter is so large that the family is its limit:
Poisson, normal or binomial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt

from hiermod.families.links import Link
from hiermod.families.record import Family
from hiermod.families.stirling import HALF_LOG_TAU, LARGE, series


def remainder(x: Any) -> Any:
    """R(x), what Stirling's formula lacks; each branch is held where it is finite."""
    small = pt.minimum(x, LARGE)
    near = pt.gammaln(small) - (small - 0.5) * pt.log(small) + small - HALF_LOG_TAU
    return pt.switch(x < LARGE, near, series(pt.maximum(x, LARGE)))


def rise(x: Any, m: Any) -> Any:
    """``log Γ(x + m) - log Γ(x) - m log x`` for x > 0 and m >= 0; it vanishes for large x, and at m = 0."""
    return (x + m - 0.5) * pt.log1p(m / x) - m + remainder(x + m) - remainder(x)


ROOT_HALF = float(np.sqrt(0.5))
LARGEST_EXPONENT = 300.0  # beyond, a density is nothing; so far, its logarithm times any count is finite
LogRates = Callable[[Any], tuple[Any, Any]]


def _logit(eta: Any) -> tuple[Any, Any]:
    return -pt.softplus(-eta), -pt.softplus(eta)


def _probit(eta: Any) -> tuple[Any, Any]:
    return _log_normal_cdf(eta), _log_normal_cdf(-eta)


def _log_normal_cdf(eta: Any) -> Any:
    """PyMC's `normal_lcdf` takes the root of 2 in single precision; each branch is held where it is finite."""
    low, high = pt.minimum(eta, -1.0), pt.maximum(eta, -1.0)
    tail = pt.log(pt.erfcx(-low * ROOT_HALF) / 2.0) - low**2 / 2.0
    return pt.switch(eta < -1.0, tail, pt.log1p(-pt.erfc(high * ROOT_HALF) / 2.0))


def _cloglog(eta: Any) -> tuple[Any, Any]:
    """Below -20 the logarithm's first two terms are exact; the hazard stays below overflow."""
    low, high = pt.minimum(eta, -20.0), pt.clip(eta, -20.0, 700.0)
    log_success = pt.switch(eta < -20.0, low - pt.exp(low) / 2.0, pt.log(-pt.expm1(-pt.exp(high))))
    return log_success, -pt.exp(pt.minimum(eta, 700.0))


LOG_RATES: dict[str, LogRates] = {"logit": _logit, "probit": _probit, "cloglog": _cloglog}


def negbinomial(count: Any, eta: Any, alpha: Any) -> Any:
    """A count of mean ``mu = exp(eta)`` and variance ``mu + mu²/alpha``."""
    excess = pt.softplus(eta - pt.log(alpha))  # log(1 + mu/alpha)
    return count * (eta - excess) - alpha * excess + rise(alpha, count) - pt.gammaln(count + 1.0)


def student(value: Any, eta: Any, sigma: Any, nu: Any) -> Any:
    """A number about `eta`, with scale `sigma` and `nu` degrees of freedom."""
    squares = ((value - eta) / sigma) ** 2
    return rise(nu / 2.0, 0.5) - HALF_LOG_TAU - pt.log(sigma) - (nu + 1.0) / 2.0 * pt.log1p(squares / nu)


def gamma(value: Any, eta: Any, alpha: Any) -> Any:
    """A positive number of mean ``mu = exp(eta)``, shape `alpha` and rate ``alpha/mu``."""
    ratio = pt.log(value) - eta
    distance = ratio - pt.expm1(pt.minimum(ratio, LARGEST_EXPONENT))
    return 0.5 * pt.log(alpha) - HALF_LOG_TAU - remainder(alpha) + alpha * distance - pt.log(value)


def beta_binomial(successes: Any, trials: Any, eta: Any, kappa: Any, link: Link) -> Any:
    """Successes of trials whose rate is ``Beta(mu·kappa, (1 - mu)·kappa)``, mu being the inverse link of `eta`.

    With ``a = mu·kappa`` and ``b = (1 - mu)·kappa`` it is a(a + 1)… b(b + 1)… / kappa(kappa + 1)…, as many factors as
    there are successes, failures and trials. Each first one is taken by its logarithm, since a and b may round to 0.
    """
    log_success, log_failure = LOG_RATES[link.name](eta)
    success, failure, failures = pt.exp(log_success), pt.exp(log_failure), trials - successes
    both = pt.minimum(pt.minimum(successes, failures), 1.0)
    return (
        _factors(successes, log_success, success, failure, kappa)
        + _factors(failures, log_failure, failure, success, kappa)
        - both * pt.log1p(1.0 / kappa)
        - rise(1.0 + kappa, trials - 1.0)
        + _log_choose(trials, successes)
    )


def _factors(count: Any, log_rate: Any, rate: Any, other: Any, kappa: Any) -> Any:
    """a(a + 1)… for ``a = rate·kappa``, its first factor divided by kappa and the others by ``kappa + 1``."""
    further = pt.maximum(count - 1.0, 0.0)
    ratio = pt.log(rate + other / (1.0 + kappa))
    return pt.switch(count > 0.0, log_rate + further * ratio + rise(1.0 + rate * kappa, further), 0.0)


def _log_choose(trials: Any, successes: Any) -> Any:
    return pt.gammaln(trials + 1.0) - pt.gammaln(successes + 1.0) - pt.gammaln(trials - successes + 1.0)


def log_density(family: Family, value: Any, trials: Any, eta: Any, auxiliary: Sequence[Any]) -> Any:
    """Log density of one response of a family that has no sufficient statistics for sums."""
    match family.name:
        case "negbinomial":
            return negbinomial(value, eta, *auxiliary)
        case "student":
            return student(value, eta, *auxiliary)
        case "gamma":
            return gamma(value, eta, *auxiliary)
    (kappa,) = auxiliary
    return beta_binomial(value, trials, eta, kappa, family.link)
