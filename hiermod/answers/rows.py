"""The rows that an answer averages over or predicts: the fitted cells, or a user's own rows read as those were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.frames import has_columns, missing_rows, read_columns
from hiermod.data.levels import kind_of
from hiermod.data.responses import read_counts
from hiermod.errors import AnswerError, DataError, enumerate_names
from hiermod.formula.expressions import columns
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec

AnySpec = Spec | BetaSpec


@dataclass(frozen=True, eq=False)
class Base:
    """Rows to average over, with their weights."""

    frame: pd.DataFrame
    weight: np.ndarray


def base_rows(
    spec: AnySpec, data: Any, weights: str | None, needed: Sequence[str], groups: str, setting: Sequence[str] = ()
) -> Base:
    """The fitted cells, or the rows of `data` read as the model reads them.

    `data` need not have the columns in `setting`, each of whose levels every row is set to.
    """
    if data is None:
        if weights is not None:
            raise AnswerError("weights= names a column of data=, which is not given.")
        return Base(spec.cells.frame, spec.cells.response.weight)
    if weights is not None and not isinstance(weights, str):
        raise AnswerError(f"weights={weights!r}: the name of a column of data= is needed.")
    frame = new_rows(spec, data, needed, groups, setting)
    weight = _own_weights(spec, data, len(frame)) if weights is None else _read_weights(data, weights)
    return Base(frame, weight)


def new_rows(
    spec: AnySpec, data: Any, needed: Sequence[str], groups: str, setting: Sequence[str] = (), also: Sequence[str] = ()
) -> pd.DataFrame:
    """The columns of new rows that an answer needs; those in `setting` and `also` only where `data` has them."""
    names = [*spec.formula.predictors(), *(name for name in needed if name in spec.cells.frame)]
    if groups == "observed":
        names += spec.formula.grouping_columns()
    names = [name for name in dict.fromkeys(names) if name not in setting or has_columns(data, (name,))]
    names += [name for name in also if name not in names and has_columns(data, (name,))]
    raw = read_columns(data, tuple(names))
    if not len(raw):
        raise DataError("data= has no rows.")
    if len(names) and (missing := missing_rows(raw)).any():
        which = [name for name in names if missing_rows(raw[[name]]).any()]
        raise DataError(
            f"data= has missing values in {missing.sum()} rows, in {enumerate_names(which)} "
            f"(the first is row {np.flatnonzero(missing)[0]}). Fill or drop those rows."
        )
    return read_new_rows(spec, raw)


def read_new_rows(spec: AnySpec, raw: pd.DataFrame) -> pd.DataFrame:
    """Code new rows as the fitted ones; unknown levels of predictors are refused, of groups kept as they are."""
    predictors = spec.cells.predictors
    columns = {name: predictors[name].column(raw[name]) if name in predictors else raw[name] for name in raw.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(raw)))


def _own_weights(spec: AnySpec, data: Any, rows: int) -> np.ndarray:
    """A row weighs its trials where the response has them and `data` too; else one."""
    response = spec.formula.response
    if not isinstance(response, TrialsResponse) or not has_columns(data, columns(response.trials)):
        return np.ones(rows)
    trials = trials_of(response, data, rows)
    if not trials.any():
        raise DataError(f"data= has no trials: {response.trials} is 0 in every row.")
    return trials


def trials_of(response: TrialsResponse, data: Any, rows: int) -> np.ndarray:
    """The trials of each row of new data."""
    names = tuple(dict.fromkeys(columns(response.trials)))
    frame = read_columns(data, names) if names else pd.DataFrame(index=pd.RangeIndex(rows))
    if names and missing_rows(frame).any():
        raise DataError(f"The trials of data=, {response.trials}, are missing in some rows. Fill or drop those rows.")
    return read_counts(response.trials, frame)


def _read_weights(data: Any, weights: str) -> np.ndarray:
    column = read_columns(data, (weights,))[weights]
    if kind_of(column) not in ("int", "float", "bool"):
        raise DataError(f"The weights in {weights!r} hold {kind_of(column)}, not numbers.")
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(f"The weights in {weights!r} must be finite numbers from 0 on, not all of them 0.")
    return values
