"""What made simulated data lies in intervals of its posterior as often as these say, family by family."""

import warnings

import numpy as np
import pytest
from scipy import special, stats

from tests.calibration.recovery import Case, Unknown, assert_calibrated, errors, predictor

GROUPED = {
    "x": Unknown("Normal(0, 0.7)", stats.norm(0.0, 0.7)),
    "1|g_sigma": Unknown("HalfNormal(0.5)", stats.halfnorm(scale=0.5), "sd"),
}


def grouped(intercept, scale, **own):
    """Unknowns of ``y ~ x + (1 | g)``, and those of the family."""
    return {"Intercept": Unknown(f"Normal({intercept}, {scale})", stats.norm(intercept, scale)), **GROUPED, **own}


def _beta(rng, frame, values):
    rate, phi = special.expit(predictor(frame, values)), values["phi"]
    return {"y": np.clip(rng.beta(rate * phi, (1.0 - rate) * phi), 1e-9, 1.0 - 1e-9)}


def _geometric(rng, frame, values):
    return {"y": rng.geometric(1.0 / (1.0 + np.exp(predictor(frame, values)))) - 1}


def _nbinom1(rng, frame, values):
    return {"y": rng.poisson(values["phi"] * rng.gamma(np.exp(predictor(frame, values)) / values["phi"]))}


CASES = {
    "beta": Case(
        "y ~ x + (1 | g)", "beta", grouped(0.3, 0.7, phi=Unknown("Gamma(6, 0.6)", stats.gamma(6, scale=1 / 0.6))), _beta
    ),
    "geometric": Case("y ~ x + (1 | g)", "geometric", grouped(1.0, 0.5), _geometric),
    "nbinom1": Case(
        "y ~ x + (1 | g)", "nbinom1", grouped(1.0, 0.5, phi=Unknown("Gamma(4, 2)", stats.gamma(4, scale=0.5))), _nbinom1
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_what_made_the_data(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_calibrated(errors(CASES[name], seed=1))
