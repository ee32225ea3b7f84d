"""Outcomes of categories: the chance of one, of those on one side of one, and the mean score."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hiermod.errors import AnswerError, nearest
from hiermod.families.functionals import Functional

if TYPE_CHECKING:
    from hiermod.data.columns.values import Level
    from hiermod.families.record import Family

SIDE = re.compile(r"(>=|<=|==|>|<|=)\s*(.+)", re.DOTALL)
WORDS = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
ALIKE = 0.6  # of the letters of a level, from which on a slip of the pen is likely


def category_outcome(family: Family, outcome: Any) -> Functional:
    """Read an outcome of a family with categories: a level, a side such as ``>=4``, or ``mean``; None is the mean.

    Raises
    ------
    AnswerError
        If it is none of these, with those that there are.
    """
    if (place := _place(family, outcome)) is not None:
        return _chance(family, "=", place)
    if outcome is None or (outcome == "mean" and family.kind == "ordered"):
        return family.expected
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


def _chance(family: Family, sign: str, place: int) -> Functional:
    places, level = np.arange(len(family.categories)), family.categories[place]
    held = {"=": places == place, ">": places > place, ">=": places >= place, "<": places < place,
            "<=": places <= place}[sign]  # fmt: skip
    assert family.weighted is not None
    name = f"{level}" if sign == "=" else f"{sign}{level}"
    words = f"{level}" if sign == "=" else f"{WORDS[sign]} {level}"
    weights = tuple(map(float, held))
    label = f"chance that {{}} is {words.replace('{', '{{').replace('}', '}}')}"
    if family.kind == "ordered":
        return Functional(name, label, link=partial(family.weighted, weights), share=True)
    return Functional(name, label, value=partial(family.weighted, weights), share=True)


def in_words(family: Family) -> str:
    """The outcomes that there are."""
    levels = [repr(level) for level in family.categories]
    listed = ", ".join(levels[:6]) + (f" and {len(levels) - 6} more" if len(levels) > 6 else "")
    middle = family.categories[len(levels) // 2]
    if family.kind != "ordered":
        return f"the chance of a category, {listed}"
    return f"'mean' (the mean score), the chance of a category, {listed}, or of a side, such as '>={middle}'"


def needs_outcome(family: Family, what: str) -> AnswerError:
    """That a question needs one number of a response of categories."""
    return AnswerError(f"{what} of family {family} needs an outcome=: {in_words(family)}.")


def _refuse(family: Family, outcome: Any) -> Functional:
    names: dict[str, Level] = {str(level): level for level in family.categories}
    close = nearest(outcome, names, 1, ALIKE) if isinstance(outcome, str) else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    of_order = outcome in ("mean", "median") or (isinstance(outcome, str) and SIDE.fullmatch(outcome.strip()))
    plain = family.kind != "ordered" and bool(of_order)
    order = " Its categories have no order: there is no mean score, and no side of one." if plain else ""
    raise AnswerError(f"outcome={outcome!r} is none of the family {family}, which has {in_words(family)}.{hint}{order}")
