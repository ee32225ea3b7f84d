"""Folds share rows evenly, at random and without telling equal rows apart."""

import numpy as np
import pytest
from scipy import stats

from hiermod.answers.scoring.cross_validation import check_folds, grouped_folds, random_folds
from hiermod.errors import AnswerError


def test_every_row_is_in_one_fold_and_folds_are_equal():
    times = np.array([70, 30, 1, 1, 1, 44])
    shares = random_folds(times, 10, np.random.default_rng(1))
    np.testing.assert_array_equal(shares.sum(axis=1), times)
    assert set(shares.sum(axis=0)) == {14, 15}


def test_a_fold_is_a_hypergeometric_draw_of_a_cell():
    times = np.array([12, 8])
    drawn = np.array([random_folds(times, 4, np.random.default_rng(seed))[0] for seed in range(2000)])
    for fold in range(4):
        seen = np.bincount(drawn[:, fold], minlength=6)
        expected = 2000 * stats.hypergeom.pmf(np.arange(6), 20, 12, 5)
        assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_strata_are_spread_evenly():
    times, strata = np.array([15, 5, 3, 40]), np.array([0, 0, 1, 2])
    shares = random_folds(times, 5, np.random.default_rng(2), strata)
    assert set((shares[0] + shares[1]).tolist()) == {4}
    assert set(shares[2].tolist()) == {0, 1}
    assert set(shares[3].tolist()) == {8}
    assert np.ptp(shares.sum(axis=0)) <= 1


def test_rows_that_no_stratum_can_spread_go_to_folds_at_random():
    """Strata of one row, as of a number: without that, rows in order would fall to folds in order."""
    ones, strata = np.ones(20, dtype=int), np.arange(20)
    drawn = np.array(
        [random_folds(ones, 5, np.random.default_rng(seed), strata).argmax(axis=1) for seed in range(1000)]
    )
    assert all(len(set(own[start : start + 5])) == 5 for own in drawn[:50] for start in range(0, 20, 5))
    for row in (0, 7, 19):
        assert stats.chisquare(np.bincount(drawn[:, row], minlength=5)).pvalue > 1e-4


@pytest.mark.parametrize("seed", range(20))
def test_any_strata_leave_folds_equal(seed):
    rng = np.random.default_rng(seed)
    strata, count = rng.integers(0, 9, 30), int(rng.integers(2, 9))
    times = rng.integers(1, 7, 30)
    shares = random_folds(times, count, rng, strata)
    np.testing.assert_array_equal(shares.sum(axis=1), times)
    assert np.ptp(shares.sum(axis=0)) <= 1
    assert all(np.ptp(shares[strata == own].sum(axis=0)) <= 1 for own in np.unique(strata))


def test_groups_stay_whole_and_folds_are_balanced():
    times, groups = np.array([5, 5, 9, 1, 10, 10]), np.array([0, 0, 1, 2, 3, 4])
    shares = grouped_folds(times, groups, 4, np.random.default_rng(3))
    np.testing.assert_array_equal((shares > 0).sum(axis=1), 1)
    assert (shares[0] > 0).tolist() == (shares[1] > 0).tolist()
    np.testing.assert_array_equal(np.sort(shares.sum(axis=0)), [10, 10, 10, 10])


@pytest.mark.parametrize("wrong", [1, 21, True, 2.5, "ten"])
def test_impossible_folds(wrong):
    with pytest.raises(AnswerError, match=r"a whole number of folds from 2 to 20, the number of rows, is needed"):
        check_folds(wrong, 20, "rows")
