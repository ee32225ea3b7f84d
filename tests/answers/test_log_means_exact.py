"""Logarithms of means against SciPy's quadrature and closed forms; moments of rows against NumPy's."""

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from hiermod.answers.log_means import Logs, _mode, log_means, population_log_means
from hiermod.answers.row_moments import RowMoments
from hiermod.families.links import LINKS

RATES = {
    "logit": (special.log_expit, lambda x: special.log_expit(-x)),
    "probit": (special.log_ndtr, lambda x: special.log_ndtr(-x)),
    "cloglog": (lambda x: np.log(-np.expm1(-np.exp(x))), lambda x: -np.exp(x)),
}  # fmt: skip
MEANS, VARIANCES = np.array([-3.0, -0.7, 0.0, 1.2, 2.5]), np.array([1e-6, 0.04, 1.0, 4.0, 25.0])


def expectation(log_value, mean, variance):
    """log E exp(log_value(mean + sqrt(variance) Z)), by adaptive quadrature about the integrand's top."""
    spread = np.sqrt(variance)
    grid = np.linspace(-12.0, 12.0, 4001)
    logs = log_value(mean + spread * grid) + stats.norm.logpdf(grid)
    top, centre = logs.max(), grid[logs.argmax()]

    def relative(z):
        return np.exp(log_value(mean + spread * z) + stats.norm.logpdf(z) - top)

    ends, points = (centre - 12.0, centre + 12.0), [centre - 1.0, centre, centre + 1.0]
    value, _ = integrate.quad(relative, *ends, points=points, limit=400, epsabs=0.0, epsrel=1e-11)
    return top + np.log(value)


@pytest.mark.parametrize("name", RATES)
def test_means_of_populations_of_rates(name):
    mean, variance = (axis.ravel() for axis in np.meshgrid(MEANS, VARIANCES))
    found = population_log_means(LINKS[name], mean, variance)
    for place, log_value in enumerate(RATES[name]):
        exact = [expectation(log_value, *pair) for pair in zip(mean, variance, strict=True)]
        np.testing.assert_allclose(found[place], exact, rtol=1e-8, atol=1e-9)


def fine_expectation(log_value, mean, spread):
    """log E exp(log_value(mean + spread Z)), by sums in steps of a thousandth of the narrower width, about the top."""

    def falling(z):
        return log_value(mean + spread * (z - 1e-7)) - log_value(mean + spread * (z + 1e-7)) + 2e-7 * z

    top = optimize.brentq(falling, -100.0, 10.0, xtol=1e-6)
    z = top + np.arange(-12.0, 12.0, 1e-4)
    logs = log_value(mean + spread * z) + stats.norm.logpdf(z)
    return special.logsumexp(logs) + np.log(1e-4)


@pytest.mark.parametrize(("name", "mean", "spread"), [
    ("logit", 0.3, 1e-3),  # all but normal: steps as wide as they may be
    ("logit", 0.0, 5.0),
    ("logit", 60.0, 30.0),  # the bend, two standard deviations from the top, is a thirtieth of one wide
    ("cloglog", 0.0, 1.0),
    ("cloglog", 300.0, 5.0),  # the chance of no event: a peak of a seventeenth, 57 standard deviations away
])  # fmt: skip
def test_one_mean_of_a_population_has_all_its_digits(name, mean, spread):
    found = population_log_means(LINKS[name], np.array([mean]), np.array([spread**2]))
    for place, log_value in enumerate(RATES[name]):
        if name != "cloglog" or mean < 100.0 or place == 1:
            np.testing.assert_allclose(found[place, 0], fine_expectation(log_value, mean, spread), rtol=0.0, atol=2e-9)


def test_means_of_populations_under_probit_are_a_closed_form():
    mean, variance = (axis.ravel() for axis in np.meshgrid(MEANS, VARIANCES))
    at = mean / np.sqrt(1.0 + variance)
    found = population_log_means(LINKS["probit"], mean, variance)
    np.testing.assert_allclose(found, [special.log_ndtr(at), special.log_ndtr(-at)], rtol=1e-14)


def test_means_of_populations_of_counts_are_those_of_a_lognormal():
    found = population_log_means(LINKS["log"], MEANS, VARIANCES)
    assert found.shape == (1, 5)
    np.testing.assert_allclose(found[0], MEANS + VARIANCES / 2.0, rtol=1e-14)
    np.testing.assert_allclose(log_means(LINKS["log"], MEANS)[0], MEANS)


def test_rates_that_round_to_one_have_logarithms():
    found = log_means(LINKS["logit"], np.array([-800.0, 0.0, 800.0]))
    np.testing.assert_allclose(found, [[-800.0, np.log(0.5), 0.0], [0.0, np.log(0.5), -800.0]], atol=1e-300)


@pytest.mark.parametrize("at", [-1e6, -700.0, -3.0, -0.1, 0.0, 0.4, 1.9, 33.0, 1e6])
def test_modes_are_found_wherever_they_are(at):
    found = _mode(lambda z: -((z - at) ** 2), np.zeros(1))
    assert abs(found[0] - at) <= 0.25


def test_averages_of_logarithms():
    logs = Logs(np.log([[[0.1], [0.3], [0.8]]]), np.log([[[0.9], [0.7], [0.2]]]))
    weights = np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    averaged = logs.averaged(weights)
    np.testing.assert_allclose(np.exp(averaged.mean)[0, :, 0], [0.25, 0.8, 0.45])
    np.testing.assert_allclose(np.exp(averaged.rest)[0, :, 0], [0.75, 0.2, 0.55])
    np.testing.assert_allclose(averaged.order[0, :, 0], special.logit([0.25, 0.8, 0.45]))
    alone = Logs(logs.mean)
    np.testing.assert_array_equal(alone.order, logs.mean)
    assert alone.averaged(weights).rest is None
    assert logs.reshaped((3, 1)).rest.shape == alone.reshaped((3, 1)).mean.shape == (3, 1)
    assert alone.reshaped((3, 1)).rest is None


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_moments_of_rows_in_blocks_are_those_of_all(blocks):
    rng = np.random.default_rng(0)
    values, weight = 1e3 + rng.normal(size=(20, 7)), rng.integers(0, 4, 20).astype(float)
    moments = RowMoments()
    for part in np.array_split(np.arange(20), blocks):
        moments.add(values[part], weight[part])
        moments.add(values[part], 0.0 * weight[part])
    repeated = np.repeat(values, weight.astype(int), axis=0)
    assert moments.weight == len(repeated)
    np.testing.assert_allclose(moments.mean, repeated.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.variance, repeated.var(axis=0, ddof=1), rtol=1e-9)
