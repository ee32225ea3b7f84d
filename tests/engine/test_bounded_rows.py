"""Censored and truncated rows in the engine: density and gradient are the public model's."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of, program_of
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


@pytest.mark.parametrize("family", ["weibull", "gaussian", "gamma"])
def test_cells_of_bounded_rows_have_the_density_of_their_rows(family):
    """Equal rows, in value, code and bounds, become one cell: the same density and gradient up to one constant."""
    rng = np.random.default_rng(4)
    frame = bounded_frame(9, 40).assign(x=rng.integers(0, 2, 40)).iloc[rng.integers(0, 40, 600)]
    text = "{y} | cens(c, {y}2) + trunc(lb = {lowest}) ~ x + (1 | g)"
    text = text.format(y=RESPONSES[family], lowest=LOWEST[RESPONSES[family]])
    cells, rows = (spec_of(text, frame, family, compress=own) for own in (True, False))
    assert len(cells.cells) <= 40 < len(rows.cells) == 600
    one, other = (program_of(spec) for spec in (cells, rows))
    differences = []
    for z in rng.normal(0.0, 0.5, (3, one.problem.dimension)):
        (value, gradient), (expected, slope) = one.log_density(z), other.log_density(z)
        np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-9 * np.abs(slope).max())
        differences.append(value - expected)
    assert np.ptp(differences) < 1e-9 * max(1.0, abs(expected))
