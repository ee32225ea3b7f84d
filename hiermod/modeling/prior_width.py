"""Priors of another width: the numbers a prior is about, multiplied about its location."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from hiermod.modeling.spec import Spec
from hiermod.priors.reading import Argument, Prior

KINDS = ("coefficients", "standard deviations")
Arguments = tuple[Argument, ...]


def _uniform(factor: float, lower: Argument, upper: Argument) -> Arguments:
    middle, half = (np.add(lower, upper)) / 2.0, factor * np.subtract(upper, lower) / 2.0
    return middle - half, middle + half


def _last_times(factor: float, *arguments: Argument) -> Arguments:
    return *arguments[:-1], arguments[-1] * factor


def _last_over(factor: float, *arguments: Argument) -> Arguments:
    return *arguments[:-1], arguments[-1] / factor


WIDENED: dict[str, Callable[..., Arguments]] = {
    "Uniform": _uniform,
    "Exponential": _last_over,
    "Gamma": _last_over,
    "LogNormal": lambda factor, mu, sigma: (mu + np.log(factor), sigma),
}


def widened(prior: Prior, factor: float) -> Prior:
    """The prior `factor` times as wide about its location; one of positive numbers, of the number times `factor`."""
    return Prior(prior.name, WIDENED.get(prior.name, _last_times)(factor, *prior.arguments))


def with_width(spec: Spec, kind: str, factor: float) -> Spec:
    """The model with the priors of one of `KINDS` of another width."""
    table = spec.priors
    if kind == "coefficients":
        return replace(spec, priors=replace(table, coefficients=_all(table.coefficients, factor)))
    return replace(spec, priors=replace(table, sds=_all(table.sds, factor)))


def _all(priors: Mapping[str, Prior], factor: float) -> dict[str, Prior]:
    return {name: widened(prior, factor) for name, prior in priors.items()}
