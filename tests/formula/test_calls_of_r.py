"""R's calls in a formula's place: the call of hiermod.fit that says the same."""

import re

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.calls import FITTING
from hiermod.formula.parser import parse


@pytest.mark.parametrize(
    ("call", "formula", "family"),
    [
        ("lmer(y ~ x + (1 | g), data = d)", "y ~ x + (1 | g)", "gaussian"),
        ("glmer(y ~ x, d, family = binomial)", "y ~ x", "binomial"),
        ('glmer(y ~ x, d, family = binomial("probit"))', "y ~ x", "binomial(probit)"),
        ("glmer.nb(y ~ x)", "y ~ x", "negbinomial"),
        ("clmm(rating ~ temp + (1 | judge), data = wine)", "rating ~ temp + (1 | judge)", "cumulative"),
        ('ordinal::clm(rating ~ temp, data = wine, link = "probit")', "rating ~ temp", "cumulative(probit)"),
        ('MASS::polr(formula = Sat ~ Infl, method = "logistic")', "Sat ~ Infl", "cumulative"),
        ('polr(Sat ~ Infl, method = "cloglog")', "Sat ~ Infl", "cumulative(cloglog)"),
        ("nnet::multinom(mode ~ x, data = d)", "mode ~ x", "categorical"),
        ("brm(y | trials(n) ~ x, family = acat())", "y | trials(n) ~ x", "acat()"),
        ("multinom(cbind(a, b, c) ~ x, d)", "cbind(a, b, c) ~ x", "categorical"),
    ],
)
def test_a_call_is_refused_with_the_formula_and_the_family_that_it_has(call, formula, family):
    with pytest.raises(FormulaError, match=re.escape(f"hiermod.fit({formula!r}, data, family={family!r})")):
        parse(call)


def test_a_call_without_a_family_leaves_it_out():
    with pytest.raises(FormulaError, match=re.escape("hiermod.fit('y ~ x', data).")):
        parse("brm(y ~ x, data = d)")


def test_other_functions_are_still_responses_or_unknown():
    with pytest.raises(FormulaError, match="There is no function 'glm'"):
        parse("glm(y) ~ x")
    assert str(parse("ordered(y) ~ x").response) == "ordered(y)"


FUNCTIONS = {
    "gaussian": "lm lmer aov blmer stan_lm stan_lmer gls lme",
    "": "glm glmer bglmer glmmTMB gam gamm gamm4 bam brm stan_glm stan_glmer stan_gamm4 glmmPQL",
    "negbinomial": "glm.nb glmer.nb stan_glm.nb stan_glmer.nb",
    "cumulative": "clm clmm clmm2 polr stan_polr lrm orm",
    "categorical": "multinom mblogit mlogit npmlt",
}


@pytest.mark.parametrize("family", FUNCTIONS)
def test_functions_that_fit_models_in_r_have_the_family_that_they_fit(family):
    said = f", family={family!r}" if family else ""
    for function in FUNCTIONS[family].split():
        with pytest.raises(FormulaError, match=re.escape(f"hiermod.fit('y ~ x + (1 | g)', data{said}).")) as caught:
            parse(f"{function}(y ~ x + (1 | g), d)")
        assert str(caught.value).startswith(f"{function}(…) fits a model in R. Here the formula stands alone: ")
    assert sum(len(names.split()) for names in FUNCTIONS.values()) == len(FITTING)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("glmer((y) ~ x, d, family = poisson)", "hiermod.fit('(y) ~ x', data, family='poisson')"),
        ("glmer(((y)) ~ (x), d)", "hiermod.fit('((y)) ~ (x)', data)"),
        ("glm(log(y) ~ x, weights = w[1])", "hiermod.fit('log(y) ~ x', data)"),
        ("glm(y ~ x[1, 2], family = gaussian)", "hiermod.fit('y ~ x[1, 2]', data, family='gaussian')"),
        ("glmer(y ~ x, family =)", "hiermod.fit('y ~ x', data)"),
        ("glmer(y ~ x, , family = 'poisson')", "hiermod.fit('y ~ x', data, family='poisson')"),
        ("glm(formula = y ~ x, family = binomial(link = probit))", "data, family='binomial(link = probit)')"),
        ("clm(y ~ x, link = logit)", "data, family='cumulative')"),
        ("clm(y ~ x, method = 'loglog')", "data, family='cumulative(loglog)')"),
        ("clm(y ~ x, d, other = 'probit')", "data, family='cumulative')"),
        ("glmer(y ~ x, link = 'probit')", "hiermod.fit('y ~ x', data)"),
        ("glm(y ~ x", "hiermod.fit('y ~ x', data)"),
    ],
)
def test_arguments_of_a_call_are_read_between_their_commas(call, expected):
    with pytest.raises(FormulaError, match=re.escape(expected)):
        parse(call)


@pytest.mark.parametrize("text", ["glm() ~ x", "lmer()", "lmer(,) ~ x", "glm(y, x) ~ z"])
def test_calls_without_a_formula_are_of_functions_that_there_are_not(text):
    assert str(parse("glm ~ x").response) == "glm"
    with pytest.raises(FormulaError, match=rf"There is no function '{text.partition('(')[0]}'"):
        parse(text)


def test_a_column_that_is_called_as_a_function_of_r_stands_in_backticks():
    with pytest.raises(FormulaError, match=r"\^") as caught:
        parse("`glm`(y ~ x)")
    assert "fits a model in R" not in str(caught.value)
