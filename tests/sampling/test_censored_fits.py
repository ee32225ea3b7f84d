"""Fits of censored times: the truth is recovered, each row counts by its own probability, and files keep it all."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

import hiermod as hm
from hiermod.errors import AnswerError


def simulated(rows=600, seed=3):
    rng = np.random.default_rng(seed)
    group, x = rng.integers(0, 10, rows), rng.integers(0, 2, rows)
    mean = np.exp(3.0 - 0.6 * x + 0.4 * rng.normal(size=10)[group])
    time = mean * rng.weibull(1.7, rows) / special.gamma(1.0 + 1.0 / 1.7)
    limit = rng.uniform(5.0, 40.0, rows)
    frame = {"g": group, "x": x, "time": np.minimum(time, limit).round(1) + 0.1, "event": (time <= limit).astype(int)}
    return pd.DataFrame(frame)


@pytest.fixture(scope="module")
def frame():
    return simulated()


@pytest.fixture(scope="module")
def fit(frame):
    return hm.fit("Surv(time, event) ~ x + (1 | g)", frame, "weibull", seed=4, progress=False)


def test_the_truth_is_recovered(fit):
    assert fit._posterior.history.engine.name == "compiled"
    assert fit.check().passed
    found = fit.fixef()
    assert found.loc["x", "lower"] < -0.6 < found.loc["x", "upper"]
    shape = fit.posterior["shape"].to_numpy()
    assert abs(shape.mean() - 1.7) < 3.0 * shape.std()


def test_taking_censored_times_for_events_is_another_model(frame, fit):
    naive = hm.fit("time ~ x + (1 | g)", frame, "weibull", seed=4, progress=False)
    assert naive.fixef().loc["Intercept", "estimate"] < fit.fixef().loc["Intercept", "lower"]


def test_other_codings_give_the_same_draws(frame, fit):
    again = hm.fit("time | cens(1 - event) ~ x + (1 | g)", frame, "weibull", seed=4, progress=False)
    np.testing.assert_array_equal(again.posterior["x"].to_numpy(), fit.posterior["x"].to_numpy())


def test_equal_rows_are_one_cell_and_give_the_same_posterior(frame, fit):
    whole = hm.fit("Surv(time, event) ~ x + (1 | g)", frame, "weibull", seed=4, compress=False, progress=False)
    assert len(fit.cells) < len(whole.cells) == len(frame)
    np.testing.assert_allclose(whole.posterior["x"].mean(), fit.posterior["x"].mean(), atol=0.01)


def test_rows_are_left_out_by_their_own_probability(fit, frame):
    """The elpd is near the sum of log densities and log survivals at the posterior mean."""
    values = {name: float(fit.posterior[name].mean()) for name in ("Intercept", "x", "shape")}
    effects = fit.ranef()["g"]["Intercept"].to_numpy()
    eta = values["Intercept"] + values["x"] * frame["x"] + effects[frame["g"]]
    log_hazard = values["shape"] * (np.log(frame["time"]) - eta + special.gammaln(1.0 + 1.0 / values["shape"]))
    density = np.log(values["shape"]) - np.log(frame["time"]) + log_hazard
    total = (np.where(frame["event"] == 1, density, 0.0) - np.exp(log_hazard)).sum()
    assert fit.loo().elpd == pytest.approx(total, abs=20.0)
    assert fit.loo().elpd < total


def test_survival_and_restricted_means_are_answers(fit, frame):
    survival = fit.rates("x", outcome=">20").table
    assert survival["estimate"].iloc[0] > survival["estimate"].iloc[1]
    assert "mean<=" in fit.notices[0]
    last = frame["time"].max()
    limited = fit.effect("x", outcome=f"mean<={last}").table["estimate"].iloc[0]
    assert fit.effect("x").table["estimate"].iloc[0] < limited < 0.0


def test_files_keep_bounds(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    assert again.loo().elpd == pytest.approx(fit.loo().elpd, abs=1e-9)
    assert again.formula == fit.formula
    pd.testing.assert_frame_equal(again.cells, fit.cells)


def test_models_of_one_censored_response_are_compared(fit, frame):
    other = hm.fit("time | cens(1 - event) ~ 1 + (1 | g)", frame, "weibull", seed=4, progress=False)
    assert hm.compare({"x": fit, "none": other}).table.index[0] == "x"
    naive = hm.fit("time ~ x + (1 | g)", frame, "weibull", seed=4, progress=False)
    with pytest.raises(AnswerError, match="different responses"):
        hm.compare({"censored": fit, "naive": naive})


def test_quantile_residuals_are_uniform_under_the_model_and_others_refused(fit):
    residuals = fit.residuals(type="quantile").to_numpy()
    assert abs(residuals.mean()) < 0.15
    assert residuals.std() == pytest.approx(1.0, abs=0.12)
    for question in (fit.residuals, fit.shrinkage, fit.ppc):
        with pytest.raises(AnswerError, match="responses time are censored"):
            question()


@pytest.mark.slow
def test_posteriors_of_censored_times_are_calibrated():
    """Ranks of parameters that were drawn from their priors, in 100 data sets, are uniform."""
    priors = {"Intercept": "Normal(3, 0.5)", "x": "Normal(0, 0.5)", "shape": "LogNormal(0.3, 0.3)"}
    priors["sd"] = "HalfNormal(0.5)"
    ranks = {name: [] for name in ("Intercept", "x", "shape", "1|g_sigma")}
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        truth = {
            "Intercept": rng.normal(3.0, 0.5), "x": rng.normal(0.0, 0.5), "shape": np.exp(0.3 + 0.3 * rng.normal()),
            "1|g_sigma": abs(0.5 * rng.normal()),
        }  # fmt: skip
        place = np.arange(160)
        group, x, shape = place % 8, place // 8 % 2, truth["shape"]
        eta = truth["Intercept"] + truth["x"] * x + (truth["1|g_sigma"] * rng.normal(size=8))[group]
        time = np.exp(eta) * rng.weibull(shape, 160) / special.gamma(1.0 + 1.0 / shape)
        limit = rng.exponential(40.0, 160)
        frame = pd.DataFrame({"g": group, "x": x, "t": np.minimum(time, limit), "e": (time <= limit).astype(int)})
        settings = {"seed": seed, "draws": 400, "chains": 2, "cores": 1, "progress": False}
        fit = hm.fit("Surv(t, e) ~ x + (1 | g)", frame, "weibull", priors=priors, **settings)
        for name, own in ranks.items():
            own.append((fit.posterior[name].to_numpy() < truth[name]).mean())
    for own in ranks.values():
        counts = np.histogram(own, 5, (0.0, 1.0))[0]
        assert ((counts - 20.0) ** 2 / 20.0).sum() < 18.5  # 0.1 % of a chi-squared of 4 degrees
        assert 0.88 <= np.mean(np.abs(np.array(own) - 0.5) < 0.475) <= 1.0
