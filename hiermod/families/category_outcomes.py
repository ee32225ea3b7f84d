"""Outcomes of categories: the chance of one, of those on one side of one, the mean score, and that of given scores."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hiermod.errors import AnswerError, enumerate_names, nearest
from hiermod.families.functionals import Functional

if TYPE_CHECKING:
    from hiermod.families.record import Family

SIDE = re.compile(r"(>=|<=|==|>|<|=)\s*(.+)", re.DOTALL)
WORDS = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
ALIKE = 0.55  # of the letters of a level, from which on a slip of the pen is likely
SCORE, SHOWN = "score", 6


def category_outcome(family: Family, outcome: Any) -> Functional:
    """Read an outcome of a family with categories: a level, a side such as ``>=4``, ``mean``, or a mapping of scores.

    None is the mean.

    Raises
    ------
    AnswerError
        If it is none of these, with those that there are.
    """
    if isinstance(outcome, Mapping):
        return _scored(family, outcome)
    if (place := _place(family, outcome)) is not None:
        return _chance(family, "=", place)
    if outcome is None or (outcome == "mean" and family.kind == "ordered"):
        return replace(family.expected, weights=family.scores)
    found = SIDE.fullmatch(outcome.strip()) if isinstance(outcome, str) else None
    if found is None:
        return _refuse(family, outcome)
    sign, level = found.groups()
    place = _place(family, level)
    if place is None or (family.kind != "ordered" and sign not in ("=", "==")):
        return _refuse(family, outcome)
    return _chance(family, sign.replace("==", "="), place)


def _place(family: Family, outcome: Any) -> int | None:
    """Where a level stands among the categories; numbers may be written as text."""
    for place, level in enumerate(family.categories):
        if type(level) is bool or type(outcome) is bool:
            same = level is outcome or str(level) == outcome
        else:
            same = level == outcome or (isinstance(outcome, str) and str(level) == outcome.strip())
        if same:
            return place
    return None


def _scored(family: Family, outcome: Mapping[Any, Any]) -> Functional:
    """The mean of scores that are given for each category."""
    scores: dict[int, float] = {}
    for level, score in outcome.items():
        place = _place(family, level)
        if place is None:
            raise AnswerError(
                f"outcome= has a score for {level!r}, and the categories are {_listed(family)}.{_near(family, level)}"
            )
        if place in scores:
            raise AnswerError(f"outcome= has two scores for the category {family.categories[place]!r}: give one.")
        if isinstance(score, bool | np.bool_) or not isinstance(score, Real) or not math.isfinite(score):
            raise AnswerError(f"outcome= has the score {score!r} for {level!r}: a finite number is needed.")
        scores[place] = float(score)
    if without := [repr(level) for place, level in enumerate(family.categories) if place not in scores]:
        raise AnswerError(f"outcome= needs a score for each category, and has none for {', '.join(without[:6])}.")
    weights = tuple(scores[place] for place in range(len(family.categories)))
    if len(set(weights)) == 1:
        raise AnswerError(f"outcome= gives every category the score {weights[0]:g}, so that nothing is left to ask.")
    assert family.weighted is not None
    shown = [f"{level} {weight:g}" for level, weight in zip(family.categories, weights, strict=True)]
    more = ", ..." if len(shown) > SHOWN else ""
    counted = f"{', '.join(shown[:SHOWN])}{more}".replace("{", "{{").replace("}", "}}")
    own = partial(family.weighted, weights)
    named = Functional(SCORE, f"mean score of {{}} ({counted})", weights=weights, bounded=True)
    return replace(named, link=own) if family.kind == "ordered" else replace(named, value=own)


def _listed(family: Family) -> str:
    levels = [repr(level) for level in family.categories]
    return ", ".join(levels[:SHOWN]) + (f" and {len(levels) - SHOWN} more" if len(levels) > SHOWN else "")


def _near(family: Family, outcome: Any, sign: str = "") -> str:
    close = nearest(outcome.strip().lstrip("<>= "), family.categories, 1, ALIKE) if isinstance(outcome, str) else []
    return f" Did you mean {sign + close[0]!r}?" if close else ""


def _chance(family: Family, sign: str, place: int) -> Functional:
    places, level = np.arange(len(family.categories)), family.categories[place]
    if (sign, place) in ((">", len(places) - 1), ("<", 0), (">=", 0), ("<=", len(places) - 1)):
        which = "every category" if "=" in sign else "none of the categories"
        raise AnswerError(f"outcome='{sign}{level}' holds of {which}: {', '.join(map(str, family.categories[:6]))}.")
    held = {"=": places == place, ">": places > place, ">=": places >= place, "<": places < place,
            "<=": places <= place}[sign]  # fmt: skip
    assert family.weighted is not None
    name = f"{level}" if sign == "=" else f"{sign}{level}"
    words = f"{level}" if sign == "=" else f"{WORDS[sign]} {level}"
    weights = tuple(map(float, held))
    label = f"chance that {{}} is {words.replace('{', '{{').replace('}', '}}')}"
    if family.kind == "ordered":
        return Functional(name, label, link=partial(family.weighted, weights), share=True, weights=weights)
    return Functional(name, label, value=partial(family.weighted, weights), share=True, weights=weights)


def in_words(family: Family) -> str:
    """The outcomes that there are."""
    listed, middle = _listed(family), family.categories[len(family.categories) // 2]
    if family.kind != "ordered":
        return f"the chance of a category, {listed}, and a mean of scores by a dict of all of these"
    return (
        f"'mean' (the mean score; that of other scores by a dict of all categories), the chance of a category, "
        f"{listed}, or of a side, such as '>={middle}'"
    )


def needs_outcome(family: Family, what: str) -> AnswerError:
    """That a question needs one number of a response of categories."""
    return AnswerError(f"{what} of family {family} needs an outcome=: {in_words(family)}.")


def needs_parameter(family: Family, what: str) -> AnswerError:
    """That a question needs one of the linear predictors of categories without an order."""
    return AnswerError(
        f"{what} of family {family} needs a parameter=: each category but {family.categories[0]!r} has a linear "
        f"predictor, {enumerate_names(family.auxiliary, 6)}."
    )


def _refuse(family: Family, outcome: Any) -> Functional:
    side = SIDE.fullmatch(outcome.strip()) if isinstance(outcome, str) else None
    hint = _near(family, outcome, side.group(1) if side and family.kind == "ordered" else "")
    of_order = outcome in ("mean", "median") or side is not None
    plain = family.kind != "ordered" and bool(of_order)
    order = " Its categories have no order: there is no side of one, nor a mean without scores." if plain else ""
    raise AnswerError(f"outcome={outcome!r} is none of the family {family}, which has {in_words(family)}.{hint}{order}")
