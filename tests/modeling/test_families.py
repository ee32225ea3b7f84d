"""Which family a response gets, and what each family refuses."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

from hiermod.data.rows import read_rows
from hiermod.errors import DataError
from hiermod.formula.parser import parse
from hiermod.modeling.families import choose_family

SUCCESSES = pd.DataFrame({"s": [1, 2, 0], "n": [3, 3, 3], "x": [1.0, 2.0, 4.0]})


def chosen(values, family=None):
    rows = read_rows(parse("y ~ x"), pd.DataFrame({"y": values, "x": range(len(values))}))
    return choose_family(family, rows.response)


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
    ("values", "family", "match"),
    [
        ([0, 1, 1], "binomal", "no family 'binomal'.*Did you mean 'binomial'.*The families are"),
        ([0, 1, 1], "lognormal", "The families are bernoulli, binomial, gaussian, poisson, negbinomial, student"),
        ([0, 1, 1], "", "The families are"),
        ([0, 1, 1], 3, "no family 3"),
        ([0, 1, 1], "binomial(log)", "no link 'log'"),
        ([0, 1, 1], "binomial(probits)", "Did you mean 'probit'"),
        ([0, 1, 1], "poisson(identity)", "no link 'identity'"),
        ([0, 1, 1], "__import__('os')", "no family"),
        ([0, 1, 2], "binomial", r"needs 0/1 values or successes out of trials; 'y' holds 2"),
        ([0, 1, 2], "bernoulli", "'y' holds 2"),
        ([0, 1, 0.5], "binomial", "'y' holds 0.5"),
        ([True, False, True], "gaussian", "say 'binomial'"),
        ([0, -1, 2], "poisson", "whole numbers from 0 on; 'y' holds -1"),
        ([0, 1.5, 2], "poisson", "'y' holds 1.5"),
    ],
)
def test_refusals(values, family, match):
    with pytest.raises(DataError, match=match):
        chosen(values, family)


@pytest.mark.parametrize(
    ("family", "match"),
    [("bernoulli", "say family='binomial'"), ("gaussian", "say 'binomial'"), ("poisson", "say 'binomial'")],
)
def test_two_parts_are_nothing_but_binomial(family, match):
    with pytest.raises(DataError, match=match):
        choose_family(family, read_rows(parse("s/n ~ x"), SUCCESSES).response)


def test_a_single_zero_one_column_may_be_called_binomial():
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "x": [1.0, 2.0, 3.0, 4.0]})
    one, other = spec_of("y ~ x", frame, "binomial"), spec_of("y ~ x", frame, "bernoulli")
    np.testing.assert_array_equal(one.cells.response.successes, other.cells.response.successes)
