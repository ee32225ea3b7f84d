"""Reads the left side: ``y``, ``log(y)``, ``y['yes']``, ``s/n``, ``cbind(s, f)``, ``p(s, n)``, ``s | trials(n)``.

Frequency weights follow a bar, as in brms: ``y | weights(w)``.
"""

from __future__ import annotations

from hiermod.formula.arithmetic import FLAGS, read_expression
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression
from hiermod.formula.nodes import LevelResponse, Response, SingleResponse, TrialsResponse
from hiermod.formula.reader import Reader

PAIRS = ("cbind", "p", "prop", "proportion")
KINDS = "A response is a column (y), a level of one (y['yes']), or successes out of trials: s/n, cbind(s, f), p(s, n)."


def read_response(reader: Reader) -> tuple[Response, str | None]:
    """Read the response and the column of its frequency weights, up to the ``~``."""
    first = reader.peek()
    if first.kind == "~":
        reader.fail(f"There is no response before '~'. {KINDS}")
    if first.kind == "name" and first.text in PAIRS and reader.peek(1).kind == "(":
        response = _read_pair(reader)
    elif first.kind == "name" and reader.peek(1).kind == "[":
        response = _read_level(reader)
    else:
        response = _read_ratio_or_single(reader)
    return _read_additions(reader, response) if reader.peek().kind == "|" else (response, None)


def _read_ratio_or_single(reader: Reader) -> Response:
    start = reader.peek().start
    if level := _read_comparison(reader):
        return level
    expression = read_expression(reader)
    match expression:
        case Column() | Call():
            return SingleResponse(expression)
        case Arithmetic("/", successes, trials) if not _is_ratio(successes):
            return TrialsResponse(successes, trials)
    if reader.peek().kind == "|" and reader.peek(1).text == "trials":
        return SingleResponse(expression)
    return reader.fail_at(f"This is not a response. {KINDS}", start, reader.peek(-1).end)


def _read_comparison(reader: Reader) -> LevelResponse | None:
    """``I(y == 'yes')``, or the same without I(): what R writes for ``y['yes']``."""
    wrapped = reader.peek().text == "I" and reader.peek(1).kind == "("
    first = 2 if wrapped else 0
    kinds = [reader.peek(first + ahead).kind for ahead in range(4)]
    flag = reader.peek(first + 3).text in FLAGS
    if kinds[:3] != ["name", "=", "="] or not (kinds[3] in ("text", "number") or flag):
        return None
    opened = (reader.take(), reader.open_bracket())[1] if wrapped else None
    column = reader.take_column(KINDS)
    reader.take(), reader.take()
    level = reader.take().text
    if opened:
        reader.close_bracket(opened)
    return LevelResponse(column, level)


def _is_ratio(expression: Expression) -> bool:
    return isinstance(expression, Arithmetic) and expression.operator == "/"


def _read_level(reader: Reader) -> LevelResponse:
    column = reader.take_column(KINDS)
    reader.expect("[", KINDS)
    if reader.peek().kind not in ("text", "name", "number"):
        reader.fail("Between the brackets stands the level that counts as a success: y['yes'].")
    level = reader.take().text
    reader.expect("]", "A closing square bracket was expected here.")
    return LevelResponse(column, level)


def _read_additions(reader: Reader, response: Response) -> tuple[Response, str | None]:
    """``| trials(n) + weights(w)``, as brms writes them."""
    bar = reader.take()
    weights: str | None = None
    trials: Expression | None = None
    while True:
        name = reader.peek()
        if name.text not in ("trials", "weights") or reader.peek(1).kind != "(":
            reader.fail("After '|' in a response stands trials(n), the trials, or weights(w), how often a row counts.")
        reader.take()
        opened = reader.open_bracket()
        if name.text == "weights":
            weights = reader.take_column("A column of frequency weights was expected here.")
        else:
            trials = read_expression(reader)
        reader.close_bracket(opened)
        if not reader.take_if("+"):
            break
    if trials is None:
        return response, weights
    if not isinstance(response, SingleResponse):
        reader.fail_at("This response has trials already.", bar.start, bar.end)
    return TrialsResponse(response.expression, trials), weights


def _read_pair(reader: Reader) -> Response:
    function = reader.take()
    opened = reader.open_bracket()
    first = read_expression(reader)
    reader.expect(",", f"{function.text}() takes two parts with a comma between them.")
    second = read_expression(reader)
    reader.close_bracket(opened)
    trials = Arithmetic("+", first, second) if function.text == "cbind" else second
    return TrialsResponse(first, _simplified(trials))


def _simplified(trials: Expression) -> Expression:
    """``s + (n - s)`` is ``n``: so ``cbind(s, n - s)`` equals ``s/n``."""
    match trials:
        case Arithmetic("+", first, Arithmetic("-", whole, second)) if first == second:
            return whole
    return trials
