"""The points by which stored fits know their families: they stay as they are, or no fit is known again."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from hiermod.families.measured import with_errors
from hiermod.families.probes import (
    DIGITS,
    SCALE,
    fingerprint,
    from_line,
    points,
    probe_densities,
    same_density,
    usual_parameters,
)
from hiermod.families.record import Parameter
from hiermod.families.registry import read_family

DRAWN = np.random.default_rng(7)
ETA, FIRST, SECOND = DRAWN.uniform(-2.0, 1.2, 60), DRAWN.uniform(-0.9, 1.8, 60), DRAWN.uniform(-0.9, 1.8, 60)


def cycled(*values):
    return np.resize(np.array(values), 60)


SUCCESSES, TRIALS = cycled(0.0, 1.0, 0.0, 3.0, 7.0), cycled(1.0, 1.0, 7.0, 7.0, 7.0)
COUNT, REAL = cycled(0.0, 1.0, 2.0, 7.0, 40.0), cycled(-3.0, -0.4, 0.3, 1.7, 9.0)
POSITIVE, UNIT = cycled(0.05, 0.4, 1.7, 3.5, 20.0), cycled(0.02, 0.25, 0.6, 0.8, 0.97)
WITH_ZEROS, MEAN, SIZE = cycled(0.0, 0.05, 0.4, 1.7, 3.5, 20.0), np.exp(ETA), np.exp(FIRST)
SHARE = special.expit(ETA)
DELTA = SECOND / np.sqrt(1.0 + SECOND**2)
OMEGA = SIZE / np.sqrt(1.0 - 2.0 / np.pi * DELTA**2)
STORED = {
    "skew_normal": stats.skewnorm.logpdf(REAL, SECOND, ETA - np.sqrt(2.0 / np.pi) * DELTA * OMEGA, OMEGA),
    "binomial": stats.binom.logpmf(SUCCESSES, TRIALS, SHARE),
    "poisson": stats.poisson.logpmf(COUNT, MEAN),
    "student": stats.t.logpdf(REAL, np.exp(SECOND), ETA, SIZE),
    "gamma": stats.gamma.logpdf(POSITIVE, SIZE, scale=MEAN / SIZE),
    "beta": stats.beta.logpdf(UNIT, SHARE * SIZE, (1.0 - SHARE) * SIZE),
    "gamma(inverse)": stats.gamma.logpdf(POSITIVE, SIZE, scale=np.exp(-ETA) / SIZE),
    "binomial(log)": stats.binom.logpmf(SUCCESSES, TRIALS, np.exp(-np.exp(ETA))),
    "hurdle_gamma": np.where(
        WITH_ZEROS == 0.0, np.log(special.expit(SECOND)),
        np.log(special.expit(-SECOND)) + stats.gamma.logpdf(np.maximum(WITH_ZEROS, 0.01), SIZE, scale=MEAN / SIZE),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORED)
def test_densities_of_stored_fits_are_at_points_that_are_spelled_here(name):
    np.testing.assert_allclose(probe_densities(read_family(name)), STORED[name], rtol=1e-10, atol=1e-12)


def test_thresholds_are_in_their_order_and_errors_have_a_size():
    family = read_family("cumulative").of_categories((1, 2, 3))
    low, high = np.sort([FIRST, SECOND], axis=0)
    edges = [np.zeros(60), special.expit(low - ETA), special.expit(high - ETA), np.ones(60)]
    place = np.arange(60) % 3
    chances = np.diff(edges, axis=0)[place, np.arange(60)]
    np.testing.assert_allclose(probe_densities(family), np.log(chances), rtol=1e-9)
    known = points(with_errors(read_family("gaussian"), "known"))
    assert len(known.response) == 2
    errors = np.random.default_rng(7)
    errors.uniform(-2.0, 1.2, 60)
    np.testing.assert_array_equal(known.response[1], np.exp(errors.uniform(-0.9, 0.9, 60)))


def test_a_point_is_described_by_its_numbers():
    binomial, student = read_family("beta_binomial"), read_family("student")
    expected = f"successes = 3, trials = 7, eta = {ETA[3]:.4g}, kappa = {SIZE[3]:.4g}"
    assert points(binomial).describe(binomial, 3) == expected
    assert points(student).describe(student, 0).startswith(f"y = -3, eta = {ETA[0]:.4g}, sigma = {SIZE[0]:.4g}, nu = ")


def test_families_are_known_by_their_densities_to_nine_digits():
    family = read_family("student")
    own = probe_densities(family)
    assert same_density(own, family)
    assert same_density([density * (1.0 + DIGITS / 2.0) for density in own], family)
    assert not same_density([density * (1.0 + 20.0 * DIGITS) for density in own], family)
    assert not same_density(own[:-1], family)
    assert not same_density([], family)
    nowhere = replace(family, log_density=lambda ops, response, mu, *own: np.full(60, np.nan))
    assert same_density(probe_densities(nowhere), nowhere)
    assert not same_density(own, nowhere)
    first, text = fingerprint(family), fingerprint(read_family("student(log)"))
    assert first.startswith("student sigma,nu ")
    assert len(first.rpartition(" ")[2]) == 16
    assert first != text
    assert fingerprint(nowhere).rpartition(" ")[2] != first.rpartition(" ")[2]


def test_usual_parameters_are_medians_of_default_priors_held_where_they_are_moderate():
    priors = {
        "positive": {"Gamma(2, 1)": 1.67835, "Gamma(1000, 1)": 50.0, "Gamma(1, 1000)": 0.2},
        "real": {"Normal(0.7, 1)": 0.7, "Normal(9, 1)": 3.0, "Normal(-9, 1)": -3.0},
        "unit": {"Beta(2, 2)": 0.5, "Beta(1, 900)": 0.02, "Beta(900, 1)": 0.98},
    }
    for support, medians in priors.items():
        for prior, median in medians.items():
            parameter = Parameter("own", "own", default_prior=prior, support=support)
            family = replace(read_family("poisson"), parameters=(parameter,))
            assert usual_parameters(family) == pytest.approx([median], rel=1e-5)
    assert (SCALE.location, SCALE.unit, SCALE.factor) == (0.0, 1.0, 1.0)


def test_numbers_on_the_line_become_predictors_that_have_a_mean():
    line = np.array([-2.0, 0.0, 1.5])
    for name, expected in (("gamma(inverse)", np.exp(line)), ("binomial(log)", -np.exp(line)), ("poisson", line)):
        np.testing.assert_array_equal(from_line(read_family(name).link, line), expected)
