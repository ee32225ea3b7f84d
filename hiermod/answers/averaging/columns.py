"""Columns of a model as questions name them: their names and levels, and which can be set, compared, differentiated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.answers.averaging.numbers import USUAL, Grid, round_steps
from hiermod.answers.averaging.rows import is_numeric
from hiermod.answers.group_effects import Groups, Reading
from hiermod.answers.reader import per_exposure
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.levels import encode, match_level
from hiermod.data.columns.predictors import Factor, Numeric
from hiermod.data.columns.values import Level, as_levels, code_levels
from hiermod.data.sources.frames import column_names
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.formula.parser import canonical
from hiermod.modeling.protocol import ModelSpec

MAX_ARMS = 50


def find_level(levels: tuple[Level, ...], value: Any, complaint: str) -> Level:
    """The level that is meant, by its value or as it is written."""
    level = match_level(value, levels)
    if level is not None:
        return level
    raise AnswerError(f"{complaint}{did_you_mean(str(value), levels)}")


def check_columns(
    spec: ModelSpec, by: Any, role: str = "by", data: Any = None, free: bool = False, settable: bool = False
) -> tuple[str, ...]:  # fmt: skip
    """Read column names: those of the model, or of `data`.

    Numbers over which cells average are refused unless they play no part (`free`), or rows are set to other values
    (`settable`); then those that functions have made into other columns will do as well.
    """
    names = () if by is None else tuple(by) if isinstance(by, list | tuple | Mapping) else (by,)
    for name in names:
        if not isinstance(name, str):
            raise AnswerError(f"{role}={by!r}: a column's name, or a list of names, is needed.")
        if not (settable and canonical(name) in spec.formula.predictor_columns):
            _check_name(spec, name, role, data, free)
    if len({canonical(name) for name in names}) < len(names):
        raise AnswerError(f"{role}: a column is named twice in {list(names)}.")
    return tuple(canonical(name) for name in names)


def _check_name(spec: ModelSpec, typed: str, role: str, data: Any, free: bool) -> None:
    name = canonical(typed)
    if name in spec.cells.differing and not free:
        refuse_averaged(spec, name)
    if name in spec.cells.frame or name in spec.cells.differing:
        return
    if name in spec.formula.predictor_columns:
        if data is not None and name in column_names(data):
            return
        raise AnswerError(
            f"{role}: {name!r} differs within cells. Give rows that have it, data=, or fit with compress=False."
        )
    if data is not None and role in ("by", "where"):
        if name in column_names(data):
            return
        raise AnswerError(
            f"{role}: neither the model nor data= has a column {name!r}."
            f"{did_you_mean(name, [*spec.cells.frame, *column_names(data)])}"
        )
    remedy = f" To ask by a column that the formula does not name, give rows that have it: data=, {role}={name!r}."
    raise AnswerError(
        f"{role}: the model has no column {name!r}.{did_you_mean(name, spec.cells.frame)}"
        f"{remedy if role in ('by', 'where') else ''}"
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
    if not spec.cells.rows_kept:
        _refuse_numbers(name, "many distinct", None)
    numbers = spec.cells.observations()[0][name].to_numpy()
    _refuse_numbers(name, f"{len(np.unique(numbers))} distinct", numbers)


def _refuse_numbers(name: str, count: str, numbers: np.ndarray | None) -> NoReturn:
    raise AnswerError(
        f"{name!r} has {count} numbers, too many for a line each. A curve over it is fit.rates({name!r}), or "
        f"at=hm.grid({name!r}) beside another variable{_some_values(name, numbers)}. Rows are taken by where=, and "
        f"fit.slopes({name!r}) is its slope."
    )


def _some_values(name: str, numbers: np.ndarray | None) -> str:
    """Values to compare, from the quartiles of the data."""
    if numbers is None:
        return ""
    quartiles = np.unique([float(f"{value:.3g}") for value in np.quantile(numbers, [0.25, 0.5, 0.75])])
    return f"; single values are {{{name!r}: [{', '.join(f'{value:g}' for value in quartiles)}]}}"


def values_to_set(spec: ModelSpec, name: str) -> tuple[tuple[Level, ...], list[str]]:
    """The levels of a column, or of a number of many values a grid of some, with a notice."""
    if name in spec.cells.frame and name not in spec.cells.averaged and not is_numeric(spec, name):
        return levels_of(spec, name), []
    numbers = numbers_of(spec, name)
    distinct = np.unique(numbers)
    whole = (distinct == np.round(distinct)).all()
    if len(distinct) <= (MAX_ARMS if whole else USUAL):
        return _as_typed(spec, name, distinct), []
    steps = round_steps(numbers)
    notice = f"{name} has {len(distinct):,} values: {len(steps)} from {steps[0]:.4g} to {steps[-1]:.4g} stand for them"
    return _as_typed(spec, name, steps), [notice]


def _as_typed(spec: ModelSpec, name: str, values: np.ndarray) -> tuple[Level, ...]:
    """Numbers of a column as it holds them: whole ones stay whole."""
    predictor, held = spec.cells.predictors.get(name), spec.cells.frame
    if isinstance(predictor, Numeric):
        return as_levels(pd.Index(predictor.column(pd.Series(values))))
    whole = name in held and pd.api.types.is_integer_dtype(held[name]) and bool((values == np.round(values)).all())
    return as_levels(pd.Index(values.astype(np.int64) if whole else values))


def grid_values(spec: ModelSpec, name: str, chosen: Grid) -> tuple[Level, ...]:
    """The values of a grid of a numeric column.

    Raises
    ------
    AnswerError
        If the column holds levels, or is another one than the grid's.
    """
    if canonical(chosen.column) != name:
        raise AnswerError(f"hm.grid({chosen.column!r}) stands for values of {name!r}: they are two columns.")
    if name in spec.cells.frame and name not in spec.cells.averaged and not is_numeric(spec, name):
        raise AnswerError(f"hm.grid({name!r}): {name!r} holds levels, which need no grid. Name the column alone.")
    return _as_typed(spec, name, chosen.values(numbers_of(spec, name)))


def numbers_of(spec: ModelSpec, name: str) -> np.ndarray:
    """The numbers of a column: those of its rows where they are known and differ within cells, else of its cells.

    Raises
    ------
    AnswerError
        If they are not known.
    """
    if name in spec.cells.frame and name not in spec.cells.averaged:
        return np.asarray(spec.cells.frame[name].to_numpy(dtype=float))
    if not spec.cells.rows_kept or (frame := spec.cells.observations()[0]).get(name) is None:
        raise AnswerError(
            f"variable: the values of {name!r} are not known here. Give some that you mean, {{{name!r}: [...]}}."
        )
    return np.asarray(frame[name].to_numpy(dtype=float))


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
    refuse_many(spec, name)
    return levels


def refuse_many(spec: ModelSpec, name: str) -> None:
    """Refuse a line for each of very many numbers."""
    if name in spec.cells.frame and is_numeric(spec, name) and (count := len(levels_of(spec, name))) > MAX_ARMS:
        _refuse_numbers(name, f"{count} distinct", spec.cells.frame[name].to_numpy(dtype=float))


def refuse_absent(name: str, levels: tuple[Level, ...], present: tuple[Level, ...]) -> None:
    """Refuse levels that no row has."""
    absent = [
        level for level, code in zip(levels, encode(pd.Series(levels, dtype=object), present), strict=True) if code < 0
    ]
    if absent:
        raise AnswerError(
            f"where: no row has the {name} {enumerate_names(absent, 4)}.{did_you_mean(str(absent[0]), present)}"
        )


def is_predictor(spec: ModelSpec, name: str) -> bool:
    """Whether a column is a predictor, or behind one."""
    return name in (*spec.formula.variables, *spec.formula.predictor_columns)


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
                f"Compare values: fit.rates({{{name!r}: [...]}})."
            )
