"""Predictive checks, calibration and outlying groups, against closed forms and by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import hiermod as hm
from hiermod.answers.checks import predictive_checks
from hiermod.answers.checks.predictive_checks import _increasing, p_value
from hiermod.errors import AnswerError

DRAWS = 4000


def fit_of(model, **draws):
    """A fit of given draws, one chain; an array of more than one axis has draws first."""
    variables = {
        name.replace("__", "|"): (("chain", "draw", *(f"{name}{axis}" for axis in range(np.ndim(values) - 1))),
                                  np.asarray(values, dtype=float)[None])
        for name, values in draws.items()
    }  # fmt: skip
    return model.with_draws(xr.Dataset(variables))


@pytest.fixture(scope="module")
def binomial():
    """12 of 40 under a uniform prior: the rate's posterior is Beta(13, 29), drawn exactly."""
    model = hm.model("s/n ~ 1", pd.DataFrame({"s": [3, 9], "n": [10, 30]}), priors={"Intercept": "Logistic(0, 1)"})
    rate = np.random.default_rng(1).beta(13, 29, DRAWS)
    return fit_of(model, Intercept=np.log(rate / (1.0 - rate)))


@pytest.fixture(scope="module")
def normal():
    """Known sigma of 2: the mean's posterior under a flat prior is Normal(mean(y), 2/sqrt(n)), drawn exactly."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"y": rng.normal(5.0, 2.0, 30)})
    mean = rng.normal(data["y"].mean(), 2.0 / np.sqrt(30), DRAWS)
    return fit_of(hm.model("y ~ 1", data), Intercept=mean, sigma=np.full(DRAWS, 2.0)), data["y"].to_numpy()


def test_replicated_successes_are_beta_binomial(binomial):
    def total(share):
        return (share * np.array([10, 30])).sum()

    row = binomial.ppc(total, draws=DRAWS).iloc[0]
    exact = stats.betabinom(40, 13, 29)
    p = exact.sf(12) + 0.5 * exact.pmf(12)
    assert (row["stat"], row["observed"]) == ("total", pytest.approx(12.0, rel=1e-12))
    assert abs(row["p"] - p) < 4.0 * np.sqrt(p * (1.0 - p) / DRAWS)
    assert abs(row["estimate"] - exact.mean()) < 4.0 * exact.std() / np.sqrt(DRAWS)
    assert (row["lower"], row["upper"]) == pytest.approx(exact.ppf([0.025, 0.975]), abs=1)


def test_replicated_means_and_extremes_of_normal_rows(normal):
    fit, y = normal
    table = fit.ppc(["mean", "max"], draws=DRAWS).set_index("stat")
    sd = 2.0 * np.sqrt(2 / 30)
    assert table.loc["mean", "observed"] == pytest.approx(y.mean(), rel=1e-12)
    assert abs(table.loc["mean", "estimate"] - y.mean()) < 4.0 * sd / np.sqrt(DRAWS)
    assert table.loc["mean", "upper"] == pytest.approx(y.mean() + 1.96 * sd, abs=0.1)
    centres = np.linspace(y.mean() - 4, y.mean() + 4, 2001)  # the chance that a maximum is larger, by quadrature
    weight = stats.norm(y.mean(), 2.0 / np.sqrt(30)).pdf(centres)
    p = np.average(1.0 - stats.norm(centres, 2.0).cdf(y.max()) ** 30, weights=weight)
    assert abs(table.loc["max", "p"] - p) < 4.0 * np.sqrt(p * (1.0 - p) / DRAWS)


def test_p_values_split_ties():
    assert p_value(2.0, np.array([1.0, 2.0, 2.0, 3.0])) == 0.5
    assert p_value(3.0, np.array([1.0, 2.0, 2.0, 3.0])) == 0.125


def test_rows_count_as_often_as_their_weight_and_by_splits_them():
    data = pd.DataFrame({"y": [0, 4, 4, 2], "f": ["v", "u", "u", "v"], "w": [3, 1, 2, 4]})
    data["f"] = pd.Categorical(data["f"], categories=["v", "u"])
    model = hm.model("y | weights(w) ~ f", data, family="poisson")
    table = fit_of(model, Intercept=np.zeros(40), f=np.ones((40, 1))).ppc([np.size, "zeros", "sd"], by="f")
    assert table["f"].tolist() == ["v"] * 3 + ["u"] * 3
    observed = [7, 3 / 7, np.std([0, 0, 0, 2, 2, 2, 2]), 3, 0.0, 0.0]
    np.testing.assert_allclose(table["observed"], observed, rtol=1e-12)
    assert table["estimate"].iloc[[0, 3]].tolist() == [7, 3]


def test_statistics_of_a_family_and_draws_that_repeat(binomial, normal):
    assert binomial.ppc()["stat"].tolist() == ["mean", "sd", "min", "max", "zeros"]
    assert normal[0].ppc()["stat"].tolist() == ["mean", "sd", "min", "median", "max"]
    pd.testing.assert_frame_equal(binomial.ppc(), binomial.ppc())


def test_refusals_of_predictive_checks(binomial, normal, monkeypatch):
    with pytest.raises(
        AnswerError, match=r"stat='maks': a name or a function of an array is needed. Did you mean 'max'"
    ):
        binomial.ppc("maks")
    with pytest.raises(AnswerError, match="stat= is empty"):
        binomial.ppc([])
    with pytest.raises(AnswerError, match=r"stat=sort: it gives an array of shape .30,., not a number"):
        normal[0].ppc(np.sort)
    with pytest.raises(AnswerError, match="draws=9999: a whole number from 1 to 4,000"):
        binomial.ppc(draws=9999)
    with pytest.raises(AnswerError, match="the model has no column 'g'"):
        binomial.ppc(by="g")
    with pytest.raises(AnswerError, match="family gaussian has none"):
        normal[0].calibration()
    with pytest.raises(AnswerError, match="has no grouping factor"):
        normal[0].outlying()
    monkeypatch.setattr(predictive_checks, "LARGEST", 100)
    with pytest.raises(AnswerError, match="20 draws of 30 rows are more than 100 numbers"):
        normal[0].ppc()


def test_observed_rates_never_fall_as_predicted_ones_rise():
    np.testing.assert_allclose(_increasing(np.array([2.0, 1.0, 10.0]), np.array([10.0, 10.0, 20.0])), [0.15, 0.15, 0.5])
    data = pd.DataFrame({"arm": list("abc"), "s": [2, 1, 10], "n": [10, 10, 20]})
    model = hm.model("s/n ~ arm", data)
    table = fit_of(model, Intercept=np.full(400, -2.0), arm=np.tile([1.0, 2.0], (400, 1))).calibration(draws=400)
    rates = 1.0 / (1.0 + np.exp(-np.array([-2.0, -1.0, 0.0])))
    np.testing.assert_allclose(table["predicted"], rates, rtol=1e-12)
    np.testing.assert_allclose(table["observed"], [0.15, 0.15, 0.5], rtol=1e-12)
    assert table["n"].tolist() == [10, 10, 20]
    last = stats.binom(20, 0.5)  # hardly ever pooled with the others
    assert table["upper"].iloc[2] == pytest.approx(last.ppf(0.975) / 20, abs=0.1)


def test_equal_predictions_are_one_row():
    data = pd.DataFrame({"g": list("ab"), "s": [2, 6], "n": [10, 10]})
    model = hm.model("s/n ~ (1 | g)", data)
    fit = fit_of(model, Intercept=np.zeros(50), **{"1__g": np.zeros((50, 2)), "1__g_sigma": np.ones(50)})
    table = fit.calibration()
    assert table[["predicted", "n", "observed"]].to_numpy().tolist() == [[0.5, 20, 0.4]]


def test_outlying_groups_by_hand():
    groups = [f"g{place}" for place in range(4)]
    data = pd.DataFrame({"g": groups * 3, "x": np.repeat([0.0, 1.0, 2.5], 4), "y": np.arange(12.0) ** 1.5})
    model = hm.model("y ~ 1 + (1 + x | g)", data)
    effects = np.array(
        [[[0.5, 0.1], [-1.0, 0.4], [6.0, 0.0], [3.0, -2.0]], [[0.2, 0.1], [0.0, 0.4], [2.0, 0.2], [3.0, -2.0]]]
    )
    sds, rho = np.array([[2.0, 0.5], [1.0, 1.0]]), np.array([0.3, -0.6])
    fit = fit_of(
        model, Intercept=[0.0, 0.0], sigma=[1.0, 1.0],
        **{"1__g": effects[:, :, 0], "x__g": effects[:, :, 1], "1__g_sigma": sds[:, 0], "x__g_sigma": sds[:, 1],
           "1+x__g_cor": rho[:, None]},
    )  # fmt: skip
    found = fit.outlying()
    limit = stats.chi2(2).isf(1.0 - 0.95 ** (1 / 4))
    squares = np.empty((2, 4))
    for draw in range(2):
        covariance = np.outer(sds[draw], sds[draw]) * np.array([[1.0, rho[draw]], [rho[draw], 1.0]])
        squares[draw] = [u @ np.linalg.solve(covariance, u) for u in effects[draw]]
    expected = pd.DataFrame(
        {"distance": np.sqrt(squares).mean(axis=0), "prob_outlying": (squares > limit).mean(axis=0)}, index=groups
    )
    assert found.limit == pytest.approx(np.sqrt(limit), rel=1e-12)
    assert set(expected["prob_outlying"]) == {0.0, 0.5, 1.0}
    for name in expected:
        np.testing.assert_allclose(found.table.loc[groups, name], expected[name], rtol=1e-10)
    assert found.groups == expected.index[expected["prob_outlying"] == 1.0].tolist()
    assert found.table.index[0] == found.groups[0]
    assert found.effects.loc[("g2", "Intercept"), "estimate"] == pytest.approx((6.0 / 2.0 + 2.0 / 1.0) / 2, rel=1e-12)
    assert "levels of g stand out: " in repr(found)


def test_outlying_rates_of_a_beta_population():
    data = pd.DataFrame({"g": list("abc"), "s": [5, 6, 15], "n": [20, 20, 20]})
    model = hm.model("s/n ~ (1 | g)", data, pooling="beta")
    rates = np.array([[0.2, 0.3, 0.9], [0.25, 0.3, 0.8]])
    fit = fit_of(model, rate_mean=[0.3, 0.4], rate_spread=[0.2, 0.3], rate__g=rates)
    found = fit.outlying("g")
    mean, size = np.array([0.3, 0.4]), np.array([0.2, 0.3]) ** -2.0
    unit = stats.norm.ppf(stats.beta((mean * size)[:, None], ((1.0 - mean) * size)[:, None]).cdf(rates))
    np.testing.assert_allclose(found.table.loc[list("abc"), "distance"], np.abs(unit).mean(axis=0), rtol=1e-8)
    np.testing.assert_allclose(found.effects["estimate"], unit.mean(axis=0), rtol=1e-8)
