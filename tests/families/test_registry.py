"""Which family a response gets, and what each family refuses."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse

SUCCESSES = pd.DataFrame({"s": [1, 2, 0], "n": [3, 3, 3], "x": [1.0, 2.0, 4.0]})


def chosen(values, family=None):
    rows = read_rows(parse("y ~ x"), pd.DataFrame({"y": values, "x": range(len(values))}))
    return choose_family(None if family is None else read_family(family), rows.response)


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ([0, 1, 1], "bernoulli", "the response is 0/1"),
        ([0.0, 1.0, 1.0], "bernoulli", "the response is 0/1"),
        ([True, False, True], "bernoulli", "the response is 0/1"),
        ([0.5, 1.0, 2.0], "gaussian", "the response is numeric)"),
        ([-1, 1, 2], "gaussian", "the response is numeric)"),
        ([0, 1, 2], "gaussian", "for counts say family='poisson'"),
    ],
)
def test_the_family_that_is_taken_is_said(values, name, reason):
    family, notice = chosen(values)
    assert family.name == name
    assert notice.startswith(f"family {name} (")
    assert reason in notice


@pytest.mark.parametrize("text", ["s/n", "cbind(s, n)", "p(s, n)", "s | trials(n)"])
def test_two_parts_are_binomial(text):
    family, notice = choose_family(None, read_rows(parse(f"{text} ~ x"), SUCCESSES).response)
    assert str(family) == "binomial"
    assert "successes and trials" in notice


@pytest.mark.parametrize(
    ("family", "name", "link"),
    [
        ("bernoulli", "bernoulli", "logit"),
        ("Binomial", "binomial", "logit"),
        ("binomial(probit)", "binomial", "probit"),
        ("binomial(link='cloglog')", "binomial", "cloglog"),
        ('bernoulli( link = "probit" )', "bernoulli", "probit"),
        ("binomial()", "binomial", "logit"),
    ],
)
def test_spellings(family, name, link):
    taken, notice = chosen([0, 1, 1], family)
    assert (taken.name, taken.link.name) == (name, link)
    assert notice == f"family {taken}"


@pytest.mark.parametrize(
    ("family", "name", "link"),
    [
        ("negbinomial", "negbinomial", "log"),
        ("negbinomial()", "negbinomial", "log"),
        ("negbinomial(link = 'log')", "negbinomial", "log"),
        ("NegativeBinomial", "negbinomial", "log"),
        ("nb", "negbinomial", "log"),
        ("student()", "student", "identity"),
        ("t", "student", "identity"),
        ('Gamma(link="log")', "gamma", "log"),
        ("Gamma", "gamma", "log"),
        ("beta_binomial('cloglog')", "beta_binomial", "cloglog"),
        ("betabinomial(link = probit)", "beta_binomial", "probit"),
    ],
)
def test_spellings_of_r_and_bambi(family, name, link):
    taken = read_family(family)
    assert (taken.name, taken.link.name) == (name, link)
    assert read_family(str(taken)) == taken


@pytest.mark.parametrize(
    ("values", "family", "match"),
    [
        ([0, 1, 1], "binomal", "no family 'binomal'.*Did you mean 'binomial'.*The families are"),
        ([0, 1, 1], "tweedie", "The families are bernoulli, binomial, gaussian, poisson, negbinomial, student"),
        ([0, 1, 1], "", "The families are"),
        ([0, 1, 1], 3, "no family 3"),
        ([0, 1, 1], "binomial(sqrt)", "no link 'sqrt'"),
        ([0, 1, 1], "binomial(probits)", "Did you mean 'probit'"),
        ([0, 1, 1], "poisson(identity)", "no link 'identity'"),
        ([0, 1, 1], "__import__('os')", "no family"),
        ([0, 1, 2], "binomial", r"needs 0/1 values or successes out of trials; 'y' holds 2"),
        ([0, 1, 2], "bernoulli", "'y' holds 2"),
        ([0, 1, 0.5], "binomial", "'y' holds 0.5"),
        ([True, False, True], "gaussian", "say 'binomial'"),
        ([0, -1, 2], "poisson", "whole numbers from 0 on; 'y' holds -1"),
        ([0, 1.5, 2], "poisson", "'y' holds 1.5"),
        ([0, 1, 2], "negbinomal", "Did you mean 'negbinomial'"),
        ([0, 1, 2], "wald", "no family 'wald'. The nearest .* are 'gamma', 'lognormal' and 'weibull'; with zeros"),
        ([0, 1, 2], "multinomial", "Did you mean 'categorical'"),
        ([0, 1, 2], "zinb", "Did you mean 'zero_inflated_negbinomial'"),
        ([0.0, 1.5, 2], "gamma", r"holds 0 \(row 0\). Where 0 is possible, 'hurdle_gamma'"),
        ([0.0, 1.5, 2], "lognormal", "Where 0 is possible, 'hurdle_lognormal'"),
        ([-1.0, 1.5, 2], "gamma", "Where numbers below 0 are possible"),
        ([0.0, 1.5, -2], "hurdle_gamma", r"takes numbers from 0 on; 'y' holds -2 \(row 2\)"),
        ([0, 1, -2], "hurdle_poisson", r"Counts are whole numbers from 0 on; 'y' holds -2"),
        ([0, 1, 1.5], "zero_inflated_poisson", r"Counts are whole numbers from 0 on; 'y' holds 1.5"),
        ([0.0, 1.5, 1.5], "hurdle_lognormal", "All numbers above 0 in 'y' are 1.5"),
        ([0, 1, 1], "zero_inflated_binomial", "Single trials cannot tell two kinds of zeros apart"),
        ([0, 1, 2], "inverse.gaussian", "no family 'inverse.gaussian'. The families are"),
        ([0, 1, 2], "negbinomial(identity)", "no link 'identity'.*'log'"),
        ([0, 3, -1], "negbinomial", r"whole numbers from 0 on; 'y' holds -1 \(row 2\)"),
        ([0, 1.5, 2], "negbinomial", r"'y' holds 1.5 \(row 1\)"),
        ([0, 2.0**60, 2], "negbinomial", "too large to be exact"),
        ([2, 2, 2], "negbinomial", "constant"),
        ([1, 2, 3], "Gamma(link='sqrt')", "no link 'sqrt'.*'log'"),
        ([1.5, 0, 2], "gamma", r"takes numbers above 0; 'y' holds 0 \(row 1\).*'hurdle_gamma'"),
        ([1.5, 2, -2], "gamma", r"holds -2 \(row 2\)"),
        ([1.5, 1.5, 1.5], "gamma", "constant"),
        ([1.5, 2, 0], "lognormal", r"takes numbers above 0; 'y' holds 0 \(row 2\)"),
        ([True, False, True], "gamma", "say 'binomial'"),
        ([True, False, True], "student", "say 'binomial'"),
        ([2.5, 2.5, 2.5], "student", "constant"),
        ([1, 2, 3], "student(log)", "no link 'log'"),
        ([0, 1, 1], "beta_binomial", "successes out of several trials; 'y' is one column.*'bernoulli'"),
    ],
)
def test_refusals(values, family, match):
    with pytest.raises(DataError, match=match):
        chosen(values, family)


@pytest.mark.parametrize(
    ("family", "match"),
    [
        ("bernoulli", "say family='binomial'"),
        *((family, "say 'binomial'") for family in ("gaussian", "poisson", "negbinomial", "student", "gamma")),
    ],
)
def test_two_parts_are_successes_out_of_trials(family, match):
    with pytest.raises(DataError, match=match):
        choose_family(read_family(family), read_rows(parse("s/n ~ x"), SUCCESSES).response)


def test_single_trials_cannot_show_overdispersion():
    frame = SUCCESSES.assign(s=[1, 0, 1], n=1)
    with pytest.raises(DataError, match=r"here each row has one.*say family='bernoulli'"):
        choose_family(read_family("beta_binomial"), read_rows(parse("s/n ~ x"), frame).response)
    assert (
        choose_family(read_family("beta_binomial"), read_rows(parse("s/n ~ x"), SUCCESSES).response)[0].name
        == "beta_binomial"
    )


@pytest.mark.parametrize(("text", "family"), [("log(n)", "negbinomial"), ("sqrt(s + 4)", "poisson")])
def test_counts_are_taken_as_they_are(text, family):
    frame = SUCCESSES.assign(n=[2, 3, 4])
    with pytest.raises(DataError, match=f"family {family} takes a response as it is"):
        choose_family(read_family(family), read_rows(parse(f"{text} ~ x"), frame).response)


def test_a_single_zero_one_column_may_be_called_binomial():
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "x": [1.0, 2.0, 3.0, 4.0]})
    one, other = spec_of("y ~ x", frame, "binomial"), spec_of("y ~ x", frame, "bernoulli")
    np.testing.assert_array_equal(one.cells.response.successes, other.cells.response.successes)
