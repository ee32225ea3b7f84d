"""Censored and truncated responses: how they are written, and what is said of slips."""

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.expressions import Column, Number
from hiermod.formula.parser import parse


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("y | cens(c, y2 = u)", "y | cens(c, u)"),
        ("y | cens(c, y2)", "y | cens(c, y2)"),
        ("y | cens(c, y2 + 1)", "y | cens(c, y2 + 1)"),
        ("y | cens(c == 'late')", "y | cens(c == 'late')"),
        ("y | trunc(0, 10)", "y | trunc(lb = 0, ub = 10)"),
        ("y | trunc(ub = 9, lb = l)", "y | trunc(lb = l, ub = 9)"),
        ("y | trunc(2)", "y | trunc(lb = 2)"),
        ("y | trunc(lb = -Inf, ub = 3)", "y | trunc(ub = 3)"),
        ("y | trunc(-1, Inf)", "y | trunc(lb = -1)"),
        ("y | trunc(lb = 0) + cens(c)", "y | cens(c) + trunc(lb = 0)"),
        ("Surv(t, e == 1)", "Surv(t, e == 1)"),
        ("Surv(t + 1, e) | trunc(lb = entry)", "Surv(I(t + 1), e) | trunc(lb = entry)"),
    ],
)
def test_ways_to_write_bounds(text, spelled):
    assert str(parse(f"{text} ~ x")) == f"{spelled} ~ x"


def test_bounds_hold_what_was_written():
    bounds = parse("y | cens(c, u) + trunc(lb = 0, ub = m) ~ x").bounds
    assert (bounds.code, bounds.upper, bounds.least, bounds.most) == (Column("c"), Column("u"), Number(0), Column("m"))
    survival = parse("Surv(t, e) ~ x").bounds
    assert (survival.code, survival.upper, survival.least, survival.most) == (Column("e"), None, None, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Surv(t)", "Surv\\(time, event\\) takes two parts"),
        ("Surv(t, e, f)", "Surv\\(time, event\\) takes two parts"),
        ("Surv(t, e", "bracket"),
        ("y | cens(c) + cens(d)", "What censors a row stands once"),
        ("Surv(t, e) | cens(c)", "What censors a row stands once"),
        ("y | cens(1)", "A column that says which rows are censored"),
        ("y | cens(c, y2 u)", ""),
        ("y | trunc(zb = 0)", "outside of these bounds were never recorded"),
        ("y | trunc(lb = 0, lb = 1)", "outside of these bounds were never recorded"),
        ("y | trunc(ub = 0, 1)", "outside of these bounds were never recorded"),
        ("y | trunc(lb = 0, ub = 1, 2)", ""),
        ("y | trunc(-Inf, Inf)", "outside of these bounds were never recorded"),
        ("y | trunc()", ""),
    ],
)
def test_slips_of_bounds(text, why):
    with pytest.raises(FormulaError, match=why or r"\^"):
        parse(f"{text} ~ x")
