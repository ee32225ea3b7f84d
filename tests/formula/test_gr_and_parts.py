"""`gr()` behind bars, and the linear predictors of other parameters: ways to write them, and slips."""

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.parser import parse


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("(1 | gr(g))", "(1 | g)"),
        ("(1 | gr(a:b))", "(1 | a:b)"),
        ("(x | gr(g, cor = FALSE))", "(1 + x || g)"),
        ("(x | gr(g, cor = F))", "(1 + x || g)"),
        ("(x | gr(g, cor = TRUE))", "(1 + x | g)"),
        ("(x | gr(g, dist = gaussian))", "(1 + x | g)"),
        ("(1 | gr(g, by = f))", "(0 + f || g)"),
        ("(1 | gr)", "(1 | gr)"),
        ("(1 | `gr`)", "(1 | gr)"),
        ("(1 | g + h)", "(1 | g) + (1 | h)"),
        ("(1 | a/(b + c))", "(1 | a) + (1 | a:b) + (1 | a:c)"),
        ("(1 | (a + b)/c)", "(1 | a) + (1 | b) + (1 | a:b:c)"),
        ("(1 | a:b:c:d:e)", "(1 | a:b:c:d:e)"),
        ("(1 | g + g)", "(1 | g)"),
        ("(1 | a/b/c/d/e)", "(1 | a) + (1 | a:b) + (1 | a:b:c) + (1 | a:b:c:d) + (1 | a:b:c:d:e)"),
    ],
)
def test_what_may_stand_behind_a_bar(text, spelled):
    assert str(parse(f"y ~ x + {text}")) == f"y ~ x + {spelled}"


def test_the_id_of_gr_correlates_bars_of_two_parameters():
    formula = parse("bf(y ~ x + (1 | gr(g, id = p)), sigma ~ (1 | gr(g, id = p)))")
    assert formula.blocks == ("p",)
    assert formula == parse("y ~ x + (1 | p | g); sigma ~ (1 | p | g)")
    assert [group.by for group in parse("y ~ (1 | gr(g, by = f)) + (1 | h)").groups] == ["f", ""]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("y ~ (1 | gr(g, by = g))", "the grouping factor itself"),
        ("y ~ (1 | gr(g, dist = student))", "dist= is not there. gr"),
        ("y ~ (1 | gr(g, cov = A))", "cov= is not there"),
        ("y ~ (1 | gr(g, f))", "gr\\(\\) takes a grouping factor, by ="),
        ("y ~ (1 | gr(g, by))", "gr\\(\\) takes a grouping factor, by ="),
        ("y ~ (1 | a*b)", "For a\\*b write"),
        ("y ~ (1 | a | b | c)", ""),
        ("y ~ (1 | a/b/c/d/e/f)", "crosses at most 5 columns"),
        ("y ~ (1 | (a + b)/a)", "'a' is nested in itself"),
        ("y ~ (1 | a:b:a)", "names a column twice"),
        ("y ~ x; sigma ~ z; sigma ~ w", "'sigma' has two linear predictors"),
        ("y ~ x, sigma ~ z", "a ';' stands before it"),
        ("y ~ x; 3 ~ z", "reads 'sigma ~ terms'"),
        ("y ~ x; sigma", "reads 'sigma ~ terms'"),
        ("y ~ x; mu ~ z", "mu is what 'y ~ terms' is of"),
        ("bf(y ~ x, sigma = 'a')", "set to a number, sigma = 2, or has a linear predictor"),
        ("bf(y ~ x, nl = TRUE)", "not linear in their parameters.*The nearest are functions of columns"),
        ("bf(y ~ x, family = poisson)", "A family is named by family="),
        ("y ~ x ~ z", "A second '~'"),
        ("y ~ x; sigma ~ 1 | g", "A bar needs brackets"),
        ("y ~ x; sigma ~ 0", "no term on the right side"),
        ("y ~ x; sigma ~ (1 | g) + (1 | g)", "stands in two bars"),
        ("y ~ (1 | p | g); sigma ~ (1 | p | h)", "its grouping factor is h here and g before"),
        ("y ~ (1 | p | g); sigma ~ (1 | p | g) + (x | p | h)", "its grouping factor is h here and g before"),
        ("y ~ (x | p | g); sigma ~ (x |p| gr(g, cor = FALSE))", "which '\\|\\|' says are not"),
    ],
)
def test_slips_of_groups_and_parts(text, why):
    with pytest.raises(FormulaError, match=why or r"\^"):
        parse(text)


@pytest.mark.parametrize(
    ("bar", "marked"), [("(1 | gr(g, by = g))", "gr(g, by = g)"), ("(1 | gg/h/gg)", "gg"), ("(1 | gg:h:gg)", "gg")]
)
def test_a_factor_within_itself_is_pointed_at(bar, marked):
    with pytest.raises(
        FormulaError, match=r"the grouping factor itself|nested in itself|names a column twice"
    ) as caught:
        parse(f"y ~ x + {bar} + z")
    drawn, carets = str(caught.value).split("\n")[-2:]
    assert drawn[carets.index("^") : len(carets)] == marked
    assert carets.index("^") == drawn.rindex(marked)


@pytest.mark.parametrize(
    "text",
    ["y ~ x; sigma ~ z", "bf(y ~ x, sigma ~ z)", "brmsformula(y ~ x, sigma ~ z)", "bf(y ~ x) ; sigma ~ z",
     "y ~ x; sigma ~ z;", "bf(y ~ x, sigma ~ z);"],
)  # fmt: skip
def test_ways_to_write_the_predictor_of_another_parameter(text):
    assert parse(text) == parse("y ~ x; sigma ~ z")


def test_an_id_that_stands_once_is_a_name_alone():
    assert parse("y ~ (1 | p | g); sigma ~ (1 | q | g)") == parse("y ~ (1 | g); sigma ~ (1 | g)")
    assert {group.block for group in parse("y ~ (1 | p | g); sigma ~ (1 | q | g)").all_groups} == {""}
    two = parse("y ~ (1 | p | g) + (1 | q | h); sigma ~ (1 | q | h); nu ~ (1 | p | g)")
    assert two.blocks == ("p", "q")
    assert [group.block for group in two.all_groups] == ["p", "q", "q", "p"]
    assert [part.parameter for part in two.further] == ["sigma", "nu"]


def test_an_intercept_may_be_written_in_brms_s_way_for_any_parameter():
    part = parse("y ~ x; sigma ~ 0 + Intercept + z").further[0]
    assert (part.uncentred, part.intercept, [str(term) for term in part.common]) == (True, True, ["z"])
    plain = parse("y ~ x; sigma ~ 0 + z + offset(o)").further[0]
    assert (plain.uncentred, plain.intercept, plain.offsets) == (False, False, ("offset(o)",))
    assert [str(term) for term in parse("y ~ x; sigma ~ . - z").further[0].removed] == ["z"]
