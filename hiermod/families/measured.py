"""Gaussian responses that are known with an error each, as a formula says: ``y | se(s)``.

With e the error of a row, its standard deviation is e (``known``), sqrt(sigma² + e²) (``added``), or sigma·e
(``weighted``, e being one over the root of the weight).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy import special

from hiermod.errors import ModelError
from hiermod.families.ops import HALF_LOG_TAU, Ops
from hiermod.families.real import GAUSSIAN
from hiermod.families.record import Chances, Family, Linear, row_variance


def _density(kind: str, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    value, error = response
    variance = row_variance(kind, error, *parameters)
    return -0.5 * (value - mu.eta) ** 2 / variance - 0.5 * ops.log(variance) - HALF_LOG_TAU


def _cdf(kind: str, response: Any, mu: Linear, *parameters: Any) -> Chances:
    value, error = response
    chance = special.ndtr((value - mu.eta) / np.sqrt(row_variance(kind, error, *parameters)))
    return chance, chance


def _draw(kind: str, rng: np.random.Generator, shape: Any, mean: Any, error: Any, *parameters: Any) -> np.ndarray:
    return rng.normal(mean, np.sqrt(row_variance(kind, error, *parameters)), shape)


ErrorKind = Literal["known", "added", "weighted"]
WORDS = {
    "known": "The standard deviation of each row about its mean is its known standard error.",
    "added": "The variance of each row about its mean is sigma² and that of its known standard error.",
    "weighted": "The standard deviation of each row about its mean is sigma over the root of its weight.",
}
LATEX = {"known": r"s_i", "added": r"\sqrt{\sigma^2 + s_i^2}", "weighted": r"\sigma / \sqrt{w_i}"}
SIGMA = {"added": "standard deviation beside known errors", "weighted": "standard deviation of weight 1"}


def with_errors(family: Family, kind: ErrorKind, text: str = "se(s)") -> Family:
    """The gaussian family of responses that are known with an error each.

    Raises
    ------
    ModelError
        If the family is another one.
    """
    if family.name != GAUSSIAN.name or family.link.name != GAUSSIAN.link.name:
        raise ModelError(f"y | {text} is of the family gaussian, and this one is {family}. Say family='gaussian'.")
    sigma = family.parameters[0]
    parameters = () if kind == "known" else (replace(sigma, words=SIGMA[kind]),)
    kernel = "gaussian" if kind == "weighted" else f"gaussian_{kind}"
    return replace(
        family, errors=kind, parameters=parameters, statistic="errors" if kind == "added" else "precision",
        log_density=partial(_density, kind), cdf=partial(_cdf, kind), draw=partial(_draw, kind), variance=None,
        kernel=kernel, bambi=None, log_tails=None, information_power=0.0, words=WORDS[kind],
        latex=rf"\operatorname{{Normal}}(\mu_i, {LATEX[kind]})",
    )  # fmt: skip
