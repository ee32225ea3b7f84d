"""Reads the left side: ``y``, ``s/n``, ``cbind(s, f)``, ``p(s, n)``, ``s | trials(n)``, arithmetic inside."""

from __future__ import annotations

import math

from hiermod.formula.expressions import Arithmetic, Column, Expression, Number
from hiermod.formula.nodes import Response, SingleResponse, TrialsResponse
from hiermod.formula.reader import Reader
from hiermod.formula.tokens import Token

MAX_TOKENS = 200
KINDS = "A response is a column (y) or successes out of trials: s/n, cbind(s, f), p(s, n) or s | trials(n)."


def read_response(reader: Reader) -> Response:
    """Read the response, up to the ``~``."""
    first = reader.peek()
    if first.kind == "~":
        reader.fail(f"There is no response before '~'. {KINDS}")
    if first.kind == "name" and reader.peek(1).kind == "(":
        return _read_call(reader)
    start = first.start
    expression = _read_sum(reader)
    if reader.take_if("|"):
        return TrialsResponse(expression, _read_trials(reader))
    match expression:
        case Column(name):
            return SingleResponse(name)
        case Arithmetic("/", successes, trials) if not _is_ratio(successes):
            return TrialsResponse(successes, trials)
    return reader.fail_at(f"This is not a response. {KINDS}", start, reader.peek(-1).end)


def _is_ratio(expression: Expression) -> bool:
    return isinstance(expression, Arithmetic) and expression.operator == "/"


def _read_trials(reader: Reader) -> Expression:
    """``trials(n)``, as brms writes it after ``s |``."""
    if reader.peek().text != "trials" or reader.peek(1).kind != "(":
        reader.fail("After '|' in a response stands trials(n), the column of trials.")
    reader.take()
    opened = reader.open_bracket()
    trials = _read_sum(reader)
    reader.close_bracket(opened)
    return trials


def _read_call(reader: Reader) -> Response:
    function = reader.take()
    if function.text not in ("cbind", "p"):
        reader.fail_at(
            f"{function.text}(…) is not read as a response. {KINDS} For a transformed response, add a column.",
            function.start,
            function.end,
        )
    opened = reader.open_bracket()
    first = _read_sum(reader)
    reader.expect(",", f"{function.text}() takes two parts with a comma between them.")
    second = _read_sum(reader)
    reader.close_bracket(opened)
    trials = Arithmetic("+", first, second) if function.text == "cbind" else second
    return TrialsResponse(first, _simplified(trials))


def _simplified(trials: Expression) -> Expression:
    """``s + (n - s)`` is ``n``: so ``cbind(s, n - s)`` equals ``s/n``."""
    match trials:
        case Arithmetic("+", first, Arithmetic("-", whole, second)) if first == second:
            return whole
    return trials


def _bound(reader: Reader, operator: Token) -> None:
    if reader.position > MAX_TOKENS:
        reader.fail_at(
            "This response is too long. Add a column with the result to the data.", operator.start, operator.end
        )


def _read_sum(reader: Reader) -> Expression:
    expression = _read_product(reader)
    while operator := reader.take_if("+", "-"):
        _bound(reader, operator)
        expression = Arithmetic(operator.kind, expression, _read_product(reader))
    return expression


def _read_product(reader: Reader) -> Expression:
    expression = _read_value(reader)
    while operator := reader.take_if("*", "/"):
        _bound(reader, operator)
        expression = Arithmetic(operator.kind, expression, _read_value(reader))
    return expression


def _read_value(reader: Reader) -> Expression:
    if reader.peek().kind == "(":
        opened = reader.open_bracket()
        inside = _read_sum(reader)
        reader.close_bracket(opened)
        return inside
    if number := reader.take_if("number"):
        if math.isinf(float(number.text)):
            reader.fail_at("This number is too large.", number.start, number.end)
        return Number(float(number.text))
    return Column(reader.take_column(f"A column or a number was expected here. {KINDS}"))
