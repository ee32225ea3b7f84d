"""The `bmb.Model` of a spec has the density of hiermod's own model."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import assert_equal_up_to_one_constant, log_density, random_points, spec_of

from hiermod.data.sources.examples import example
from hiermod.errors import ModelError
from hiermod.modeling.bambi.bridge import build_bambi
from hiermod.modeling.pymc.model import build_model

RNG = np.random.default_rng(31)
SIZE = 90
DATA = pd.DataFrame(
    {
        "x": RNG.choice([4.0, 5.5, 7.0], SIZE),
        "z": RNG.normal(size=SIZE),
        "i": RNG.integers(0, 2, SIZE),
        "f": RNG.choice(["p", "q", "r"], SIZE),
        "g": RNG.choice(list("abcd"), SIZE),
        "h": RNG.integers(1, 4, SIZE),
        "success": RNG.integers(0, 2, SIZE),
        "n": RNG.integers(1, 6, SIZE),
        "count": RNG.poisson(3.0, SIZE),
        "real": RNG.normal(5.0, 2.0, SIZE),
    }
)
DATA["s"] = RNG.binomial(DATA["n"], 0.4)
DATA["positive"] = RNG.gamma(2.0, 1.5, SIZE).round(1) + 0.1


def compare(spec):
    ours, theirs = build_model(spec), build_bambi(spec).backend.model
    points = random_points(ours, spread=0.4)
    assert set(points[0]) == {variable.name for variable in theirs.value_vars}
    one, other = log_density(ours), log_density(theirs)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


def test_the_country_experiment():
    compare(spec_of("success ~ treated + (1 + treated | country)", example("country")))


def test_four_variants():
    compare(spec_of("successes/trials ~ (1 | variant)", example("variants")))


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("s/n ~ i + (1 + i | g) + (1 | h)", "binomial"),
        ("real ~ i*f + (1 + x + z | g)", "gaussian"),
        ("count ~ f + (1 + f | g)", "poisson"),
        ("success ~ i + (1 + i || g)", "bernoulli(cloglog)"),
        ("real ~ x + (1 | g/h)", "gaussian"),
        ("real ~ x*z + (1 | g)", "gaussian"),
        ("s/n ~ x*f + (1 | g)", "binomial"),
        ("count ~ f + (1 + i | g)", "negbinomial"),
        ("count ~ x + offset(z)", "negbinomial"),
        ("real ~ x + (1 + i | g)", "student"),
        ("positive ~ f + x + (1 | g)", "gamma"),
        ("s/n ~ i + (1 + i | g)", "beta_binomial"),
        ("s/n ~ f + (1 | g)", "beta_binomial(cloglog)"),
    ],
)
def test_densities_agree(text, family):
    compare(spec_of(text, DATA, family))


@pytest.mark.parametrize("text", ["real ~ x + f + (1 | g) + (0 + f | g)", "real ~ x + (1 + x | g) + (0 + f | g)"])
def test_varying_effects_that_bambi_codes_otherwise_are_refused(text):
    with pytest.raises(ModelError, match="other columns for the varying effect"):
        build_bambi(spec_of(text, DATA, "gaussian"))
