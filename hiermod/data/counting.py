"""Counts rows of any frame where it is: distinct values of some columns, and how many units have them."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.frames import asking, missing_rows, select_columns
from hiermod.data.responses import read_counts
from hiermod.data.tally import COUNT
from hiermod.errors import DataError
from hiermod.formula.expressions import Column


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
            found = selected.to_pandas(grouped.collect())
        else:
            found = selected.to_pandas(frame).assign(**{COUNT: 1})
    own, times = found[list(wanted)], found[COUNT].to_numpy(dtype=np.int64)
    if not len(own):
        raise DataError("The data has no rows.")
    if (missing := missing_rows(own)).any():
        raise DataError(
            f"{times[missing].sum()} rows have missing values in {', '.join(map(repr, wanted))}, so they are in no "
            "arm. Find out where they belong, or drop them."
        )
    units = times if weights is None else times * read_counts(Column(weights), own).astype(np.int64)
    return own[list(names)], units
