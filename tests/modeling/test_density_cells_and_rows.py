"""The density of cells is that of their rows, up to one constant."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modeling_tools import assert_equal_up_to_one_constant, log_density, model_of, random_points

RESPONSES = {
    "bernoulli": "success",
    "binomial": "s/n",
    "gaussian": "real",
    "poisson": "count",
    "negbinomial": "count",
    "student": "rounded",
    "gamma": "positive",
    "beta_binomial": "s/n",
}
FAMILIES = list(RESPONSES)


def frame_of(seed, size=150):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.choice([1.5, 2.0, 4.25, 7.0], size),
            "i": rng.integers(0, 2, size),
            "f": rng.choice(["p", "q", "r"], size),
            "g": rng.choice(list("abcd"), size),
            "h": rng.integers(0, 3, size),
            "success": rng.integers(0, 2, size),
            "n": rng.integers(1, 6, size),
            "count": rng.poisson(3.0, size),
            "real": 100.0 + rng.normal(size=size) * 3.0,
        }
    )
    frame["s"] = rng.binomial(frame["n"], 0.4)
    frame["rounded"] = frame["real"].round(-1)
    frame["positive"] = rng.gamma(2.0, 1.0, size).round() + 0.5
    return frame


def compare(text, frame, family, count=20, seed=0):
    cells, rows = (model_of(text, frame, family, compress=compress) for compress in (True, False))
    assert len(cells.coords["__obs__"]) < len(rows.coords["__obs__"]) == len(frame)
    assert [variable.name for variable in cells.value_vars] == [variable.name for variable in rows.value_vars]
    points = random_points(rows, count, seed, spread=0.4)
    one, other = log_density(cells), log_density(rows)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("right", ["x*f + (1 + i | g) + (1 | h)", "0 + f + x + (0 + f || g) + (1 | g:h)"])
def test_fixed_models(family, right):
    compare(f"{RESPONSES[family]} ~ {right}", frame_of(1), family)


@pytest.mark.parametrize(
    "family", ["binomial(probit)", "bernoulli(cloglog)", "beta_binomial(probit)", "beta_binomial(cloglog)"]
)
def test_other_links(family):
    compare(f"{RESPONSES[family.split('(')[0]]} ~ i + f + (1 | g)", frame_of(2), family)


@settings(max_examples=5, deadline=None)
@given(
    st.sampled_from(FAMILIES),
    st.sampled_from(["1", "i", "x", "f", "i*f", "0 + f"]),
    st.sampled_from(["", " + (1 | g)", " + (i | g)", " + (1 | h/g)"]),
    st.integers(0, 10**6),
)
def test_random_data(family, common, bars, seed):
    compare(f"{RESPONSES[family]} ~ {common}{bars}", frame_of(seed, 90), family, 6, seed)


def test_counts_and_rows_of_one_experiment_have_one_density():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0] * 3, "g": np.repeat(list("abc"), 4), "n": rng.integers(2, 9, 12)})
    table["s"] = rng.binomial(table["n"], 0.5)
    rows = table.loc[table.index.repeat(table["n"])].reset_index(drop=True)
    rows["y"] = np.concatenate([np.arange(n) < s for s, n in zip(table["s"], table["n"], strict=True)])
    right = "x + (1 + x | g)"
    counts, expanded = model_of(f"s/n ~ {right}", table), model_of(f"y ~ {right}", rows, compress=False)
    points = random_points(expanded, spread=0.4)
    one, other = log_density(counts), log_density(expanded)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


@pytest.mark.parametrize(("base", "relative"), [(1e6, 1e-9), (1e9, 1e-7)])
def test_a_large_mean_costs_nothing_that_matters(base, relative):
    rng = np.random.default_rng(5)
    small = pd.DataFrame({"y": rng.normal(size=200).round(3), "f": rng.choice(["p", "q"], 200)})
    large = small.assign(y=small["y"] + base)
    small = small.assign(y=large["y"] - base)  # what is left of the digits at that size
    text, priors = "y ~ f", {"sigma": "Exponential(1)", "slope": "Normal(0, 1)"}
    near = model_of(text, small, "gaussian", priors | {"Intercept": "Normal(0, 1)"})
    far = model_of(text, large, "gaussian", priors | {"Intercept": f"Normal({base!r}, 1)"})
    points = random_points(near)
    moved = [{**point, "Intercept": point["Intercept"] + base} for point in points]
    back = [{**point, "Intercept": point["Intercept"] - base} for point in moved]
    one, other = log_density(near), log_density(far)
    assert_equal_up_to_one_constant([one(point) for point in back], [other(point) for point in moved], relative)
