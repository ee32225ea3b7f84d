"""A formula in other packages' spelling, and back."""

import re

import pytest
from formula_strategies import formulas
from hypothesis import assume, given, settings

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.expressions import quote
from hiermod.formula.nodes import CountsResponse
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
        ("s/(s + f) ~ x", "cbind(s, f) ~ x", "s | trials(s + f) ~ x", "p(s, s + f) ~ x"),
        ("s/(f + s) ~ x", "cbind(s, f) ~ x", "s | trials(f + s) ~ x", "p(s, f + s) ~ x"),
        ("s/(f + h) ~ x", "cbind(s, f + h - s) ~ x", "s | trials(f + h) ~ x", "p(s, f + h) ~ x"),
        ("k | rate(t) ~ x + offset(z)", "k ~ x + offset(log(t)) + offset(z)", "k | rate(t) ~ x + offset(z)",
         "k ~ x + offset(np.log(t)) + offset(z)"),
        ("y ~ log(x, 2)", "y ~ log(x, 2)", "y ~ log(x, 2)", "y ~ I(np.log(x) / np.log(2))"),
        ("y ~ log(x, base=2)", "y ~ log(x, base=2)", "y ~ log(x, base=2)", "y ~ I(np.log(x) / np.log(2))"),
        ("y ~ relevel(f, ref='b')", "y ~ relevel(f, ref='b')", "y ~ relevel(f, ref='b')", "y ~ C(f, Treatment('b'))"),
        ("y ~ C(f, treatment)", "y ~ C(f, 'contr.treatment')", "y ~ C(f, 'contr.treatment')", "y ~ C(f, Treatment)"),
        ("y ~ I(-x^2) + I(-(x + z))", "y ~ I(-x^2) + I(-(x + z))", "y ~ I(-x^2) + I(-(x + z))",
         "y ~ I(-(x**2)) + I(-(x + z))"),
        ("y ~ I(-x) + I(x - (-z))", "y ~ I(-x) + I(x - -z)", "y ~ I(-x) + I(x - -z)", "y ~ I(-x) + I(x - (-z))"),
        ("y ~ scale(x, TRUE, FALSE)", "y ~ scale(x, TRUE, FALSE)", "y ~ scale(x, TRUE, FALSE)", "y ~ center(x)"),
        ("y ~ poly(x, 2, raw=TRUE)", "y ~ poly(x, 2, raw=TRUE)", "y ~ poly(x, 2, raw=TRUE)",
         "y ~ poly(x, 2, raw=True)"),
        ("y ~ f + (0 + f || g)", "y ~ f + (0 + f || g)", "y ~ f + (0 + f || g)", "y ~ f + (0 + f | g)"),
        ("y ~ (1 | h) + (0 + factor(f) | g)", "y ~ 1 + (1 | h) + (0 + factor(f) | g)",
         "y ~ 1 + (1 | h) + (0 + factor(f) | g)", "y ~ 1 + (1 | h) + (0 + C(f) | g)"),
        ("y ~ (x*z | g) + (0 + x:z | h)", "y ~ 1 + (1 + x + z + x:z | g) + (0 + x:z | h)",
         "y ~ 1 + (1 + x + z + x:z | g) + (0 + x:z | h)", "y ~ 1 + (1 + x + z + x:z | g) + (0 + x:z | h)"),
        ("y ~ . - a - b", "y ~ . - a - b", "y ~ . - a - b", "y ~ . - a - b"),
        ("y ~ 1", "y ~ 1", "y ~ 1", "y ~ 1"),
    ],
)  # fmt: skip
def test_spellings(formula, lme4, brms, bambi):
    assert [hm.translate(formula, to) for to in ("lme4", "brms", "bambi")] == [lme4, brms, bambi]


@pytest.mark.parametrize(
    ("formula", "brms", "lme4", "bambi"),
    [
        ("y ~ x + (1 | p | g); alpha ~ z + (1 | p | g)", "bf(y ~ x + (1 | p | g), shape ~ z + (1 | p | g))",
         "lme4's formulas have one linear predictor. glmmTMB",
         "bmb.Formula('y ~ x + (1 | p | g)', 'alpha ~ z + (1 | p | g)')"),
        ("s/n ~ x; kappa ~ 0 + z", "bf(s | trials(n) ~ x, phi ~ 0 + z)", "one linear predictor",
         "bmb.Formula('p(s, n) ~ x', 'kappa ~ 0 + z')"),
        ("y | se(s, sigma = TRUE) ~ x", "y | se(s, sigma = TRUE) ~ x", "lme4's formulas have no se(s, sigma = TRUE)",
         "Bambi's formulas have no se(s, sigma = TRUE); brms's have"),
        ("y | cens(c, u) ~ x", "y | cens(c, u) ~ x", "lme4 has no censored or truncated responses here; brms has them",
         "Bambi is given no censored or truncated responses here; model.pymc()"),
        ("y | trunc(lb = 0, ub = m) ~ x", "y | trunc(lb = 0, ub = m) ~ x", "lme4 has no censored", "Bambi is given no"),
        ("Surv(t, e == 2) ~ x", "t | cens(1 - (e == 2)) ~ x", "lme4 has no censored", "Bambi is given no"),
        ("Surv(t, e) ~ x", "t | cens(1 - e) ~ x", "lme4 has no censored", "Bambi is given no"),
        ("y ~ s(x, k=5)", "y ~ s(x, k=5)", "lme4 has no smooths. Unpenalised splines are bs(x, df=5), and",
         "Bambi has no smooths"),
    ],
)  # fmt: skip
def test_what_brms_alone_can_say(formula, brms, lme4, bambi):
    assert hm.translate(formula, "brms") == brms
    for to, words in (("lme4", lme4), ("bambi", bambi)):
        with pytest.raises(hm.errors.HiermodError, match=re.escape(words)):
            hm.translate(formula, to)


def test_weights_of_precision_are_lme4_s_alone():
    text = 'y | weights(w, type = "precision") ~ x'
    assert hm.translate(text, "lme4") == "y ~ x, weights = w"
    for to, package in (("brms", "brms"), ("bambi", "Bambi")):
        with pytest.raises(FormulaError, match=f"{package}'s formulas have no weights.*; lme4's have"):
            hm.translate(text, to)


@pytest.mark.parametrize(("text", "place"), [("y | weights(w) ~ x", "w"), ("y ~ x + z_", "z_"), ("y ~ x + s(z)", "z")])
def test_what_is_refused_is_pointed_at(text, place):
    to = "brms" if place == "z_" else "lme4"
    with pytest.raises(FormulaError, match=r"\^") as caught:
        hm.translate(text, to)
    drawn, carets = str(caught.value).split("\n")[-2:]
    assert drawn[carets.index("^") : len(carets)] == place


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
    assume(formula.weights is None and not isinstance(formula.response, CountsResponse))
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
     ("y ~ x*f + (x:f | g)", "with all levels"), ("y ~ (x + x:f | g)", "with all levels"),
     ("y ~ (1 | g) + (0 + cut(x, 3) | g)", "with all levels"), ("y ~ (1 | g) + (0 + I(x > 2) | g)", "with all levels"),
     ("y ~ (1 | g) + (0 + x:f | g)", "with all levels"), ("y ~ relevel(f, ref=2)", "which level"),
     ("y ~ scale(x, FALSE, FALSE)", "divides by n"), ("y ~ (1 | g) + (0 + C(f) | g)", "with all levels"),
     ("y ~ factor(f, levels=c('b', 'a'))", "the list"), ("y ~ bs(x, knots=c(1, 2))", "the list")],
)  # fmt: skip
def test_what_bambi_cannot_read_is_refused_by_name(text, what):
    with pytest.raises(hm.errors.HiermodError, match=f"Bambi's formulas cannot say .*{what}"):
        hm.translate(text, "bambi")


def test_an_unknown_spelling():
    with pytest.raises(hm.errors.HiermodError, match="Did you mean 'brms'"):
        hm.translate("y ~ x", "brm")
