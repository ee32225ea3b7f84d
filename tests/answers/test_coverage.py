"""Intervals hold the truth as often as they say, where parameters are drawn from the model's own priors."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm

SETS, GROUPS, TRIALS = 500, 8, 15
PROBS = (0.5, 0.8, 0.95)
PRIORS = {"Intercept": "Normal(-0.5, 1)", "t": "Normal(0, 0.7)", "sd": "HalfNormal(0.6)", "cor": "LKJ(2)"}
ROWS = pd.DataFrame({"g": np.repeat([f"g{k}" for k in range(GROUPS)], 2), "t": [0, 1] * GROUPS, "n": TRIALS})


def expit(eta):
    return 1.0 / (1.0 + np.exp(-eta))


def drawn_world(rng):
    """Common coefficients, the factor of the covariance of effects, effects of the groups and of a new one."""
    b, sds = rng.normal([-0.5, 0.0], [1.0, 0.7]), np.abs(rng.normal(0.0, 0.6, 2))
    r = 2.0 * rng.beta(2.0, 2.0) - 1.0  # LKJ(2) of two
    factor = sds[:, None] * np.array([[1.0, 0.0], [r, np.sqrt(1 - r**2)]])
    return b, factor, rng.normal(size=(GROUPS + 1, 2)) @ factor.T


def truths(b, factor, effects):
    own = expit(b[0] + effects[:, :1] + (b[1] + effects[:, 1:]) * np.array([0.0, 1.0]))
    z, weights = np.polynomial.hermite_e.hermegauss(40)
    sd = np.sqrt([factor[0] @ factor[0], (factor[0] + factor[1]) @ (factor[0] + factor[1])])
    population = (expit(b[0] + np.array([0.0, b[1]]) + z[:, None] * sd) * weights[:, None]).sum(axis=0) / weights.sum()
    observed = own[:-1].mean(axis=0)
    return {
        "rate": observed[1], "rate of a group": own[0, 1], "effect": observed[1] - observed[0],
        "effect in a group": own[0, 1] - own[0, 0], "population mean": population[1],
        "population effect": population[1] - population[0], "new group": own[-1, 1],
        "effect in a new group": own[-1, 1] - own[-1, 0],
    }  # fmt: skip


def answers(fit):
    first = {"g": ["g0"]}
    return {
        "rate": fit.rates({"t": [1]}), "rate of a group": fit.rates({"t": [1]}, where=first),
        "effect": fit.effect("t"), "effect in a group": fit.effect("t", by=first),
        "population mean": fit.rates({"t": [1]}, groups="population"),
        "population effect": fit.effect("t", groups="population"),
        "new group": fit.rates({"t": [1]}, groups="new"), "effect in a new group": fit.effect("t", groups="new"),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_intervals_cover():
    rng = np.random.default_rng(2026)
    held = {}
    for place in range(SETS):
        b, factor, effects = drawn_world(rng)
        eta = b[0] + effects[:-1, :1] + (b[1] + effects[:-1, 1:]) * np.array([0.0, 1.0])
        data = ROWS.assign(s=rng.binomial(TRIALS, expit(eta)).ravel())
        fit = hm.fit("s/n ~ t + (1 + t | g)", data, priors=PRIORS, draws=400, seed=place + 1, progress=False)
        true = truths(b, factor, effects)
        for name, answer in answers(fit).items():
            draws = answer.draws.to_numpy().ravel()
            for prob in PROBS:
                low, high = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2])
                held.setdefault((name, prob), []).append(low <= true[name] <= high)
    shares = {key: np.mean(own) for key, own in held.items()}
    wrong = {key: own for key, own in shares.items() if abs(own - key[1]) > 4 * np.sqrt(key[1] * (1 - key[1]) / SETS)}
    assert not wrong
