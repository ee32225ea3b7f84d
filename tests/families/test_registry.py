"""Which family a response gets, and what each family refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError
from hiermod.families.registry import choose_family, link_notice, read_family
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
        ([0, 1, 1], "geometric(identity)", "no link 'identity'"),
        ([0, 1, 1], "__import__('os')", "no family"),
        ([0, 1, 2], "binomial", r"needs 0/1 values or successes out of trials; 'y' holds 2"),
        ([0, 1, 2], "bernoulli", "'y' holds 2"),
        ([0, 1, 0.5], "binomial", "'y' holds 0.5"),
        ([True, False, True], "gaussian", "say 'binomial'"),
        ([0, -1, 2], "poisson", "whole numbers from 0 on; 'y' holds -1"),
        ([0, 1.5, 2], "poisson", "'y' holds 1.5"),
        ([0, 1, 2], "negbinomal", "Did you mean 'negbinomial'"),
        ([0, 1, 2], "cox", "no family 'cox'. The nearest .* are 'gamma', 'lognormal' and 'weibull'; with zeros"),
        ([0, 1, 2], "ordinal", "Did you mean 'cumulative'"),
        ([0, 1, 2], "zinb", "Did you mean 'zero_inflated_negbinomial'"),
        ([0.0, 1.5, 2], "gamma", r"holds 0 \(row 0\). Where 0 is possible, 'hurdle_gamma'"),
        ([0.0, 1.5, 2], "lognormal", "Where 0 is possible, 'hurdle_lognormal'"),
        ([-1.0, 1.5, 2], "gamma", "Where numbers below 0 are possible"),
        ([0.0, 1.5, -2], "hurdle_gamma", r"takes numbers from 0 on; 'y' holds -2 \(row 2\)"),
        ([0, 1, -2], "hurdle_poisson", r"Counts are whole numbers from 0 on; 'y' holds -2"),
        ([0, 1, 1.5], "zero_inflated_poisson", r"Counts are whole numbers from 0 on; 'y' holds 1.5"),
        ([0.0, 1.5, 1.5], "hurdle_lognormal", "All numbers above 0 in 'y' are 1.5"),
        ([0, 1, 1], "zero_inflated_binomial", "Single trials cannot tell two kinds of zeros apart"),
        ([0, 1, 2], "inverse.gaussion", "no family 'inverse.gaussion'. Did you mean 'inverse_gaussian'"),
        ([0, 1, 2], "nbinom1(identity)", "no link 'identity'.*'log'"),
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
        ([1, 2, 3], "student(sqrt)", "no link 'sqrt'.*'log'"),
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
def test_what_functions_make_of_counts_has_to_be_counts(text, family):
    frame = SUCCESSES.assign(n=[2, 3, 4])
    assert choose_family(read_family(family), read_rows(parse("round(n) ~ x"), frame).response)[0].name == family
    with pytest.raises(DataError, match="Counts are whole numbers from 0 on"):
        choose_family(read_family(family), read_rows(parse(f"{text} ~ x"), frame).response)


def test_a_single_zero_one_column_may_be_called_binomial():
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "x": [1.0, 2.0, 3.0, 4.0]})
    one, other = spec_of("y ~ x", frame, "binomial"), spec_of("y ~ x", frame, "bernoulli")
    np.testing.assert_array_equal(one.cells.response.successes, other.cells.response.successes)


@pytest.mark.parametrize(
    ("spelled", "family"),
    [
        ('cumulative("probit")', "cumulative(probit)"), ("cumulative()", "cumulative"), ("acat()", "acat"),
        ("cumulative(link = 'cloglog')", "cumulative(cloglog)"), ("multinomial()", "categorical"),
        ("multinomial", "categorical"), ("multinom", "categorical"), ('sratio(link="logit")', "sratio"),
        ("cumulative(probit, threshold='flexible')", "cumulative(probit)"),
    ],
)  # fmt: skip
def test_other_packages_spellings_of_families_of_categories(spelled, family):
    assert str(read_family(spelled)) == family


@pytest.mark.parametrize(
    ("spelled", "match"),
    [
        ("clmm", "Did you mean 'cumulative'"), ("polr(probit)", r"Did you mean 'cumulative\(probit\)'"),
        ("ordered_probit", r"Did you mean 'cumulative\(probit\)'"), ("continuation_ratio", "Did you mean 'cratio'"),
        ("sratio(cauchit)", "no link 'cauchit'. The nearest is 'logit'"),
        ("sratio(loglog)", "categories in reverse order, with coefficients of the other sign"),
        ("cumulative(log-log)", "no link 'log-log'. It is 'cloglog' seen from the other end"),
        ("cumulative(Aranda-Ordaz)", "no link 'Aranda-Ordaz'. Those that it lies between"),
        ("cumulative(logistic)", "no link 'logistic'. It is 'logit'"),
        ("cumulative(threshold='equidistant')", "are flexible, each a parameter of its own"),
    ],
)  # fmt: skip
def test_what_is_not_there_of_ordinal_families_is_named_with_what_is_nearest(spelled, match):
    with pytest.raises(DataError, match=match):
        read_family(spelled)


def test_what_stands_in_brackets_and_is_no_link_is_not_called_one():
    with pytest.raises(DataError, match=r"There is no family 'beta\(phi=a b\)'"):
        read_family("beta(phi=a b)")
    with pytest.raises(DataError, match=r"There is no family 'beta\(lo git, phi\)'"):
        read_family("beta(lo git, phi)")
    with pytest.raises(DataError, match=r"The family beta has no link 'lo git'"):
        read_family("beta(lo git)")


def test_a_notice_says_what_may_not_be_meant_and_nothing_else():
    said = {
        ("poisson", (0.0, 3.0, 2.0)): "", ("gaussian", (0.5, 3.0, 2.0)): "", ("bernoulli", (0, 1, 1)): "",
        ("gaussian", (0, 1, 1)): "; the response is 0/1, whose rate family='bernoulli' would model",
        ("bernoulli", (1, 1, 1)): "; every response is 1",
        ("zero_one_inflated_beta", (0.2, 1.0, 0.5)): "", ("zero_one_inflated_beta", (0.2, 0.0, 0.5)): "",
        ("zero_one_inflated_beta", (0.2, 0.4, 0.5)): "; no response is 0 or 1, so that zoi is as near 0 as its prior "
        "lets it be (beta is the family without it)",
        ("hurdle_gamma", (0.2, 0.0, 0.5)): "",
        ("hurdle_gamma", (0.2, 0.4, 0.5)): "; no response is 0, so that hu is as near 0 as its prior lets it be "
        "(gamma is the family without it)",
        ("hurdle_poisson", (2.0, 1.0)): "; no response is 0, so that hu is as near 0 as its prior lets it be",
        ("zero_inflated_poisson", (2.0, 1.0)): "; no response is 0, so that zi is as near 0 as its prior lets it be "
        "(poisson is the family without it)",
    }  # fmt: skip
    for (family, values), remark in said.items():
        assert chosen(list(values), family)[1] == f"family {family}{remark}"


def test_means_of_right_censored_times_are_said_to_go_beyond_what_was_seen():
    frame = pd.DataFrame({"t": [1.0, 2.5, 4.0], "c": ["none", "right", "none"], "d": ["none", "left", "none"]})
    beyond = "; its mean goes beyond the largest t, 4: outcome='mean<=4' ends there"
    for family, code, remark in (("weibull", "c", beyond), ("weibull", "d", ""), ("gaussian", "c", "")):
        response = read_rows(parse(f"t | cens({code}) ~ 1"), frame).response
        assert choose_family(read_family(family), response)[1] == f"family {family}{remark}"


def test_links_that_are_usual_elsewhere_are_told_where_none_is_said():
    for asked, other in (("gamma", "inverse"), ("Gamma", "inverse"), ("inverse.gaussian", "1/mu^2")):
        (notice,) = link_notice(asked)
        assert f"has the log link here; R's {asked if '.' in asked else 'Gamma'}() and Bambi's" in notice
        assert f"have the {other} one" in notice
    for asked in ("gamma(log)", "inverse_gaussian(log)", "gamma(inverse)", "poisson"):
        assert link_notice(asked) == []
    for asked in ("negbinomial2", "wald", "asymmetriclaplace"):
        assert link_notice(asked)[0].endswith(("1/alpha", "the shape", "a quantile, too"))


@pytest.mark.parametrize(
    ("kind", "wrong", "match"),
    [
        ("count", 1.5, "whole numbers from 0 on"), ("positive", -1.0, "numbers above 0"),
        ("unit", 1.0, "between 0 and 1"), ("rate", 2.0, "needs 0/1 values"),
    ],
)  # fmt: skip
def test_responses_are_checked_by_their_kind_where_a_record_has_no_check(kind, wrong, match):
    base = {"count": "poisson", "positive": "gamma", "unit": "beta", "rate": "binomial"}[kind]
    record = replace(read_family(base), check=None)
    response = read_rows(
        parse("y ~ 1"), pd.DataFrame({"y": [wrong, 0.0 if kind in ("count", "rate") else 0.5]})
    ).response
    with pytest.raises(DataError, match=match):
        choose_family(record, response)
