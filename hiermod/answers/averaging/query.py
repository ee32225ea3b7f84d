"""`Query`: what the arguments of a question mean for a model; read once, with its rows opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Question, check_prob, check_rope, check_threshold, measure_of
from hiermod.answers.averaging import columns
from hiermod.answers.averaging.contrasts import Pairing, contrast_name, control_place, pair_arms, read_scale
from hiermod.answers.averaging.numbers import Grid
from hiermod.answers.averaging.rows import Base, base_rows, is_numeric, new_rows
from hiermod.answers.averaging.transformed import relative_to_response
from hiermod.answers.draws import check_goal
from hiermod.answers.group_effects import Groups, groups_of_data, in_words, read_groups
from hiermod.answers.outcome import Outcome, linear_remark, read_functional, read_outcome
from hiermod.answers.scales import PREDICTIONS, RATES, SLOPES, Scale
from hiermod.choices import KINDS, SLOPE_SCALES
from hiermod.data.columns.levels import as_fitted, encode, number_of
from hiermod.data.columns.values import Level, as_levels
from hiermod.errors import AnswerError, DataError, did_you_mean
from hiermod.families.category_outcomes import needs_outcome, needs_parameter
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
    where: Any = None
    per: Any = None
    parameter: Any = None


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
        The variables to which all rows of a cell are set, with their levels or values, an average for each.
    lines : dict
        Further columns to which all rows are set, with several values each; a cell for each combination.
    held : dict
        Columns to which all rows are set, at one value.
    selected : dict
        Columns of which only rows with these levels are taken.
    outcome : Outcome
        What of the response is averaged.
    per : float
        Units of exposure, or of whatever a response counts, that means are of.
    levels : tuple
        Of the variable, where they are compared.
    control : int
        The place of the control among them.
    pairing : Pairing, optional
        Which of them are compared.
    notices : tuple of str
        What is to be known of how it was read.
    """

    question: Question
    rows: Base
    groups: Groups
    settings: dict[str, tuple[Level, ...]]
    lines: dict[str, tuple[Level, ...]]
    held: dict[str, Level]
    selected: dict[str, tuple[Level, ...]]
    outcome: Outcome
    per: float = 1.0
    notices: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    control: int = 0
    pairing: Pairing | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns whose combinations have an average each, but for those that `settings` sets."""
        across = self.question.across
        names = self.question.by if across is None else (*self.question.by, across)
        return tuple(name for name in names if name not in self.settings)

    @property
    def selecting(self) -> tuple[str, ...]:
        """The columns of cells that take the rows with their levels, as they are."""
        return tuple(name for name in self.cells if name not in self.lines)


def read_rates(spec: ModelSpec, arguments: Arguments) -> Query:
    """Rates of cells, whose rows are set to each of the levels of the variables, if there are any."""
    settings, notices = _read_variables(spec, arguments)
    named = _read_columns(spec, arguments, tuple(settings))
    question = _question(spec, arguments, "rates", RATES, (*named.by, *named.lines, *settings))
    return replace(_opened(spec, arguments, question, named, settings), notices=tuple(notices))


def read_arms(spec: ModelSpec, arguments: Arguments) -> Query:
    """Arms: all rows of a cell are set to each level of the variable. None of them is a control."""
    outcome = read_functional(spec, arguments.outcome, arguments.parameter)
    question = _question(spec, arguments, "effect", read_scale(arguments.scale, spec.family, outcome))
    relative_to_response(spec, question)  # refuses before rows are opened
    variable, levels = _read_arms(spec, arguments)
    named = _read_columns(spec, arguments, (variable,))
    columns.check_differs(spec, variable, named.groups)
    arms = len({*levels, *columns.levels_of(spec, variable)} if variable in spec.cells.frame else levels)
    question = replace(question, by=(*named.by, *named.lines), variable=variable, arms=arms)
    query = _opened(spec, arguments, question, named, {variable: levels})
    return replace(query, question=relative_to_response(spec, query.question), levels=levels)


def read_effect(spec: ModelSpec, arguments: Arguments) -> Query:
    """Arms that are compared with each other, or with one of them, the control."""
    query = read_arms(spec, arguments)
    variable, levels = str(query.question.variable), query.levels
    place = control_place(levels, variable, arguments.control)
    pairing = pair_arms(arguments.contrast, levels, variable, arguments.control)
    contrast = contrast_name(arguments.contrast)
    control = str(levels[place]) if contrast == "control" else None
    notices = _other_control(variable, levels, place) if control and arguments.control is None else ()
    question = replace(query.question, control=control, contrast=contrast)
    return replace(query, question=question, control=place, pairing=pairing, notices=notices)


CONTROLS = {
    "control", "controls", "control group", "ctrl", "placebo", "baseline", "reference", "standard", "untreated", "sham",
    "usual care", "standard of care", "kontrolle", "kontrollgruppe", "contrôle", "controle", "referenz", "plazebo",
}  # fmt: skip


def _other_control(variable: str, levels: tuple[Level, ...], place: int) -> tuple[str, ...]:
    """A remark where the first level is what others are compared with, and another one is called a control."""
    called = [level for level in levels if str(level).strip().lower() in CONTROLS]
    if not called or levels[place] in called:
        return ()
    return (
        f"{variable}: levels are compared with {levels[place]!r}, the first one, not with {called[0]!r}: "
        f"control={called[0]!r} does that",
    )


def _read_arms(spec: ModelSpec, arguments: Arguments) -> tuple[str, tuple[Level, ...]]:
    """The variable whose levels are compared, and its levels, or the values that are given of it."""
    listed = _listed(arguments.variable)
    if len(listed) != 1 or (isinstance(arguments.variable, list | tuple)):
        raise AnswerError(
            f"variable={arguments.variable!r}: the name of one column is needed, or one with its values, such as "
            "{'age': [20, 40]}."
        )
    typed, values = next(iter(listed.items()))
    if values is None:
        variable = columns.check_column(spec, typed, "variable")
        return variable, columns.arm_levels(spec, variable)
    variable = columns.check_columns(spec, {typed: values}, "variable", arguments.data, settable=True)[0]
    levels = _values(spec, variable, values, arguments.data, "variable")
    if len(levels) < 2:
        raise AnswerError(f"variable: one value of {variable!r} is given; two are needed to compare.")
    return variable, levels


def _read_variables(spec: ModelSpec, arguments: Arguments) -> tuple[dict[str, tuple[Level, ...]], list[str]]:
    """The columns to which rows are set, each with its levels, or with the values that are given."""
    settings: dict[str, tuple[Level, ...]] = {}
    notices: list[str] = []
    listed = _listed(arguments.variable)
    columns.check_columns(spec, listed, "variable", arguments.data, settable=True)
    for typed, values in listed.items():
        name = canonical(typed)
        if values is not None:
            settings[name] = _values(spec, name, values, arguments.data, "variable")
            continue
        settings[name], notice = columns.values_to_set(spec, name)
        notices += notice
    return settings, notices


def read_interaction(spec: ModelSpec, arguments: Arguments) -> Query:
    """Arms in the cells of `by` and of the column across which their effects are compared."""
    inner = _listed(arguments.across)
    if len(inner) != 1 or isinstance(arguments.across, list | tuple):
        raise AnswerError(f"across={arguments.across!r}: the name of one column, or one with its values, is needed.")
    typed, values = next(iter(inner.items()))
    across = columns.check_columns(spec, inner, "across", arguments.data, settable=values is not None)[0]
    if across in columns.check_columns(spec, arguments.by, data=arguments.data):
        raise AnswerError(f"{across!r} is what the effect is compared across; it cannot stand in by= too.")
    if values is None:
        query = read_effect(spec, replace(arguments, by=[*_listed(arguments.by), across]))
    else:
        query = read_effect(spec, replace(arguments, at={**_listed(arguments.at), typed: _several(typed, values)}))
    by = tuple(name for name in query.question.by if name != across)
    return replace(query, question=replace(query.question, kind="interaction", by=by, control=None, across=across))


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
    question = replace(question, by=(*named.by, *named.lines), variable=variable)
    needed = () if variable in (*named.lines, *named.held) else (variable,)
    return _opened(spec, arguments, question, named, {}, needed)


def read_prediction(spec: ModelSpec, arguments: Arguments, fitted: bool = False) -> Query:
    """Rows by themselves: the cells that were fitted, or those of `data`, which may be all the rows that were `fitted`.

    Their exposure counts, unless means are of so many units.
    """
    if arguments.kind not in KINDS:
        raise AnswerError(f"kind={arguments.kind!r}: 'mean', 'link' or 'response'.")
    if arguments.per is not None and arguments.kind != "mean":
        raise AnswerError(
            f"per={arguments.per!r} is of means, and kind={arguments.kind!r} asks for none. Leave it out."
        )
    groups = read_groups(spec, arguments.groups)
    question = _question(spec, arguments, "predict", PREDICTIONS[arguments.kind])
    cells, outcome = spec.cells, Outcome(read_functional(spec, None, arguments.parameter))
    if not question.scale.linear:
        outcome = read_outcome(spec, arguments.outcome, groups, arguments.parameter)
    if question.scale.drawn and arguments.parameter is not None:
        raise AnswerError(f"kind='response' draws responses, and parameter={arguments.parameter!r} is none of them.")
    if question.scale.drawn and arguments.outcome is not None and not spec.family.categories:
        raise AnswerError(
            f"kind='response' draws responses, and outcome={arguments.outcome!r} is of their distribution. Leave one "
            "of them out."
        )
    per = _read_per(arguments.per, outcome)
    if arguments.data is None:
        frame = cells.observations()[0] if cells.averaged and cells.rows_kept else cells.frame
    else:
        frame = new_rows(spec, arguments.data, (), groups, exposed=arguments.per is None)
        groups = groups if fitted else groups_of_data(spec, groups, frame)
    read = Outcome(spec.family.expected) if question.scale.drawn else outcome
    question = _of_outcome(spec, question, outcome)
    measure = measure_of(spec, outcome.functional, exposed=arguments.per is None)
    question = replace(question, measure=measure.of_units(per))
    return Query(question, Base(frame, np.ones(len(frame))), groups, {}, {}, {}, {}, read, per)


@dataclass(frozen=True, eq=False)
class _Columns:
    """What ``by=``, ``where=``, ``at=`` and ``groups=`` say of a model's columns."""

    by: tuple[str, ...]
    selected: dict[str, tuple[Level, ...]]
    lines: dict[str, tuple[Level, ...]]
    held: dict[str, Level]
    groups: Groups


def _question(
    spec: ModelSpec, arguments: Arguments, kind: str, scale: Scale, by: tuple[str, ...] = ()
) -> Question:  # fmt: skip
    family, neither = spec.family, arguments.outcome is None and arguments.parameter is None
    if family.kind == "category" and scale.linear and arguments.parameter is None:
        raise needs_parameter(family, f"{kind} on the link scale")
    if family.categories and neither and kind != "predict" and not scale.linear:
        raise needs_outcome(family, "A comparison" if kind == "effect" else kind)
    measure = measure_of(spec, read_functional(spec, arguments.outcome, arguments.parameter))
    return Question(
        kind, scale, measure, by, sign=check_goal(arguments.goal), prob=check_prob(arguments.prob),
        rope=check_rope(arguments.rope), threshold=check_threshold(arguments.threshold),
        groups=in_words(arguments.groups),
    )  # fmt: skip


def _opened(
    spec: ModelSpec, arguments: Arguments, question: Question, named: _Columns,
    settings: dict[str, tuple[Level, ...]], needed: tuple[str, ...] = (),
) -> Query:  # fmt: skip
    """Open the rows, take those that are selected, and read what of their responses is averaged."""
    setting = (*settings, *named.lines, *named.held)
    needed = (*named.by, *named.selected, *needed)
    functional = read_functional(spec, arguments.outcome, arguments.parameter)
    if arguments.data is None and not question.scale.linear and not functional.of_averages:
        needed = (*needed, *spec.cells.differing)  # rows that cells have averaged over are taken one by one
    rows = base_rows(spec, arguments.data, arguments.weights, needed, named.groups, setting)
    groups = named.groups if arguments.data is None else groups_of_data(spec, named.groups, rows.frame)
    outcome = read_outcome(spec, arguments.outcome, named.groups, arguments.parameter)
    per = _read_per(arguments.per, outcome)
    question = _of_outcome(spec, question, outcome)
    return Query(
        replace(question, measure=question.measure.of_units(per)), _select(rows, named.selected), groups, settings,
        named.lines, named.held, named.selected, outcome, per,
    )  # fmt: skip


def _read_per(per: Any, outcome: Outcome) -> float:
    """Units that means are of: one, if nothing is said."""
    if per is None:
        return 1.0
    if isinstance(per, bool) or not isinstance(per, Real) or not 0.0 < float(per) < np.inf:
        raise AnswerError(f"per={per!r}: a number of units above 0 is needed, such as 1000.")
    if float(per) != 1.0 and not outcome.functional.per_unit:
        raise AnswerError(
            f"per={per!r} is of means; outcome={outcome.name!r} of so many units is not as many times that of one. "
            "Leave per= out; fit.predict(data, outcome=...) answers for rows with the exposure that data= gives."
        )
    return float(per)


def _of_outcome(spec: ModelSpec, question: Question, outcome: Outcome) -> Question:
    scale, remark, median = question.scale, outcome.remark, question.scale.median or not outcome.has_mean
    if scale.linear:
        remark = linear_remark(spec, outcome.functional.of)
        median, remark = bool(remark), " ".join(part for part in (remark, _sentence(outcome.why)) if part)
    return replace(question, measure=measure_of(spec, outcome.functional), median=median, remark=remark)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _select(rows: Base, selected: Mapping[str, tuple[Level, ...]]) -> Base:
    """The rows that have the levels asked for."""
    if not selected:
        return rows
    kept = np.ones(len(rows.frame), dtype=bool)
    for name, levels in selected.items():
        columns.refuse_absent(name, levels, as_levels(pd.Index(pd.unique(rows.frame[name]))))
        kept &= encode(rows.frame[name], levels) >= 0
    if not kept.any():
        raise DataError(f"No row has all of the levels asked for in where=: {selected}.")
    return rows.only(kept)


def _read_columns(spec: ModelSpec, arguments: Arguments, variables: tuple[str, ...] = ()) -> _Columns:
    """Read which rows are meant, in which cells, and what they are set to beside the variables."""
    if isinstance(arguments.by, Mapping):
        raise AnswerError(
            f"by={arguments.by!r}: by= names columns, whose rows are taken as they are. To set rows to values say "
            f"at={arguments.by!r}, to take some rows where={arguments.by!r}."
        )
    by = columns.check_columns(spec, arguments.by, data=arguments.data)
    for name in by:
        columns.refuse_many(spec, name)
    chosen = _mapping(arguments.where, "where", "country", "Canada")
    at = _mapping(arguments.at, "at", "x", 1)
    selected = {}
    names = columns.check_columns(spec, chosen, "where", arguments.data, free=True)
    for name, values in zip(names, chosen.values(), strict=True):
        selected[name] = _values(spec, name, values, arguments.data, "where")
    lines, held = {}, {}
    names = columns.check_columns(spec, at, "at", arguments.data, settable=True)
    for name, value in zip(names, at.values(), strict=True):
        if name in by:
            raise AnswerError(f"{name!r} stands in at= and in by=: rows are set to values, or taken as they are.")
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            held[name] = _level(spec, name, value, arguments.data, "at")
        else:
            lines[name] = _values(spec, name, value, arguments.data, "at")
    for name in variables:
        if name in (*by, *lines, *held):
            raise AnswerError(
                f"{name!r} is the variable, which all rows are set to; it cannot stand in by= or at= too."
            )
    return _Columns(by, selected, lines, held, read_groups(spec, arguments.groups))


def _mapping(given: Any, role: str, name: str, value: Any) -> dict[Any, Any]:
    if given is None:
        return {}
    if isinstance(given, Grid):
        return {given.column: given}
    if not isinstance(given, Mapping):
        raise AnswerError(f"{role}={given!r}: columns with their values, such as {role}={{{name!r}: {value!r}}}.")
    return dict(given)


def _values(spec: ModelSpec, name: str, values: Any, data: Any, role: str) -> tuple[Level, ...]:
    """The values that are given of a column, as its levels."""
    listed = _several(name, values, role)
    if isinstance(listed, Grid):
        listed = columns.grid_values(spec, name, listed)
    levels = tuple(_level(spec, name, value, data, role) for value in listed)
    if len(set(levels)) < len(levels):
        raise AnswerError(f"{role}: a value of {name!r} is given twice in {listed}.")
    return levels


def _listed(named: Any) -> dict[Any, Any]:
    """Columns by name, with their values where these are given."""
    if isinstance(named, Mapping):
        return dict(named)
    several = () if named is None else named if isinstance(named, list | tuple) else (named,)
    return dict((each.column, each) if isinstance(each, Grid) else (each, None) for each in several)


def _several(name: str, values: Any, role: str = "across") -> Any:
    if isinstance(values, Grid):
        return values
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        values = [values]
    values = list(values)
    if not values:
        raise AnswerError(f"{role}: no values of {name!r} are given.")
    return values


def _level(spec: ModelSpec, name: str, value: Any, data: Any, role: str) -> Level:
    """One value that a column can take: a finite number, or a level that is known."""
    if columns.is_predictor(spec, name) and name not in spec.formula.grouping_columns and is_numeric(spec, name):
        if (number := number_of(value)) is None:
            raise AnswerError(f"{role}: {name!r} is numeric, and {value!r} is no finite number.")
        return number
    if name not in spec.cells.frame:
        return as_levels(pd.Index([value], dtype=object))[0]
    if data is not None and name in spec.formula.grouping_columns:
        return as_levels(pd.Index(as_fitted(pd.Series([value], dtype=object), columns.levels_of(spec, name))))[0]
    return columns.find_level(columns.levels_of(spec, name), value, f"{role}: {name!r} has no level {value!r}.")
