"""`prob_beats`, `prob_best`, `expected_loss` on whatever numbers people have."""

import numpy as np
import pytest
import xarray as xr

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


def test_lists_are_draws():
    assert hm.prob_beats([1, 2], [0, 3]) == 0.5
    np.testing.assert_allclose(hm.prob_best([[1, 2], [3, 4]], 1), [0.0, 1.0])


def test_labelled_draws_must_be_pairs():
    one = xr.DataArray([1.0, 2.0], dims="draw", coords={"draw": [0, 1]})
    with pytest.raises(hm.errors.AnswerError, match="different coordinates, so they are no pairs"):
        hm.prob_beats(one, one.assign_coords(draw=[1, 2]))
