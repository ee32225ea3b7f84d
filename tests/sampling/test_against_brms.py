"""Posteriors of public data beside those of brms, under the same priors: means, medians and spreads."""

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import REFERENCE

STORED = REFERENCE / "brms_public.csv"
pytestmark = pytest.mark.slow
SLEEPSTUDY = {
    "b_Intercept": ("Intercept", {}), "b_Days": ("Days", {}), "sd_Subject__Intercept": ("1|Subject_sigma", {}),
    "sd_Subject__Days": ("Days|Subject_sigma", {}), "cor_Subject__Intercept__Days": ("1+Days|Subject_cor", {}),
    "sigma": ("sigma", {}),
}  # fmt: skip
CBPP = {
    "b_Intercept": ("Intercept", {}), "sd_herd__Intercept": ("1|herd_sigma", {}),
    **{f"b_period{level}": ("period", {"period_dim": str(level)}) for level in (2, 3, 4)},
}  # fmt: skip


def assert_same_posterior(fit, model, names):
    theirs = pd.read_csv(STORED).query("model == @model").set_index("variable")
    assert set(names) == set(theirs.index)
    for theirs_name, (name, place) in names.items():
        draws = fit.posterior[name].sel(place).squeeze()
        for method in ("mean", "median", "sd"):
            ours = float({"mean": draws.mean, "median": draws.median, "sd": draws.std}[method]())
            error = np.hypot(float(azs.mcse(draws, method=method)), theirs.loc[theirs_name, f"mcse_{method}"])
            assert abs(ours - theirs.loc[theirs_name, method]) < 4.5 * error, (theirs_name, method)


def test_sleepstudy():
    priors = {"Intercept": "Normal(300, 50)", "slope": "Normal(0, 20)", "sd": "HalfNormal(40)",
              "sigma": "Exponential(0.04)", "cor": "LKJ(2)"}  # fmt: skip
    fit = hm.fit("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"), priors=priors, draws=4000, seed=1,
                 progress=False)  # fmt: skip
    assert_same_posterior(fit, "sleepstudy", SLEEPSTUDY)


def test_cbpp():
    priors = {"Intercept": "Normal(0, 1)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
    fit = hm.fit("incidence/size ~ period + (1 | herd)", hm.example("cbpp"), priors=priors, draws=4000, seed=1,
                 progress=False)  # fmt: skip
    assert_same_posterior(fit, "cbpp", CBPP)
