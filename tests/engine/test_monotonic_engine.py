"""Monotonic effects in the engine: the density is that of a closed form, and with its gradient the public model's."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of, program_of
from modeling_tools import spec_of
from scipy import stats


def stepped_frame(rows=90):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "x": rng.integers(0, 5, rows), "o": pd.Categorical(rng.choice(["low", "mid", "top"], rows),
        ["low", "mid", "top"], ordered=True), "z": rng.normal(size=rows), "f": rng.choice(list("uvw"), rows),
        "g": rng.choice(list("abcde"), rows), "b": rng.integers(0, 2, rows),
    })  # fmt: skip
    level = np.array([0.0, 0.1, 0.7, 0.8, 1.0])[frame["x"]]
    return frame.assign(y=level + rng.normal(size=rows), c=rng.poisson(np.exp(level)), k=rng.integers(1, 5, rows))


PRIORS = {"Intercept": "Normal(0, 2)", "mo(o)": "Normal(0.5, 2)", "mo(o):z": "StudentT(4, 0, 1)", "z": "Normal(0, 1)",
          "simo(mo(o))": "Dirichlet(2)", "sigma": "Exponential(1)"}  # fmt: skip


def shares_and_volume(line):
    """Shares by sticks on the line, and the log volume of the map to all shares but the last."""
    part = 1.0 / (1.0 + np.exp(-line))
    left = np.concatenate([[1.0], np.cumprod(1.0 - part)])
    volume = np.log(part * (1.0 - part)).sum() + np.log(left[:-1]).sum()
    return np.append(part, 1.0) * left, volume


def test_the_density_is_that_of_the_closed_form():
    frame = stepped_frame(60)
    program = program_of(spec_of("y ~ mo(o)*z", frame, "gaussian", PRIORS))
    names = [each.name for each in program.problem.hyperparameters]
    assert names == ["mo(o)", "mo(o)_shares_offset", "mo(o):z", "mo(o):z_shares_offset", "sigma"]
    assert_closed_form(program, frame, frame["o"].cat.codes, 2)


@pytest.mark.slow
def test_the_density_of_many_steps_is_that_of_the_closed_form():
    frame = stepped_frame(60)
    priors = {key.replace("(o)", "(x)"): prior for key, prior in PRIORS.items()}
    assert_closed_form(program_of(spec_of("y ~ mo(x)*z", frame, "gaussian", priors)), frame, frame["x"], 4)


def assert_closed_form(program, frame, codes, steps):
    """Of whole effects and sticks on the line, at random points."""
    differences = []
    for at in np.random.default_rng(3).normal(0.0, 0.8, (20, 2 * steps + 3)):
        (level, slope, whole), (along, *rest), log_sigma = at[:3], at[2 + steps : -1], at[-1]
        shares, volume = shares_and_volume(at[3 : 2 + steps])
        others, volume_too = shares_and_volume(np.array(rest))
        sums, sums_too = (np.append(0.0, np.cumsum(each))[codes] for each in (shares, others))
        mean = level + slope * frame["z"] + whole * sums + along * sums_too * frame["z"]
        expected = stats.norm.logpdf(frame["y"], mean, np.exp(log_sigma)).sum() + volume + volume_too
        expected += stats.norm.logpdf(level, 0.0, 2.0) + stats.norm.logpdf(slope) + stats.norm.logpdf(whole, 0.5, 2.0)
        expected += stats.t.logpdf(along, 4) + stats.expon.logpdf(np.exp(log_sigma)) + log_sigma
        expected += stats.dirichlet.logpdf(shares, np.full(steps, 2.0)) + stats.dirichlet.logpdf(others, np.ones(steps))
        differences.append(program.log_density(at)[0] - expected)
    assert np.ptp(differences) < 1e-9


def test_whole_numbers_are_the_same_levels():
    frame = stepped_frame(60).assign(n=lambda own: own["o"].cat.codes + 3)
    at = np.random.default_rng(5).normal(size=7)
    numbers, levels = (program_of(spec_of(f"y ~ mo({name})*z", frame, "gaussian")) for name in "no")
    assert numbers.log_density(at)[0] == levels.log_density(at)[0]


QUICK = [("c ~ mo(x)*z + mo(o) + (1 | g)", "poisson"), ("k ~ mo(x)*f", "cumulative")]
SLOW = [
    ("y ~ mo(x)*f + z + mo(o):z + (1 + z | g)", "gaussian"),
    ("y ~ z + mo(x) + s(z, k=4); sigma ~ mo(o)", "gaussian"),
    ("b ~ 0 + f:mo(x) + (1 | g)", "bernoulli"),
    ("y ~ mo(x) + (1 | g) + (1 | f)", "student"),
    ("f ~ mo(x)", "categorical"),
]


def hold(text, family, priors=None):
    oracle = oracle_of(spec_of(text, stepped_frame(), family, priors))
    assert_same_density(oracle, np.random.default_rng(2).normal(0.0, 0.6, (3, oracle.program.problem.dimension)))


@pytest.mark.parametrize(("text", "family"), QUICK)
def test_density_and_gradient_with_steps(text, family):
    hold(text, family)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "family"), SLOW)
def test_density_and_gradient_with_steps_beside_much_else(text, family):
    hold(text, family)


@pytest.mark.slow
def test_priors_of_steps_in_the_engine():
    hold("c ~ mo(x)", "poisson", {"mo(x)": "HalfNormal(2)", "simo(mo(x))": "Dirichlet(0.7)"})
