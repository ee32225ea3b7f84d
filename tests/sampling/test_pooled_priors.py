"""Pooled rates under proper hyperpriors: what needs a prior works, and is what the prior says."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.errors import PriorError
from hiermod.modeling.hyperpriors import read_hyperprior

BY_MEAN = {"rate": "Beta(2, 8)", "size": "LogNormal(3, 1)"}
BY_SHAPES = {"a": "Gamma(2, 0.1)", "b": "Exponential(0.1)"}
FORMULA = "successes/trials ~ (1 | variant)"


def model_of(priors):
    return hm.model(FORMULA, hm.example("variants2"), pooling="beta", priors=priors)


@pytest.mark.parametrize(
    ("priors", "mean", "size"),
    [(BY_MEAN, stats.beta(2, 8), stats.lognorm(1.0, scale=np.exp(3.0))), ({**BY_MEAN, "rate": "Uniform(0.2, 0.4)"},
     stats.uniform(0.2, 0.2), stats.lognorm(1.0, scale=np.exp(3.0)))],
)  # fmt: skip
def test_prior_draws_are_those_of_the_hyperprior(priors, mean, size):
    prior = model_of(priors).sample_prior(4000, seed=1).prior
    assert stats.kstest(prior["rate_mean"].to_numpy().ravel(), mean.cdf).pvalue > 1e-4
    assert stats.kstest(prior["rate_spread"].to_numpy().ravel() ** -2.0, size.cdf).pvalue > 1e-4
    assert prior["rate|variant"].shape == (1, 4000, 4)


def test_priors_of_a_and_b():
    prior = model_of(BY_SHAPES).sample_prior(4000, seed=1).prior
    size = prior["rate_spread"].to_numpy().ravel() ** -2.0
    a = prior["rate_mean"].to_numpy().ravel() * size
    assert stats.kstest(a, stats.gamma(2, scale=10).cdf).pvalue > 1e-4
    assert stats.kstest(size - a, stats.expon(scale=10).cdf).pvalue > 1e-4


@pytest.mark.parametrize("priors", [BY_MEAN, BY_SHAPES])
def test_what_needs_a_prior_works(priors):
    model = model_of(priors)
    fit = model.fit(seed=1, draws=200, progress=False)
    assert fit.check().checks[0].name == "independent draws"
    assert "95 %" in repr(model.sample_prior(200, seed=1).implied())
    found = fit.sensitivity("variant")
    labels = set(found.conclusions.reset_index()["priors"])
    assert labels == {"as fitted", *(f"{width} width of {key}" for width in ("half", "double") for key in priors)}
    assert set(found.power.index) >= {"rate_mean", "rate_spread"}


def test_the_prior_is_the_posterior_of_no_data():
    """Groups of one trial each hardly move the prior: their rates' posterior lies near it."""
    data = pd.DataFrame({"s": [0, 0], "n": [1, 1], "g": list("ab")})
    fit = hm.fit("s/n ~ (1 | g)", data, pooling="beta", priors={"rate": "Beta(200, 800)", "size": "LogNormal(9, 0.1)"},
                 seed=1, progress=False)  # fmt: skip
    means = fit.posterior["rate_mean"].to_numpy().ravel()
    assert stats.kstest(means, stats.beta(200, 802).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("pool", "priors", "match"),
    [
        ("beta", {"mean": "Beta(1, 1)"}, "has no prior 'mean'.*'rate'"),
        ("beta", {"shape": "LogNormal(1, 1)"}, "has no prior 'shape'"),
        ("beta", {"rate": "Normal(0, 1)"}, r"needs a prior such as Beta\(2, 8\)"),
        ("beta", {"size": "Normal(0, 1)"}, "needs a prior such as LogNormal"),
        ("beta", {"rate": "Uniform(0, 2)"}, "values that no rate has"),
        ("beta", {"a": "Gamma(1, 1)"}, "come together"),
        ("beta", {"a": "Gamma(1, 1)", "b": "Gamma(1, 1)", "size": "Gamma(1, 1)"}, "come together"),
        ("gamma", {"a": "Gamma(1, 1)", "b": "Gamma(1, 1)"}, "has no prior 'a'"),
        ("gamma", {"rate": "Beta(1, 1)"}, "needs a prior such as LogNormal"),
    ],
)
def test_priors_that_do_not_fit_are_refused(pool, priors, match):
    with pytest.raises(PriorError, match=match):
        read_hyperprior(pool, priors)


def test_a_wider_prior_stays_within_the_reach_of_rates():
    prior = read_hyperprior("beta", {"rate": "Uniform(0.1, 0.4)"})
    assert prior.widened("rate", 2.0).bounds == (0.0, 0.55)
    beta = read_hyperprior("beta", {"rate": "Beta(2, 8)"}).widened("rate", 0.5).rate
    narrow = stats.beta(*beta.arguments)
    np.testing.assert_allclose([narrow.mean(), narrow.std()], [0.2, stats.beta(2, 8).std() / 2])
