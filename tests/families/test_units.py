"""Families of numbers between 0 and 1 with their ends, and counts above 0, at points where branches meet."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError
from hiermod.families.counts import LARGEST_MEAN, NEGBINOMIAL, POISSON
from hiermod.families.ops import NUMPY
from hiermod.families.registry import choose_family, read_family
from hiermod.families.truncated import truncated
from hiermod.formula.parser import parse

ETA, PHI, ZOI, COI = np.array([-1.3, 0.4, 2.0]), 5.0, 0.3, 0.6
SHARE = 1.0 / (1.0 + np.exp(-ETA))


def chosen(values, family):
    rows = read_rows(parse("y ~ 1"), pd.DataFrame({"y": values}))
    return choose_family(read_family(family), rows.response)


@pytest.mark.parametrize(
    ("values", "family", "match"),
    [
        ([0.2, 1.5, 0.4], "beta", r"without both; 'y' holds 1\.5.*Shares of 100 are divided first"),
        ([0.2, -0.5, 0.4], "beta", r"'y' holds -0\.5.*Shares of 100 are divided first"),
        ([0.2, 1.0, 0.0, 0.4], "beta", r"'y' holds 1\b.*In 2 rows it is 0 or 1, which 'zero_one_inflated_beta' takes"),
        ([0.0, 1.2, 0.4], "zero_one_inflated_beta", r"numbers from 0 to 1; 'y' holds 1\.2"),
        ([0.0, -0.2, 0.4], "zero_one_inflated_beta", r"numbers from 0 to 1; 'y' holds -0\.2"),
    ],
)
def test_shares_outside_of_0_and_1_are_refused(values, family, match):
    with pytest.raises(DataError, match=match):
        chosen(values, family)


def test_what_ends_have_is_theirs_and_the_rest_is_a_beta_distribution():
    family, mu = read_family("zero_one_inflated_beta"), read_family("zero_one_inflated_beta").linear(ETA)
    exact = stats.beta(SHARE * PHI, (1.0 - SHARE) * PHI)
    expected = {
        0.0: (np.zeros(3), np.full(3, ZOI * (1.0 - COI))),
        1.0: (np.full(3, 1.0 - ZOI * COI), np.ones(3)),
        0.35: (ZOI * (1.0 - COI) + (1.0 - ZOI) * exact.cdf(0.35),) * 2,
    }
    for value, chances in expected.items():
        seen = family.cdf((value,), mu, PHI, ZOI, COI)
        np.testing.assert_allclose(np.stack(seen), np.stack(chances), rtol=1e-12)
    logs = {0.0: np.log(ZOI * (1 - COI)), 1.0: np.log(ZOI * COI), 0.35: np.log(1 - ZOI) + exact.logpdf(0.35)}
    for value, log in logs.items():
        np.testing.assert_allclose(family.log_density(NUMPY, (value,), mu, PHI, ZOI, COI), log, rtol=1e-11)


def test_the_mean_of_shares_with_ends_is_linked_back():
    family = read_family("zero_one_inflated_beta")
    link = family.mean_link(family.link, PHI, ZOI, COI)
    mean = ZOI * COI + (1.0 - ZOI) * SHARE
    np.testing.assert_allclose(link.inverse(ETA), mean, rtol=1e-13)
    np.testing.assert_allclose(link.forward(mean), ETA, rtol=1e-12)
    np.testing.assert_allclose(link.slope(ETA), (1.0 - ZOI) * SHARE * (1.0 - SHARE), rtol=1e-12)
    least, most = ZOI * COI, ZOI * COI + 1.0 - ZOI  # that shares can have on average
    with np.errstate(divide="ignore"):
        assert link.forward(np.array([least - 0.1, most + 0.05])).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("phi", [1e-3, 20.0, 1e6, 1e12])
def test_shares_have_scipy_s_density_or_the_normal_limit_whatever_their_precision(phi):
    mean, at = 0.3, 0.3 + 0.3 * np.sqrt(0.21 / (1.0 + phi))
    seen = read_family("beta").log_density(NUMPY, (at,), read_family("beta").linear(np.log(0.3 / 0.7)), phi)
    exact = stats.beta.logpdf(at, mean * phi, (1.0 - mean) * phi)
    limit = stats.norm.logpdf(at, mean, np.sqrt(0.21 / (1.0 + phi)))
    assert seen == pytest.approx(exact if phi < 1e9 else limit, rel=1e-7, abs=1e-16 * phi)


def test_the_precision_and_shares_of_ends_say_what_they_are():
    beta, inflated = read_family("beta"), read_family("zero_one_inflated_beta")
    assert beta.auxiliary == ("phi",)
    assert inflated.auxiliary == ("phi", "zoi", "coi")
    assert [own.support for own in inflated.parameters] == ["positive", "unit", "unit"]
    assert {own.scale for own in (*beta.parameters, inflated.parameters[0])} == {"precision"}
    assert {beta.statistic, inflated.statistic} == {"values"}


@pytest.mark.parametrize(("base", "own"), [(POISSON, ()), (NEGBINOMIAL, (1.7,))])
def test_predictors_of_means_of_counts_above_0_are_found(base, own):
    """By a bracketing search for the mean, and by a difference for the slope."""
    family = truncated(base)
    link = family.mean_link(family.link, *own)
    eta = np.array([-25.0, -19.0, -9.0, -2.0, 0.3, 3.0])
    exact = stats.poisson if not own else lambda mean: stats.nbinom(own[0], own[0] / (own[0] + mean))
    for place in eta[3:]:
        assert link.inverse(place) == pytest.approx(np.exp(place) / exact(np.exp(place)).sf(0), rel=1e-10)
        mean = float(link.inverse(place))
        found = optimize.brentq(lambda point, mean=mean: np.exp(point) / exact(np.exp(point)).sf(0) - mean, -6.0, 6.0)
        assert link.forward(mean) == pytest.approx(found, abs=1e-8)
    excess = np.exp(eta[:3]) / 2.0 * (1.0 if not own else (1.0 + own[0]) / own[0])  # by the first two counts
    np.testing.assert_allclose(link.inverse(eta[:3]) - 1.0, excess, rtol=1e-3, atol=3e-16)
    np.testing.assert_allclose(link.slope(eta[:3]), excess, rtol=1e-3)
    step = 1e-5
    numeric = (link.inverse(eta + step) - link.inverse(eta - step)) / (2.0 * step)
    np.testing.assert_allclose(link.slope(eta)[3:], numeric[3:], rtol=1e-8)


@pytest.mark.parametrize(("base", "own"), [(POISSON, ()), (NEGBINOMIAL, (1.7,))])
def test_chances_of_counts_above_0_are_clipped_and_scipy_s(base, own):
    family, eta = truncated(base), np.array([-30.0, -1.0, 0.5, 3.0])
    mean = np.exp(eta)
    exact = stats.poisson(mean) if not own else stats.nbinom(own[0], own[0] / (own[0] + mean))
    for count in (1.0, 2.0, 5.0, 60.0):
        below, up_to = family.cdf((count,), family.linear(eta), *own)
        np.testing.assert_allclose(below[1:], ((exact.cdf(count - 1) - exact.pmf(0)) / exact.sf(0))[1:], atol=1e-12)
        np.testing.assert_allclose(up_to[1:], ((exact.cdf(count) - exact.pmf(0)) / exact.sf(0))[1:], atol=1e-12)
        assert ((below >= 0.0) & (up_to <= 1.0)).all()


def test_counts_above_0_of_endless_means_are_their_means():
    for base, own in ((POISSON, ()), (NEGBINOMIAL, (1.7,))):
        family = truncated(base)
        drawn = family.draw(np.random.default_rng(1), (2000,), np.array(2.0 * LARGEST_MEAN), 1.0, *own)
        assert np.isfinite(drawn).all()
        assert drawn.mean() == pytest.approx(2.0 * LARGEST_MEAN, rel=0.1 if own else 1e-9)
        assert (family.draw(np.random.default_rng(1), (500,), np.array(1.0 + 1e-12), 1.0, *own) == 1.0).all()
