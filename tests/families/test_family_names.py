"""Names of families as other packages spell them, what is meant by others, and which links each family has."""

from typing import get_args

import pytest

from hiermod.errors import DataError
from hiermod.families.names import ABSENT, ABSENT_LINKS, ALIASES, LINKS, MEANT, OF_BAMBI, FamilyName
from hiermod.families.registry import read_family

SPELLED = {
    "brms": {
        "negbinomial2": "negbinomial", "student": "student", "zero_inflated_negbinomial": "zero_inflated_negbinomial",
        "inverse.gaussian": "inverse_gaussian", "Beta": "beta", "Gamma": "gamma", "skew_normal": "skew_normal",
        "asym_laplace": "asym_laplace", "gen_extreme_value": "gen_extreme_value", "von_mises": "von_mises",
        "shifted_lognormal": "shifted_lognormal", "exgaussian": "exgaussian", "multinomial": "categorical",
        "zero_one_inflated_beta": "zero_one_inflated_beta", "hurdle_gamma": "hurdle_gamma",
    },
    "rstanarm": {"neg_binomial_2": "negbinomial"},
    "glmmTMB": {
        "nbinom2": "negbinomial", "nbinom1": "nbinom1", "t_family": "student", "betabinomial": "beta_binomial",
        "beta_family": "beta", "truncated_nbinom2": "truncated_negbinomial", "truncated_nbinom1": "truncated_nbinom1",
        "genpois": "genpois", "truncated_genpois": "truncated_genpois", "truncated_poisson": "truncated_poisson",
        "zero_inflated_nbinom2": "zero_inflated_negbinomial",
    },
    "MASS, nnet and mgcv": {
        "negative.binomial": "negbinomial", "nb": "negbinomial", "betar": "beta", "multinom": "categorical",
        "negbin": "negbinomial",
    },
    "Bambi": {
        "negativebinomial": "negbinomial", "t": "student", "wald": "inverse_gaussian", "vonmises": "von_mises",
        "asymmetriclaplace": "asym_laplace", "skewnormal": "skew_normal", "weibull": "weibull",
        "zero_inflated_negativebinomial": "zero_inflated_negbinomial", "exponential": "exponential",
        "hurdle_negativebinomial": "hurdle_negbinomial", "zero_inflated_betabinomial": "zero_inflated_beta_binomial",
        "hurdle_lognormal": "hurdle_lognormal", "zero_inflated_poisson": "zero_inflated_poisson",
    },
    "others": {
        "negative_binomial": "negbinomial", "student_t": "student", "studentt": "student",
        "zoib": "zero_one_inflated_beta",
    },
}  # fmt: skip
WORDS = {
    "cumulative": (
        "ordinal", "ordered", "polr", "clm", "clmm", "clmm2", "stan_polr", "lrm", "orm", "propodds", "ocat",
        "ordered_logit", "ordered_logistic", "proportional_odds",
    ),
    "cumulative(probit)": ("ordered_probit",),
    "sratio": ("stopping_ratio", "sequential"), "cratio": ("continuation_ratio",),
    "acat": ("adjacent_category", "adjacent"), "categorical": ("mblogit", "mlogit"),
    "gaussian": ("normal",), "bernoulli": ("logistic", "logit"), "binomial": ("binom",),
    "zero_inflated_poisson": ("zip", "ziplss"), "zero_inflated_negbinomial": ("zinb",), "hurdle_gamma": ("zigamma",),
    "negbinomial": ("quasipoisson", "neg_binomial"), "beta_binomial": ("quasibinomial",),
}  # fmt: skip
NEAREST = {
    "xbeta": "zero_one_inflated_beta", "wiener": "exgaussian", "dirichlet": "'beta', of one share",
    "dirichlet_multinomial": "'beta', of one share", "logistic_normal": "'beta', of one share",
    "mixture": "hm.register_family", "cox": "'weibull'; with zeros, 'hurdle_gamma'", "tweedie": "hurdle_gamma",
    "hurdle_cumulative": "none that is near with a part of its own for zeros", "com_poisson": "Other variances than mu",
    "compois": "'genpois'", "truncated_compois": "'nbinom1'", "discrete_weibull": "'genpois'", "bell": "'genpois'",
    "quasi": "'negbinomial'",
}  # fmt: skip
LINKS_ELSEWHERE = {
    "cauchit": "'logit', whose tails are lighter", "loglog": "seen from the other end", "log-log": "the other end",
    "log_log": "of failures in place of successes", "aranda-ordaz": "lies between",
    "log-gamma": "'logit' and 'cloglog'",
    "probit_approx": "The exact one is 'probit'", "logistic": "It is 'logit'",
}  # fmt: skip
RATE, COUNT = ("logit", "probit", "cloglog"), ("log", "identity")
LINKED = {
    (*RATE, "log", "loglog", "cauchit"): "bernoulli binomial",
    (*RATE, "loglog", "cauchit"): "cumulative",
    RATE: "beta_binomial sratio cratio beta zero_one_inflated_beta zero_inflated_binomial zero_inflated_beta_binomial "
    "zero_inflated_beta",
    ("logit",): "acat categorical",
    ("identity", "log"): "gaussian student exgaussian skew_normal",
    COUNT: "poisson negbinomial",
    ("log", "inverse"): "gamma",
    ("log", "inverse", "1/mu^2"): "inverse_gaussian",
    ("tan_half",): "von_mises",
    ("identity",): "lognormal shifted_lognormal hurdle_lognormal laplace asym_laplace gen_extreme_value",
    ("log",): "geometric nbinom1 genpois weibull exponential frechet zero_inflated_poisson zero_inflated_negbinomial "
    "zero_inflated_nbinom1 zero_inflated_genpois hurdle_poisson hurdle_negbinomial hurdle_nbinom1 hurdle_genpois "
    "hurdle_gamma truncated_poisson truncated_negbinomial truncated_nbinom1 truncated_genpois",
}


def test_families_have_the_links_of_the_table():
    expected = {name: links for links, names in LINKED.items() for name in names.split()}
    assert expected == LINKS
    assert set(get_args(FamilyName)) == set(expected)
    assert list(get_args(FamilyName))[:2] == ["bernoulli", "binomial"]


@pytest.mark.parametrize("package", SPELLED)
def test_families_are_known_by_the_names_of_other_packages(package):
    for spelled, name in SPELLED[package].items():
        for text in (spelled, spelled.upper(), f"{spelled}()"):
            assert read_family(text).name == name
    listed = {spelled for names in SPELLED.values() for spelled in names}
    assert {spelled for spelled in ALIASES if spelled not in listed} == set()


@pytest.mark.parametrize("meant", WORDS)
def test_words_for_models_lead_to_a_family(meant):
    for word in WORDS[meant]:
        with pytest.raises(DataError, match=r"There is no family") as caught:
            read_family(word)
        assert f" Did you mean {meant!r}?" in str(caught.value)
    assert set(MEANT) == {word for words in WORDS.values() for word in words}


def test_families_that_are_not_there_are_refused_with_what_is_nearest():
    for name, nearest in NEAREST.items():
        with pytest.raises(DataError, match=r"There is no family") as caught:
            read_family(name)
        assert nearest in str(caught.value)
    assert {name for names in ABSENT for name in names} == set(NEAREST)
    assert OF_BAMBI == {"dirichlet_multinomial": "dirichlet_multinomial"}
    with pytest.raises(DataError, match=r"Bambi has it: hiermod\.model\(formula, data, family='dirichlet_multinomial'"):
        read_family("dirichlet_multinomial")


def test_links_that_are_not_there_are_refused_with_what_is_nearest():
    for link, nearest in LINKS_ELSEWHERE.items():
        with pytest.raises(DataError, match=r"The family beta has no link") as caught:
            read_family(f"beta({link})")
        assert nearest in str(caught.value)
    assert {name for names in ABSENT_LINKS for name in names} == set(LINKS_ELSEWHERE)
