"""Families with a tail to one side: draws, quantiles, moments and tails against SciPy's, and where branches meet."""

import numpy as np
import pytest
from scipy import special, stats

from hiermod.families.ops import NUMPY
from hiermod.families.registry import read_family
from hiermod.priors.reading import read_prior

DRAWS = 20_000


def skewed(mean, sigma, alpha):
    delta = alpha / np.sqrt(1.0 + alpha**2)
    omega = sigma / np.sqrt(1.0 - 2.0 / np.pi * delta**2)
    return stats.skewnorm(alpha, mean - omega * delta * np.sqrt(2.0 / np.pi), omega)


def lopsided(mu, sigma, quantile):
    return stats.laplace_asymmetric(np.sqrt(quantile / (1 - quantile)), mu, sigma / np.sqrt(quantile * (1 - quantile)))


CASES = [
    ("skew_normal", 0.4, (1.3, 4.0), skewed(0.4, 1.3, 4.0)),
    ("skew_normal", 0.4, (1.3, -0.8), skewed(0.4, 1.3, -0.8)),
    ("asym_laplace", 0.4, (1.3, 0.25), lopsided(0.4, 1.3, 0.25)),
    ("asym_laplace", 0.4, (1.3, 0.9), lopsided(0.4, 1.3, 0.9)),
    ("laplace", 0.4, (1.3,), stats.laplace(0.4, 1.3)),
    ("inverse_gaussian", 0.4, (1.3,), stats.invgauss(np.exp(0.4) / 1.3, scale=1.3)),
    ("inverse_gaussian", -2.0, (7.0,), stats.invgauss(np.exp(-2.0) / 7.0, scale=7.0)),
    ("frechet", 0.4, (2.7,), stats.invweibull(2.7, scale=np.exp(0.4) / special.gamma(1.0 - 1.0 / 2.7))),
    ("gen_extreme_value", 0.4, (1.3, 0.2), stats.genextreme(-0.2, 0.4, 1.3)),
    ("gen_extreme_value", 0.4, (1.3, -0.3), stats.genextreme(0.3, 0.4, 1.3)),
]


@pytest.mark.parametrize(("name", "eta", "own", "exact"), CASES)
def test_records_are_scipy_s_distributions(name, eta, own, exact):
    family, own = read_family(name), [np.array([value]) for value in own]
    mu = family.linear(np.array([eta]))
    mean = family.mean(np.array([eta]), *own)
    assert mean == pytest.approx(exact.mean(), rel=1e-7)
    drawn = family.draw_responses(np.full(DRAWS, mean), 1.0, [np.full(DRAWS, part) for part in own],
                                  np.random.default_rng(4))  # fmt: skip
    assert stats.kstest(drawn, exact.cdf).pvalue > 1e-3
    if family.variance is not None:
        np.testing.assert_allclose(family.variance(mean, *own), exact.var(), rtol=1e-8)
    for rank in (1e-3, 0.2, 0.5, 0.7, 0.93, 0.999):
        value = exact.ppf(rank)
        below, up_to = family.cdf((value,), mu, *own)
        assert below == up_to == pytest.approx(rank, rel=1e-7)
        if family.quantile is not None:
            assert family.quantile(rank, mu, *own) == pytest.approx(value, rel=1e-8, abs=1e-12)
        if family.log_tails is not None:
            tails = family.log_tails(NUMPY, (np.array([value]),), mu, *own)
            np.testing.assert_allclose(np.ravel(tails), [np.log(rank), np.log1p(-rank)], rtol=1e-6)
    if family.median_link is not None:
        assert family.median_link(family.link, *own).inverse(np.array([eta])) == pytest.approx(exact.median(), rel=1e-9)
    if family.limited_mean is not None:
        horizon = exact.ppf(0.8)
        grid = np.linspace(0.0, horizon, 20_001)
        area = np.trapezoid(exact.sf(grid), grid)
        assert family.limited_mean(horizon, mu, *own) == pytest.approx(area, rel=1e-6)


def test_tails_of_an_inverse_gaussian_go_on_where_chances_round_to_nothing():
    """Far to the right, log survival falls as ``-shape (y - mu)²/(2 mu² y)``."""
    family, value = read_family("inverse_gaussian"), np.array([50.0, 500.0, 5e3, 5e4])
    below, above = family.log_tails(NUMPY, (value,), family.linear(np.zeros(4)), np.full(4, 2.0))
    assert (np.diff(above) < 0.0).all()
    np.testing.assert_allclose(above[1:], -((value - 1.0) ** 2 / value)[1:], rtol=0.1)
    assert (np.abs(below) < 1e-15).all()
    endless = family.log_tails(NUMPY, (np.array([1e17, 1e18]),), family.linear(np.zeros(2)), np.full(2, 2.0))[1]
    np.testing.assert_allclose(endless, [-1e17, -1e18], rtol=1e-6)
    small = np.array([1e-4, 1e-3, 0.01])
    below, above = family.log_tails(NUMPY, (small,), family.linear(np.zeros(3)), np.full(3, 2.0))
    np.testing.assert_allclose(below, -((small - 1.0) ** 2) / small, rtol=0.1)
    assert (np.diff(below) > 0.0).all()
    assert np.isfinite(above).all()


@pytest.mark.parametrize("product", [1e-12, 1e-6, 0.9e-3, 0.999e-3, 1.001e-3, 5e-3])
def test_extremes_next_to_gumbel_s_have_all_their_digits(product):
    """``log(1 + xi z)/xi`` on both sides of where a series takes over."""
    family, z = read_family("gen_extreme_value"), np.array([1.7, -0.9])
    for sign in (1.0, -1.0):
        xi = sign * product / z
        reduced = np.log1p(xi * z) / xi
        exact = -np.log(2.0) - (1.0 + xi) * reduced - np.exp(-reduced)
        seen = family.log_density(NUMPY, (3.0 + 2.0 * z,), family.linear(np.full(2, 3.0)), 2.0, xi)
        np.testing.assert_allclose(seen, exact, rtol=1e-13)
        _, up_to = family.cdf((3.0 + 2.0 * z[0],), family.linear(np.array([3.0])), 2.0, xi[:1])
        assert up_to == pytest.approx(np.exp(-np.exp(-reduced[0])), rel=1e-13)


@pytest.mark.parametrize("xi", [-0.4, -1.1e-4, -0.9e-4, -1e-7, 0.0, 1e-7, 0.9e-4, 1.1e-4, 0.3, 0.95])
def test_means_of_extremes_go_through_gumbel_s(xi):
    family, own = read_family("gen_extreme_value"), (np.array([2.0]), np.array([xi]))
    exact = np.expm1(special.gammaln(1.0 - xi)) / xi if abs(xi) > 1e-5 else (
        np.euler_gamma + xi / 2.0 * (np.euler_gamma**2 + np.pi**2 / 6.0)
    )  # fmt: skip
    assert family.mean(np.array([0.7]), *own) == pytest.approx(0.7 + 2.0 * exact, rel=1e-8)
    link = family.mean_link(family.link, *own)
    np.testing.assert_allclose(link.forward(link.inverse(np.array([0.7]))), 0.7, rtol=1e-12)


def test_extremes_have_no_mean_from_a_shape_of_1_on_and_none_beyond_their_end():
    family = read_family("gen_extreme_value")
    for xi in (1.0, 1.5):
        assert family.mean(np.array([0.7]), np.array([2.0]), np.array([xi])) == np.inf
    mu = family.linear(np.zeros(1))
    for xi, beyond, chance in ((0.5, -2.5, 0.0), (-0.5, 2.5, 1.0)):
        assert family.log_density(NUMPY, (np.array([beyond]),), mu, 1.0, np.array([xi])) == -np.inf
        assert family.cdf((beyond,), mu, 1.0, np.array([xi]))[0] == chance
    drawn = family.draw(np.random.default_rng(1), (5,), np.inf, 1.0, 2.0, 1.5)
    assert np.isnan(drawn).all()


def test_means_of_extremes_have_posterior_means_where_no_shape_of_1_is_possible():
    family = read_family("gen_extreme_value")
    for prior, has in {"Normal(0, 0.3)": False, "Normal(0, 0.3, upper=0.9)": True, "Normal(0, 0.3, upper=1)": False,
                       "Uniform(-0.5, 0.5)": True}.items():  # fmt: skip
        priors = {"xi": (read_prior("xi", prior),)}
        assert bool(family.has_posterior_mean("mean", priors, False)) == has
        assert not family.has_posterior_mean("mean", priors, True)
        assert family.has_posterior_mean("q90", priors, True)
    assert not family.has_posterior_mean("mean", {}, False)
