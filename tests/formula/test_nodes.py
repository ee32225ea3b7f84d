"""What a formula says of itself: its text spelled out, its columns, its parts, and what makes two formulas one."""

import pytest

from hiermod.formula.expressions import Column
from hiermod.formula.nodes import INTERCEPT, Term
from hiermod.formula.parser import parse

SPELLED = {  # what is typed, and what it is spelled out to; each of these is spelled out to itself
    "s/(n + m) ~ x": "s/(n + m) ~ x",
    "p(s, n) ~ x": "s/n ~ x",
    "cbind(s, f) ~ 1": "s/(s + f) ~ 1",
    "p(log(s), n) ~ x": "p(log(s), n) ~ x",
    "s/10 ~ 0 + x": "s/10 ~ 0 + x",
    "y['a'] ~ 0 + Intercept + x": "y['a'] ~ 0 + Intercept + x",
    'y["it\'s"] ~ offset(z)': 'y["it\'s"] ~ offset(z)',
    "`a/b` ~ x*`c d` - x": "`a/b` ~ `c d` + x:`c d`",
    "y ~ . - b:a - c": "y ~ . - b:a - c",
    "k|rate(t) ~ x+offset(z)": "k | rate(t) ~ x + offset(z)",
    "y | weights(`w w`) + trunc(lb=0) ~ x": "y | weights(`w w`) + trunc(lb = 0) ~ x",
    "y | se(s) ~ x": "y | se(s) ~ x",
    "y | se(s, sigma=TRUE) ~ 1": "y | se(s, sigma = TRUE) ~ 1",
    "y | weights(w, type='precision') ~ x": 'y | weights(w, type = "precision") ~ x',
    "y | cens(c) ~ x": "y | cens(c) ~ x",
    "y | cens(c, u) + trunc(lb=0, ub=m) ~ x": "y | cens(c, u) + trunc(lb = 0, ub = m) ~ x",
    "y | trunc(ub=9) ~ x": "y | trunc(ub = 9) ~ x",
    "Surv(t, e == 2) ~ x": "Surv(t, e == 2) ~ x",
    "y ~ (x || a/b)": "y ~ 1 + (1 + x || a) + (1 + x || a:b)",
    "y ~ (0+x|p|`g g`); sigma ~ 0+w+(1|p|`g g`)+offset(v)":
        "y ~ 1 + (0 + x | p | `g g`); sigma ~ 0 + w + offset(v) + (1 | p | `g g`)",
    "y ~ x; sigma ~ 0 + Intercept + w": "y ~ x; sigma ~ 0 + Intercept + w",
    "y ~ x; sigma ~ 1": "y ~ x; sigma ~ 1",
    "y ~ x; sigma ~ . - x": "y ~ x; sigma ~ . - x",
    "y ~ (1 | gr(g, by = f))": "y ~ 1 + (0 + f || g)",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "spelled"), SPELLED.items())
def test_formulas_are_spelled_out(typed, spelled):
    assert str(parse(typed)) == spelled
    assert str(parse(spelled)) == spelled
    assert parse(spelled) == parse(typed)


@pytest.mark.parametrize(
    ("text", "response", "columns"),
    [
        ("y ~ log(x) + (1 | g)", "y", "y x g"),
        ("log(y) ~ x", "log(y)", "y x"),
        ("`a/b` ~ `c/d`", "a∕b", "a/b c/d"),
        ("y['a'] ~ x:z + x", "y", "y x z"),
        ("`a/b`['c'] ~ 1", "a∕b", "a/b"),
        ("s/(n/2) ~ x", "p(s, n ∕ 2)", "s n x"),
        ("n/n ~ x", "p(n, n)", "n x"),
        ("k | rate(t) ~ x + offset(z)", "k", "k x t z"),
        ("y | weights(w) ~ x + (x | a:b)", "y", "y w x a b"),
        ("y | se(s) ~ 1", "y", "y s"),
        ("y | cens(c, u) + trunc(lb = l, ub = m) ~ x", "y", "y c u l m x"),
        ("y ~ x + (1 | g); sigma ~ w + offset(log(v)) + (z | h)", "y", "y x w z v g h"),
    ],
)
def test_the_columns_of_a_formula_stand_in_order(text, response, columns):
    formula = parse(text)
    assert (formula.response.name, formula.all_columns) == (response, tuple(columns.split()))


def test_a_formula_knows_what_its_parts_read():
    formula = parse("y ~ log(x) + z + offset(o) + (1 + k | a:b); sigma ~ w + offset(v) + (1 | c)")
    assert formula.parts == (formula, *formula.further)
    assert formula.variables == ("log(x)", "z", "k", "w", "offset(o)", "offset(v)")
    assert (formula.common_variables, formula.common_columns) == (("log(x)", "z"), ("log(x)", "z", "x"))
    assert formula.predictor_columns == ("x", "z", "k", "w", "o", "v")
    assert formula.sources["log(x)"] == ("x",)
    assert formula.sources["z"] == ("z",)
    assert (formula.grouping_columns, [group.group for group in formula.all_groups]) == (("a", "b", "c"), ["a:b", "c"])
    assert (formula.offsets, formula.all_offsets) == (("offset(o)",), ("offset(o)", "offset(v)"))
    assert formula.of_further == ("w", "offset(v)")
    assert formula.of_mean == "y ~ log(x) + z + offset(o) + (1 + k | a:b)"
    assert not formula.has_dot
    assert parse("y ~ x + .").has_dot
    part = formula.further[0]
    assert (part.variables, part.common_variables, part.without_terms) == (("w", "offset(v)"), ("w",), False)
    assert [str(term) for term in part.terms] == ["w", "1"]
    for text, empty in (("1", True), ("offset(v)", False), ("(1 | g)", False), ("w", False)):
        assert parse(f"y ~ x; sigma ~ {text}").further[0].without_terms is empty


def test_an_exposure_is_an_offset_of_its_own():
    formula = parse("k | rate(t) ~ x + offset(z)")
    assert (formula.rate_offset, formula.own_offsets) == ("offset(log(t))", ("offset(z)",))
    assert formula.offsets == ("offset(log(t))", "offset(z)")
    plain = parse("k ~ x + offset(log(t))")
    assert plain.own_offsets == plain.offsets == ("offset(log(t))",)


@pytest.mark.parametrize(
    ("text", "columns", "optional", "additions", "events"),
    [
        ("y | cens(c)", "c", "", ["cens(c)"], False),
        ("y | cens(c, u)", "c u", "u", ["cens(c, u)"], False),
        ("y | cens(u, u)", "u", "", ["cens(u, u)"], False),
        ("y | trunc(lb = l)", "l", "", ["trunc(lb = l)"], False),
        ("y | trunc(ub = m)", "m", "", ["trunc(ub = m)"], False),
        ("y | cens(c, u) + trunc(lb = 0, ub = u)", "c u", "", ["cens(c, u)", "trunc(lb = 0, ub = u)"], False),
        ("Surv(y, e)", "e", "", [], True),
    ],
)
def test_bounds_know_their_columns(text, columns, optional, additions, events):
    bounds = parse(f"{text} ~ x").bounds
    assert (bounds.columns, bounds.optional) == (tuple(columns.split()), tuple(optional.split()))
    assert (bounds.additions(), bounds.events) == (additions, events)


def test_terms_are_sets_of_variables():
    assert Term(("a", "b")) == Term(("b", "a"))
    assert hash(Term(("a", "b"))) == hash(Term(("b", "a")))
    assert Term(("a", "b")) != Term(("a",))
    assert Term(("a",)) != ("a",)
    assert (str(INTERCEPT), INTERCEPT.name) == ("1", "1")
    assert (str(Term(("a b", "c"))), Term(("a/b", "c")).name) == ("`a b`:c", "a∕b:c")
    assert Term(("a", "b", "c")).without("b") == Term(("c", "a"))


def test_a_ratio_of_two_parts_may_be_meant_as_a_number():
    response = parse("s/n ~ x").response
    assert response.slash
    assert not parse("p(s, n) ~ x").response.slash
    assert str(response.ratio) == "I(s / n)"


def test_formulas_are_equal_whose_meaning_is():
    assert parse("y ~ x + z") == parse("y  ~  x  +  z")
    assert parse("y ~ a:b") == parse("y ~ b:a")
    different = ["y ~ x", "y ~ 0 + x", "y ~ x + (1 | g)", "y ~ x + offset(z)", "y | weights(w) ~ x", "z ~ x",
                 "y ~ .", "y ~ . - x", "y ~ 0 + Intercept + x", "k | rate(t) ~ x", "k ~ x + offset(log(t))",
                 "y | cens(c) ~ x", "y ~ x; sigma ~ z", "y | se(s) ~ x", "y ~ (1 + x | g)",
                 "y ~ (1 + x || g)"]  # fmt: skip
    assert len({str(parse(text)) for text in different}) == len(different)
    assert all(parse(one) != parse(other) for one in different for other in different if one != other)


def test_a_formula_is_shown_without_what_only_errors_need():
    text = repr(parse("y ~ log(x)^2 + (1 | p | g); sigma ~ (1 | p | g)"))
    for field in ("places", "expressions", "blocks", "idle", "written_groups"):
        assert field not in text
    assert parse("y ~ x^2").idle == ("x",)
    assert parse("y ~ x + (1 | p | g); sigma ~ (1 | p | g)").blocks == ("p",)
    assert parse("y ~ log(x)").expressions["log(x)"].arguments == (Column("x"),)
