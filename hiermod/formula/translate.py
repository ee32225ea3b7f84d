"""Writes a formula as lme4, brms or Bambi spell it."""

from __future__ import annotations

from hiermod.errors import FormulaError, HiermodError, did_you_mean
from hiermod.formula.expressions import (
    Arithmetic,
    Call,
    Column,
    Expression,
    Flag,
    Negative,
    Number,
    Text,
    Vector,
    quote,
)
from hiermod.formula.nodes import (
    DOT,
    INTERCEPT,
    Formula,
    GroupTerm,
    LevelResponse,
    SingleResponse,
    Term,
    TrialsResponse,
)
from hiermod.formula.parser import parse, with_columns
from hiermod.formula.vocabulary import FUNCTIONS

SPELLINGS = ("lme4", "brms", "bambi")
CONTRASTS = {"treatment": "Treatment", "sum": "Sum"}
NOT_IN_BAMBI = frozenset(("ordered", "ns", "cut"))
PROBES = ("first_of_two", "second_of_two")  # columns that a dot may stand for


def translate(formula: str, to: str) -> str:
    """Write a formula in another package's spelling.

    Parameters
    ----------
    formula : str
        In any spelling that `hiermod.fit` reads.
    to : {"lme4", "brms", "bambi"}

    Returns
    -------
    str
        The same model's formula, but for two readings that no spelling changes: Bambi fits ``(x | g)`` without
        correlations (`Model.bambi` gives the correlated model), and lme4 keeps a factor's columns correlated in ``||``.

    Raises
    ------
    FormulaError
        If the formula cannot be read, or holds what the other package cannot say.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.translate("successes/trials ~ period + (1 | herd)", "brms")
    'successes | trials(trials) ~ period + (1 | herd)'
    """
    return spell(parse(formula), to)


def spell(formula: Formula, to: str) -> str:
    """Write a parsed formula in a package's spelling."""
    if to not in SPELLINGS:
        raise HiermodError(f"to={to!r}.{did_you_mean(str(to), SPELLINGS)}")
    _refuse_dot_in_products(formula)
    _refuse_weights(formula, to)
    terms = [_term(term, formula, to) for term in formula.common]
    terms += [f"offset({_expression(formula.expressions[name], to)})" for name in formula.offsets]
    lead = ["0"] if not formula.intercept else ([] if terms else ["1"])
    bars = [_bar(bar, formula, to) for bar in formula.groups]
    removed = "".join(f" - {_term(term, formula, to)}" for term in formula.removed)
    return f"{_response(formula, to)} ~ {' + '.join([*lead, *terms, *bars])}{removed}{_weights(formula, to)}"


def _refuse_dot_in_products(formula: Formula) -> None:
    """A dot that is multiplied is known only where the data's columns are."""
    if not formula.has_dot:
        return
    names = tuple(dict.fromkeys((*PROBES, *(name for term in formula.removed for name in term.variables))))
    plain = {term for term in formula.common if term != Term((DOT,))} | {Term((name,)) for name in names}
    try:
        multiplied = set(with_columns(formula, names).common) != plain - set(formula.removed)
    except FormulaError:  # what is taken away within brackets
        multiplied = True
    if multiplied:
        raise FormulaError(
            "What '.' stands for is multiplied here, which only data can spell out. Write the columns in its place.",
            formula.text, *formula.places[DOT],
        )  # fmt: skip


def _refuse_weights(formula: Formula, to: str) -> None:
    """lme4's weights of a gaussian response are precisions, not how often a row counts."""
    if formula.weights and to == "lme4" and isinstance(formula.response, SingleResponse):
        name = quote(formula.weights)
        raise FormulaError(
            f"{name} says how often a row counts; lmer's weights are precisions, another model. Repeat the rows in R, "
            f"data[rep(seq_len(nrow(data)), data${name}), ], and translate the formula without weights({name}).",
            formula.text, *formula.places.get(formula.weights, (0, 1)),
        )  # fmt: skip


def _refuse_for_bambi(what: str) -> None:
    raise HiermodError(f"Bambi's formulas cannot say {what}. Add a column with the result to the data.")


def _response(formula: Formula, to: str) -> str:
    response = formula.response
    added = [f"weights({quote(formula.weights)})"] if formula.weights and to == "brms" else []
    match response:
        case TrialsResponse(successes, trials):
            count, total = _expression(successes, to), _expression(trials, to)
            if to == "bambi":
                return f"p({count}, {total})"
            if to == "lme4":
                return f"cbind({count}, {_expression(_failures(successes, trials), to)})"
            text, added = count, [f"trials({total})", *added]
        case LevelResponse(column, level):
            text = str(response) if to == "bambi" else f"I({quote(column)} == {Text(level)})"
        case SingleResponse(expression):
            text = _expression(expression, to)
    return f"{text} | {' + '.join(added)}" if added else text


def _failures(successes: Expression, trials: Expression) -> Expression:
    match trials:
        case Arithmetic("+", first, second) if successes in (first, second):
            return second if first == successes else first
    return Arithmetic("-", trials, successes)


def _weights(formula: Formula, to: str) -> str:
    """Weights are an argument in lme4, and none in Bambi's formulas."""
    if not formula.weights or to == "brms":
        return ""
    return f", weights = {quote(formula.weights)}" if to == "lme4" else f"  # rows repeated {formula.weights} times"


def _term(term: Term, formula: Formula, to: str) -> str:
    written = []
    for variable in term.variables:
        expression = formula.expressions.get(variable)
        written.append(quote(variable) if expression is None else _expression(expression, to))
    return ":".join(written) or "1"


def _bar(bar: GroupTerm, formula: Formula, to: str) -> str:
    inside = " + ".join(_term(term, formula, to) for term in bar.terms)
    inside = inside if INTERCEPT in bar.terms else f"0 + {inside}"
    mark = "|" if bar.correlated or to == "bambi" else "||"
    return f"({inside} {mark} {':'.join(quote(factor) for factor in bar.factors)})"


def _expression(expression: Expression, to: str) -> str:
    if to != "bambi":
        return _in_r(expression)
    return _in_python(expression)


def _in_r(expression: Expression) -> str:
    match expression:
        case Call("C", (factor, Text(name))):
            return f"C({factor}, contr.{name})"
        case Call(function, (column,)) if function in FUNCTIONS and FUNCTIONS[function].r:
            return FUNCTIONS[function].r.format(column)
    return str(expression)


def _in_python(expression: Expression) -> str:
    match expression:
        case Flag(value):
            return str(value)
        case Vector():
            _refuse_for_bambi(f"the list {expression}")
        case Negative(operand):
            return (
                f"-{_in_python(operand)}"
                if isinstance(operand, Column | Number | Call)
                else f"-({_in_python(operand)})"
            )
        case Arithmetic(operator, left, right):
            sides = [
                f"({_in_python(side)})" if isinstance(side, Arithmetic | Negative) else _in_python(side)
                for side in (left, right)
            ]
            return f"{sides[0]}**{sides[1]}" if operator == "^" else f"{sides[0]} {operator} {sides[1]}"
        case Call(function, arguments, options):
            return _call_in_python(function, [_in_python(argument) for argument in arguments], options)
    return str(expression)


def _call_in_python(function: str, arguments: list[str], options: tuple[tuple[str, Expression], ...]) -> str:
    if function in NOT_IN_BAMBI:
        _refuse_for_bambi(f"{function}()")
    if function == "C" and len(arguments) == 2 and arguments[1].strip("'\"") not in CONTRASTS:
        _refuse_for_bambi(f"the contrasts {arguments[1]}")
    if function == "C" and len(arguments) == 2:
        arguments = [arguments[0], CONTRASTS.get(arguments[1].strip("'\""), arguments[1])]
    if function == "log" and len(arguments) + len(options) > 1:
        base = arguments[1] if len(arguments) > 1 else _in_python(options[0][1])
        return f"I(np.log({arguments[0]}) / np.log({base}))"
    if function == "relevel":
        return f"C({arguments[0]}, Treatment({arguments[1] if len(arguments) > 1 else _in_python(options[0][1])}))"
    written = FUNCTIONS[function].python if function in FUNCTIONS else ""
    named = [f"{name}={_in_python(value)}" for name, value in options]
    return f"{written or function}({', '.join([*arguments, *named])})"
