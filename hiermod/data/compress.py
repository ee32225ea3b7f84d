"""From rows to cells: reads a formula's columns, drops missing rows with a count, and groups equal rows exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.cells import Cells, Source
from hiermod.data.frames import check_names, missing_rows, missing_values, read_columns
from hiermod.data.levels import as_levels, code_levels, level_series
from hiermod.data.predictors import Factor, Grouping, read_grouping
from hiermod.data.responses import ResponseRows, SingleRows, TrialsRows, read_response
from hiermod.data.statistics import reduce_counts, reduce_reals, reduce_trials
from hiermod.data.variables import Variables, read_sources, read_variables
from hiermod.errors import DataError
from hiermod.formula.nodes import Formula

REDUCERS: dict[str, Callable[..., Any]] = {"trials": reduce_trials, "count": reduce_counts, "real": reduce_reals}


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a formula uses, understood and complete, before compression.

    `frame` is what the model sees; `sources` are the columns behind functions, which stay where they can.
    """

    frame: pd.DataFrame
    sources: pd.DataFrame
    response: ResponseRows
    variables: Variables
    groupings: dict[str, Grouping]
    source: Source
    notices: tuple[str, ...]


def read_rows(formula: Formula, data: Any, na: str = "drop") -> Rows:
    """Read the columns of `formula` from any frame.

    Missing rows are dropped and counted (``na="drop"``) or an error (``na="error"``); rows of no trials and of no
    weight are dropped.

    Raises
    ------
    DataError, FormulaError
        Where a column is not there or cannot be used; before anything is sampled.
    """
    if na not in ("drop", "error"):
        raise DataError(f"na={na!r}: 'drop' leaves rows with missing values out, 'error' refuses them.")
    check_names(formula)
    raw = read_columns(data, formula.all_columns(), formula)
    if raw.empty:
        raise DataError("The data has no rows.")
    complete, missing = _complete(raw, na)
    response, complete, without_trials = _weighty(read_response(formula, complete), complete)
    used = np.isin(raw.index, complete.index)
    weight = np.ones(len(raw)) if isinstance(response, SingleRows) and formula.weights is None else np.zeros(len(raw))
    weight[used] = response.weight
    variables = read_variables(formula, raw, used, weight)
    groupings = {bar.group: read_grouping(bar.factors, complete) for bar in formula.groups}
    columns = dict(variables.columns)
    for grouping in groupings.values():
        for name in grouping.columns:
            columns.setdefault(name, _group_column(name, complete[name]))
    index = pd.RangeIndex(len(complete))
    frame = pd.DataFrame(columns, index=index)
    sources = pd.DataFrame(read_sources(variables.recipes, complete, set(columns)), index=index)
    source = Source(len(complete), missing, without_trials, _fingerprint(pd.concat([frame, sources], axis=1), response))
    notices = (*_missing_notices(raw), *variables.notices)
    return Rows(frame, sources, response, variables, groupings, source, notices)


def _complete(raw: pd.DataFrame, na: str) -> tuple[pd.DataFrame, int]:
    missing = missing_rows(raw)
    count = int(missing.sum())
    if count and na == "error":
        columns = ", ".join(repr(name) for name in raw.columns if missing_values(raw[name]).any())
        raise DataError(
            f"{count} rows have missing values in {columns} (the first is row {np.flatnonzero(missing)[0]}). "
            "Fill them, drop them, or say na='drop'."
        )
    if count == len(raw):
        raise DataError(f"Nothing is left: all {count} rows have a missing value in a column that the formula names.")
    return (raw[~missing] if count else raw), count


def _missing_notices(raw: pd.DataFrame) -> list[str]:
    """How many values are missing in each column, where several columns have some."""
    counts = {name: int(missing_values(raw[name]).sum()) for name in raw.columns}
    named = [f"{name} {count:,}" for name, count in counts.items() if count]
    return [f"missing values by column: {', '.join(named)}"] if len(named) > 1 else []


def _weighty(response: ResponseRows, frame: pd.DataFrame) -> tuple[ResponseRows, pd.DataFrame, int]:
    """The rows that count: those with trials, and with a frequency weight above 0."""
    keep = response.weight > 0
    if not keep.any():
        raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
    if keep.all():
        return response, frame, 0
    return response.chosen(keep), frame[keep], int((~keep).sum())


def _group_column(name: str, values: pd.Series) -> pd.Categorical:
    return level_series(*code_levels(name, values))


def compress(rows: Rows, statistic: str, enabled: bool = True) -> Cells:
    """Group rows that agree in every column into cells, exactly.

    Parameters
    ----------
    rows : Rows
        What `read_rows` gave.
    statistic : {"trials", "count", "real"}
        Which sufficient statistics the family needs.
    enabled : bool
        False keeps each row as a cell of its own.
    """
    cell = number_rows(_key(rows)) if enabled else np.arange(rows.source.rows)
    count = int(cell.max()) + 1
    first = np.full(count, -1, dtype=np.int64)
    first[cell[::-1]] = np.arange(len(cell))[::-1]
    response = rows.response
    if statistic == "trials" and isinstance(response, SingleRows):
        response = TrialsRows(response.values, np.ones(len(response.values)), response.times)
    kept = pd.concat([rows.frame, _settled(rows.sources, cell, first)], axis=1)
    frame = kept.iloc[first].reset_index(drop=True)
    reduced = REDUCERS[statistic](response, cell, count)
    variables = rows.variables
    return Cells(frame, reduced, variables.predictors, rows.groupings, variables.recipes, rows.source)


def _key(rows: Rows) -> pd.DataFrame:
    """What rows of one cell share: the variables, and the columns behind numeric ones, so that these can be set.

    Columns behind factors that a formula makes (``cut(age, 3)``), and behind offsets, may differ within a cell.
    """
    predictors, recipes = rows.variables.predictors, rows.variables.recipes
    numeric = [name for name in recipes if not isinstance(predictors[name], Factor) and not name.startswith("offset(")]
    behind = {source for name in numeric for source in recipes[name].sources}
    return pd.concat([rows.frame, rows.sources[[name for name in rows.sources if name in behind]]], axis=1)


def _settled(sources: pd.DataFrame, cell: np.ndarray, first: np.ndarray) -> pd.DataFrame:
    """The columns that have one value in each cell, so that questions can be asked by them."""
    same = []
    for name in sources.columns:
        column = sources[name]
        values = column.cat.codes.to_numpy() if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
        if (values == values[first[cell]]).all():
            same.append(name)
    return sources[same]


def number_rows(frame: pd.DataFrame) -> np.ndarray:
    """Give equal rows of a frame one number, in the order of their values (not of their appearance)."""
    key = np.zeros(len(frame), dtype=np.int64)
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(np.int64)
        else:
            codes = np.unique(column.to_numpy(), return_inverse=True)[1]
        key = np.unique(key * (int(codes.max()) + 1) + codes, return_inverse=True)[1]
    return key


def _fingerprint(frame: pd.DataFrame, response: ResponseRows) -> str:
    digest = hashlib.sha256()
    for name in sorted(frame.columns):
        column = frame[name]
        digest.update(repr(name).encode())
        if isinstance(column.dtype, pd.CategoricalDtype):
            digest.update(repr(as_levels(column.cat.categories)).encode())
            digest.update(column.cat.codes.to_numpy().astype(np.int64).tobytes())
        else:
            digest.update(column.to_numpy().astype(float).tobytes())
    parts = (response.successes, response.trials) if isinstance(response, TrialsRows) else (response.values,)
    for part in (*parts, response.times):
        digest.update(np.ascontiguousarray(part, dtype=float).tobytes())
    return digest.hexdigest()
