"""Smooths in the engine: density and gradient are the public model's."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of
from modeling_tools import spec_of


def smooth_frame(rows=120):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "x": rng.uniform(0.0, 10.0, rows).round(2), "z": rng.normal(size=rows), "g": rng.choice(list("abcde"), rows),
        "h": rng.choice(list("uv"), rows), "b": rng.integers(0, 2, rows),
    })  # fmt: skip
    wave = np.sin(frame["x"])
    return frame.assign(y=wave + 0.3 * rng.normal(size=rows), c=rng.poisson(np.exp(0.5 + wave)))


QUICK = [("c ~ s(x, k=6) + z + (1 | g)", "poisson"), ("y ~ s(x)", "gaussian")]
SLOW = [
    ("b ~ z + s(x, k=5) + s(z, k=4) + (1 + z | g)", "bernoulli"),
    ("c ~ z + s(x, k=5) + (1 | g) + (1 | h)", "negbinomial"),
    ("y ~ z; sigma ~ s(x, k=4)", "gaussian"),
    ("y ~ s(x, k=4) + (1 | g)", "student"),
]


def hold(text, family):
    oracle = oracle_of(spec_of(text, smooth_frame(), family))
    assert_same_density(oracle, np.random.default_rng(2).normal(0.0, 0.6, (3, oracle.program.problem.dimension)))


@pytest.mark.parametrize(("text", "family"), QUICK)
def test_density_and_gradient_with_smooths(text, family):
    hold(text, family)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "family"), SLOW)
def test_density_and_gradient_with_smooths_beside_much_else(text, family):
    hold(text, family)
