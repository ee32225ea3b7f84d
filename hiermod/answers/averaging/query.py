"""`Arguments`: what a question was asked with, as typed; what they say of columns is read once, into `Asked`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.averaging.columns import can_be_set, check_columns, find_level, levels_of
from hiermod.answers.averaging.rows import is_numeric
from hiermod.answers.group_effects import check_groups
from hiermod.data.columns.values import Level, as_levels
from hiermod.errors import AnswerError
from hiermod.formula.parser import canonical
from hiermod.modeling.protocol import ModelSpec


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
    outcome: Any = None


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


def read_scope(spec: ModelSpec, scope: Arguments) -> Asked:
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


def _read_at(spec: ModelSpec, scope: Arguments, by: tuple[str, ...]) -> dict[str, Level]:
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


def _is_set(spec: ModelSpec, name: str, groups: str) -> bool:
    """Whether rows are set to a column's values: it is a predictor, or behind one, and no group hangs on it alone."""
    return _is_predictor(spec, name) and can_be_set(spec, name, groups)


def _is_predictor(spec: ModelSpec, name: str) -> bool:
    return name in (*spec.formula.variables, *spec.formula.predictor_columns)


def _several(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        values = [values]
    values = list(values)
    if not values:
        raise AnswerError(f"by: no values of {name!r} are given.")
    return values


def _level(spec: ModelSpec, name: str, value: Any, data: Any, role: str) -> Level:
    """One value that a column can take: a finite number, or a level that is known."""
    if _is_predictor(spec, name) and name not in spec.formula.grouping_columns and is_numeric(spec, name):
        if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not np.isfinite(value):
            raise AnswerError(f"{role}: {name!r} is numeric, and {value!r} is no finite number.")
        return as_levels(pd.Index([value]))[0]
    if name not in spec.cells.frame or (data is not None and name in spec.formula.grouping_columns):
        return as_levels(pd.Index([value], dtype=object))[0]
    return find_level(levels_of(spec, name), value, f"{role}: {name!r} has no level {value!r}.")
