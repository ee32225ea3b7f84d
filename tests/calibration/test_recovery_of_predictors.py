"""What made data whose spread differs between rows and groups lies in intervals as often as these say."""

import warnings

import numpy as np
import pytest
from scipy import stats

from tests.calibration.recovery import Case, Unknown, assert_calibrated, design, errors, predictor


def _spread(rng, frame, values):
    codes = np.unique(frame["g"], return_inverse=True)[1]
    of_log = values["sigma_1|g_sigma"] * rng.normal(size=frame["g"].nunique())[codes]
    log_sigma = values["sigma_Intercept"] + values["sigma_x"] * frame["x"].to_numpy() + of_log
    return {"y": predictor(frame, values) + np.exp(log_sigma) * rng.normal(size=len(frame))}


def _normal(mean, sd):
    return Unknown(f"Normal({mean}, {sd})", stats.norm(mean, sd))


def _half(key):
    return Unknown("HalfNormal(0.5)", stats.halfnorm(scale=0.5), key)


CASE = Case(
    "y ~ x + (1 | g); sigma ~ x + (1 | g)", "gaussian",
    {"Intercept": _normal(1.0, 0.7), "x": _normal(0.0, 0.7), "1|g_sigma": _half("sd"),
     "sigma_Intercept": _normal(-0.3, 0.5), "sigma_x": _normal(0.0, 0.5), "sigma_1|g_sigma": _half("sigma: sd")},
    _spread, design(12, 12),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_intervals_of_a_spread_hold_what_made_the_data():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_calibrated(errors(CASE, seed=2))
