"""Reads a formula: text to `Formula`, or a `FormulaError` with a caret. Nothing is ever evaluated.

The right side is a sum of terms as in R: ``+``, ``-``, ``*`` (``a*b`` is ``a + b + a:b``), ``:``, ``/``, ``^``,
``%in%``, brackets, ``0`` and ``1``, ``.``, functions of the vocabulary, offsets, and bars ``(1 + x | g)``, ``||``, with
groups ``g``, ``a:b``, ``a/b``, ``g + h``.
"""

from __future__ import annotations

from collections.abc import Sequence

from hiermod.errors import FormulaError
from hiermod.formula.arithmetic import read_call
from hiermod.formula.bars import read_bars
from hiermod.formula.expressions import CALL, Column
from hiermod.formula.nodes import DOT, Formula, GroupTerm, TrialsResponse
from hiermod.formula.reader import Reader
from hiermod.formula.response import read_response
from hiermod.formula.terms import TermSet, read_sum
from hiermod.formula.tokens import tokenize

MAX_NESTING = 5


def parse(text: str, columns: Sequence[str] | None = None) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        An lme4-style formula such as ``"success ~ treated + (1 + treated | country)"``.
    columns : sequence of str, optional
        The columns of the data, for ``.`` to stand for those that the formula does not use otherwise.

    Returns
    -------
    Formula
        Its response, common terms and group terms.

    Raises
    ------
    FormulaError
        Where the text is not a formula of this language; the message says what to write instead.

    Examples
    --------
    >>> str(parse("successes/trials ~ (1|variant)"))
    'successes/trials ~ 1 + (1 | variant)'
    """
    if not isinstance(text, str):
        raise FormulaError(
            f"A formula is a text, not {type(text).__name__}; it comes first, the data second.",
            f"<{type(text).__name__}>",
            0,
        )
    formula = _parse(text, None)
    if columns is not None and formula.has_dot:
        weights = {formula.weights} if formula.weights else set()
        used = {*formula.response.columns, *formula.grouping_columns(), *weights}
        others = tuple(name for name in columns if name not in used)
        if not others:
            place = next(token for token in tokenize(text) if token.text == DOT)
            raise FormulaError("There are no other columns for '.' to stand for.", text, place.start, place.end)
        formula = _parse(text, others)
    _refuse_response_on_the_right(formula)
    return formula


def canonical(name: str) -> str:
    """A variable's name as formulas print it: ``poly(x,2)`` becomes ``poly(x, 2)``; other names stay."""
    if not CALL.fullmatch(name):
        return name
    reader = Reader(name)
    try:
        return str(read_call(reader))
    except FormulaError:
        return name


def _parse(text: str, others: tuple[str, ...] | None) -> Formula:
    reader = Reader(text, others)
    response, weights = read_response(reader)
    if reader.peek().kind == "=":
        reader.fail("A formula has '~' between response and terms, not '='.")
    reader.expect("~", "A formula reads 'response ~ terms': there is no '~' after the response.")
    terms = TermSet()
    bars = read_sum(reader, terms, read_bars)
    if reader.peek().kind in ("|", "||"):
        reader.fail("A bar needs brackets round it: write (1 | g).")
    if reader.peek().kind == "~":
        reader.fail("A second '~': a formula has one response and one right side.")
    blank = " A column's name that holds a blank stands in backticks: `a b`." if reader.peek().kind == "name" else ""
    reader.expect("end", f"This was not expected here: terms are joined by + - * : / or ^.{blank}")
    if not terms.intercept and not terms.products and not bars:
        raise FormulaError(
            "There is no term on the right side. Write '~ 1' for an intercept alone.", text, len(text) - 1
        )
    groups = _merged(bars, reader)
    return Formula(
        text, response, terms.intercept, terms.ordered(), groups, tuple(terms.offsets), weights,
        tuple(terms.removed), reader.expressions, reader.places,
    )  # fmt: skip


def _merged(bars: list[tuple[GroupTerm, int, int]], reader: Reader) -> tuple[GroupTerm, ...]:
    seen: set[tuple[frozenset[str], object]] = set()
    for bar, start, end in bars:
        for term in bar.terms:
            key = (frozenset(bar.factors), term)
            if key in seen:
                reader.fail_at(
                    f"The effect ({term} | {bar.group}) stands in two bars, so its variance could not be told apart. "
                    "Keep it in one; write (0 + x | g) where the other bar should have no intercept.",
                    start,
                    end,
                )
            seen.add(key)
        if len(bar.factors) > MAX_NESTING:
            reader.fail_at(f"A grouping factor crosses at most {MAX_NESTING} columns.", start, end)
    return tuple(bar for bar, _, _ in bars)


def _refuse_response_on_the_right(formula: Formula) -> None:
    response = formula.response
    outcome = response.successes if isinstance(response, TrialsResponse) else Column(response.columns[0])
    right = {*formula.predictor_columns(), *formula.grouping_columns()}
    single = len(response.columns) == 1 or isinstance(response, TrialsResponse)
    if single and isinstance(outcome, Column) and outcome.name in right:
        last = [token for token in tokenize(formula.text) if token.text == outcome.name][-1]
        message = f"The response {outcome.name!r} stands on the right side too. Take it out."
        raise FormulaError(message, formula.text, last.start, last.end)
