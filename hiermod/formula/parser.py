"""Reads a formula, or a change of one: text to `Formula`, or a `FormulaError` with a caret. Nothing is ever evaluated.

The right side is a sum of terms as in R: ``+``, ``-``, ``*`` (``a*b`` is ``a + b + a:b``), ``:``, ``/``, ``^``,
``%in%``, brackets, ``0`` and ``1``, ``.``, functions of the vocabulary, offsets, and bars ``(1 + x | g)``, ``||``, with
groups ``g``, ``a:b``, ``a/b``, ``g + h``. Behind a ``;`` stand linear predictors of other parameters, ``sigma ~ x``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hiermod.errors import FormulaError
from hiermod.formula.arithmetic import read_call
from hiermod.formula.calls import refuse_calls
from hiermod.formula.expressions import CALL, Call, Column, distinct, quote
from hiermod.formula.nodes import (
    DOT,
    CountsResponse,
    Formula,
    GroupTerm,
    ParameterFormula,
    SingleResponse,
    TrialsResponse,
)
from hiermod.formula.parts import (
    SPECIFIC_EFFECTS,
    opens,
    parameter_formulas,
    read_further,
    read_right,
    shared_blocks,
    with_blocks,
)
from hiermod.formula.reader import BLANK, Reader, Token, tokenize
from hiermod.formula.responses import read_response
from hiermod.formula.terms import TermSet, add_offset

RESERVED = ("chain", "draw", "row", "Intercept", "sigma", "__obs__", ".", "..")
RESULT_COLUMNS = ("estimate", "lower", "upper", "contrast", "prob_beats", "prob_rope", "expected_loss")


def parse(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        An lme4-style formula such as ``"success ~ treated + (1 + treated | country)"``.

    Returns
    -------
    Formula
        Its response, common terms and group terms; ``.`` is a term until `fill_dot` knows the data's columns.

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
    return _parse(text, None)


def fill_dot(formula: Formula, columns: Sequence[str]) -> Formula:
    """Let ``.`` stand for those columns of the data that the formula does not use otherwise.

    Raises
    ------
    FormulaError
        If there are none.
    """
    exposure = formula.rate.columns if formula.rate else ()
    exposure += formula.measured.expression.columns if formula.measured else ()
    bounds = formula.bounds.columns if formula.bounds else ()
    used = {*formula.response.columns, *formula.grouping_columns, *exposure, *bounds, formula.weights}
    others = tuple(name for name in columns if name not in used)
    if not others:
        message = "There are no other columns for '.' to stand for."
        raise FormulaError(message, formula.text, *formula.places[DOT])
    return _parse(formula.text, others)


def with_columns(formula: Formula, columns: Sequence[str]) -> Formula:
    """Let ``.`` stand for these columns."""
    return _parse(formula.text, tuple(columns))


def check_names(formula: Formula) -> None:
    """Refuse columns whose names a posterior or a table of results needs for itself."""
    predictors = (*formula.predictor_columns, *formula.grouping_columns)
    for name in distinct((*predictors, *formula.all_columns)):
        if name in RESERVED or (name in RESULT_COLUMNS and name in predictors):
            raise FormulaError(
                f"hiermod's results use the name {name!r} themselves. "
                f"Rename the column: data.rename(columns={{{name!r}: {name + '_'!r}}}).",
                formula.text,
                *formula.places.get(name, (0, 1)),
            )


def canonical(name: str) -> str:
    """A variable's name as formulas print it: ``poly(x,2)`` becomes ``poly(x, 2)``; other names stay."""
    if not CALL.fullmatch(name):
        return name
    reader = Reader(name)
    try:
        return str(read_call(reader))
    except FormulaError:
        return name


def joined(formula: str | Sequence[str], **of_glmmtmb: str | None) -> str:
    """One text of a formula, or of a list of them: the first is that of the mean; glmmTMB's arguments come last.

    Raises
    ------
    FormulaError
        If the list is empty, or holds something else than text, or an argument is no formula of one side.
    """
    if not isinstance(formula, str) and isinstance(formula, Sequence):
        if not formula or not all(isinstance(part, str) for part in formula):
            raise FormulaError("A list of formulas holds texts: ['y ~ x', 'sigma ~ z'].", str(formula), 0)
        formula = "; ".join(formula)
    added = [one_sided(name, text) for name, text in of_glmmtmb.items() if text is not None]
    return "; ".join([formula.rstrip().rstrip(";"), *added]) if added and isinstance(formula, str) else formula


def one_sided(name: str, text: str) -> str:
    """A formula of one side, an argument of glmmTMB's, as a part of a formula's text.

    Raises
    ------
    FormulaError
        If it is not that.
    """
    if not isinstance(text, str) or not text.lstrip().startswith("~"):
        raise FormulaError(f"{name}= is a formula of one side, a text such as '~ x + (1 | g)'.", str(text), 0)
    if ";" in text:
        raise FormulaError(f"{name}= is one formula of one side.", text, text.index(";"))
    return f"{name} {text.strip()}"


def _parse(text: str, others: tuple[str, ...] | None) -> Formula:
    reader = Reader(text, others)
    refuse_calls(reader)
    wrapped = opens(reader)
    response, added = read_response(reader)
    spelled = reader.peek().start
    if reader.peek().kind == "=":
        reader.fail("A formula has '~' between response and terms, not '='.")
    reader.expect("~", "A formula reads 'response ~ terms': there is no '~' after the response.")
    terms = TermSet()
    if added.rate is not None:
        add_offset(reader, terms, Call("log", (added.rate,)), (0, spelled))
    right = read_right(reader, terms)
    further, centred = read_further(reader, wrapped)
    right = right if centred else right.at_zero()
    if (specific := right.specific) is not None:
        if SPECIFIC_EFFECTS in further:
            reader.fail_at("Effects on each threshold stand in cs(…), or behind 'cs ~', and not in both.", 0, len(text))
        further = {SPECIFIC_EFFECTS: specific, **further}
    blank = BLANK if reader.peek().kind == "name" else ""
    reader.expect("end", f"This was not expected here: terms are joined by + - * : / or ^.{blank}")
    rights = (right, *further.values())
    shared = shared_blocks(rights, reader)
    blocks = tuple(sorted({bar.block for each in rights for bar in each.groups if bar.block}))
    formula = Formula(
        text, response, right.intercept, right.common, with_blocks(right.groups, shared), tuple(terms.offsets),
        added.weights, tuple(terms.removed), right.uncentred, added.rate, added.bounds, reader.expressions,
        reader.places, blocks, tuple(dict.fromkeys(reader.idle)), parameter_formulas(further, shared), added.measured,
        right.groups, tuple(reader.fixed),
    )  # fmt: skip
    _refuse_response_on_the_right(formula, reader)
    return formula


def _refuse_response_on_the_right(formula: Formula, reader: Reader) -> None:
    response = formula.response
    if isinstance(response, CountsResponse):
        _refuse_counted_on_the_right(response, formula, reader)
        return
    outcome = response.successes if isinstance(response, TrialsResponse) else Column(response.columns[0])
    single = len(response.columns) == 1 or isinstance(response, TrialsResponse)
    right = (*formula.predictor_columns, *formula.grouping_columns)
    if single and isinstance(outcome, Column) and outcome.name in right:
        token = reader.last(outcome.name)
        message = f"The response {outcome.name!r} stands on the right side too. Take it out."
        reader.fail_at(message, token.start, token.end)


def _refuse_counted_on_the_right(response: CountsResponse, formula: Formula, reader: Reader) -> None:
    right = (*formula.predictor_columns, *formula.grouping_columns)
    for count in response.counts:
        if isinstance(count, Column) and count.name in right:
            token = reader.last(count.name)
            message = (
                f"{count.name!r} counts a category of the response, and stands on the right side too. Take it out."
            )
            reader.fail_at(message, token.start, token.end)


SIGNS = ("+", "-")


def changed(text: str, old: Formula, parameters: Sequence[str] = ()) -> str:
    """A formula in whose text dots stand for parts of an old one.

    Parameters
    ----------
    text : str
        ``". ~ . + x"``, ``"~ . - x"``, ``". ~ . - (1 | g) + (1 + x | g)"``, ``"log(.) ~ ."``, ``"sigma ~ . + x"``, or a
        formula without dots. Linear predictors of other parameters that a text with dots does not name stay.
    old : Formula
        What the dots stand for: its response on the left, its terms on the right.
    parameters : sequence of str
        The family's parameters beside the mean, which a text may begin with.

    Raises
    ------
    FormulaError
        If a bar is taken away that is not there, or bars would be multiplied.

    Examples
    --------
    >>> changed(". ~ . + x - (1 | g)", parse("y ~ z + (1 | g) + (1 | h)"))
    'y ~ z + (1 | h) + x'
    >>> changed("sigma ~ . + x", parse("y ~ z; sigma ~ 1"))
    'y ~ z; sigma ~ 1 + x'
    """
    parts = _split(tokenize(text)[:-1])
    waves = [[place for place, token in enumerate(part) if token.kind == "~"] for part in parts]
    if any(len(places) != 1 for places in waves):
        return text  # the parser says what is wrong
    if not any(map(_is_dot, (token for part in parts for token in part))) and waves[0][0] > 0:
        return text
    further = {part.parameter: str(part) for part in old.further}
    of_mean = old.of_mean
    for place, (part, (wave,)) in enumerate(zip(parts, waves, strict=True)):
        left, right = part[:wave], part[wave + 1 :]
        if place == 0 and not (len(left) == 1 and left[0].text in (*further, *parameters)):
            of_mean = f"{_left(text, left, old)} ~ {_right(text, right, old)}"
        elif len(left) == 1:
            name = left[0].text
            own = next((part for part in old.further if part.parameter == name), NONE)
            further[name] = f"{quote(name)} ~ {_right(text, right, own)}"
        else:
            return text
    return "; ".join([of_mean, *further.values()])


NONE = ParameterFormula("", True, (), ())  # what a dot stands for where a parameter has no linear predictor


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """The parts between semicolons."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _is_dot(token: Token) -> bool:
    return token.kind == "name" and token.text == DOT and not token.quoted


def _left(text: str, tokens: Sequence[Token], old: Formula) -> str:
    if not tokens or (len(tokens) == 1 and _is_dot(tokens[0])):
        return old.left
    if any(map(_is_dot, tokens)) and not isinstance(old.response, SingleResponse):
        dot = next(filter(_is_dot, tokens))
        raise FormulaError(
            f"The dot stands for the response {old.response}, which no function takes. Write it out.",
            text, dot.start, dot.end,
        )  # fmt: skip
    return _written(text, tokens, str(old.response))


def _right(text: str, tokens: Sequence[Token], old: Formula | ParameterFormula) -> str:
    """The sum of terms: a dot of its own becomes the old sum, bars that are taken away are looked for in it."""
    bars = list(old.groups)
    taken = []
    items = list(_items(tokens))
    for place, (sign, item) in enumerate(items):
        if sign == "-" and _holds_bar(item):
            taken.append(place)
            for bar in _bars(text, item):
                if bar not in bars:
                    raise FormulaError(
                        f"There is no bar {bar} to take away. There is: {', '.join(map(str, old.groups)) or 'none'}.",
                        text, item[0].start, item[-1].end,
                    )  # fmt: skip
                bars.remove(bar)
    whole = " + ".join([*old.common_part(), *map(str, bars)])
    parts = [
        f"{sign or '+'} {_item(text, sign, item, old, whole)}"
        for place, (sign, item) in enumerate(items)
        if place not in taken
    ]
    return " ".join(parts).removeprefix("+ ")


def _item(text: str, sign: str, item: Sequence[Token], old: Formula | ParameterFormula, whole: str) -> str:
    if len(item) == 1 and _is_dot(item[0]) and sign != "-":
        return whole
    if any(map(_is_dot, item)) and old.groups:
        dot = next(filter(_is_dot, item))
        raise FormulaError(
            "The dot stands for bars too, which can be added, but not multiplied or taken away together. "
            "Write out the terms.", text, dot.start, dot.end,
        )  # fmt: skip
    common = " + ".join(map(str, old.common)) or "1"
    return _written(text, item, f"({common})")


def _items(tokens: Sequence[Token]) -> Iterator[tuple[str, list[Token]]]:
    """The signed items of a sum, split outside of brackets."""
    sign, depth = "", 0
    item: list[Token] = []
    for token in tokens:
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        if depth == 0 and token.kind in SIGNS and (item or not sign):
            if item:
                yield sign, item
            sign, item = token.kind, []
        else:
            item.append(token)
    if item or sign:
        yield sign, item


def _holds_bar(item: Sequence[Token]) -> bool:
    return bool(item) and item[0].kind == "(" and any(token.kind in ("|", "||") for token in item)


def _bars(text: str, item: Sequence[Token]) -> tuple[GroupTerm, ...]:
    return parse(f"y ~ {text[item[0].start : item[-1].end]}").groups


def _written(text: str, tokens: Sequence[Token], dot: str) -> str:
    """The text of tokens as it was typed, dots replaced."""
    parts, end = [], None
    for token in tokens:
        parts.append(text[end : token.start] if end is not None else "")
        parts.append(dot if _is_dot(token) else text[token.start : token.end])
        end = token.end
    return "".join(parts)
