"""Reads expressions on columns: arithmetic with R's precedence, and calls of functions from the vocabulary."""

from __future__ import annotations

import math

from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Flag, Negative, Number, Text, Vector
from hiermod.formula.reader import Reader, Token
from hiermod.formula.vocabulary import ALIASES, CONTRASTS, FUNCTIONS, Function, function, suggestion

MAX_TOKENS = 200
FLAGS = {"TRUE": True, "FALSE": False, "True": True, "False": False}
LITERALS = Number | Text | Flag | Vector | Negative


def read_expression(reader: Reader, start: int | None = None) -> Expression:
    """Read a sum of products of values, up to what cannot continue it; `start` is where its text began."""
    begin = reader.position if start is None else start
    expression = _read_product(reader, begin)
    while operator := reader.take_if("+", "-"):
        _bound(reader, operator, begin)
        expression = Arithmetic(operator.kind, expression, _read_product(reader, begin))
    return expression


def _bound(reader: Reader, operator: Token, begin: int) -> None:
    if reader.position - begin > MAX_TOKENS:
        reader.fail_at(
            "This expression is too long. Add a column with the result to the data.", operator.start, operator.end
        )


def _read_product(reader: Reader, begin: int) -> Expression:
    expression = _read_signed(reader, begin)
    while operator := reader.take_if("*", "/"):
        _bound(reader, operator, begin)
        expression = Arithmetic(operator.kind, expression, _read_signed(reader, begin))
    return expression


def _read_signed(reader: Reader, begin: int) -> Expression:
    signs = []
    while sign := reader.take_if("-", "+"):
        _bound(reader, sign, begin)
        signs.append(sign.kind)
    value = _read_power(reader, begin)
    for kind in reversed(signs):
        value = Negative(value) if kind == "-" else value
    return value


def _read_power(reader: Reader, begin: int) -> Expression:
    base = _read_value(reader, begin)
    if operator := reader.take_if("^"):
        _bound(reader, operator, begin)
        return Arithmetic("^", base, _read_signed(reader, begin))
    return base


def _read_value(reader: Reader, begin: int) -> Expression:
    token = reader.peek()
    if token.kind == "(":
        opened = reader.open_bracket()
        inside = read_expression(reader, begin)
        reader.close_bracket(opened)
        return inside
    if token.kind == "number":
        return _read_number(reader)
    if token.kind == "[":
        return _read_vector(reader, begin)
    if token.kind == "text":
        return Text(reader.take().text)
    if token.kind == "name" and not token.quoted:
        if reader.peek(1).kind == "(":
            return read_call(reader, begin)
        if token.text == "Inf":
            reader.take()
            return Number(math.inf)
        if token.text in FLAGS:
            return Flag(FLAGS[reader.take().text])
        if token.text == ".":
            reader.fail("The dot stands for columns as terms: it cannot be calculated with.")
    return Column(reader.take_column("A column or a number was expected here."))


def _read_number(reader: Reader) -> Number:
    token = reader.take()
    value = float(token.text)
    if math.isinf(value):
        reader.fail_at("This number is too large.", token.start, token.end)
    return Number(value)


def read_call(reader: Reader, begin: int | None = None) -> Expression:
    """Read a call of a function of the vocabulary; anything else is refused."""
    begin = reader.position if begin is None else begin
    name = reader.take()
    if name.text == "c":
        return _read_vector(reader, begin)
    called = ALIASES.get(name.text, name.text)
    signature = function(called)
    if signature is None:
        reader.fail_at(f"There is no function {name.text!r}.{suggestion(name.text)}", name.start, name.end)
    opened = reader.open_bracket()
    arguments: list[Expression] = []
    options: dict[str, Expression] = {}
    while reader.peek().kind != ")":
        _read_argument(reader, called, signature, arguments, options, begin)
        if not reader.take_if(","):
            break
    closed = reader.close_bracket(opened)
    call = Call(called, tuple(arguments), tuple(options.items()))
    _check_call(reader, call, signature, name, closed)
    return _relevelled(call)


def _relevelled(call: Call) -> Call:
    """Formulae's ``C(g, Treatment('b'))`` is R's ``relevel(g, 'b')``."""
    match call:
        case Call("C", (factor, Call("treatment", (reference,))), ()):
            return Call("relevel", (factor, Text(str(reference)) if isinstance(reference, Number) else reference))
        case Call("C", (factor,), (("levels", levels),)):
            return Call("factor", (factor,), (("levels", levels),))
        case Call("C", (factor,), (("contr", contrasts),)):
            return Call("C", (factor, contrasts))
    return call


def _read_argument(
    reader: Reader,
    called: str,
    signature: Function,
    arguments: list[Expression],
    options: dict[str, Expression],
    begin: int,
) -> None:
    token = reader.peek()
    if token.kind == "name" and reader.peek(1).kind == "=":
        reader.take(), reader.take()
        if token.text in options or token.text not in signature.options:
            listed = f"It takes {', '.join(signature.options)}." if signature.options else "It takes none."
            reader.fail_at(f"{called}() has no option {token.text!r} here. {listed}", token.start, token.end)
        options[token.text] = _contrast(read_expression(reader, begin), called)
        return
    if options:
        reader.fail("Options with names stand after those without.")
    if called == "C" and arguments and token.text in CONTRASTS and reader.peek(1).kind == "(":
        arguments.append(_read_contrasts(reader, begin))
        return
    value = read_expression(reader, begin)
    arguments.append(_contrast(value, called) if arguments else value)


def _read_contrasts(reader: Reader, begin: int) -> Expression:
    """``Sum``, ``Treatment('b')``, as formulae writes contrasts."""
    name = reader.take()
    opened = reader.open_bracket()
    if reader.peek().text == "reference" and reader.peek(1).kind == "=":
        reader.take(), reader.take()
    if reader.peek().text == "base" and reader.peek(1).kind == "=":
        reader.fail("base= counts levels. Name the reference instead: relevel(f, 'b').")
    reference = None if reader.peek().kind == ")" else read_expression(reader, begin)
    closed = reader.close_bracket(opened)
    if reference is None:
        return Text(CONTRASTS[name.text])
    if CONTRASTS[name.text] != "treatment" or not isinstance(reference, Text | Number):
        reader.fail_at("Only Treatment takes a level, the reference: C(g, Treatment('b')).", name.start, closed.end)
    return Call("treatment", (reference,))


def _contrast(value: Expression, called: str) -> Expression:
    """Contrasts are named without quotes in R: ``C(g, contr.sum)``."""
    match value:
        case Column(name) | Text(name) if called == "C" and name in CONTRASTS:
            return Text(CONTRASTS[name])
    return value


def _read_vector(reader: Reader, begin: int) -> Vector:
    square = reader.take_if("[")
    opened = square or reader.open_bracket()
    items: list[Expression] = []
    while reader.peek().kind not in (")", "]"):
        items.append(read_expression(reader, begin))
        if not reader.take_if(","):
            break
    closed = reader.expect("]", "A closing square bracket was expected.") if square else reader.close_bracket(opened)
    if not items or not all(isinstance(item, LITERALS) and not item.columns for item in items):
        reader.fail_at("c(…) holds numbers or texts.", opened.start, closed.end)
    return Vector(tuple(items))


def _check_call(reader: Reader, call: Call, signature: Function, name: Token, closed: Token) -> None:
    def fail(message: str) -> None:
        reader.fail_at(f"{call.function}(): {message}", name.start, closed.end)

    if not call.arguments or not call.arguments[0].columns:
        fail("a column was expected as its first argument.")
    if call.function not in FUNCTIONS:
        return
    names, unnamed = list(signature.options), len(call.arguments) - 1
    if unnamed > len(names):
        fail(f"it takes one column{' and ' + ', '.join(names) if names else ''}.")
    for option, _ in call.options:
        if option in names[:unnamed]:
            fail(f"the option {option!r} is given twice.")
    if unnamed + len(call.options) < signature.required:
        fail(f"the option {names[0]!r} is missing.")
    for value in (*call.arguments[1:], *(value for _, value in call.options)):
        if value.columns:
            fail(f"its options are numbers and texts, not columns ({value}).")
