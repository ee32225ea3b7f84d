"""LOO-PIT against exact predictions of each row by the others, in models where these are known."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws
from scipy import stats
from test_predictive_checks import fit_of

import hiermod as hm
from hiermod.answers.checks.predictive_checks import histogram
from hiermod.errors import AnswerError
from hiermod.families.registry import read_family

ETA, AUXILIARY = np.array([-0.7, 0.4, 1.1]), np.array([0.6, 2.0, 9.0])
MEAN, RATE = np.exp(ETA), 1.0 / (1.0 + np.exp(-ETA))
FAMILIES = {
    "binomial": ([3.0, 8.0], (), stats.binom(8, RATE)),
    "bernoulli": ([0.0, 1.0], (), stats.binom(1, RATE)),
    "beta_binomial": ([6.0, 8.0], (AUXILIARY,), stats.betabinom(8, RATE * AUXILIARY, (1.0 - RATE) * AUXILIARY)),
    "poisson": ([2.0], (), stats.poisson(MEAN)),
    "negbinomial": ([0.0], (AUXILIARY,), stats.nbinom(AUXILIARY, AUXILIARY / (AUXILIARY + MEAN))),
    "gaussian": ([0.3], (AUXILIARY,), stats.norm(ETA, AUXILIARY)),
    "student": ([0.3], (AUXILIARY, AUXILIARY + 1.0), stats.t(AUXILIARY + 1.0, ETA, AUXILIARY)),
    "lognormal": ([0.9], (AUXILIARY,), stats.lognorm(AUXILIARY, scale=MEAN)),
    "gamma": ([0.9], (AUXILIARY,), stats.gamma(AUXILIARY, scale=MEAN / AUXILIARY)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_distribution_functions_are_scipys(name):
    response, auxiliary, expected = FAMILIES[name]
    family = read_family(name)
    below, up_to = family.cdf(np.array(response), family.linear(ETA), *auxiliary)
    discrete = name not in ("gaussian", "student", "gamma", "lognormal")
    np.testing.assert_allclose(up_to, expected.cdf(response[0]), rtol=1e-9)
    np.testing.assert_allclose(below, expected.cdf(response[0] - discrete), rtol=1e-9)


def test_normal_rows_left_out_exactly():
    rng = np.random.default_rng(1)
    y = rng.normal(3.0, 2.0, 12)
    mean = rng.normal(y.mean(), 2.0 / np.sqrt(12), 8000)
    table = fit_of(hm.model("y ~ 1", pd.DataFrame({"y": y})), Intercept=mean, sigma=np.full(8000, 2.0)).loo_pit()
    for row in table.itertuples():
        rest = y[y != row.value]
        exact = stats.norm(rest.mean(), 2.0 * np.sqrt(1 + 1 / 11)).cdf(row.value)
        assert abs(row.lower - exact) < 4.0 * 0.5 / np.sqrt(1000)
        assert row.lower == row.upper


def test_single_trials_left_out_exactly():
    data = pd.DataFrame({"y": [1] * 12 + [0] * 28})
    rate = np.random.default_rng(2).beta(13, 29, 8000)
    table = fit_of(hm.model("y ~ 1", data), Intercept=np.log(rate / (1.0 - rate))).loo_pit().set_index("successes")
    assert table["times"].to_dict() == {0: 28, 1: 12}
    assert table.loc[0, "lower"] == 0.0
    assert abs(table.loc[0, "upper"] - (1.0 - 13 / 41)) < 4.0 * 0.07 / np.sqrt(8000)
    assert abs(table.loc[1, "lower"] - (1.0 - 12 / 41)) < 4.0 * 0.07 / np.sqrt(8000)
    assert table.loc[1, "upper"] == pytest.approx(1.0, abs=1e-12)


def test_discrete_values_are_spread_over_their_interval():
    table = pd.DataFrame({"lower": [0.0, 0.25, 0.9], "upper": [0.5, 0.25, 1.0], "times": [2, 1, 1]})
    np.testing.assert_allclose(histogram(table, 4), [0.25, 0.5, 0.0, 0.25], rtol=1e-12)
    np.testing.assert_allclose(histogram(table.assign(upper=table["lower"]), 2), [0.75, 0.25], rtol=1e-12)


def test_rows_of_a_pooled_beta_are_refused():
    fit = with_made_up_draws(hm.model("successes/trials ~ (1 | variant)", hm.example("variants")))
    assert len(fit.loo_pit()) == 4
    made = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta")
    rates = {"rate_mean": np.full(50, 0.5), "rate_spread": np.full(50, 0.3), "rate__variant": np.full((50, 4), 0.5)}
    pooled = fit_of(made, **rates)
    with pytest.raises(AnswerError, match="does not apply to pooling='beta'"):
        pooled.loo_pit()
