"""What made simulated data lies in intervals of its posterior as often as these say, family by family."""

import numpy as np
import pytest
from scipy import special, stats

from tests.calibration.recovery import ALPHA, PHI, SIGMA, Case, Unknown, assert_intervals_hold, grouped, predictor


def _beta(rng, frame, values):
    rate, phi = special.expit(predictor(frame, values)), values["phi"]
    return {"y": np.clip(rng.beta(rate * phi, (1.0 - rate) * phi), 1e-9, 1.0 - 1e-9)}


def _geometric(rng, frame, values):
    return {"y": rng.geometric(1.0 / (1.0 + np.exp(predictor(frame, values)))) - 1}


def _nbinom1(rng, frame, values):
    return {"y": rng.poisson(values["phi"] * rng.gamma(np.exp(predictor(frame, values)) / values["phi"]))}


def _gaussian(rng, frame, values):
    return {"y": rng.normal(np.exp(predictor(frame, values)), values["sigma"])}


def _gamma(rng, frame, values):
    return {"y": rng.gamma(values["alpha"], 1.0 / (values["alpha"] * predictor(frame, values)))}


def _rare(rng, frame, values):
    return {"y": rng.binomial(1, np.exp(predictor(frame, values)))}


def _inflated(rng, frame, values):
    ends, ones = (rng.random(len(frame)) < values[name] for name in ("zoi", "coi"))
    return {"y": np.where(ends, ones, _beta(rng, frame, values)["y"])}


def _measured(rng, frame, values):
    error = rng.uniform(0.1, 1.0, len(frame))
    return {"y": rng.normal(predictor(frame, values), np.hypot(error, values.get("sigma", 0.0))), "s": error}


SHARES = {name: Unknown("Beta(2, 4)", stats.beta(2, 4)) for name in ("zoi", "coi")}
# where links bound predictors, priors with next to nothing beyond
LOW = {
    "Intercept": Unknown("Normal(-1.5, 0.3)", stats.norm(-1.5, 0.3)),
    "x": Unknown("Normal(0, 0.2)", stats.norm(0.0, 0.2)),
}
HIGH = {
    "Intercept": Unknown("Normal(2, 0.2)", stats.norm(2.0, 0.2)),
    "x": Unknown("Normal(0, 0.3)", stats.norm(0.0, 0.3)),
}
CASES = {
    "gaussian(log)": Case("y ~ x + (1 | g)", "gaussian(log)", grouped(1.0, 0.4, sigma=SIGMA), _gaussian),
    "gamma(inverse)": Case(
        "y ~ x", "gamma(inverse)", {**HIGH, "alpha": Unknown("Gamma(4, 1)", stats.gamma(4))}, _gamma
    ),
    "bernoulli(log)": Case("y ~ x", "bernoulli(log)", LOW, _rare),
    "zero_one_inflated_beta": Case(
        "y ~ x + (1 | g)", "zero_one_inflated_beta", grouped(0.3, 0.7, phi=PHI, **SHARES), _inflated
    ),
    "se": Case("y | se(s) ~ x + (1 | g)", "gaussian", grouped(0.0, 1.0), _measured),
    "se with sigma": Case(
        "y | se(s, sigma = TRUE) ~ x + (1 | g)", "gaussian", grouped(0.0, 1.0, sigma=SIGMA), _measured
    ),
    "beta": Case("y ~ x + (1 | g)", "beta", grouped(0.3, 0.7, phi=PHI), _beta),
    "geometric": Case("y ~ x + (1 | g)", "geometric", grouped(1.0, 0.5), _geometric),
    "nbinom1": Case("y ~ x + (1 | g)", "nbinom1", grouped(1.0, 0.5, phi=ALPHA), _nbinom1),
}


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_what_made_the_data(name):
    assert_intervals_hold(CASES[name], seed=1)
