"""Kernels of zero-inflated families and hurdles: the density of the public model, of raw rows and of cells alike."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of, program_of
from modeling_tools import spec_of

from hiermod.families.registry import FAMILIES

MIXTURES = {name: record for name, record in FAMILIES.items() if record.zeros and record.kernel}  # of compiled code
COMMON = ("1", "x", "f", "x*i", "0 + f", "i + offset(0.3*z)")
GROUPS = ("", "(1|g)", "(1+x|g)", "(1+x||g)", "(1|g) + (1|h)", "(0+f|g)")
SHARED = ("(1|p|g)", "(1+x|p|g)", "(1|p|g) + (1|h)")


def frame_of(rng, rows=70):
    trials = rng.integers(2, 9, rows)
    zero = rng.random(rows) < 0.35
    frame = {
        "x": rng.normal(1.0, 1.0, rows).round(2), "z": rng.normal(size=rows), "i": rng.integers(0, 2, rows),
        "f": rng.choice(list("abc"), rows), "g": rng.choice(list("pqrst"), rows), "h": rng.choice(list("uvw"), rows),
        "w": rng.integers(1, 4, rows), "n": trials, "s": np.where(zero, 0, rng.binomial(trials, 0.4)),
        "c": np.where(zero, 0, rng.poisson(3.0, rows)), "p": np.where(zero, 0.0, rng.gamma(2.0, 1.0, rows).round(3)),
    }  # fmt: skip
    return pd.DataFrame(frame)


def response_of(record):
    return "s/n" if record.is_rate else "c" if record.counts else "p"


def random_formula(rng, record):
    """A formula with a linear predictor for each of some parameters."""
    names = [own.name for own in record.parameters if rng.random() < 0.7]
    shared = str(rng.choice(SHARED)) if names and rng.random() < 0.4 else ""
    rights = []
    for _ in ("mu", *names):
        groups = shared or str(rng.choice(GROUPS))
        rights.append(f"{rng.choice(COMMON)}" + (f" + {groups}" if groups else ""))
    weights = " | weights(w)" if not record.is_rate and rng.random() < 0.3 else ""
    parts = [f"{response_of(record)}{weights} ~ {rights[0]}"]
    return "; ".join([*parts, *(f"{name} ~ {right}" for name, right in zip(names, rights[1:], strict=True))])


def points_of(program, seed, count=3):
    return np.random.default_rng(seed).normal(0.0, 0.6, (count, program.problem.dimension))


QUICK_ONES = ("zero_inflated_negbinomial", "zero_inflated_binomial", "hurdle_negbinomial", "hurdle_gamma")
LINKED = [f"{name}({link})" for name, record in MIXTURES.items() for link in record.links]
USUAL = [(f"{name}({MIXTURES[name].links[0]})", 0) for name in QUICK_ONES]
MORE = [(name, seed) for name in LINKED for seed in range(5) if (name, seed) not in USUAL]


@pytest.mark.parametrize(("name", "seed"), [*USUAL, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE)])
def test_random_models_have_the_public_model_s_density(name, seed):
    """With several linear predictors, and groups that these may share."""
    record, rng = MIXTURES[name.partition("(")[0]], np.random.default_rng([seed, len(name)])
    oracle = oracle_of(spec_of(random_formula(rng, record), frame_of(rng), name))
    assert oracle.program.problem.by_rows
    assert_same_density(oracle, points_of(oracle.program, seed))


@pytest.mark.parametrize("name", MIXTURES)
def test_cells_have_the_density_of_their_rows(name):
    """Equal responses of equal rows are one cell; zeros too."""
    record, rng = MIXTURES[name], np.random.default_rng(4)
    frame = frame_of(rng, 400).assign(p=lambda own: own["p"].round(0))
    share = record.parameters[-1].name
    formula = f"{response_of(record)} ~ i + (1|g); {share} ~ i + (1|g)"
    cells, rows = (program_of(spec_of(formula, frame, name, compress=compress)) for compress in (True, False))
    assert len(cells.problem.response) < len(rows.problem.response) <= 400
    points = points_of(cells, 1, 6)
    (seen, slopes), (expected, expected_slopes) = (
        [np.array(part) for part in zip(*(own.log_density(z) for z in points), strict=True)] for own in (cells, rows)
    )
    np.testing.assert_allclose(slopes, expected_slopes, rtol=1e-9, atol=1e-9 * np.abs(expected_slopes).max())
    assert np.ptp(seen - expected) <= 1e-9 * np.abs(expected).max()
