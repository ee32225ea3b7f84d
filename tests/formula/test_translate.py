"""A formula in other packages' spelling, and back."""

import pytest
from formula_strategies import formulas
from hypothesis import assume, given, settings

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.expressions import quote
from hiermod.formula.parser import parse
from hiermod.formula.translate import spell


@pytest.mark.parametrize(
    ("formula", "lme4", "brms", "bambi"),
    [
        ("s/n ~ x + (1 | g)", "cbind(s, n - s) ~ x + (1 | g)", "s | trials(n) ~ x + (1 | g)", "p(s, n) ~ x + (1 | g)"),
        ("y['a'] ~ 0 + x", "I(y == 'a') ~ 0 + x", "I(y == 'a') ~ 0 + x", "y['a'] ~ 0 + x"),
        ("y ~ I(x^2) + log(z)", "y ~ I(x^2) + log(z)", "y ~ I(x^2) + log(z)", "y ~ I(x**2) + np.log(z)"),
        ("y ~ C(f, sum)", "y ~ C(f, 'contr.sum')", "y ~ C(f, 'contr.sum')", "y ~ C(f, Sum)"),
        ("(k > 1) ~ I(x >= z)", "I(k > 1) ~ I(x >= z)", "I(k > 1) ~ I(x >= z)", "I(k > 1) ~ C(x >= z)"),
        ("y ~ I((x > 1)*z)", "y ~ I((x > 1) * z)", "y ~ I((x > 1) * z)", "y ~ I((x > 1) * z)"),
        ("y ~ scale(x, scale=FALSE)", "y ~ scale(x, scale=FALSE)", "y ~ scale(x, scale=FALSE)", "y ~ center(x)"),
        ("k | rate(t) ~ x", "k ~ x + offset(log(t))", "k | rate(t) ~ x", "k ~ x + offset(np.log(t))"),
        ("y ~ 0 + Intercept + x", "y ~ x", "y ~ 0 + Intercept + x", "y ~ x"),
        ("y ~ relevel(f, 'b')", "y ~ relevel(f, 'b')", "y ~ relevel(f, 'b')", "y ~ C(f, Treatment('b'))"),
        ("y ~ (x || a/b)", "y ~ 1 + (1 + x || a) + (1 + x || a:b)", "y ~ 1 + (1 + x || a) + (1 + x || a:b)",
         "y ~ 1 + (1 + x | a) + (1 + x | a:b)"),
    ],
)  # fmt: skip
def test_spellings(formula, lme4, brms, bambi):
    assert [hm.translate(formula, to) for to in ("lme4", "brms", "bambi")] == [lme4, brms, bambi]


def test_weights_of_successes_are_an_argument_in_lme4():
    assert hm.translate("y['a'] | weights(w) ~ x", "lme4") == "I(y == 'a') ~ x, weights = w"
    assert hm.translate("s | trials(n) + weights(w) ~ x", "brms") == "s | trials(n) + weights(w) ~ x"


@settings(max_examples=200, deadline=None)
@given(formulas())
def test_brms_spelling_means_the_same(text):
    try:
        formula = parse(text)
    except FormulaError:
        assume(False)
    assume(all(quote(name) == name for name in formula.all_columns))
    assert parse(spell(formula, "brms")) == formula


@pytest.mark.parametrize("name", ["`my col`", "x__a", "x_"])
def test_names_that_brms_does_not_take(name):
    with pytest.raises(FormulaError, match="brms takes no column named"):
        hm.translate(f"y ~ {name}", "brms")


@settings(max_examples=200, deadline=None)
@given(formulas())
def test_lme4_spelling_means_the_same(text):
    try:
        formula = parse(text)
    except FormulaError:
        assume(False)
    assume(formula.weights is None)
    again = parse(spell(formula, "lme4"))
    assert (again.common, again.groups, again.offsets) == (formula.common, formula.groups, formula.offsets)
    assert again.response.columns == formula.response.columns


@pytest.mark.parametrize("text", ["y ~ .^2", "y ~ (. - g)^2", "y ~ .^2 - a:b", "y ~ .*x", "y ~ x:."])
def test_a_dot_in_products_is_refused(text):
    for to in ("lme4", "brms", "bambi"):
        with pytest.raises(FormulaError, match="only data can spell out"):
            hm.translate(text, to)


@pytest.mark.parametrize("text", ["y ~ .", "y ~ . - g", "y ~ x + . + I(x^2)", "y ~ . + (1 | g)"])
def test_a_dot_in_a_sum_stays(text):
    assert "." in hm.translate(text, "lme4")


def test_frequencies_are_not_lmers_precisions():
    with pytest.raises(FormulaError, match=r"lmer's weights are precisions.*rep\(seq_len"):
        hm.translate("y | weights(w) ~ x", "lme4")
    assert hm.translate("y | weights(w) ~ x", "bambi") == "weighted(y, w) ~ x"
    with pytest.raises(FormulaError, match=r"no weights of successes.*index\.repeat"):
        hm.translate("s/n | weights(w) ~ x", "bambi")


@pytest.mark.parametrize(
    ("text", "what"),
    [("y ~ ordered(k)", "ordered"), ("y ~ ns(x, 3)", "ns"), ("y ~ cut(x, 3)", "cut"), ("y ~ C(f, helmert)", "helmert"),
     ("y ~ scale(x)", "divides by n, not by n - 1"), ("y ~ standardize(x)", "divides by n"),
     ("y ~ scale(x, center=FALSE)", "divides by n"), ("y ~ relevel(f, 2)", "which level"),
     ("y ~ x*f + (x:f | g)", "with all levels"), ("y ~ (1 | g) + (0 + C(f) | g)", "with all levels"),
     ("y ~ factor(f, levels=c('b', 'a'))", "the list"), ("y ~ bs(x, knots=c(1, 2))", "the list")],
)  # fmt: skip
def test_what_bambi_cannot_read_is_refused_by_name(text, what):
    with pytest.raises(hm.errors.HiermodError, match=f"Bambi's formulas cannot say .*{what}"):
        hm.translate(text, "bambi")


def test_an_unknown_spelling():
    with pytest.raises(hm.errors.HiermodError, match="Did you mean 'brms'"):
        hm.translate("y ~ x", "brm")
