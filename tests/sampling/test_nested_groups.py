"""Nested factors: coordinates of outer ones know those within, and chains do not diverge."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.adapt.mode import find_mode
from hiermod.engine.adapt.nesting import inner_factors, integrated, outer_factors
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import read_problem
from hiermod.engine.layout.program import public_coordinates


def nested(sizes=(15, 5, 4), rows=6, seed=22):
    rng = np.random.default_rng(seed)
    outer, middle, inner = sizes
    a, b, c = (np.repeat(np.arange(count), rows * outer * middle * inner // count) for count in np.cumprod(sizes))
    y = 1.0 + 0.8 * rng.normal(size=outer)[a] + 0.5 * rng.normal(size=outer * middle)[b]
    y += 0.3 * rng.normal(size=outer * middle * inner)[c] + rng.normal(size=len(a))
    return pd.DataFrame({"a": a, "b": b, "c": c, "h": rng.integers(0, 6, len(a)), "y": y})


def test_which_factors_are_nested():
    problem = read_problem(hm.model("y ~ (1 | a/b/c) + (1 | h)", nested())._defined.spec)
    assert [factor.groups for factor in problem.factors] == [6, 15, 75, 300]
    assert [inner_factors(problem, place) for place in range(4)] == [[], [2, 3], [3], []]
    assert [outer_factors(problem, place) for place in range(4)] == [[], [], [1], [1, 2]]


def test_what_is_left_where_nested_effects_are_integrated_out():
    """The inverse of the covariance that remains: by dense algebra."""
    problem = read_problem(hm.model("y ~ (1 + h | a/b/c)", nested((4, 3, 2), 5))._defined.spec)
    program = whiten(public_coordinates(problem, library().functions))
    theta, hyperparameters = program.expand(np.zeros(problem.dimension))
    mode = find_mode(public_coordinates(problem, library().functions), theta, hyperparameters)
    stop = problem.factors[1].start
    whole = mode.information.matrix.toarray()
    for factor, root in zip(problem.factors[1:], mode.roots[1:], strict=True):
        whole[factor.span, factor.span] += np.kron(np.linalg.inv(root @ root.T), np.eye(factor.groups))
    expected = whole[:stop, :stop] - whole[:stop, stop:] @ np.linalg.solve(whole[stop:, stop:], whole[stop:, :stop])
    seen = integrated(mode, [1, 2], np.arange(stop)).toarray()
    np.testing.assert_allclose(seen, expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("seed", [4, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 13))])
def test_chains_do_not_diverge(seed):
    fit = hm.fit("y ~ (1 | a/b/c)", nested(), seed=seed, cores=1, progress=False)
    assert fit.sampled_posterior.history.runs == 1
    assert fit.check().passed
    assert fit.sampled_posterior.diagnostics.ess_bulk > 2000


def test_neither_do_those_beside_a_crossed_factor():
    frame = nested()
    frame["h"] = np.random.default_rng(1).integers(0, 30, len(frame))
    frame["y"] += 0.4 * np.random.default_rng(2).normal(size=30)[frame["h"]]
    fit = hm.fit("y ~ (1 | a/b/c) + (1 | h)", frame, seed=4, cores=1, progress=False)
    assert fit.sampled_posterior.history.runs == 1
    assert fit.check().passed
