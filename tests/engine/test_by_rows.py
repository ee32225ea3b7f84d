"""Kernels of single rows: the density of the public model, for one linear predictor and for several."""

import numpy as np
import pytest
from engine_oracle import assert_same_density, log_volume, oracle_of, program_of, public_point
from modeling_tools import spec_of
from random_models import AUXILIARY, FAMILIES, random_frame

from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.layout import problem as problem_module

WITH_PARAMETERS = [name for name in FAMILIES if name.partition("(")[0] in AUXILIARY]


def points_of(program, count=3, seed=0):
    return np.random.default_rng(seed).normal(0.0, 0.6, (count, program.problem.dimension))


@pytest.mark.parametrize("family", WITH_PARAMETERS)
def test_one_linear_predictor(family, monkeypatch):
    """Each family's kernel of rows serves where it has no other one."""
    monkeypatch.setattr(problem_module, "KERNELS", {})
    frame = random_frame(np.random.default_rng(5), 90)
    response = FAMILIES[family] + (" | weights(w)" if FAMILIES[family] != "s/n" else "")
    oracle = oracle_of(spec_of(f"{response} ~ x + (1 + x | g) + (1 | h)", frame, family))
    assert oracle.program.problem.by_rows
    assert_same_density(oracle, points_of(oracle.program))


def assert_coordinates_are_true(spec, relative=1e-9):
    """Where the sampler moves, the density is that of the public coordinates, with their volume."""
    public = program_of(spec)
    moved = whiten(public)
    differences = []
    for z in points_of(moved, 4):
        value, gradient = moved.log_density(z)
        step = 1e-5 * np.random.default_rng(1).normal(size=len(z))
        slope = (moved.log_density(z + step)[0] - moved.log_density(z - step)[0]) / 2.0
        assert slope == pytest.approx(gradient @ step, rel=1e-5, abs=1e-8)
        differences.append(value - public.log_density(public_point(public, moved, z))[0] - log_volume(public, moved, z))
    assert np.ptp(differences) <= relative * 10.0
