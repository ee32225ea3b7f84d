"""Priors from past fits: their numbers beside closed forms, where they come from, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.answers.parameters.past import Past, matched, of_several, paule_mandel
from hiermod.errors import PriorError
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import read_prior

EXPERIMENTS = 8
BETWEEN = 0.5


def experiment(seed, effect, rows=400):
    rng = np.random.default_rng(seed)
    arm = np.arange(rows) % 2
    x = rng.normal(50.0, 2.0, rows)
    return pd.DataFrame({"arm": arm, "x": x, "y": 1.0 + effect * arm + 0.1 * x + rng.normal(0.0, 1.0, rows)})


@pytest.fixture(scope="module")
def fits():
    effects = np.random.default_rng(1).normal(0.4, BETWEEN, EXPERIMENTS)
    return {
        f"of {2016 + place}": hm.fit("y ~ arm + x", experiment(place, effect), "gaussian", seed=place, progress=False)
        for place, effect in enumerate(effects)
    }


def test_a_posterior_is_matched_in_its_mean_and_standard_deviation(fits):
    fit = fits["of 2016"]
    draws = fit.posterior["arm"].to_numpy()
    for inflation in (1.0, 2.0):
        prior = hm.prior_from(fit, "arm", inflation=inflation)
        assert prior.name == "Normal"
        assert prior.arguments == pytest.approx((draws.mean(), inflation * draws.std(ddof=1)), rel=0.01, abs=0.001)
        assert prior.origin == f"'arm' of y ~ arm + x, scale times {inflation:g}"


def test_the_intercept_is_that_where_priors_stand(fits):
    fit = fits["of 2016"]
    prior = hm.prior_from(fit, "Intercept", inflation=1)
    x = experiment(0, 0.0)["x"].mean()
    at_mean = (fit.posterior["Intercept"] + x * fit.posterior["x"]).to_numpy()
    assert prior.arguments == pytest.approx((at_mean.mean(), at_mean.std()), rel=0.01, abs=0.001)
    assert prior.origin == f"'Intercept' of y ~ arm + x, at x = {x:.4g}, scale times 1"


def test_a_standard_deviation_stays_above_0(fits):
    prior = hm.prior_from(fits["of 2016"], "sigma")
    assert prior.lower == 0.0
    assert (
        hm.model("y ~ arm", experiment(0, 0.0), "gaussian", priors={"sigma": prior}).notices
        == hm.model("y ~ arm", experiment(0, 0.0), "gaussian").notices
    )


@pytest.mark.parametrize("nu", [2.0, 4.0, 8.0])
def test_heavy_tails_are_matched(nu):
    draws = 0.3 + 0.2 * stats.t(nu).rvs(8000, random_state=np.random.default_rng(2))
    prior = matched(Past(draws, "b"), "StudentT", 1.0)
    assert prior.name == "StudentT"
    expected, *_ = stats.t.fit(draws)
    assert prior.arguments[0] == pytest.approx(expected, rel=0.1)  # the grid's steps
    p = np.array([0.05, 0.25, 0.75, 0.95])
    np.testing.assert_allclose(stats.t(nu).cdf((prior.quantile(p) - 0.3) / 0.2), p, atol=0.02)
    assert matched(Past(draws, "b"), "Normal", 1.0).name == "Normal"


def test_a_population_of_past_effects(fits):
    """With equal errors, the variance between is that of the estimates less that of one."""
    means, variance = np.array([0.1, 0.9, -0.3, 0.5]), 0.04
    between = means.var(ddof=1) - variance
    assert paule_mandel(means, np.full(4, variance)) == pytest.approx(between, rel=1e-9)
    assert paule_mandel(np.array([0.1, 0.11, 0.09]), np.full(3, 0.04)) == 0.0
    shape = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    shape /= shape.std(ddof=1)
    pasts = {str(mean): Past(mean + 0.2 * shape, "b") for mean in means}
    prior = of_several(pasts, "b", "StudentT", 2.0)
    scale = 2.0 * np.sqrt(between + (between + variance) / 4)
    assert prior.arguments == pytest.approx((3.0, means.mean(), scale), rel=0.01)
    found = hm.prior_from(fits, "arm", inflation=1)
    assert found.arguments[0] == EXPERIMENTS - 1
    assert abs(found.arguments[1] - 0.4) < 4 * BETWEEN / np.sqrt(EXPERIMENTS)
    low, high = np.sqrt(stats.chi2(EXPERIMENTS - 1).ppf([1e-4, 1 - 1e-4]) / (EXPERIMENTS - 1)) * BETWEEN
    assert low < found.arguments[2] < 1.2 * high
    assert found.origin.startswith("'arm' of 8 fits, standard deviation between them 0.")
    assert hm.prior_from([fits["of 2016"]], "arm") == hm.prior_from(fits["of 2016"], "arm")


def test_the_population_of_a_varying_effect(country_fit):
    draws = country_fit.posterior
    mean = float(draws["treated"].mean())
    variance = float(draws["treated"].var() + (draws["treated|country_sigma"] ** 2).mean())
    prior = hm.prior_from(country_fit, "treated|country", inflation=1, distribution="Normal")
    assert prior.arguments[0] == pytest.approx(mean, abs=4 * np.sqrt(variance / 4000))
    assert prior.arguments[1] == pytest.approx(np.sqrt(variance), rel=0.15)  # of a heavy-tailed sample
    assert prior.origin.startswith(
        "population of 'treated|country', 2 levels, of success ~ treated + (1 + treated | co"
    )
    heavy = hm.prior_from(country_fit, "treated|country", inflation=1)
    assert heavy.name == "StudentT"


def test_it_is_used_as_it_is_or_as_text_and_the_table_says_where_it_is_from(fits, tmp_path):
    prior = hm.prior_from(fits, "arm")
    data = experiment(99, 0.3)
    assert read_prior("arm", str(prior)) == prior
    assert read_prior("arm", str(prior)).origin == prior.origin
    fit = hm.fit("y ~ arm", data, "gaussian", priors={"arm": prior}, seed=1, draws=100, progress=False)
    text = hm.model("y ~ arm", data, "gaussian", priors={"arm": str(prior)})
    assert text.prior_summary().equals(fit.prior_summary())
    row = fit.prior_summary().set_index("parameter").loc["arm"]
    assert row["prior"] == prior.describe()
    assert row["stated_at"] == prior.origin
    fit.save(tmp_path / "fit.nc")
    assert hm.load(tmp_path / "fit.nc").prior_summary().equals(fit.prior_summary())


def test_refusals(fits, variants_fit):
    one = fits["of 2016"]
    with pytest.raises(PriorError, match=r"The fit of y ~ arm \+ x has no parameter 'arms'. Did you mean 'arm'"):
        hm.prior_from(one, "arms")
    with pytest.raises(PriorError, match=r"Fit 'of 2017': The fit of .* has no parameter 'z'"):
        hm.prior_from({"of 2017": one}, "z")
    with pytest.raises(PriorError, match="inflation=0: a number above 0"):
        hm.prior_from(one, "arm", inflation=0)
    with pytest.raises(PriorError, match="inflation=True: a number above 0"):
        hm.prior_from(one, "arm", inflation=True)
    with pytest.raises(PriorError, match=r"distribution='Student'. Did you mean 'StudentT'"):
        hm.prior_from(one, "arm", distribution="Student")
    with pytest.raises(PriorError, match="a list or dict of fits: there is none in \\[\\]"):
        hm.prior_from([], "arm")
    with pytest.raises(PriorError, match="a list or dict of fits: '2' is of type DataFrame"):
        hm.prior_from([one, experiment(1, 0.0)], "arm")
    with pytest.raises(PriorError, match="has no coefficients: give its pooled rates a prior by 'rate' and 'size'"):
        hm.prior_from(variants_fit, "arm")
    other = hm.fit("arm ~ y", experiment(1, 0.0), draws=20, seed=1, progress=False)
    with pytest.raises(PriorError, match="Fit 'a' has the link identity, fit 'b' logit: leave one out"):
        hm.prior_from({"a": one, "b": other}, "Intercept")
    assert isinstance(hm.prior_from(one, "arm"), Prior)
