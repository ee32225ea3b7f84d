"""The text of a prior, read and never evaluated: a distribution's name and its numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any, Literal, NoReturn

import numpy as np

from hiermod.errors import PriorError, did_you_mean
from hiermod.priors.distributions import DISTRIBUTIONS, Distribution, Prior

Support = Literal["real", "positive", "unit", "correlation", "chances"]
MAX_LENGTH = 400
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SPELLING = re.compile(r"\s*+([A-Za-z_]\w*+)\s*+\(([^()]*+)\)\s*+(?:#([^\n]*+)\s*+)?")
READABLE = {record.name.lower(): record for record in DISTRIBUTIONS.values()}
FLAT = ("flat", "halfflat", "improper")  # no distributions
OF_SETS = ("horseshoe", "r2d2")  # which `hiermod.priors.sets` reads
BOUNDS = {"lower": -math.inf, "upper": math.inf}
SMALLEST, LARGEST = 1e-100, 1e100  # numbers whose squares, and products of a few, a computer can hold
SEEN = 1e-6  # of a distribution, from which it may be cut down to
ARGUMENT = re.compile(rf"\s*(?:([A-Za-z_]\w*)\s*=\s*)?({NUMBER})\s*")


def read_prior(key: str, text: Any) -> Prior:
    """Read a prior such as ``"Normal(0, 1.5)"``, ``"student_t(3, 0, 2.5)"`` or ``"Normal(1, 0.5, lower=0)"``.

    A remark behind a ``#`` says where it comes from.

    Raises
    ------
    PriorError
        With the nearest distribution, the parameters it takes, and what was found.
    """
    if isinstance(text, Prior):
        return text
    spelled = SPELLING.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_LENGTH else None
    if not spelled:
        if is_flat(text):
            refuse_flat(key, text, key, "StudentT(3, 0, 10)")
        raise PriorError(f"The prior of {key!r} is {str(text)[:MAX_LENGTH]!r}; a prior reads like 'Normal(0, 1.5)'.")
    name, inside, origin = spelled.groups()
    if is_flat(name):
        refuse_flat(key, text, key, "StudentT(3, 0, 10)")
    distribution = READABLE.get(_plain(name))
    if name.lower() in OF_SETS:
        raise PriorError(
            f"{key!r}: {name} is a prior of a set of slopes. Give it to 'slope', or to a term by its name."
        )
    if distribution is None:
        names = [record.name for record in READABLE.values()]
        raise PriorError(f"{key!r}: there is no distribution {name!r}.{did_you_mean(name, names)}")
    numbers = _read_arguments(key, text, inside, distribution)
    bounds = {name: numbers.pop(name, end) for name, end in BOUNDS.items()} if _may_be_cut(distribution) else {}
    arguments = tuple(numbers[parameter] for parameter in distribution.parameters)
    prior = Prior(distribution.name, arguments, **bounds, origin=(origin or "").strip())
    with np.errstate(all="ignore"):
        prior = _with_mass(key, prior)
    refuse_extreme(key, prior)
    return prior


def refuse_extreme(key: str, prior: Prior) -> None:
    """Refuse a prior whose numbers, or whose location, are so large or so small that no density can be computed.

    Raises
    ------
    PriorError
        With the number, and between which ones it has to be.
    """
    numbers = [*prior.arguments, *(end for end in (prior.lower, prior.upper) if math.isfinite(end))]
    wrong = [number for number in numbers if number and not SMALLEST <= abs(number) <= LARGEST]
    if wrong:
        _refuse_numbers(key, f"{wrong[0]:g} in '{prior}' is a number")
    with np.errstate(all="ignore"):
        typical = prior.typical
    above = prior.support[0] >= 0.0 and not typical
    if above or (typical and not SMALLEST <= abs(typical) <= LARGEST):
        _refuse_numbers(key, f"'{prior}' is of a number near {typical:g},")


def _refuse_numbers(key: str, what: str) -> NoReturn:
    raise PriorError(
        f"{key!r}: {what} with which a computer cannot calculate. Write a prior whose numbers are between "
        f"{SMALLEST:g} and {LARGEST:g}; if data are so large or small, measure them in other units."
    )


def is_flat(text: Any) -> bool:
    """Whether this is how a flat prior is written, with or without brackets."""
    return isinstance(text, str) and len(text) <= MAX_LENGTH and _plain(text.split("(")[0].strip()) in FLAT


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def refuse_flat(key: str, text: str, name: str, wide: str) -> NoReturn:
    """Say what to write instead of a flat prior, and why."""
    raise PriorError(
        f"{key!r}: {text!r} is no distribution. Nothing can be drawn from it, there may be no posterior where the data "
        f"say little of the parameter, and it takes values that nobody would believe for likely ones. Write a wide "
        f"prior instead, such as {wide!r} for {name!r}, or leave {key!r} out for the default."
    )


def _may_be_cut(distribution: Distribution) -> bool:
    return distribution.support in ("real", "positive")


def _with_mass(key: str, prior: Prior) -> Prior:
    """Refuse bounds between which there is next to nothing of the distribution."""
    if prior.lower >= prior.upper:
        raise PriorError(f"{key!r}: lower must be below upper in '{prior}'.")
    if prior.truncated and float(np.diff(prior.chances(prior.lower, prior.upper))[0]) < SEEN:
        whole = replace(prior, lower=-math.inf, upper=math.inf)
        raise PriorError(
            f"{key!r}: {whole} has next to nothing between the bounds of '{prior}'. Move its bounds or its location."
        )
    return prior


def _read_arguments(key: str, text: str, inside: str, distribution: Distribution) -> dict[str, float]:
    names = [*distribution.parameters, *(BOUNDS if _may_be_cut(distribution) else ())]
    expected = f"{distribution.name}({', '.join(distribution.parameters)})"
    numbers: dict[str, float] = {}
    pieces = inside.split(",") if inside.strip() else []
    for place, piece in enumerate(pieces):
        argument = ARGUMENT.fullmatch(piece)
        if not argument:
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a number. Expected {expected}.")
        if place >= len(distribution.parameters) and not argument.group(1):
            raise PriorError(f"{key!r}: {text!r} has too many numbers. Expected {expected}.")
        parameter = argument.group(1) or distribution.parameters[place]
        if parameter not in names or parameter in numbers:
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


def fitted(key: str, prior: Prior, support: Support) -> tuple[Prior, str]:
    """The prior on the support of its parameter, and a notice where that cuts it; empty where it does not.

    Raises
    ------
    PriorError
        If it has nothing there.
    """
    of_correlations = prior.distribution.support == "correlation"
    if support == "correlation":
        if of_correlations:
            return prior, ""
        raise PriorError(f"{key!r} is a prior of correlations: LKJ(eta), not {prior}.")
    if (prior.distribution.support == "chances") != (support == "chances"):
        raise PriorError(
            f"{key!r}: Dirichlet(a) is a prior of shares that add up to 1: of the chances of ordered categories, "
            f"'Intercept' of such families, and of the steps of a monotonic effect, 'simo(mo(x))'. {prior} is given. "
            f"One number has a prior such as Normal(0, 1)."
        )
    if support == "chances":
        return prior, ""
    if of_correlations:
        example = "Normal(0, 1)" if support == "real" else "HalfNormal(1)"
        raise PriorError(f"{key!r} is one number, and {prior} is a prior of correlations. Write {example} instead.")
    if support == "unit":
        return _between_zero_and_one(key, prior)
    if support == "real" or prior.ends[0] >= 0.0:
        return prior, ""
    return _above_zero(key, prior)


def cut_above(key: str, prior: Prior, end: float) -> tuple[Prior, str]:
    """What a prior says of a parameter that is below `end`, and the notice.

    Raises
    ------
    PriorError
        If it has next to nothing there, or cannot be cut.
    """
    record, low = prior.distribution, prior.ends[0]
    below = float(np.diff(prior.chances(low, max(low, end)))[0])
    if below < SEEN or record.support == "unit":
        raise PriorError(
            f"{key!r} is below the smallest response, {end:g}, and {prior} has next to nothing there or cannot be cut. "
            f"Write Uniform({low:g}, {end:g})."
        )
    cut = replace(prior, arguments=(low, end)) if record.support == "interval" else replace(prior, upper=end)
    return cut, f"{key!r} is below the smallest response, so that {prior} is cut off there: {cut}"


def _between_zero_and_one(key: str, prior: Prior) -> tuple[Prior, str]:
    """What a prior says of a parameter between 0 and 1: what is between them."""
    low, high = prior.ends
    if low >= 0.0 and high <= 1.0:
        return prior, ""
    inside = float(np.diff(prior.chances(max(low, 0.0), min(high, 1.0)))[0]) if low < 1.0 and high > 0.0 else 0.0
    if inside < SEEN:
        raise PriorError(f"{key!r} is between 0 and 1, and {prior} has next to nothing there. Write Beta(1, 1).")
    low, high = max(low, 0.0), min(high, 1.0)
    interval = prior.distribution.support == "interval"
    cut = replace(prior, arguments=(low, high)) if interval else replace(prior, lower=low, upper=high)
    return cut, f"{key!r} is between 0 and 1, so that {prior} is cut off there: {cut}"


def _above_zero(key: str, prior: Prior) -> tuple[Prior, str]:
    """What a prior says of a positive parameter: its half, if it is symmetric about 0, else what is above 0."""
    low, high = prior.ends
    above = float(np.diff(prior.chances(max(low, 0.0), max(high, 0.0)))[0])
    if high <= 0.0 or above < SEEN:
        raise PriorError(
            f"{key!r} is above 0, and {prior} has {'nothing' if high <= 0.0 else 'next to nothing'} there. "
            "Write HalfNormal(1), or a Normal whose location is above 0."
        )
    record, located = prior.distribution, prior.distribution.located
    if located and record.half and prior.arguments[-2] == 0.0 and not prior.truncated:
        half = replace(prior, **dict(zip(("name", "arguments"), record.half(*prior.arguments), strict=True)))
        return half, f"{key!r} is above 0, so that {prior} is read as its half: {half}"
    cut = replace(prior, arguments=(0.0, high)) if record.support == "interval" else replace(prior, lower=0.0)
    return cut, f"{key!r} is above 0, so that {prior} is cut off there: {cut}"
