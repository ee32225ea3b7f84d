"""Reads censored and truncated responses as brms and R write them, ``y | cens(c)`` or ``Surv(time, event)``."""

from __future__ import annotations

from dataclasses import replace

from hiermod.formula.arithmetic import read_comparison, read_expression
from hiermod.formula.expressions import Expression, Negative, Number
from hiermod.formula.nodes import Bounds
from hiermod.formula.reader import Reader

SURV = (
    "Surv(time, event) takes two parts, 1 in the second for an event. Intervals are low | cens(code, high), code 2; a "
    "time of entry is a bound: Surv(time, event) | trunc(lb = entry)."
)
LIMITS = "trunc(lb = 0, ub = 10): responses outside of these bounds were never recorded."


def read_surv(reader: Reader) -> tuple[Expression, Bounds]:
    """Read ``Surv(time, event)``: the time, and what is known of it."""
    reader.take()
    opened = reader.open_bracket()
    time = read_expression(reader)
    reader.expect(",", SURV)
    event = read_comparison(reader)
    if reader.peek().kind == ",":
        reader.fail(SURV)
    reader.close_bracket(opened)
    return time, Bounds(event, events=True)


def read_censoring(reader: Reader, bounds: Bounds) -> Bounds:
    """Read what stands in the brackets of ``cens(code)`` or ``cens(code, upper)``."""
    if bounds.code is not None:
        reader.fail("What censors a row stands once: cens(c), or Surv(time, event).")
    code = read_comparison(reader)
    upper = None
    if reader.take_if(","):
        if reader.peek().text == "y2" and reader.peek(1).kind == "=":
            reader.take()
            reader.take()
        upper = read_expression(reader)
    if not code.columns:
        reader.fail("A column that says which rows are censored was expected here: cens(c).")
    return replace(bounds, code=code, upper=upper)


def read_truncation(reader: Reader, bounds: Bounds) -> Bounds:
    """Read what stands in the brackets of ``trunc(lb = 0, ub = 10)``."""
    found: dict[str, Expression] = {}
    for place in ("lb", "ub"):
        name = place
        if reader.peek().kind == "name" and reader.peek(1).kind == "=":
            name = reader.take().text
            reader.take()
        if name not in ("lb", "ub") or name in found:
            reader.fail(LIMITS)
        found[name] = read_expression(reader)
        if not reader.take_if(","):
            break
    kept = {name: part for name, part in found.items() if not _endless(part)}
    if not kept:
        reader.fail(LIMITS)
    return replace(bounds, least=kept.get("lb"), most=kept.get("ub"))


def _endless(part: Expression) -> bool:
    """``Inf`` or ``-Inf``, which is no bound."""
    inner = part.operand if isinstance(part, Negative) else part
    return isinstance(inner, Number) and inner.value == float("inf")
