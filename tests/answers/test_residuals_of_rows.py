"""Fitted values and residuals: R's of the same estimates, closed forms, brute force over rows and draws, uniformity."""

import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from answer_tools import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import hiermod as hm
from hiermod.errors import AnswerError
from hiermod.families import registry

sys.path.insert(0, str(Path(__file__).parents[1] / "families"))
from unit_gamma import UNIT_GAMMA, shares

REFERENCE = Path(__file__).parents[1] / "reference"
OF_R = pd.read_csv(REFERENCE / "residuals.csv")
ESTIMATES = pd.read_csv(REFERENCE / "residuals_estimates.csv", dtype={"level": str}, keep_default_na=False)
TICKS = pd.read_csv(REFERENCE / "grouseticks.csv", dtype={"YEAR": str})
CASES = {
    "gaussian": ("Reaction ~ Days", hm.example("sleepstudy"), "gaussian"),
    "gamma": ("Reaction ~ Days", hm.example("sleepstudy"), "gamma"),
    "poisson": ("TICKS ~ YEAR + offset(log(HEIGHT))", TICKS, "poisson"),
    "binomial": ("cbind(incidence, size - incidence) ~ period", hm.example("cbpp"), "binomial"),
    "probit": ("incidence/size ~ period", hm.example("cbpp"), "binomial(probit)"),
    "lmer": ("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"), "gaussian"),
    "glmer": ("cbind(incidence, size - incidence) ~ period + (1 | herd)", hm.example("cbpp"), "binomial"),
}  # fmt: skip
SCALES = ("sigma", "alpha")


def of_r(name):
    """A fit whose only draw is R's estimates; standard deviations and correlations play no part."""
    formula, data, family = CASES[name]
    model, own = hm.model(formula, data, family), ESTIMATES[ESTIMATES["model"] == name]
    fixed = own[own["group"] == ""].set_index("term")["value"].rename({"(Intercept)": "Intercept"})
    values = {}
    for variable in model._defined.spec.variables():
        shape = (1, 1, *variable.shape)
        if variable.role == "effect":
            term = {"1": "(Intercept)"}.get(variable.name.partition("|")[0], variable.name.partition("|")[0])
            modes = own[(own["group"] != "") & (own["term"] == term)].set_index("level")["value"]
            values[variable.name] = modes.loc[list(variable.labels[0])].to_numpy()
        elif variable.role == "coefficient":
            values[variable.name] = fixed[[term for term in fixed.index if term.startswith(variable.name)]].to_numpy()
        elif variable.name in SCALES:
            values[variable.name] = fixed["scale"]
        else:
            values[variable.name] = np.zeros(shape) if variable.role == "correlation" else np.ones(shape)
        values[variable.name] = np.reshape(values[variable.name], shape)
    dims = {name: ("chain", "draw", *(f"{name}_{k}" for k in range(array.ndim - 2))) for name, array in values.items()}
    return model.with_draws(xr.Dataset({name: (dims[name], array) for name, array in values.items()}))


@pytest.mark.parametrize("name", CASES)
def test_of_given_estimates_they_are_those_of_r(name):
    fit, expected = of_r(name), OF_R[OF_R["model"] == name].reset_index(drop=True)
    np.testing.assert_allclose(fit.fitted(), expected["fitted"], rtol=1e-7)
    np.testing.assert_allclose(fit.residuals(), expected["response"], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fit.residuals("pearson"), expected["pearson"], rtol=1e-6, atol=1e-8)
    chance = stats.norm.cdf(fit.residuals("quantile"))
    assert (expected["lower"] - 1e-7 <= chance).all()
    assert (chance <= expected["upper"] + 1e-7).all()


def test_of_a_normal_mean_they_are_those_of_the_predictive_normal():
    """With sd sigma known and a flat prior, a response is predicted by N(mean, sigma² (1 + 1/n)), exactly."""
    rng = np.random.default_rng(1)
    y, sigma, draws = rng.normal(5.0, 2.0, 25), 2.0, 200_000
    means = y.mean() + sigma / 5.0 * stats.norm.ppf((np.arange(draws) + 0.5) / draws)
    fit = drawn("y ~ 1", pd.DataFrame({"y": y}), Intercept=means, sigma=np.full(draws, sigma))
    expected = (y - y.mean()) / (sigma * np.sqrt(1.0 + 1.0 / 25.0))
    np.testing.assert_allclose(fit.residuals("pearson"), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fit.residuals("quantile"), expected, rtol=1e-4, atol=1e-4)


FORMULAS = {
    "bernoulli": "s ~ x + (1 | g)", "binomial": "s/n ~ x + (1 | g)", "poisson": "n ~ x + offset(log(e)) + (1 | g)",
    "gaussian": "y | weights(w) ~ x + k + (1 | g)", "negbinomial": "n ~ x + offset(log(e)) + (1 | g)",
    "gamma": "exp(y) ~ x + (1 | g)", "beta_binomial": "s/n ~ x + (1 | g)",
}  # fmt: skip


def frame_of(rows, rng):
    data = pd.DataFrame(
        {
            "n": rng.integers(1, 5, rows), "x": rng.integers(0, 3, rows), "y": rng.normal(size=rows),
            "g": rng.choice(list("abc"), rows), "k": rng.choice(["u", "v"], rows), "w": rng.integers(0, 3, rows),
            "e": rng.integers(1, 3, rows).astype(float), "s": rng.integers(0, 2, rows),
        },
        index=rng.permutation(rows) + 100,
    )  # fmt: skip
    data.iloc[0, data.columns.get_loc("n")] = 4
    return data


def scipys(family, mean, trials, parameters):
    """SciPy's distribution of rows in draws: shape ``(draws, rows)``."""
    trials = trials[None, :]
    match family:
        case "bernoulli" | "binomial":
            return stats.binom(trials, mean)
        case "beta_binomial":
            kappa = parameters["kappa"][:, None]
            return stats.betabinom(trials, mean * kappa, (1.0 - mean) * kappa)
        case "poisson":
            return stats.poisson(mean)
        case "negbinomial":
            alpha = parameters["alpha"][:, None]
            return stats.nbinom(alpha, alpha / (alpha + mean))
        case "gaussian":
            return stats.norm(mean, parameters["sigma"][:, None])
        case "gamma":
            alpha = parameters["alpha"][:, None]
            return stats.gamma(alpha, scale=mean / alpha)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(FORMULAS)), st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans(), st.booleans())
def test_they_are_those_of_the_mixture_of_draws(family, seed, gaps, compress, polars):
    rng = np.random.default_rng(seed)
    data = frame_of(40, rng)
    gone = np.isin(np.arange(40), rng.choice(40, gaps, replace=False))
    used = ~gone & (data["w"].to_numpy() > 0 if family == "gaussian" else True)
    data["x"] = data["x"].astype("Int64").mask(gone)
    model = hm.model(FORMULAS[family], pl.from_pandas(data) if polars else data, family, compress=compress)
    fit = model.with_draws(model.sample_prior(7, seed=1).prior)
    own = data[used].astype({"x": int})
    mean = fit.predict(own).draws.to_numpy().reshape(7, -1)
    y = {"gaussian": own["y"], "gamma": np.exp(own["y"]), "poisson": own["n"], "negbinomial": own["n"]}
    y = y.get(family, own["s"]).to_numpy(dtype=float)
    trials = (own["n"] if family in ("binomial", "beta_binomial") else 1.0 + 0.0 * own["y"]).to_numpy()
    parameters = {
        name: fit.posterior[name].to_numpy().ravel() for name in ("sigma", "alpha", "kappa") if name in fit.posterior
    }
    exact = scipys(family, mean, trials, parameters)
    residual = {kind: fit.residuals(kind) for kind in ("response", "pearson", "quantile")}
    for found in (fit.fitted(), *residual.values()):
        assert list(found.index) == (list(range(40)) if polars else list(data.index))
        np.testing.assert_array_equal(found.notna(), used)
    tolerance = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(fit.fitted()[used], mean.mean(axis=0), **tolerance)
    np.testing.assert_allclose(residual["response"][used], y / trials - mean.mean(axis=0), **tolerance)
    variance = (exact.var() / trials**2).mean(axis=0) + mean.var(axis=0)
    np.testing.assert_allclose(
        residual["pearson"][used], (y / trials - mean.mean(axis=0)) / np.sqrt(variance), **tolerance
    )
    upper = exact.cdf(y).mean(axis=0)
    lower = upper if family in ("gaussian", "gamma") else exact.cdf(y - 1.0).mean(axis=0)
    chance = stats.norm.cdf(residual["quantile"][used])
    assert (chance >= lower - 1e-9).all()
    assert (chance <= upper + 1e-9).all()
    np.testing.assert_array_equal(residual["quantile"], fit.residuals("quantile"))


TRUTHS = {
    "bernoulli": {}, "poisson": {}, "binomial": {}, "beta_binomial": {"kappa": 5.0}, "gaussian": {"sigma": 0.7},
    "student": {"sigma": 0.5, "nu": 3.0}, "gamma": {"alpha": 2.0}, "lognormal": {"sigma": 0.6},
    "negbinomial": {"alpha": 1.5},
}  # fmt: skip


def simulated(family, rows=2000):
    """Data of a right model, and the fit that knows it: its draws are the truth."""
    rng = np.random.default_rng(5)
    x = rng.integers(-2, 3, rows) / 2.0
    trials = rng.integers(2, 8, rows) if family in ("binomial", "beta_binomial") else np.ones(rows)
    record, eta = registry.read_family(family), 0.3 + 0.5 * x
    parameters = list(TRUTHS[family].values())
    y = record.draw_responses(record.mean(eta, *parameters), trials, parameters, rng, (rows,))
    data = pd.DataFrame({"y": y, "x": x, "n": trials})
    values = {"Intercept": 0.3, "x": 0.5, **TRUTHS[family]}
    formula = "y/n ~ x" if family in ("binomial", "beta_binomial") else "y ~ x"
    return drawn(formula, data, family, **{name: np.full(40, value) for name, value in values.items()})


@pytest.mark.parametrize("family", TRUTHS)
def test_of_a_right_model_quantile_residuals_are_standard_normal(family):
    found = simulated(family).residuals("quantile")
    assert stats.kstest(found, "norm").pvalue > 1e-4
    wrong = simulated(family)
    data = wrong.data.assign(y=wrong.data["y"] if family == "bernoulli" else wrong.data["y"] ** 2.0)
    if "n" not in wrong.formula and family != "bernoulli":
        assert stats.kstest(wrong.residuals("quantile", data=data), "norm").pvalue < 1e-6


@pytest.fixture
def unit_gamma(monkeypatch):
    """A family from outside, without a distribution function."""
    monkeypatch.setattr(registry, "REGISTERED", {})

    def registered(**without):
        hm.register_family(replace(UNIT_GAMMA, name="share_of_tests", **dict.fromkeys(without.get("without", ()))))
        return hm.model("y ~ treated + (1 | shop)", shares(), "share_of_tests")

    return registered


def with_truth(model, draws):
    """Draws about the truth of `shares`, with the shops' own."""
    rng = np.random.default_rng(3)
    shops = {"1|shop": np.tile(rng.normal(0.0, 0.5, 8), (1, draws, 1)), "1|shop_sigma": np.full((1, draws), 0.5)}
    values = {"Intercept": -0.4, "treated": 0.6, "phi": 2.0}
    draws_of = {name: (("chain", "draw"), np.full((1, draws), value)) for name, value in values.items()}
    dims = {"1|shop": ("chain", "draw", "shop"), "1|shop_sigma": ("chain", "draw")}
    return model.with_draws(xr.Dataset(draws_of | {name: (dims[name], array) for name, array in shops.items()}))


def test_without_a_distribution_function_new_responses_are_counted(unit_gamma):
    whole = with_truth(unit_gamma(), 4000)
    exact = whole.residuals("quantile"), whole.residuals("pearson")
    registry.REGISTERED.clear()
    drawn_anew = with_truth(unit_gamma(without=("cdf", "variance")), 4000)
    found = drawn_anew.residuals("quantile"), drawn_anew.residuals("pearson")
    share = stats.norm.cdf(exact[0])
    off = np.abs(stats.norm.cdf(found[0]) - share)
    assert (off < 5.0 * np.sqrt(share * (1.0 - share) / 4000) + 2.0 / 4000).all()
    np.testing.assert_allclose(found[1], exact[1], rtol=0.2)
    assert stats.kstest(found[0], "norm").pvalue > 1e-3


@pytest.mark.parametrize(
    ("kind", "without", "lacks"),
    [("quantile", ("cdf", "draw"), "draw"), ("pearson", ("variance", "draw"), "variance")],
)
def test_a_family_that_can_say_neither_is_refused_by_what_it_lacks(unit_gamma, kind, without, lacks):
    fit = with_truth(unit_gamma(without=without), 20)
    with pytest.raises(AnswerError, match=rf"family share_of_tests has no {lacks}.*Give its record {lacks}="):
        fit.residuals(kind)
    assert fit.residuals().notna().all()


def test_rates_from_outside_whose_trials_may_go_together_are_drawn(monkeypatch):
    """Without a correlation, the variance of a share of several trials is that of drawn ones."""
    monkeypatch.setattr(registry, "REGISTERED", {})
    record = replace(registry.FAMILIES["beta_binomial"], kernel=None, statistic="pairs", bambi=None)
    found = {}
    for name, correlation in (("told", record.correlation), ("untold", None)):
        hm.register_family(replace(record, name=f"rates_{name}", correlation=correlation))
        rng = np.random.default_rng(2)
        data = pd.DataFrame({"n": rng.integers(2, 9, 50)}).assign(s=lambda frame: frame["n"] // 2)
        fit = drawn("s/n ~ 1", data, f"rates_{name}", Intercept=np.full(9000, -0.4), kappa=np.full(9000, 3.0))
        found[name] = fit.residuals("pearson")
    np.testing.assert_allclose(found["untold"], found["told"], rtol=0.05)


def test_where_a_predictive_variance_does_not_exist_it_is_refused():
    data = pd.DataFrame({"y": [0.2, 1.4, 0.3, 2.2]})
    heavy = drawn("y ~ 1", data, "student", Intercept=np.ones(3), sigma=np.ones(3), nu=np.array([3.0, 1.9, 4.0]))
    with pytest.raises(AnswerError, match=r"student has no finite variance.*type='quantile' needs none"):
        heavy.residuals("pearson")
    lognormal = drawn("y ~ 1", data, "lognormal", Intercept=np.zeros(3), sigma=np.array([0.5, 1.0, 2.0]))
    with pytest.raises(AnswerError, match="has no posterior mean"):
        lognormal.residuals("pearson")
    np.testing.assert_allclose(lognormal.fitted(), lognormal.predict().table["estimate"])
    assert lognormal.residuals("quantile").notna().all()
    assert heavy.residuals("quantile").notna().all()


def groups_fit():
    data = frame_of(40, np.random.default_rng(8))
    model = hm.model("s/n ~ x + (1 | g)", data.assign(s=np.minimum(data["s"], data["n"])), "binomial")
    return model.with_draws(model.sample_prior(6, seed=2).prior)


@pytest.mark.parametrize("groups", ["observed", "typical", "new", "population", {"g": "typical"}])
def test_fitted_values_are_the_estimates_of_predict(groups):
    fit = groups_fit()
    found = fit.fitted(groups=groups)
    np.testing.assert_allclose(found, fit.predict(groups=groups).table["estimate"], rtol=1e-12)
    np.testing.assert_allclose(fit.residuals(groups=groups), fit.data["s"] / fit.data["n"] - found, rtol=1e-12)


def test_arguments_that_have_no_meaning_are_refused():
    fit = groups_fit()
    with pytest.raises(AnswerError, match=r"type='persons'\. Did you mean 'pearson'"):
        fit.residuals("persons")
    with pytest.raises(AnswerError, match=r"groups='population' is a mean.*groups='new' draws one"):
        fit.residuals("quantile", groups="population")
    with pytest.raises(AnswerError, match="'h' is no grouping factor"):
        fit.fitted(groups={"h": "typical"})


def test_a_stored_fit_is_given_its_rows(tmp_path):
    fit = groups_fit()
    fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    with pytest.raises(AnswerError, match=r"not known any more: give them, fit.residuals\(data=...\)"):
        loaded.residuals("pearson")
    for kind in ("response", "pearson", "quantile"):
        pd.testing.assert_series_equal(loaded.residuals(kind, data=fit.data), fit.residuals(kind))
    with pytest.raises(AnswerError, match=r"40 rows were fitted, of which 39 are left. Give the rows: fit.fitted"):
        loaded.fitted(data=fit.data.iloc[1:])


def test_rows_and_lazy_tables_and_pooled_rates_have_them():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"y": rng.normal(size=120_000), "x": rng.integers(0, 3, 120_000)})
    model = hm.model("y ~ x", duckdb.from_df(data), "gaussian")
    values = {"Intercept": np.array([0.1, 0.2]), "x": np.array([0.0, 0.1]), "sigma": np.array([1.0, 1.1])}
    lazy = model.with_draws(xr.Dataset({name: (("chain", "draw"), value[None]) for name, value in values.items()}))
    here = drawn("y ~ x", data, "gaussian", **values)
    np.testing.assert_allclose(lazy.residuals("pearson"), here.residuals("pearson"))
    pooled = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", draws=300, seed=1)
    rates = pooled.predict().draws.to_numpy().reshape(1200, -1)
    rows = hm.example("variants")
    successes, trials = rows["successes"].to_numpy(), rows["trials"].to_numpy()
    variance = (rates * (1 - rates) / trials).mean(axis=0) + rates.var(axis=0)
    expected = (successes / trials - rates.mean(axis=0)) / np.sqrt(variance)
    np.testing.assert_allclose(pooled.residuals("pearson"), expected, rtol=1e-9)
    chance = stats.norm.cdf(pooled.residuals("quantile"))
    assert (chance <= stats.binom.cdf(successes, trials, rates).mean(axis=0) + 1e-9).all()
