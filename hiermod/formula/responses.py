"""Reads the left side of a formula: a response, and what brms writes beside it or Bambi around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hiermod.formula.arithmetic import read_comparison, read_expression
from hiermod.formula.bounds import read_censoring, read_surv, read_truncation
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
from hiermod.formula.nodes import (
    Bounds,
    CountsResponse,
    LevelResponse,
    Measured,
    Response,
    SingleResponse,
    TrialsResponse,
)
from hiermod.formula.reader import Reader, Token

ADDITIONS = {  # of brms, and what is nearest
    "mi": "missing responses are not imputed. The nearest is na='drop', the default: such rows are left out",
    "subset": "rows are chosen in the data: data[data['use']]",
    "bhaz": "the baseline hazard of a Cox model is not there. The nearest are 'weibull' and Poisson cells",
    "dec": "diffusion models are not there. The nearest is the rate of one decision, or the times alone",
    **dict.fromkeys(("index", "vint", "vreal"), "it belongs to families of brms's users; hm.register_family adds one"),
}
PAIRS = ("cbind", "c", "counts", "p", "prop", "proportion")
COLUMNS = ("cbind", "c", "counts")  # c(a, b, c) and counts(a, b, c) are Bambi's
OF_BAMBI = ("censored", "truncated", "weighted")
LEVELS = 101  # whole numbers that can be categories
CATEGORIES = {"thres": "thresholds", "cat": "categories"}
WRITTEN = ("trials", "weights", "rate", "cens", "trunc", "se", *CATEGORIES)
KINDS = (
    "A response is a column (y), a level of one (y['yes']), successes out of trials: s/n, cbind(s, f), p(s, n), or "
    "counts of categories: cbind(a, b, c)."
)


@dataclass(frozen=True)
class Additions:
    """What brms writes beside a response: frequency weights, the exposure of counts, bounds, known errors."""

    weights: str | None = None
    rate: Expression | None = None
    bounds: Bounds | None = None
    measured: Measured | None = None


def read_response(reader: Reader) -> tuple[Response, Additions]:
    """Read the response and what is added to it, up to the ``~``."""
    first, bounds = reader.peek(), None
    if first.kind == "~":
        reader.fail(f"There is no response before '~'. {KINDS}")
    if first.kind == "name" and first.text in PAIRS and reader.peek(1).kind == "(":
        response = _read_pair(reader)
    elif first.kind == "name" and reader.peek(1).kind == "[":
        response = _read_level(reader)
    elif first.kind == "name" and first.text == "Surv" and reader.peek(1).kind == "(":
        time, bounds = read_surv(reader)
        response = _single(time)
    elif first.kind == "name" and first.text in OF_BAMBI and reader.peek(1).kind == "(":
        return _read_of_bambi(reader)
    else:
        response = _read_ratio_or_single(reader)
    end = reader.peek(-1).end
    added = Additions(bounds=bounds)
    if reader.peek().kind == "|":
        response, added = _read_additions(reader, response, bounds)
    if not response.columns:
        reader.fail_at(f"This response is the same number in every row: it names no column. {KINDS}", first.start, end)
    return response, added


def _single(expression: Expression) -> SingleResponse:
    return SingleResponse(expression if isinstance(expression, Column | Call) else Call("I", (expression,)))


def _read_of_bambi(reader: Reader) -> tuple[Response, Additions]:
    """Bambi's ``censored(y, code)``, ``censored(low, high, code)``, ``truncated(y, lb, ub)`` and ``weighted(y, w)``."""
    name = reader.take()
    opened = reader.open_bracket()
    response = _single(read_expression(reader))
    reader.expect(",", f"{name.text}() takes the response and, after a comma, what is known of it.")
    if name.text == "weighted":
        added = Additions(reader.take_column("A column of frequency weights was expected here."))
    elif name.text == "truncated":
        added = Additions(bounds=read_truncation(reader, Bounds()))
    else:
        added = Additions(bounds=_censored(reader, read_comparison(reader)))
    reader.close_bracket(opened)
    if reader.peek().kind == "|":
        reader.fail(
            f"{name.text}() is Bambi's, and '|' brms's way to say what is known of a response. Write one of them."
        )
    return response, added


def _censored(reader: Reader, second: Expression) -> Bounds:
    """What stands behind the response in ``censored()``: a code, or the end of intervals and a code."""
    code, upper = second, None
    if reader.take_if(","):
        code, upper = read_comparison(reader), second
    if not code.columns:
        reader.fail("A column that says which rows are censored was expected here: censored(time, code).")
    return Bounds(code=code, upper=upper)


def _read_ratio_or_single(reader: Reader) -> Response:
    start = reader.peek().start
    expression = read_comparison(reader)
    match expression:
        case Comparison() | Call("I", (Comparison(),)):
            return _of_comparison(expression if isinstance(expression, Call) else Call("I", (expression,)))
        case Column() | Call():
            return SingleResponse(expression)
        case Arithmetic("/", successes, trials) if not _is_ratio(successes):
            return TrialsResponse(successes, trials, slash=True)
    if reader.peek().kind == "|" and reader.peek(1).text == "trials":
        return SingleResponse(expression)
    if isinstance(expression, Arithmetic | Negative) and len(expression.columns) == 1:
        return SingleResponse(Call("I", (expression,)))
    instead = f" As arithmetic: I({expression})." if len(expression.columns) > 1 else ""
    return reader.fail_at(f"This is not a response. {KINDS}{instead}", start, reader.peek(-1).end)


def _of_comparison(call: Call) -> Response:
    """``I(y == 'yes')`` is ``y['yes']``; other comparisons are true or false on each row."""
    match call.arguments[0]:
        case Comparison("==", Column(name), Text(level)):
            return LevelResponse(name, level)
        case Comparison("==", Column(name), Number() | Flag() as level):
            return LevelResponse(name, str(level))
    return SingleResponse(call)


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


def _read_additions(reader: Reader, response: Response, bounds: Bounds | None) -> tuple[Response, Additions]:
    """``| trials(n) + weights(w)``, ``| rate(t)``, ``| cens(c) + trunc(lb = 0)``, as brms writes them."""
    bar = reader.take()
    weights: str | None = None
    trials: Expression | None = None
    rate: Expression | None = None
    measured: Measured | None = None
    while True:
        name = reader.peek()
        if name.text not in WRITTEN or reader.peek(1).kind != "(":
            reader.fail(
                "After '|' in a response stands trials(n), the trials, weights(w), how often a row counts, rate(t), "
                "the exposure of counts, se(s), known standard errors, cens(c), which rows are censored, or "
                "trunc(lb = 0), between which bounds a response is recorded."
                + (f" Of {name.text}(…): {ADDITIONS[name.text]}." if name.text in ADDITIONS else "")
            )
        reader.take()
        opened = reader.open_bracket()
        if name.text == "weights":
            column = reader.take_column("A column of frequency weights was expected here.")
            if _read_weighted(reader):
                measured = Measured("weighted", Column(column))
            else:
                weights = column
        elif name.text == "se":
            measured = _read_errors(reader)
        elif name.text in CATEGORIES:
            response = _with_categories(reader, response, name)
        elif name.text in ("cens", "trunc"):
            read = read_censoring if name.text == "cens" else read_truncation
            bounds = read(reader, bounds or Bounds())
        elif name.text == "rate":
            rate = read_expression(reader)
            if not rate.columns:
                reader.fail_at("An exposure is made of a column.", name.start, name.end)
        else:
            trials = read_expression(reader)
        reader.close_bracket(opened)
        if not reader.take_if("+"):
            break
    if rate is not None and (trials is not None or not isinstance(response, SingleResponse)):
        reader.fail_at("rate(t) is of a column of counts, which has no trials.", bar.start, bar.end)
    plain = trials is None and rate is None and isinstance(response, SingleResponse)
    if measured is not None and (not plain or bounds is not None):
        what = f"{measured} is of a column of numbers, without trials, rates or bounds."
        reader.fail_at(what, bar.start, bar.end)
    if bounds and not plain:
        reader.fail_at("Censored and truncated responses are numbers, without trials or rates.", bar.start, bar.end)
    if trials is None:
        return response, Additions(weights, rate, bounds, measured)
    if isinstance(response, CountsResponse):
        return replace(response, stated=None if trials == response.trials else trials), Additions(weights)
    if not isinstance(response, SingleResponse):
        reader.fail_at("This response has trials already.", bar.start, bar.end)
    return TrialsResponse(response.expression, trials), Additions(weights)


def _with_categories(reader: Reader, response: Response, name: Token) -> SingleResponse:
    """``y | thres(4)``, and ``cat(5)`` of older brms: the categories 1 to 5, whether they occur or not."""
    number = reader.peek()
    if number.kind != "number" or not number.text.isdigit() or reader.peek(1).kind != ")":
        reader.fail(
            f"{name.text}() takes the number of {CATEGORIES[name.text]}, which all rows share. Where rows have scales "
            "of their own, fit each scale by itself."
        )
    count = int(reader.take().text) + (name.text == "thres")
    if not 2 < count < LEVELS:
        reader.fail_at(f"From 3 to {LEVELS - 1} categories have an order.", number.start, number.end)
    if not isinstance(response, SingleResponse) or not isinstance(response.expression, Column):
        reader.fail_at(f"{name.text}({number.text}) stands beside a column of whole numbers.", name.start, number.end)
    levels = Vector(tuple(Number(float(level)) for level in range(1, count + 1)))
    return SingleResponse(Call("ordered", (response.expression,), (("levels", levels),)))


def _read_weighted(reader: Reader) -> bool:
    """Whether weights are lmer's, of precision: ``weights(w, type = "precision")``."""
    if not reader.take_if(","):
        return False
    kinds = 'weights(w, type = "precision") are lmer\'s; weights(w) count rows.'
    if reader.peek().text != "type":
        reader.fail(kinds)
    reader.take()
    reader.expect("=", kinds)
    kind = reader.peek()
    if kind.text not in ("precision", "frequency"):
        reader.fail(kinds)
    reader.take()
    return kind.text == "precision"


def _read_errors(reader: Reader) -> Measured:
    """``s`` or ``s, sigma = TRUE`` of brms's ``se()``."""
    errors = read_expression(reader)
    words = "se(s, sigma = TRUE) adds a residual to known standard errors; without it there is none."
    if not errors.columns:
        reader.fail(f"Standard errors are a column. {words}")
    added = False
    if reader.take_if(","):
        if reader.peek().text == "sigma" and reader.peek(1).kind == "=":
            reader.take()
            reader.take()
        flag = reader.peek()
        if flag.text.upper() not in ("TRUE", "FALSE", "T", "F"):
            reader.fail(words)
        reader.take()
        added = flag.text.upper().startswith("T")
    return Measured("added" if added else "known", errors)


def _read_pair(reader: Reader) -> Response:
    function = reader.take()
    opened = reader.open_bracket()
    first = read_expression(reader)
    reader.expect(",", f"{function.text}() takes two parts with a comma between them.")
    second = read_expression(reader)
    if function.text in COLUMNS and reader.peek().kind == ",":
        return _read_counts(reader, opened, [first, second])
    reader.close_bracket(opened)
    trials = Arithmetic("+", first, second) if function.text in COLUMNS else second
    return TrialsResponse(first, _simplified(trials))


def _read_counts(reader: Reader, opened: Token, counts: list[Expression]) -> CountsResponse:
    """The further columns of counts, from the comma on."""
    while reader.take_if(","):
        counts.append(read_expression(reader))
    reader.close_bracket(opened)
    twice = [count for place, count in enumerate(counts) if count in counts[:place]]
    if twice:
        reader.fail_at(
            f"{twice[0]} is counted twice. Each category has one column of counts.", opened.start, opened.end
        )
    return CountsResponse(tuple(counts))


def _simplified(trials: Expression) -> Expression:
    """``s + (n - s)`` is ``n``: so ``cbind(s, n - s)`` equals ``s/n``."""
    match trials:
        case Arithmetic("+", first, Arithmetic("-", whole, second)) if first == second:
            return whole
    return trials
