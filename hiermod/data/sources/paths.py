"""The door for files: a path becomes a lazy DuckDB relation, or an error that says what to do.

`FORMATS` has a record for each kind of file. To add one: a file beside this one that opens it, and its record here.
"""

from __future__ import annotations

import csv
import glob
import os
import re
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.data.sources import csv_files, parquet_files
from hiermod.data.sources.connection import connect, reason
from hiermod.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import duckdb

OWN_WAY = "Open it with pandas, polars or duckdb, and pass the frame"


@dataclass(frozen=True)
class Format:
    """A kind of files: how their names end, how they are opened, and which columns one says to be ordered."""

    endings: tuple[str, ...]
    open: Callable[..., duckdb.DuckDBPyRelation]
    ordered_columns: Callable[[str], frozenset[str]] = lambda _: frozenset()


CSV = Format((".csv",), csv_files.open_csv)
PARQUET = Format((".parquet", ".pq"), parquet_files.open_parquet, parquet_files.ordered_columns)
FORMATS = {ending: kind for kind in (CSV, PARQUET) for ending in kind.endings}
TABBED = (".txt", ".tsv", ".tab")
ENDINGS = f"{', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}"


@dataclass(frozen=True)
class Found:
    """The files behind a path, all of one format, and the folder they were looked for in."""

    files: tuple[str, ...]
    format: Format
    base: str


def is_path(data: Any) -> bool:
    """Whether `data` is a path, not a frame."""
    return isinstance(data, str | os.PathLike)


def open_path(path: str | os.PathLike[str], columns: Collection[str] | None = None) -> duckdb.DuckDBPyRelation:
    """Open a CSV or Parquet file, a folder of Parquet files (all below it), or a glob of either kind.

    Headers and schemas are read, and of CSV files the `columns` once, to decide their types by every value; all else
    is read when the relation is used. The relation has a connection of its own, which lives as long as it does.

    Parameters
    ----------
    path : str or os.PathLike
        Where the files are. URLs are refused.
    columns : collection of str, optional
        The columns that will be used. The others of a CSV file stay text. None stands for all.

    Raises
    ------
    DataError
        If nothing is there, or it cannot be read.
    """
    found = find_files(path)
    connection = connect()
    with reading(path):
        return _kept_alive(found.format.open(connection, found.files, found.base, columns), connection)


def _kept_alive(relation: duckdb.DuckDBPyRelation, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Let a connection live as long as its relation; older versions of DuckDB do not see to that themselves."""
    weakref.finalize(relation, lambda _: None, connection)
    return relation


def ordered_columns(data: Any) -> frozenset[str]:
    """The columns behind a path that pandas wrote as ordered categoricals, which no type of DuckDB can say."""
    if not is_path(data):
        return frozenset()
    found = find_files(data)
    with reading(data):
        return found.format.ordered_columns(found.files[0])


@contextmanager
def reading(data: Any) -> Iterator[None]:
    """Turn errors of the engine, of Arrow and of the system into one that names the path; frames keep their own."""
    if not is_path(data):
        yield
        return
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError, ValueError, csv.Error) as error:
        raise DataError(f"{os.fspath(data)!r} cannot be read: {reason(error)}") from error


def find_files(path: str | os.PathLike[str]) -> Found:
    """Find the files that a path stands for.

    Raises
    ------
    DataError
        If there are none, or they are neither CSV nor Parquet.
    """
    text = os.path.expanduser(os.fsdecode(path))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise DataError(f"{text!r} is no file of this machine. {OWN_WAY}.")
    with reading(path):
        if os.path.isfile(text):
            return Found((text,), _format_of(text), os.path.dirname(text))
        if os.path.isdir(text):
            return _in_folder(text)
        if glob.has_magic(text) and "\0" not in text:
            return _by_pattern(text)
        if "\0" not in text and os.path.exists(text):
            raise DataError(
                f"{text!r} is a pipe or a device, which can be read once at most, and the data is read twice. Read it "
                "yourself, data = pandas.read_csv(path), and pass the frame."
            )
    raise DataError(_nothing_there(text))


def _format_of(file: str) -> Format:
    ending = os.path.splitext(file)[1].lower()
    if ending not in FORMATS:
        tabs = f": pandas.read_csv({file!r}, sep='\\t') where tabs part its columns" if ending in TABBED else ""
        raise DataError(f"{file!r} does not end in {ENDINGS}. {OWN_WAY}{tabs}.")
    return FORMATS[ending]


def _in_folder(folder: str) -> Found:
    files = _parquet_below(folder)
    if not files:
        sheets = any(name.lower().endswith(".csv") for name in os.listdir(folder))
        remedy = f" For its CSV files, say {os.path.join(folder, '*.csv')!r}." if sheets else ""
        raise DataError(f"The folder {folder!r} holds no Parquet file.{remedy}")
    return Found(tuple(files), PARQUET, folder)


def _parquet_below(folder: str) -> list[str]:
    """The Parquet files below a folder; names that begin with a dot or ``_`` are other programs' notes."""

    def fail(error: OSError) -> None:
        raise error

    files: list[str] = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        if os.path.realpath(parent) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(os.path.realpath(parent))
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        files += [
            os.path.join(parent, name)
            for name in names
            if name.lower().endswith(PARQUET.endings) and not name.startswith((".", "_"))
        ]
    return sorted(files)


def _by_pattern(pattern: str) -> Found:
    matches = [_parquet_below(name) if os.path.isdir(name) else [name] for name in glob.glob(pattern, recursive=True)]
    files = sorted({file for names in matches for file in names})
    if not files:
        raise DataError(f"There is no file {pattern!r}: nothing has such a name.")
    kinds = {_format_of(file): file for file in files}
    if len(kinds) > 1:
        raise DataError(f"{pattern!r} stands for files of two kinds, {' and '.join(map(repr, kinds.values()))}.")
    fixed = takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts)
    return Found(tuple(files), next(iter(kinds)), os.path.join("", *fixed))


def _nothing_there(text: str) -> str:
    """Say what a text is that is no path of anything, as well as can be told."""
    if "\0" in text and "\n" not in text:
        return f"The path {text!r} has a character that no file's name can have."
    if "\n" in text:
        return (
            "The data is a text of several lines, not a path. If it is the content of a CSV file, pass "
            "pandas.read_csv(io.StringIO(text))."
        )
    if "~" in text and not text.lower().endswith(tuple(FORMATS)):
        return (
            f"There is no file {text!r}, which is a formula: hiermod.fit(formula, data), and on the command line "
            "hiermod fit DATA FORMULA."
        )
    folder, name = os.path.split(text)
    return f"There is no file {text!r}." + _near(folder, name)


def _near(folder: str, name: str) -> str:
    """Names like `name` in a folder or, where there is no such folder, folders like it."""
    if not os.path.isdir(folder or "."):
        return f" There is no folder {folder!r} either." + _near(*os.path.split(folder))
    return did_you_mean(name, sorted(os.listdir(folder or ".")))
