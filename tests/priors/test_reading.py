"""Priors as text: how they are read, on which support they end up, and what is refused."""

import math

import pytest

from hiermod.errors import PriorError
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import MAX_LENGTH, cut_above, fitted, is_flat, read_prior, refuse_extreme


def prior(text):
    return read_prior("x", text)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Normal(0, 1.5)", "Normal", (0.0, 1.5)),
        ("  normal ( 0 ,1.5 ) ", "Normal", (0.0, 1.5)),
        ("student_t(3, 0, 2.5)", "StudentT", (3.0, 0.0, 2.5)),
        ("StudentT(nu=3, mu=0, sigma=2.5)", "StudentT", (3.0, 0.0, 2.5)),
        ("Normal(sigma=2, mu=1)", "Normal", (1.0, 2.0)),
        ("Exponential(.5)", "Exponential", (0.5,)),
        ("Uniform(-1e2, +3.)", "Uniform", (-100.0, 3.0)),
        ("half_normal(2)", "HalfNormal", (2.0,)),
    ],
)
def test_texts_are_read(text, name, arguments):
    read = prior(text)
    assert (read.name, read.arguments, read.lower, read.upper, read.origin) == (
        name,
        arguments,
        -math.inf,
        math.inf,
        "",
    )


def test_bounds_and_origins_are_read():
    read = prior("Normal(1, 0.5, lower=0, upper=9)  # a pilot, 2024 ")
    assert (read.lower, read.upper, read.origin) == (0.0, 9.0, "a pilot, 2024")
    assert prior("Normal(1, 0.5, upper=2)").upper == 2.0
    assert prior("Gamma(2, 1, lower=1)").lower == 1.0
    assert read_prior("x", read) is read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Normal(1, 2, 3)", r"'x': 'Normal\(1, 2, 3\)' has too many numbers. Expected Normal\(mu, sigma\)"),
        ("Normal(1)", r"lacks 'sigma'. Expected Normal\(mu, sigma\)"),
        ("Normal(1, a)", "'a' in .* is not a number"),
        ("Normal(, 1)", "'' in .* is not a number"),
        ("Normal(1, mu=2)", "'mu' in .* is unknown or given twice"),
        ("Normal(1, rate=2)", "'rate' in .* is unknown"),
        ("Normal(0, 1e999)", "is not a finite number"),
        ("Normal(0, 0)", "sigma must be above 0"),
        ("Normal(0, -1)", "sigma must be above 0"),
        ("Uniform(1, 1)", "lower must be below upper in"),
        ("Uniform(2, 1)", "lower must be below upper in"),
        ("Normal(0, 1, lower=1, upper=1)", "lower must be below upper in"),
        ("Normal(0, 1, lower=2, upper=1)", "lower must be below upper in"),
        ("Normal(0, 1, lower=50)", r"Normal\(0, 1\) has next to nothing between the bounds of"),
        ("Uniform(0, 1, lower=0.5)", "too many|unknown"),
        ("Beta(1, 1, upper=0.5)", "unknown"),
        ("LKJ(2, lower=1)", "unknown"),
        ("Norml(0, 1)", "no distribution 'Norml'. Did you mean 'Normal'"),
        ("Normal", "reads like"),
        ("", "reads like"),
        ("flat", "is no distribution. Nothing can be drawn"),
        ("half_flat()", "is no distribution"),
        ("Flat(1)", "no distribution"),
        ("improper", "is no distribution"),
        ("Normal(0, 1e101)", "1e[+]101 .* with which a computer cannot calculate"),
        ("Normal(1e-101, 1)", "1e-101 .* between 1e-100 and 1e[+]100"),
        ("Normal(0, 1, upper=1e101)", "1e[+]101"),
        ("Gamma(1e-3, 1e99)", "is of a number near|cannot calculate"),
    ],
)
def test_refusals_name_the_parameter_and_say_what_is_expected(text, words):
    with pytest.raises(PriorError, match=words) as caught:
        prior(text)
    assert "'x'" in str(caught.value)


@pytest.mark.parametrize("number", [1e100, 1e-100, -1e100])
def test_the_largest_and_smallest_numbers_are_read(number):
    assert prior(f"Normal({number}, 1)").arguments[0] == number
    refuse_extreme("x", Prior("Normal", (0.0, 1.0)))


def test_texts_end_where_they_are_said_to():
    longest = "Normal(0, 1)".ljust(MAX_LENGTH)
    assert (MAX_LENGTH, len(longest)) == (400, 400)
    assert prior(longest) == prior("Normal(0, 1)")
    with pytest.raises(PriorError, match="reads like"):
        prior(f"{longest} ")
    assert is_flat("flat".ljust(400))
    assert not is_flat("flat".ljust(401))
    assert [is_flat(text) for text in ("flat", "HALF_FLAT ( )", "improper()", "Normal(0, 1)", 1)] == [True] * 3 + [
        False
    ] * 2


@pytest.mark.parametrize(
    ("text", "support", "result"),
    [
        ("Normal(0, 1)", "real", "Normal(0, 1)"),
        ("Gamma(2, 1)", "positive", "Gamma(2, 1)"),
        ("LKJ(2)", "correlation", "LKJ(2)"),
        ("Normal(0, 2)", "positive", "HalfNormal(2)"),
        ("StudentT(3, 0, 2)", "positive", "HalfStudentT(3, 2)"),
        ("Cauchy(0, 2)", "positive", "HalfCauchy(2)"),
        ("Normal(1, 2)", "positive", "Normal(1, 2, lower=0)"),
        ("Laplace(0, 2)", "positive", None),
        ("Uniform(-1, 2)", "positive", "Uniform(0, 2)"),
        ("Uniform(0, 2)", "positive", "Uniform(0, 2)"),
        ("Normal(0, 1, lower=0.5)", "positive", "Normal(0, 1, lower=0.5)"),
        ("Normal(0, 1, lower=-1)", "positive", "Normal(0, 1, lower=0)"),
        ("Beta(2, 3)", "unit", "Beta(2, 3)"),
        ("Uniform(0, 1)", "unit", "Uniform(0, 1)"),
        ("Uniform(-1, 0.5)", "unit", "Uniform(0, 0.5)"),
        ("Uniform(0.5, 7)", "unit", "Uniform(0.5, 1)"),
        ("Normal(0.3, 0.1)", "unit", "Normal(0.3, 0.1, lower=0, upper=1)"),
        ("Gamma(2, 5)", "unit", "Gamma(2, 5, lower=0, upper=1)"),
        ("Normal(0.3, 0.1, lower=0.2)", "unit", "Normal(0.3, 0.1, lower=0.2, upper=1)"),
        ("Dirichlet(2)", "chances", "Dirichlet(2)"),
    ],
)
def test_priors_end_up_on_the_support_of_their_parameter(text, support, result):
    before = prior(text)
    after, notice = fitted("x", before, support)
    if result is not None:
        assert str(after) == result
    assert bool(notice) == (after != before)
    if notice:
        assert notice.startswith("'x' is ")
        assert str(before) in notice
        assert str(after) in notice


@pytest.mark.parametrize(
    ("text", "support", "words"),
    [
        ("Normal(0, 1)", "correlation", r"prior of correlations: LKJ\(eta\)"),
        ("LKJ(2)", "real", r"Write Normal\(0, 1\) instead"),
        ("LKJ(2)", "positive", r"Write HalfNormal\(1\) instead"),
        ("LKJ(2)", "unit", r"HalfNormal\(1\) instead"),
        ("Uniform(-2, -1)", "positive", r"Uniform\(-2, -1\) has nothing there"),
        ("Uniform(-2, 0)", "positive", "has nothing there"),
        ("Normal(-50, 1)", "positive", "has next to nothing there. Write HalfNormal"),
        ("Normal(9, 0.1)", "unit", "next to nothing there"),
        ("Uniform(1, 2)", "unit", r"next to nothing there. Write Beta\(1, 1\)"),
        ("Uniform(-2, 0)", "unit", "next to nothing there"),
        ("Dirichlet(2)", "real", "prior of shares that add up to 1: of the chances of ordered categories"),
        ("Normal(0, 1)", "chances", "One number has a prior"),
    ],
)
def test_priors_that_have_nothing_on_a_support_are_refused(text, support, words):
    with pytest.raises(PriorError, match=words):
        fitted("x", prior(text), support)


def test_what_is_below_an_end_is_kept():
    cut, notice = cut_above("shift", prior("Exponential(1)"), 2.0)
    assert (str(cut), cut.upper) == ("Exponential(1, upper=2)", 2.0)
    assert notice == f"'shift' is below the smallest response, so that Exponential(1) is cut off there: {cut}"
    assert str(cut_above("shift", prior("Uniform(0, 5)"), 2.0)[0]) == "Uniform(0, 2)"
    for text in ("Uniform(3, 5)", "Beta(2, 2)", "Normal(90, 0.1)"):
        with pytest.raises(PriorError, match=r"next to nothing there or cannot be cut\. Write"):
            cut_above("shift", prior(text), 2.0)
