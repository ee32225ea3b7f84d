"""DuckDB as hiermod uses it: a connection of its own for each path, names that stay names, errors in short."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hiermod.errors import DataError

if TYPE_CHECKING:
    import duckdb

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
RAGGED = re.compile(r"Line: (\d+)\n.*Expected Number of Columns: (\d+) Found: (\d+).*?\n  file = ([^\n]*)", re.DOTALL)
LINE = re.compile(r"Original Line: [^\n]*\n")
ADVICE = re.compile(r"\n\s*(Possible|Candidate|If you are|LINE|file =)")


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that fetches no extensions and sees no variables of Python."""
    import duckdb

    connection = duckdb.connect(":memory:", config=SETTINGS)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def keep_alive(relation: duckdb.DuckDBPyRelation, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Let a connection live as long as its relation; older versions of DuckDB do not see to that themselves."""
    weakref.finalize(relation, lambda _: None, connection)
    return relation


def sql_name(name: str) -> str:
    """A column's name in SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text in SQL, whatever characters it has."""
    return "'" + text.replace("'", "''") + "'"


def sql_list(texts: Iterable[str]) -> str:
    """A list of texts in SQL."""
    return f"[{', '.join(map(sql_text, texts))}]"


def reason(error: BaseException) -> str:
    """What an error of the engine, of Arrow or of the system says, without settings of a reader nobody chose."""
    import duckdb

    message = str(error)
    if isinstance(error, UnicodeDecodeError) or "not utf-8 encoded" in message:
        return "it is not encoded in utf-8. Read it with pandas.read_csv(..., encoding=...), and pass the frame."
    if isinstance(error, duckdb.Error):
        if ragged := RAGGED.search(message):
            return _ragged(*ragged.groups())
        if "state machine" in message:
            return "its quotes are not those of CSV, or not all lines end in the same way, in \\n or in \\r\\n."
        message = ADVICE.split(LINE.sub("", message.partition(": ")[2] or message))[0]
    elif isinstance(error, OSError) and error.strerror:
        message = error.strerror
    short = " ".join(message.split())
    return short if len(short) <= 300 else f"{short[:300]} …"


def _ragged(line: str, expected: str, found: str, file: str) -> str:
    more = int(found) > int(expected)
    remedy = (
        "Remove commas at the ends of lines, or name every column" if more else "Write a comma for each empty field"
    )
    return (
        f"it has rows with {'more' if more else 'fewer'} fields than its header, which names {expected} columns "
        f"(the first is line {line} of {file}). {remedy}."
    )


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
