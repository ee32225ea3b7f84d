"""CSV files in DuckDB: every column is read as text, and its type is decided by all of its values."""

from __future__ import annotations

import csv
import glob
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from hiermod.data.sources.connection import read_types, refuse_repeated, sql_list, sql_name
from hiermod.errors import DataError

if TYPE_CHECKING:
    import duckdb

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip


def open_csv(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], base: str, columns: Collection[str] | None
) -> duckdb.DuckDBPyRelation:
    """Open CSV files of one header; columns without a name are left out, since nothing can name them.

    What pandas takes for missing is missing (`MISSING`), in quotes or not. Only `columns` are given types (all of
    them where it is None); the others stay text.
    """
    names, skipped = _common_header(files)
    fields = {f"c{place}": name for place, name in enumerate(names)}
    source = connection.sql(
        f"FROM read_csv({sql_list(map(glob.escape, files))}, auto_detect = false, header = true, skip = {skipped}, "
        "delim = ',', quote = '\"', escape = '\"', comment = '', strict_mode = true, encoding = 'utf-8', "
        f"nullstr = {sql_list(MISSING)}, columns = {{{', '.join(f'{field}: VARCHAR' for field in fields)}}})"
    )
    types = read_types(source, [field for field, name in fields.items() if columns is None or name in columns])
    return source.project(
        ", ".join(
            f"CAST({field} AS {types.get(field, 'VARCHAR')}) AS {sql_name(name)}"
            for field, name in fields.items()
            if name
        )
    )


def _common_header(files: Sequence[str]) -> tuple[list[str], int]:
    first = _header(files[0])
    other = next((file for file in files[1:] if _header(file) != first), None)
    if other is not None:
        raise DataError(
            f"{other!r} has another header than {files[0]!r}. Read files with different columns one by one."
        )
    return first


NO_TEXT = {  # how files begin that are no text in UTF-8, and how they are read
    b"\x1f\x8b": ("is compressed", "pandas.read_csv(path, compression='gzip')"),
    b"PK\x03\x04": ("is a workbook or an archive", "pandas.read_excel(path), or compression='zip' in pandas.read_csv"),
    b"\xff\xfe": ("is encoded in utf-16", "pandas.read_csv(path, encoding='utf-16')"),
    b"\xfe\xff": ("is encoded in utf-16", "pandas.read_csv(path, encoding='utf-16')"),
}


def _refuse_no_text(file: str) -> None:
    with open(file, "rb") as content:
        start = content.read(4)
    for mark, (what, remedy) in NO_TEXT.items():
        if start.startswith(mark):
            raise DataError(f"{file!r} cannot be read: it {what}. Read it with data = {remedy}, and pass data.")


def _header(file: str) -> tuple[list[str], int]:
    """The names in the first line that is not blank, and how many lines are blank before it."""
    _refuse_no_text(file)
    with open(file, newline="", encoding="utf-8-sig") as lines:
        for blank, names in enumerate(csv.reader(lines)):
            if names:
                refuse_repeated(file, [name for name in names if name])
                if not any(names):
                    raise DataError(f"{file!r} cannot be read: its first line names no column.")
                return names, blank
    raise DataError(f"{file!r} cannot be read: it is empty.")
