"""Where groups of few rows have effects on mu and sigma: a mode with those on mu averaged over."""

import numpy as np
import pandas as pd
from engine_oracle import program_of
from modeling_tools import spec_of

from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.adapt.mode import averaged_curvature, find_mode, tells_twice, variance_of_rows


def frame_of(groups=30, rows=4):
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(groups), rows)
    sigma = np.exp(0.4 * rng.normal(size=groups))[g]
    return pd.DataFrame(
        {
            "g": g,
            "x": np.tile(np.arange(rows), groups),
            "y": rng.normal(size=groups)[g] + sigma * rng.normal(size=len(g)),
        }
    )


def test_scores_are_averaged_over_effects_on_mu():
    """Of normal rows in closed form: mu's is that at the mean, log sigma's has the variance in the squared residual."""
    program = whiten(
        program_of(spec_of("y ~ x + (1 | g); sigma ~ 1 + (1 | g)", frame_of(), "gaussian", compress=False))
    )
    problem = program.problem
    assert tells_twice(problem)
    theta, hyperparameters = program.expand(np.zeros(problem.dimension))
    mode = find_mode(program_of(problem.spec), theta, hyperparameters)
    (factor,), (root,) = problem.factors, mode.roots
    effects, common = mode.theta[factor.span].reshape(2, -1), mode.theta[: problem.common]
    mean, log_sigma = (
        problem.design[own].T @ common[own] + effects[slot][factor.codes]
        for slot in (0, 1)
        for own in [problem.common_slots == slot]
    )
    rest, precision = problem.response - mean, np.exp(-2.0 * log_sigma)
    expected = 1.0 / (np.bincount(factor.codes, precision) + root[0, 0] ** -2.0)
    variance = variance_of_rows(mode)
    np.testing.assert_allclose(variance, expected[factor.codes], rtol=1e-6)
    scores, _ = averaged_curvature(program, mode.theta, np.zeros(0), np.sqrt(variance))
    np.testing.assert_allclose(scores[0], rest * precision, rtol=1e-9)
    np.testing.assert_allclose(scores[1], (rest**2 + variance) * precision - 1.0, rtol=1e-9, atol=1e-9)


def test_groups_of_many_rows_tell_by_themselves():
    for text, frame in (("y ~ x + (1 | g); sigma ~ 1 + (1 | g)", frame_of(10, 30)), ("y ~ (1 | g)", frame_of())):
        assert not tells_twice(program_of(spec_of(text, frame, "gaussian")).problem)
