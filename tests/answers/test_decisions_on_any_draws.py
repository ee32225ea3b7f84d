"""`prob_beats`, `prob_best`, `expected_loss` on whatever numbers people have."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm


def test_unsigned_and_boolean_draws_do_not_wrap_around():
    low, high = np.array([0, 1], "uint8"), np.array([1, 2], "uint8")
    assert hm.prob_beats(low, high) == 0.0
    assert hm.prob_beats(low, high, goal="min") == 1.0
    assert hm.prob_beats(np.array([True, False]), np.array([False, False])) == 0.75
    np.testing.assert_allclose(hm.prob_best(np.stack([low, high]), 0, goal="min"), [1.0, 0.0])
    np.testing.assert_allclose(hm.expected_loss(np.stack([low, high]), 0, goal="min"), [0.0, 1.0])


def test_infinite_draws_tie():
    assert hm.prob_beats([np.inf, 1.0], [np.inf, 0.0]) == 0.75


def test_arms_that_are_both_infinite_lose_nothing_to_each_other():
    draws = np.array([[np.inf, np.inf, 1.0], [np.inf, 2.0, 3.0]])
    np.testing.assert_array_equal(hm.expected_loss(draws, 1), [0.0, np.inf, np.inf])
    labelled = xr.DataArray(draws[None], dims=("chain", "draw", "arm"))
    np.testing.assert_array_equal(hm.expected_loss(labelled, "arm"), [0.0, np.inf, np.inf])


def test_no_draws_are_refused():
    with pytest.raises(hm.errors.AnswerError, match=r"There are no draws: their shape is \(0,\)"):
        hm.prob_beats([], [])


def test_lists_are_draws():
    assert hm.prob_beats([1, 2], [0, 3]) == 0.5
    np.testing.assert_allclose(hm.prob_best([[1, 2], [3, 4]], 1), [0.0, 1.0])


def test_labelled_draws_must_be_pairs():
    one = xr.DataArray([1.0, 2.0], dims="draw", coords={"draw": [0, 1]})
    with pytest.raises(hm.errors.AnswerError, match="different coordinates, so they are no pairs"):
        hm.prob_beats(one, one.assign_coords(draw=[1, 2]))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 39), st.integers(0, 2), st.sampled_from(["beats", "best", "loss"]), st.booleans())
def test_draws_that_are_not_known_are_refused_in_every_container(draw, arm, question, labelled):
    values = np.random.default_rng(0).normal(size=(40, 3))
    values[draw, arm] = np.nan
    draws = xr.DataArray(values, dims=("draw", "arm")) if labelled else values
    ask = {
        "beats": lambda: hm.prob_beats(draws, 0.0),
        "best": lambda: hm.prob_best(draws, "arm" if labelled else 1),
        "loss": lambda: hm.expected_loss(draws, "arm" if labelled else 1),
    }
    with pytest.raises(hm.errors.AnswerError, match=rf"1 of 120 draws are NaN, the first at \[{draw}, {arm}\]"):
        ask[question]()


def test_advice_for_draws_that_are_not_known_is_right_when_followed():
    draws = np.random.default_rng(0).normal([1.0, 0.0], size=(4000, 2))
    gone = draws.copy()
    gone[:2000, 0] = np.nan
    with pytest.raises(hm.errors.AnswerError, match=r"draws\[~np.isnan\(draws\).any\(axis=1\)\]"):
        hm.prob_best(gone, 1)
    kept = gone[~np.isnan(gone).any(axis=1)]
    assert hm.prob_best(kept, 1)[0] == hm.prob_beats(draws[2000:, 0], draws[2000:, 1])
