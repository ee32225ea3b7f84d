"""`Query`: what the arguments of a question mean for a model; read once, with its rows opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Question, check_prob, check_rope, check_threshold, measure_of
from hiermod.answers.averaging import columns
from hiermod.answers.averaging.contrasts import Pairing, contrast_name, control_place, pair_arms, read_scale
from hiermod.answers.averaging.rows import Base, base_rows, is_numeric, new_rows
from hiermod.answers.draws import check_goal
from hiermod.answers.group_effects import Groups, groups_of_data, in_words, read_groups
from hiermod.answers.outcome import Outcome, read_outcome
from hiermod.answers.scales import PREDICTIONS, RATES, SLOPES, Scale
from hiermod.choices import KINDS, SLOPE_SCALES
from hiermod.data.columns.values import Level, as_levels, encode
from hiermod.errors import AnswerError, DataError, did_you_mean
from hiermod.formula.parser import canonical
from hiermod.modeling.protocol import ModelSpec


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of a question, as they were typed; `hiermod.interface.arguments` describes them."""

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
    kind: Any = "mean"
    loss: Any = None
    expected: Any = None


@dataclass(frozen=True, eq=False)
class Query:
    """What a question means for a model.

    Parameters
    ----------
    question : Question
        What travels with the answer.
    rows : Base
        The rows that it averages over, or predicts.
    groups : mapping of str to Reading
        Whose effects they have, by grouping factor.
    settings : dict
        Columns to which all rows are set, with their levels or values, an average for each.
    selected : dict
        Columns of which only rows with these levels are taken.
    held : dict
        Columns to which all rows are set, at one value.
    outcome : Outcome
        What of the response is averaged.
    levels : tuple
        Of the variable, where they are compared.
    control : int
        The place of the control among them.
    pairing : Pairing, optional
        Which of them are compared.
    """

    question: Question
    rows: Base
    groups: Groups
    settings: dict[str, tuple[Level, ...]]
    selected: dict[str, tuple[Level, ...]]
    held: dict[str, Level]
    outcome: Outcome
    levels: tuple[Level, ...] = ()
    control: int = 0
    pairing: Pairing | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns whose combinations have an average each, but for the variable."""
        across = self.question.across
        return self.question.by if across is None else (*self.question.by, across)


def read_rates(spec: ModelSpec, arguments: Arguments) -> Query:
    """Rates of cells: predictors of common terms are set to each of their levels, other columns select rows."""
    named = _read_columns(spec, arguments)
    settings = {
        name: named.settings.get(name) or columns.levels_of(spec, name)
        for name in named.by
        if name in named.settings
        or (name in spec.formula.common_columns and columns.can_be_set(spec, name, named.groups))
    }
    return _opened(spec, arguments, _question(spec, arguments, "rates", RATES, named.by), named, settings)


def read_effect(spec: ModelSpec, arguments: Arguments) -> Query:
    """Arms: all rows of a cell are set to each level of the variable."""
    scale = read_scale(arguments.scale, spec.family)
    question = _question(spec, arguments, "effect", scale)
    variable = columns.check_column(spec, arguments.variable, "variable")
    named = _read_columns(spec, arguments)
    columns.check_differs(spec, variable, named.groups)
    if variable in (*named.by, *named.held):
        raise AnswerError(
            f"{variable!r} is the variable whose levels are compared; it cannot stand in by= too, or at=."
        )
    levels = columns.arm_levels(spec, variable)
    place = control_place(levels, variable, arguments.control)
    pairing = pair_arms(arguments.contrast, levels, variable, arguments.control)
    contrast = contrast_name(arguments.contrast)
    control = str(levels[place]) if contrast == "control" else None
    question = replace(question, by=named.by, variable=variable, control=control, contrast=contrast)
    query = _opened(spec, arguments, question, named, {**named.settings, variable: levels})
    return replace(query, levels=levels, control=place, pairing=pairing)


def read_interaction(spec: ModelSpec, arguments: Arguments) -> Query:
    """Arms in the cells of `by` and of the column across which their effects are compared."""
    inner = _listed(arguments.across)
    if len(inner) != 1:
        raise AnswerError(f"across={arguments.across!r}: the name of one column, or one with its values, is needed.")
    columns.check_columns(spec, inner, "across", arguments.data)
    columns.check_columns(spec, arguments.by, data=arguments.data)
    outer = _listed(arguments.by)
    if set(inner) & set(outer):
        raise AnswerError(f"{next(iter(inner))!r} is what the effect is compared across; it cannot stand in by= too.")
    query = read_effect(spec, replace(arguments, by={**outer, **inner}))
    *by, across = query.question.by
    question = replace(query.question, kind="interaction", by=tuple(by), control=None, across=across)
    return replace(query, question=question)


def read_slope(spec: ModelSpec, arguments: Arguments) -> Query:
    """Rows with a column by which their responses are differentiated."""
    if arguments.scale not in SLOPE_SCALES:
        raise AnswerError(f"scale={arguments.scale!r}.{did_you_mean(str(arguments.scale), SLOPE_SCALES)}")
    question = _question(spec, arguments, "slopes", SLOPES[arguments.scale])
    if isinstance(arguments.variable, str):
        columns.refuse_steps(spec, canonical(arguments.variable))
    variable = columns.check_column(spec, arguments.variable, "variable", arguments.data, free=True)
    named = _read_columns(spec, arguments)
    columns.check_numeric(spec, variable)
    question = replace(question, by=named.by, variable=variable)
    needed = () if variable in (*named.settings, *named.held) else (variable,)
    return _opened(spec, arguments, question, named, named.settings, needed)


def read_prediction(spec: ModelSpec, arguments: Arguments) -> Query:
    """Rows by themselves, whose exposure counts: the fitted ones, or those of `data`."""
    if arguments.kind not in KINDS:
        raise AnswerError(f"kind={arguments.kind!r}: 'mean', 'link' or 'response'.")
    groups = read_groups(spec, arguments.groups)
    question = _question(spec, arguments, "predict", PREDICTIONS[arguments.kind])
    cells, outcome = spec.cells, Outcome()
    if not question.scale.linear:
        outcome = read_outcome(spec, arguments.outcome, groups)
    if arguments.data is None:
        frame = cells.observations()[0] if cells.averaged and cells.rows_kept else cells.frame
    else:
        frame = new_rows(spec, arguments.data, (), groups, exposed=True)
        groups = groups_of_data(spec, groups, frame)
    read = Outcome() if question.scale.drawn else outcome
    return Query(_of_outcome(spec, question, outcome), Base(frame, np.ones(len(frame))), groups, {}, {}, {}, read)


@dataclass(frozen=True, eq=False)
class _Columns:
    """What ``by=``, ``at=`` and ``groups=`` say of a model's columns."""

    by: tuple[str, ...]
    settings: dict[str, tuple[Level, ...]]
    selected: dict[str, tuple[Level, ...]]
    held: dict[str, Level]
    groups: Groups


def _question(
    spec: ModelSpec, arguments: Arguments, kind: str, scale: Scale, by: tuple[str, ...] = ()
) -> Question:  # fmt: skip
    return Question(
        kind, scale, measure_of(spec), by, sign=check_goal(arguments.goal), prob=check_prob(arguments.prob),
        rope=check_rope(arguments.rope), threshold=check_threshold(arguments.threshold),
        groups=in_words(arguments.groups),
    )  # fmt: skip


def _opened(
    spec: ModelSpec, arguments: Arguments, question: Question, named: _Columns,
    settings: dict[str, tuple[Level, ...]], needed: tuple[str, ...] = (),
) -> Query:  # fmt: skip
    """Open the rows, take those that are selected, and read what of their responses is averaged."""
    setting = (*settings, *named.held)
    needed = (*question.by, *needed)
    rows = base_rows(spec, arguments.data, arguments.weights, needed, named.groups, setting)
    groups = named.groups if arguments.data is None else groups_of_data(spec, named.groups, rows.frame)
    for name, levels in settings.items():
        columns.refuse_many(spec, name, len(levels))
    outcome = read_outcome(spec, arguments.outcome, named.groups)
    return Query(
        _of_outcome(spec, question, outcome), _select(rows, named.selected), groups, settings, named.selected,
        named.held, outcome,
    )  # fmt: skip


def _of_outcome(spec: ModelSpec, question: Question, outcome: Outcome) -> Question:
    scale = question.scale
    median = scale.median or (not scale.linear and not outcome.has_mean)
    return replace(question, measure=measure_of(spec, outcome.name), median=median, remark=outcome.remark)


def _select(rows: Base, selected: Mapping[str, tuple[Level, ...]]) -> Base:
    """The rows that have the levels asked for."""
    if not selected:
        return rows
    kept = np.ones(len(rows.frame), dtype=bool)
    for name, levels in selected.items():
        columns.refuse_absent(name, levels, as_levels(pd.Index(pd.unique(rows.frame[name]))))
        kept &= encode(rows.frame[name], levels) >= 0
    if not kept.any():
        raise DataError(f"No row has all of the levels asked for in by=: {selected}.")
    return rows.only(kept)


def _read_columns(spec: ModelSpec, arguments: Arguments) -> _Columns:
    """Read which cells are meant; predictors with given values are set, other columns select rows."""
    groups, data = read_groups(spec, arguments.groups), arguments.data
    names = columns.check_columns(spec, arguments.by, data=data)
    settings: dict[str, tuple[Level, ...]] = {}
    selected: dict[str, tuple[Level, ...]] = {}
    for typed, values in _listed(arguments.by).items():
        if values is not None:
            name, values = canonical(typed), _several(typed, values)
            target = settings if _is_set(spec, name, groups) else selected
            target[name] = tuple(_level(spec, name, value, data, "by") for value in values)
            if len(set(target[name])) < len(target[name]):
                raise AnswerError(f"by: a value of {name!r} is given twice in {values}.")
    return _Columns(names, settings, selected, _read_at(spec, arguments, names, groups), groups)


def _read_at(spec: ModelSpec, arguments: Arguments, by: tuple[str, ...], groups: Groups) -> dict[str, Level]:
    at, data = arguments.at, arguments.data
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise AnswerError(f"at={at!r}: columns with the value at which each stands, such as at={{'x': 1}}.")
    held = {}
    for name in columns.check_columns(spec, list(at), "at", data, free=True):
        value = next(value for typed, value in at.items() if canonical(typed) == name)
        if name in by:
            raise AnswerError(f"at: {name!r} stands in by= too. Give its values there: by={{{name!r}: [...]}}.")
        if not _is_set(spec, name, groups):
            why = "says which group a row is in" if columns.is_predictor(spec, name) else "is no predictor"
            raise AnswerError(f"at: {name!r} {why}, so rows cannot be set to it. Say by={{{name!r}: [...]}}.")
        if isinstance(value, list | tuple | np.ndarray | pd.Series):
            raise AnswerError(f"at: one value of {name!r} is needed; for several say by={{{name!r}: [...]}}.")
        held[name] = _level(spec, name, value, data, "at")
    return held


def _is_set(spec: ModelSpec, name: str, groups: Groups) -> bool:
    """Whether rows are set to a column's values: it is a predictor, or behind one, and no group hangs on it alone."""
    return columns.is_predictor(spec, name) and columns.can_be_set(spec, name, groups)


def _listed(named: Any) -> dict[Any, Any]:
    """Columns by name, with their values where these are given."""
    if isinstance(named, Mapping):
        return dict(named)
    return dict.fromkeys(() if named is None else named if isinstance(named, list | tuple) else (named,))


def _several(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        values = [values]
    values = list(values)
    if not values:
        raise AnswerError(f"by: no values of {name!r} are given.")
    return values


def _level(spec: ModelSpec, name: str, value: Any, data: Any, role: str) -> Level:
    """One value that a column can take: a finite number, or a level that is known."""
    if columns.is_predictor(spec, name) and name not in spec.formula.grouping_columns and is_numeric(spec, name):
        if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not np.isfinite(value):
            raise AnswerError(f"{role}: {name!r} is numeric, and {value!r} is no finite number.")
        return as_levels(pd.Index([value]))[0]
    if name not in spec.cells.frame or (data is not None and name in spec.formula.grouping_columns):
        return as_levels(pd.Index([value], dtype=object))[0]
    return columns.find_level(columns.levels_of(spec, name), value, f"{role}: {name!r} has no level {value!r}.")
