"""Means over normal linear predictors, one or several jointly: closed forms, and integrals by other rules."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from hiermod.answers.count_quantiles import _searched, quantile_of_population
from hiermod.answers.expectations import (
    Population,
    averaged,
    expectation,
    log_averaged,
    population_mean,
    population_slope,
)
from hiermod.families.links import LINKS
from hiermod.families.outcomes import read_outcome
from hiermod.families.registry import FAMILIES

MEAN = np.array([[-3.0, -0.4, 0.0], [0.9, 2.0, 5.0]])
SPREADS = (0.0, 0.1, 0.5, 0.51, 2.0, 9.0)


NODES = np.linspace(-9.0, 9.0, 20_001)
WEIGHTS = stats.norm.pdf(NODES) / stats.norm.pdf(NODES).sum()


def integral(function, mean, spread):
    """Over a standard normal, by equal steps so fine that they leave nothing out."""
    return WEIGHTS @ function(mean + spread * NODES)


@pytest.mark.parametrize("name", ["logit", "cloglog", "probit", "log", "identity", "cauchit"])
@pytest.mark.parametrize("spread", SPREADS)
def test_means_over_a_population_are_integrals(name, spread):
    link, variance = LINKS[name], np.full(MEAN.shape, spread**2)
    seen = population_mean(link, MEAN, variance)
    step = 1e-4
    bent = population_slope(link, MEAN, variance, np.full(MEAN.shape, 0.7), np.full(MEAN.shape, 0.3 * (spread > 0.0)))
    for place in np.ndindex(MEAN.shape):
        if name == "log":
            exact = np.exp(MEAN[place] + spread**2 / 2.0)
        elif name == "identity":
            exact = MEAN[place]
        else:
            exact = integral(link.inverse, MEAN[place], spread)
        assert seen[place] == pytest.approx(exact, rel=3e-9, abs=3e-10)
    if spread:
        ends = [population_mean(link, MEAN + sign * 0.7 * step, variance + sign * 0.3 * step) for sign in (-1.0, 1.0)]
    else:
        ends = [population_mean(link, MEAN + sign * 0.7 * step, variance) for sign in (-1.0, 1.0)]
    np.testing.assert_allclose(bent, (ends[1] - ends[0]) / (2.0 * step), rtol=3e-6, atol=1e-9)


def test_expectations_of_squares_are_exact():
    for spread in SPREADS:
        seen = expectation(np.square, MEAN, np.full(MEAN.shape, spread))
        np.testing.assert_allclose(seen, MEAN**2 + spread**2, rtol=1e-12)


def population(size=3):
    """Three predictors of two rows and two draws, with covariances that differ."""
    rng = np.random.default_rng(2)
    names = ("a", "b", "c")[:size]
    root = rng.normal(0.0, 0.6, (2, 2, size, size))
    whole = root @ np.swapaxes(root, -1, -2)
    mean = {name: rng.normal(0.0, 0.5, (2, 2)) for name in names}
    pairs = {(one, other): whole[..., i, j] for i, one in enumerate(names) for j, other in enumerate(names)}
    return Population(mean, pairs), names, whole


@pytest.mark.parametrize("size", [1, 2])
def test_joint_means_of_exponentials_have_their_closed_form(size):
    """``E exp(w'x) = exp(w'm + w'Vw / 2)`` of a normal x."""
    people, names, whole = population(size)
    weights = np.array([0.7, -0.4, 1.1])[:size]
    exact = sum(weight * people.mean[name] for weight, name in zip(weights, names, strict=True))
    exact = exact + np.einsum("i,...ij,j->...", weights, whole, weights) / 2.0

    def logs(known):
        return sum(weight * known.mean[name] for weight, name in zip(weights, names, strict=True))

    for alone in (False, True):
        np.testing.assert_allclose(averaged(people, names, lambda known: np.exp(logs(known)), alone), np.exp(exact),
                                   rtol=1e-9)  # fmt: skip
        np.testing.assert_allclose(log_averaged(people, names, logs, alone), exact, rtol=1e-9, atol=1e-9)
    stepped = averaged(people, names, lambda known: np.exp(logs(known)), step=0.2)
    np.testing.assert_allclose(stepped, np.exp(exact), rtol=1e-9)
    assert averaged(people, (), lambda known: known.mean["a"]) is people.mean["a"]


def test_many_predictors_are_averaged_by_mirrored_points():
    """What is odd in a predictor adds up to nothing exactly; of a chance the error is next to a thousandth."""
    people, names, whole = population(3)
    seen = averaged(people, names, lambda known: known.mean["a"] + 2.0 * known.mean["b"] - known.mean["c"])
    np.testing.assert_allclose(seen, people.mean["a"] + 2.0 * people.mean["b"] - people.mean["c"], rtol=1e-12)
    seen = averaged(people, names, lambda known: special.ndtr(sum(known.mean[name] for name in names)))
    variance = whole.sum(axis=(-1, -2))
    exact = special.ndtr(sum(people.mean[name] for name in names) / np.sqrt(1.0 + variance))
    np.testing.assert_allclose(seen, exact, atol=3e-3)
    logs = log_averaged(people, names, lambda known: np.zeros((2, 2)))
    np.testing.assert_allclose(logs, 0.0, atol=1e-12)


def test_given_one_predictor_the_others_are_regressed_on_it():
    people, _, whole = population(3)
    rises, rest = people.given("a")
    root = np.sqrt(whole[..., 0, 0])
    for place, name in enumerate("abc"):
        np.testing.assert_allclose(rises[name], whole[..., 0, place] / root, rtol=1e-12)
    for (one, i), (other, j) in ((x, y) for x in (("b", 1), ("c", 2)) for y in (("b", 1), ("c", 2))):
        schur = whole[..., i, j] - whole[..., i, 0] * whole[..., 0, j] / whole[..., 0, 0]
        np.testing.assert_allclose(rest.covariance[one, other], schur, rtol=1e-9, atol=1e-12)
    assert set(rest.covariance) == {(one, other) for one in "bc" for other in "bc"}
    assert people.varying == ("a", "b", "c")
    still = Population(people.mean, {("a", "a"): np.zeros((2, 2)), ("b", "b"): np.ones((2, 2))})
    rises, rest = still.given("a")
    assert set(rises) == {"a"}
    np.testing.assert_array_equal(rises["a"], 0.0)
    np.testing.assert_array_equal(rest.covariance["b", "b"], 1.0)
    ones, more = np.ones((2, 2)), np.full((2, 2), 1.0 + 1e-12)  # a correlation that rounds to more than 1
    rounded = Population(people.mean, {("a", "a"): ones, ("a", "b"): more, ("b", "a"): more, ("b", "b"): ones})
    assert (rounded.given("a")[1].covariance["b", "b"] == 0.0).all()


def test_places_of_a_population_are_in_one_line():
    people, _, whole = population(2)
    part = people.at(np.array([3, 0]))
    np.testing.assert_array_equal(part.mean["b"], people.mean["b"].ravel()[[3, 0]])
    np.testing.assert_array_equal(part.covariance["a", "b"], whole[..., 0, 1].ravel()[[3, 0]])
    wide = Population({"a": np.zeros((2, 1)), "b": np.arange(3.0)[None, :]}, {("b", "b"): np.ones((1, 3))})
    assert wide.shape == (2, 3)
    np.testing.assert_array_equal(wide.at(np.array([5])).mean["b"], [2.0])


@pytest.mark.parametrize("chance", [0.025, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.6])
def test_quantiles_of_counts_of_a_population_are_of_all_its_responses(spread, chance):
    """Of Poisson counts whose means are lognormal: chances of at most a count by another rule.

    Of thousands of counts with a wide population, single ones are not told apart.
    """
    eta, family = np.array([[-2.0, 0.5], [3.0, 7.0]]), FAMILIES["poisson"]
    people = Population({"mu": eta}, {("mu", "mu"): np.full(eta.shape, spread**2)} if spread else {})
    outcome = read_outcome(family, f"q{100.0 * chance:g}")
    names = ("mu",) if spread else ()
    seen = quantile_of_population(outcome, people, names, family.linear, lambda known, places: [])
    nodes = np.linspace(-9.0, 9.0, 6001)
    weights = stats.norm.pdf(nodes) / stats.norm.pdf(nodes).sum()

    def at_most(count, mean):
        return weights @ stats.poisson.cdf(count, np.exp(mean + spread * nodes))

    assert seen.shape == eta.shape
    for place in np.ndindex(eta.shape):
        count, error = seen[place], 1e-4 if eta[place] > 5.0 and spread > 1.0 else 1e-9
        assert count == np.round(count) >= 0.0
        assert at_most(count, eta[place]) >= chance - error
        assert at_most(count - 1.0, eta[place]) < chance + error


@pytest.mark.parametrize(("eta", "spread"), [(-2.0, 0.3), (0.5, 1.6), (3.0, 0.3), (3.0, 1.6), (6.0, 0.2)])
def test_chances_behind_quantiles_of_counts_are_right_to_a_millionth(eta, spread):
    """A chance that is a millionth above that of at most a count has the next count as its quantile."""
    family, nodes = FAMILIES["poisson"], np.linspace(-9.0, 9.0, 12_001)
    weights = stats.norm.pdf(nodes) / stats.norm.pdf(nodes).sum()
    people = Population({"mu": np.array([[eta]])}, {("mu", "mu"): np.array([[spread**2]])})
    middle = np.floor(np.exp(eta))
    for count in (middle, middle + 1.0, np.ceil(np.exp(eta + spread)), np.ceil(np.exp(eta + 1.5 * spread))):
        chance = float(weights @ stats.poisson.cdf(count, np.exp(eta + spread * nodes)))
        for moved, expected in ((-1e-6, count), (1e-6, count + 1.0)):
            outcome = replace(read_outcome(family, "q50"), chance=chance + moved)
            seen = quantile_of_population(outcome, people, ("mu",), family.linear, lambda known, places: [])
            assert seen[0, 0] == expected


def rounds(at_most, chance, start, width):
    """The counts that a search asks for, and the one that it finds."""
    asked = []

    def counted(count, places):
        asked.append(float(count[0]))
        return at_most(count)

    found = _searched(chance, counted, np.array([[start]]), np.array([[width]]))
    return asked, float(found[0, 0])


def test_a_search_begins_at_the_quantile_of_a_lognormal_and_takes_few_rounds():
    for mean, chance in ((100.0, 0.9), (0.135, 0.999), (1000.0, 0.1)):
        counts, width = np.array([[np.log(mean)]]), np.sqrt(1.0 / max(mean, 1.0))
        asked, family = [], FAMILIES["poisson"]

        def at_most(count, mu, mean=mean, asked=asked):
            asked.append(float(count[0]))
            return stats.poisson.cdf(count, mean)

        outcome = replace(read_outcome(family, "q50"), chance=chance, at_most=at_most)
        people = Population({"mu": counts}, {})
        seen = quantile_of_population(outcome, people, (), family.linear, lambda known, places: [])
        assert seen == stats.poisson.ppf(chance, mean)
        assert asked[0] == np.floor((mean + 0.5) * np.exp(special.ndtri(chance) * max(width, 0.1)) - 0.5)
    taken = {"poisson": 0, "nbinom": 0}
    for mean in (5.0, 100.0, 1e4, 1e6):
        for chance in (0.025, 0.5, 0.9, 0.999):
            for exact, width in (
                (stats.poisson(mean), 1.0 / np.sqrt(mean)),
                (stats.nbinom(0.5, 0.5 / (0.5 + mean)), np.sqrt(2.0 + 1.0 / mean)),
            ):
                asked, found = rounds(exact.cdf, chance, mean, width)
                assert found == exact.ppf(chance)
                taken[exact.dist.name] += len(asked)
    assert taken["poisson"] / 16.0 < 4.2
    assert taken["nbinom"] / 16.0 < 7.8


def test_a_search_goes_up_by_twos_from_a_start_that_is_too_low_and_down_to_nothing():
    asked, found = rounds(stats.poisson(1000.0).cdf, 0.5, 0.0, 0.0)
    assert asked[:7] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]
    assert found == 1000.0
    assert rounds(stats.poisson(0.3).cdf, 0.5, 0.3, 1.0) == ([0.0], 0.0)
    for chance, count in ((0.125, 0.0), (0.5, 3.0), (0.51, 4.0), (1.0, 7.0)):  # eighths, which a double holds
        for start in (0.0, 3.0, 50.0):
            asked, found = rounds(lambda count: np.clip((count + 1.0) / 8.0, 0.0, 1.0), chance, start, 0.5)
            assert found == count
