"""Every prior on every kind of parameter that takes it: the compiled density is that of the public PyMC model."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, log_volume, oracle_of, program_of, public_point
from modeling_tools import spec_of

from hiermod.engine.adapt.coordinates import whiten
from hiermod.modeling.definition import Definition, define
from hiermod.sampling.prior_draws import sample_prior

RNG = np.random.default_rng(8)
ROWS = 90
DATA = pd.DataFrame(
    {
        "y": RNG.normal(2.0, 1.0, ROWS),
        "x": RNG.normal(5.0, 1.0, ROWS),
        "b": RNG.integers(0, 2, ROWS),
        "f": RNG.choice(["p", "q", "r"], ROWS),
        "g": RNG.choice(list("abcdefg"), ROWS),
    }
)
REAL = [
    "Normal(1, 2)", "StudentT(4, 1, 2)", "Cauchy(0.5, 1)", "Laplace(0.5, 2)", "Logistic(1, 0.7)", "Uniform(-3, 4)",
    "HalfNormal(2)", "HalfStudentT(4, 2)", "HalfCauchy(2)", "Exponential(0.7)", "Gamma(2, 1)", "InverseGamma(2, 1)",
    "LogNormal(0, 1)", "Beta(2, 3)", "Normal(1, 2, lower=0)", "StudentT(4, 1, 2, upper=1.5)",
    "Cauchy(0.5, 1, lower=-1, upper=2)", "Laplace(0.5, 2, lower=-1)", "Logistic(0, 1, lower=0.5)",
    "Exponential(0.7, upper=3)", "Gamma(2, 1, lower=0.1, upper=4)",
]  # fmt: skip
POSITIVE = [*(text for text in REAL if not text.startswith("Uniform")), "Uniform(0.1, 4)", "Normal(0, 2)"]


def points_of(program, count=3):
    rng = np.random.default_rng(3)
    return [rng.normal(0.0, 0.7, program.problem.dimension) for _ in range(count)]


def assert_compiled_as_public(text, priors, family="gaussian"):
    spec = spec_of(text, DATA, family, priors)
    assert spec.refuses("compiled") is None
    oracle = oracle_of(spec)
    assert_same_density(oracle, points_of(oracle.program))
    public = program_of(spec)
    moved = whiten(public)
    differences = []
    for z in points_of(moved, 4):
        value, gradient = moved.log_density(z)
        step = 1e-5 * np.random.default_rng(1).normal(size=len(z))
        slope = (moved.log_density(z + step)[0] - moved.log_density(z - step)[0]) / 2.0
        assert slope == pytest.approx(gradient @ step, rel=1e-5, abs=1e-8)
        differences.append(value - public.log_density(public_point(public, moved, z))[0] - log_volume(public, moved, z))
    assert np.ptp(differences) <= 1e-9
    draws = sample_prior(spec, 50, 1).dataset
    assert all(np.isfinite(draws[name]).all() for name in draws)


def fours(priors):
    """Four at a time, the last ones with some of the first."""
    return [(priors[first:] + priors)[:4] for first in range(0, len(priors), 4)]


@pytest.mark.parametrize("priors", fours(REAL), ids=str)
def test_priors_of_coefficients(priors):
    names = ("Intercept", "b", "f[q]", "f[r]")
    assert_compiled_as_public("y ~ b + f", dict(zip(names, priors, strict=True)))


@pytest.mark.parametrize("priors", fours(POSITIVE), ids=str)
@pytest.mark.parametrize("kind", ["sd", "var", "prec"])
def test_priors_of_standard_deviations_of_their_variances_and_their_precisions(priors, kind):
    names = [*(f"{kind}(f[{level}]|g)" for level in "pqr"), "sigma" if kind == "sd" else f"{kind}(sigma)"]
    assert_compiled_as_public("y ~ 1 + (0 + f || g)", dict(zip(names, priors, strict=True)))


def test_levels_of_a_term_with_priors_of_their_own():
    priors = {"f[q]": "Normal(1, 1, lower=0)", "f": "Cauchy(0, 1)", "sd(f[p]|g)": "Uniform(0, 3)",
              "var(f[q]|g)": "InverseGamma(2, 1)", "sd": "Exponential(1)"}  # fmt: skip
    assert_compiled_as_public("y ~ b + f + (0 + f || g)", priors)
    assert_compiled_as_public("y ~ b + f + (0 + f | g)", {**priors, "cor": "LKJ(3)"}, "student")


def test_levels_whose_priors_stand_at_the_predictors_means():
    assert_compiled_as_public("y ~ x * f + (1 | g)", {"f[q]": "Normal(3, 2)", "f": "StudentT(3, 1, 1)"})


@pytest.mark.parametrize(
    ("formula", "priors"),
    [
        ("y ~ x + b + f + (1 + x | g)", {"Intercept": "StudentT(3, 1, 40)"}),
        ("y ~ x * f + (1 | g)", {"Intercept": "Uniform(-5, 30)"}),
        ("y ~ x * b", {"Intercept": "Normal(20, 10, lower=0)", "slope": "Normal(0, 2)"}),
        ("y ~ 0 + f + x + (1 | g)", {"f[q]": "HalfNormal(20)"}),
    ],
)  # fmt: skip
def test_an_intercept_whose_prior_stands_where_predictors_are_0(formula, priors):
    spec = define(Definition(formula, "gaussian", priors, intercept_at="zero"), DATA).spec
    oracle = oracle_of(spec)
    assert_same_density(oracle, points_of(oracle.program))
