"""Reads expressions on columns: arithmetic with R's precedence, and calls of functions from the vocabulary."""

from __future__ import annotations

import math

from hiermod.formula.expressions import (
    Arithmetic,
    Call,
    Column,
    Comparison,
    Expression,
    Flag,
    Negative,
    Number,
    Text,
    Vector,
)
from hiermod.formula.reader import COMPARISONS, Reader, Token
from hiermod.formula.vocabulary import ALIASES, BESIDE, CONTRASTS, FUNCTIONS, Function, absent, function

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


def read_comparison(reader: Reader, start: int | None = None) -> Expression:
    """Read an expression, or a comparison of two, which is true or false on each row."""
    begin = reader.position if start is None else start
    left = read_expression(reader, begin)
    operator = reader.take_if(*COMPARISONS)
    if operator is None:
        return left
    right = read_expression(reader, begin)
    if reader.peek().kind in COMPARISONS:
        reader.fail("One comparison at a time: write the product of two, I(x > 1):I(x < 2).")
    if not operator.kind.endswith("=") or operator.kind in ("<=", ">="):
        for side in (left, right):
            if isinstance(side, Text | Flag):
                reader.fail_at(f"{side} is no number, which {operator.kind} needs.", operator.start, operator.end)
    return Comparison(operator.kind, left, right)


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
        inside = read_comparison(reader, begin)
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
        reader.fail_at(absent(name.text), name.start, name.end)
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
    """Formulae's ``C(g, Treatment('b'))`` is R's ``relevel(g, 'b')``, its ``C(g, levels=l)`` R's ``factor(g, l)``."""
    if call.function != "C":
        return call
    factor = call.arguments[0]
    options = {**dict(zip(FUNCTIONS["C"].options, call.arguments[1:], strict=False)), **dict(call.options)}
    if "levels" in options:
        factor = Call("factor", (factor,), (("levels", options["levels"]),))
    match contrasts := options.get("contr"):
        case Call("treatment", (reference,)):
            return Call("relevel", (factor, reference))
        case Text("treatment") if "base" in options:
            return Call("relevel", (factor, options["base"]))
        case None:
            return factor if isinstance(factor, Call) and "levels" in options else Call("C", (factor,))
    return Call("C", (factor, contrasts))


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
        if token.text in options:
            reader.fail_at(f"The option {token.text!r} is given twice.", token.start, token.end)
        if token.text not in signature.options:
            listed = f"It takes {', '.join(signature.options)}." if signature.options else "It takes none."
            reader.fail_at(f"{called}() has no option {token.text!r} here. {listed}", token.start, token.end)
        options[token.text] = _contrast(read_expression(reader, begin), called)
        return
    if options:
        reader.fail("Options with names stand after those without.")
    if called == "C" and arguments and token.text in CONTRASTS and reader.peek(1).kind == "(":
        arguments.append(_read_contrasts(reader, begin))
        return
    if arguments:
        arguments.append(_contrast(read_expression(reader, begin), called))
    else:
        arguments.append(read_comparison(reader, begin))


def _read_contrasts(reader: Reader, begin: int) -> Expression:
    """``Treatment('b')`` of formulae and patsy, ``contr.treatment(3, base = 2)`` of R: numbers count levels in R."""
    name = reader.take()
    opened = reader.open_bracket()
    given: dict[str, Expression] = {}
    while reader.peek().kind != ")":
        key = "" if len(given) == 0 else "base"
        if reader.peek().kind == "name" and reader.peek(1).kind == "=":
            key = reader.take().text
            reader.take()
        given[key] = read_expression(reader, begin)
        if not reader.take_if(","):
            break
    closed = reader.close_bracket(opened)
    of_r = name.text.startswith("contr.")
    for counted in ("", "n") if of_r else ():  # how many levels there are
        if isinstance(given.get(counted), Number):
            del given[counted]
    if not given:
        return Text(CONTRASTS[name.text])
    key, reference = next(iter(given.items()))
    named = key in (("", "base") if of_r else ("", "reference"))
    if CONTRASTS[name.text] != "treatment" or len(given) > 1 or not named or not isinstance(reference, Text | Number):
        reader.fail_at("Only Treatment takes a level, the reference: C(g, Treatment('b')).", name.start, closed.end)
    counts_levels = of_r or isinstance(reference, Text)
    return Call("treatment", (reference if counts_levels else Text(str(reference)),))


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
    if call.function in BESIDE and unnamed > 0:
        fail(_unnamed(call))
    for option, _ in call.options:
        if option in names[:unnamed]:
            fail(f"the option {option!r} is given twice.")
    if unnamed + len(call.options) < signature.required:
        fail(f"the option {names[0]!r} is missing.")
    for option, value in (*zip(names, call.arguments[1:], strict=False), *call.options):
        if value.columns and option == "contr":
            fail(f"there are no contrasts {value}. There are treatment, sum, helmert, poly.")
        if BESIDE.get(call.function) == option and value.columns:
            continue
        if value.columns:
            example = "c('a', 'b')" if option in ("levels", "labels") else "c(1, 2)"
            fail(
                "its options are numbers and texts, and no names of what stands elsewhere. Write what "
                f"{value} holds in its place: {option}={example}."
            )
    if call.function == "C" and "base" in dict(call.options) and Text("treatment") not in _contrasts_of(call):
        fail("base= is of contr.treatment, the reference level.")


def _unnamed(call: Call) -> str:
    """What is said of a smooth with more than one argument: another column, or an option without its name."""
    x, other = call.arguments[:2]
    if call.function != "s":
        return f"one column is read here, hsgp({x}, m=20, c=1.5); options are named. Bambi's own answers take several."
    if other.columns:
        return (
            f"a smooth is of one column. The nearest to {call} are curves that add up, s({x}) + s({other}), and a "
            f"slope of {other} that is a curve in {x}, s({x}, by={other})."
        )
    return f"options of a smooth are named: s({x}, k={other})."


def _contrasts_of(call: Call) -> tuple[Expression, ...]:
    return (*call.arguments[1:], *(value for name, value in call.options if name == "contr"))
