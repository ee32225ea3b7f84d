"""Censored models against R's survreg: log likelihoods at its estimates, and posteriors under wide priors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of
from scipy import special

import hiermod as hm

HERE = Path(__file__).parents[1] / "reference"
FOUND = pd.read_csv(HERE / "survreg.csv")
DATA = {name: pd.read_csv(HERE / f"survreg_{name}.csv") for name in ("lung", "mixed")}
FORMULAS = {"lung": "Surv(time, status) ~ age + male", "mixed": "low | cens(kind, high) ~ x"}


def estimates(model):
    """survreg's, by hiermod's names; its weibull and exponential are by the scale, not the mean."""
    rows = FOUND[FOUND["model"] == model].set_index("term")
    values = rows["value"].rename({"(Intercept)": "Intercept"}).to_dict()
    scale = values.pop("scale", 1.0)
    own = {"weibull": {"shape": 1.0 / scale}, "exponential": {}}.get(model, {"sigma": scale})
    if model == "weibull":
        values["Intercept"] += special.gammaln(1.0 + scale)
    return values, own, rows


@pytest.mark.parametrize("model", ["weibull", "exponential", "lognormal", "gaussian"])
def test_log_likelihoods_are_survreg_s(model):
    values, own, rows = estimates(model)
    name = rows["data"].iloc[0]
    spec = spec_of(FORMULAS[name], DATA[name], model)
    frame, response = spec.cells.frame, spec.cells.response
    eta = values["Intercept"] + sum(values[term] * frame[term] for term in values if term != "Intercept")
    seen = spec.family.observation_density(response.parts, eta.to_numpy(), list(own.values()))
    assert (response.count * seen).sum() == pytest.approx(rows["loglik"].iloc[0], abs=1e-6)


@pytest.mark.parametrize("model", ["weibull", "gaussian"])
def test_posteriors_under_wide_priors_are_near_maximum_likelihood(model):
    values, _, rows = estimates(model)
    name = rows["data"].iloc[0]
    priors = {"Intercept": "Normal(0, 50)", "slope": "Normal(0, 10)"}
    fit = hm.fit(FORMULAS[name], DATA[name], model, priors=priors, seed=2, progress=False)
    table = fit.fixef()
    for term in [term for term in values if term != "Intercept"]:
        assert abs(table.loc[term, "estimate"] - values[term]) < 0.25 * rows.loc[term, "se"]
        assert table.loc[term, "sd"] == pytest.approx(rows.loc[term, "se"], rel=0.12)
    assert np.isfinite(fit.loo().elpd)
