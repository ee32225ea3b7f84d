"""Zero-inflated families and hurdles recover what made their data; intervals hold it as often as they claim."""

import numpy as np
import pandas as pd
import pytest
from coverage_tools import assert_covered, coverage

import hiermod as hm
from hiermod.families.registry import FAMILIES

MIXTURES = {name: record for name, record in FAMILIES.items() if record.zeros and record.kernel}  # of compiled code
ROWS, GROUPS, SD = 500, 25, 0.5
COEFFICIENTS, OF_SHARES = (1.1, -0.5), (-0.9, 0.6)
SIZES = {"alpha": 2.0, "kappa": 6.0, "sigma": 0.7}


def draw(rng, name, mu, trials):
    """Responses of the part that is not a zero of its own."""
    base = name.removeprefix("zero_inflated_").removeprefix("hurdle_")
    if base == "gamma":
        return mu * rng.gamma(SIZES["alpha"], 1.0 / SIZES["alpha"], len(mu))
    if base == "lognormal":
        return mu * np.exp(SIZES["sigma"] * rng.normal(size=len(mu)))
    rate = 1.0 / (1.0 + 1.0 / mu)
    if base == "binomial":
        return rng.binomial(trials, rate)
    if base == "beta_binomial":
        return rng.binomial(trials, rng.beta(rate * SIZES["kappa"], (1.0 - rate) * SIZES["kappa"]))
    return rng.poisson(mu * (rng.gamma(SIZES["alpha"], 1.0 / SIZES["alpha"], len(mu)) if "neg" in base else 1.0))


def simulated(name, rng):
    x, g, trials = np.arange(ROWS) % 2, np.arange(ROWS) // 2 % GROUPS, rng.integers(5, 15, ROWS)
    eta = COEFFICIENTS[0] + COEFFICIENTS[1] * x + SD * rng.normal(size=GROUPS)[g]
    mu = np.exp(eta)
    zero = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-OF_SHARES[0] - OF_SHARES[1] * x))
    y = draw(rng, name, mu, trials)
    while MIXTURES[name].zeros == "hurdle" and (y == 0).any():
        y = np.where(y == 0, draw(rng, name, mu, trials), y)
    return pd.DataFrame({"y": np.where(zero, 0, y), "n": trials, "x": x, "g": g})


def formula_and_truth(name):
    record = MIXTURES[name]
    share = record.parameters[-1].name
    own = {parameter.name: SIZES[parameter.name] for parameter in record.parameters[:-1]}
    truth = {"Intercept": COEFFICIENTS[0], "x": COEFFICIENTS[1], f"{share}_Intercept": OF_SHARES[0],
             f"{share}_x": OF_SHARES[1], "1|g_sigma": SD, **own}  # fmt: skip
    return f"{'y/n' if record.is_rate else 'y'} ~ x + (1 | g); {share} ~ x", truth


QUICK_ONES = ("zero_inflated_negbinomial", "zero_inflated_beta_binomial", "hurdle_poisson", "hurdle_lognormal")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK_ONES else pytest.mark.slow) for name in MIXTURES]
)
def test_parameters_are_recovered(name):
    formula, truth = formula_and_truth(name)
    frame = simulated(name, np.random.default_rng(3))
    fit = hm.fit(formula, frame, name, seed=5, draws=400, chains=2, cores=1, progress=False)
    for parameter, true in truth.items():
        draws = fit.posterior[parameter].to_numpy()
        assert abs(draws.mean() - true) < 3.5 * draws.std(), parameter
        assert draws.std() < 0.5 * max(abs(true), 0.6), parameter


@pytest.mark.slow
@pytest.mark.parametrize("name", MIXTURES)
def test_intervals_hold_the_truth_as_often_as_they_say(name):
    formula, truth = formula_and_truth(name)
    assert_covered(coverage(formula, name, lambda rng: simulated(name, rng), truth))
