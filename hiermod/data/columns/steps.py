"""The levels of ``mo(x)``: whole numbers or ordered levels, from each of which a step leads to the next."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from hiermod.data.columns.factors import apply_factor
from hiermod.data.columns.values import EXACT, MAX_LEVELS, Level, Leveled, Values
from hiermod.errors import DataError, enumerate_names
from hiermod.formula.expressions import quote

STEPS = "steps"  # how these levels are coded: a column for each level but the lowest, 1 from there on
SHOWN = 4


def learn_steps(name: str, values: Any) -> dict[str, Any]:
    """The levels from the lowest to the highest, those that are declared and do not occur among them.

    Raises
    ------
    DataError
        If they have no order, are no whole numbers, or too many.
    """
    if isinstance(values, Leveled):
        levels = values.levels
        if values.coding != "poly":
            _refuse_unordered(name, name.removeprefix("mo(").removesuffix(")"), levels)
    elif isinstance(values, Values):
        levels = _ordered_levels(name, values)
    else:
        raise DataError(f"{name}: a column, ordered(...) of one, or ordered(cut(...)) stands in mo().")
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"{name}: {len(levels):,} levels, with a step to each, and {MAX_LEVELS} are the most. The nearest are the "
            f"smooth s(x) and the levels of a few intervals, mo(ordered(cut(x, 5)))."
        )
    return {"levels": list(levels), "labels": list(levels)}


def apply_steps(name: str, values: Any, state: dict[str, Any]) -> Leveled:
    """Code values by the learned levels."""
    return apply_factor(name, values, state, STEPS)


def _ordered_levels(name: str, values: Values) -> tuple[Level, ...]:
    column = quote(values.name)
    if values.declared:
        return values.declared
    if values.texts and values.texts.meaning != "labels" and not values.encoded:
        values.texts.refuse_as_numbers(
            f"The column {values.name!r}", ", and mo() is of whole numbers or ordered levels"
        )
    if values.encoded or values.kind not in ("int", "float"):
        _refuse_unordered(name, column, values.leveled.levels)
    numbers = values.numbers
    odd = np.flatnonzero((numbers != np.round(numbers)) | (np.abs(numbers) > EXACT))
    if len(odd):
        raise DataError(
            f"{name} is of whole numbers or ordered levels, and {values.name!r} holds {numbers[odd[0]]:g}. The nearest "
            f"are the smooth s({column}) and the levels of a few intervals, mo(ordered(cut({column}, 5)))."
        )
    return values.leveled.levels


def _refuse_unordered(name: str, inner: str, levels: tuple[Level, ...]) -> NoReturn:
    """Say how levels get an order."""
    quoted = [repr(str(level)) if not isinstance(level, int | float) else str(level) for level in levels]
    listed = ", ".join([*quoted[:SHOWN], *(["..."] if len(quoted) > SHOWN else [])])
    raise DataError(
        f"{name} needs levels in an order, and those of {inner} have none: {enumerate_names(levels, SHOWN)}. List them "
        f"from the lowest to the highest: mo(ordered({inner}, levels=c({listed})))."
    )


def numbers_between(levels: tuple[Level, ...]) -> list[int]:
    """The whole numbers between the levels that are none of them; a few of very many."""
    numbers = [level for level in levels if isinstance(level, int) and not isinstance(level, bool)]
    if len(numbers) < len(levels):
        return []
    last = min(numbers[-1], numbers[0] + MAX_LEVELS**2)
    return [number for number in range(numbers[0], last) if number not in set(numbers)]
