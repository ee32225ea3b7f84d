"""Ordered and unordered categories in compiled code: the public model's density and gradient, over random models."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, log_volume, oracle_of, public_point
from modeling_tools import spec_of
from random_models import random_frame

import hiermod as hm
from hiermod.engine.adapt.coordinates import whiten

LINKS = [
    *(f"{name}({link})" for name in ("cumulative", "sratio", "cratio") for link in ("logit", "probit", "cloglog")),
    "acat",
]
COMMON = ("1", "x", "x*i", "x*f", "0 + x", "f", "x + poly(z, 2)")
GROUPS = ("", "(1|g)", "(1+x|g)", "(1|g) + (1|h)", "(f||g)", "(1|g/h)")
PRIORS = (
    {}, {"Intercept": "Dirichlet(2.5)"}, {"Intercept": "StudentT(3, 0, 2.5)"},
    {"Intercept": "Normal(1, 2)", "Intercept[2]": "Logistic(0, 1)", "slope": "Normal(0, 1)"},
)  # fmt: skip


def rated_frame(seed, categories=5):
    rng = np.random.default_rng(seed)
    frame = random_frame(rng)
    frame["r"] = np.append(rng.integers(1, categories + 1, 60 - categories), np.arange(1, categories + 1))
    return frame


def random_ordinal(seed):
    rng = np.random.default_rng(seed)
    family, common, groups = rng.choice(LINKS), rng.choice(COMMON), rng.choice(GROUPS)
    response = "r | weights(w)" if rng.random() < 0.3 else "r"
    text = f"{response} ~ {common}" + (f" + {groups}" if groups else "")
    text += " + offset(0.3*z)" if rng.random() < 0.3 and "poly" not in text else ""
    priors = {key: prior for key, prior in PRIORS[rng.integers(len(PRIORS))].items() if key != "slope" or common != "1"}
    return text, str(family), priors, rated_frame(seed, int(rng.integers(3, 8)))


def hold(seed):
    text, family, priors, frame = random_ordinal(seed)
    oracle = oracle_of(spec_of(text, frame, family, priors))
    assert_same_density(oracle, np.random.default_rng(seed).normal(0.0, 0.6, (2, oracle.program.problem.dimension)))


@pytest.mark.parametrize("seed", range(3))
def test_density_and_gradient_are_those_of_the_public_model(seed):
    hold(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_density_and_gradient_are_those_of_many_public_models(seed):
    hold(seed)


@pytest.mark.slow
@pytest.mark.parametrize("family", LINKS)
def test_every_family_and_link_has_the_public_model_s_density(family):
    for priors in PRIORS:
        oracle = oracle_of(spec_of("r ~ x + (1 + x | g)", rated_frame(3), family, priors))
        assert_same_density(oracle, np.random.default_rng(0).normal(0.0, 0.6, (2, oracle.program.problem.dimension)))


@pytest.mark.parametrize("family", ["cumulative", "sratio(cloglog)"])
def test_coordinates_chosen_at_the_mode_change_the_density_by_their_volume(family):
    """Distances between thresholds stay on their lines."""
    oracle = oracle_of(spec_of("r ~ x + (1 | g)", rated_frame(5), family))
    moved = whiten(oracle.program)
    differences = []
    for z in np.random.default_rng(1).normal(0.0, 0.5, (3, moved.problem.dimension)):
        value, gradient = moved.log_density(z)
        step = 1e-5 * np.random.default_rng(2).normal(size=len(z))
        slope = (moved.log_density(z + step)[0] - moved.log_density(z - step)[0]) / 2.0
        assert slope == pytest.approx(gradient @ step, rel=1e-5, abs=1e-9)
        public = oracle.program.log_density(public_point(oracle.program, moved, z))[0]
        differences.append(value - public - log_volume(oracle.program, moved, z))
    assert np.ptp(differences) < 1e-6


def test_cells_have_the_density_of_their_rows():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(
        {"r": rng.integers(1, 5, 900), "f": rng.choice(list("abc"), 900), "g": rng.integers(0, 5, 900)}
    )
    for family in ("cumulative", "acat", "categorical"):
        cells, rows = (spec_of("r ~ f + (1 | g)", frame, family, compress=own) for own in (True, False))
        assert len(cells.cells) <= 4 * 15 < len(rows.cells) == 900
        one, other = oracle_of(cells).program, oracle_of(rows).program
        differences = []
        for z in np.random.default_rng(0).normal(0.0, 0.6, (3, one.problem.dimension)):
            (value, gradient), (expected, slope) = one.log_density(z), other.log_density(z)
            np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-9 * np.abs(slope).max())
            differences.append(value - expected)
        assert np.ptp(differences) < 1e-9 * 900


@pytest.mark.parametrize("text", ["r ~ x + f", "r ~ f + (1 | p | g)", "r ~ x + (1 + x | p | g) + (1 | h)"])
def test_categories_without_an_order_have_the_public_model_s_density(text):
    oracle = oracle_of(spec_of(text, rated_frame(2, 4), "categorical"))
    assert_same_density(oracle, np.random.default_rng(0).normal(0.0, 0.5, (2, oracle.program.problem.dimension)))


def test_effects_of_categories_are_correlated_by_the_id_of_their_bar():
    frame = rated_frame(2, 4)
    shared = spec_of("r ~ x + (1 | p | g)", frame, "categorical")
    apart = spec_of("r ~ x + (1 | g)", frame, "categorical")
    assert [len(term.row_names) for term in shared.groups] == [3]
    assert shared.groups[0].correlated
    assert [len(term.row_names) for term in apart.groups] == [1, 1, 1]
    assert hm.model("r ~ x + (1 | p | g)", frame, "categorical").formula == "r ~ x + (1 | p | g)"
