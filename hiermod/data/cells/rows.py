"""Reads the rows that a formula uses, understood and complete; counts those left out, and fingerprints the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.choices import MISSING
from hiermod.data.cells.table import Source
from hiermod.data.columns.bounds import BoundedRows, with_bounds
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.groupings import Grouping, read_grouping, text_notices
from hiermod.data.columns.measured import MeasuredRows, measured_response
from hiermod.data.columns.predictors import EngineVariables, Factor, Variables, read_sources, read_variables
from hiermod.data.columns.responses import (
    WEIGHTS,
    MomentRows,
    ResponseRows,
    SingleRows,
    TallyRows,
    TrialsRows,
    counted,
    read_counts,
)
from hiermod.data.columns.texts import row_name
from hiermod.data.columns.values import Level, Values, as_levels
from hiermod.data.pushdown.gather import gather
from hiermod.data.pushdown.tally import Summary, Tally
from hiermod.data.sources.frames import read_columns
from hiermod.errors import DataError, HiermodError
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import Formula, SingleResponse

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
AT_ONCE = 2**15  # rows, whose hashes stay in the processor's cache
DIGITS = 6  # of sums that an engine may add up in any order


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
    response = _read_response(formula, raw[used], np.ones(int(used.sum())), None)
    weighty = response.weight > 0
    used[used] = weighty
    return FittedRows(raw, used, response.chosen(weighty))


def _understood(formula: Formula, tally: Tally, na: str) -> Rows:
    raw, count, summary = tally.frame, tally.count, tally.summary
    complete, missing = _complete(tally, formula.bounds.optional if formula.bounds else ())
    incomplete = tally.left_out + (summary.incomplete if summary else int(count[~complete].sum()))
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
    response = _read_response(formula, raw[complete], count[complete], summary)
    weighty = response.weight > 0
    if not weighty.any():
        raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
    response = response if weighty.all() else response.chosen(weighty)
    used = complete.copy()
    used[complete] = weighty
    weight = count * float(isinstance(response, SingleRows) and formula.weights is None)
    weight[used] = response.weight
    variables = read_variables(formula, raw, used, weight, tally.made)
    if isinstance(response, MomentRows):
        variables = _with_averaged(formula, variables, tally.made, response)
    weightless = int(count[complete & ~used].sum()) + (summary.weightless if summary else 0)
    by_column = ", ".join(f"{name} {number:,}" for name, number in some.items())
    counted_all = some and not tally.left_out  # what other columns lack has left before
    notices = (*tally.notices, *([response.notice] if isinstance(response, BoundedRows) and response.notice else []))
    notices = (*notices, *([f"missing values by column: {by_column}"] if counted_all else []))
    counts = (int(count[used].sum()), incomplete, weightless)
    return _assembled(formula, raw[used], response, variables, counts, notices, tally)


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
        missing[behind.get(name, name)] = int(tally.count[gaps].sum())
        complete &= ~gaps
    return complete, missing


def _read_response(formula: Formula, raw: pd.DataFrame, count: np.ndarray, summary: Summary | None) -> ResponseRows:
    """The response of rows that stand for several, or its moments."""
    if summary is None:
        return counted(bounded_response(formula, raw), count)
    assert isinstance(formula.response, SingleResponse)
    repeats = np.ones(len(raw)) if formula.weights is None else read_counts(Column(formula.weights), raw, WEIGHTS)
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
    frame = pd.DataFrame(columns, index=index)
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
    source = Source(*counts, _fingerprint(pd.concat([plain, sources], axis=1), response, structure))
    return Rows(
        formula, frame, sources, response, variables, groupings, source, (*notices, *variables.notices, *remarks)
    )


def _follows(recipe: Recipe | None, frame: pd.DataFrame) -> bool:
    """Whether a variable follows from columns that are there, by functions that do not change."""
    return recipe is not None and not recipe.registered and set(recipe.sources) <= set(frame)


def _fingerprint(frame: pd.DataFrame, response: ResponseRows, structure: Iterable[object]) -> str:
    """Two sums of hashes over rows, each as often as it counts, as text: the same in any order, counted or one by one.

    `structure` is what rows alone do not tell, such as the order of levels.
    """
    parts, scales = _parts(response)
    columns = [_hashes(frame[name].array, name) for name in sorted(frame.columns)]
    columns += [_hashes(part, f"response {place}") for place, part in enumerate(parts)]
    structured = _hash(repr([*map(repr, structure), scales]))
    sums = np.zeros(2, dtype=np.uint64)
    for start in range(0, len(frame), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        row = np.zeros(len(response.times[some]), dtype=np.uint64)
        for hashes in columns:
            row = _mixed(row, hashes(some))
        row = _mixed(row, structured)
        times = response.times[some].astype(np.uint64)
        sums += [(times * own).sum(dtype=np.uint64) for own in (row, _mixed(row, row))]
    return "".join(f"{total:016x}" for total in sums)


def _parts(response: ResponseRows) -> tuple[list[np.ndarray], list[str]]:
    """The numbers of each row, and what scales them.

    Of rows that stand for many these are means and cross-products in units of the spread, rounded: an engine may add up
    in any order.
    """
    if isinstance(response, TrialsRows):
        return [response.successes, response.trials], []
    if isinstance(response, TallyRows):
        return list(response.counts.T), []
    if isinstance(response, BoundedRows | MeasuredRows):
        return list(response.parts.values()), []
    if not isinstance(response, MomentRows):
        return [response.values], []
    moments, count = response.moments, response.times
    squares = np.einsum("cii->i", moments.cross) / count.sum()
    spread = np.where(squares > 0.0, np.sqrt(squares), 1.0)
    means = np.column_stack([moments.mean, response.values]) / spread
    cross = moments.cross / spread / spread[:, None] / count[:, None, None]
    upper = np.triu_indices(len(spread))
    parts = [*means.T, *(cross[:, row, column] for row, column in zip(*upper, strict=True))]
    centres = [moments.centres[name] / spread[moments.features.index((name,))] for name in moments.names]
    return [np.round(part, DIGITS) for part in parts], [f"{scale:.{DIGITS}g}" for scale in (*spread, *centres)]


def _hashes(column: pd.api.extensions.ExtensionArray | np.ndarray, name: str) -> Callable[[slice], np.ndarray]:
    """The hashes of some rows of a column."""
    if isinstance(column, pd.Categorical):
        texts = np.array([f"{name}\0{level!r}" for level in as_levels(column.categories)], dtype=object)
        levels, codes = pd.util.hash_array(texts, categorize=False), column.codes
        return lambda some: levels[codes[some]]
    own = _hash(name)
    return lambda some: _mixed(pd.util.hash_array(np.asarray(column[some], dtype=float) + 0.0), own)


def _hash(text: str) -> np.ndarray:
    return pd.util.hash_array(np.array([text], dtype=object), categorize=False)


def _mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Hashes of pairs, which depend on their order."""
    mixed = (one ^ (one >> np.uint64(29))) * MULTIPLIER + other
    return (mixed ^ (mixed >> np.uint64(32))) * MULTIPLIER
