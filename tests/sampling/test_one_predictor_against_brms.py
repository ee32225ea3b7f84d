"""Posteriors of families with one linear predictor beside those of brms with the same priors (one_predictor.R)."""

import pandas as pd
import pytest
from brms_tools import assert_same_moments, stored

import hiermod as hm
from tests.truth import REFERENCE

COMMON = {"Intercept": "Normal(0, 1.5)", "x": "Normal(0, 1)"}
GROUPED = {**COMMON, "sd": "HalfNormal(1)"}
MODELS = {  # formula, family, priors
    "beta": ("y ~ x + (1 | g)", "beta", {**GROUPED, "phi": "Gamma(2, 0.1)"}),
    "zero_one_inflated_beta": (
        "y ~ x + (1 | g)", "zero_one_inflated_beta",
        {**GROUPED, "phi": "Gamma(2, 0.1)", "zoi": "Beta(1, 2)", "coi": "Beta(2, 2)"},
    ),
    "geometric": ("y ~ x + (1 | g)", "geometric", GROUPED),
    "nbinom1": ("y ~ x + (1 | g)", "nbinom1", {**GROUPED, "phi": "Gamma(2, 1)"}),
    "gamma_inverse": (
        "y ~ x", "gamma(inverse)", {"Intercept": "Normal(1, 1)", "x": "Normal(0, 0.5)", "alpha": "Gamma(2, 0.5)"}
    ),
    "bernoulli_log": ("y ~ x", "bernoulli(log)", {"Intercept": "Normal(-1, 1)", "x": "Normal(0, 0.5)"}),
    "gaussian_log": ("y ~ x + (1 | g)", "gaussian(log)", {**GROUPED, "sigma": "Exponential(1)"}),
    "se": ("y | se(x) ~ 1 + (1 | g)", None, {"Intercept": "Normal(0, 20)", "sd": "HalfNormal(15)"}),
    "se_sigma": (
        "y | se(x, sigma = TRUE) ~ 1 + (1 | g)", None,
        {"Intercept": "Normal(0, 2)", "sd": "HalfNormal(1)", "sigma": "Exponential(1)"},
    ),
}  # fmt: skip
DATA = pd.read_csv(REFERENCE / "one_predictor_data.csv", keep_default_na=False)
NAMES = {"b_Intercept": "Intercept", "b_x": "x", "sd_g__Intercept": "1|g_sigma", "shape": "alpha"}


def draws_of(fit, variable):
    """Draws of brms's variable, shape ``(chain, draw)``; None of what a model fixes."""
    if variable.startswith("r_g["):
        level = variable.removeprefix("r_g[").partition(":")[0]
        return fit.posterior["1|g"].sel(g__factor_dim=level).to_numpy()
    name = NAMES.get(variable, variable)
    return fit.posterior[name].to_numpy() if name in fit.posterior else None


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_means_and_standard_deviations_are_those_of_brms(name):
    text, family, priors = MODELS[name]
    data = DATA[DATA["model"] == name].reset_index(drop=True)
    fit = hm.fit(text, data, family, priors=priors, draws=5000, seed=1, target_accept=0.95, progress=False)
    compared = 0
    for variable, row in stored("one_predictor", name).iterrows():
        draws = draws_of(fit, variable)
        if draws is None or not row["sd"] > 0.0:  # what a model fixes, as brms's sigma under se()
            continue
        assert_same_moments(draws, row, variable)
        compared += 1
    assert compared >= 2
