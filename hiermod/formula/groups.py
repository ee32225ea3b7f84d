"""Reads what stands behind a bar: grouping factors ``g``, ``a:b``, ``a/b``, ``g + h``, and ``gr(g, by = f)``."""

from __future__ import annotations

from dataclasses import dataclass

from hiermod.formula.reader import Reader

MAX_NESTING = 5
OPTIONS = (
    "gr() takes a grouping factor, by = a factor that is constant within it, id = a name, and cor = TRUE or FALSE."
)


@dataclass(frozen=True)
class Grouped:
    """What ``gr(g, by = f, id = "p", cor = FALSE)`` says."""

    factors: tuple[str, ...]
    by: str
    block: str
    correlated: bool


def read_gr(reader: Reader) -> Grouped | None:
    """Read ``gr(…)``; None where none comes."""
    start = reader.peek()
    if start.text != "gr" or start.quoted or reader.peek(1).kind != "(":
        return None
    reader.take()
    opened = reader.open_bracket()
    factors = _read_crossed(reader)
    by, block, correlated = "", "", True
    while reader.take_if(","):
        option = reader.expect("name", OPTIONS)
        reader.expect("=", OPTIONS)
        if option.text == "by":
            by = reader.take_column(OPTIONS)
        elif option.text == "id":
            block = reader.take().text
        elif option.text == "cor":
            correlated = reader.take().text.upper() not in ("FALSE", "F")
        elif option.text != "dist" or reader.take().text != "gaussian":
            reader.fail_at(f"{option.text}= is not there. {OPTIONS}", option.start, option.end)
    reader.close_bracket(opened)
    if by in factors:
        reader.fail_at("The factor of by= is the grouping factor itself.", start.start, reader.peek(-1).end)
    return Grouped(factors, by, block, correlated)


def read_groups(reader: Reader) -> list[tuple[str, ...]]:
    """``g``, ``a:b``, ``a/b``, or several with ``+`` between them: the column tuples of each grouping factor."""
    groups = _read_nested(reader)
    while reader.take_if("+"):
        groups += [factors for factors in _read_nested(reader) if factors not in groups]
    kind = reader.peek().kind
    if kind == "*":
        reader.fail("After a bar stand grouping factors: g, a:b, a/b or g + h. For a*b write (1 | a + b + a:b).")
    if kind in ("|", "||"):
        reader.fail("A second bar: write (1 | a) + (1 | b) for two grouping factors.")
    return groups


def _read_nested(reader: Reader) -> list[tuple[str, ...]]:
    """``a/b`` is ``a + a:b``; ``(a + b)/c`` is ``a + b + a:b:c``, ``a/(b + c)`` is ``a + a:b + a:c``, as of terms."""
    groups = _read_factors(reader)
    while reader.take_if("/"):
        outer = tuple(dict.fromkeys(name for factors in groups for name in factors))
        for inner in _read_factors(reader):
            if repeated := set(outer) & set(inner):
                reader.fail_at(
                    f"The column {repeated.pop()!r} is nested in itself.", reader.peek(-1).start, reader.peek(-1).end
                )
            groups.append((*outer, *inner))
            if len(groups[-1]) > MAX_NESTING:
                reader.fail(f"A grouping factor crosses at most {MAX_NESTING} columns.")
    return groups


def _read_factors(reader: Reader) -> list[tuple[str, ...]]:
    if reader.peek().kind != "(":
        return [_read_crossed(reader)]
    opened = reader.open_bracket()
    groups = read_groups(reader)
    reader.close_bracket(opened)
    return groups


def _read_crossed(reader: Reader) -> tuple[str, ...]:
    message = "A grouping factor was expected here: a column, a:b, a/b or g + h."
    factors = [reader.take_column(message)]
    while reader.take_if(":"):
        factors.append(reader.take_column(message))
    if len(set(factors)) < len(factors):
        reader.fail_at("A grouping factor names a column twice.", reader.peek(-1).start, reader.peek(-1).end)
    return tuple(factors)
