"""Twenty models with the effects of groups integrated out, and the same with all effects sampled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import hiermod as hm
from benchmarks.groups import effective
from tests.marginal.sampled_moments import entries, moments, sampled

GROUPS = 1000
EFFECTS = np.array([[0.9, 0.0, 0.0], [0.3, 0.7, 0.0], [-0.2, 0.1, 0.6]])  # a factor of their covariance


@dataclass(frozen=True)
class Case:
    """A formula, its family, how many rows a group has, and the level of the linear predictor."""

    formula: str
    family: str
    rows: tuple[int, int] = (6, 6)
    level: float = -0.3
    draws: int = 5000  # of each of four chains, where effects are sampled


CASES = (
    Case("y ~ 1 + (1 | g)", "bernoulli", (4, 4)),
    Case("y ~ x + (1 | g)", "bernoulli"),
    Case("y ~ z + (1 | g)", "bernoulli"),
    Case("y ~ x * segment + (1 | g)", "bernoulli"),
    Case("y ~ x + (1 | g)", "bernoulli", (1, 12)),
    Case("y ~ x + (1 | g)", "bernoulli", (10, 10), -2.5, 16_000),
    Case("y ~ x + (1 + x || g)", "bernoulli", (12, 12), draws=8000),
    Case("y ~ x + (1 + x | g)", "bernoulli", (12, 12), draws=12_000),
    Case("y/n ~ x + (1 | g)", "binomial", (3, 3)),
    Case("y/n ~ z + (1 | g)", "binomial", (3, 3)),
    Case("y ~ 1 + (1 | g)", "poisson", (3, 3)),
    Case("y ~ x + (1 | g)", "poisson"),
    Case("y ~ z + (1 | g)", "poisson"),
    Case("y ~ x + offset(log(days)) + (1 | g)", "poisson"),
    Case("y ~ x + (1 + x || g)", "poisson", (6, 6), -1.3, 8000),
    Case("y ~ 1 + (1 | g)", "gaussian", (3, 3)),
    Case("y ~ x + (1 | g)", "gaussian", (1, 12)),
    Case("y ~ z + (1 + z || g)", "gaussian"),
    Case("y ~ z + (1 + z | g)", "gaussian"),
    Case("y ~ x + z + (1 + x + z | g)", "gaussian", (8, 8)),
)


def rows_of(case):
    rng = np.random.default_rng(31)
    g = np.repeat(np.arange(GROUPS), rng.integers(case.rows[0], case.rows[1] + 1, GROUPS))
    size = len(g)
    frame = pd.DataFrame({
        "g": g, "x": np.arange(size) % 2, "z": rng.normal(size=size), "n": rng.integers(1, 10, size),
        "days": rng.uniform(0.5, 3.0, size), "segment": np.array(["a", "b", "c"])[g % 3],
    })  # fmt: skip
    own = (rng.normal(size=(GROUPS, 3)) @ EFFECTS.T)[g]
    group_term = case.formula.rpartition("(")[2]
    eta = case.level + 0.4 * frame["x"] + 0.3 * frame["z"] * ("z" in case.formula) + own[:, 0]
    eta = eta + own[:, 1] * frame["x"] * ("x" in group_term) + own[:, 2] * frame["z"] * ("z" in group_term)
    y = {
        "bernoulli": lambda: rng.binomial(1, expit(eta)), "binomial": lambda: rng.binomial(frame["n"], expit(eta)),
        "poisson": lambda: rng.poisson(np.exp(eta) * (frame["days"] if "days" in case.formula else 1.0)),
        "gaussian": lambda: eta + rng.normal(size=size),
    }[case.family]()  # fmt: skip
    return frame.assign(y=y)


def identity(case):
    return f"{case.family} {case.formula} {case.rows} {case.level}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=identity)
def test_posteriors_are_those_of_sampled_effects(case):
    """Means and spreads within Monte Carlo error, and spreads within 1 %, four times their own Monte Carlo error.

    A spread of 100,000 independent draws of a normal distribution has an error of 0.22 %.
    """
    model = hm.model(case.formula, rows_of(case), case.family)
    fit = model.fit(seed=1, draws=25_000, progress=False)
    assert fit.provenance.engine == "exact"
    names = list(fit.posterior.data_vars)
    exact, other = moments(entries(fit.posterior, names)), sampled(model, names, case.draws, seed=2)
    for own, error in (("mean", "error_of_mean"), ("spread", "error_of_spread")):
        within = 4.0 * np.hypot(getattr(exact, error), getattr(other, error))
        np.testing.assert_array_less(np.abs(getattr(exact, own) - getattr(other, own)), within)
    for each in (exact, other):
        np.testing.assert_array_less(each.error_of_spread, 0.0025 * each.spread)
    np.testing.assert_allclose(exact.spread, other.spread, rtol=0.01)


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_draws_are_as_good_as_independent(case):
    fit = hm.fit(case.formula, rows_of(case), case.family, seed=1, progress=False)
    assert fit.provenance.engine == "exact"
    ess, of_squares = effective(fit)
    assert ess >= 2000
    assert of_squares >= 1500
