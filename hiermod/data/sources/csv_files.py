"""CSV files in DuckDB: every column is read as text, and its type is decided by all of its values."""

from __future__ import annotations

import csv
import glob
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from hiermod.data.sources.connection import refuse_repeated, sql_list, sql_name
from hiermod.errors import DataError

if TYPE_CHECKING:
    import duckdb

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
CODE, WHOLE, HUGE, NUMBER, BOOLEAN, TEXT = (1 << place for place in range(6))
KIND = rf"""CASE
    WHEN {{0}} IS NULL THEN 0
    WHEN lower({{0}}) IN ('true', 'false') THEN {BOOLEAN}
    WHEN TRY_CAST({{0}} AS DOUBLE) IS NULL THEN {TEXT}
    WHEN regexp_full_match({{0}}, '\s*[+-]?0[0-9]+\s*') THEN {CODE}
    WHEN regexp_full_match({{0}}, '\s*[+-]?[0-9]+\s*')
        THEN CASE WHEN TRY_CAST({{0}} AS BIGINT) IS NULL THEN {HUGE} ELSE {WHOLE} END
    WHEN regexp_full_match({{0}}, '\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*') THEN {NUMBER}
    WHEN regexp_full_match({{0}}, '(?i)[+-]?inf(inity)?') THEN {NUMBER}
    ELSE {TEXT} END"""


def open_csv(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], columns: Collection[str] | None
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


def read_types(source: duckdb.DuckDBPyRelation, fields: Iterable[str]) -> dict[str, str]:
    """The type that all values of each text column agree on, found in one scan.

    Whole numbers that int64 holds are BIGINT, unless one is written like a code (``01234``): codes stay text, and so
    do longer numbers. Other numbers, ``inf`` among them, are DOUBLE; ``true`` and ``false`` BOOLEAN, in any case.
    """
    fields = list(fields)
    if not fields:
        return {}
    kinds = source.aggregate(", ".join(f"bit_or({KIND.format(sql_name(field))})" for field in fields)).fetchall()[0]
    return {field: _type_of(kind or 0) for field, kind in zip(fields, kinds, strict=True)}


def _type_of(kinds: int) -> str:
    if kinds & TEXT or (kinds & BOOLEAN and kinds != BOOLEAN):
        return "VARCHAR"
    if kinds & BOOLEAN:
        return "BOOLEAN"
    if kinds & NUMBER:
        return "DOUBLE"
    return "VARCHAR" if kinds & (CODE | HUGE) else "BIGINT"


def _common_header(files: Sequence[str]) -> tuple[list[str], int]:
    first = _header(files[0])
    other = next((file for file in files[1:] if _header(file) != first), None)
    if other is not None:
        raise DataError(
            f"{other!r} has another header than {files[0]!r}. Read files with different columns one by one."
        )
    return first


def _header(file: str) -> tuple[list[str], int]:
    """The names in the first line that is not blank, and how many lines are blank before it."""
    with open(file, newline="", encoding="utf-8-sig") as lines:
        for blank, names in enumerate(csv.reader(lines)):
            if names:
                refuse_repeated(file, [name for name in names if name])
                if not any(names):
                    raise DataError(f"{file!r} cannot be read: its first line names no column.")
                return names, blank
    raise DataError(f"{file!r} cannot be read: it is empty.")
