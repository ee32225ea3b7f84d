"""A formula in other packages' spelling, and back."""

import pytest
from formula_strategies import formulas
from hypothesis import assume, given, settings

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.parser import parse
from hiermod.formula.translate import spell


@pytest.mark.parametrize(
    ("formula", "lme4", "brms", "bambi"),
    [
        ("s/n ~ x + (1 | g)", "cbind(s, n - s) ~ x + (1 | g)", "s | trials(n) ~ x + (1 | g)", "p(s, n) ~ x + (1 | g)"),
        ("y['a'] ~ 0 + x", "I(y == 'a') ~ 0 + x", "I(y == 'a') ~ 0 + x", "y['a'] ~ 0 + x"),
        ("y ~ I(x^2) + log(z)", "y ~ I(x^2) + log(z)", "y ~ I(x^2) + log(z)", "y ~ I(x**2) + np.log(z)"),
        ("y ~ C(f, sum)", "y ~ C(f, contr.sum)", "y ~ C(f, contr.sum)", "y ~ C(f, Sum)"),
        ("y ~ relevel(f, 'b')", "y ~ relevel(f, 'b')", "y ~ relevel(f, 'b')", "y ~ C(f, Treatment('b'))"),
        ("y ~ (x || a/b)", "y ~ 1 + (1 + x || a) + (1 + x || a:b)", "y ~ 1 + (1 + x || a) + (1 + x || a:b)",
         "y ~ 1 + (1 + x | a) + (1 + x | a:b)"),
        ("y ~ bs(x, knots=c(1, 2), intercept=TRUE) + offset(z)", "y ~ bs(x, knots=c(1, 2), intercept=TRUE) + offset(z)",
         "y ~ bs(x, knots=c(1, 2), intercept=TRUE) + offset(z)", "y ~ bs(x, knots=[1, 2], intercept=True) + offset(z)"),
    ],
)  # fmt: skip
def test_spellings(formula, lme4, brms, bambi):
    assert [hm.translate(formula, to) for to in ("lme4", "brms", "bambi")] == [lme4, brms, bambi]


def test_weights_are_an_argument_in_lme4():
    assert hm.translate("y | weights(w) ~ x", "lme4") == "y ~ x, weights = w"
    assert hm.translate("s | trials(n) + weights(w) ~ x", "brms") == "s | trials(n) + weights(w) ~ x"


@settings(max_examples=200, deadline=None)
@given(formulas())
def test_brms_spelling_means_the_same(text):
    try:
        formula = parse(text)
    except FormulaError:
        assume(False)
    assert parse(spell(formula, "brms")) == formula


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


def test_an_unknown_spelling():
    with pytest.raises(hm.errors.HiermodError, match="Did you mean 'brms'"):
        hm.translate("y ~ x", "brm")
