"""From any frame to the rows that a formula needs: all of a small one, distinct rows or moments of a large one."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.columns.responses import read_counts
from hiermod.data.columns.values import Level, missing_rows
from hiermod.data.pushdown.expressions import NotInEngineError, is_present
from hiermod.data.pushdown.group_by import Engine
from hiermod.data.pushdown.patterns_in_memory import find_patterns_in_memory
from hiermod.data.pushdown.tally import COUNT, LARGE, Tally, each_row, tally
from hiermod.data.sources.frames import Selected, asking, select_columns
from hiermod.errors import DataError, enumerate_names
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import Formula

SAMPLE = 20_000
BYTES = 64  # what a number costs while its row becomes part of a cell
SHARE = 0.25  # of the machine's memory that may be taken for it


def gather(
    formula: Formula, data: Any, real: bool | None, compress: bool, complete: tuple[str, ...] = (),
    patterns: tuple[Level, ...] | None = None,
) -> Tally:  # fmt: skip
    """Read the columns of a formula.

    A lazy frame of more than `LARGE` rows is aggregated by its own engine where that pays; rows come to Python where it
    does not, and where an engine cannot compute a function.

    Parameters
    ----------
    real : bool, optional
        Whether the family takes real numbers; None if it is to be inferred.
    compress : bool
        False reads all rows.
    complete : tuple of str
        Other columns: rows that lack a value there are left out, too.
    patterns : tuple, optional
        Where one group may stand for all with its pattern of data, those that stand for themselves.

    Raises
    ------
    DataError
        If all rows are needed and do not fit in memory.
    """
    selected = select_columns(data, formula.all_columns, formula)
    if not complete:
        return _gathered(formula, selected, real, compress, patterns)
    with asking(data):
        whole = select_columns(data, (*formula.all_columns, *complete), formula).frame
        present = nw.all_horizontal(*(is_present(whole, name) for name in complete), ignore_nulls=False)
        frame = whole.filter(present).select(*formula.all_columns)
        left_out = _length(whole) - _length(frame)
    tally = _gathered(formula, replace(selected, frame=frame), real, compress, patterns)
    return replace(tally, left_out=left_out)


def _length(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> int:
    return len(frame) if isinstance(frame, nw.DataFrame) else int(frame.select(nw.len()).collect().item())


def _gathered(
    formula: Formula, selected: Selected, real: bool | None, compress: bool, patterns: tuple[Level, ...] | None
) -> Tally:  # fmt: skip
    frame = selected.frame
    if isinstance(frame, nw.DataFrame):
        here = selected.to_pandas(frame)
        found = find_patterns_in_memory(formula, here, patterns) if patterns is not None and compress else None
        return _counted(here, compress) if found is None else found.tally(list(here.columns), rows=here)
    with asking(selected.data):
        rows = _length(frame)
        if rows <= LARGE or formula.bounds:
            return _counted(_all(selected, rows), compress)
        return _from_engine(formula, selected, rows, real, patterns) if compress else each_row(_all(selected, rows))


def _from_engine(
    formula: Formula, selected: Selected, rows: int, real: bool | None, patterns: tuple[Level, ...] | None
) -> Tally:  # fmt: skip
    engine = Engine(formula, selected, SAMPLE, rows)
    try:
        room, moments = SHARE * _memory() / BYTES, engine.takes_moments(real)
        shared = None if patterns is None or moments else engine.patterns(room, patterns)
        counted = shared or (engine.summary() if moments else engine.tally(room))
    except NotInEngineError as error:
        why = f"{error} is not computed where the data is"
        notices = (f"{rows:,} rows read into memory: {why}",)
        return replace(tally(_all(selected, rows, why)), notices=notices)
    many = f", since {enumerate_names(sorted(engine.many))} have many values" if engine.many else ""
    return counted or tally(_all(selected, rows, f"hardly any rows are equal{many}"))


def _all(selected: Selected, rows: int, why: str = "") -> pd.DataFrame:
    """All rows, if there is room for them; `why` they are needed."""
    assert isinstance(selected.frame, nw.LazyFrame)
    names = selected.frame.collect_schema().names()
    needed, room = rows * len(names) * BYTES, SHARE * _memory()
    if needed > room:
        raise DataError(
            f"{rows:,} rows of {enumerate_names(names)} would have to be read into memory{f': {why}' if why else ''}. "
            f"They take about {needed / 1e9:.0f} GB. Round these columns or cut() them, add a column with the result "
            "to the data, or fit a sample of the rows."
        )
    return selected.to_pandas(selected.frame.collect())


def _counted(frame: pd.DataFrame, compress: bool) -> Tally:
    if not len(frame):
        raise DataError("The data has no rows.")
    return tally(frame) if compress else each_row(frame)


def _memory() -> float:
    """Bytes of memory of this machine; 8 GB where it does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return 8e9


def count_units(data: Any, names: tuple[str, ...], weights: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of the named columns, not always distinct, and how many units each stands for.

    A lazy frame is grouped by its own engine, so that distinct rows alone come to Python.

    Raises
    ------
    DataError
        If a column is not there or has missing values, or weights are no counts.
    """
    wanted = names if weights is None else tuple(dict.fromkeys([*names, weights]))
    selected = select_columns(data, wanted)
    with asking(data):
        frame = selected.frame
        if isinstance(frame, nw.LazyFrame):
            grouped = frame.group_by(list(wanted)).agg(nw.len().cast(nw.Int64).alias(COUNT))
            rows = selected.to_pandas(grouped.collect())
        else:
            rows = selected.to_pandas(frame).assign(**{COUNT: 1})
    columns, times = rows[list(wanted)], rows[COUNT].to_numpy(dtype=np.int64)
    if not len(columns):
        raise DataError("The data has no rows.")
    if (missing := missing_rows(columns)).any():
        raise DataError(
            f"{times[missing].sum()} rows have missing values in {', '.join(map(repr, wanted))}, so they are in no "
            "arm. Find out where they belong, or drop them."
        )
    units = times if weights is None else times * read_counts(Column(weights), columns).astype(np.int64)
    return columns[list(names)], units
