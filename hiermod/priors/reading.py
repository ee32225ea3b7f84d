"""Priors as data: a distribution's name and its numbers, read from text and never evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.errors import PriorError, did_you_mean

MAX_LENGTH = 200
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SPELLING = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")
ARGUMENT = re.compile(rf"\s*(?:([A-Za-z_]\w*)\s*=\s*)?({NUMBER})\s*")


@dataclass(frozen=True)
class Distribution:
    """A distribution that may serve as a prior: its PyMC name, its parameters in order, and its support.

    Parameters named in `positive` must be above zero. `support` is ``real``, ``positive`` or ``correlation``;
    `located` tells whether its second-last parameter moves it along the line.
    """

    name: str
    parameters: tuple[str, ...]
    positive: tuple[str, ...]
    support: str = "real"
    located: bool = False


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in (
        Distribution("Normal", ("mu", "sigma"), ("sigma",), located=True),
        Distribution("StudentT", ("nu", "mu", "sigma"), ("nu", "sigma"), located=True),
        Distribution("Cauchy", ("alpha", "beta"), ("beta",), located=True),
        Distribution("Laplace", ("mu", "b"), ("b",), located=True),
        Distribution("Logistic", ("mu", "s"), ("s",), located=True),
        Distribution("Uniform", ("lower", "upper"), ()),
        Distribution("HalfNormal", ("sigma",), ("sigma",), "positive"),
        Distribution("HalfStudentT", ("nu", "sigma"), ("nu", "sigma"), "positive"),
        Distribution("HalfCauchy", ("beta",), ("beta",), "positive"),
        Distribution("Exponential", ("lam",), ("lam",), "positive"),
        Distribution("Gamma", ("alpha", "beta"), ("alpha", "beta"), "positive"),
        Distribution("InverseGamma", ("alpha", "beta"), ("alpha", "beta"), "positive"),
        Distribution("LogNormal", ("mu", "sigma"), ("sigma",), "positive"),
        Distribution("LKJ", ("eta",), ("eta",), "correlation"),
    )
}
BY_FOLDED_NAME = {name.lower(): name for name in DISTRIBUTIONS}
Argument = float | np.ndarray


@dataclass(frozen=True, eq=False)
class Prior:
    """A distribution with its numbers; an argument is an array where the columns of a term differ."""

    name: str
    arguments: tuple[Argument, ...]

    @property
    def distribution(self) -> Distribution:
        """What is known of the distribution."""
        return DISTRIBUTIONS[self.name]

    def named(self) -> dict[str, Argument]:
        """The arguments by parameter name, as PyMC and Bambi take them."""
        return dict(zip(self.distribution.parameters, self.arguments, strict=True))

    def at(self, index: int) -> Prior:
        """The prior of one column of a term."""
        numbers = (float(np.atleast_1d(argument)[index if np.ndim(argument) else 0]) for argument in self.arguments)
        return Prior(self.name, tuple(numbers))

    def describe(self, format_number: Callable[[float], str] = "{:.4g}".format) -> str:
        """The prior in numbers: ``StudentT(3, 0, 2.5)``."""
        return f"{self.name}({', '.join(format_number(float(argument)) for argument in self.arguments)})"

    def __str__(self) -> str:
        return self.describe(lambda number: repr(number).removesuffix(".0"))


def read_prior(key: str, text: Any) -> Prior:
    """Read a prior such as ``"Normal(0, 1.5)"``, ``"student_t(3, 0, 2.5)"`` or ``"HalfNormal(sigma=1)"``.

    Raises
    ------
    PriorError
        With the nearest distribution, the parameters it takes, and what was found.
    """
    if isinstance(text, Prior):
        return text
    found = SPELLING.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_LENGTH else None
    if not found:
        raise PriorError(f"The prior of {key!r} is {str(text)[:MAX_LENGTH]!r}; a prior reads like 'Normal(0, 1.5)'.")
    name = BY_FOLDED_NAME.get(found.group(1).replace("_", "").lower())
    if name is None:
        raise PriorError(
            f"{key!r}: there is no distribution {found.group(1)!r}.{did_you_mean(found.group(1), DISTRIBUTIONS)}"
        )
    distribution = DISTRIBUTIONS[name]
    numbers = _read_arguments(key, text, found.group(2), distribution)
    return Prior(name, tuple(numbers[parameter] for parameter in distribution.parameters))


def _read_arguments(key: str, text: str, inside: str, distribution: Distribution) -> dict[str, float]:
    expected = f"{distribution.name}({', '.join(distribution.parameters)})"
    numbers: dict[str, float] = {}
    pieces = inside.split(",") if inside.strip() else []
    for place, piece in enumerate(pieces):
        found = ARGUMENT.fullmatch(piece)
        if not found:
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a number. Expected {expected}.")
        if place >= len(distribution.parameters):
            raise PriorError(f"{key!r}: {text!r} has too many numbers. Expected {expected}.")
        parameter = found.group(1) or distribution.parameters[place]
        if parameter not in distribution.parameters or parameter in numbers:
            raise PriorError(f"{key!r}: {parameter!r} in {text!r} is unknown or given twice. Expected {expected}.")
        numbers[parameter] = float(found.group(2))
        if not np.isfinite(numbers[parameter]):
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a finite number. Expected {expected}.")
    for parameter in distribution.parameters:
        if parameter not in numbers:
            raise PriorError(f"{key!r}: {text!r} lacks {parameter!r}. Expected {expected}.")
        if parameter in distribution.positive and numbers[parameter] <= 0:
            raise PriorError(f"{key!r}: {parameter} must be above 0 in {text!r}.")
    if distribution.name == "Uniform" and numbers["lower"] >= numbers["upper"]:
        raise PriorError(f"{key!r}: lower must be below upper in {text!r}.")
    return numbers


def require_support(key: str, prior: Prior, support: str) -> Prior:
    """Refuse a prior whose support does not fit its parameter."""
    if prior.distribution.support == support or (support == "real" and prior.distribution.support == "positive"):
        return prior
    if support == "positive":
        half = "HalfStudentT(3, 1)" if prior.name == "StudentT" else f"Half{prior.name}(1)"
        example = half if half.split("(")[0] in DISTRIBUTIONS else "HalfNormal(1)"
        raise PriorError(
            f"{key!r} is a standard deviation, so its prior is on positive numbers: {example}, not {prior}."
        )
    if support == "correlation":
        raise PriorError(f"{key!r} is a prior of correlations: LKJ(eta), not {prior}.")
    raise PriorError(f"{key!r} is a prior of a coefficient; {prior} does not fit it. Write Normal(0, 1), for example.")
