"""Priors of any size and scale: a fit of finite draws, or an error before sampling that names the prior."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.errors import PriorError
from hiermod.priors.distributions import DISTRIBUTIONS

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {"y": RNG.normal(size=24), "b": RNG.integers(0, 2, 24), "x": RNG.normal(size=24), "g": RNG.choice(list("abcd"), 24)}
)
KEYS = {
    "y ~ x": ("Intercept", "x", "sigma", "var(sigma)", "prec(sigma)"),
    "b ~ x": ("Intercept", "slope"),
    "y ~ x + (1 + x | g)": ("x", "sd", "sd(x|g)", "var(1|g)", "cor", "sigma"),
    "b ~ x + (1 | g)": ("x", "sd", "prec(1|g)"),
}
SIZES = st.one_of(st.floats(-300, 300), st.floats(-100, 100), st.floats(-12, 12))


@st.composite
def stated(draw):
    """A formula, a key, and the text of a prior, whose numbers are of any size."""
    formula = draw(st.sampled_from(sorted(KEYS)))
    key = draw(st.sampled_from(KEYS[formula]))
    names = ["LKJ"] if key == "cor" else [name for name in sorted(DISTRIBUTIONS) if name not in ("LKJ", "Beta")]
    record = DISTRIBUTIONS[draw(st.sampled_from(names))]
    numbers = {}
    for parameter in record.parameters:
        sign = 1.0 if parameter in record.positive else draw(st.sampled_from([0.0, 1.0, -1.0]))
        numbers[parameter] = sign * 10.0 ** draw(SIZES)
    if record.name == "Uniform":
        numbers = dict(zip(("lower", "upper"), sorted(numbers.values()), strict=True))
    return formula, key, f"{record.name}({', '.join(f'{name}={number!r}' for name, number in numbers.items())})"


@settings(max_examples=200, deadline=None)
@given(stated())
def test_a_prior_of_any_scale_is_fitted_or_refused_by_its_name(case):
    formula, key, text = case
    try:
        model = hm.model(formula, ROWS, priors={key: text})
    except PriorError as error:
        if repr(key) not in str(error):
            raise
        return
    fit = model.fit(draws=10, tune=30, chains=1, cores=1, seed=1, progress=False)
    assert all(np.isfinite(values).all() for values in fit.posterior.values())


@pytest.mark.parametrize(
    ("key", "text", "what"),
    [
        ("x", "Normal(0, 1e160)", r"1e\+160 in 'Normal\(0, 1e\+160\)' is a number"),
        ("x", "Normal(0, 1e-170)", r"1e-170 in 'Normal\(0, 1e-170\)' is a number"),
        ("x", "Normal(0, 1, lower=1e-200)", r"1e-200 in .* is a number"),
        ("Intercept", "Cauchy(0, 1e155)", r"1e\+155 in .* is a number"),
        ("sigma", "Gamma(1e308, 1e-50)", r"1e\+308 in .* is a number"),
        ("sigma", "Gamma(1e90, 1e-90)", r"is of a number near 1e\+180,"),
        ("sigma", "LogNormal(-1e5, 1)", "is of a number near 0,"),
        ("sigma", "LogNormal(1e5, 1)", "is of a number near inf,"),
    ],
)
def test_numbers_that_cannot_be_calculated_with_are_named(key, text, what):
    with pytest.raises(PriorError, match=f"'{key}': .*{what} with which a computer cannot .* between 1e-100 and 1e"):
        hm.model("y ~ x", ROWS, priors={key: text})


@pytest.mark.parametrize("text", ["Gamma(0.001, 0.001)", "InverseGamma(0.001, 0.001)", "Uniform(0, 1e50)"])
def test_vague_priors_of_old_are_taken(text):
    assert str(hm.model("y ~ x", ROWS, priors={"prec(sigma)": text}).prior_summary()["prior"].iloc[-1]).startswith(
        text.partition("(")[0]
    )


@pytest.mark.parametrize("scale", [1e-99, 1e-50, 1.0, 1e50, 1e99])
@pytest.mark.parametrize("size", [1e-99, 1.0, 1e99])
def test_default_priors_of_data_in_any_unit_give_the_same_slope(size, scale):
    fit = hm.fit("y ~ x", ROWS.assign(y=size * ROWS["y"], x=scale * ROWS["x"]), seed=1, progress=False)
    slope = float(fit.posterior["x"].mean()) * scale / size
    x, y = ROWS["x"] - ROWS["x"].mean(), ROWS["y"] - ROWS["y"].mean()
    assert math.isclose(slope, x @ y / (x @ x), abs_tol=0.05)  # the default prior is wide
