"""Columns of a model as questions name them: their names and levels, and which can be set, compared, differentiated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.answers.averaging.rows import is_numeric
from hiermod.answers.group_effects import Groups, Reading
from hiermod.answers.reader import per_exposure
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


def is_predictor(spec: ModelSpec, name: str) -> bool:
    """Whether a column is a predictor, or behind one."""
    return name in (*spec.formula.variables, *spec.formula.predictor_columns)


def can_be_set(spec: ModelSpec, name: str, groups: Groups) -> bool:
    """Whether the rows of every group can be set to each level of a column.

    They cannot where it is a grouping factor; nor, with observed effects, where it is a part of a crossed one, such as
    ``country:arm``, of which the data lack a combination.
    """
    factors = _factors(spec, name)
    if any(len(grouping.columns) == 1 for grouping in factors):
        return False
    return not any(groups[factor.name] is Reading.OBSERVED and _lacks(factor, name) for factor in factors)


def is_partly_crossed(spec: ModelSpec, name: str, by: Sequence[str], groups: Groups) -> bool:
    """Whether `by` averages over observed groups of which some, but not all, occur with several levels of a column."""
    observed = [factor for factor in _factors(spec, name) if groups[factor.name] is Reading.OBSERVED]
    crossed = [grouping for grouping in observed if not set(grouping.columns) <= set(by)]
    return any(_lacks(grouping, name) and grouping.size > _others(grouping, name) for grouping in crossed)


def check_differs(spec: ModelSpec, name: str, groups: Groups) -> None:
    """Refuse to compare groups whose differences are not read; 0.5 would be no answer."""
    readings = [groups[factor.name] for factor in _factors(spec, name)]
    if not is_predictor(spec, name) and readings and Reading.OBSERVED not in readings:
        raise AnswerError(
            f"groups={readings[0].value!r} leaves out what is special to each {name}, so its levels do not differ. "
            "They are compared with groups='observed'."
        )


def _factors(spec: ModelSpec, name: str) -> list[Grouping]:
    return [grouping for grouping in spec.cells.groupings.values() if name in grouping.columns]


def _lacks(grouping: Grouping, name: str) -> bool:
    return grouping.size < _others(grouping, name) * len(grouping.columns[name])


def _others(grouping: Grouping, name: str) -> int:
    """How many groups there would be without a column."""
    rest = [place for place, column in enumerate(grouping.columns) if column != name]
    return len(np.unique(grouping.combinations[:, rest], axis=0))


def check_numeric(spec: ModelSpec, name: str) -> None:
    """Refuse to differentiate with respect to anything but a number that enters the model as one."""
    formula, cells = spec.formula, spec.cells
    if name in cells.frame and not is_numeric(spec, name):
        raise AnswerError(f"{name!r} holds levels, so it has no slope. fit.effect({name!r}) compares them.")
    if not is_predictor(spec, name):
        raise AnswerError(f"{name!r} only groups rows, so it has no slope.")
    if per_exposure(spec) and not any(name in (variable, *formula.sources[variable]) for variable in _predictors(spec)):
        raise AnswerError(
            f"{name!r} is an exposure, and answers are for one unit of it, so it has no slope. "
            "For other exposures: fit.predict(data)."
        )
    refuse_steps(spec, name)


def _predictors(spec: ModelSpec) -> list[str]:
    """The variables of a model but for its offsets."""
    return [name for name in spec.formula.variables if name not in spec.formula.offsets]


def refuse_steps(spec: ModelSpec, name: str) -> None:
    """Refuse a column of which the model sees steps alone."""
    for variable, recipe in spec.cells.recipes.items():
        if name not in recipe.sources and name != variable:
            continue
        if isinstance(spec.cells.predictors[variable], Factor) or recipe.stepped:
            raise AnswerError(
                f"{name!r} enters the model in steps, through {variable}, so it has no slope. "
                f"Compare values: fit.rates(by={{{name!r}: [...]}})."
            )
