"""Relative scales of transformed responses: of a logarithm, the ratio of geometric means; of others there is none."""

from __future__ import annotations

import math
from dataclasses import replace

from hiermod.answers.answer import Question
from hiermod.answers.scales import of_logarithms
from hiermod.errors import AnswerError
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Number
from hiermod.formula.nodes import SingleResponse
from hiermod.modeling.protocol import ModelSpec

BASES = {"log": math.e, "log2": 2.0, "log10": 10.0, "log1p": math.e}
NEUTRAL = {"I", "abs", "round"}  # functions whose result is a quantity of its own, such as an absolute error


def relative_to_response(spec: ModelSpec, question: Question) -> Question:
    """The question, where its scale is relative and the response a logarithm, of geometric means.

    Raises
    ------
    AnswerError
        If the response is another transformation, whose ratios say nothing of what was measured.
    """
    response = spec.formula.response
    if not question.scale.relative or not isinstance(response, SingleResponse) or question.measure.percent:
        return question
    inner, base = _logarithm(response.expression)
    if base is None:
        if (name := _transforming(inner)) is not None:
            raise AnswerError(
                f"scale={question.scale.name!r}: the response is {response.expression}, and a ratio of means behind "
                f"{name} is none of {' and '.join(map(str, inner.columns))}. Say scale='difference', or model the "
                "column itself; with a log link or log(), ratios have a meaning."
            )
        return question
    measure = replace(question.measure, name=f"geometric mean {_bracketed(inner)}", percent=False)
    raised = "exp of" if base == math.e else f"{base:g} to the power of"
    remark = (
        f"The response is {response.expression}: this is a {question.scale.name} of geometric means of {inner}, "
        f"{raised} the difference; expected losses are in units of {response.expression}."
    )
    remark = f"{question.remark} {remark}".strip()
    return replace(question, scale=of_logarithms(question.scale, base), measure=measure, remark=remark)


def _logarithm(expression: Expression) -> tuple[Expression, float | None]:
    """What a response is the logarithm of, with the base; the response itself where it is none."""
    match expression:
        case Call("I", (inner,)):
            return _logarithm(inner)
        case Call(name, (inner, *others), options) if name in BASES:
            given = [*others, *(value for _, value in options)]
            base = given[0].value if given and isinstance(given[0], Number) else BASES[name]
            if name == "log1p":
                return Arithmetic("+", inner, Number(1.0)), base
            return inner, base
    return expression, None


def _transforming(expression: Expression) -> str | None:
    """What bends or moves a quantity: a function or a power; None where nothing does."""
    match expression:
        case Call(name) if name not in NEUTRAL:
            return f"{name}()"
        case Arithmetic("^"):
            return "a power"
    return next((found for part in expression.parts if (found := _transforming(part)) is not None), None)


def _bracketed(expression: Expression) -> str:
    return expression.name if isinstance(expression, Column) else f"({expression})"
