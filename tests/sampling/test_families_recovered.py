"""Short runs of negative binomial, Student, gamma, lognormal and beta-binomial models recover what made their data."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import effective_size

GROUPS, EACH = 12, 30
COEFFICIENTS = {"Intercept": 0.4, "x": -0.7}
SD = 0.5
FAMILIES = {
    "negbinomial": ("y", {"alpha": 1.5}),
    "student": ("y", {"sigma": 0.8, "nu": 4.0}),
    "gamma": ("y", {"alpha": 2.5}),
    "lognormal": ("y", {"sigma": 0.7}),
    "beta_binomial": ("y/n", {"kappa": 3.0}),
}


def simulated(family, rng):
    frame = pd.DataFrame({"g": np.repeat(np.arange(GROUPS), EACH), "x": np.tile([0, 1], GROUPS * EACH // 2), "n": 15})
    effects = SD * rng.normal(size=GROUPS)
    eta = COEFFICIENTS["Intercept"] + COEFFICIENTS["x"] * frame["x"] + effects[frame["g"]]
    match FAMILIES[family][1]:
        case {"sigma": sigma, "nu": nu}:
            y = eta + sigma * rng.standard_t(nu, len(frame))
        case {"sigma": sigma}:
            y = np.exp(eta + sigma * rng.normal(size=len(frame)))
        case {"alpha": alpha}:
            y = np.exp(eta) * rng.gamma(alpha, 1.0 / alpha, len(frame))
            y = rng.poisson(y) if family == "negbinomial" else y
        case {"kappa": kappa}:
            rate = 1.0 / (1.0 + np.exp(-eta))
            y = rng.binomial(15, rng.beta(rate * kappa, (1.0 - rate) * kappa))
    return frame.assign(y=y), effects


BY_PYMC = [pytest.param((family, "pymc"), id=f"{family}-pymc", marks=pytest.mark.slow) for family in FAMILIES]


@pytest.fixture(scope="module", params=[*((family, "auto") for family in FAMILIES), *BY_PYMC], ids=str)
def recovered(request):
    """A family's fit, and the group effects that made the data."""
    family, engine = request.param
    frame, effects = simulated(family, np.random.default_rng(11))
    text = f"{FAMILIES[family][0]} ~ x + (1 | g)"
    settings = {"draws": 800, "tune": 500, "chains": 2, "seed": 5, "engine": engine, "progress": False}
    return family, hm.fit(text, frame, family, **settings), effects


def assert_near(draws, truth):
    """Within three posterior standard deviations and the Monte Carlo error of the mean."""
    error = 3.0 * draws.std() + 4.0 * draws.std() / np.sqrt(effective_size(draws))
    assert abs(draws.mean() - truth) < error


def test_parameters_are_recovered(recovered):
    family, fit, _ = recovered
    assert fit.check().passed, repr(fit.check())
    for name, truth in {**COEFFICIENTS, **FAMILIES[family][1], "1|g_sigma": SD}.items():
        assert_near(fit.posterior[name].to_numpy(), truth)


def test_effects_of_groups_are_recovered(recovered):
    _, fit, effects = recovered
    found = fit.ranef()["g"]["Intercept"].to_numpy()
    assert np.corrcoef(found, effects)[0, 1] > 0.9
    for place, truth in enumerate(effects):
        assert_near(fit.posterior["1|g"].to_numpy()[..., place], truth)


def test_parameters_are_known_well_enough_to_tell(recovered):
    """The intervals that hold the truth are no wider than the data allow."""
    family, fit, _ = recovered
    assert fit.fixef().loc["x", "sd"] < 0.2
    for name, truth in FAMILIES[family][1].items():
        assert fit.posterior[name].to_numpy().std() < (1.0 if name == "nu" else 0.25) * truth
