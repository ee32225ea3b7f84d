"""The engine's density is the public model's, in public coordinates and in those it samples in."""

import gc
from dataclasses import replace

import numpy as np
import pytest
from engine_oracle import assert_same_density, log_volume, oracle_of, program_of, public_point
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from modeling_tools import spec_of
from random_models import random_frame, random_model

from hiermod.data.sources.examples import example
from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.kernels.record import COUNTS
from hiermod.engine.layout.arrays import PART
from hiermod.engine.layout.memory import lay_out
from hiermod.errors import HiermodError
from hiermod.priors.distributions import DISTRIBUTIONS

SETTINGS = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": [HealthCheck.too_slow],
    "derandomize": True,
}


def points_of(program, count=4, seed=0):
    return np.random.default_rng(seed).normal(0.0, 0.7, (count, program.problem.dimension))


def hold_random_model(seed):
    text, family, priors, frame = random_model(seed)
    oracle = oracle_of(spec_of(text, frame, family, priors))
    assert_same_density(oracle, points_of(oracle.program, seed=seed))


@settings(max_examples=5, **SETTINGS)
@given(st.integers(0, 10**9))
def test_density_and_gradient_are_those_of_the_public_model(seed):
    hold_random_model(seed)


@pytest.mark.slow
@settings(max_examples=150, **SETTINGS)
@given(st.integers(0, 10**9))
def test_density_and_gradient_are_those_of_many_public_models(seed):
    hold_random_model(seed)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_correlated_effects_of_any_size(size):
    rng = np.random.default_rng(size)
    frame = random_frame(rng).assign(**{f"x{k}": rng.normal(size=60) for k in range(1, size)})
    inside = " + ".join(["1", *(f"x{k}" for k in range(1, size))])
    oracle = oracle_of(spec_of(f"y ~ x + ({inside} | g) + (1 | h)", frame, "gaussian"))
    assert_same_density(oracle, points_of(oracle.program))


@pytest.mark.parametrize("groups", [2, 24, 25, 70])
@pytest.mark.parametrize("inside", ["1", "1 + x"])
def test_any_number_of_groups(groups, inside):
    """Few groups of one or two effects are computed one at a time, others in runs of 64."""
    rng = np.random.default_rng(groups)
    frame = random_frame(rng, 3 * groups).assign(x=rng.normal(size=3 * groups), g=np.arange(3 * groups) % groups)
    oracle = oracle_of(spec_of(f"c ~ x + ({inside} | g)", frame, "poisson"))
    assert_same_density(oracle, points_of(oracle.program, 2))
    chosen = whiten(oracle.program)
    for z in points_of(chosen, 2):
        gradient = chosen.log_density(z)[1]
        step = 1e-5 * np.random.default_rng(1).normal(size=len(z))
        slope = (chosen.log_density(z + step)[0] - chosen.log_density(z - step)[0]) / 2.0
        assert slope == pytest.approx(gradient @ step, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("groups", [7, 90])
@pytest.mark.parametrize(("response", "family"), [("b", "bernoulli"), ("c", "poisson"), ("c", "negbinomial")])
def test_rows_of_a_group_side_by_side(groups, response, family):
    """Many rows for each group are sorted by it, few are not; either way blocks of rows begin within groups."""
    rng = np.random.default_rng(groups)
    frame = random_frame(rng, 700).assign(x=rng.normal(size=700), g=rng.integers(groups, size=700))
    oracle = oracle_of(spec_of(f"{response} ~ x + offset(x) + (1 + x | g) + (1 | h)", frame, family))
    assert bool(len(oracle.program.problem.group_ends)) == (groups == 7 and family != "negbinomial")
    assert_same_density(oracle, points_of(oracle.program, 2))


def test_cells_that_average_over_numbers():
    rng = np.random.default_rng(3)
    frame = random_frame(rng, 3000).assign(z=rng.normal(size=3000))
    spec = spec_of("y ~ z + i + (1 + z | g)", frame, "gaussian")
    assert len(spec.cells) < 20
    oracle = oracle_of(spec)
    assert_same_density(oracle, points_of(oracle.program))


@pytest.mark.parametrize(
    "family",
    ["bernoulli", "bernoulli(probit)", "bernoulli(cloglog)", "poisson", "negbinomial", "gamma", "student", "lognormal"],
)
def test_points_far_out_have_the_public_density_or_next_to_none(family):
    """Beyond a log density of -1e12 no chain ever comes; there the public model's own numbers overflow."""
    response = {"b": "b", "p": "c", "n": "c", "g": "p", "s": "y", "l": "p"}[family[0]]
    oracle = oracle_of(spec_of(f"{response} ~ x + (1 | g)", random_frame(np.random.default_rng(1)), family))
    near = []
    for spread in (3.0, 10.0, 30.0):
        for z in points_of(oracle.program, 20, seed=5) * (spread / 0.7):
            with np.errstate(all="ignore"):
                value, expected = oracle.program.log_density(z)[0], oracle.at(z)[0]
            if np.isfinite(expected) and expected > -1e12:
                near.append(z)
            else:
                assert not value > -1e12
    assert len(near) >= 25
    assert_same_density(oracle, near)


@pytest.mark.parametrize(
    ("text", "family", "name"),
    [
        ("success ~ treated + (1 + treated | country)", "bernoulli", "country"),
        ("Reaction ~ Days + (Days | Subject)", "gaussian", "sleepstudy"),
        ("incidence/size ~ period + (1 | herd)", "binomial", "cbpp"),
        ("exp(Reaction / 100) ~ Days + (1 | Subject)", "gamma", "sleepstudy"),
        ("Reaction ~ Days + (1 | Subject)", "student", "sleepstudy"),
        ("Reaction ~ Days + (1 | Subject)", "lognormal", "sleepstudy"),
    ],
)
def test_chosen_coordinates_leave_the_density_as_it_is(text, family, name):
    public = program_of(spec_of(text, example(name), family))
    moved = whiten(public)
    assert any(hyperparameter.prior.name == "HalfNormal" for hyperparameter in public.problem.hyperparameters)
    differences = []
    for z in points_of(moved, 6):
        value, _ = moved.log_density(z)
        expected = public.log_density(public_point(public, moved, z))[0]
        differences.append(value - expected - log_volume(public, moved, z))
    assert np.ptp(differences) <= 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_gradients_in_chosen_coordinates_are_the_densitys(seed):
    text, family, priors, frame = random_model(seed)
    program = whiten(program_of(spec_of(text, frame, family, priors)))
    for z in 0.5 * points_of(program, 2, seed):
        _, gradient = program.log_density(z)
        for place in range(0, len(z), max(1, len(z) // 12)):
            step = 1e-5 * np.eye(len(z))[place]
            slope = (program.log_density(z + step)[0] - program.log_density(z - step)[0]) / 2e-5
            assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-5 * (1.0 + np.abs(gradient).max()))


def test_densities_of_many_rows_are_the_same_on_any_number_of_threads():
    frame = random_frame(np.random.default_rng(7), 60_000)
    frame["x"] = np.random.default_rng(8).normal(size=len(frame))
    for text, family in (("b ~ x + (1 + x | g)", "bernoulli"), ("c ~ x + (1 | g)", "negbinomial")):
        oracle = oracle_of(spec_of(text, frame, family))
        program = oracle.program
        assert_same_density(oracle, points_of(program, 2))
        z = points_of(program, 1)[0]
        value, gradient = program.log_density(z)
        assert len(program.problem.response) >= 2 * PART
        for threads in (2, 3, 20):
            again, slope = program.threaded(threads).log_density(z)
            assert again == value
            np.testing.assert_array_equal(slope, gradient)


def test_arrays_live_as_long_as_the_program():
    spec = spec_of("Reaction ~ Days + (Days | Subject)", example("sleepstudy"), "gaussian")
    program = whiten(program_of(spec))
    z = points_of(program, 1)[0]
    before = program.log_density(z)
    del spec
    gc.collect()
    garbage = [np.random.default_rng(k).normal(size=5000) for k in range(200)]
    after = program.log_density(z)
    assert before[0] == after[0]
    np.testing.assert_array_equal(before[1], after[1])
    del garbage


def test_calls_of_compiled_code_leave_no_cycles():
    program = program_of(spec_of("y ~ x + (1 | g)", random_frame(np.random.default_rng(1))))
    point = np.full(program.problem.dimension, 0.1)
    program.log_density(point)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            program.log_density(point)
            program.expand(point)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_memory_takes_any_order_and_refuses_wrong_numbers():
    memory = program_of(spec_of("y ~ x + (1 + x | g)", random_frame(np.random.default_rng(0)), "gaussian")).memory
    counts = {name: int(memory.record[name][0]) for name in COUNTS}
    arrays = dict(memory.arrays)
    again = lay_out(counts, {**arrays, "design": np.asfortranarray(arrays["design"])})
    np.testing.assert_array_equal(again.arrays["design"], arrays["design"])
    assert again.arrays["design"].flags.c_contiguous
    assert not again.arrays["design"].flags.writeable
    with pytest.raises(TypeError, match="design: an array of object"):
        lay_out(counts, {**arrays, "design": np.array(["a"], dtype=object)})
    with pytest.raises(TypeError, match="codes: an array of float64"):
        lay_out(counts, {**arrays, "codes": np.array([1.5])})
    with pytest.raises(TypeError, match="codes: whole numbers that do not fit"):
        lay_out(counts, {**arrays, "codes": np.array([2**40])})
    with pytest.raises(TypeError, match="missing or unknown: codes"):
        lay_out(counts, {name: array for name, array in arrays.items() if name != "codes"})


def test_every_random_model_can_be_built():
    for seed in range(60):
        text, family, priors, frame = random_model(seed)
        try:
            spec_of(text, frame, family, priors)
        except HiermodError as error:
            pytest.fail(f"{text}: {error}")


def test_a_prior_that_compiled_code_lacks_is_left_to_pymc(monkeypatch):
    spec = spec_of("y ~ x + (1 | g)", random_frame(np.random.default_rng(1)), "gaussian", {"x": "Laplace(0, 1)"})
    assert spec.refuses("compiled") is None
    monkeypatch.setitem(DISTRIBUTIONS, "Laplace", replace(DISTRIBUTIONS["Laplace"], standard=None))
    assert spec.refuses("compiled") == "the prior Laplace is not covered"
