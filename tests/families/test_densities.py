"""Log densities of single observations against scipy.stats, where rates are moderate and where they round to 0 or 1."""

import math

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy import special, stats

from hiermod.families.names import RATE_LINKS
from hiermod.families.registry import read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

QUICK = Mode(linker="py", optimizer="fast_compile")

MODERATE = np.linspace(-4.0, 3.0, 29)
EXTREME = np.array([-800.0, -700.0, -100.0, -41.0, -40.0, -39.0, -21.0, -10.0, 0.0, 10.0, 40.0, 100.0, 300.0])
ERROR = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l}  # 1 - exp(-exp(x)) is Gumbel's
PAIRS = [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (400, 1000), (123_456, 1_000_000)]


def density(family, response, predictor, *auxiliary):
    return read_family(family).observation_density(np.array(response, dtype=float), predictor, auxiliary)


@pytest.mark.parametrize("link", RATE_LINKS)
@pytest.mark.parametrize(("successes", "trials"), PAIRS)
def test_trials_are_scipy_s_where_rates_are_moderate(link, successes, trials):
    expected = stats.binom.logpmf(successes, trials, ERROR[link].cdf(MODERATE))
    seen = density(f"binomial({link})", (successes, trials), MODERATE)
    kept = slice(None) if link != "cloglog" else MODERATE < 2.0  # above, 1 - rate has lost its digits
    np.testing.assert_allclose(seen[kept], expected[kept], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("link", RATE_LINKS)
@pytest.mark.parametrize(("successes", "trials"), PAIRS)
def test_trials_are_finite_and_right_where_rates_round(link, successes, trials):
    with np.errstate(all="ignore"):
        success, failure = ERROR[link].logcdf(EXTREME), ERROR[link].logsf(EXTREME)
    success = np.where(EXTREME < -36.0, EXTREME, success) if link == "cloglog" else success
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    expected = ways + successes * success + (trials - successes) * failure
    seen = density(f"binomial({link})", (successes, trials), EXTREME)
    assert np.isfinite(seen).all()
    np.testing.assert_allclose(seen, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("link", RATE_LINKS)
def test_the_largest_counts_are_finite_anywhere(link):
    seen = density(f"binomial({link})", (2.0**51, 2.0**52), np.array([-1e4, -800.0, 800.0, 1e4]))
    assert np.isfinite(seen**2).all()


def test_one_bernoulli_row_has_no_constant():
    for successes in (0, 1):
        np.testing.assert_allclose(
            density("bernoulli", (successes, 1), MODERATE),
            stats.bernoulli.logpmf(successes, special.expit(MODERATE)), rtol=1e-12,
        )  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_counts(count):
    np.testing.assert_allclose(
        density("poisson", [count], MODERATE), stats.poisson.logpmf(count, np.exp(MODERATE)), rtol=1e-10
    )
    rare = count * -800.0 - special.gammaln(count + 1.0)
    seen = density("poisson", [count], np.array([-800.0, 800.0]))
    np.testing.assert_allclose(seen[0], rare, rtol=1e-12)
    assert np.isfinite(seen[1])
    assert seen[1] < -1e100


@pytest.mark.parametrize("value", [-3.0, 0.0, 1e6])
def test_reals(value):
    sigma = np.geomspace(1e-3, 1e3, len(MODERATE))
    seen = density("gaussian", [value], MODERATE, sigma)
    np.testing.assert_allclose(seen, stats.norm.logpdf(value, MODERATE, sigma), rtol=1e-10)


SIZES = np.geomspace(1e-2, 1e4, len(MODERATE))


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_overdispersed_counts(count):
    expected = stats.nbinom.logpmf(count, SIZES, SIZES / (SIZES + np.exp(MODERATE)))
    np.testing.assert_allclose(density("negbinomial", [count], MODERATE, SIZES), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("value", [-3.0, 0.0, 1e6])
def test_reals_with_heavy_tails(value):
    expected = stats.t.logpdf(value, SIZES, MODERATE, SIZES[::-1])
    np.testing.assert_allclose(density("student", [value], MODERATE, SIZES[::-1], SIZES), expected, rtol=1e-10)


@pytest.mark.parametrize("value", [1e-9, 0.5, 30.0])
def test_positive_numbers(value):
    expected = stats.gamma.logpdf(value, SIZES, scale=np.exp(MODERATE) / SIZES)
    np.testing.assert_allclose(density("gamma", [value], MODERATE, SIZES), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("link", RATE_LINKS)
@pytest.mark.parametrize(("successes", "trials"), PAIRS[:5])
def test_overdispersed_trials(link, successes, trials):
    kept = MODERATE < 1.5  # above, 1 - rate of cloglog has lost its digits
    rate, size = ERROR[link].cdf(MODERATE)[kept], SIZES[kept]
    expected = stats.betabinom.logpmf(successes, trials, rate * size, ERROR[link].sf(MODERATE)[kept] * size)
    seen = density(f"beta_binomial({link})", (successes, trials), MODERATE[kept], size)
    np.testing.assert_allclose(seen, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "family", ["negbinomial", "student", "gamma", *(f"beta_binomial({link})" for link in RATE_LINKS)]
)
@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_every_family_is_that_of_the_model(family, size):
    """At extremes too, it is the density that is sampled."""
    own = read_family(family)
    response = (3.0, 7.0) if own.is_rate else [3.0]
    eta, auxiliary = pt.dvector(), [size] * len(own.auxiliary)
    numbers = [PYTENSOR.const(number) for number in auxiliary]
    observed = [PYTENSOR.const(number) for number in response]
    symbolic = own.log_density(PYTENSOR, observed, own.linear(eta), *numbers)
    with np.errstate(all="ignore"):
        sampled = pytensor.function([eta], symbolic, mode=QUICK)(EXTREME)
    seen = density(family, response, EXTREME, *(np.full(len(EXTREME), number) for number in auxiliary))
    assert np.isfinite(seen).all()
    moderate = np.abs(sampled) < 1e100
    np.testing.assert_allclose(seen[moderate], sampled[moderate], rtol=1e-10, atol=1e-10)
