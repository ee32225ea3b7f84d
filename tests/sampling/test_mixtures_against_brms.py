"""Posteriors of zero-inflated families and hurdles against brms's, of the same data and priors: means and sds."""

import pandas as pd
import pytest
from brms_tools import assert_same_moments, stored

import hiermod as hm
from tests.truth import REFERENCE

PRIORS = {"Intercept": "Normal(0, 1.5)", "slope": "Normal(0, 1)", "sd": "HalfNormal(1)"}
OWN = {"alpha": "Gamma(2, 0.5)", "kappa": "Gamma(2, 0.1)", "sigma": "Exponential(1)", "cor": "LKJ(2)"}
CASES = {  # right side of mu, linear predictor of the share of zeros
    "zero_inflated_poisson": ("y ~ x + (1 | g)", "zi ~ z"),
    "zero_inflated_negbinomial": ("y ~ x + (1 | g)", "zi ~ z + (1 | g)"),
    "zero_inflated_binomial": ("y/n ~ x + (1 | g)", ""),
    "zero_inflated_beta_binomial": ("y/n ~ x + (1 | g)", ""),
    "hurdle_poisson": ("y ~ x + (1 | g)", ""),
    "hurdle_negbinomial": ("y ~ x + (1 | g)", "hu ~ z"),
    "hurdle_gamma": ("y ~ x + (1 | p | g)", "hu ~ z + (1 | p | g)"),
    "hurdle_lognormal": ("y ~ x + (1 | g)", "hu ~ z + (1 | g)"),
}
NAMES = {"shape": "alpha", "phi": "kappa", "sd_g__Intercept": "1|g_sigma"}


def draws_of(fit, variable):
    """Draws of a parameter as brms names it."""
    posterior = fit.posterior
    if variable.startswith("r_g"):
        share, _, place = variable.removeprefix("r_g").partition("[")
        effects = posterior[f"{share.removeprefix('__')}_1|g" if share else "1|g"]
        return effects.sel(g__factor_dim=place.partition(":")[0]).to_numpy()
    if variable.startswith("sd_g__") and variable not in NAMES:
        share = variable.removeprefix("sd_g__").removesuffix("_Intercept")
        return posterior[f"{share}_1|g_sigma"].to_numpy()
    if variable.startswith("cor_"):
        return posterior["1+hu_1|g_cor"].to_numpy()[..., 0]
    return posterior[NAMES.get(variable, variable.removeprefix("b_"))].to_numpy()


def asked(name):
    of_mu, of_share = CASES[name]
    record = hm.model(of_mu, frame_of(name), name)._defined.spec.family
    own = {key: OWN[key] for key in (parameter.name for parameter in record.parameters[:-1])}
    if not of_share:
        return of_mu, {**PRIORS, **own}
    share = record.parameters[-1].name
    beside = {f"{share}: {key}": prior for key, prior in PRIORS.items() if key != "sd" or "|" in of_share}
    shared = {"cor": OWN["cor"]} if "| p |" in of_share else {}
    return f"{of_mu}; {of_share}", {**PRIORS, **beside, **own, **shared}


def frame_of(name):
    written = pd.read_csv(REFERENCE / "mixtures_data.csv")
    return written[written["model"] == name].drop(columns="model").reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_posteriors_are_brms_s(name):
    formula, priors = asked(name)
    settings = {"draws": 5000, "chains": 4, "cores": 1, "seed": 3, "progress": False}
    fit = hm.fit(formula, frame_of(name), name, priors=priors, **settings)
    for variable, row in stored("mixtures", name).iterrows():
        if variable != "Intercept" and "Intercept_" not in variable:
            assert_same_moments(draws_of(fit, variable), row, variable)
