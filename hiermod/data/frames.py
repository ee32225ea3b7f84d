"""The door for data: any frame that narwhals knows, or a path, becomes a pandas frame of the columns needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.paths import is_path, open_path, ordered_columns, reading
from hiermod.errors import DataError, FormulaError, did_you_mean
from hiermod.formula.nodes import Formula

RESERVED = ("chain", "draw", "row", "Intercept", "sigma", "__obs__", ".", "..")
NULLABLE = {"bool": "boolean"}
NULLABLE |= {f"{u}int{bits}": f"{u.upper()}Int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)}
RESULT_COLUMNS = ("estimate", "lower", "upper", "contrast", "prob_beats", "prob_rope", "expected_loss")


def read_columns(data: Any, names: tuple[str, ...], formula: Formula | None = None) -> pd.DataFrame:
    """Return the named columns of any frame, or of the files behind a path, as pandas, rows numbered from 0.

    Raises
    ------
    DataError
        Where `data` is no frame, or names a column twice.
    FormulaError
        Where the formula names a column that is not there; the nearest names are shown.
    """
    frame = _narwhals_frame(data, names)
    lazy = isinstance(frame, nw.LazyFrame)
    present = frame.collect_schema().names() if lazy else list(frame.columns)
    for name in names:
        if name not in present:
            _missing_column(name, present, formula)
    with reading(data):
        if not names:
            return pd.DataFrame(index=pd.RangeIndex(_row_count(frame)))
        eager = frame.select(*names).collect() if isinstance(frame, nw.LazyFrame) else frame[list(names)]
    enums = [name for name in names if lazy and frame.collect_schema()[name] == nw.Enum]
    columns = _as_pandas(eager, enums).reset_index(drop=True)
    for name in ordered_columns(data).intersection(enums):
        columns[name] = columns[name].cat.as_ordered()
    return columns


def _row_count(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> int:
    return len(frame) if isinstance(frame, nw.DataFrame) else int(frame.select(nw.len()).collect().item())


def column_names(data: Any) -> tuple[str, ...]:
    """The names of a frame's columns, in order."""
    return tuple(_narwhals_frame(data, ()).collect_schema().names())


def has_columns(data: Any, names: Iterable[str]) -> bool:
    """Whether a frame has all the named columns."""
    return set(names) <= set(column_names(data))


def _as_pandas(frame: nw.DataFrame[Any], enums: Collection[str]) -> pd.DataFrame:
    """Convert so that whole numbers and booleans stay what they are beside missing values.

    Encoded text that has no order of its own (polars' Categorical, Arrow's dictionaries) becomes plain text, since
    the order of its codes is that of first appearance. `enums` have one.
    """
    if frame.implementation.is_pandas_like():
        return frame.to_pandas()
    encoded = [name for name, dtype in frame.schema.items() if dtype == nw.Categorical and name not in enums]
    frame = frame.with_columns(*(frame[name].cast(nw.String) for name in encoded))
    try:
        return frame.to_arrow().to_pandas(types_mapper=_nullable)
    except Exception as error:
        raise DataError(f"The data cannot be converted to Arrow: {error}") from error


def _nullable(kind: Any) -> Any:
    """Return pandas' dtype that holds missing values beside integers or booleans of this Arrow type."""
    return pd.api.types.pandas_dtype(NULLABLE[str(kind)]) if str(kind) in NULLABLE else None


def _narwhals_frame(data: Any, names: Collection[str] | None = None) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """Any frame, or what stands behind a path, as narwhals sees it; `names` are the columns that will be used."""
    if is_path(data):
        data = open_path(data, names)
    if isinstance(data, pd.DataFrame):
        data = data.rename(columns=str)
    names = pd.Index(data.columns if isinstance(data, pd.DataFrame) else getattr(data, "column_names", ()))
    repeated = names[names.duplicated()]
    if len(repeated):
        raise DataError(f"The data has two columns named {repeated[0]!r}. Rename one of them.")
    try:
        return nw.from_native(data)
    except TypeError as error:
        raise DataError(
            f"The data is of type {type(data).__name__}, not a data frame or a path. "
            "A dict becomes a frame: pandas.DataFrame(...)."
        ) from error


def _missing_column(name: str, present: list[str], formula: Formula | None) -> None:
    message = f"There is no column {name!r} in the data.{did_you_mean(name, present)}"
    if formula is None or name not in formula.places:
        raise DataError(message)
    raise FormulaError(message, formula.text, *formula.places[name])


def check_names(formula: Formula) -> None:
    """Refuse columns whose names a posterior or a table of results needs for itself."""
    predictors = (*formula.predictor_columns(), *formula.grouping_columns())
    for name in (*predictors, *formula.response.columns, *((formula.weights,) if formula.weights else ())):
        clash = name in RESERVED or (name in RESULT_COLUMNS and name in predictors)
        if clash:
            raise FormulaError(
                f"hiermod's results use the name {name!r} themselves. "
                f"Rename the column: data.rename(columns={{{name!r}: {name + '_'!r}}}).",
                formula.text,
                *formula.places.get(name, (0, 1)),
            )


def missing_rows(frame: pd.DataFrame) -> np.ndarray:
    """Mark the rows with NaN or null in any column."""
    return np.column_stack([missing_values(frame[name]) for name in frame.columns]).any(axis=1)


def missing_values(values: pd.Series) -> np.ndarray:
    """Mark NaN and null; a column of Arrow's may hold both, and pandas counts null alone."""
    missing = values.isna().to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(values.dtype) and pd.api.types.is_extension_array_dtype(values.dtype):
        return missing | np.isnan(values.to_numpy(dtype=float, na_value=np.nan))
    return missing


def check_finite(name: str, values: np.ndarray, rows: pd.Index | None = None) -> None:
    """Refuse infinity, naming the first row that holds it by its place in the data."""
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise DataError(
            f"The column {name!r} holds infinity ({len(infinite)} rows, the first is row "
            f"{infinite[0] if rows is None else rows[infinite[0]]}). "
            "Replace it by a number, or by a missing value to drop those rows."
        )
