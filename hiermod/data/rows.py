"""Reads the rows that a formula uses: its columns, understood and complete; rows left out are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.cells import Source
from hiermod.data.fingerprint import fingerprint
from hiermod.data.frames import check_names, missing_rows, missing_values, read_columns
from hiermod.data.levels import code_levels, level_series
from hiermod.data.predictors import Grouping, read_grouping
from hiermod.data.responses import ResponseRows, SingleRows, counted, read_response
from hiermod.data.tally import Tally, each_row, tally
from hiermod.data.variables import Variables, read_sources, read_variables
from hiermod.errors import DataError
from hiermod.formula.nodes import Formula


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


def read_rows(formula: Formula, data: Any, na: str = "drop", compress: bool = True) -> Rows:
    """Read the columns of `formula` from any frame.

    Missing rows are dropped and counted (``na="drop"``) or an error (``na="error"``); rows of no trials and of no
    weight are dropped. With `compress`, equal rows of large frames are counted at once.

    Raises
    ------
    DataError, FormulaError
        Where a column is not there or cannot be used; before anything is sampled.
    """
    if na not in ("drop", "error"):
        raise DataError(f"na={na!r}: 'drop' leaves rows with missing values out, 'error' refuses them.")
    check_names(formula)
    frame = read_columns(data, formula.all_columns(), formula)
    if frame.empty:
        raise DataError("The data has no rows.")
    return _understand(formula, tally(frame) if compress else each_row(frame), na)


def _understand(formula: Formula, read: Tally, na: str) -> Rows:
    raw = read.frame
    complete = ~missing_rows(raw)
    _refuse_missing(read, complete, na)
    response = counted(read_response(formula, raw[complete]), read.count[complete])
    weighty = response.weight > 0
    if not weighty.any():
        raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
    response = response if weighty.all() else response.chosen(weighty)
    used = complete.copy()
    used[complete] = weighty
    weight = read.count * float(isinstance(response, SingleRows) and formula.weights is None)
    weight[used] = response.weight
    variables = read_variables(formula, raw, used, weight)
    left_out = (int(read.count[~complete].sum()), int(read.count[complete & ~used].sum()))
    notices = _missing_notices(read)
    return assemble(formula, raw[used], response, variables, int(read.count[used].sum()), left_out, notices)


def assemble(
    formula: Formula, frame: pd.DataFrame, response: ResponseRows, variables: Variables, rows: int,
    left_out: tuple[int, int], notices: tuple[str, ...],
) -> Rows:  # fmt: skip
    """Put the rows used together, with their groups; `left_out` counts rows with missing values and without weight."""
    groupings = {bar.group: read_grouping(bar.factors, frame) for bar in formula.groups}
    columns = dict(variables.columns)
    for grouping in groupings.values():
        for name in grouping.columns:
            columns.setdefault(name, level_series(*code_levels(name, frame[name])))
    index = pd.RangeIndex(len(frame))
    own = pd.DataFrame(columns, index=index)
    sources = pd.DataFrame(read_sources(variables.recipes, frame, set(columns)), index=index)
    source = Source(rows, *left_out, fingerprint(pd.concat([own, sources], axis=1), response))
    return Rows(formula, own, sources, response, variables, groupings, source, (*notices, *variables.notices))


def _refuse_missing(read: Tally, complete: np.ndarray, na: str) -> None:
    count = int(read.count[~complete].sum())
    if count and na == "error":
        columns = ", ".join(repr(name) for name in read.frame.columns if missing_values(read.frame[name]).any())
        raise DataError(
            f"{count} rows have missing values in {columns} (the first is row {read.frame.index[~complete][0]}). "
            "Fill them, drop them, or say na='drop'."
        )
    if not complete.any():
        raise DataError(f"Nothing is left: all {count} rows have a missing value in a column that the formula names.")


def _missing_notices(read: Tally) -> tuple[str, ...]:
    """How many values are missing in each column, where several columns have some."""
    counts = {name: int(read.count[missing_values(read.frame[name])].sum()) for name in read.frame.columns}
    named = [f"{name} {count:,}" for name, count in counts.items() if count]
    return (f"missing values by column: {', '.join(named)}",) if len(named) > 1 else ()
