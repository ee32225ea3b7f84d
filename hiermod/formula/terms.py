"""Reads the right side of a formula: sums of terms as R expands them, with bars ``(1 + x | g)``."""

from __future__ import annotations

from dataclasses import dataclass, field

from hiermod.formula.arithmetic import read_call, read_comparison, read_expression
from hiermod.formula.expressions import CALL, Call, Expression
from hiermod.formula.groups import read_gr, read_groups
from hiermod.formula.nodes import DOT, INTERCEPT, GroupTerm, Term
from hiermod.formula.reader import COMPARISONS, Reader, Token
from hiermod.formula.vocabulary import function

MAX_TERMS = 500
MAX_POWER = 20
MAX_VARIABLES = 20
PRODUCTS = ("*", "/", ":", "^", "%in%")
ATOM = "A term was expected here: a column, a function of one, 0, 1, or a bar such as (1 | g)."
PlacedBar = tuple[GroupTerm, int, int]
OF_BRMS = Term(("Intercept",))  # 0 + Intercept: an intercept that brms does not centre


@dataclass
class TermSet:
    """The terms of a sum while it is being read: products in order of appearance, the intercept, and offsets.

    `removed` are taken away from what a dot will stand for; `bracketed` marks a sum inside brackets, whose intercept is
    None unless it names one; `inner` is what brackets in the last item say of the intercept. `specific` are the terms
    of ``cs(…)``, which have an effect on each threshold, and `specific_bars` bars of such.
    """

    intercept: bool | None = True
    products: dict[Term, None] = field(default_factory=dict)
    offsets: dict[str, None] = field(default_factory=dict)
    removed: dict[Term, None] = field(default_factory=dict)
    bracketed: bool = False
    inner: bool | None = None
    specific: TermSet | None = None
    specific_bars: list[PlacedBar] = field(default_factory=list)

    def taken_inner(self) -> bool | None:
        """What brackets have said of the intercept, which is forgotten."""
        inner, self.inner = self.inner, None
        return inner

    def ordered(self) -> tuple[Term, ...]:
        """The products, main effects first, then interactions by their degree, as R orders them."""
        return tuple(sorted(self.products, key=lambda term: len(term.variables)))


def read_sum(reader: Reader, terms: TermSet, bars_allowed: bool = False) -> list[PlacedBar]:
    """Read ``item ± item ± …`` into `terms`; return the bars met on the way. ``+ -1`` is ``- 1``."""
    bars: list[PlacedBar] = []
    sign = reader.take_if("+", "-")
    while True:
        subtract = sign is not None and sign.kind == "-"
        while again := reader.take_if("+", "-"):
            if subtract or (again.kind == "-" and reader.peek().kind != "number"):  # R takes nothing away in a + -a
                reader.fail_at("Two signs in a row: a term is added or taken away once.", again.start, again.end)
            subtract = again.kind == "-"
        if bars_allowed and not subtract and reader.peek().kind == "(" and reader.bars_inside():
            opened = reader.open_bracket()
            bars.extend(read_sum(reader, terms, bars_allowed=True))
            reader.close_bracket(opened)
            if reader.peek().kind in PRODUCTS:
                reader.fail("A bar stands alone in the sum: it cannot be multiplied. Put '+' here.")
        elif reader.peek().text in SPECIFIC and reader.peek(1).kind == "(" and not reader.bar_ahead(1):
            _read_specific(reader, terms, subtract)
        elif bars_allowed and (structure := _covariance(reader)) is not None:
            placed, specific = _read_bars(reader, structure)
            if subtract:
                reader.fail_at("A bar cannot be subtracted. Leave it out.", placed[0][1], placed[0][2])
            (terms.specific_bars if specific else bars).extend(placed)
            if reader.peek().kind in PRODUCTS:
                reader.fail("A bar stands alone in the sum: it cannot be multiplied. Put '+' here.")
        else:
            _read_item(reader, terms, subtract)
        sign = reader.take_if("+", "-")
        if sign is None:
            return bars


COVARIANCES = (  # of glmmTMB and lme4
    "cs", "homcs", "hetcs", "ar1", "hetar1", "ou", "exp", "gau", "mat", "toep", "homtoep", "rr", "equalto", "propto",
    "homdiag", "cor", "un",
)  # fmt: skip


def _covariance(reader: Reader) -> str | None:
    """The covariance that is named before a bar, as glmmTMB does, empty where none is; None where no bar comes."""
    name = reader.peek()
    named = name.kind == "name" and not name.quoted and reader.peek(1).kind == "("
    if not reader.bar_ahead(1 if named else 0):
        return None
    if not named:
        return "" if name.kind == "(" else None
    if name.text not in ("us", "diag"):
        if name.text not in COVARIANCES:
            if function(name.text) is not None:
                reader.fail(f"A bar cannot stand in {name.text}(…): put what varies before it, ({name.text}(…) | …).")
            reader.fail(f"A + is missing before the bracket: write {name.text} + (… | …), where {name.text} is a term.")
        reader.fail(
            f"Covariances {name.text}(… | g) are not there. The nearest are us(x | g), which is (x | g), with all "
            "correlations free, and diag(x | g), which is (x || g), with none."
        )
    return reader.take().text


SPECIFIC = ("cs", "cse")  # brms's
ALONE = "Effects on each threshold stand alone in the sum: + cs(x), or, with products inside, + cs(x * z)."


def _read_specific(reader: Reader, terms: TermSet, subtract: bool) -> None:
    """Read ``cs(x + z)``: terms that have an effect on each threshold of ordered categories."""
    name = reader.take()
    opened = reader.open_bracket()
    inner = terms.specific or TermSet()
    read_sum(reader, inner)
    closed = reader.close_bracket(opened)
    if subtract or terms.bracketed or reader.peek().kind in PRODUCTS:
        reader.fail_at(ALONE, name.start, closed.end)
    if inner.offsets or inner.specific:
        reader.fail_at(f"{name.text}(…) takes terms alone.", name.start, closed.end)
    terms.specific = inner


def _read_item(reader: Reader, terms: TermSet, subtract: bool) -> None:
    start = reader.peek()
    if start.kind == "number":
        _read_number(reader, terms, subtract)
        return
    if start.text == "offset" and reader.peek(1).kind == "(":
        _read_offset(reader, terms, subtract)
        return
    product = _read_product(reader, terms)
    if reader.peek().kind in COMPARISONS:
        reader.fail("A comparison stands in I(): I(x > 2) is 1 where that is so, and 0 elsewhere.")
    if (inner := terms.taken_inner()) is not None:
        terms.intercept = inner != subtract
    for term in product:
        if not subtract:
            terms.products.setdefault(term)
        elif term in terms.products:
            del terms.products[term]
        elif Term((DOT,)) in terms.products:
            terms.removed.setdefault(term)
        else:
            reader.fail_at(
                f"There is no term {term} before this to take away. A column's name that holds a minus stands in "
                "backticks: `a-b`.", start.start, start.end,
            )  # fmt: skip
    if len(terms.products) > MAX_TERMS:
        reader.fail_at(f"This expands to more than {MAX_TERMS} terms.", start.start, start.end)


def _read_number(reader: Reader, terms: TermSet, subtract: bool) -> None:
    number = reader.take()
    if number.text not in ("0", "1") or (number.text == "0" and subtract):
        reader.fail_at(
            "The only numbers in a sum are 1 (an intercept), 0 and -1 (no intercept).", number.start, number.end
        )
    if terms.bracketed and reader.peek().kind == "name":
        reader.fail_at(f"A bar is missing: write (1 | {reader.peek().text}).", number.start, reader.peek().end)
    if reader.peek().kind in PRODUCTS:
        reader.fail("A number cannot be multiplied with a term.")
    terms.intercept = number.text == "1" and not subtract


def _read_offset(reader: Reader, terms: TermSet, subtract: bool) -> None:
    """``offset(log(n))``: a variable whose coefficient is one."""
    name = reader.take()
    opened = reader.open_bracket()
    expression = read_expression(reader)
    closed = reader.close_bracket(opened)
    if subtract or terms.bracketed or reader.peek().kind in PRODUCTS:
        reader.fail_at("An offset stands alone in the sum of common terms: + offset(x).", name.start, closed.end)
    if not expression.columns:
        reader.fail_at("An offset is made of a column.", name.start, closed.end)
    add_offset(reader, terms, expression, (name.start, closed.end))


def add_offset(reader: Reader, terms: TermSet, expression: Expression, place: tuple[int, int]) -> None:
    """Add a variable of coefficient one."""
    label = f"offset({expression})"
    reader.expressions[label] = expression
    reader.places.setdefault(label, place)
    terms.offsets.setdefault(label)


def _read_product(reader: Reader, terms: TermSet) -> list[Term]:
    """``a*b`` means ``a + b + a:b``; ``a/b`` means ``a + a:b``, all variables before the slash taking part."""
    start = reader.peek()
    left = _read_within(reader, terms)
    while operator := reader.take_if("*", "/"):
        right = _read_within(reader, terms)
        if operator.kind == "*":
            left = _distinct(reader, start, left, right, [_joined(a, b) for a in left for b in right])
        else:
            whole = _joined(*left) if left else INTERCEPT
            left = _distinct(reader, start, left, [_joined(whole, b) for b in right])
    return left


def _read_within(reader: Reader, terms: TermSet) -> list[Term]:
    """``a %in% b`` means ``a:b``; ``x %in% (f + h)`` is ``x:f:h``, as in R."""
    start = reader.peek()
    left = _read_interaction(reader, terms)
    while reader.take_if("%in%"):
        within = _joined(*_read_interaction(reader, terms))
        left = _distinct(reader, start, [_joined(a, within) for a in left])
    return left


def _read_interaction(reader: Reader, terms: TermSet) -> list[Term]:
    start, before = reader.peek(), terms.taken_inner()
    left = _read_power(reader, terms)
    several = reader.peek().kind == ":"
    while reader.take_if(":"):
        right = _read_power(reader, terms)
        left = _distinct(reader, start, [_joined(a, b) for a in left for b in right])
    if several and terms.inner:
        reader.fail_at(
            "A product with the intercept in brackets has two readings: (a + 1):b is a:b in R, and b + a:b elsewhere. "
            "Write out which.", start.start, reader.peek(-1).end,
        )  # fmt: skip
    terms.inner = before if terms.inner is None else terms.inner
    return left


def _read_power(reader: Reader, outer: TermSet) -> list[Term]:
    """``(a + b)^2`` means all products of up to two of them."""
    start = reader.peek()
    terms = _read_atom(reader, outer)
    while reader.take_if("^"):
        power = reader.expect(
            "number", "After '^' stands a whole number: (a + b)^2. For the square of a column, I(x^2)."
        )
        if not power.text.isdigit() or not 1 <= len(power.text) <= 2 or not 1 <= int(power.text) <= MAX_POWER:
            reader.fail_at(f"A power of terms is a whole number from 1 to {MAX_POWER}.", power.start, power.end)
        base = terms
        if len(terms) == 1 and len(terms[0].variables) == 1 and power.text != "1":
            reader.idle.append(str(terms[0]))
        for _ in range(int(power.text) - 1):
            longer = _distinct(reader, start, terms, [_joined(a, b) for a in terms for b in base])
            if len(longer) == len(terms):
                break
            terms = longer
    return terms


def _distinct(reader: Reader, start: Token, *lists: list[Term]) -> list[Term]:
    terms = list(dict.fromkeys(term for one in lists for term in one))
    if any(len(term.variables) > MAX_VARIABLES for term in terms):
        reader.fail_at(f"A product has at most {MAX_VARIABLES} variables.", start.start, start.end)
    if len(terms) > MAX_TERMS:
        reader.fail_at(f"This expands to more than {MAX_TERMS} terms.", start.start, start.end)
    return terms


def _joined(*terms: Term) -> Term:
    return Term(tuple(dict.fromkeys(variable for term in terms for variable in term.variables)))


def _read_atom(reader: Reader, terms: TermSet) -> list[Term]:
    token = reader.peek()
    if token.kind == "(":
        if reader.bar_ahead():
            reader.fail("A bar stands alone in the sum: it cannot be multiplied or stand inside brackets.")
        multiplied = reader.peek(-1).kind in PRODUCTS
        opened = reader.open_bracket()
        inner = TermSet(intercept=None, bracketed=True)
        read_sum(reader, inner)
        if reader.peek().kind in COMPARISONS:
            reader.fail("A comparison stands in I(): I(x > 2) is 1 where that is so, and 0 elsewhere.")
        closed = reader.close_bracket(opened)
        if not inner.products and (multiplied or reader.peek().kind in PRODUCTS):
            reader.fail_at("A number cannot be multiplied with a term.", opened.start, closed.end)
        terms.inner = terms.inner if inner.intercept is None else inner.intercept
        return list(inner.products)
    if token.kind == "number":
        reader.fail("A number cannot be multiplied with a term.")
    if token.kind == "{":
        return [_read_braces(reader)]
    if token.kind in ("|", "||"):
        reader.fail("A bar needs terms before it and brackets round it: write (1 | g).")
    if token.kind == "name" and not token.quoted:
        if reader.peek(1).kind == "(":
            return [_read_function(reader)]
        if token.text == DOT:
            return _read_dot(reader)
    return [Term((reader.take_column(ATOM),))]


def _read_braces(reader: Reader) -> Term:
    """``{x + z}`` of formulae is ``I(x + z)``."""
    opened = reader.take()
    inside = read_comparison(reader)
    closed = reader.expect("}", "A closing brace was expected here.")
    if not inside.columns:
        reader.fail_at("Between braces stands arithmetic on columns: {x + z}.", opened.start, closed.end)
    call = Call("I", (inside,))
    reader.expressions[str(call)] = call
    reader.places.setdefault(str(call), (opened.start, closed.end))
    return Term((str(call),))


def _read_function(reader: Reader) -> Term:
    start = reader.peek()
    if start.text == "offset":
        reader.fail("An offset stands alone in the sum of common terms: + offset(x).")
    call = read_call(reader)
    if not isinstance(call, Call):
        reader.fail_at("c(…) is no term. Write the terms with + between them.", start.start, start.end)
    label = str(call)
    reader.expressions[label] = call
    reader.places.setdefault(label, (start.start, reader.peek(-1).end))
    return Term((label,))


def _read_dot(reader: Reader) -> list[Term]:
    dot = reader.take()
    reader.places.setdefault(DOT, (dot.start, dot.end))
    for name in reader.others or ():
        if "`" in name or CALL.fullmatch(name):
            reader.fail_at(
                f"The dot stands for a column {name!r} that cannot be written. Rename it.", dot.start, dot.end
            )
    return [Term((DOT,))] if reader.others is None else [Term((name,)) for name in reader.others]


def _read_bars(reader: Reader, structure: str = "") -> tuple[list[PlacedBar], bool]:
    """Read one bracketed bar, and whether its effects are on each threshold, as those of ``(cs(1) | g)``.

    ``(1 | a/b)`` gives two, ``(1 | ID | g)`` is brms's ``(1 | g)`` with a name.
    """
    opened = reader.open_bracket()
    inside = TermSet()
    if reader.peek().kind in ("|", "||"):
        reader.fail("There is nothing before the bar: write (1 | g).")
    read_sum(reader, inside)
    bar = reader.take()
    specific = inside.specific is not None
    if inside.specific is not None:
        if inside.products:
            apart = "Effects on each threshold stand in a bar of their own: (x | g) + (cs(1) | g)."
            reader.fail_at(apart, opened.start, bar.end)
        inside = inside.specific
    products = inside.ordered()
    if not inside.intercept and OF_BRMS in products:  # (0 + Intercept + x | g)
        inside.intercept, products = True, tuple(term for term in products if term != OF_BRMS)
    terms = ((INTERCEPT,) if inside.intercept else ()) + products
    if inside.offsets:
        reader.fail_at("An offset cannot vary over groups: take it out of the bar.", opened.start, bar.end)
    if not terms:
        reader.fail_at("There is no effect before the bar: write (1 | g) or (0 + x | g).", opened.start, bar.end)
    name = reader.take() if reader.peek().kind in ("name", "number") and reader.peek(1).kind == "|" else None
    if name:
        reader.take()
    group = read_gr(reader)
    groups = [group.factors] if group else read_groups(reader)
    closed = reader.close_bracket(opened)
    block = name.text if name else group.block if group else ""
    for factors in groups if block else ():
        if (block, factors) in reader.blocks:
            reader.fail_at(
                f"Two bars of the ID {block} over one group are one block: write their terms in one bar, "
                "(1 + x | g).",
                opened.start, closed.end,
            )  # fmt: skip
        reader.blocks.add((block, factors))
    correlated = bar.kind == "|" and structure != "diag" and (group is None or group.correlated)
    if group and group.by:
        if block:
            reader.fail_at(
                "A bar with by= has no ID: its effects are correlated with no others.", opened.start, closed.end
            )
        within = tuple(Term((group.by, *term.variables)) for term in terms)
        several = correlated and len(terms) > 1
        bar_by = GroupTerm(within, group.factors, several, by=group.by, covariances=several)
        return [(bar_by, opened.start, closed.end)], specific
    placed = [(GroupTerm(terms, factors, correlated, block), opened.start, closed.end) for factors in groups]
    return placed, specific
