"""Writes a formula as lme4, brms or Bambi spell it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from hiermod.errors import FormulaError, HiermodError, did_you_mean
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
    is_comparison,
    quote,
)
from hiermod.formula.nodes import (
    DOT,
    INTERCEPT,
    CountsResponse,
    Formula,
    GroupTerm,
    LevelResponse,
    ParameterFormula,
    SingleResponse,
    Term,
    TrialsResponse,
)
from hiermod.formula.parser import parse, with_columns
from hiermod.formula.parts import SPECIFIC_EFFECTS
from hiermod.formula.vocabulary import FUNCTIONS

PARAMETERS_OF_BRMS = {"alpha": "shape", "kappa": "phi", "ziformula": "zi"}
ANCHORED = ("disc",)  # parameters whose linear predictors have no intercept here, as brms's are written to have none
SPELLINGS = {"lme4": "lme4", "brms": "brms", "bambi": "Bambi"}  # and how each is called
CONTRASTS = {"treatment": "Treatment", "sum": "Sum"}
LEVELLING = frozenset(("factor", "as.factor", "C", "cut", "ordered", "as.ordered", "relevel"))
NOT_IN_BAMBI = frozenset(("ordered", "as.ordered", "ns", "cut"))
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
        Bambi has coefficients of other columns, which span the same space, for ``y ~ f:g``, and fewer of a factor f for
        ``(1 | g) + (0 + f | g)``. A response ``y/10`` is taken to be of 10 trials. For lme4 and Bambi ``y | rate(t)``
        becomes an offset, as of Poisson models; the shape that ``t`` multiplies in negative binomial ones is lost.

    Raises
    ------
    FormulaError
        If the formula cannot be read, or holds what the other package cannot say.
    HiermodError
        For lme4 and Bambi, if other parameters than the mean have linear predictors; that of Bambi says what to write.

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
    _refuse_names(formula, to)
    _refuse_smooths(formula, to)
    _refuse_covariances(formula, to)
    if to == "bambi":
        _refuse_bars_of_bambi(formula)
    if any(part.parameter == "dispformula" for part in formula.further):
        raise HiermodError("dispformula is of another parameter in each family: write that one, such as 'sigma ~ x'.")
    offsets = formula.own_offsets if to == "brms" else formula.offsets
    right = " + ".join([_right(formula, offsets, formula, to), *_specific(formula, to)])
    whole = f"{_response(formula, to)} ~ {right}{_weights(formula, to)}"
    further = [part for part in formula.further if part.parameter != SPECIFIC_EFFECTS]
    if not (further or formula.fixed):
        return whole
    parts = [f"{_parameter(part.parameter, to)} ~ {_right(part, part.offsets, formula, to)}" for part in further]
    parts += [f"{_parameter(name, to)} = {Number(value)}" for name, value in formula.fixed]
    if to != "brms":
        package, instead = {
            "lme4": ("lme4's", "glmmTMB has dispformula= and ziformula=, and brms bf()"),
            "bambi": ("Bambi's", f"Give its model bmb.Formula({', '.join(map(repr, [whole, *parts]))})"),
        }[to]
        raise HiermodError(f"{package} formulas have one linear predictor. {instead}.")
    return f"bf({', '.join([whole, *parts])})"


def _specific(formula: Formula, to: str) -> list[str]:
    """The effects on each threshold, which brms alone has."""
    part = next((part for part in formula.further if part.parameter == SPECIFIC_EFFECTS), None)
    if part is None:
        return []
    if to != "brms":
        raise HiermodError(f"{to}'s formulas have no effects that differ between thresholds, cs(…); brms's have.")
    terms = " + ".join(_term(term, formula, to) for term in part.common)
    bars = [_of_thresholds(_bar(bar, formula, to)) for bar in part.groups]
    return [*([f"cs({terms})"] if terms else []), *bars]


def _of_thresholds(bar: str) -> str:
    """A bar whose terms stand in ``cs()``."""
    inside, sign, rest = bar[1:].partition(" |")
    return f"(cs({inside}){sign}{rest}"


def _parameter(name: str, to: str) -> str:
    return PARAMETERS_OF_BRMS.get(name, name) if to == "brms" else name


def _right(part: Formula | ParameterFormula, offsets: Iterable[str], formula: Formula, to: str) -> str:
    """The right side of one linear predictor."""
    terms = [_term(term, formula, to) for term in part.common]
    terms += [f"offset({_expression(formula.expressions[name], to)})" for name in offsets]
    lead = ["0"] if not part.intercept else ([] if terms else ["1"])
    lead = ["0"] if isinstance(part, ParameterFormula) and part.parameter in ANCHORED and to == "brms" else lead
    lead = ["0", "Intercept"] if part.uncentred and to == "brms" else lead
    bars = [_bar(bar, formula, to) for bar in part.groups]
    removed = "".join(f" - {_term(term, formula, to)}" for term in part.removed)
    return f"{' + '.join([*lead, *terms, *bars])}{removed}"


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
    measured = formula.measured
    if measured is not None and (to == "bambi" or (measured.kind == "weighted") != (to == "lme4")):
        nearest = "lme4" if measured.kind == "weighted" else "brms"
        raise FormulaError(f"{SPELLINGS[to]}'s formulas have no {measured}; {nearest}'s have.", formula.text, 0)
    name = quote(formula.weights or "")
    if formula.weights and to == "bambi" and not isinstance(formula.response, SingleResponse):
        raise FormulaError(
            f"Bambi's formulas have no weights of successes. Repeat the rows, "
            f"data.loc[data.index.repeat(data['{name}'])], and translate the formula without weights({name}).",
            formula.text, *formula.places.get(formula.weights, (0, 1)),
        )  # fmt: skip
    if formula.weights and to == "lme4" and isinstance(formula.response, SingleResponse):
        raise FormulaError(
            f"{name} says how often a row counts; lmer's weights are precisions, another model. Repeat the rows in R, "
            f"data[rep(seq_len(nrow(data)), data${name}), ], and translate the formula without weights({name}).",
            formula.text, *formula.places.get(formula.weights, (0, 1)),
        )  # fmt: skip


def _refuse_names(formula: Formula, to: str) -> None:
    """Columns whose names stand in backticks, or hold two underscores, which brms refuses."""
    for name in formula.all_columns if to == "brms" else ():
        if name != DOT and (quote(name) != name or "__" in name or name.endswith("_")):
            raise FormulaError(
                f"brms takes no column named {name!r}. Rename it: data.rename(columns={{{name!r}: ...}}).",
                formula.text, *formula.places.get(name, (0, 1)),
            )  # fmt: skip


def _refuse_smooths(formula: Formula, to: str) -> None:
    """lme4 and Bambi have neither smooths nor monotonic effects."""
    for name, expression in formula.expressions.items():
        if "mo" in expression.functions and to != "brms":
            column = expression.columns[0]
            raise FormulaError(
                f"{to} has no monotonic effects. The nearest is a level's own coefficient, factor({quote(column)}); "
                f"brms has {name}.", formula.text, *formula.places.get(column, (0, 1)),
            )  # fmt: skip
        if "s" in expression.functions and to != "brms":
            raise FormulaError(
                f"{SPELLINGS[to]} has no smooths. Unpenalised splines are bs(x, df=5), and mgcv and brms have {name}.",
                formula.text, *formula.places.get(expression.columns[0], (0, 1)),
            )  # fmt: skip


def _refuse_covariances(formula: Formula, to: str) -> None:
    """Covariances for each level of a factor are brms's alone."""
    bar = next((bar for bar in formula.all_groups if bar.covariances), None)
    if bar is not None and to != "brms":
        raise HiermodError(f"{to} has no covariance for each level of a factor, as {bar} says; brms has.")


def _refuse_bars_of_bambi(formula: Formula) -> None:
    """Refuse bars whose factors formulae codes in another way than R.

    It looks at all bars of a group together: of f it drops the reference level in ``(x:f | g)``, and in ``(0 + f | g)``
    beside ``(1 | g)``, where R keeps all levels. Whether a plain column is a factor is not known here.
    """
    for bar in formula.groups:
        pooled = {term for other in formula.groups if set(other.factors) == set(bar.factors) for term in other.terms}
        for term in bar.terms:
            margins = [term.without(variable) for variable in term.variables]
            inside = [any(set(margin.variables) <= set(other.variables) for other in bar.terms if other != term)
                      for margin in margins]  # fmt: skip
            product = len(margins) > 1 and not all(inside)
            levels = len(margins) == 1 and INTERCEPT not in bar.terms and _makes_levels(formula, term.variables[0])
            if len(pooled) > 1 and (product or (levels and INTERCEPT in pooled)):
                _refuse_for_bambi(
                    f"({term} | {bar.group}) with all levels beside other effects of that group",
                    "Put the parts of the product, or the intercept, into the same bar",
                )


def _makes_levels(formula: Formula, variable: str) -> bool:
    expression = formula.expressions.get(variable)
    return isinstance(expression, Call) and (expression.function in LEVELLING or is_comparison(expression))


def _refuse_for_bambi(what: str, instead: str = "Add a column with the result to the data") -> NoReturn:
    raise HiermodError(f"Bambi's formulas cannot say {what}. {instead}.")


def _response(formula: Formula, to: str) -> str:
    response = formula.response
    added = [f"rate({_in_r(formula.rate)})"] if formula.rate and to == "brms" else []
    added += [f"weights({quote(formula.weights)})"] if formula.weights and to == "brms" else []
    added += [str(formula.measured)] if formula.measured and to == "brms" else []
    added += _bounds(formula, to)
    match response:
        case TrialsResponse(successes, trials):
            count, total = _expression(successes, to), _expression(trials, to)
            if to == "bambi":
                return f"p({count}, {total})"
            if to == "lme4":
                return f"cbind({count}, {_expression(_failures(successes, trials), to)})"
            text, added = count, [f"trials({total})", *added]
        case CountsResponse(counts, stated):
            text, added = _counts(counts, stated or response.trials, to, added)
        case LevelResponse(column, level):
            text = str(response) if to == "bambi" else f"I({quote(column)} == {Text(level)})"
        case SingleResponse(expression):
            text = _expression(expression, to)
            if to == "bambi" and is_comparison(expression):
                text = f"I({_in_python(expression.parts[0])})"
            if to == "bambi" and formula.weights:
                text = f"weighted({text}, {quote(formula.weights)})"
    return f"{text} | {' + '.join(added)}" if added else text


def _counts(
    counts: tuple[Expression, ...], trials: Expression, to: str, added: list[str]
) -> tuple[str, list[str]]:  # fmt: skip
    """Counts of categories, of which brms's multinomial() is told the trials, and what is added to them."""
    if to == "lme4":
        raise HiermodError(
            "lme4 has no counts of several categories. nnet::multinom takes them without groups, and brms with them."
        )
    columns = ", ".join(_expression(count, to) for count in counts)
    if to == "bambi":
        return f"c({columns})", added
    return f"cbind({columns})", [f"trials({_expression(trials, to)})", *added]


def _bounds(formula: Formula, to: str) -> list[str]:
    """What brms writes beside a censored or truncated response; lme4 has none, and Bambi's needs another column."""
    bounds = formula.bounds
    if bounds is None:
        return []
    if to != "brms":
        other = "model.pymc() is the model in PyMC" if to == "bambi" else "brms has them"
        raise FormulaError(
            f"{'lme4 has' if to == 'lme4' else 'Bambi is given'} no censored or truncated responses here; {other}.",
            formula.text, *formula.places.get(formula.response.columns[0], (0, 1)),
        )  # fmt: skip
    if bounds.events:
        code = f"({bounds.code})" if isinstance(bounds.code, Comparison) else bounds.code
        return [f"cens(1 - {code})", *bounds.additions()]
    return bounds.additions()


def _failures(successes: Expression, trials: Expression) -> Expression:
    match trials:
        case Arithmetic("+", first, second) if successes in (first, second):
            return second if first == successes else first
    return Arithmetic("-", trials, successes)


def _weights(formula: Formula, to: str) -> str:
    """Weights are an argument in lme4, and stand beside the response elsewhere."""
    if formula.measured and to == "lme4":
        return f", weights = {_in_r(formula.measured.expression)}"
    return f", weights = {quote(formula.weights)}" if formula.weights and to == "lme4" else ""


def _term(term: Term, formula: Formula, to: str) -> str:
    written = []
    for variable in term.variables:
        expression = formula.expressions.get(variable)
        written.append(quote(variable) if expression is None else _expression(expression, to))
    return ":".join(written) or "1"


def _bar(bar: GroupTerm, formula: Formula, to: str) -> str:
    inside = " + ".join(_term(term, formula, to) for term in bar.written)
    inside = inside if INTERCEPT in bar.written else f"0 + {inside}"
    mark = "|" if bar.correlated or to == "bambi" else "||"
    mark = f"| {bar.block} |" if bar.block else mark
    group = ":".join(quote(factor) for factor in bar.factors)
    return f"({inside} {mark} {f'gr({group}, by = {quote(bar.by)})' if bar.covariances else group})"


def _expression(expression: Expression, to: str) -> str:
    if to != "bambi":
        return _in_r(expression)
    return _in_python(expression)


def _in_r(expression: Expression) -> str:
    match expression:
        case Call("C", (factor, Text(name))):
            return f"C({factor}, 'contr.{name}')"  # brms would take the bare name for a column
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
                f"({_in_python(side)})" if isinstance(side, Arithmetic | Negative | Comparison) else _in_python(side)
                for side in (left, right)
            ]
            return f"{sides[0]}**{sides[1]}" if operator == "^" else f"{sides[0]} {operator} {sides[1]}"
        case Comparison(operator, left, right):
            return f"{_in_python(left)} {operator} {_in_python(right)}"
        case Call("I", (Comparison() as comparison,)):
            return f"C({_in_python(comparison)})"
        case Call("scale" | "standardize" | "center"):
            return _scaled_in_python(expression)
        case Call("relevel", (_, Number())) | Call("relevel", _, (("ref", Number()),)):
            _refuse_for_bambi(f"which level {expression} counts to", "Name the level: relevel(g, 'b')")
        case Call(function, arguments, options):
            return _call_in_python(function, [_in_python(argument) for argument in arguments], options)
    return str(expression)


def _scaled_in_python(call: Call) -> str:
    """``scale()`` divides by the root of n - 1 in R and of n in formulae; ``center()`` is the same."""
    column, *unnamed = call.arguments
    options = {**dict(zip(FUNCTIONS["scale"].options, unnamed, strict=False)), **dict(call.options)}
    centred = options.get("center", Flag(True)) == Flag(True) and options.get("scale") == Flag(False)
    if call.function != "center" and not centred:
        _refuse_for_bambi(f"{call} (its function of that name divides by n, not by n - 1)")
    return f"center({_in_python(column)})"


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
