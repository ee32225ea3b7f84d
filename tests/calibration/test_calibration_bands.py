"""Bands against enumeration and simulation, and what they find out about simulators that are wrong."""

import itertools

import numpy as np
import pytest
from scipy import stats

from benchmarks.calibration.bands import adjusted_gamma, band, counts_below, coverage, excursion, p_value, tails

DRAWS = 100
REPLICATIONS = 500


def uniform_counts(replications, draws, times, seed):
    """The counts below 1, …, `draws` of many samples of uniform ranks."""
    share = np.full(draws + 1, 1.0 / (draws + 1))
    sampled = np.random.default_rng(seed).multinomial(replications, share, size=times)
    return sampled.cumsum(axis=1)[:, :draws]


def inside(counts, least, greatest):
    return ((counts >= least) & (counts <= greatest)).all(axis=1)


def test_counts_below_by_hand():
    assert counts_below(np.array([0, 0, 2, 3]), 3).tolist() == [2, 2, 3]


def test_coverage_is_the_share_of_all_possible_ranks():
    replications, draws = 5, 3
    possible = np.array(list(itertools.product(range(draws + 1), repeat=replications)))
    counts = np.array([counts_below(ranks, draws) for ranks in possible])
    for least, greatest in [([0, 0, 0], [5, 5, 5]), ([1, 1, 3], [3, 4, 5]), ([0, 2, 2], [2, 3, 4])]:
        expected = inside(counts, np.array(least), np.array(greatest)).mean()
        assert coverage(np.array(least), np.array(greatest), replications) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.99])
@pytest.mark.parametrize(("replications", "draws"), [(500, 100), (500, 20), (60, 99)])
def test_a_band_holds_uniform_ranks_as_often_as_it_says(replications, draws, level):
    times = 20_000
    least, greatest = band(adjusted_gamma(replications, draws, level), replications, draws)
    held = inside(uniform_counts(replications, draws, times, seed=3), least, greatest).mean()
    error = np.sqrt(level * (1 - level) / times)
    exact = coverage(least, greatest, replications)
    assert level <= exact < level + (1 - level) / 10  # ranks are whole numbers: no band has exactly that level
    assert abs(held - exact) < 3.5 * error


def test_gamma_agrees_with_adjustment_by_simulation():
    """The other algorithm of Säilynoja, Bürkner and Vehtari: a quantile of the least tail of uniform samples."""
    low, high = tails(200, 50)
    counts = uniform_counts(200, 50, 20_000, seed=4)
    place = np.arange(50)
    least_tail = 2 * np.minimum(low[place, counts], high[place, counts]).min(axis=1)
    below, above = np.quantile(least_tail, [0.045, 0.055])
    assert below <= adjusted_gamma(200, 50, 0.95) <= above


def test_p_values_of_uniform_ranks_are_as_rare_as_they_say():
    rng = np.random.default_rng(5)
    p_values = np.array([p_value(rng.integers(0, 21, 100), 20) for _ in range(2000)])
    for level in (0.05, 0.5):
        assert (p_values <= level).mean() == pytest.approx(level, abs=3.5 * np.sqrt(level * (1 - level) / 2000))


def test_a_p_value_is_below_a_level_exactly_where_the_ranks_leave_the_band():
    rng = np.random.default_rng(6)
    least, greatest = band(adjusted_gamma(100, 20, 0.9), 100, 20)
    found = set()
    for _ in range(500):
        ranks = rng.integers(0, 21, 100)
        is_inside = bool(inside(counts_below(ranks, 20)[None], least, greatest)[0])
        assert is_inside == (p_value(ranks, 20) > 0.1) == (excursion(ranks, 20, 0.9) <= 1.0)
        found.add(is_inside)
    assert found == {True, False}


def conjugate_ranks(prior_sd=1.0, stretch=1.0, shift=0.0, of="mean"):
    """Ranks in a model whose posterior is known: mean ~ Normal(0, 1), five numbers ~ Normal(mean, 1).

    The simulator takes `prior_sd`; draws are stretched and shifted, in posterior standard deviations.
    """
    rng = np.random.default_rng(7)
    truth = rng.normal(0.0, prior_sd, REPLICATIONS)
    data = rng.normal(truth[:, None], 1.0, (REPLICATIONS, 5))
    centre, sd = data.sum(axis=1) / 6, 1 / np.sqrt(6)
    draws = rng.normal(centre[:, None] + shift * sd, stretch * sd, (REPLICATIONS, DRAWS))
    return ranks_of(truth, draws, data, of)


def ranks_of(truth, draws, data, of):
    if of == "log likelihood":
        truth, draws = (
            stats.norm.logpdf(data[:, :, None], value.reshape(len(data), 1, -1)).sum(axis=1) for value in (truth, draws)
        )
    return (draws < truth.reshape(-1, 1)).sum(axis=1)


@pytest.mark.parametrize("of", ["mean", "log likelihood"])
def test_a_right_posterior_stays_inside_its_band(of):
    assert p_value(conjugate_ranks(of=of), DRAWS) > 0.01


@pytest.mark.parametrize(
    "wrong",
    [{"prior_sd": 2.5}, {"stretch": 0.75}, {"stretch": 1.33}, {"shift": 0.3}, {"shift": -0.3}],
    ids=["another prior", "too narrow", "too wide", "too high", "too low"],
)
def test_a_wrong_simulator_or_posterior_leaves_its_band(wrong):
    of_forty = 0.01 / 40
    assert p_value(conjugate_ranks(**wrong), DRAWS) < of_forty


def test_a_posterior_that_ignores_the_data_is_found_by_its_log_likelihood_alone():
    rng = np.random.default_rng(8)
    truth = rng.normal(size=REPLICATIONS)
    data = rng.normal(truth[:, None], 1.0, (REPLICATIONS, 5))
    draws = rng.normal(size=(REPLICATIONS, DRAWS))
    assert p_value(ranks_of(truth, draws, data, "mean"), DRAWS) > 0.01
    assert p_value(ranks_of(truth, draws, data, "log likelihood"), DRAWS) < 1e-6
