"""`fit.loo()` on cells against ArviZ's `loo` on raw rows, with a log likelihood worked out here from the same draws."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from answer_tools import TOLERANCE, arviz_loo, assert_same, draws_of, with_made_up_draws
from scipy import special, stats

import hiermod as hm
from hiermod.answers import reader
from hiermod.answers.scoring import held_out
from hiermod.data.cells.observations import observations

CDF = {"logit": special.expit, "probit": stats.norm.cdf, "cloglog": lambda eta: -np.expm1(-np.exp(eta))}


@pytest.fixture(scope="module")
def country_log_likelihood(country_fit):
    data = hm.example("country")
    country, treated = (data["country"] == "China").to_numpy().astype(int), data["treated"].to_numpy()
    eta = draws_of(country_fit, "Intercept")[:, None] + draws_of(country_fit, "1|country")[:, country]
    slope = draws_of(country_fit, "treated")[:, None] + draws_of(country_fit, "treated|country")[:, country]
    return stats.bernoulli.logpmf(data["success"].to_numpy().astype(int), special.expit(eta + treated * slope))


def test_four_cells_give_what_400_rows_give(country_fit, country_log_likelihood):
    loo = country_fit.loo()
    assert (loo.n, len(loo.pointwise)) == (400, 8)
    assert_same(loo, arviz_loo(country_fit, country_log_likelihood))
    formula = "success ~ treated + (1 + treated | country)"
    rows = hm.model(formula, hm.example("country"), compress=False).with_draws(country_fit.idata).loo()
    assert (rows.n, len(rows.pointwise)) == (400, 400)
    for name in ("elpd", "se", "p"):
        np.testing.assert_allclose(getattr(loo, name), getattr(rows, name), rtol=1e-12)


def test_totals_are_sums_over_the_distinct_observations(country_fit):
    loo = country_fit.loo()
    assert list(loo.pointwise.columns) == ["cell", "successes", "trials", "times", "elpd", "p", "pareto_k", "refitted"]
    times = loo.pointwise["times"]
    assert times.sum() == loo.n
    np.testing.assert_allclose((times * loo.pointwise["elpd"]).sum(), loo.elpd)
    np.testing.assert_allclose((times * loo.pointwise["p"]).sum(), loo.p)
    rows = np.repeat(loo.pointwise["elpd"], times)
    np.testing.assert_allclose(np.sqrt(loo.n * rows.var(ddof=0)), loo.se)
    cells = country_fit.cells
    np.testing.assert_array_equal(times.groupby(loo.pointwise["cell"]).sum(), cells["trials"])
    np.testing.assert_array_equal(times[loo.pointwise["successes"] == 1], cells["successes"])


def test_the_table_has_one_row(country_fit):
    loo = country_fit.loo()
    assert list(loo.table.columns) == ["elpd", "se", "p", "n", "warning", "good_k"]
    assert loo.table.loc["loo"].to_list() == [loo.elpd, loo.se, loo.p, 400, False, 0.7]
    assert [type(value) for value in (loo.elpd, loo.se, loo.p, loo.n)] == [float, float, float, int]


def test_what_is_printed(country_fit):
    lines = repr(country_fit.loo()).splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["elpd_loo", "p_loo"]
    assert lines[2] == "400 observations, 8 of them distinct; 4,000 draws"
    assert lines[3].startswith("Pareto k: none above 0.70 (largest ")


def test_a_stored_fit_gives_the_same(country_fit, tmp_path):
    country_fit.save(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(hm.load(tmp_path / "fit.nc").loo().pointwise, country_fit.loo().pointwise)


@pytest.mark.parametrize("link", CDF)
def test_equal_binomial_rows_of_a_cell_are_computed_once(link):
    data = pd.DataFrame({"g": list("aaaabbb"), "s": [3, 3, 1, 3, 0, 2, 2], "n": [5, 5, 5, 6, 4, 4, 4]})
    fit = with_made_up_draws(hm.model("s/n ~ (1 | g)", data, family=f"binomial({link})"), {"Intercept": 0.2})
    group = (data["g"] == "b").to_numpy().astype(int)
    rate = CDF[link](draws_of(fit, "Intercept")[:, None] + draws_of(fit, "1|g")[:, group])
    loo = fit.loo()
    assert_same(loo, arviz_loo(fit, stats.binom.logpmf(data["s"], data["n"], rate)))
    seen = loo.pointwise[["cell", "successes", "trials", "times"]].to_numpy().tolist()
    assert seen == [[0, 1, 5, 1], [0, 3, 5, 2], [0, 3, 6, 1], [1, 0, 4, 1], [1, 2, 4, 2]]


def test_counts_with_an_exposure():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.integers(0, 3, 60), "days": rng.choice([1.0, 7.0], 60)})
    data["y"] = rng.poisson(data["days"] * np.exp(0.2 * data["x"]))
    fit = with_made_up_draws(hm.model("y ~ x + offset(log(days))", data, family="poisson"), {"x": 0.2}, spread=0.03)
    eta = draws_of(fit, "Intercept")[:, None] + draws_of(fit, "x")[:, None] * data["x"].to_numpy()
    loo = fit.loo()
    assert_same(loo, arviz_loo(fit, stats.poisson.logpmf(data["y"], np.exp(eta) * data["days"].to_numpy())))
    assert list(loo.pointwise.columns[:3]) == ["cell", "value", "times"]
    assert len(loo.pointwise) == len(data.drop_duplicates()) < 60


def test_real_responses(sleepstudy_fit):
    data = hm.example("sleepstudy")
    codes, days = pd.factorize(data["Subject"], sort=True)[0], data["Days"].to_numpy()
    eta = draws_of(sleepstudy_fit, "Intercept")[:, None] + draws_of(sleepstudy_fit, "1|Subject")[:, codes]
    slope = draws_of(sleepstudy_fit, "Days")[:, None] + draws_of(sleepstudy_fit, "Days|Subject")[:, codes]
    sigma = draws_of(sleepstudy_fit, "sigma")[:, None]
    log_likelihood = stats.norm.logpdf(data["Reaction"].to_numpy(), eta + days * slope, sigma)
    assert_same(sleepstudy_fit.loo(), arviz_loo(sleepstudy_fit, log_likelihood))


@pytest.mark.parametrize(
    ("family", "responses"), [("bernoulli", [0, 1, 1, 0]), ("poisson", [0, 4, 4, 2]), ("gaussian", [0.5, 1.5, 1.5, 2])]
)
def test_a_frequency_weight_counts_its_row_that_often(family, responses):
    data = pd.DataFrame({"y": responses, "x": [0, 0, 0, 1], "w": [3, 1, 2, 40]})
    weighted = with_made_up_draws(hm.model("y | weights(w) ~ x", data, family=family))
    repeated = hm.model("y ~ x", data.loc[data.index.repeat(data["w"])], family=family).with_draws(weighted.idata)
    loo, other = weighted.loo(), repeated.loo()
    assert loo.n == other.n == 46
    assert len(loo.pointwise) == 3
    for name in ("elpd", "se", "p"):
        np.testing.assert_allclose(getattr(loo, name), getattr(other, name), rtol=1e-12)
    pd.testing.assert_frame_equal(loo.pointwise, other.pointwise)


def test_blocks_of_any_size_give_the_same(country_fit, monkeypatch):
    loo = country_fit.loo()
    monkeypatch.setattr(reader, "BLOCK", 1)
    pd.testing.assert_frame_equal(country_fit.loo().pointwise, loo.pointwise)


def test_one_chain_is_taken_for_efficient():
    data = pd.DataFrame({"y": [0, 1, 1, 0, 1], "x": [0, 0, 0, 1, 1]})
    fit = with_made_up_draws(hm.model("y ~ x", data), chains=1, draws=300)
    eta = draws_of(fit, "Intercept")[:, None] + draws_of(fit, "x")[:, None] * data["x"].to_numpy()
    loo = fit.loo()
    assert_same(loo, arviz_loo(fit, stats.bernoulli.logpmf(data["y"], special.expit(eta))))
    assert loo.good_k == pytest.approx(1 - 1 / np.log10(300))


def test_an_outlier_is_named_with_the_next_step():
    data = pd.DataFrame({"y": [0.1, -0.2, 0.3, 40.0], "x": [0, 1, 2, 3]})
    fit = with_made_up_draws(hm.model("y ~ x", data), spread=0.3, seed=1)
    loo = fit.loo()
    eta = draws_of(fit, "Intercept")[:, None] + draws_of(fit, "x")[:, None] * data["x"].to_numpy()
    expected = arviz_loo(fit, stats.norm.logpdf(data["y"].to_numpy(), eta, draws_of(fit, "sigma")[:, None]))
    np.testing.assert_allclose(loo.elpd, expected.elpd, **TOLERANCE)
    assert loo.warning
    assert 40.0 in loo.unreliable["value"].to_list()
    text = repr(loo)
    assert "4 observations, all distinct; 1,000 draws" in text
    assert f"above 0.67 for {len(loo.unreliable)} observations, all distinct (largest" in text
    assert "-> their elpd is not reliable" in text


def test_rates_that_round_to_one():
    data = pd.DataFrame({"y": [1, 1, 1, 0, 1], "x": [0, 0, 0, 1, 1]})
    fit = with_made_up_draws(hm.model("y ~ x", data), {"Intercept": 800.0, "x": -800.0})
    loo = fit.loo()
    sure = loo.pointwise.iloc[0]
    assert sure[["times", "elpd", "p", "pareto_k", "refitted"]].to_list() == [3, 0.0, 0.0, -np.inf, False]
    assert np.isfinite(loo.pointwise[["elpd", "p"]]).all(axis=None)
    assert not loo.warning
    never = with_made_up_draws(hm.model("y ~ x", data), {"Intercept": -800.0}).loo()
    np.testing.assert_allclose(never.pointwise.loc[0, "elpd"], -800.0, atol=1.0)


def test_ratios_that_stand_still_in_their_tail_are_taken_as_they_are():
    model = hm.model("y ~ 1", pd.DataFrame({"y": [0, 1, 1]}))
    stuck = np.where(np.arange(400) < 200, -0.5, 0.5).reshape(4, 100)
    loo = model.with_draws(xr.Dataset({"Intercept": (("chain", "draw"), stuck)})).loo()
    rate = special.expit(stuck)
    np.testing.assert_allclose(loo.pointwise["elpd"], [-np.log((1 / (1 - rate)).mean()), -np.log((1 / rate).mean())])
    assert loo.pareto_k.isna().all()
    assert loo.warning


def test_memory_does_not_grow_with_the_rows(monkeypatch):
    count, draws = 20_000, 400  # an array of draws × rows would have 64 MB
    data = pd.DataFrame({"y": np.arange(count) % 3, "x": np.linspace(-1, 1, count)})
    posterior = with_made_up_draws(hm.model("y ~ x", data, family="poisson"), draws=draws // 4)._posterior
    rows = observations(posterior.spec.cells)
    monkeypatch.setattr(reader, "BLOCK", 100_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in held_out.log_densities(posterior, rows)) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8e6


def test_too_few_draws_are_refused():
    model = hm.model("y ~ 1", pd.DataFrame({"y": [0, 1, 1]}))
    with pytest.raises(hm.errors.AnswerError, match="at least 25 draws, better thousands; this fit has 24"):
        with_made_up_draws(model, draws=6).loo()
    assert with_made_up_draws(model, draws=7).loo().n == 3


def test_cells_that_average_over_predictors_leave_out_single_rows():
    rng = np.random.default_rng(3)
    size = 300
    frame = pd.DataFrame({"x": rng.normal(size=size), "z": rng.normal(size=size), "g": rng.choice(list("abc"), size)})
    frame["y"] = 1.0 + frame["x"] * frame["z"] + rng.normal(size=size)
    text = "y ~ x*z + (1 | g)"
    cells, rows = (hm.model(text, frame, compress=compress) for compress in (True, False))
    assert len(cells.cells) == 3
    fit = cells.fit(draws=100, tune=200, chains=2, seed=1, progress=False)
    one, other = fit.loo(), rows.with_draws(fit.idata).loo()
    np.testing.assert_allclose([one.elpd, one.se, one.p], [other.elpd, other.se, other.p], rtol=1e-9)
    assert one.n == size
