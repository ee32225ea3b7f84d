"""Families of durations against SciPy and in their limits, and priors of what is below every response."""

import numpy as np
import pytest
from modeling_tools import spec_of
from scipy import special, stats

from hiermod.errors import AnswerError, PriorError
from hiermod.families.ops import NUMPY
from hiermod.families.outcomes import read_outcome
from hiermod.families.registry import read_family

POINTS = 1_000
RNG = np.random.default_rng(3)
ETA = RNG.uniform(-2.0, 2.0, POINTS)
FIRST, SECOND = np.exp(RNG.uniform(-1.5, 1.5, (2, POINTS)))
RANK = RNG.uniform(1e-4, 1.0 - 1e-4, POINTS)


def scipys(name):
    """SciPy's distribution of each point, and the family's parameters there."""
    mean = np.exp(ETA)
    match name:
        case "weibull":
            return stats.weibull_min(FIRST, scale=mean / special.gamma(1.0 + 1.0 / FIRST)), [FIRST]
        case "exponential":
            return stats.expon(scale=mean), []
        case "gamma":
            return stats.gamma(FIRST, scale=mean / FIRST), [FIRST]
        case "lognormal":
            return stats.lognorm(FIRST, scale=mean), [FIRST]
        case "gaussian":
            return stats.norm(ETA, FIRST), [FIRST]
        case "student":
            return stats.t(SECOND, ETA, FIRST), [FIRST, SECOND]
        case "shifted_lognormal":
            return stats.lognorm(FIRST, loc=SECOND, scale=mean), [FIRST, SECOND]
        case "exgaussian":
            return stats.exponnorm(SECOND / FIRST, loc=ETA - SECOND, scale=FIRST), [FIRST, SECOND]


@pytest.mark.parametrize("name", ["weibull", "exponential", "shifted_lognormal", "exgaussian"])
def test_log_densities_at_a_thousand_points_are_scipy_s(name):
    exact, parameters = scipys(name)
    value = exact.ppf(RANK)
    seen = read_family(name).observation_density((value,), ETA, parameters)
    np.testing.assert_allclose(seen, exact.logpdf(value), rtol=1e-10, atol=1e-10)


def test_an_exgaussian_without_an_exponential_part_is_gaussian():
    value = np.linspace(-6.0, 6.0, 25)
    seen = read_family("exgaussian").log_density(NUMPY, (value,), read_family("exgaussian").linear(0.0), 1.0, 1e-7)
    np.testing.assert_allclose(seen, stats.norm.logpdf(value), atol=1e-5)


def test_tails_of_an_exgaussian_go_on_where_a_difference_of_chances_rounds_to_nothing():
    family, value = read_family("exgaussian"), -np.array([5.0, 8.0, 12.0, 20.0, 30.0])
    below, above = family.log_tails(NUMPY, (value,), family.linear(np.zeros(5)), 1.0, 0.5)
    exact = stats.exponnorm(0.5, loc=-0.5, scale=1.0)
    np.testing.assert_allclose(below[:1], exact.logcdf(value[:1]), rtol=1e-6)
    assert (np.diff(below) < 0.0).all()
    assert np.isfinite(below).all()
    np.testing.assert_allclose(above, np.log1p(-np.exp(below)), atol=1e-9)


def test_priors_of_a_shift_end_at_the_smallest_response(rng_frame):
    spec = spec_of("p ~ x", rng_frame, "shifted_lognormal", {"ndt": "HalfNormal(5)"})
    assert spec.priors["ndt"][0].support == (0.0, rng_frame["p"].min())
    spec = spec_of("p ~ x", rng_frame, "shifted_lognormal")
    assert spec.priors["ndt"][0].describe() == f"Uniform(0, {rng_frame['p'].min():.4g})"
    with pytest.raises(PriorError, match=r"below the smallest response, 0\.5.*Uniform"):
        spec_of("p ~ x", rng_frame, "shifted_lognormal", {"ndt": "Normal(4, 0.1)"})


@pytest.fixture
def rng_frame():
    import pandas as pd

    rng = np.random.default_rng(2)
    return pd.DataFrame({"x": rng.normal(size=40), "p": 0.5 + np.r_[0.0, rng.exponential(size=39)]})


@pytest.mark.parametrize("name", ["weibull", "exponential", "gamma", "lognormal", "shifted_lognormal"])
def test_a_mean_up_to_a_horizon_is_the_area_below_the_survival(name):
    exact, parameters = scipys(name)
    family, horizon = read_family(name), 1.7
    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = (0.5 * (nodes + 1.0))[:, None]
    survival = exact.sf(horizon * t**4)
    area = horizon * (0.5 * weights[:, None] * 4.0 * t**3 * survival).sum(axis=0)
    seen = read_outcome(family, "mean<=1.7").at(family.linear(ETA), *parameters)
    assert horizon == 1.7
    np.testing.assert_allclose(seen, area, rtol=2e-3 if name == "shifted_lognormal" else 1e-6)
    if name == "weibull":
        far = read_outcome(family, "mean <= 1e9").at(family.linear(ETA), *parameters)
        np.testing.assert_allclose(far[FIRST > 0.5], np.exp(ETA)[FIRST > 0.5], rtol=1e-9)
        with pytest.raises(AnswerError, match=r"a horizon is a finite number above 0"):
            read_outcome(family, "mean<=-3")


def test_only_durations_have_a_mean_up_to_a_horizon():
    with pytest.raises(AnswerError, match="poisson, which has"):
        read_outcome(read_family("poisson"), "mean<=3")
    with pytest.raises(AnswerError, match="means up to a horizon such as 'mean<=90'"):
        read_outcome(read_family("weibull"), "meen")
