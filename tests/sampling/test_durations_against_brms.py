"""Posteriors of durations, censored and truncated responses beside those of brms with the same priors (durations.R)."""

import pandas as pd
import pytest
from brms_tools import assert_same_moments, stored

import hiermod as hm
from tests.truth import REFERENCE

PRIORS = {"Intercept": "Normal(0, 1.5)", "x": "Normal(0, 1)", "sd": "HalfNormal(1)"}
OF_KIDNEY = {"Intercept": "Normal(4, 2)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
SHAPE, SIGMA = {"shape": "Gamma(2, 1)"}, {"sigma": "Exponential(1)"}
MODELS = {  # formula, family, priors
    "weibull": ("y ~ x + (1 | g)", "weibull", PRIORS | SHAPE),
    "exponential": ("y ~ x + (1 | g)", "exponential", PRIORS),
    "shifted_lognormal": ("y ~ x + (1 | g)", "shifted_lognormal", PRIORS | SIGMA),
    "exgaussian": ("y ~ x + (1 | g)", "exgaussian", PRIORS | SIGMA | {"beta": "Gamma(2, 1)"}),
    "truncated": ("y | trunc(lb = 0) ~ x + (1 | g)", "gaussian", PRIORS | SIGMA),
    "intervals": ("y | cens(censored, upper) ~ x + (1 | g)", "gaussian", PRIORS | SIGMA),
    "kidney_weibull": ("y | cens(censored) ~ x + z + (1 | g)", "weibull", OF_KIDNEY | SHAPE),
    "kidney_lognormal": ("y | cens(censored) ~ x + z + (1 | g)", "lognormal", OF_KIDNEY | SIGMA),
}
DATA = pd.read_csv(REFERENCE / "durations_data.csv")
NAMES = {"b_Intercept": "Intercept", "b_x": "x", "b_z": "z", "sd_g__Intercept": "1|g_sigma"}


def draws_of(posterior, variable):
    """Draws of brms's variable, shape ``(chain, draw)``."""
    if variable.startswith("r_g["):
        return posterior["1|g"].sel(g__factor_dim=variable.removeprefix("r_g[").partition(":")[0]).to_numpy()
    return posterior[NAMES.get(variable, variable)].to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_means_and_standard_deviations_are_those_of_brms(name):
    text, family, priors = MODELS[name]
    data = DATA[DATA["model"] == ("kidney" if name.startswith("kidney") else name)].reset_index(drop=True)
    fit = hm.fit(text, data, family, priors=priors, draws=5000, seed=1, progress=False)
    theirs = stored("durations", name)
    assert len(theirs) >= 3 + data["g"].nunique()
    for variable, row in theirs.iterrows():
        assert_same_moments(draws_of(fit.posterior, variable), row, variable)
