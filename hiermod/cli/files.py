"""Reads the data file of ``hiermod fit``: what the file says, or an error; nothing shifted, recoded or guessed."""

from __future__ import annotations

import csv
import warnings
from typing import Any

from hiermod.errors import DataError


def read_file(path: str) -> Any:
    """Read CSV or Parquet; whole numbers and booleans stay what they are beside empty cells.

    Raises
    ------
    DataError
        If the file cannot be read, or a CSV has two columns of one name or rows longer than its header.
    """
    try:
        return _read_csv(path) if path.lower().endswith(".csv") else _read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path!r} cannot be read: {error}") from error


def _read_csv(path: str) -> Any:
    import pandas as pd

    with open(path, newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"{path!r} has two columns named {twice[0]!r}. Rename one of them.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(path, low_memory=False, index_col=False, dtype_backend="numpy_nullable")
        except pd.errors.ParserWarning as error:
            raise DataError(
                f"{path!r} has rows with more fields than its header, which names {len(header)} columns. "
                "Remove commas at the ends of lines, or name every column."
            ) from error
    return _with_leading_zeros(path, frame)


def _with_leading_zeros(path: str, frame: Any) -> Any:
    """Codes such as 01234 are text: as numbers they would merge with 1234."""
    import pandas as pd

    whole = [name for name in frame.columns if pd.api.types.is_integer_dtype(frame[name].dtype)]
    if not whole:
        return frame
    texts = pd.read_csv(path, usecols=whole, dtype="string", index_col=False)
    for name in whole:
        if texts[name].str.match(r"\s*[+-]?0[0-9]").any():
            frame[name] = texts[name]
    return frame


def _read_parquet(path: str) -> Any:
    """A frame that pandas wrote keeps its categories' order; others are read as Arrow tables."""
    import pandas as pd
    import pyarrow.parquet as parquet

    if b"pandas" in (parquet.read_schema(path).metadata or {}):
        return pd.read_parquet(path, dtype_backend="numpy_nullable")
    return parquet.read_table(path)
