"""`Arguments`: what a question was asked with, as typed; what they say of columns is read once, into `Asked`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from hiermod.answers.averaging.crossing import can_be_set
from hiermod.answers.averaging.rows import AnySpec, is_numeric
from hiermod.answers.averaging.varying import check_groups
from hiermod.data.columns.levels import Level, as_levels, code_levels
from hiermod.data.columns.predictors import Factor
from hiermod.data.sources.frames import column_names
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.formula.parser import canonical

MAX_ARMS = 50


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of a question, as they were typed; `hiermod.interface.fit.Fit` describes them."""

    variable: Any = None
    by: Any = None
    at: Any = None
    data: Any = None
    weights: Any = None
    groups: Any = "observed"
    contrast: Any = "control"
    control: Any = None
    across: Any = None
    between: Any = "control"
    scale: Any = "difference"
    rope: Any = None
    threshold: Any = None
    goal: Any = "max"
    prob: Any = 0.95


@dataclass(frozen=True, eq=False)
class Asked:
    """What `by=` and `at=` say of a model's columns.

    Parameters
    ----------
    by : tuple of str
        The columns whose combinations are the cells.
    settings : dict
        Predictors to which every row is set, with their levels or values, one cell for each.
    chosen : dict
        Columns that select rows, with the levels to keep.
    held : dict
        Predictors to which every row is set, at one value.
    """

    by: tuple[str, ...]
    settings: dict[str, tuple[Level, ...]] = field(default_factory=dict)
    chosen: dict[str, tuple[Level, ...]] = field(default_factory=dict)
    held: dict[str, Level] = field(default_factory=dict)

    @property
    def set_columns(self) -> tuple[str, ...]:
        """The columns whose own values play no part."""
        return (*self.settings, *self.held)


def read_scope(spec: AnySpec, scope: Arguments) -> Asked:
    """Read which cells are asked for; predictors with given values are set, other columns select rows."""
    check_groups(scope.groups)
    names = check_columns(spec, scope.by, data=scope.data)
    given = scope.by if isinstance(scope.by, Mapping) else {}
    settings: dict[str, tuple[Level, ...]] = {}
    chosen: dict[str, tuple[Level, ...]] = {}
    for typed, values in given.items():
        if values is not None:
            name, values = canonical(typed), _several(typed, values)
            target = settings if _is_set(spec, name, scope.groups) else chosen
            target[name] = tuple(_level(spec, name, value, scope.data, "by") for value in values)
            if len(set(target[name])) < len(target[name]):
                raise AnswerError(f"by: a value of {name!r} is given twice in {values}.")
    return Asked(names, settings, chosen, _read_at(spec, scope, names))


def _read_at(spec: AnySpec, scope: Arguments, by: tuple[str, ...]) -> dict[str, Level]:
    if scope.at is None:
        return {}
    if not isinstance(scope.at, Mapping):
        raise AnswerError(f"at={scope.at!r}: columns with the value at which each stands, such as at={{'x': 1}}.")
    held = {}
    for name in check_columns(spec, list(scope.at), "at", scope.data, free=True):
        value = next(value for typed, value in scope.at.items() if canonical(typed) == name)
        if name in by:
            raise AnswerError(f"at: {name!r} stands in by= too. Give its values there: by={{{name!r}: [...]}}.")
        if not _is_set(spec, name, scope.groups):
            why = "says which group a row is in" if _is_predictor(spec, name) else "is no predictor"
            raise AnswerError(f"at: {name!r} {why}, so rows cannot be set to it. Say by={{{name!r}: [...]}}.")
        if isinstance(value, list | tuple | np.ndarray | pd.Series):
            raise AnswerError(f"at: one value of {name!r} is needed; for several say by={{{name!r}: [...]}}.")
        held[name] = _level(spec, name, value, scope.data, "at")
    return held


def _is_set(spec: AnySpec, name: str, groups: str) -> bool:
    """Whether rows are set to a column's values: it is a predictor, or behind one, and no group hangs on it alone."""
    return _is_predictor(spec, name) and can_be_set(spec, name, groups)


def _is_predictor(spec: AnySpec, name: str) -> bool:
    return name in (*spec.formula.variables, *spec.formula.predictor_columns)


def _several(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        values = [values]
    values = list(values)
    if not values:
        raise AnswerError(f"by: no values of {name!r} are given.")
    return values


def _level(spec: AnySpec, name: str, value: Any, data: Any, role: str) -> Level:
    """One value that a column can take: a finite number, or a level that is known."""
    if _is_predictor(spec, name) and name not in spec.formula.grouping_columns and is_numeric(spec, name):
        if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not np.isfinite(value):
            raise AnswerError(f"{role}: {name!r} is numeric, and {value!r} is no finite number.")
        return as_levels(pd.Index([value]))[0]
    if name not in spec.cells.frame or (data is not None and name in spec.formula.grouping_columns):
        return as_levels(pd.Index([value], dtype=object))[0]
    return find_level(levels_of(spec, name), value, f"{role}: {name!r} has no level {value!r}.")


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
    spec: AnySpec, by: Any, role: str = "by", data: Any = None, free: bool = False
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


def _check_name(spec: AnySpec, typed: str, role: str, data: Any, free: bool) -> None:
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


def check_column(spec: AnySpec, name: Any, role: str, data: Any = None, free: bool = False) -> str:
    """Read one column name of the model."""
    if not isinstance(name, str):
        raise AnswerError(f"{role}={name!r}: the name of one column is needed.")
    return check_columns(spec, name, role, data, free)[0]


def check_results(names: tuple[str, ...], computed: tuple[str, ...]) -> None:
    """Refuse key columns that have the names of what a question computes."""
    if clash := [name for name in names if name in computed]:
        raise AnswerError(f"The answer has a column {clash[0]!r} itself. Rename that column of the data.")


def refuse_averaged(spec: AnySpec, name: str) -> NoReturn:
    """Refuse to ask by a number over which cells average: it has too many values."""
    count = f"{spec.cells.observations()[0][name].nunique()} distinct" if spec.cells.rows_kept else "many distinct"
    _refuse_numbers(name, count)


def _refuse_numbers(name: str, count: str) -> NoReturn:
    raise AnswerError(
        f"{name!r} has {count} numbers, too many to set every row to each. Choose some, as in by={{{name!r}: [0, 1]}}, "
        f"or look at its slope: fit.slopes({name!r})."
    )


def levels_of(spec: AnySpec, name: str) -> tuple[Level, ...]:
    """The levels of a column that occur in the fitted data, in their order."""
    predictor = spec.cells.predictors.get(name)
    if isinstance(predictor, Factor):
        return predictor.levels
    column = spec.cells.frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return as_levels(column.cat.categories)
    return as_levels(pd.Index(np.unique(column.to_numpy())))


def order_of(spec: AnySpec, name: str, frame: pd.DataFrame) -> tuple[Level, ...]:
    """The order of a column's levels: the model's, or that of the rows' own where the model has no such column."""
    return levels_of(spec, name) if name in spec.cells.frame else code_levels(name, frame[name])[1]


def arm_levels(spec: AnySpec, name: str) -> tuple[Level, ...]:
    """The levels of a variable that can be compared as arms."""
    levels = levels_of(spec, name)
    if len(levels) < 2:
        raise AnswerError(f"{name!r} has one level only ({levels[0]!r}): there is nothing to compare.")
    refuse_many(spec, name, len(levels))
    return levels


def refuse_many(spec: AnySpec, name: str, count: int) -> None:
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
