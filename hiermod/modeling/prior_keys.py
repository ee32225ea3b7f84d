"""The keys of a user's priors: which parameters they speak of, from a single column to a whole kind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hiermod.data.columns.predictors import Factor, Predictor
from hiermod.errors import PriorError, did_you_mean, enumerate_names
from hiermod.formula.nodes import without_slash
from hiermod.formula.parser import canonical
from hiermod.modeling.shrinkage import STANDARD
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import Support, read_prior
from hiermod.priors.sets import SetPrior, read_set

KINDS = ("slope", "sd", "cor")
POWERS = {"sd": 1.0, "var": 2.0, "prec": -2.0}
OF_PARAMETER = re.compile(r"([A-Za-z]\w*):\s+(.+)", re.DOTALL)
SPREAD = re.compile(r"(sd|var|prec)\((.*)\)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A number that has a prior.

    Parameters
    ----------
    variable : str
        The variable of the posterior that it is in.
    keys : tuple of str
        Those that speak of it, the closest first: ``period[3]``, ``period``, ``slope``.
    support : {"real", "positive", "unit", "correlation"}
    default : Prior
    spread : bool
        Whether it is a standard deviation, of which variance and precision can have the prior.
    shifted : bool
        Whether its prior stands where numeric predictors are at their means.
    end : float
        What it is below.
    slope : bool
        Whether it is the coefficient of a column, which priors of sets are of.
    """

    variable: str
    keys: tuple[str, ...]
    support: Support
    default: Prior
    spread: bool = False
    shifted: bool = False
    end: float = math.inf
    slope: bool = False


@dataclass(frozen=True)
class Stated:
    """A prior as a user gave it: its key as typed, and what it says; `of_set` where it is one of a set of slopes."""

    key: str
    prior: Prior
    of_set: SetPrior | None = None


def read_stated(user: Mapping[str, Any]) -> dict[str, Stated]:
    """Read a user's priors, by the names that entries have: ``var(1|g)`` becomes ``sd(1|g)``, its prior of a power.

    Raises
    ------
    PriorError
        On a prior that cannot be read, or two keys that speak of the same parameter.
    """
    stated: dict[str, Stated] = {}
    for key, text in user.items():
        name, power = canonical_key(str(key))
        if name in stated:
            raise PriorError(f"The keys {stated[name].key!r} and {str(key)!r} speak of the same parameter. Keep one.")
        if of_set := read_set(str(key), text):
            stated[name] = Stated(str(key), STANDARD, of_set)
            continue
        prior = read_prior(str(key), text)
        stated[name] = Stated(str(key), prior if power == 1.0 else replace(prior, power=power))
    return stated


def canonical_key(key: str) -> tuple[str, float]:
    """A key as entries have it, and the power of the parameter that it speaks of.

    ``sd(poly(x,2)[1]|g)`` is ``sd(poly(x, 2)[1]|g)``, ``prec(sigma)`` is ``sigma`` to the power of -2. In the linear
    predictor of another parameter than the mean they stand behind its name: ``sigma: sd(1|g)``.
    """
    if of := OF_PARAMETER.fullmatch(key):
        name, power = canonical_key(of.group(2))
        return f"{of.group(1)}: {name}", power
    spread = SPREAD.fullmatch(key)
    if spread is None:
        return _term(key), 1.0
    kind, inside = spread.groups()
    if "|" not in inside:
        return (key, 1.0) if kind == "sd" else (_term(inside), POWERS[kind])
    term, _, group = inside.rpartition("|")
    term = "1" if term.strip() in ("1", "Intercept") else _term(term.strip())
    return without_slash(f"sd({term}|{group.strip()})"), POWERS[kind]


def _term(name: str) -> str:
    """A term as formulas print it, with the label of a column behind it."""
    term, bracket, label = name.partition("[")
    return without_slash(f"{canonical(term)}{bracket}{label}")


def refuse_unclear(
    stated: Mapping[str, Stated], entries: Iterable[Entry], predictors: Mapping[str, Predictor], names: set[str]
) -> None:
    """Refuse a key that speaks of no parameter, or of a kind of them as well as a column of the `names` of terms.

    Raises
    ------
    PriorError
        With the nearest key, or the columns that the term has.
    """
    entries = tuple(entries)
    for key in set(KINDS) & names & set(stated):
        raise PriorError(f"The key {key!r} means a kind of parameters, and here a column too. Rename the column.")
    for entry in entries:
        _refuse_twice([key for key in entry.keys if key in stated], stated)
    known = dict.fromkeys(key for entry in entries for key in entry.keys)
    spreads = {key for entry in entries if entry.spread for key in entry.keys}
    for key, one in stated.items():
        if key in known:
            if one.prior.power != 1.0 and key not in spreads:
                raise PriorError(f"{one.key!r}: {key!r} is no standard deviation, so give a prior of {key!r} itself.")
            continue
        siblings = [other for other in known if "[" in key and other.startswith(key[: key.index("[") + 1])]
        if siblings:
            raise PriorError(
                f"The model has no parameter {one.key!r} to give a prior{_reference(key, predictors)}. "
                f"The term's columns are: {enumerate_names(siblings)}."
            )
        inside = [other for other in known if other.startswith(f"{key}: ")]
        if inside:
            raise PriorError(
                f"{one.key!r} has a linear predictor here, whose coefficients have the priors. Give one of: "
                f"{enumerate_names(inside)}."
            )
        if key == "b" and "slope" in known:
            raise PriorError("The key 'b', brms's class of slopes, is 'slope' here: priors={'slope': ...}.")
        raise PriorError(f"The model has no parameter {one.key!r} to give a prior.{did_you_mean(one.key, known)}")


def _refuse_twice(keys: Sequence[str], stated: Mapping[str, Stated]) -> None:
    """Refuse two spellings of one key, as ``sigma: x`` and ``sigma_x`` are."""
    seen: dict[str, str] = {}
    for key in keys:
        other = seen.setdefault(key.replace(": ", "_", 1), key)
        if other != key:
            one, two = stated[other].key, stated[key].key
            raise PriorError(f"The keys {one!r} and {two!r} speak of the same parameter. Keep one.")


def _reference(key: str, predictors: Mapping[str, Predictor]) -> str:
    """That a level has no column since it is the one that others are compared with."""
    term, _, label = key.removeprefix("sd(").partition("[")
    predictor = predictors.get(term)
    if not isinstance(predictor, Factor) or label.partition("]")[0] != str(predictor.levels[0]):
        return ""
    return f": {predictor.levels[0]} is the level that others are compared with, and the intercept stands for it"
