"""Link functions: response scale to link scale and back, on numpy arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Link:
    """A link: `forward` maps a mean to the linear predictor, `inverse` maps it back; `slope` is the inverse's."""

    name: str
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    slope: Callable[[Any], Any]


def _identity(values: Any) -> Any:
    return values


def _cloglog(rate: Any) -> Any:
    return np.log(-np.log1p(-rate))


def _inverse_cloglog(predictor: Any) -> Any:
    return -np.expm1(-np.exp(predictor))


def _inverse_logit(predictor: Any) -> Any:
    """As `scipy.special.expit`, in NumPy's vectorised arithmetic and without more than one new array."""
    rate = np.negative(predictor)
    with np.errstate(over="ignore"):  # exp is infinite where the rate is 0
        rate = np.exp(rate, out=rate) if isinstance(rate, np.ndarray) and rate.dtype == float else np.exp(rate)
    rate += 1.0
    return np.reciprocal(rate, out=rate) if isinstance(rate, np.ndarray) else 1.0 / rate


def _logit_slope(predictor: Any) -> Any:
    return _inverse_logit(predictor) * _inverse_logit(-predictor)


def _normal_density(predictor: Any) -> Any:
    return np.exp(-(predictor**2) / 2.0) / np.sqrt(2.0 * np.pi)


def _cloglog_slope(predictor: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.exp(predictor - np.exp(predictor))


LINKS = {
    link.name: link
    for link in (
        Link("identity", _identity, _identity, np.ones_like),
        Link("log", np.log, np.exp, np.exp),
        Link("logit", special.logit, _inverse_logit, _logit_slope),
        Link("probit", special.ndtri, special.ndtr, _normal_density),
        Link("cloglog", _cloglog, _inverse_cloglog, _cloglog_slope),
    )
}
