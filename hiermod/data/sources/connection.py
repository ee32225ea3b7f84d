"""DuckDB as hiermod uses it: a connection for each path, names that stay names, types of texts, errors in short."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hiermod.errors import DataError

if TYPE_CHECKING:
    import duckdb

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
RAGGED = tuple(
    re.compile(part)
    for part in (r"Line: (\d+)\n", r"Expected Number of Columns: (\d+) ", r" Found: (\d+)", r"\n  file = ([^\n]*)")
)
LINE = re.compile(r"Original Line: [^\n]*+(?:\n|$)")
ADVICE = re.compile(r"\n[^\S\n]*+(Possible|Candidate|If you are|LINE|file =)")
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


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that fetches no extensions and sees no variables of Python."""
    import duckdb

    connection = duckdb.connect(":memory:", config=SETTINGS)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def sql_name(name: str) -> str:
    """A column's name in SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text in SQL, whatever characters it has."""
    return "'" + text.replace("'", "''") + "'"


def sql_list(texts: Iterable[str]) -> str:
    """A list of texts in SQL."""
    return f"[{', '.join(map(sql_text, texts))}]"


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


def reason(error: BaseException) -> str:
    """What an error of the engine, of Arrow or of the system says, without settings of a reader nobody chose."""
    import duckdb

    message = str(error)
    if isinstance(error, UnicodeDecodeError) or "not utf-8 encoded" in message:
        return (
            "it is not encoded in utf-8. Read it with data = pandas.read_csv(path, encoding='cp1252'), as programs for "
            "Windows write it, or with the encoding that it has, and pass data."
        )
    if isinstance(error, duckdb.Error):
        ragged = [found[1] for part in RAGGED if (found := part.search(message))]
        if len(ragged) == len(RAGGED):
            return _ragged(*ragged)
        if "state machine" in message:
            return "its quotes are not those of CSV, or not all lines end in the same way, in \\n or in \\r\\n."
        message = ADVICE.split(LINE.sub("", message.partition(": ")[2] or message))[0]
    elif isinstance(error, OSError) and error.strerror:
        message = error.strerror
    short = " ".join(message.split())
    return short if len(short) <= 300 else f"{short[:300]} …"


SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def other_separator(names: Sequence[str]) -> str:
    """What to do about a file whose one column is all of its columns; empty where nothing says so."""
    separator = next((each for each in SEPARATORS if len(names) == 1 and each in names[0]), None)
    if separator is None:
        return ""
    return (
        f" Its one column is {names[0]!r}: the fields seem to be separated by {SEPARATORS[separator]}. "
        f"Read the file with data = pandas.read_csv(path, sep={separator!r}), with decimal=',' where numbers are "
        "written as 1,5."
    )


def _ragged(line: str, expected: str, found: str, file: str) -> str:
    more = int(found) > int(expected)
    remedy = " Write a comma for each empty field."
    if more:
        remedy = " Remove commas at the ends of lines, or name every column. Numbers written as 1,5 stand in quotes."
        remedy = other_separator(_first_line(file)) if int(expected) == 1 and _first_line(file) else remedy
    return (
        f"it has rows with {'more' if more else 'fewer'} fields than its header, which names {expected} columns "
        f"(the first is line {line} of {file}).{remedy}"
    )


def _first_line(file: str) -> list[str]:
    """The first line that is not blank, if it holds another separator."""
    with open(file, newline="", encoding="utf-8-sig") as lines:
        first = next((line.strip() for line in lines if line.strip()), "")
    return [first] if any(each in first for each in SEPARATORS) else []


def refuse_repeated(file: str, names: Iterable[str]) -> None:
    """Refuse two columns of one name; DuckDB does not tell capitals from small letters in names."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.lower())
        if other is not None:
            both = f"two columns named {name!r}" if other == name else f"the columns {other!r} and {name!r}"
            why = "" if other == name else ", which DuckDB takes for one name"
            raise DataError(f"{file!r} has {both}{why}. Rename one of them.")
        seen[name.lower()] = name
