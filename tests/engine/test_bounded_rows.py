"""Censored and truncated rows in the engine: density and gradient are the public model's."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of
from modeling_tools import spec_of

RESPONSES = {
    "gaussian": "y", "student": "y", "exgaussian": "y", "gamma": "p", "lognormal": "p", "weibull": "p",
    "exponential": "p", "shifted_lognormal": "p",
}  # fmt: skip
LOWEST = {"p": 0.01, "y": -12}
FORMULAS = (
    "{y} | cens(c, {y}2) + weights(w) ~ x + (1 + x | g)",
    "Surv({y}, e) ~ x + (1 | g) + (1 | h)",
    "{y} | trunc(lb = {lowest}) ~ x + (1 | g)",
    "{y} | cens(c, {y}2) + trunc(lb = {lowest}, ub = 40) ~ x",
    "{y} | trunc(ub = 50) + cens(e) ~ x + (1 | g)",
)
QUICK = (("weibull", 1), ("exponential", 0))


def bounded_frame(seed, rows=70):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "x": rng.normal(size=rows).round(2), "g": rng.choice(list("pqrst"), rows), "h": rng.choice(list("uv"), rows),
        "p": rng.gamma(2.0, 1.0, rows) + 0.05, "y": rng.normal(2.0, 3.0, rows).round(1),
        "w": rng.integers(1, 4, rows), "c": rng.choice([0, 1, -1, 2], rows), "e": rng.integers(0, 2, rows),
    })  # fmt: skip
    return frame.assign(
        p2=frame["p"] + rng.exponential(size=rows) + 0.01, y2=frame["y"] + rng.exponential(2.0, rows) + 0.1
    )


def hold(family, place):
    response = RESPONSES[family]
    text = FORMULAS[place].format(y=response, lowest=LOWEST[response])
    oracle = oracle_of(spec_of(text, bounded_frame(place), family))
    assert oracle.program.problem.by_rows
    points = np.random.default_rng(place).normal(0.0, 0.6, (3, oracle.program.problem.dimension))
    assert_same_density(oracle, points)


@pytest.mark.parametrize(("family", "place"), QUICK)
def test_density_and_gradient_of_bounded_rows(family, place):
    hold(family, place)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(FORMULAS)))
@pytest.mark.parametrize("family", RESPONSES)
def test_density_and_gradient_of_bounded_rows_of_every_family(family, place):
    hold(family, place)
