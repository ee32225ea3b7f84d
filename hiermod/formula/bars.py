"""Reads bars: ``(1 + x | g)``, ``||``, nested and crossed groups."""

from __future__ import annotations

from hiermod.formula.nodes import INTERCEPT, GroupTerm
from hiermod.formula.reader import Reader
from hiermod.formula.terms import PlacedBar, TermSet, read_sum


def read_bars(reader: Reader) -> list[PlacedBar]:
    """Read one bracketed bar; ``(1 | a/b)`` gives two. Return nothing if the bracket holds no bar."""
    if not reader.bar_ahead():
        return []
    opened = reader.open_bracket()
    inside = TermSet()
    if reader.peek().kind in ("|", "||"):
        reader.fail("There is nothing before the bar: write (1 | g).")
    read_sum(reader, inside)
    bar = reader.take()
    terms = ((INTERCEPT,) if inside.intercept else ()) + inside.ordered()
    if inside.offsets:
        reader.fail_at("An offset cannot vary over groups: take it out of the bar.", opened.start, bar.end)
    if not terms:
        reader.fail_at("There is no effect before the bar: write (1 | g) or (0 + x | g).", opened.start, bar.end)
    groups = _read_groups(reader)
    closed = reader.close_bracket(opened)
    return [(GroupTerm(terms, factors, bar.kind == "|"), opened.start, closed.end) for factors in groups]


def _read_groups(reader: Reader) -> list[tuple[str, ...]]:
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
    groups = [_read_crossed(reader)]
    while reader.take_if("/"):
        inner = _read_crossed(reader)
        repeated = set(groups[-1]) & set(inner)
        if repeated:
            reader.fail_at(
                f"The column {repeated.pop()!r} is nested in itself.", reader.peek(-1).start, reader.peek(-1).end
            )
        groups.append((*groups[-1], *inner))
    return groups


def _read_crossed(reader: Reader) -> tuple[str, ...]:
    message = "A grouping factor was expected here: a column, a:b, a/b or g + h."
    factors = [reader.take_column(message)]
    while reader.take_if(":"):
        factors.append(reader.take_column(message))
    if len(set(factors)) < len(factors):
        reader.fail_at("A grouping factor names a column twice.", reader.peek(-1).start, reader.peek(-1).end)
    return tuple(factors)
