"""What made durations, censored and truncated responses lies in intervals of the posterior as often as these say."""

import numpy as np
import pytest
from scipy import special, stats

from tests.calibration.recovery import SIGMA, Case, Unknown, assert_intervals_hold, grouped, predictor

SHAPE = Unknown("LogNormal(0.3, 0.4)", stats.lognorm(0.4, scale=np.exp(0.3)))
NDT = Unknown("Gamma(6, 12)", stats.gamma(6, scale=1 / 12))
BETA = Unknown("Gamma(4, 4)", stats.gamma(4, scale=1 / 4))


def _weibull(rng, frame, values):
    shape = values.get("shape", 1.0)
    scale = np.exp(predictor(frame, values)) / special.gamma(1.0 + 1.0 / shape)
    return {"y": scale * rng.weibull(shape, len(frame))}


def _shifted(rng, frame, values):
    return {"y": values["ndt"] + np.exp(rng.normal(predictor(frame, values), values["sigma"]))}


def _exgaussian(rng, frame, values):
    normal = rng.normal(predictor(frame, values) - values["beta"], values["sigma"])
    return {"y": normal + rng.exponential(values["beta"], len(frame))}


def _gaussian(rng, frame, values):
    return {"y": rng.normal(predictor(frame, values), values["sigma"])}


def watched(draw):
    """Responses up to a limit of each, with ``seen``, 1 where one came before."""

    def respond(rng, frame, values):
        y, limit = draw(rng, frame, values)["y"], rng.exponential(12.0, len(frame))
        return {"y": np.minimum(y, limit), "seen": (y <= limit).astype(int)}

    return respond


def by_parts(draw):
    """A third as they are, what lies beyond two limits by these, the rest between whole numbers."""

    def respond(rng, frame, values):
        y, seen = draw(rng, frame, values)["y"], np.arange(len(frame)) % 3 == 0
        low, high = -0.5, 2.5
        code = np.select([seen, y < low, y > high], [0, -1, 1], 2)
        lower = np.select([seen, y < low, y > high], [y, low, high], np.clip(np.floor(y), low, high))
        return {"y": lower, "upper": np.minimum(np.floor(y) + 1.0, high), "code": code}

    return respond


def within(low, high):
    """Of a normal distribution between two bounds, however little of it lies there."""

    def respond(rng, frame, values):
        mean, sigma = predictor(frame, values), values["sigma"]
        between = stats.truncnorm((low - mean) / sigma, (high - mean) / sigma, loc=mean, scale=sigma)
        return {"y": between.rvs(random_state=rng)}

    return respond


def exponentiated(draw):
    return lambda rng, frame, values: {"y": np.exp(draw(rng, frame, values)["y"])}


CASES = {
    "weibull": Case("y ~ x + (1 | g)", "weibull", grouped(1.0, 0.7, shape=SHAPE), _weibull),
    "exponential": Case("y ~ x + (1 | g)", "exponential", grouped(1.0, 0.7), _weibull),
    "shifted_lognormal": Case(
        "y ~ x + (1 | g)", "shifted_lognormal", grouped(0.0, 0.7, sigma=SIGMA, ndt=NDT), _shifted
    ),
    "exgaussian": Case("y ~ x + (1 | g)", "exgaussian", grouped(1.0, 0.7, sigma=SIGMA, beta=BETA), _exgaussian),
    "censored weibull": Case(
        "Surv(y, seen) ~ x + (1 | g)", "weibull", grouped(1.5, 0.7, shape=SHAPE), watched(_weibull)
    ),
    "censored lognormal": Case(
        "Surv(y, seen) ~ x + (1 | g)", "lognormal", grouped(1.5, 0.7, sigma=SIGMA), watched(exponentiated(_gaussian))
    ),
    "intervals": Case(
        "y | cens(code, upper) ~ x + (1 | g)", "gaussian", grouped(1.0, 0.7, sigma=SIGMA), by_parts(_gaussian)
    ),
    "truncated gaussian": Case(
        "y | trunc(lb = 0) ~ x + (1 | g)", "gaussian", grouped(1.5, 0.5, sigma=SIGMA), within(0.0, np.inf)
    ),
    "truncated lognormal": Case(
        "y | trunc(lb = 1, ub = 9) ~ x + (1 | g)", "lognormal", grouped(1.0, 0.5, sigma=SIGMA),
        exponentiated(within(0.0, np.log(9.0))),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_what_made_the_data(name):
    assert_intervals_hold(CASES[name], seed=4)
