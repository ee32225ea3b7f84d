"""Cells that average over numeric predictors have the density of their rows, up to one constant."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modeling_tools import assert_equal_up_to_one_constant, log_density, model_of, random_points, spec_of

from hiermod.modeling.density_rows import Segment, observe

FORMULAS = [
    "y ~ x",
    "y ~ 0 + x + f",
    "y ~ x*f + (1 | g)",
    "y ~ x*z*f + i*x + (1 + x | g)",
    "y ~ x:z + f + (x:z + i || g)",
    "y ~ log(p) + sqrt(p) + scale(x) + (1 + scale(x) | g)",
    "y ~ poly(x, 3) + f + (1 | g) + (0 + z | h)",
    "y ~ bs(z, df=5):i + ns(x, df=3) + (1 | g)",
    "y ~ C(f, sum)*center(x) + offset(z) + (x | g)",
    "y ~ f*x + offset(log(p)) + offset(x) + (1 | g/h)",
    "y | weights(w) ~ x*z + f + (1 + x*z | g)",
    "log(q) ~ x*i + (1 | g)",
    "y ~ x + cut(z, c(-30, -20, 0)) + (1 | g)",
]


def frame_of(seed, size=1600, missing=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(3.0, 1.0, size),
            "z": rng.normal(-20.0, 2.0, size).clip(-29.0, -1.0),
            "p": rng.gamma(3.0, 5.0, size),
            "i": rng.integers(0, 2, size),
            "f": rng.choice(["a", "b", "c"], size),
            "g": rng.choice(list("stuv"), size),
            "h": rng.integers(0, 2, size),
            "w": rng.integers(1, 4, size),
            "y": 50.0 + 10.0 * rng.normal(size=size),
            "q": rng.gamma(2.0, 1.0, size),
        }
    )
    for name in ("x", "z", "y", "g"):
        frame.loc[rng.integers(0, size, missing), name] = np.nan if name != "g" else None
    return frame


def compare(text, frame, seed=0):
    cells, rows = (model_of(text, frame, "gaussian", compress=compress) for compress in (True, False))
    assert 2 * len(cells.coords["__obs__"]) <= len(rows.coords["__obs__"])
    points = random_points(rows, 12, seed, spread=0.4)
    one, other = log_density(cells), log_density(rows)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


@pytest.mark.parametrize("text", FORMULAS)
def test_fixed_models(text):
    compare(text, frame_of(1))


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(FORMULAS), st.integers(0, 10**6), st.sampled_from([0, 5]), st.sampled_from([1e-3, 1.0, 1e4]),
    st.sampled_from([0.0, 1e5]),
)  # fmt: skip
def test_random_data(text, seed, missing, scale, shift):
    frame = frame_of(seed, missing=missing)
    text = text.replace("cut(z, c(-30, -20, 0))", "f")
    frame["z"] = scale * frame["z"] + shift
    compare(text, frame, seed)


def test_the_same_priors_and_centres():
    frame = frame_of(2, missing=4)
    for text in FORMULAS:
        one, other = (spec_of(text, frame, "gaussian", compress=compress) for compress in (True, False))
        np.testing.assert_allclose(one.common.scales, other.common.scales, rtol=1e-10)
        np.testing.assert_allclose(one.common.shift, other.common.shift, rtol=1e-9, atol=1e-9)
        for term, own in zip(one.groups, other.groups, strict=True):
            for effect, counterpart in zip(term.effects, own.effects, strict=True):
                np.testing.assert_allclose(effect.scales, counterpart.scales, rtol=1e-10)
        assert one.cells.source == other.cells.source


def test_the_rows_come_back():
    frame = frame_of(3, missing=4)
    cells = spec_of("y | weights(w) ~ x*z + f + (1 | g)", frame, "gaussian").cells
    assert cells.averaged == ("x", "z", "x × z")
    rows, response = cells.as_rows()
    complete = frame.dropna(subset=["x", "z", "y", "g"])
    expected = complete.loc[complete.index.repeat(complete["w"])]
    found = sorted(zip(rows["x"], rows["z"], rows["f"], rows["g"], response["values"], strict=True))
    assert found == sorted(zip(*(expected[name] for name in "xzfgy"), strict=True))


def test_numbers_of_few_values_keep_cells_of_their_own():
    frame = frame_of(4).assign(x=np.tile([1.0, 2.0, 3.0, 4.0], 400))
    cells = spec_of("y ~ x + z + (1 | g)", frame, "gaussian").cells
    assert cells.averaged == ("z",)
    assert len(cells) == 16


def test_averaging_is_left_where_it_does_not_pay():
    frame = frame_of(5).assign(g=lambda data: np.arange(len(data)) // 2)
    cells = spec_of("y ~ x*z + (1 | g)", frame, "gaussian").cells
    assert cells.averaged == ()
    assert len(cells) == len(frame)


def test_a_large_mean_costs_no_digits():
    frame = frame_of(6, size=4000)
    frame["x"] += 1e6
    frame["y"] += 1e6
    one, other = (spec_of("y ~ x + f", frame, "gaussian", compress=compress).cells for compress in (True, False))
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    for place, level in enumerate("abc"):
        own = (frame["f"] == level).to_numpy()
        centred = np.column_stack([x[own] - x[own].mean(), y[own] - y[own].mean()])
        np.testing.assert_allclose(one.response.moments.cross[place], centred.T @ centred, rtol=1e-9, atol=1e-5)
    assert len(other) == 4000


def test_a_likelihood_is_made_of_segments_that_hold_every_row_once():
    """Today one, of responses as they were observed."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=3000), "f": rng.choice(list("ab"), 3000), "y": rng.normal(size=3000)})
    rows = observe(spec_of("y ~ x + f", frame).cells)
    assert len(rows) > len(rows.cells)
    assert rows.segments == (Segment("plain", 0, len(rows)),)
