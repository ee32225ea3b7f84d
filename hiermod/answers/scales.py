"""Scales: on which numbers an answer is given, how arms are compared on it, and how it is worded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

Comparison = Callable[[np.ndarray, np.ndarray], np.ndarray]


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The first less the second."""
    return one - other


def ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The first over the second."""
    return one / other


def lift(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """By which part of the control the treated is larger."""
    return treated / control - 1.0


def odds_ratio(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """The ratio of the odds of two rates."""
    return treated / (1.0 - treated) / (control / (1.0 - control))


def exp(values: np.ndarray) -> np.ndarray:
    """The exponential; infinite, without a warning, where numbers end."""
    with np.errstate(over="ignore"):
        return np.exp(values)


def expm1(values: np.ndarray) -> np.ndarray:
    """The exponential less 1; infinite, without a warning, where numbers end."""
    with np.errstate(over="ignore"):
        return np.expm1(values)


@dataclass(frozen=True)
class Scale:
    """A scale of answers.

    Parameters
    ----------
    name : str
    label : str
        What its numbers are, with places for ``measure``, ``points``, ``link`` and ``variable``.
    ticks : str
        How they are shown: as percentages or percentage points where the measure is a share, as relative changes, on a
        logarithmic axis where factors are far apart, or as plain numbers.
    null : float, optional
        Where nothing differs; None where nothing is compared.
    linear, drawn : bool
        Whether they are of linear predictors, or of new responses, not of expected responses.
    median : bool
        Whether estimates are medians, not means.
    additive : bool
        Whether contrasts are differences, which grow with their weights.
    compare : callable
        The treated and the control, averaged, to a contrast.
    of_logs : callable, optional
        The difference of the logarithms of both, or of both odds, to the same contrast; None where it is no ratio.
    relative : bool
        Whether the control is divided by, so that it has to be above 0.
    interact : callable
        Two contrasts to their interaction.
    size, factor : str, float
        How a sentence puts a contrast, and in which unit, where that is no change of the measure.
    """

    name: str
    label: str
    ticks: Literal["share", "points", "change", "factor", "number"] = "number"
    null: float | None = 0.0
    linear: bool = False
    drawn: bool = False
    median: bool = False
    additive: bool = False
    compare: Comparison = difference
    of_logs: Callable[[np.ndarray], np.ndarray] | None = None
    relative: bool = False
    interact: Comparison = difference
    size: str = ""
    factor: float = 1.0


PREDICTOR = "linear predictor ({link} scale)"
CONTRASTS = {
    scale.name: scale
    for scale in (
        Scale("difference", "difference in {measure}{points}", "points", additive=True),
        Scale("ratio", "ratio of {measure}", "factor", 1.0, median=True, compare=ratio, of_logs=exp, relative=True,
              interact=ratio, size="a ratio of {}"),
        Scale("lift", "lift of {measure}", "change", median=True, compare=lift, of_logs=expm1, relative=True,
              size="a lift of {} %", factor=100.0),
        Scale("odds_ratio", "odds ratio of {measure}", "factor", 1.0, median=True, compare=odds_ratio, of_logs=exp,
              interact=ratio, size="an odds ratio of {}"),
        Scale("link", "difference on the {link} scale", linear=True, additive=True),
    )
}  # fmt: skip


def of_logarithms(scale: Scale, base: float) -> Scale:
    """A ratio or lift of a response that is a logarithm: that of geometric means, by the difference of the averages."""
    assert scale.of_logs is not None
    compare = partial(_raised, scale.of_logs, float(np.log(base)))
    return replace(scale, compare=compare, of_logs=None, relative=False)


def _raised(
    of_logs: Callable[[np.ndarray], np.ndarray], factor: float, treated: np.ndarray, control: np.ndarray
) -> np.ndarray:
    return of_logs(factor * (treated - control))


RATES = Scale("response", "{measure}", "share", None)
SLOPES = {
    "response": Scale("response", "change of {measure} per unit of {variable}"),
    "link": Scale("link", f"change of {PREDICTOR} per unit of {{variable}}", linear=True),
}
PREDICTIONS = {
    "mean": Scale("mean", "{measure}", "share", None),
    "link": Scale("link", PREDICTOR, null=None, linear=True),
    "response": Scale("response", "new response", null=None, drawn=True),
}
PARAMETERS = Scale("parameters", "left side of the statement")
