"""Posteriors beside lme4's estimates, and beside quadrature of small models."""

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import REFERENCE, exact, mean_errors

FIXEF = pd.read_csv(REFERENCE / "lme4_fixef.csv").set_index(["model", "term"])["estimate"]
VARCORR = pd.read_csv(REFERENCE / "lme4_varcorr.csv", keep_default_na=False)
WIDE = {"Intercept": "Normal(0, 10)", "slope": "Normal(0, 10)"}
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def expanded(cbpp):
    """One 0/1 row per animal."""
    rows = cbpp.loc[cbpp.index.repeat(cbpp["size"])]
    place = rows.groupby(level=0).cumcount()
    return rows.assign(sick=(place < rows["incidence"]).astype(int)).drop(columns=["incidence", "size"])


@pytest.fixture(scope="module")
def cbpp_fit():
    return hm.glmer(CBPP, hm.example("cbpp"), "binomial", priors=WIDE, seed=1, progress=False)


@pytest.fixture(scope="module")
def cbpp_rows_fit():
    data = expanded(hm.example("cbpp"))
    return hm.glmer("sick ~ period + (1 | herd)", data, "binomial", priors=WIDE, seed=2, progress=False)


def assert_near_lme4(fit, model, names):
    table = fit.fixef()
    for ours, theirs in names.items():
        distance = abs(table.loc[ours, "estimate"] - FIXEF[model, theirs]) / table.loc[ours, "sd"]
        assert distance < 0.25, (ours, distance)


PERIODS = {"Intercept": "(Intercept)", **{f"period[{k}]": f"period{k}" for k in (2, 3, 4)}}


@pytest.mark.parametrize(("name", "model"), [("cbpp_fit", "cbpp"), ("cbpp_rows_fit", "cbpp_rows")])
def test_cbpp_fixed_effects_are_near_lme4(name, model, request):
    fit = request.getfixturevalue(name)
    assert fit.check().passed, repr(fit.check())
    assert_near_lme4(fit, model, PERIODS)


def test_cbpp_rows_and_counts_are_one_model(cbpp_fit, cbpp_rows_fit):
    pd.testing.assert_frame_equal(cbpp_fit.cells.iloc[:, 2:], cbpp_rows_fit.cells.iloc[:, 2:])


def test_sleepstudy_is_near_lme4(sleepstudy_fit):
    assert sleepstudy_fit.check().passed, repr(sleepstudy_fit.check())
    assert_near_lme4(sleepstudy_fit, "sleepstudy_reml", {"Intercept": "(Intercept)", "Days": "Days"})
    theirs = (
        VARCORR[(VARCORR["model"] == "sleepstudy_reml") & (VARCORR["var2"] == "Days")]["sdcor"].astype(float).item()
    )
    draws = sleepstudy_fit.posterior["1+Days|Subject_cor"].to_numpy()
    assert abs(draws.mean() - theirs) < 0.25 * draws.std()


def test_a_square_of_a_predictor_is_near_lme4():
    fit = hm.lmer("Reaction ~ Days + I(Days^2) + (Days | Subject)", hm.example("sleepstudy"), seed=7, progress=False)
    assert fit.check().passed, repr(fit.check())
    names = {"Intercept": "(Intercept)", "Days": "Days", "I(Days^2)": "I(Days^2)"}
    assert_near_lme4(fit, "sleepstudy_square_reml", names)


def test_varcorr_has_lme4s_rows_in_lme4s_order(sleepstudy_fit):
    table = sleepstudy_fit.varcorr()
    theirs = VARCORR[VARCORR["model"] == "sleepstudy_reml"]
    for column in ("grp", "var1", "var2"):
        expected = theirs[column].replace({"(Intercept)": "Intercept", "": None})
        assert [None if pd.isna(name) else name for name in table[column]] == [*expected.where(expected.notna(), None)]
    for ours, lme4 in zip(table.itertuples(), theirs.itertuples(), strict=True):
        assert ours.lower < float(lme4.sdcor) < ours.upper


def test_coef_and_ranef_follow_lme4(sleepstudy_fit):
    theirs = pd.read_csv(REFERENCE / "lme4_coef.csv", dtype={"level": str})
    theirs = theirs[theirs["model"] == "sleepstudy_reml"].pivot(index="level", columns="term", values="value")
    ours = sleepstudy_fit.coef()["Subject"]
    assert list(ours.index) == list(theirs.index)
    assert np.corrcoef(ours["Days"], theirs["Days"])[0, 1] > 0.99
    assert np.corrcoef(ours["Intercept"], theirs["(Intercept)"])[0, 1] > 0.99
    ranef = sleepstudy_fit.ranef()["Subject"]
    common = sleepstudy_fit.fixef()["estimate"]
    np.testing.assert_allclose(ours["Days"], ranef["Days"] + common["Days"])


def test_one_way_binomial_model_against_quadrature():
    data = pd.read_csv(REFERENCE / "oneway_binomial.csv")
    group, successes, trials = data.columns[:3]
    fit = hm.fit(f"{successes}/{trials} ~ (1 | {group})", data, seed=5, progress=False)
    assert fit.check().passed, repr(fit.check())
    draws = fit.rates(by=group).draws
    for level in data[group]:
        own = draws.sel({group: level}).to_numpy().squeeze()
        assert mean_errors(own, exact("oneway_binomial", "rate_mean", str(level))) < 4
    assert mean_errors(fit.posterior["Intercept"].to_numpy(), exact("oneway_binomial", "mu_mean")) < 4
    assert mean_errors(fit.posterior[f"1|{group}_sigma"].to_numpy(), exact("oneway_binomial", "sd_mean")) < 4
    population = fit.rates(groups="population").draws.to_numpy().squeeze()
    assert mean_errors(population, exact("oneway_binomial", "population_rate_mean")) < 4
    typical = fit.rates(groups="typical").draws.to_numpy().squeeze()
    assert mean_errors(typical, exact("oneway_binomial", "typical_rate_mean")) < 4
    new = fit.rates(groups="new").draws.to_numpy().squeeze()
    assert mean_errors(new, exact("oneway_binomial", "population_rate_mean")) < 4


def test_one_way_gaussian_model_against_quadrature():
    data = pd.read_csv(REFERENCE / "oneway_gaussian.csv")
    priors = {"Intercept": "Normal(5, 3)", "sd": "HalfNormal(1)", "sigma": "Exponential(1)"}
    fit = hm.lmer("y ~ (1 | g)", data, priors=priors, seed=6, progress=False)
    assert fit.check().passed, repr(fit.check())
    names = {"intercept": "Intercept", "sd": "1|g_sigma", "sigma": "sigma"}
    for quantity, name in names.items():
        draws = fit.posterior[name].to_numpy()
        assert mean_errors(draws, exact("oneway_gaussian", f"{quantity}_mean")) < 4, quantity
        spread = abs(draws.std() - exact("oneway_gaussian", f"{quantity}_sd"))
        assert spread < 4 * float(azs.mcse(draws, method="sd")), quantity
    means = fit.rates(by="g").draws
    for level in fit.ranef()["g"].index:
        own = means.sel(g=level).to_numpy().squeeze()
        assert mean_errors(own, exact("oneway_gaussian", "group_mean_mean", level)) < 4, level
        effect = fit.posterior["1|g"].sel(g__factor_dim=level).to_numpy()
        assert mean_errors(effect, exact("oneway_gaussian", "effect_mean", level)) < 4, level
