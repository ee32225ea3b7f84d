"""Reads the rows that a formula uses, understood and complete; counts those left out, and fingerprints the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.choices import MISSING
from hiermod.data.cells.table import Source
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.groupings import Grouping, read_grouping
from hiermod.data.columns.predictors import Factor, Known, Variables, read_sources, read_variables
from hiermod.data.columns.responses import (
    MomentRows,
    ResponseRows,
    SingleRows,
    TrialsRows,
    counted,
    read_counts,
    read_response,
)
from hiermod.data.columns.values import as_levels, code_levels, level_series, missing_rows, missing_values, row_name
from hiermod.data.pushdown.gather import gather
from hiermod.data.pushdown.group_by import Summary
from hiermod.data.pushdown.tally import Tally, each_row
from hiermod.errors import DataError, HiermodError
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import Formula, SingleResponse

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
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


def read_rows(formula: Formula, data: Any, na: str = "drop", compress: bool = True, real: bool | None = None) -> Rows:
    """Read the columns of `formula` from any frame.

    Missing rows are dropped and counted (``na="drop"``) or an error (``na="error"``); rows of no trials and of no
    weight are dropped. With `compress`, equal rows of large frames are counted at once, lazy ones by their engine;
    `real` says whether the family takes real numbers, None if that is to be inferred.

    Raises
    ------
    DataError, FormulaError
        Where a column is not there or cannot be used; before anything is sampled.
    """
    if na not in MISSING:
        raise DataError(f"na={na!r}: 'drop' leaves rows with missing values out, 'error' refuses them.")
    read = gather(formula, data, real, compress)
    if isinstance(read, Summary):
        return _of_summary(formula, read, na)
    try:
        return _of_tally(formula, read, na)
    except HiermodError:
        if read.rows is None:
            raise
    return _of_tally(formula, each_row(read.rows), na)  # so that errors count and name rows, not distinct ones


def _of_tally(formula: Formula, read: Tally, na: str) -> Rows:
    raw = read.frame
    complete = ~missing_rows(raw)
    behind = {name: recipe.sources[0] for name, recipe in read.known.recipes.items()}
    missing = {behind.get(name, name): int(read.count[missing_values(raw[name])].sum()) for name in raw.columns}
    first = f" (the first is {row_name(raw.index[~complete], 0)})" if not complete.all() else ""
    _refuse_missing(int(read.count[~complete].sum()), missing, na, first)
    if not complete.any():
        columns = ", ".join(f"{name!r} {count:,}" for name, count in missing.items() if count)
        raise DataError(
            f"Nothing is left: all {read.count.sum()} rows have a missing value in a column that the formula names "
            f"({columns}). Fill them, or leave that column out."
        )
    response = counted(read_response(formula, raw[complete]), read.count[complete])
    response, weighty = _weighty(response)
    used = complete.copy()
    used[complete] = weighty
    weight = read.count * float(isinstance(response, SingleRows) and formula.weights is None)
    weight[used] = response.weight
    variables = read_variables(formula, raw, used, weight, read.known)
    left_out = (int(read.count[~complete].sum()), int(read.count[complete & ~used].sum()))
    notices = (*read.notices, *_missing_notices(missing))
    return assemble(formula, raw[used], response, variables, int(read.count[used].sum()), left_out, notices)


def _of_summary(formula: Formula, read: Summary, na: str) -> Rows:
    _refuse_missing(read.incomplete, read.missing, na, "")
    raw, count = read.tally.frame, read.tally.count
    repeats = np.ones(len(raw)) if formula.weights is None else read_counts(Column(formula.weights), raw)
    assert isinstance(formula.response, SingleResponse)
    transformed = not isinstance(formula.response.expression, Column)
    response, weighty = _weighty(
        MomentRows(
            formula.response.name, read.mean, "int" if read.whole else "float", repeats * count, transformed,
            moments=read.moments, repeats=repeats, whole_numbers=read.whole,
        )
    )  # fmt: skip
    assert isinstance(response, MomentRows)
    known = read.tally.known
    variables = _with_averaged(formula, read_variables(formula, raw, weighty, repeats * count, known), known, response)
    left_out = (read.incomplete, read.weightless)
    notices = _missing_notices(read.missing)
    return assemble(formula, raw[weighty], response, variables, int(count[weighty].sum()), left_out, notices)


def _with_averaged(formula: Formula, found: Variables, known: Known, response: MomentRows) -> Variables:
    """Put the variables that an engine has averaged beside the others, in the formula's order."""
    predictors = {**found.predictors, **known.predictors}
    means = response.moments.columns()
    return replace(
        found,
        predictors={name: predictors[name] for name in formula.variables},
        recipes={**known.recipes, **found.recipes},
        columns={**found.columns, **{name: means[name] for name in response.moments.names}},
        averaged=tuple(known.predictors),
    )


def _weighty(response: Any) -> tuple[ResponseRows, np.ndarray]:
    """The rows that count, those with trials and with a frequency weight above 0, and which they are."""
    weighty = response.weight > 0
    if not weighty.any():
        raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
    return response if weighty.all() else response.chosen(weighty), weighty


def assemble(
    formula: Formula, frame: pd.DataFrame, response: ResponseRows, variables: Variables, rows: int,
    left_out: tuple[int, int], notices: tuple[str, ...],
) -> Rows:  # fmt: skip
    """Put the rows used together, with their groups; `left_out` counts rows with missing values and without weight."""
    groupings = {term.group: read_grouping(term.factors, frame) for term in formula.groups}
    columns = dict(variables.columns)
    for grouping in groupings.values():
        for name in grouping.columns:
            columns.setdefault(name, level_series(*code_levels(name, frame[name])))
    index = pd.RangeIndex(len(frame))
    own = pd.DataFrame(columns, index=index)
    sources = pd.DataFrame(read_sources(variables.recipes, frame, set(columns)), index=index)
    made = {
        column
        for name in variables.predictors
        for column in variables.predictors[name].columns
        if name in variables.averaged or _follows(variables.recipes.get(name), frame)
    }
    plain = own.drop(columns=list(made))
    factors = [predictor for predictor in variables.predictors.values() if isinstance(predictor, Factor)]
    structure = [*factors, *(grouping.columns for grouping in groupings.values())]
    source = Source(rows, *left_out, _fingerprint(pd.concat([plain, sources], axis=1), response, structure))
    return Rows(formula, own, sources, response, variables, groupings, source, (*notices, *variables.notices))


def _follows(recipe: Recipe | None, frame: pd.DataFrame) -> bool:
    """Whether a variable follows from columns that are there, by functions that do not change."""
    return recipe is not None and not recipe.registered and set(recipe.sources) <= set(frame)


def _refuse_missing(count: int, by_column: Mapping[str, int], na: str, first: str) -> None:
    if count and na == "error":
        columns = ", ".join(repr(name) for name, own in by_column.items() if own)
        raise DataError(
            f"{count} rows have missing values in {columns}{first}. Fill them, drop them, or say na='drop'."
        )


def _missing_notices(by_column: Mapping[str, int]) -> tuple[str, ...]:
    """How many values are missing in each column."""
    named = [f"{name} {count:,}" for name, count in by_column.items() if count]
    return (f"missing values by column: {', '.join(named)}",) if named else ()


def _fingerprint(frame: pd.DataFrame, response: ResponseRows, structure: Iterable[object]) -> str:
    """Two sums of hashes over rows, each as often as it counts, as text: the same in any order, counted or one by one.

    `structure` is what rows alone do not tell, such as the order of levels.
    """
    row = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(frame.columns):
        row = _mixed(row, _hashes(frame[name], name))
    parts, scales = _parts(response)
    for place, part in enumerate(parts):
        row = _mixed(row, _hashes(pd.Series(part), f"response {place}"))
    structured = pd.util.hash_array(np.array([repr([*map(repr, structure), scales])], dtype=object), categorize=False)
    row = _mixed(row, np.repeat(structured, len(row)))
    times = response.times.astype(np.uint64)
    sums = [int((times * hashes).sum(dtype=np.uint64)) for hashes in (row, _mixed(row, row))]
    return "".join(f"{total:016x}" for total in sums)


def _parts(response: ResponseRows) -> tuple[list[np.ndarray], list[str]]:
    """The numbers of each row, and what scales them.

    Of rows that stand for many these are means and cross-products in units of the spread, rounded: an engine may add up
    in any order.
    """
    if isinstance(response, TrialsRows):
        return [response.successes, response.trials], []
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


def _hashes(column: pd.Series, name: str) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = np.array([f"{name}\0{level!r}" for level in as_levels(column.cat.categories)], dtype=object)
        return pd.util.hash_array(levels, categorize=False)[column.cat.codes.to_numpy()]
    numbers = column.to_numpy(dtype=float) + 0.0
    return _mixed(pd.util.hash_array(numbers), pd.util.hash_array(np.array([name], dtype=object), categorize=False))


def _mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Hashes of pairs, which depend on their order."""
    mixed = (one ^ (one >> np.uint64(29))) * MULTIPLIER + other
    return (mixed ^ (mixed >> np.uint64(32))) * MULTIPLIER
