"""`prob_beats`, `prob_best`, `expected_loss` on whatever numbers people have."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.answers.draws import expected_rank
from hiermod.errors import AnswerError


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


ARMS = np.array([[3.0, 1.0, 2.0], [3.0, 3.0, 1.0], [0.0, 5.0, 4.0], [2.0, 2.0, 2.0]])


def test_ranks_share_ties_along_either_axis_and_by_name():
    expected = np.array([[1.0, 3.0, 2.0], [1.5, 1.5, 3.0], [3.0, 1.0, 2.0], [2.0, 2.0, 2.0]]).mean(axis=0)
    np.testing.assert_allclose(expected_rank(ARMS, 1), expected)
    np.testing.assert_allclose(expected_rank(ARMS.T, 0), expected)
    np.testing.assert_allclose(expected_rank(ARMS, 1, goal="min"), 4.0 - expected)
    labelled = xr.DataArray(ARMS, dims=("sample", "arm"))
    np.testing.assert_allclose(expected_rank(labelled, "arm").values, expected)
    assert expected_rank(labelled, "arm").dims == ("arm",)


def test_dimensions_that_are_no_draws_stay_and_all_are_draws_where_none_is_named_so():
    draws = xr.DataArray(np.stack([ARMS, ARMS[:, ::-1]]), dims=("place", "sample", "arm"))
    assert expected_rank(draws, "arm").dims == ("place", "arm")
    assert hm.prob_best(draws, "arm").dims == ("place", "arm")
    unnamed = draws.rename(sample="one", place="other")
    assert hm.prob_best(unnamed, "arm").dims == ("arm",)
    np.testing.assert_allclose(hm.prob_best(unnamed, "arm").sum(), 1.0)
    assert hm.prob_beats(unnamed.isel(arm=0), unnamed.isel(arm=1)).dims == ()


def test_labelled_draws_are_paired_by_label_and_compared_with_numbers():
    first = xr.DataArray([1.0, 2.0], dims="sample", coords={"sample": [0, 1]})
    assert float(hm.prob_beats(first, 1.5)) == 0.5
    assert float(hm.prob_beats(1.5, first)) == 0.5
    assert float(hm.prob_beats(first, np.array([0.0, 3.0]))) == 0.5
    with pytest.raises(AnswerError, match="different coordinates, so they are no pairs"):
        hm.prob_beats(first, first.assign_coords(sample=[1, 2]))


def test_a_goal_is_one_of_two_words():
    assert hm.prob_beats([1.0, 2.0], [0.0, 3.0], goal="max") == hm.prob_beats([1.0, 2.0], [0.0, 3.0], goal="min") == 0.5
    assert hm.prob_beats([2.0], [1.0], goal="max") == 1.0
    assert hm.prob_beats([2.0], [1.0], goal="min") == 0.0
    with pytest.raises(AnswerError, match="goal='mox': 'max' where higher is better"):
        hm.prob_beats([2.0], [1.0], goal="mox")


def test_missing_draws_are_named_by_their_place_where_they_have_one():
    with pytest.raises(AnswerError, match=r"1 of 4 draws are NaN, the first at \[1, 0\]\."):
        hm.prob_best(np.array([[1.0, 2.0], [np.nan, 3.0]]), 1)
    with pytest.raises(AnswerError, match=r"1 of 1 draws are NaN\. A draw"):
        hm.prob_beats(np.nan, [1.0])


@pytest.mark.parametrize(
    "numbers", [1j, np.ones(2) + 0j, xr.DataArray([1j, 1.0], dims="draw"), "a", ["a"], [[1], [1, 2]]]
)
def test_what_are_no_real_numbers_is_refused(numbers):
    for question in (hm.logit, hm.inv_logit, lambda draws: hm.prob_beats(draws, 0.0)):
        with pytest.raises(AnswerError, match=r"Real numbers are needed; .* was given"):
            question(numbers)
