"""What each spelling of a formula means, by tables written from R's rules."""

import pytest

from hiermod.formula.expressions import Column
from hiermod.formula.nodes import SingleResponse, Term, TrialsResponse
from hiermod.formula.parser import parse


def common(text):
    formula = parse(f"y ~ {text}")
    return formula.intercept, [str(term) for term in formula.common]


def bars(text):
    return [
        ([str(term) for term in bar.terms], bar.factors, "|" if bar.correlated else "||")
        for bar in parse(f"y ~ {text}").groups
    ]


@pytest.mark.parametrize(
    ("text", "intercept", "terms"),
    [
        ("1", True, []),
        ("x", True, ["x"]),
        ("+x", True, ["x"]),
        ("1 + x", True, ["x"]),
        ("x + 1", True, ["x"]),
        ("0 + x", False, ["x"]),
        ("x + 0", False, ["x"]),
        ("x - 1", False, ["x"]),
        ("-1 + x", False, ["x"]),
        ("-1+x", False, ["x"]),
        ("0 + 1", True, []),
        ("0 + x + 1", True, ["x"]),
        ("1 + x - 1", False, ["x"]),
        ("x + z", True, ["x", "z"]),
        ("x + x", True, ["x"]),
        ("x:z", True, ["x:z"]),
        ("x:x", True, ["x"]),
        ("x*x", True, ["x"]),
        ("x*z", True, ["x", "z", "x:z"]),
        ("z*x", True, ["z", "x", "z:x"]),
        ("x:z + z:x", True, ["x:z"]),
        ("x:z + x", True, ["x", "x:z"]),
        ("x*z*w", True, ["x", "z", "w", "x:z", "x:w", "z:w", "x:z:w"]),
        ("x*z*w - x:z:w", True, ["x", "z", "w", "x:z", "x:w", "z:w"]),
        ("x*z - x", True, ["z", "x:z"]),
        ("x*z - z:x", True, ["x", "z"]),
        ("x - x", True, []),
        ("x + z - (x + z)", True, []),
        ("(x + z)*w", True, ["x", "z", "w", "x:w", "z:w"]),
        ("(x + z):w", True, ["x:w", "z:w"]),
        ("(x + z):(w + v)", True, ["x:w", "x:v", "z:w", "z:v"]),
        ("(x + z)*(x + z)", True, ["x", "z", "x:z"]),
        ("(x*z):w", True, ["x:w", "z:w", "x:z:w"]),
        ("x*z:w", True, ["x", "z:w", "x:z:w"]),
        ("((x))", True, ["x"]),
        ("x.y + _z + x2", True, ["x.y", "_z", "x2"]),
        ("`my col` + `2nd`", True, ["`my col`", "`2nd`"]),
        ("`a+b`:`c~d`", True, ["`a+b`:`c~d`"]),
        ("größe + 变量", True, ["größe", "变量"]),
        ("x\n  + z\t- 1", False, ["x", "z"]),
        ("x-1", False, ["x"]),
        ("x + -1", False, ["x"]),
    ],
)
def test_common_terms(text, intercept, terms):
    assert common(text) == (intercept, terms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1 | g)", [(["1"], ("g",), "|")]),
        ("(1|g)", [(["1"], ("g",), "|")]),
        ("(x | g)", [(["1", "x"], ("g",), "|")]),
        ("(1 + x | g)", [(["1", "x"], ("g",), "|")]),
        ("(x + 1 | g)", [(["1", "x"], ("g",), "|")]),
        ("(0 + x | g)", [(["x"], ("g",), "|")]),
        ("(x - 1 | g)", [(["x"], ("g",), "|")]),
        ("(-1 + x | g)", [(["x"], ("g",), "|")]),
        ("(1 + x || g)", [(["1", "x"], ("g",), "||")]),
        ("(x*z | g)", [(["1", "x", "z", "x:z"], ("g",), "|")]),
        ("(x:z + x | g)", [(["1", "x", "x:z"], ("g",), "|")]),
        ("(1 | a:b)", [(["1"], ("a", "b"), "|")]),
        ("(1 | a/b)", [(["1"], ("a",), "|"), (["1"], ("a", "b"), "|")]),
        ("(x || a/b)", [(["1", "x"], ("a",), "||"), (["1", "x"], ("a", "b"), "||")]),
        ("(1 | a/b/c)", [(["1"], ("a",), "|"), (["1"], ("a", "b"), "|"), (["1"], ("a", "b", "c"), "|")]),
        ("(1 | a:b/c)", [(["1"], ("a", "b"), "|"), (["1"], ("a", "b", "c"), "|")]),
        ("(1 | g) + (0 + x | g)", [(["1"], ("g",), "|"), (["x"], ("g",), "|")]),
        ("(1 | g) + (1 | h)", [(["1"], ("g",), "|"), (["1"], ("h",), "|")]),
        ("(1 | `the group`)", [(["1"], ("the group",), "|")]),
        ("((x + z) | g)", [(["1", "x", "z"], ("g",), "|")]),
    ],
)
def test_bars(text, expected):
    assert bars(text) == expected
    assert common(f"x + {text}") == (True, ["x"])
    assert common(f"{text} + x") == (True, ["x"])


def test_minus_one_outside_the_bar_leaves_the_varying_intercept():
    formula = parse("y ~ x + (1 | g) - 1")
    assert not formula.intercept
    assert [str(term) for term in formula.groups[0].terms] == ["1"]


def test_minus_one_inside_the_bar_leaves_the_common_intercept():
    formula = parse("y ~ x + (x - 1 | g)")
    assert formula.intercept
    assert [str(term) for term in formula.groups[0].terms] == ["x"]


@pytest.mark.parametrize(
    ("text", "successes", "trials"),
    [
        ("s/n", "s", "n"),
        ("s / n", "s", "n"),
        ("(s)/(n)", "s", "n"),
        ("p(s, n)", "s", "n"),
        ("s | trials(n)", "s", "n"),
        ("cbind(s, f)", "s", "s + f"),
        ("cbind(s, n - s)", "s", "n"),
        ("cbind(s,n-s)", "s", "n"),
        ("cbind(s, 10 - s)", "s", "10"),
        ("s/(n + m)", "s", "n + m"),
        ("(s + t)/n", "s + t", "n"),
        ("p(rate * n, n)", "rate * n", "n"),
        ("p(a - (b - c), n)", "a - (b - c)", "n"),
        ("p(a - b - c, n)", "a - b - c", "n"),
        ("p(a / (b * c), n)", "a / (b * c)", "n"),
        ("p(a / b * c, n)", "a / b * c", "n"),
        ("p(2 * (a + b), n)", "2 * (a + b)", "n"),
        ("s/100", "s", "100"),
        ("s/2.5", "s", "2.5"),
        ("s/12345678", "s", "12345678"),
        ("s/0.1234567", "s", "0.1234567"),
        ("`the s`/`all n`", "`the s`", "`all n`"),
    ],
)
def test_responses_of_two_parts(text, successes, trials):
    response = parse(f"{text} ~ 1").response
    assert isinstance(response, TrialsResponse)
    assert (str(response.successes), str(response.trials)) == (successes, trials)


@pytest.mark.parametrize("text", ["y", "(y)", "`y`", " y "])
def test_response_of_one_column(text):
    assert parse(f"{text} ~ x").response == SingleResponse(Column("y"))


def test_response_names_are_bambis():
    assert parse("s/n ~ 1").response.name == "p(s, n)"
    assert parse("cbind(s, f) ~ 1").response.name == "p(s, s + f)"
    assert "/" not in parse("p(a / b, n) ~ 1").response.name


@pytest.mark.parametrize(
    "spellings",
    [
        ["s/n ~ x", "p(s, n) ~ x", "cbind(s, n - s) ~ x", "s | trials(n) ~ x"],
        ["y ~ a*b", "y ~ a + b + a:b", "y ~ 1 + a + b + b:a", "y ~ (a)*(b)"],
        ["y ~ 0 + x", "y ~ x - 1", "y ~ -1 + x", "y ~ x + 0", "y ~ 1 + x - 1"],
        ["y ~ (x | g)", "y ~ (1 + x | g)", "y ~ 1 + (x + 1 | g)"],
        ["y ~ (1 | a/b)", "y ~ (1 | a) + (1 | a:b)"],
        ["y ~ (x || a/b)", "y ~ (x || a) + (x || a:b)"],
    ],
)
def test_spellings_that_mean_the_same(spellings):
    first, *others = map(parse, spellings)
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("y ~ x", "y ~ 0 + x"),
        ("y ~ x", "y ~ z"),
        ("y ~ x", "y ~ x + z"),
        ("y ~ (x | g)", "y ~ (x || g)"),
        ("y ~ (x | g)", "y ~ (0 + x | g)"),
        ("y ~ (1 | a)", "y ~ (1 | a:b)"),
        ("y ~ x", "w ~ x"),
        ("s/n ~ x", "n/s ~ x"),
        ("s/10 ~ x", "s/10.5 ~ x"),
    ],
)
def test_spellings_that_differ(one, other):
    assert parse(one) != parse(other)


def test_terms_are_sets_of_variables():
    assert Term(("a", "b")) == Term(("b", "a"))
    assert hash(Term(("a", "b"))) == hash(Term(("b", "a")))
    assert Term(("a",)) != Term(("a", "b"))


def test_columns_that_a_formula_reads():
    formula = parse("s/(n + m) ~ x*f + (1 + z | g/h) + (0 + x | k)")
    assert formula.response.columns == ("s", "n", "m")
    assert formula.variables == ("x", "f", "z")
    assert formula.common_variables == ("x", "f")
    assert formula.grouping_columns == ("g", "h", "k")


def test_places_point_at_the_first_mention():
    text = "y ~ xx + x + (x | `a g`)"
    places = parse(text).places
    assert {name: text[start:end] for name, (start, end) in places.items()} == {
        "y": "y",
        "xx": "xx",
        "x": "x",
        "a g": "`a g`",
    }
    assert places["x"] == (9, 10)


def test_the_readme_formulas_print_as_themselves():
    for text in ("success ~ treated + (1 + treated | country)", "successes/trials ~ 1 + (1 | variant)"):
        assert str(parse(text)) == text


def test_within_several_is_one_product():
    """R: ``attr(terms(y ~ x %in% (f + h)), "term.labels")`` is ``"x:f:h"``."""
    assert str(parse("y ~ x %in% (f + h)")) == "y ~ x:f:h"
    assert str(parse("y ~ (x + z) %in% (f + h)")) == "y ~ x:f:h + z:f:h"
