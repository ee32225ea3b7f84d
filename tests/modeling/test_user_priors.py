"""Priors that a user states: how they are read, which parameter they reach, what is refused."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modeling_tools import spec_of

from hiermod.errors import PriorError
from hiermod.priors.reading import READABLE, read_prior

RNG = np.random.default_rng(2)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=40),
        "x": RNG.normal(5.0, 1.0, 40),
        "z": RNG.normal(5.0, 1.0, 40),
        "f": RNG.choice(["p", "q", "r"], 40),
        "g": RNG.choice(list("abcde"), 40),
        "h": RNG.choice(list("uvw"), 40),
    }
)
FORMULA = "y ~ x + z + f + (1 + x | g) + (1 + z | h)"


def priors_of(priors, text=FORMULA):
    return spec_of(text, DATA, "gaussian", priors).priors


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Normal(0, 1.5)", "Normal", (0, 1.5)),
        (" normal ( -2 , .5 ) ", "Normal", (-2, 0.5)),
        ("Normal(sigma=2, mu=1)", "Normal", (1, 2)),
        ("Normal(0, sigma=1e-3)", "Normal", (0, 0.001)),
        ("student_t(3, 0, 2.5)", "StudentT", (3, 0, 2.5)),
        ("StudentT(3, 0, 2.5)", "StudentT", (3, 0, 2.5)),
        ("STUDENTT(3,0,2.5)", "StudentT", (3, 0, 2.5)),
        ("half_normal(1)", "HalfNormal", (1,)),
        ("HalfStudentT(nu=3, sigma=2)", "HalfStudentT", (3, 2)),
        ("exponential(2)", "Exponential", (2,)),
        ("Uniform(-1, +1)", "Uniform", (-1, 1)),
        ("lkj(4)", "LKJ", (4,)),
    ],
)
def test_how_a_prior_is_read(text, name, arguments):
    prior = read_prior("slope", text)
    assert (prior.name, prior.arguments) == (name, arguments)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([READABLE[name] for name in sorted(READABLE)]),
    st.lists(st.floats(1e-45, 1e45, allow_nan=False), min_size=3, max_size=3, unique=True),
)
def test_a_prior_survives_printing(distribution, numbers):
    numbers = sorted(numbers)[: len(distribution.parameters)]
    if distribution.name == "LogNormal":  # whose location is a logarithm
        numbers = [math.log1p(number) for number in numbers]
    prior = read_prior("x", f"{distribution.name}({', '.join(map(repr, numbers))})")
    assert prior.arguments == tuple(numbers)
    assert read_prior("x", str(prior)).arguments == prior.arguments


def test_precedence_of_keys():
    table = priors_of({"slope": "Normal(0, 1)", "x": "Normal(0, 2)"})
    assert table["x"][0].arguments == (0, 2)
    assert table["z"][0].arguments == (0, 1)
    assert [prior.arguments for prior in table["f"]] == [(0, 1)] * 2
    assert table["Intercept"][0].name == "StudentT"
    table = priors_of({"Intercept": "Normal(3, 1)"})
    assert table["Intercept"][0].arguments == (3, 1)
    assert table["x"][0].name == "StudentT"
    table = priors_of({"sd": "Exponential(1)", "sd(x|g)": "HalfNormal(9)"})
    assert table["x|g_sigma"][0].arguments == (9,)
    assert {table[f"{name}_sigma"][0].name for name in ("1|g", "1|h", "z|h")} == {"Exponential"}
    table = priors_of({"cor": "LKJ(4)", "cor(h)": "LKJ(9)", "sigma": "HalfNormal(7)"})
    assert table["1+x|g_cor"][0].arguments == (4,)
    assert table["1+z|h_cor"][0].arguments == (9,)
    assert table["sigma"][0].arguments == (7,)


@pytest.mark.parametrize("text", ["y ~ 0 + f", "y ~ 0 + f + x", "y ~ 0 + f:h"])
def test_the_full_set_of_indicators_takes_a_users_prior_of_the_intercept(text):
    name = text.split()[4] if text.split()[4] != "x" else "f"
    assert priors_of({"Intercept": "Normal(9, 2)"}, text)[name][0].arguments == (9, 2)


@pytest.mark.parametrize(
    ("priors", "match"),
    [
        ({"Intercpt": "Normal(0, 1)"}, "no parameter 'Intercpt'.*Did you mean 'Intercept'"),
        ({"X": "Normal(0, 1)"}, "no parameter 'X'.*Did you mean 'x'"),
        ({"intercept": "Normal(0, 1)"}, "no parameter 'intercept'.*Did you mean 'Intercept'"),
        ({"slopes": "Normal(0, 1)"}, "no parameter 'slopes'.*Did you mean 'slope'"),
        ({"sd(1|gg)": "HalfNormal(1)"}, r"no parameter 'sd\(1\|gg\)'.*sd\(1\|g\)"),
        ({"sd(f|g)": "HalfNormal(1)"}, r"no parameter 'sd\(f\|g\)'"),
        ({"cor(k)": "LKJ(1)"}, r"no parameter 'cor\(k\)'.*cor\("),
        ({"g": "Normal(0, 1)"}, "no parameter 'g'"),
        ({"": "Normal(0, 1)"}, "no parameter ''"),
        ({"x": "Norml(0, 1)"}, "no distribution 'Norml'.*Did you mean 'Normal'"),
        ({"x": "Normal"}, r"a prior reads like 'Normal\(0, 1.5\)'"),
        ({"x": "Normal(0, 1"}, "a prior reads like"),
        ({"x": ""}, "a prior reads like"),
        ({"x": "0.5"}, "a prior reads like"),
        ({"x": None}, "a prior reads like"),
        ({"x": 2.5}, "a prior reads like"),
        ({"x": ("Normal", 0, 1)}, "a prior reads like"),
        ({"x": "Normal()"}, "lacks 'mu'"),
        ({"x": "Normal(0)"}, "lacks 'sigma'"),
        ({"x": "Normal(0, 1, 2)"}, "too many numbers"),
        ({"x": "Normal(0, sd=1)"}, "'sd' in .* is unknown or given twice"),
        ({"x": "Normal(0, mu=1)"}, "'mu' in .* is unknown or given twice"),
        ({"x": "Normal(0, 0)"}, "sigma must be above 0"),
        ({"x": "Normal(0, -1)"}, "sigma must be above 0"),
        ({"x": "Normal(a, 1)"}, "'a' in .* is not a number"),
        ({"x": "Normal(nan, 1)"}, "'nan' in .* is not a number"),
        ({"x": "Normal(0, inf)"}, "'inf' in .* is not a number"),
        ({"x": "Normal(0, 1e999)"}, "is not a finite number"),
        ({"x": "Normal(1 + 1, 1)"}, "is not a number"),
        ({"x": "Normal(,)"}, "is not a number"),
        ({"x": "Uniform(1, 1)"}, "lower must be below upper"),
        ({"sd": "LKJ(2)"}, r"LKJ\(2\) is a prior of correlations. Write HalfNormal\(1\)"),
        ({"cor": "Normal(0, 1)"}, r"prior of correlations: LKJ\(eta\)"),
        ({"cor": "LKJ(0)"}, "eta must be above 0"),
        ({"x": "LKJ(2)"}, r"LKJ\(2\) is a prior of correlations. Write Normal\(0, 1\)"),
        ({"Intercept": "HalfNormal(1)"}, r"needs a location and no bounds: Normal, StudentT"),
        ({"Intercept": "Normal(0, 1, lower=0)"}, r"needs a location and no bounds: .* not Normal\(0, 1, lower=0\)"),
        ({"Intercept": "Uniform(0, 1)"}, r"predictors are at their means \(x = .*, z = .*\)"),
    ],
)
def test_refusals(priors, match):
    with pytest.raises(PriorError, match=match):
        priors_of(priors)


def test_keys_of_parameters_that_this_model_lacks():
    for key, prior in (("sd", "HalfNormal(1)"), ("cor", "LKJ(2)"), ("slope", "Normal(0, 1)")):
        with pytest.raises(PriorError, match=f"no parameter '{key}'"):
            priors_of({key: prior}, "y ~ 1")
    with pytest.raises(PriorError, match="no parameter 'sigma'"):
        spec_of("b ~ 1", DATA.assign(b=DATA["y"] > 0), None, {"sigma": "HalfNormal(1)"})
    with pytest.raises(PriorError, match="no parameter 'cor'"):
        priors_of({"cor": "LKJ(2)"}, "y ~ (1 + x || g)")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch hacked')",
        "Normal(__import__('os').getpid(), 1)",
        "Normal(0, exec('raise SystemExit'))",
        "Normal(0, 1); import os",
        "lambda: 1",
        "Normal(0, 1)\nNormal(0, 2)",
        "eval('Normal(0, 1)')",
        "Normal(0, (1))",
        "Normal(0, 0x10)",
        "Normal(0, 1_000)",
        "Normal(0, 1j)",
        "pm.Normal(0, 1)",
        "Normal.__class__(0, 1)",
        "Normal(" + "0," * 100_000 + "1)",
        "Normal(" + "(" * 10_000,
        "N" * 1_000_000,
        "Normal(0, " + "1" * 1_000_000 + "x)",
    ],
    ids=lambda text: text[:30],
)
def test_a_prior_is_data_never_code(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PriorError, match="'x'"):
        priors_of({"x": text})
    assert not list(tmp_path.iterdir())


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.sampled_from("Normalstu(),=.01-e _"), st.characters()), max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        prior = read_prior("x", text)
    except PriorError as error:
        assert "'x'" in str(error)  # noqa: PT017
        return
    assert re.fullmatch(r"\s*[A-Za-z_]+\s*\(.*\)\s*", text)
    assert all(np.isfinite(prior.arguments))


@pytest.mark.parametrize(
    ("name", "prior"), [("slope", "Normal(0, 1)"), ("sd", "HalfNormal(1)"), ("cor", "Normal(0, 1)")]
)
def test_a_key_that_is_a_kind_of_parameters_and_a_column_too(name, prior):
    data = DATA.rename(columns={"x": name})
    assert name in spec_of(f"y ~ {name} + (1 + z | g)", data).priors
    with pytest.raises(PriorError, match=f"The key '{name}' means a kind of parameters, and here a column too"):
        spec_of(f"y ~ {name} + (1 + z | g)", data, None, {name: prior})
