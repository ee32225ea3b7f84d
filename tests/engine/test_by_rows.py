"""Kernels of single rows: the density of the public model, for one linear predictor and for several."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, log_volume, oracle_of, program_of, public_point
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from modeling_tools import spec_of
from random_models import AUXILIARY, FAMILIES, random_frame

from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.layout import problem as problem_module
from hiermod.engine.layout.coverage import refused, table
from hiermod.families.links import LINKS
from hiermod.families.registry import FAMILIES as FAMILIES_BY_NAME

QUICK = ("gaussian", "student", "beta_binomial")
WITH_PARAMETERS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in FAMILIES
    if name.partition("(")[0] in AUXILIARY
]
ZEROS = {  # families with zeros of their own: their response, and their parameters
    "zero_inflated_poisson": ("c", ("zi",)), "zero_inflated_negbinomial": ("c", ("alpha", "zi")),
    "zero_inflated_binomial": ("s/n", ("zi",)), "zero_inflated_beta_binomial": ("s/n", ("kappa", "zi")),
    "hurdle_poisson": ("c", ("hu",)), "hurdle_negbinomial": ("c", ("alpha", "hu")),
    "zero_inflated_poisson(zi=probit)": ("c", ("zi",)), "hurdle_poisson(hu=cloglog)": ("c", ("hu",)),
    "hurdle_gamma": ("p", ("alpha", "hu")), "hurdle_lognormal": ("p", ("sigma", "hu")),
}  # fmt: skip


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


COMMON = ("1", "x", "f", "x*i", "0 + f", "x + poly(z, 2)", "i + offset(0.3*z)")
GROUPS = ("", "(1|g)", "(1+x|g)", "(1+x||g)", "(0+f|g)", "(1|g) + (1|h)", "(1+i|h)")
SHARED = ("(1|p|g)", "(1+x|p|g)", "(1|p|g) + (1|h)", "(1+f|p|h) + (1|q|g)")
OWN = {**{name: (response, AUXILIARY[name.partition("(")[0]]) for name, response in FAMILIES.items()
          if name.partition("(")[0] in AUXILIARY}, **ZEROS}  # fmt: skip


def several(seed):
    """A random model with a linear predictor for each of some parameters."""
    rng = np.random.default_rng(seed)
    family = str(rng.choice(list(OWN)))
    response, parameters = OWN[family]
    response += " | weights(w)" if response != "s/n" and rng.random() < 0.3 else ""
    chosen = [name for name in parameters if rng.random() < 0.7] or [parameters[0]]
    shared = rng.random() < 0.5
    rights = []
    for _ in range(1 + len(chosen)):
        groups = str(rng.choice(SHARED if shared else GROUPS))
        rights.append(f"{rng.choice(COMMON)}" + (f" + {groups}" if groups else ""))
    if shared and any("p|h" in right for right in rights):
        rights = [right.replace("p|h", "p|g").replace("q|g", "q|h") for right in rights]
    rights = [right.replace("(1|h)", "").rstrip("+ ") if right.count("|h)") > 1 else right for right in rights]
    text = f"{response} ~ {rights[0]}"
    for name, right in zip(chosen, rights[1:], strict=True):
        text += f"; {name} ~ {right}"
    frame = random_frame(rng, 70)
    if family.startswith(("hurdle", "zero")):
        frame = frame.assign(p=frame.p * (rng.random(70) < 0.7), c=frame.c * (rng.random(70) < 0.8))
    return text, family, frame


def hold_several(seed):
    text, family, frame = several(seed)
    spec = spec_of(text, frame, family)
    oracle = oracle_of(spec)
    assert_same_density(oracle, points_of(oracle.program, seed=seed))


@pytest.mark.parametrize(("text", "family"), [
    ("y ~ x + (1 + x | gr(g, by = f)) + (1 | h)", "gaussian"),
    ("c ~ x + (1 + x | gr(g, by = f)); alpha ~ (1 + x | gr(g, by = f))", "negbinomial"),
])  # fmt: skip
def test_a_covariance_for_each_level_of_a_factor(text, family):
    frame = random_frame(np.random.default_rng(8), 70)
    level = dict(zip(frame["g"].unique(), np.resize(["a", "b"], frame["g"].nunique()), strict=True))
    oracle = oracle_of(spec_of(text, frame.assign(f=frame["g"].map(level)), family))
    assert_same_density(oracle, points_of(oracle.program))


@pytest.mark.parametrize("text", ["c | rate(t) ~ x + (1 + x | g)", "c | rate(t) ~ x; alpha ~ i + (1 | h)"])
def test_an_exposure_multiplies_the_shape(text):
    frame = random_frame(np.random.default_rng(8), 60)
    oracle = oracle_of(spec_of(text, frame.assign(t=np.linspace(0.2, 5.0, 60)), "negbinomial"))
    assert_same_density(oracle, points_of(oracle.program))


HELD = {
    "deadline": None, "derandomize": True, "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": [HealthCheck.too_slow],
}  # fmt: skip


@settings(max_examples=2, **HELD)
@given(st.integers(0, 10**9))
def test_several_linear_predictors(seed):
    hold_several(seed)


@pytest.mark.slow
@settings(max_examples=150, **HELD)
@given(st.integers(0, 10**9))
def test_several_linear_predictors_of_many_models(seed):
    hold_several(seed)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("y ~ x + (1 | p | g) + (1 | h); sigma ~ x + (1 | p | g)", "gaussian"),
        ("y ~ x + (1 + x | g); sigma ~ f + (1 | h); nu ~ 1", "student"),
        ("c ~ x + (1 | g); alpha ~ i + (1 | g)", "negbinomial"),
        ("c ~ x + (1 + x | i/f/h) + (1 | g)", "poisson"),
    ],
)
def test_coordinates_of_several_linear_predictors(text, family):
    assert_coordinates_are_true(spec_of(text, random_frame(np.random.default_rng(2), 80), family))


def test_the_table_of_what_is_covered_is_that_of_the_code():
    text = (Path(__file__).parents[2] / "notebooks" / "how_it_works.md").read_text()
    expected = table(FAMILIES_BY_NAME.values())
    assert expected in text, f"paste this into notebooks/how_it_works.md:\n{expected}"


def test_a_family_without_a_kernel_of_rows_is_sampled_by_pymc():
    spec = spec_of("y ~ x; sigma ~ x", random_frame(np.random.default_rng(1)), "student")
    assert refused(spec) is None
    alone = replace(spec, family=replace(spec.family, kernel="cumulative", link=LINKS["logit"]))
    assert refused(alone) == "linear predictors of several parameters of the family student(logit) are not covered"


def test_groups_of_few_rows_do_not_draw_the_spread_of_sigma_away():
    """The mean's effects meet such groups exactly, and the density at its mode has no bound."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"y": rng.normal(size=40), "g": [f"g{k:02d}" for k in rng.integers(0, 20, 40)]})
    moved = whiten(program_of(spec_of("y ~ (1 | g); sigma ~ (1 | g)", frame, "gaussian")))
    theta, hyperparameters = moved.expand(np.zeros(moved.problem.dimension))
    names = [each.name for each in moved.problem.hyperparameters]
    assert hyperparameters[names.index("sigma_1|g_sigma")] <= 1.0 + 1e-9
    assert np.abs(theta).max() < 10.0
