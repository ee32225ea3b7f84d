"""The text of a prior, read and never evaluated: a distribution's name and its numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hiermod.errors import PriorError, did_you_mean
from hiermod.priors.distributions import DISTRIBUTIONS, Distribution, Prior

MAX_LENGTH = 200
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SPELLING = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")
READABLE = {record.name.lower(): record for record in DISTRIBUTIONS.values()}
FITTING = {"real": ("real", "positive", "interval"), "positive": ("positive",), "correlation": ("correlation",)}
ARGUMENT = re.compile(rf"\s*(?:([A-Za-z_]\w*)\s*=\s*)?({NUMBER})\s*")


def read_prior(key: str, text: Any) -> Prior:
    """Read a prior such as ``"Normal(0, 1.5)"``, ``"student_t(3, 0, 2.5)"`` or ``"HalfNormal(sigma=1)"``.

    Raises
    ------
    PriorError
        With the nearest distribution, the parameters it takes, and what was found.
    """
    if isinstance(text, Prior):
        return text
    spelled = SPELLING.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_LENGTH else None
    if not spelled:
        raise PriorError(f"The prior of {key!r} is {str(text)[:MAX_LENGTH]!r}; a prior reads like 'Normal(0, 1.5)'.")
    name, inside = spelled.groups()
    distribution = READABLE.get(name.replace("_", "").lower())
    if distribution is None:
        names = [record.name for record in READABLE.values()]
        raise PriorError(f"{key!r}: there is no distribution {name!r}.{did_you_mean(name, names)}")
    numbers = _read_arguments(key, text, inside, distribution)
    return Prior(distribution.name, tuple(numbers[parameter] for parameter in distribution.parameters))


def _read_arguments(key: str, text: str, inside: str, distribution: Distribution) -> dict[str, float]:
    expected = f"{distribution.name}({', '.join(distribution.parameters)})"
    numbers: dict[str, float] = {}
    pieces = inside.split(",") if inside.strip() else []
    for place, piece in enumerate(pieces):
        argument = ARGUMENT.fullmatch(piece)
        if not argument:
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a number. Expected {expected}.")
        if place >= len(distribution.parameters):
            raise PriorError(f"{key!r}: {text!r} has too many numbers. Expected {expected}.")
        parameter = argument.group(1) or distribution.parameters[place]
        if parameter not in distribution.parameters or parameter in numbers:
            raise PriorError(f"{key!r}: {parameter!r} in {text!r} is unknown or given twice. Expected {expected}.")
        numbers[parameter] = float(argument.group(2))
        if not np.isfinite(numbers[parameter]):
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a finite number. Expected {expected}.")
    for parameter in distribution.parameters:
        if parameter not in numbers:
            raise PriorError(f"{key!r}: {text!r} lacks {parameter!r}. Expected {expected}.")
        if parameter in distribution.positive and numbers[parameter] <= 0:
            raise PriorError(f"{key!r}: {parameter} must be above 0 in {text!r}.")
    if distribution.support == "interval":
        lower, upper = distribution.parameters
        if numbers[lower] >= numbers[upper]:
            raise PriorError(f"{key!r}: {lower} must be below {upper} in {text!r}.")
    return numbers


def require_support(key: str, prior: Prior, support: str) -> Prior:
    """Refuse a prior whose support does not fit its parameter."""
    if prior.distribution.support in FITTING[support]:
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
