"""Ranks and thinning by hand."""

import numpy as np
import pytest

from benchmarks.calibration.bands import p_value
from benchmarks.calibration.ranks import CHAINS, DRAWS, PER_CHAIN, effective_sizes, rank

PLENTY = 4000.0


def test_a_rank_is_the_number_of_kept_draws_below_the_truth():
    chains = np.arange(4000.0).reshape(4, 1000)
    rng = np.random.default_rng(0)
    assert rank(-1.0, chains, PLENTY, rng) == 0
    assert rank(5000.0, chains, PLENTY, rng) == DRAWS
    assert rank(1000.0, chains, PLENTY, rng) == PER_CHAIN  # all of the first chain, which takes part like the others
    # draws 20, 60, 100, … of each chain of a thousand are kept
    assert [rank(value, chains, PLENTY, rng) for value in (19.5, 20.5, 59.5, 60.5, 2980.5)] == [0, 1, 1, 2, 75]


def test_kept_draws_are_spread_over_chains_of_any_length():
    chains = np.tile(np.arange(4000.0), (4, 1))
    assert rank(79.5, chains, PLENTY, np.random.default_rng(0)) == 0
    assert rank(80.5, chains, PLENTY, np.random.default_rng(0)) == CHAINS
    assert rank(3919.5, chains, PLENTY, np.random.default_rng(0)) == DRAWS - CHAINS


def test_ties_are_broken_evenly():
    rng = np.random.default_rng(1)
    found = np.array([rank(1.0, np.ones((4, 1000)), PLENTY, rng) for _ in range(3000)])
    assert p_value(found, DRAWS) > 0.01


@pytest.mark.parametrize("ess", [3.0, 9.5, 41.0, 99.0])
def test_ranks_among_fewer_independent_draws_stay_uniform(ess):
    rng = np.random.default_rng(2)
    found = np.array([rank(rng.normal(), rng.normal(size=(4, 100)), ess, rng) for _ in range(2000)])
    assert found.min() >= 0
    assert found.max() <= DRAWS
    assert p_value(found, DRAWS) > 0.01


def slow_chains(rng, quantities, coefficient):
    """Four autoregressive chains of a standard normal, for each quantity."""
    chains = np.empty((4, 1000, quantities))
    chains[:, 0] = rng.normal(size=(4, quantities))
    noise = np.sqrt(1 - coefficient**2) * rng.normal(size=(4, 1000, quantities))
    for step in range(1, 1000):
        chains[:, step] = coefficient * chains[:, step - 1] + noise[:, step]
    return chains


@pytest.mark.parametrize("coefficient", [0.0, 0.8, 0.97])
def test_ranks_among_thinned_draws_of_slow_chains_are_uniform(coefficient):
    rng = np.random.default_rng(3)
    chains = slow_chains(rng, 500, coefficient)
    sizes = effective_sizes(chains)
    found = [rank(rng.normal(), chains[:, :, place], sizes[place], rng) for place in range(500)]
    assert p_value(np.array(found), DRAWS) > 0.01


def test_effective_sizes_are_those_of_autoregressions():
    sizes = effective_sizes(slow_chains(np.random.default_rng(4), 50, 0.9))
    assert np.median(sizes) == pytest.approx(4000 * 0.1 / 1.9, rel=0.15)
    assert effective_sizes(np.ones((4, 1000, 1))).tolist() == [4000]  # draws that never change
