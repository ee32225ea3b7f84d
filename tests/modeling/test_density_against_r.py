"""Densities at R's maximum likelihood estimates are R's, and cannot be raised from there."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
from modeling_tools import QUICK, model_of

from hiermod.data.sources.examples import example
from tests.truth import REFERENCE

ESTIMATES = pd.read_csv(REFERENCE / "families.csv").set_index(["family", "quantity"])["value"]
TICKS = pd.read_csv(REFERENCE / "grouseticks.csv", dtype={"YEAR": str})
NIGHT = example("sleepstudy").assign(Reaction=lambda own: (own["Reaction"] - 270.0).round(4).clip(lower=0.0))
MODELS = {
    "negbinomial": ("TICKS ~ YEAR + cHEIGHT", TICKS),
    "student": ("TICKS ~ YEAR + cHEIGHT", TICKS),
    "gamma": ("Reaction ~ Days", example("sleepstudy")),
    "zero_inflated_poisson": ("TICKS ~ YEAR + cHEIGHT; zi ~ cHEIGHT", TICKS),
    "zero_inflated_negbinomial": ("TICKS ~ cHEIGHT; zi ~ YEAR", TICKS),
    "zero_inflated_binomial": ("incidence/size ~ period; zi ~ 1", example("cbpp")),
    "hurdle_poisson": ("TICKS ~ YEAR + cHEIGHT; hu ~ YEAR", TICKS),
    "hurdle_negbinomial": ("TICKS ~ YEAR + cHEIGHT; hu ~ YEAR", TICKS),
    "hurdle_gamma": ("Reaction ~ Days; hu ~ Days", NIGHT),
} | {f"beta_binomial({link})": ("incidence/size ~ period", example("cbpp")) for link in ("logit", "probit", "cloglog")}


@pytest.fixture(params=MODELS)
def case(request):
    """The likelihood as a function of its parameters, R's estimates of these and their log-likelihood."""
    text, frame = MODELS[request.param]
    model, estimates = model_of(text, frame, request.param), ESTIMATES[request.param]
    (response,) = model.observed_RVs
    density = pm.logp(response, model.rvs_to_values[response]).sum()
    point = [_estimate(estimates, variable.name) for variable in model.free_RVs]
    return pytensor.function(model.free_RVs, density, mode=QUICK), point, estimates["logLik"]


def _estimate(estimates, name):
    """A number, or all differences from a factor's first level."""
    own = estimates.get(name, estimates[estimates.index.str.match(rf"{name}\d")])
    return np.asarray(own, dtype=float)


def test_the_density_is_that_of_r(case):
    density, point, expected = case
    assert float(density(*point)) == pytest.approx(expected, rel=1e-10)


def test_the_density_is_highest_at_r_s_estimates(case):
    density, point, highest = case
    for place, values in enumerate(point):
        for step in (-1e-3, 1e-3):
            moved = [*point[:place], values * (1.0 + step), *point[place + 1 :]]
            assert density(*moved) < highest
