"""pooling="gamma" as a user meets it: rates of events, what has no mean, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.errors import DataError

SITES = pd.DataFrame({"site": list("abcde"), "y": [3, 4, 10, 0, 22], "e": [1.0, 2.0, 3.0, 0.5, 8.25]})
FORMULA = "y ~ offset(log(e)) + (1 | site)"


@pytest.fixture(scope="module")
def sites():
    return hm.fit(FORMULA, SITES, pooling="gamma", seed=1, progress=False)


def test_a_mean_that_does_not_exist_is_told_by_its_median(sites):
    fixed = sites.summary().fixed
    draws = sites.posterior["rate_mean"].to_numpy()
    assert fixed.loc["rate_mean", "estimate"] == np.median(draws)
    assert np.isnan(fixed.loc["rate_mean", "sd"])
    assert "'rate_mean' are posterior medians" in repr(sites.summary())
    assert np.isfinite(fixed.loc["rate_spread", "sd"])


def test_a_proper_prior_of_the_mean_gives_it_one():
    fit = hm.fit(FORMULA, SITES, pooling="gamma", priors={"rate": "LogNormal(0, 1)"}, seed=1, progress=False)
    assert np.isfinite(fit.summary().fixed["sd"]).all()


@pytest.mark.parametrize("successes", [[3, 0], [0, 4]])
def test_two_groups_with_events_are_needed(successes):
    data = pd.DataFrame({"site": ["a", "b"], "y": successes, "e": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"fewer than 2 groups have events.*Another group with events is needed"):
        hm.fit(FORMULA, data, pooling="gamma", progress=False)


def test_two_groups_with_events_are_enough():
    data = pd.DataFrame({"site": ["a", "b"], "y": [3, 4], "e": [1.0, 2.0]})
    fit = hm.fit(FORMULA, data, pooling="gamma", seed=1, progress=False)
    assert np.isnan(fit.summary().fixed["sd"]).all()


@pytest.mark.parametrize("events", [[0, 0, 0], [4, 4, 4]])
def test_counts_that_are_all_equal_have_a_posterior_under_a_proper_prior(events):
    """Against the mean rate's expectation by quadrature of negative binomials."""
    data = SITES[:3].assign(y=events)
    priors = {"rate": "LogNormal(0, 1)", "shape": "LogNormal(1, 1)"}
    fit = hm.fit(FORMULA, data, pooling="gamma", priors=priors, draws=4000, seed=1, progress=False)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    log_mean, log_shape = 9.0 * nodes[:, None], 1.0 + 9.0 * nodes
    density = stats.norm.logpdf(log_mean) + stats.norm.logpdf(log_shape - 1.0)
    for y, e in zip(events, data["e"], strict=True):
        shape = np.exp(log_shape)
        density = density + stats.nbinom.logpmf(y, shape, 1.0 / (1.0 + e * np.exp(log_mean) / shape))
    weight = np.exp(density - density.max()) * np.outer(weights, weights)
    exact = (weight * log_mean).sum() / weight.sum()
    draws = np.log(fit.posterior["rate_mean"].to_numpy())
    assert abs(draws.mean() - exact) < 4 * draws.std() / np.sqrt(draws.size)
    assert np.isfinite(fit.logo(progress=False).elpd)


def test_counts_without_events_are_refused_in_words_where_the_prior_is_flat():
    with pytest.raises(DataError, match=r"fewer than 2 groups have events.*Another group with events is needed"):
        hm.fit(FORMULA, SITES.assign(y=0), pooling="gamma", progress=False)
    with pytest.raises(DataError, match="constant"):
        hm.fit("y ~ (1 | site)", SITES.assign(y=3), "poisson", progress=False)


def test_shrinkage_counts_exposure(sites):
    table = sites.shrinkage()
    np.testing.assert_allclose(table["n"], SITES["e"])
    np.testing.assert_allclose(table["raw"], SITES["y"] / SITES["e"])
    ax = sites.plot.shrinkage()
    (grand,) = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(grand, SITES["y"].sum() / SITES["e"].sum())


def test_the_summary_of_independent_draws_speaks_of_no_chains_that_disagree_and_no_warm_up():
    rows = pd.DataFrame({"y": [0, 7, 20], "e": [1.1, 2.2, 6.1], "g": list("def")})
    fit = hm.fit(
        "y ~ offset(log(e)) + (1 | g)", rows, pooling="gamma", draws=50, chains=2, tune=100, seed=3, progress=False
    )
    text = str(fit.summary())
    assert "warm-up" not in text
    assert "disagree" not in text
    assert max(map(len, text.splitlines()[:12])) < 150  # the mean's tail goes beyond 1e100
