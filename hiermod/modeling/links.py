"""Link functions: response scale to link scale and back, on numpy arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Link:
    """A link: `forward` maps a mean to the linear predictor, `inverse` maps it back."""

    name: str
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]


def _identity(values: Any) -> Any:
    return values


def _cloglog(rate: Any) -> Any:
    return np.log(-np.log1p(-rate))


def _inverse_cloglog(predictor: Any) -> Any:
    return -np.expm1(-np.exp(predictor))


LINKS = {
    link.name: link
    for link in (
        Link("identity", _identity, _identity),
        Link("log", np.log, np.exp),
        Link("logit", special.logit, special.expit),
        Link("probit", special.ndtri, special.ndtr),
        Link("cloglog", _cloglog, _inverse_cloglog),
    )
}
