"""Tabulated sums over groups, held against the sums themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from hiermod.exact.sums import condensed, distinct_pairs, sum_of_logs, sum_of_rises
from hiermod.families.ops import NUMPY, rise

LOG_X = np.concatenate([np.linspace(-60.0, 60.0, 400), [-39.99, 0.0, 2.0]])


def by_hand(x, count):
    """``log Γ(x + count) - log Γ(x) - count log x`` as the sum of its factors, of whole counts."""
    return np.log1p(np.arange(count)[:, None] / x).sum(axis=0)


@pytest.mark.parametrize("counts", [[3], [0, 1, 1, 40], [1000, 2, 2, 7]])
def test_rises_are_those_of_every_group(counts):
    sums = sum_of_rises(np.array(counts, dtype=float), np.ones(len(counts)))
    expected = sum(by_hand(np.exp(LOG_X), count) for count in counts)
    np.testing.assert_allclose(sums(LOG_X), expected, rtol=1e-12, atol=1e-12 * max(sum(counts), 1))


def test_groups_that_are_equal_count_as_often_as_they_occur():
    once = sum_of_rises(np.array([5.0, 9.0]), np.array([3.0, 2.0]))
    each = sum_of_rises(np.array([5.0, 5.0, 5.0, 9.0, 9.0]), np.ones(5))
    np.testing.assert_array_equal(once(LOG_X), each(LOG_X))


@pytest.mark.parametrize("sizes", [[1.0], [1e-3, 5.0, 2e4], [1e6, 1e6]])
def test_logs_are_proportional_to_x_at_one_end_and_go_with_its_logarithm_at_the_other(sizes):
    sums = sum_of_logs(np.array(sizes), np.full(len(sizes), 2.0))
    expected = 2.0 * np.log1p(np.exp(LOG_X)[:, None] * sizes).sum(axis=1)
    np.testing.assert_allclose(sums(LOG_X), expected, rtol=2e-12)
    far = np.array([-300.0, 500.0])
    np.testing.assert_allclose(
        sums(far), [2.0 * np.exp(-300.0) * sum(sizes), 2.0 * (500.0 * len(sizes) + np.log(sizes).sum())]
    )


def test_no_groups_have_no_sum():
    assert not sum_of_rises(np.zeros(0), np.zeros(0))(LOG_X).any()
    assert not sum_of_logs(np.zeros(0), np.zeros(0))(LOG_X).any()


def test_many_groups_in_blocks():
    counts = np.arange(1.0, 200_001.0)
    value = sum_of_rises(counts, np.ones(len(counts)))(np.array([0.3]))
    x = np.exp(0.3)
    direct = special.gammaln(x + counts) - special.gammaln(x) - counts * 0.3
    np.testing.assert_allclose(value, direct.sum(), rtol=1e-12)


@given(st.integers(201, 3000), st.floats(1e-6, 1e6), st.floats(1.0, 1e6), st.integers(0, 10))
def test_few_values_have_the_sums_of_many(size, lowest, ratio, seed):
    rng = np.random.default_rng(seed)
    values, times = lowest * ratio ** rng.uniform(size=size), rng.integers(1, 9, size).astype(float)
    few, weights = condensed(values, times)
    assert len(few) <= len(values)
    for x in (1e-9, 0.01, 1.0, 30.0, 1e5):
        rounding = 2.0 * np.finfo(float).eps * times.sum() * (1.0 + abs(np.log(x)))  # of both sides' logarithms
        for function in (lambda v, x=x: rise(NUMPY, x, v), lambda v, x=x: np.log1p(x * v)):
            np.testing.assert_allclose(weights @ function(few), times @ function(values), rtol=1e-12, atol=rounding)


def test_pairs_of_values():
    first, second, times = distinct_pairs(np.array([3.0, 1.0, 3.0, 3.0]), np.array([5.0, 5.0, 5.0, 4.0]))
    assert {(a, b): n for a, b, n in zip(first, second, times, strict=True)} == {(3, 5): 2, (1, 5): 1, (3, 4): 1}
