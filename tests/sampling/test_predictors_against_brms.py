"""Posteriors of models whose parameters each have a linear predictor against brms's: means and sds."""

import numpy as np
import pandas as pd
import pytest
from brms_tools import assert_same_moments, stored

import hiermod as hm
from tests.truth import REFERENCE

WIDTHS = {"Intercept": "Normal(0, 1.5)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
CASES = {  # formula, the parameter beside the mean, which kinds of priors it has, and further priors
    "gaussian": ("y ~ x + (1 | p | g); sigma ~ x + (1 | p | g)", "sigma", 3, {"cor": "LKJ(2)"}),
    "student": ("t ~ x; sigma ~ x", "sigma", 2, {"nu": "Gamma(2, 0.1, lower=1)"}),  # brms has no nu below 1
    "negbinomial": ("c ~ x + (1 | g); alpha ~ x", "alpha", 2, {}),
    "beta_binomial": ("s/n ~ x; kappa ~ x", "kappa", 2, {}),
}
NAMES = {"shape": "alpha", "phi": "kappa"}  # brms's of parameters


def draws_of(fit, variable):
    """Draws of a parameter as brms names it: ``b_sigma_x``, ``sd_g__sigma_Intercept``, ``r_g__sigma[a:Intercept]``."""
    posterior = fit.posterior
    for theirs, own in NAMES.items():
        variable = variable.replace(f"_{theirs}_", f"_{own}_")
    if variable.startswith("r_g"):
        parameter, _, place = variable.removeprefix("r_g").partition("[")
        effects = posterior[f"{parameter.removeprefix('__')}_1|g" if parameter else "1|g"]
        return effects.sel(g__factor_dim=place.partition(":")[0]).to_numpy()
    if variable.startswith("sd_g__"):
        return posterior[f"{variable.removeprefix('sd_g__').replace('Intercept', '1')}|g_sigma"].to_numpy()
    if variable.startswith("cor_"):
        return posterior["1+sigma_1|g_cor"].to_numpy()[..., 0]
    return posterior[variable.removeprefix("b_")].to_numpy()


def priors_of(name):
    _, parameter, kinds, others = CASES[name]
    grouped = {key: prior for key, prior in WIDTHS.items() if key != "sd" or "|" in CASES[name][0]}
    beside = {f"{parameter}: {key}": prior for key, prior in [*WIDTHS.items()][:kinds]}
    return {**grouped, **beside, **others}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_posteriors_are_brms_s(name):
    data = pd.read_csv(REFERENCE / "predictors_data.csv")
    settings = {"draws": 5000, "chains": 4, "cores": 1, "seed": 3, "progress": False}
    fit = hm.fit(CASES[name][0], data, name, priors=priors_of(name), **settings)
    for variable, row in stored("predictors", name).iterrows():
        assert_same_moments(draws_of(fit, variable), row, variable)


@pytest.mark.parametrize("name", CASES)
def test_priors_are_those_of_the_script(name):
    rng = np.random.default_rng(1)
    frame = {"x": np.arange(40) % 2, "g": [f"g{k % 5}" for k in range(40)], "n": 9, "y": rng.normal(size=40)}
    others = {"t": rng.normal(size=40), "c": rng.poisson(3.0, 40), "s": rng.binomial(9, 0.4, 40)}
    data = pd.DataFrame({**frame, **others})
    table = hm.model(CASES[name][0], data, name, priors=priors_of(name)).prior_summary()
    stated = {"Normal(0, 1.5)", "Normal(0, 1)", "HalfNormal(1)", "LKJ(2)", "Gamma(2, 0.1, lower=1)"}
    assert set(table["prior"]) <= stated
