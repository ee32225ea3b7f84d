"""Reads the rows that a formula uses, understood and complete; counts those left out, and fingerprints the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.choices import MISSING
from hiermod.data.cells.kept import Fingerprint
from hiermod.data.cells.table import Source
from hiermod.data.columns.bounds import BoundedRows, with_bounds
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.groupings import Grouping, read_grouping, text_notices
from hiermod.data.columns.measured import measured_response
from hiermod.data.columns.predictors import EngineVariables, Factor, Variables, read_sources, read_variables
from hiermod.data.columns.responses import (
    WEIGHTS,
    MomentRows,
    ResponseRows,
    SingleRows,
    counted,
    read_counts,
)
from hiermod.data.columns.texts import row_name
from hiermod.data.columns.values import Level, Values, once, rows_of
from hiermod.data.pushdown.gather import gather
from hiermod.data.pushdown.tally import Summary, Tally
from hiermod.data.sources.frames import read_columns
from hiermod.errors import DataError, HiermodError
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import Formula, SingleResponse


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a formula uses, understood and complete, before compression; equal ones may be counted already.

    `frame` is what the model sees; `sources` are the columns behind functions, which stay where they can.
    """

    formula: Formula
    frame: pd.DataFrame
    sources: pd.DataFrame
    response: ResponseRows
    variables: Variables
    groupings: dict[str, Grouping]
    source: Source
    notices: tuple[str, ...]


def read_rows(
    formula: Formula, data: Any, na: str = "drop", compress: bool = True, real: bool | None = None,
    complete: tuple[str, ...] = (), patterns: tuple[Level, ...] | None = None,
) -> Rows:  # fmt: skip
    """Read the columns of `formula` from any frame.

    Missing rows are dropped and counted (``na="drop"``) or an error (``na="error"``); rows of no trials and of no
    weight are dropped. With `compress`, equal rows of large frames are counted at once, lazy ones by their engine;
    `real` says whether the family takes real numbers, None if that is to be inferred. Rows that lack a value in another
    column, one of `complete`, are missing, too. With `patterns`, one of very many groups may stand for all with its
    pattern of data, as its engine finds; these are groups that stand for themselves.

    Raises
    ------
    DataError, FormulaError
        Where a column is not there or cannot be used; before anything is sampled.
    """
    if na not in MISSING:
        raise DataError(f"na={na!r}: 'drop' leaves rows with missing values out, 'error' refuses them.")
    tally = gather(formula, data, real, compress, complete, patterns)
    try:
        return _understood(formula, tally, na)
    except HiermodError:
        if tally.one_by_one is None:
            raise
    return _understood(formula, tally.one_by_one, na)  # so that errors count and name rows, not distinct ones


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The columns of all rows of the data, which of them a fit takes, and their responses."""

    raw: pd.DataFrame
    used: np.ndarray
    response: ResponseRows


def fitted_rows(formula: Formula, data: Any, complete: tuple[str, ...] = ()) -> FittedRows:
    """The rows of `data`, of which a fit takes the complete ones, of some trials and weight.

    `complete` are other columns, in which rows have to be complete too.
    """
    raw = read_columns(data, (*formula.all_columns, *complete), formula)
    optional = formula.bounds.optional if formula.bounds else ()
    used = ~np.any([Values(name, raw[name]).missing for name in map(str, raw) if name not in optional], axis=0)
    response = _read_response(formula, raw[used], once(int(used.sum())), None)
    weighty = response.weight > 0
    used[used] = weighty
    return FittedRows(raw, used, response.chosen(weighty))


def _understood(formula: Formula, tally: Tally, na: str) -> Rows:
    raw, count, summary = tally.frame, tally.count, tally.summary
    complete, missing = _complete(tally, formula.bounds.optional if formula.bounds else ())
    incomplete = tally.left_out + (summary.incomplete if summary else _counted(count, ~complete))
    some = {name: number for name, number in missing.items() if number}
    if incomplete and na == "error":
        first = f" (the first is {row_name(raw.index[~complete], 0)})" if not complete.all() else ""
        raise DataError(
            f"{incomplete} rows have missing values in {', '.join(map(repr, some))}{first}. "
            "Fill them, drop them, or say na='drop'."
        )
    if not complete.any():
        raise DataError(
            f"Nothing is left: all {count.sum()} rows have a missing value in a column that the formula names "
            f"({', '.join(f'{name!r} {number:,}' for name, number in some.items())}). Fill them, or leave that column "
            "out."
        )
    response = _read_response(formula, rows_of(raw, complete), rows_of(count, complete), summary)
    weighty = response.weight > 0
    if not weighty.any():
        raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
    response = response if weighty.all() else response.chosen(weighty)
    used, weight = complete, response.weight
    if not (complete.all() and weighty.all()):
        used = complete.copy()
        used[complete] = weighty
        weight = count * float(isinstance(response, SingleRows) and formula.weights is None)
        weight[used] = response.weight
    variables = read_variables(formula, raw, used, weight, tally.made)
    if isinstance(response, MomentRows):
        variables = _with_averaged(formula, variables, tally.made, response)
    weightless = _counted(count, complete & ~used) + (summary.weightless if summary else 0)
    by_column = ", ".join(f"{name} {number:,}" for name, number in some.items())
    counted_all = some and not tally.left_out  # what other columns lack has left before
    notices = (*tally.notices, *([response.notice] if isinstance(response, BoundedRows) and response.notice else []))
    notices = (*notices, *([f"missing values by column: {by_column}"] if counted_all else []))
    counts = (_counted(count, used), incomplete, weightless)
    return _assembled(formula, rows_of(raw, used), response, variables, counts, notices, tally)


def _counted(count: np.ndarray, marked: np.ndarray) -> int:
    """How many rows of the data the marked ones stand for."""
    return int(rows_of(count, marked).sum()) if marked.any() else 0


def _complete(tally: Tally, optional: tuple[str, ...]) -> tuple[np.ndarray, dict[str, int]]:
    """The rows without missing values, and how many rows of the data have one, by column."""
    complete = np.ones(len(tally.frame), dtype=bool)
    if tally.summary is not None:
        return complete, tally.summary.missing
    behind = {name: recipe.sources[0] for name, recipe in tally.made.recipes.items()}
    missing = {}
    for name in map(str, tally.frame):
        if name in optional:
            continue
        gaps = Values(name, tally.frame[name]).missing
        some = gaps.any()
        missing[behind.get(name, name)] = int(tally.count[gaps].sum()) if some else 0
        if some:
            complete &= ~gaps
    return complete, missing


def _read_response(formula: Formula, raw: pd.DataFrame, count: np.ndarray, summary: Summary | None) -> ResponseRows:
    """The response of rows that stand for several, or its moments."""
    if summary is None:
        return counted(bounded_response(formula, raw), count)
    assert isinstance(formula.response, SingleResponse)
    repeats = once(len(raw)) if formula.weights is None else read_counts(Column(formula.weights), raw, WEIGHTS)
    return MomentRows(
        formula.response.name, summary.mean, "int" if summary.whole else "float", repeats * count,
        not isinstance(formula.response.expression, Column),
        moments=summary.moments, repeats=repeats, whole_numbers=summary.whole,
    )  # fmt: skip


def bounded_response(formula: Formula, raw: pd.DataFrame) -> ResponseRows:
    """The response with what is known of it by bounds."""
    response = measured_response(formula, raw)
    if formula.bounds is None or not isinstance(response, SingleRows):
        return response
    return with_bounds(response, formula.bounds, raw)


def _with_averaged(formula: Formula, variables: Variables, made: EngineVariables, response: MomentRows) -> Variables:
    """Put the variables that an engine has averaged beside the others, in the formula's order."""
    predictors = {**variables.predictors, **made.predictors}
    means = response.moments.columns()
    return replace(
        variables,
        predictors={name: predictors[name] for name in formula.variables},
        recipes={**made.recipes, **variables.recipes},
        columns={**variables.columns, **{name: means[name] for name in response.moments.names}},
        averaged=tuple(made.predictors),
    )


def _assembled(
    formula: Formula, raw: pd.DataFrame, response: ResponseRows, variables: Variables, counts: tuple[int, int, int],
    notices: tuple[str, ...], tally: Tally,
) -> Rows:  # fmt: skip
    """Put the rows used together, with their groups; `counts` are those of `Source`."""
    groupings: dict[str, Grouping] = {}
    columns = dict(variables.columns)
    remarks = [remark for name in formula.grouping_columns if name not in columns
               for remark in text_notices(name, raw[name])]  # fmt: skip
    for term in formula.all_groups:
        groupings[term.group], levels = read_grouping(term.factors, raw)
        if tally.standing_for is not None:
            groupings[term.group] = groupings[term.group].with_groups(tally.standing_for, tally.places)
        for name in levels:
            columns.setdefault(name, levels[name])
    index = pd.RangeIndex(len(raw))
    frame = pd.DataFrame(columns, index=index, copy=False)
    sources = pd.DataFrame(read_sources(variables.recipes, raw, set(columns)), index=index)
    made = {
        column
        for name in variables.predictors
        for column in variables.predictors[name].columns
        if name in variables.averaged or _follows(variables.recipes.get(name), raw)
    }
    plain = frame.drop(columns=list(made))
    factors = [predictor for predictor in variables.predictors.values() if isinstance(predictor, Factor)]
    structure: list[object] = [*factors, *(grouping.columns for grouping in groupings.values())]
    structure += [] if tally.standing_for is None else [sorted(tally.standing_for.items())]
    source = Source(*counts, Fingerprint(pd.concat([plain, sources], axis=1), response, tuple(structure)))
    return Rows(
        formula, frame, sources, response, variables, groupings, source, (*notices, *variables.notices, *remarks)
    )


def _follows(recipe: Recipe | None, frame: pd.DataFrame) -> bool:
    """Whether a variable follows from columns that are there, by functions that do not change."""
    return recipe is not None and not recipe.registered and set(recipe.sources) <= set(frame)
