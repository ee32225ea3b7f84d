"""Twenty models with the effects of groups integrated out, and the same with all effects sampled."""

from dataclasses import dataclass

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import hiermod as hm

GROUPS = 1000
EFFECTS = np.array([[0.9, 0.0, 0.0], [0.3, 0.7, 0.0], [-0.2, 0.1, 0.6]])  # a factor of their covariance


@dataclass(frozen=True)
class Case:
    """A formula, its family, how many rows a group has, and the level of the linear predictor."""

    formula: str
    family: str
    rows: tuple[int, int] = (6, 6)
    level: float = -0.3
    draws: int = 25_000  # of each of four chains, where effects are integrated out


CASES = (
    Case("y ~ 1 + (1 | g)", "bernoulli", (4, 4)),
    Case("y ~ x + (1 | g)", "bernoulli"),
    Case("y ~ z + (1 | g)", "bernoulli"),
    Case("y ~ x * segment + (1 | g)", "bernoulli"),
    Case("y ~ x + (1 | g)", "bernoulli", (1, 12)),
    Case("y ~ x + (1 | g)", "bernoulli", (10, 10), -2.5),
    Case("y ~ x + (1 + x || g)", "bernoulli", (12, 12), draws=4000),
    Case("y ~ x + (1 + x | g)", "bernoulli", (12, 12), draws=4000),
    Case("y/n ~ x + (1 | g)", "binomial", (3, 3)),
    Case("y/n ~ z + (1 | g)", "binomial", (3, 3)),
    Case("y ~ 1 + (1 | g)", "poisson", (3, 3)),
    Case("y ~ x + (1 | g)", "poisson"),
    Case("y ~ z + (1 | g)", "poisson"),
    Case("y ~ x + offset(log(days)) + (1 | g)", "poisson"),
    Case("y ~ x + (1 + x || g)", "poisson", (6, 6), -1.3, draws=4000),
    Case("y ~ 1 + (1 | g)", "gaussian", (3, 3)),
    Case("y ~ x + (1 | g)", "gaussian", (1, 12)),
    Case("y ~ z + (1 + z || g)", "gaussian"),
    Case("y ~ z + (1 + z | g)", "gaussian"),
    Case("y ~ x + z + (1 + x + z | g)", "gaussian", (8, 8), draws=4000),
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


def hyperparameters(fit):
    """All variables but the effects of groups."""
    effects = {effect.name for term in fit.model._defined.spec.groups for effect in term.effects}
    return fit.posterior[[name for name in fit.posterior.data_vars if name not in effects]]


def figures(draws):
    """Means, standard deviations, and the Monte Carlo errors of both, of all entries that vary.

    That of a standard deviation is by the effective number of squared distances from the mean: draws that avoid the
    last one say more of means than of spreads.
    """
    mean, spread = draws.mean(("chain", "draw")), draws.std(("chain", "draw"))
    squares = (draws - mean) ** 2
    parts = mean, spread, azs.mcse(draws, method="mean"), azs.mcse(squares, method="mean") / (2.0 * spread)
    found = [np.concatenate([np.ravel(part[name]) for name in draws.data_vars]) for part in parts]
    return [each[found[1] > 1e-9] for each in found]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family} {case.formula} {case.rows} {case.level}")
def test_posteriors_are_those_of_sampled_effects(case):
    """Means and spreads within Monte Carlo error, that of the sampler: the other has up to 100,000 draws."""
    frame = rows_of(case)
    exact = hm.fit(case.formula, frame, case.family, seed=1, draws=case.draws, progress=False)
    assert exact.provenance.engine == "exact"
    sampled = hm.fit(case.formula, frame, case.family, seed=2, draws=1500, engine="compiled", progress=False)
    one, other = figures(hyperparameters(exact)), figures(hyperparameters(sampled))
    for place in (0, 1):
        error = np.sqrt(one[place + 2] ** 2 + other[place + 2] ** 2)
        np.testing.assert_array_less(np.abs(one[place] - other[place]), 4.0 * error)


@pytest.mark.slow
@pytest.mark.parametrize("case", [CASES[0], CASES[10], CASES[15]], ids=lambda case: case.family)
def test_spreads_of_very_many_draws(case):
    frame = rows_of(case)
    exact, sampled = (
        hm.fit(case.formula, frame, case.family, seed=seed, draws=25_000, engine=engine, progress=False)
        for seed, engine in ((3, "auto"), (4, "compiled"))
    )
    one, other = figures(hyperparameters(exact)), figures(hyperparameters(sampled))
    np.testing.assert_allclose(one[1], other[1], rtol=0.01)
