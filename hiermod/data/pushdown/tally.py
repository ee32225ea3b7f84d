"""Equal rows counted, so that what follows sees each distinct row once; DuckDB counts those of frames in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from hiermod.data.columns.moments import Moments
from hiermod.data.columns.predictors import NOTHING, EngineVariables
from hiermod.data.columns.values import hardly_repeats
from hiermod.data.sources.connection import connect

LARGE = 100_000  # rows; fewer are read one by one
PREFIX = "hiermod's own "  # begins the names of columns that are made beside the user's
ROW, COUNT = f"{PREFIX}row", f"{PREFIX}rows"


@dataclass(frozen=True, eq=False)
class Summary:
    """What an engine found of a real response that has too many values to be counted, for each row of a `Tally`.

    Parameters
    ----------
    mean : ndarray, shape (rows,)
        Of the response.
    moments : Moments
        Of the averaged predictors and the response.
    whole : bool
        Whether the response holds whole numbers from 0 on.
    missing : dict
        Rows with missing values by column.
    incomplete, weightless : int
        Rows with any missing value, and others with the weight 0.
    """

    mean: np.ndarray
    moments: Moments
    whole: bool
    missing: dict[str, int]
    incomplete: int
    weightless: int


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows of the columns that a formula reads, how many rows of the data each stands for, and what to tell.

    `summary` has what an engine averaged; `rows` are the data's one by one, where those in memory were counted;
    `left_out` is how many rows are not here, since they lack a value in a column that is none of the formula's.
    `standing_for` says for how many groups each group here stands, where there is one for each pattern of data;
    `places` are those of groups that stand for themselves, among all.
    """

    frame: pd.DataFrame
    count: np.ndarray
    made: EngineVariables = NOTHING
    summary: Summary | None = None
    notices: tuple[str, ...] = ()
    rows: pd.DataFrame | None = None
    left_out: int = 0
    standing_for: Mapping[Any, int] | None = None
    places: Mapping[Any, int] = field(default_factory=dict)

    @property
    def one_by_one(self) -> Tally | None:
        """Every row by itself, where rows in memory were counted."""
        return None if self.rows is None else replace(each_row(self.rows), left_out=self.left_out)


def each_row(frame: pd.DataFrame) -> Tally:
    """Every row by itself."""
    return Tally(frame, np.broadcast_to(np.int64(1), len(frame)))


def tally(frame: pd.DataFrame) -> Tally:
    """The distinct rows in order of appearance, under the number of their first row; all rows where that hardly pays.

    DuckDB groups the columns where they lie, on all cores.
    """
    if len(frame) <= LARGE or not len(frame.columns):
        return each_row(frame)
    import duckdb

    try:
        if hardly_repeats(frame):
            return each_row(frame)
        first, count = _grouped(frame)
    except (TypeError, OverflowError, pa.ArrowException, duckdb.Error):  # a column of mixed types; others tell of it
        return each_row(frame)
    order = np.argsort(first)
    return Tally(frame.iloc[first[order]], count[order], rows=frame)


def _grouped(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each distinct one, and how many are equal to it."""
    columns = {str(place): _comparable(frame[name]) for place, name in enumerate(frame.columns)}
    table = pa.table({**columns, ROW: pa.array(np.arange(len(frame)))})
    relation = nw.from_native(connect().from_arrow(table))
    grouped = relation.group_by(list(columns)).agg(nw.col(ROW).min(), nw.len().cast(nw.Int64).alias(COUNT)).collect()
    return grouped[ROW].to_numpy(), grouped[COUNT].to_numpy()


def _comparable(values: pd.Series) -> pa.Array | pa.ChunkedArray:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pa.array(values.cat.codes.to_numpy())
    return pa.array(values, from_pandas=True)
