"""Draws that somebody else made: what cannot be a draw of a parameter is refused by name, place and number."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.errors import SamplingError

RNG = np.random.default_rng(3)
ROWS = pd.DataFrame({"x": RNG.normal(size=20), "y": RNG.normal(size=20), "g": list("abcde") * 4})
MODEL = hm.model("y ~ x + (1 + x | g)", ROWS)
DRAWS = MODEL.sample_prior(6, seed=1).prior
RANGES = {"sigma": (0, np.inf), "1|g_sigma": (0, np.inf), "1+x|g_cor": (-1, 1), "x": (-np.inf, np.inf)}


def with_number(name, number, place=4):
    draws = DRAWS.copy(deep=True)
    values = draws[name].to_numpy().astype(np.result_type(draws[name].dtype, type(number)))
    values.reshape(-1)[place] = number
    draws[name] = (draws[name].dims, values)
    return draws


def test_draws_of_the_model_are_taken():
    fit = MODEL.with_draws(DRAWS)
    xr.testing.assert_identical(fit.posterior["sigma"], DRAWS["sigma"])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(RANGES)), st.floats(width=64))
def test_exactly_the_numbers_that_a_parameter_can_be_are_taken(name, number):
    low, high = RANGES[name]
    if np.isfinite(number) and low <= number <= high:
        assert MODEL.with_draws(with_number(name, number)).posterior[name].size
    elif not np.isfinite(number) or not low - 1e-5 <= number <= high + 1e-5:
        with pytest.raises(
            SamplingError, match=r"1 of \d+ draws of .* cannot be: the first is .*chain 0, draw 4"
        ) as seen:
            MODEL.with_draws(with_number(name, number))
        assert repr(name) in str(seen.value)


@pytest.mark.parametrize(
    ("name", "number", "sentence"),
    [
        ("x", np.nan, "the first is nan .*, and a finite number is needed"),
        ("sigma", -0.5, "the first is -0.5 .*, and 'sigma' is not below 0"),
        ("1+x|g_cor", 1.5, "the first is 1.5 .*, and '1.x.g_cor' lies from -1 to 1"),
    ],
)
def test_the_error_says_what_is_needed(name, number, sentence):
    with pytest.raises(SamplingError, match=sentence):
        MODEL.with_draws(with_number(name, number))


def test_the_place_is_named_by_labels():
    draws = DRAWS.copy(deep=True)
    draws["1|g"][0, 2, 3] = np.inf
    with pytest.raises(SamplingError, match=r"'1\|g' cannot be: the first is inf .*draw 2, g__factor_dim d\)"):
        MODEL.with_draws(draws)


def test_following_the_remedy_is_enough():
    draws = with_number("sigma", np.nan, place=2)
    good = np.isfinite(draws["sigma"].to_numpy()[0])
    assert MODEL.with_draws(draws.isel(draw=good)).posterior.sizes["draw"] == 5


@pytest.mark.parametrize(
    ("kind", "remedy"), [("complex128", r"\.real"), ("object", r"\.astype\(float\)"), ("str", "astype"), ("bool", "as")]
)
def test_numbers_of_another_type_are_refused_with_how_to_convert_them(kind, remedy):
    draws = DRAWS.assign(sigma=DRAWS["sigma"].astype(kind))
    with pytest.raises(SamplingError, match=rf"'sigma' of the draws is of type .*real numbers are needed.*{remedy}"):
        MODEL.with_draws(draws)


@pytest.mark.parametrize("kind", ["float32", "int64"])
def test_real_numbers_of_any_precision_are_taken(kind):
    draws = DRAWS.assign(x=DRAWS["x"].astype(kind))
    assert MODEL.with_draws(draws).posterior["x"].dtype.kind == "f"


def test_draws_without_a_dim_or_without_draws_are_refused():
    with pytest.raises(SamplingError, match="'sigma' of the draws has no dim chain"):
        MODEL.with_draws(DRAWS.assign(sigma=DRAWS["sigma"].isel(chain=0, drop=True)))
    with pytest.raises(SamplingError, match="a chain has no draw"):
        MODEL.with_draws(DRAWS.isel(draw=slice(0)))
    with pytest.raises(SamplingError, match="must be an xarray DataTree with a posterior"):
        MODEL.with_draws(xr.DataTree.from_dict({"prior": DRAWS}))


@pytest.mark.parametrize("number", [-0.2, 1.2, np.nan])
def test_pooled_rates_lie_from_0_to_1(number):
    data = pd.DataFrame({"s": [1, 2, 3, 9], "n": [9, 9, 12, 30], "g": list("abcd")})
    model = hm.model("s/n ~ (1 | g)", data, pooling="beta", priors={"rate": "Beta(2, 8)", "size": "Gamma(2, 0.1)"})
    draws = model.sample_prior(5, seed=1).prior
    name = max(draws.data_vars, key=lambda name: draws[name].ndim)
    assert model.with_draws(draws).rates().table.size
    draws[name][0, 0, 0] = number
    with pytest.raises(SamplingError, match=r"1 of 20 draws of .* cannot be.* (needed|lies from 0 to 1)"):
        model.with_draws(draws)
