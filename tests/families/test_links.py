"""Links: the distributions behind those of rates, closed forms of the others, and where means end."""

import numpy as np
import pytest
from scipy import special, stats

from hiermod.families.links import IDENTITY, LINKS, LOG_OF_RATE, MEAN_OF_COUNTS, link_of
from hiermod.families.ops import NUMPY

BEHIND = {
    "logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l, "loglog": stats.gumbel_r,
    "cauchit": stats.cauchy,
}  # fmt: skip
POINTS = np.array([-36.0, -8.0, -3.0, -0.9, 0.0, 0.4, 1.0, 2.5, 6.0])
RATES = np.array([1e-12, 1e-3, 0.2, 0.25, 0.3, 0.5, 0.7, 0.76, 0.9999])
INVERSES = {
    "log": np.exp, "inverse": lambda eta: 1.0 / eta, "1/mu^2": lambda eta: 1.0 / np.sqrt(eta),
    "tan_half": lambda eta: 2.0 * np.arctan(eta), "identity": np.positive,
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
def test_links_of_rates_are_those_of_their_distributions(name):
    link, exact = LINKS[name], BEHIND[name]
    np.testing.assert_allclose(link.inverse(POINTS), exact.cdf(POINTS), rtol=1e-12)
    np.testing.assert_allclose(link.slope(POINTS), exact.pdf(POINTS), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(link.log_slope(NUMPY, POINTS), exact.logpdf(POINTS), rtol=1e-12)
    np.testing.assert_allclose(link.forward(RATES), exact.ppf(RATES), rtol=1e-9, atol=1e-12)
    chances = exact.cdf(POINTS), exact.sf(POINTS)
    for seen, chance, other in zip(link.log_rates(NUMPY, POINTS), chances, chances[::-1], strict=True):
        there = chance > 1e-290
        log_chance = np.where(chance < 0.5, np.log(np.maximum(chance, 1e-290)), np.log1p(-np.minimum(other, 0.6)))
        np.testing.assert_allclose(seen[there], log_chance[there], rtol=1e-11, atol=1e-300)
        assert (seen[~there] < -660.0).all()
    assert (link.latent_variance is None) == (name == "cauchit")
    if name != "cauchit":
        assert link.latent_variance == pytest.approx(exact.var(), rel=1e-12)
    assert (link.name, link.is_bounded, link.log_inverse) == (name, False, None)


@pytest.mark.parametrize("name", BEHIND)
def test_chances_between_two_predictors_are_areas_below_the_density(name):
    link, exact = LINKS[name], BEHIND[name]
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for low, high in ((-9.0, -8.0), (-3.0, -2.9), (-2.0, 0.5), (0.1, 0.2), (1.0, 3.0), (-1.0, 1.0), (2.5, 3.5)):
        if abs(exact.logpdf(low) - exact.logpdf(high)) > 60.0:
            continue  # which the quadrature does not resolve
        steps = low + (high - low) / 2.0 * (nodes + 1.0)
        area = special.logsumexp(exact.logpdf(steps), b=weights * (high - low) / 2.0)
        assert link.log_between(NUMPY, low, high) == pytest.approx(area, rel=1e-11)


@pytest.mark.parametrize("name", ["logit", "probit", "cloglog", "loglog"])
def test_narrow_and_endless_intervals_keep_their_digits(name):
    """A narrow one has the density times its width; one that goes on far beyond has the chance of its tail."""
    link, exact = LINKS[name], BEHIND[name]
    for at in (-30.0, -6.0, 0.3, 3.0):
        density = exact.logpdf(at + 5e-7)
        if density > -600.0:
            assert link.log_between(NUMPY, at, at + 1e-6) == pytest.approx(density + np.log(1e-6), rel=1e-9, abs=1e-9)
    if name == "probit":
        assert -np.inf < link.log_between(NUMPY, 0.3, 0.3) < -600.0
    if name == "probit":  # in either tail, a short interval has the density at its middle, of an even slope
        for at in (-30.0, 30.0):
            middle = stats.norm.logpdf(at + 0.05) + np.log(np.sinh(0.05 * abs(at + 0.05)) / (0.5 * abs(at + 0.05)))
            assert link.log_between(NUMPY, at, at + 0.1) == pytest.approx(middle, abs=1e-3)
    assert link.log_between(NUMPY, 1.0, 500.0) == pytest.approx(exact.logsf(1.0), rel=1e-12)
    assert link.log_between(NUMPY, -700.0, -1.0) == pytest.approx(exact.logcdf(-1.0), rel=1e-12)


def test_rare_and_nearly_certain_events_have_logarithms_to_the_end():
    """Of cloglog, whose rate is its hazard from -40 down; loglog is the same seen from the other end."""
    eta = np.array([-700.0, -100.0, -45.0, -40.0, -39.5])
    success, failure = LINKS["cloglog"].log_rates(NUMPY, eta)
    np.testing.assert_allclose(success, eta, rtol=1e-15)
    np.testing.assert_allclose(failure, -np.exp(eta), rtol=1e-15)
    failure, success = LINKS["loglog"].log_rates(NUMPY, -eta)
    np.testing.assert_allclose(success, eta, rtol=1e-15)
    assert LINKS["cloglog"].log_between(NUMPY, -60.0, -59.0) == pytest.approx(-60.0 + np.log(np.expm1(1.0)), rel=1e-14)
    assert np.isfinite(LINKS["cloglog"].log_rates(NUMPY, np.array([800.0]))[1]).all()
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for far in (-900.0, 900.0):
            assert LINKS["cloglog"].slope(min(far, 700.0)) == 0.0
            assert LINKS["logit"].inverse(np.array([far])) == float(far > 0.0)


def test_cauchy_quantiles_keep_the_digits_of_either_small_chance():
    for power in (2.0**-40, 2.0**-20, 0.25 - 2.0**-30):
        exact = 1.0 / np.tan(np.pi * power)
        assert LINKS["cauchit"].forward(1.0 - power) == pytest.approx(exact, rel=1e-14)
        assert LINKS["cauchit"].forward(power) == pytest.approx(-exact, rel=1e-14)


def test_a_rate_keeps_the_array_that_it_is_asked_for():
    for eta in (np.array([0.3, -2.0]), np.array([1, -2]), np.float64(0.3), 0.3):
        given = np.array(eta)
        np.testing.assert_allclose(LINKS["logit"].inverse(eta), special.expit(given), rtol=1e-15)
        np.testing.assert_array_equal(eta, given)


@pytest.mark.parametrize("name", INVERSES)
def test_means_of_other_links_are_closed_forms(name):
    link, eta = LINKS[name], np.array([0.05, 0.4, 1.7, 3.0])
    mean = INVERSES[name](eta)
    np.testing.assert_allclose(link.inverse(eta), mean, rtol=1e-14)
    np.testing.assert_allclose(link.forward(mean), eta, rtol=1e-13)
    numeric = (INVERSES[name](eta + 1e-6) - INVERSES[name](eta - 1e-6)) / 2e-6
    np.testing.assert_allclose(link.slope(eta), numeric, rtol=1e-6)
    if link.log_inverse is not None:
        np.testing.assert_allclose(link.log_inverse(eta), np.log(mean), rtol=1e-13, atol=1e-15)
    assert (link.log_inverse is None) == (name in ("identity", "tan_half"))
    assert link.log_rates is None
    assert link.name == name


def test_the_log_of_a_rate_has_rates_below_one_alone():
    eta = np.array([-800.0, -40.0, -3.0, -0.7, -0.6, -1e-9])
    success, failure = LOG_OF_RATE.log_rates(NUMPY, eta)
    np.testing.assert_array_equal(success, eta)
    exact = np.where(eta < -1.0, np.log1p(-np.exp(eta)), np.log(-np.expm1(eta)))
    np.testing.assert_allclose(failure, exact, rtol=1e-14)
    np.testing.assert_allclose(LOG_OF_RATE.log_rates(NUMPY, np.array([-1e-20]))[1], np.log(1e-20), rtol=1e-14)
    assert np.isfinite(LOG_OF_RATE.log_rates(NUMPY, np.array([0.0]))[1]).all()
    assert LOG_OF_RATE.is_bounded
    np.testing.assert_array_equal(LOG_OF_RATE.inside(np.array([-1.0, 0.0, 1.0])), [True, False, False])
    np.testing.assert_allclose(LOG_OF_RATE.held(NUMPY, np.array([-1.0, 0.0, 1.0])), [-1.0, *[np.log(0.5)] * 2])
    limited = LOG_OF_RATE.limited(NUMPY, np.array([-1.0, 0.0, 1.0]), np.array([-2.0, -3.0, -4.0]))
    np.testing.assert_array_equal(limited, [-2.0, -np.inf, -np.inf])
    np.testing.assert_allclose(LOG_OF_RATE.inverse(eta), np.exp(eta))


def test_where_every_predictor_has_a_mean_none_is_held():
    eta = np.array([-5.0, 0.0, 5.0])
    assert LINKS["logit"].held(NUMPY, eta) is eta
    assert LINKS["logit"].limited(NUMPY, eta, eta) is eta
    for name in ("inverse", "1/mu^2"):
        link = LINKS[name]
        np.testing.assert_array_equal(link.inside(eta), [False, False, True])
        np.testing.assert_allclose(link.held(NUMPY, eta), [link.forward(0.5), link.forward(0.5), 5.0])


def test_a_link_is_found_by_its_name_and_the_kind_of_its_family():
    assert link_of("log", "rate") is LOG_OF_RATE
    assert link_of("log", "count") is LINKS["log"]
    assert link_of("identity", "count") is MEAN_OF_COUNTS
    assert link_of("identity", "rate") is link_of("identity", "real") is IDENTITY
    np.testing.assert_array_equal(MEAN_OF_COUNTS.inside(np.array([-1.0, 0.0, 2.0])), [False, False, True])
    assert {name: link.name for name, link in LINKS.items()} == {name: name for name in (*BEHIND, *INVERSES)}
    assert (LOG_OF_RATE.name, MEAN_OF_COUNTS.name) == ("log", "identity")


def test_the_equations_of_links_are_closed():
    for link in (*LINKS.values(), LOG_OF_RATE):
        for opened, closed in ("()", "{}"):
            assert link.latex.count(opened) == link.latex.count(closed)
        assert r"\mu_i" in link.latex
