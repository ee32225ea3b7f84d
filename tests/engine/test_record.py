"""The record that compiled code reads: codes that other rooms name, places of arrays, and segments of rows."""

import numpy as np
import pytest
from engine_oracle import program_of
from modeling_tools import spec_of
from random_models import random_frame

from hiermod.engine.kernels.record import KERNELS, ORDERED_KERNELS, PRIOR_KERNELS, ROW_KERNELS, WORKSPACE
from hiermod.engine.layout.problem import Problem, Segment
from hiermod.families.registry import FAMILIES
from hiermod.priors.distributions import DISTRIBUTIONS

DERIVED = (
    "one_trial_",
    "gaussian_within",
    "gaussian_added",
    "gaussian_known",
    "bounded_",
    "hurdle_shares",
)  # kernels that are chosen by the data
SHARED = ("correlation", "chances")  # what several numbers have together


# Families that have a kernel, with links that have none.
BY_PYMC = ("student_log", "exgaussian_log", "poisson_identity", "negbinomial_identity")


def test_kernels_that_families_and_priors_name_have_codes():
    named = {f"{family.kernel}_{link}" for family in FAMILIES.values() if family.kernel for link in family.links}
    known = {*KERNELS, *ORDERED_KERNELS, *ROW_KERNELS}
    by_pymc = {name for name in named if name.endswith(("_loglog", "_cauchit")) or name in BY_PYMC}
    assert by_pymc.isdisjoint(known)
    named -= by_pymc
    assert named <= known
    assert all(name.startswith(DERIVED) for name in known - named)
    covered = [each for each in DISTRIBUTIONS.values() if each.standard and each.support not in SHARED]
    standards = [each.standard(*(1.0 for _ in each.parameters)) for each in covered]
    assert {kernel for kernel, *_ in standards} == set(PRIOR_KERNELS)
    assert {len(standard) for standard in standards} == {4}


@pytest.mark.parametrize("text", ["y ~ x + (1 + x | g) + (1 | h)", "y ~ 0 + (1 | g)", "y ~ x"])
def test_arrays_of_an_evaluation_follow_each_other(text):
    program = program_of(spec_of(text, random_frame(np.random.default_rng(0)), "student"))
    for factors in range(len(program.problem.factors) + 1):
        joint = program.jointly(factors, np.zeros(0), np.zeros(0))
        places = joint.memory.arrays["workspace_places"]
        end = int(joint.memory.record["workspace"][0])
        assert len(places) == len(WORKSPACE.names)
        assert (np.diff([len(places), *places[:-2], end]) >= 0).all()
        inside = dict(zip(WORKSPACE.names, places.tolist(), strict=True))
        for array, first in (("x", "auxiliary"), ("by_x", "by_auxiliary")):
            assert inside[first] == inside[array] + program.problem.auxiliary


@pytest.mark.parametrize("family", ["poisson", "negbinomial"])
def test_segments_of_rows_add_up(family, monkeypatch):
    spec = spec_of("c ~ x + (1 | g) + (1 | h)", random_frame(np.random.default_rng(1), 700), family)
    whole = program_of(spec)
    rows, z = len(whole.problem.response), 0.3 * np.random.default_rng(2).normal(size=whole.problem.dimension)
    theta, hyperparameters = whole.expand(z)
    auxiliary = hyperparameters[whole.problem.auxiliary :]
    kernel = whole.problem.kernel
    monkeypatch.setattr(Problem, "segments", (Segment(kernel, 0, 300), Segment(kernel, 300, rows)))
    parts = program_of(spec)
    for one, other in ((whole.log_density(z), parts.log_density(z)),
                       (whole.curvature(theta, auxiliary), parts.curvature(theta, auxiliary))):  # fmt: skip
        for first, second in zip(one, other, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(Problem, "segments", (Segment(kernel, 0, 300),))
    assert abs(program_of(spec).log_density(z)[0] - whole.log_density(z)[0]) > 1.0
