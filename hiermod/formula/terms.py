"""Reads sums of terms and bars, and expands them as R does."""

from __future__ import annotations

from dataclasses import dataclass, field

from hiermod.formula.nodes import INTERCEPT, GroupTerm, Term
from hiermod.formula.reader import Reader
from hiermod.formula.tokens import Token

MAX_TERMS = 500
PlacedBar = tuple[GroupTerm, int, int]


@dataclass
class TermSet:
    """The terms of a sum while it is being read: products in order of appearance, and the intercept.

    `bracketed` marks a sum inside brackets, which has no intercept of its own.
    """

    intercept: bool = True
    products: dict[Term, None] = field(default_factory=dict)
    bracketed: bool = False

    def ordered(self) -> tuple[Term, ...]:
        """The products, main effects first, then interactions by their degree, as R orders them."""
        return tuple(sorted(self.products, key=lambda term: len(term.variables)))


def read_sum(reader: Reader, terms: TermSet, allow_bars: bool) -> list[PlacedBar]:
    """Read ``item ± item ± …`` into `terms`; return the bars met on the way. ``+ -1`` is ``- 1``."""
    bars: list[PlacedBar] = []
    sign = reader.take_if("+", "-")
    while True:
        subtract = sign is not None and (sign.kind == "-" or reader.take_if("-") is not None)
        if allow_bars and reader.peek().kind == "(" and (found := _read_bars(reader)):
            if subtract:
                reader.fail_at("A bar cannot be subtracted. Leave it out.", found[0][1], found[0][2])
            bars.extend(found)
            if reader.peek().kind in ("*", ":", "/"):
                reader.fail("A bar stands alone in the sum: it cannot be multiplied. Put '+' here.")
        else:
            _read_item(reader, terms, subtract)
        sign = reader.take_if("+", "-")
        if sign is None:
            return bars


def _read_item(reader: Reader, terms: TermSet, subtract: bool) -> None:
    start = reader.peek()
    if start.kind == "number":
        _read_number(reader, terms, subtract)
        return
    for term in _read_product(reader):
        if not subtract:
            terms.products.setdefault(term)
        elif term in terms.products:
            del terms.products[term]
        else:
            reader.fail_at(f"There is no term {term} before this to take away.", start.start, start.end)
    if len(terms.products) > MAX_TERMS:
        reader.fail_at(f"This expands to more than {MAX_TERMS} terms.", start.start, start.end)


def _read_number(reader: Reader, terms: TermSet, subtract: bool) -> None:
    number = reader.take()
    if number.text not in ("0", "1") or (number.text == "0" and subtract):
        reader.fail_at(
            "The only numbers in a sum are 1 (an intercept), 0 and -1 (no intercept).", number.start, number.end
        )
    if terms.bracketed:
        reader.fail_at(
            "An intercept belongs outside of brackets: write 0 + (x + z), or (0 + x | g) for a bar.",
            number.start,
            number.end,
        )
    if reader.peek().kind in ("*", ":", "/"):
        reader.fail("A number cannot be multiplied with a term.")
    terms.intercept = number.text == "1" and not subtract


def _read_product(reader: Reader) -> list[Term]:
    """``a*b`` means ``a + b + a:b``."""
    start = reader.peek()
    left = _read_interaction(reader)
    while reader.peek().kind in ("*", "/"):
        operator = reader.take()
        if operator.kind == "/":
            reader.fail_at("'/' is read in groups alone: (1 | a/b). Write a + a:b here.", operator.start, operator.end)
        right = _read_interaction(reader)
        left = _distinct(reader, start, left, right, [a_b for a in left for b in right for a_b in [_joined(a, b)]])
    return left


def _read_interaction(reader: Reader) -> list[Term]:
    start = reader.peek()
    left = _read_atom(reader)
    while reader.take_if(":"):
        right = _read_atom(reader)
        left = _distinct(reader, start, [_joined(a, b) for a in left for b in right])
    return left


def _distinct(reader: Reader, start: Token, *lists: list[Term]) -> list[Term]:
    terms = list(dict.fromkeys(term for one in lists for term in one))
    if len(terms) > MAX_TERMS:
        reader.fail_at(f"This expands to more than {MAX_TERMS} terms.", start.start, start.end)
    return terms


def _joined(left: Term, right: Term) -> Term:
    return Term(tuple(dict.fromkeys([*left.variables, *right.variables])))


def _read_atom(reader: Reader) -> list[Term]:
    token = reader.peek()
    if token.kind == "(":
        if _bar_inside(reader):
            reader.fail("A bar stands alone in the sum: it cannot be multiplied or stand inside brackets.")
        opened = reader.open_bracket()
        inner = TermSet(bracketed=True)
        read_sum(reader, inner, allow_bars=False)
        reader.close_bracket(opened)
        return list(inner.products)
    if token.kind == "number":
        reader.fail("A number cannot be multiplied with a term.")
    if token.kind in ("|", "||"):
        reader.fail("A bar needs terms before it and brackets round it: write (1 | g).")
    return [Term((reader.take_column("A term was expected here: a column, 0, 1, or a bar such as (1 | g)."),))]


def _bar_inside(reader: Reader) -> bool:
    """Whether the bracket that comes next holds a bar at its own level."""
    depth, ahead = 0, 0
    while (kind := reader.peek(ahead).kind) != "end":
        depth += (kind == "(") - (kind == ")")
        if depth == 0:
            return False
        if depth == 1 and kind in ("|", "||"):
            return True
        ahead += 1
    return False


def _read_bars(reader: Reader) -> list[PlacedBar]:
    """Read one bracketed bar; ``(1 | a/b)`` gives two. Return nothing if the bracket holds no bar."""
    if not _bar_inside(reader):
        return []
    opened = reader.open_bracket()
    inside = TermSet()
    if reader.peek().kind in ("|", "||"):
        reader.fail("There is nothing before the bar: write (1 | g).")
    read_sum(reader, inside, allow_bars=False)
    bar = reader.take()
    terms = ((INTERCEPT,) if inside.intercept else ()) + inside.ordered()
    if not terms:
        reader.fail_at("There is no effect before the bar: write (1 | g) or (0 + x | g).", opened.start, bar.end)
    groups = _read_groups(reader)
    closed = reader.close_bracket(opened)
    return [(GroupTerm(terms, factors, bar.kind == "|"), opened.start, closed.end) for factors in groups]


def _read_groups(reader: Reader) -> list[tuple[str, ...]]:
    """``g``, ``a:b`` or ``a/b``: the column tuples of each grouping factor."""
    groups = [_read_crossed(reader)]
    while reader.take_if("/"):
        inner = _read_crossed(reader)
        repeated = set(groups[-1]) & set(inner)
        if repeated:
            reader.fail_at(
                f"The column {repeated.pop()!r} is nested in itself.", reader.peek(-1).start, reader.peek(-1).end
            )
        groups.append((*groups[-1], *inner))
    kind = reader.peek().kind
    if kind in ("+", "*"):
        reader.fail("After a bar stands one grouping factor: g, a:b or a/b. Write (1 | a) + (1 | b) for two.")
    if kind in ("|", "||"):
        reader.fail("A second bar: write (1 | a) + (1 | b) for two grouping factors.")
    return groups


def _read_crossed(reader: Reader) -> tuple[str, ...]:
    message = "A grouping factor was expected here: a column, a:b or a/b."
    factors = [reader.take_column(message)]
    while reader.take_if(":"):
        factors.append(reader.take_column(message))
    if len(set(factors)) < len(factors):
        reader.fail_at("A grouping factor names a column twice.", reader.peek(-1).start, reader.peek(-1).end)
    return tuple(factors)
