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
    frame = frame.assign(y=wave + 0.3 * rng.normal(size=rows), c=rng.poisson(np.exp(0.5 + wave)))
    frame["r"] = np.digitize(wave + rng.logistic(size=rows), [-1.0, 0.0, 1.0]) + 1
    frame["k"] = rng.choice(list("pqr"), rows)
    return frame.assign(m=np.where(frame["b"] == 1, rng.gamma(2.0, np.exp(wave)), 0.0), t=rng.gamma(2.0, np.exp(wave)))


QUICK = [
    ("c ~ s(x, k=6) + z + (1 | g)", "poisson"),
    ("y ~ h + s(x, by=h, k=5)", "gaussian"),
    ("r ~ z + s(x, k=4)", "sratio"),
]
SLOW = [
    ("y ~ s(x)", "gaussian"),
    ("c ~ s(x, by=z, k=5) + s(z, bs='ps', m=c(2, 1), k=5)", "poisson"),
    ("b ~ h + s(x, bs='ps', by=h, k=6) + s(z, by=x, bs='ps', m=c(1, 3), k=5) + (1 | g)", "bernoulli"),
    ("y ~ s(x, by=ordered(h), k=4); sigma ~ s(x, by=h, k=4)", "gaussian"),
    ("b ~ z + s(x, k=5) + s(z, k=4) + (1 + z | g)", "bernoulli"),
    ("c ~ z + s(x, k=5) + (1 | g) + (1 | h)", "negbinomial"),
    ("y ~ z; sigma ~ s(x, k=4)", "gaussian"),
    ("y ~ s(x, k=4) + (1 | g)", "student"),
    ("r ~ z + s(x, k=5) + s(z, k=4) + (1 | g)", "cumulative"),
    ("r ~ x*h + s(z, k=4)", "acat"),
    ("k ~ z + s(x, k=4) + (1 | g)", "categorical"),
    ("m ~ s(x, k=4) + (1 | g); hu ~ s(z, k=4)", "hurdle_gamma"),
    ("t | cens(b) ~ s(x, k=4) + (1 | g)", "weibull"),
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
