"""Link functions: a mean to the scale of its linear predictor, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from hiermod.families.ops import HALF_LOG_TAU, Ops, bounded_exp

LOG_PI = float(np.log(np.pi))


@dataclass(frozen=True)
class Link:
    """A link.

    Parameters
    ----------
    name, words, latex : str
        What the link makes of a mean, in words and as an equation.
    forward, inverse, slope : callable
        From a mean to the linear predictor, back, and the derivative of that, on NumPy arrays.
    log_rates : callable, optional
        Of a rate, the logarithms of both chances by the linear predictor, ``(log success, log failure)``: they are
        finite where the rate rounds to 0 or 1.
    latent_variance : float, optional
        Of a rate, the variance of the latent number whose sign decides over success: that of the distribution behind
        the link.
    log_inverse : callable, optional
        Of a positive mean, its logarithm by the linear predictor, which is finite where the mean rounds to 0 or
        overflows.
    bounds : tuple of float
        The open interval outside which a linear predictor has no mean.
    log_slope : callable, optional
        Of a rate, the logarithm of its derivative by the linear predictor, ``(ops, eta)``.
    log_between : callable, optional
        Of a rate, the logarithm of what a distribution has between two linear predictors, ``(ops, low, high)``.
    """

    name: str
    words: str
    latex: str
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    log_rates: Callable[[Ops, Any], tuple[Any, Any]] | None = None
    latent_variance: float | None = None
    log_inverse: Callable[[Any], Any] | None = None
    log_slope: Callable[[Ops, Any], Any] | None = None
    log_between: Callable[[Ops, Any, Any], Any] | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)

    @property
    def is_bounded(self) -> bool:
        """Whether some linear predictors have no mean."""
        return bool(np.isfinite(self.bounds).any())

    def inside(self, eta: Any) -> Any:
        """Where linear predictors have a mean, on arrays of NumPy's or PyTensor's."""
        low, high = self.bounds
        return eta > low if np.isinf(high) else eta < high if np.isinf(low) else (eta > low) & (eta < high)

    def held(self, ops: Ops, eta: Any) -> Any:
        """Linear predictors, those without a mean replaced by one that has one, so that functions of it are finite."""
        return ops.where(self.inside(eta), eta, self.forward(0.5)) if self.is_bounded else eta

    def limited(self, ops: Ops, eta: Any, density: Any) -> Any:
        """A log density, minus infinity where the linear predictor has no mean."""
        return ops.where(self.inside(eta), density, -np.inf) if self.is_bounded else density


def _identity(values: Any) -> Any:
    return values


def _inverse_logit(predictor: Any) -> Any:
    """As `scipy.special.expit`, in NumPy's vectorised arithmetic and without more than one new array."""
    rate = np.negative(predictor)
    with np.errstate(over="ignore"):  # exp is infinite where the rate is 0
        rate = np.exp(rate, out=rate) if isinstance(rate, np.ndarray) and rate.dtype == float else np.exp(rate)
    rate += 1.0
    return np.reciprocal(rate, out=rate) if isinstance(rate, np.ndarray) else 1.0 / rate


def _logit_slope(predictor: Any) -> Any:
    return _inverse_logit(predictor) * _inverse_logit(-predictor)


def _logit_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    return -ops.softplus(-eta), -ops.softplus(eta)


def _probit_slope(predictor: Any) -> Any:
    return np.exp(-(predictor**2) / 2.0) / np.sqrt(2.0 * np.pi)


def _probit_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    return ops.log_ndtr(eta), ops.log_ndtr(-eta)


def _cloglog(rate: Any) -> Any:
    return np.log(-np.log1p(-rate))


def _inverse_cloglog(predictor: Any) -> Any:
    return -np.expm1(-np.exp(predictor))


def _cloglog_slope(predictor: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.exp(predictor - np.exp(predictor))


def _cloglog_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    """Below -40 a rate is its hazard; each branch is held where it is exact."""
    hazard = bounded_exp(ops, eta)
    rare = ops.log(-ops.expm1(-ops.exp(ops.clip(eta, -40.0, 0.0)))) + ops.minimum(eta + 40.0, 0.0)
    return ops.where(eta < 0.0, rare, ops.log1p(-ops.exp(-ops.maximum(hazard, 1.0)))), -hazard


def _loglog(rate: Any) -> Any:
    return -np.log(-np.log(rate))


def _inverse_loglog(predictor: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.exp(-np.exp(-predictor))


def _loglog_slope(predictor: Any) -> Any:
    return _cloglog_slope(-predictor)


def _loglog_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    """Those of `cloglog` seen from the other end."""
    failure, success = _cloglog_log_rates(ops, -eta)
    return success, failure


def _cauchit(rate: Any) -> Any:
    """By the nearer end, so that small chances keep their digits."""
    near = np.maximum(np.minimum(rate, 1.0 - rate), 1e-300)
    far = np.sign(rate - 0.5) / np.tan(np.pi * near)
    return np.where(near < 0.25, far, np.tan(np.pi * (rate - 0.5)))


def _inverse_cauchit(predictor: Any) -> Any:
    return np.arctan2(1.0, -predictor) / np.pi


def _cauchit_slope(predictor: Any) -> Any:
    return 1.0 / (np.pi * (1.0 + np.square(predictor)))


def _cauchit_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    """Angles from the far ends, which are small where a rate is."""
    return tuple(ops.log(ops.arctan2(0.0 * eta + 1.0, sign * eta)) - LOG_PI for sign in (-1.0, 1.0))


def _half_tangent(angle: Any) -> Any:
    return np.tan(np.asarray(angle) / 2.0)


def _twice_arctan(predictor: Any) -> Any:
    return 2.0 * np.arctan(predictor)


def _twice_arctan_slope(predictor: Any) -> Any:
    return 2.0 / (1.0 + np.square(predictor))


def _reciprocal(values: Any) -> Any:
    return 1.0 / values


def _reciprocal_slope(predictor: Any) -> Any:
    return -1.0 / predictor**2


def _inverse_square(values: Any) -> Any:
    return 1.0 / np.square(values)


def _inverse_root(predictor: Any) -> Any:
    return np.abs(predictor) ** -0.5


def _inverse_root_slope(predictor: Any) -> Any:
    return -0.5 * np.abs(predictor) ** -1.5


def _minus_half_log(predictor: Any) -> Any:
    return -0.5 * np.log(predictor)


def _minus_log(predictor: Any) -> Any:
    return -np.log(predictor)


def _log_log_rates(ops: Ops, eta: Any) -> tuple[Any, Any]:
    """The chance of failure is ``1 - exp(eta)``; each branch is held where it is exact."""
    near = ops.log(-ops.expm1(ops.clip(eta, -0.7, -1e-300)))
    return eta, ops.where(eta > -0.7, near, ops.log1p(-ops.exp(ops.minimum(eta, -0.7))))


def _logit_log_slope(ops: Ops, eta: Any) -> Any:
    return -ops.softplus(eta) - ops.softplus(-eta)


def _probit_log_slope(ops: Ops, eta: Any) -> Any:
    return -(eta**2) / 2.0 - HALF_LOG_TAU


def _cloglog_log_slope(ops: Ops, eta: Any) -> Any:
    return eta - bounded_exp(ops, eta)


def _logit_between(ops: Ops, low: Any, high: Any) -> Any:
    """``F(high) - F(low) = F(high) (1 - F(low)) (1 - exp(low - high))``."""
    return -ops.softplus(-high) - ops.softplus(low) + ops.log(-ops.expm1(low - high))


def _probit_between(ops: Ops, low: Any, high: Any) -> Any:
    """By the tail in which both are smaller, so that no digits are lost far out."""
    right = low + high > 0.0
    below, above = ops.where(right, -high, low), ops.where(right, -low, high)
    log_above = ops.log_ndtr(above)
    return log_above + ops.log(-ops.expm1(ops.minimum(ops.log_ndtr(below) - log_above, -1e-300)))


def _loglog_log_slope(ops: Ops, eta: Any) -> Any:
    return _cloglog_log_slope(ops, -eta)


def _loglog_between(ops: Ops, low: Any, high: Any) -> Any:
    return _cloglog_between(ops, -high, -low)


def _cauchit_log_slope(ops: Ops, eta: Any) -> Any:
    return -ops.log1p(eta**2) - LOG_PI


def _cauchit_between(ops: Ops, low: Any, high: Any) -> Any:
    """The angle between two slopes."""
    return ops.log(ops.arctan2(high - low, 1.0 + high * low)) - LOG_PI


def _cloglog_between(ops: Ops, low: Any, high: Any) -> Any:
    """``exp(-h) (1 - exp(-d))`` for the hazard h at `low` and its growth d, next to 0 its logarithm."""
    growth = high + ops.log(-ops.expm1(low - high))
    share = ops.log(-ops.expm1(-ops.exp(ops.clip(growth, -40.0, 40.0)))) + ops.minimum(growth + 40.0, 0.0)
    return share - bounded_exp(ops, low)


IDENTITY = Link("identity", "mean", r"\mu_i", _identity, _identity, np.ones_like)
LOG = Link("log", "log of the mean", r"\log \mu_i", np.log, np.exp, np.exp, log_inverse=_identity)
LOGIT = Link(
    "logit",
    "log odds",
    r"\operatorname{logit} \mu_i",
    special.logit,
    _inverse_logit,
    _logit_slope,
    _logit_log_rates,
    np.pi**2 / 3.0,
    log_slope=_logit_log_slope,
    log_between=_logit_between,
)
PROBIT = Link(
    "probit",
    "probit",
    r"\operatorname{probit} \mu_i",
    special.ndtri,
    special.ndtr,
    _probit_slope,
    _probit_log_rates,
    1.0,
    log_slope=_probit_log_slope,
    log_between=_probit_between,
)
CLOGLOG = Link(
    "cloglog", "log of the hazard", r"\operatorname{cloglog} \mu_i", _cloglog, _inverse_cloglog, _cloglog_slope,
    _cloglog_log_rates, np.pi**2 / 6.0, log_slope=_cloglog_log_slope,
    log_between=_cloglog_between,
)  # fmt: skip
LOGLOG = Link(
    "loglog", "minus the log of minus the log of the rate", r"\operatorname{loglog} \mu_i", _loglog, _inverse_loglog,
    _loglog_slope, _loglog_log_rates, np.pi**2 / 6.0, log_slope=_loglog_log_slope, log_between=_loglog_between,
)  # fmt: skip
CAUCHIT = Link(
    "cauchit", "Cauchy quantile", r"\operatorname{cauchit} \mu_i", _cauchit, _inverse_cauchit, _cauchit_slope,
    _cauchit_log_rates, log_slope=_cauchit_log_slope, log_between=_cauchit_between,
)  # fmt: skip
TAN_HALF = Link(
    "tan_half", "tangent of half the angle", r"\tan(\mu_i / 2)", _half_tangent, _twice_arctan, _twice_arctan_slope,
)  # fmt: skip
INVERSE = Link(
    "inverse", "inverse of the mean", r"1 / \mu_i", _reciprocal, _reciprocal, _reciprocal_slope,
    log_inverse=_minus_log, bounds=(0.0, np.inf),
)  # fmt: skip
INVERSE_SQUARE = Link(
    "1/mu^2", "inverse square of the mean", r"1 / \mu_i^2", _inverse_square, _inverse_root, _inverse_root_slope,
    log_inverse=_minus_half_log, bounds=(0.0, np.inf),
)  # fmt: skip
LOG_OF_RATE = Link(
    "log", "log of the rate", r"\log \mu_i", np.log, np.exp, np.exp, _log_log_rates, bounds=(-np.inf, 0.0)
)
MEAN_OF_COUNTS = replace(IDENTITY, bounds=(0.0, np.inf))
LINKS = {
    link.name: link
    for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG, INVERSE, INVERSE_SQUARE, LOGLOG, CAUCHIT, TAN_HALF)
}  # fmt: skip


def link_of(name: str, kind: str) -> Link:
    """A link by its name, of families of a kind: the logarithm of a rate is below 0, the mean of counts above it."""
    if name == "identity" and kind == "count":
        return MEAN_OF_COUNTS
    return LOG_OF_RATE if name == "log" and kind == "rate" else LINKS[name]
