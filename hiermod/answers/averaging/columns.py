"""Columns of a model as questions name them: their names, levels and values, and whether rows can be set to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.answers.averaging.rows import is_numeric
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.predictors import Factor
from hiermod.data.columns.values import Level, as_levels, code_levels
from hiermod.data.sources.frames import column_names
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.formula.parser import canonical
from hiermod.modeling.protocol import ModelSpec

MAX_ARMS = 50


def find_level(levels: tuple[Level, ...], value: Any, complaint: str) -> Level:
    """The level that is meant, by its value or as it is written."""
    for level in levels:
        if level == value:
            return level
    for level in levels:
        if str(level) == str(value):
            return level
    raise AnswerError(f"{complaint}{did_you_mean(str(value), levels)}")


def check_columns(
    spec: ModelSpec, by: Any, role: str = "by", data: Any = None, free: bool = False
) -> tuple[str, ...]:  # fmt: skip
    """Read ``by=`` into column names: those of the model, or of `data`.

    Numbers over which cells average are refused unless their values are given, or play no part (`free`).
    """
    names = () if by is None else tuple(by) if isinstance(by, list | tuple | Mapping) else (by,)
    given = {name for name, values in by.items() if values is not None} if isinstance(by, Mapping) else set()
    for name in names:
        if not isinstance(name, str):
            raise AnswerError(f"{role}={by!r}: a column's name, or a list of names, is needed.")
        _check_name(spec, name, role, data, free or name in given)
    if len({canonical(name) for name in names}) < len(names):
        raise AnswerError(f"{role}: a column is named twice in {list(names)}.")
    return tuple(canonical(name) for name in names)


def _check_name(spec: ModelSpec, typed: str, role: str, data: Any, free: bool) -> None:
    name = canonical(typed)
    if name in spec.cells.averaged and not free:
        refuse_averaged(spec, name)
    if name in spec.cells.frame:
        return
    if name in spec.formula.predictor_columns:
        if free and data is not None and name in column_names(data):
            return
        raise AnswerError(f"{role}: {name!r} differs within cells. Fit with compress=False to ask by it.")
    if data is not None and role == "by":
        if name in column_names(data):
            return
        raise AnswerError(
            f"by: neither the model nor data= has a column {name!r}."
            f"{did_you_mean(name, [*spec.cells.frame, *column_names(data)])}"
        )
    remedy = f" To average over a column that the formula does not name, give rows that have it: data=, by={name!r}."
    raise AnswerError(
        f"{role}: the model has no column {name!r}.{did_you_mean(name, spec.cells.frame)}"
        f"{remedy if role == 'by' else ''}"
    )


def check_column(spec: ModelSpec, name: Any, role: str, data: Any = None, free: bool = False) -> str:
    """Read one column name of the model."""
    if not isinstance(name, str):
        raise AnswerError(f"{role}={name!r}: the name of one column is needed.")
    return check_columns(spec, name, role, data, free)[0]


def check_results(names: tuple[str, ...], computed: tuple[str, ...]) -> None:
    """Refuse key columns that have the names of what a question computes."""
    if clash := [name for name in names if name in computed]:
        raise AnswerError(f"The answer has a column {clash[0]!r} itself. Rename that column of the data.")


def refuse_averaged(spec: ModelSpec, name: str) -> NoReturn:
    """Refuse to ask by a number over which cells average: it has too many values."""
    count = f"{spec.cells.observations()[0][name].nunique()} distinct" if spec.cells.rows_kept else "many distinct"
    _refuse_numbers(name, count)


def _refuse_numbers(name: str, count: str) -> NoReturn:
    raise AnswerError(
        f"{name!r} has {count} numbers, too many to set every row to each. Choose some, as in by={{{name!r}: [0, 1]}}, "
        f"or look at its slope: fit.slopes({name!r})."
    )


def levels_of(spec: ModelSpec, name: str) -> tuple[Level, ...]:
    """The levels of a column that occur in the fitted data, in their order."""
    predictor = spec.cells.predictors.get(name)
    if isinstance(predictor, Factor):
        return predictor.levels
    column = spec.cells.frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return as_levels(column.cat.categories)
    return as_levels(pd.Index(np.unique(column.to_numpy())))


def order_of(spec: ModelSpec, name: str, frame: pd.DataFrame) -> tuple[Level, ...]:
    """The order of a column's levels: the model's, or that of the rows' own where the model has no such column."""
    return levels_of(spec, name) if name in spec.cells.frame else code_levels(name, frame[name])[1]


def arm_levels(spec: ModelSpec, name: str) -> tuple[Level, ...]:
    """The levels of a variable that can be compared as arms."""
    levels = levels_of(spec, name)
    if len(levels) < 2:
        raise AnswerError(f"{name!r} has one level only ({levels[0]!r}): there is nothing to compare.")
    refuse_many(spec, name, len(levels))
    return levels


def refuse_many(spec: ModelSpec, name: str, count: int) -> None:
    """Refuse to set a numeric column to each of very many values."""
    if is_numeric(spec, name) and count > MAX_ARMS:
        _refuse_numbers(name, f"{count} distinct")


def refuse_absent(name: str, levels: tuple[Level, ...], present: tuple[Level, ...]) -> None:
    """Refuse levels that no row has."""
    absent = [level for level in levels if level not in present]
    if absent:
        raise AnswerError(
            f"by: no row has the {name} {enumerate_names(absent, 4)}.{did_you_mean(str(absent[0]), present)}"
        )


def can_be_set(spec: ModelSpec, name: str, groups: str) -> bool:
    """Whether the rows of every group can be set to each level of a column.

    They cannot where it is a grouping factor; nor, with observed effects, where it is a part of a crossed one, such as
    ``country:arm``, of which the data lack a combination.
    """
    factors = _factors(spec, name)
    if any(len(grouping.columns) == 1 for grouping in factors):
        return False
    return groups != "observed" or not any(_lacks(grouping, name) for grouping in factors)


def is_partly_crossed(spec: ModelSpec, name: str, by: Sequence[str]) -> bool:
    """Whether `by` averages over groups of which some, but not all, occur with several levels of a column."""
    crossed = [grouping for grouping in _factors(spec, name) if not set(grouping.columns) <= set(by)]
    return any(_lacks(grouping, name) and grouping.size > _others(grouping, name) for grouping in crossed)


def _factors(spec: ModelSpec, name: str) -> list[Grouping]:
    return [grouping for grouping in spec.cells.groupings.values() if name in grouping.columns]


def _lacks(grouping: Grouping, name: str) -> bool:
    return grouping.size < _others(grouping, name) * len(grouping.columns[name])


def _others(grouping: Grouping, name: str) -> int:
    """How many groups there would be without a column."""
    rest = [place for place, column in enumerate(grouping.columns) if column != name]
    return len(np.unique(grouping.combinations[:, rest], axis=0))
