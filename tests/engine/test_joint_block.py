"""Coefficients of factors with few groups, sampled jointly: the density is the public one, and nearly normal."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import log_volume, program_of, public_point
from modeling_tools import spec_of
from scipy import stats

import hiermod as hm
from hiermod.engine.adapt.coordinates import FEW_SAMPLED_JOINTLY, MOST, follow_residuals, joint_factors, whiten

RNG = np.random.default_rng(5)
ROWS = pd.DataFrame({"x": RNG.normal(size=240), "v": RNG.normal(size=240), "t": RNG.integers(0, 2, 240),
                     "a": RNG.integers(0, 3, 240), "b": RNG.integers(0, 5, 240), "c": RNG.integers(0, 7, 240),
                     "big": RNG.integers(0, 40, 240)})  # fmt: skip
ETA = 0.4 * ROWS.x + RNG.normal(size=5)[ROWS.b] * 0.6 + RNG.normal(size=40)[ROWS.big] * 0.4
ROWS = ROWS.assign(y=ETA + RNG.normal(size=240), s=RNG.binomial(6, 1 / (1 + np.exp(-ETA))), n=6,
                   k=RNG.poisson(np.exp(0.5 * ETA)), p=RNG.gamma(2, np.exp(ETA) / 2))  # fmt: skip
MODELS = {
    "crossed": ("y ~ x + (1 | a) + (1 | b)", "gaussian", {}, 2),
    "nested": ("s/n ~ x + (1 | a/t)", "binomial", {}, 2),
    "slopes": ("k ~ x + (1 + x | a) + (1 + x + v | b)", "poisson", {}, 2),
    "independent": ("y ~ x + (1 + x || a) + (0 + v | b) + (1 | c)", "student", {}, 3),
    "beside many": ("p ~ x + t + (1 | a) + (1 + t | b) + (1 | big)", "gamma", {}, 2),
    "one beside many": ("y ~ x + (1 | a) + (1 | big)", "gaussian", {}, 1),
    "bounded": ("y ~ x + v + (1 | a) + (1 | b)", "gaussian", {"x": "HalfNormal(1)", "v": "StudentT(3, 0, 2)"}, 2),
    "no common": ("y ~ 0 + (1 | a) + (1 | b)", "gaussian", {}, 2),
    "wide": ("s/n ~ x + (1 + x + v + t | a) + (1 | b)", "beta_binomial", {"cor": "LKJ(3)"}, 2),
    "full": ("y ~ x + v + t + C(b)", "gaussian", {}, 0),
    "full, with groups": ("y ~ x + v + t + C(b) + (1 | a)", "gaussian", {}, 0),
    "full, student": ("y ~ x + v + C(b)", "student", {"v": "HalfNormal(1)"}, 0),
    "full, gamma": ("p ~ x + v + t + C(b)", "gamma", {}, 0),
}
FULL_ROWS = 12  # of a model whose common coefficients take nearly all of them  # fmt: skip


def points_of(program, count, spread=0.7):
    return np.random.default_rng(1).normal(0.0, spread, (count, program.problem.dimension))


@pytest.fixture(scope="module", params=MODELS, ids=str)
def programs(request):
    text, family, priors, together = MODELS[request.param]
    rows = ROWS.iloc[:FULL_ROWS] if request.param.startswith("full") else ROWS
    public = program_of(spec_of(text, rows, family, priors))
    assert follow_residuals(public.problem) == request.param.startswith("full")
    assert joint_factors(public.problem) == together
    return public, whiten(public)


def test_the_density_is_the_public_one_through_the_map(programs):
    public, moved = programs
    differences = []
    for z in (*points_of(moved, 5), *points_of(moved, 5, 2.0)):
        expected = public.log_density(public_point(public, moved, z))[0]
        differences.append(moved.log_density(z)[0] - expected - log_volume(public, moved, z))
    assert np.ptp(differences) <= 1e-8


def test_the_gradient_is_the_densitys(programs):
    _, moved = programs
    for z in points_of(moved, 3):
        _, gradient = moved.log_density(z)
        size = 1.0 + np.abs(gradient).max()
        for place in range(len(z)):
            step = 1e-5 * np.eye(len(z))[place]
            slope = (moved.log_density(z + step)[0] - moved.log_density(z - step)[0]) / 2e-5
            assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-5 * size)


def test_coefficients_of_a_gaussian_model_are_standard_normal_at_any_standard_deviations():
    """Given the hyperparameters, and normal priors, nothing is left but to draw standard normals."""
    priors = {"Intercept": "Normal(0, 1.5)", "slope": "Normal(0, 1)"}
    moved = whiten(program_of(spec_of("y ~ x + (1 | a) + (1 + x | b)", ROWS, "gaussian", priors)))
    size = moved.problem.dimension - len(moved.problem.hyperparameters)
    for hyperparameters in points_of(moved, 6, 2.0)[:, size:]:
        for w in points_of(moved, 2, 1.5)[:, :size]:
            _, gradient = moved.log_density(np.concatenate([w, hyperparameters]))
            np.testing.assert_allclose(gradient[:size], -w, atol=1e-7)


def test_small_models_are_taken_and_large_ones_left():
    codes = {f"f{j}": np.arange(400) % (j + 2) for j in range(FEW_SAMPLED_JOINTLY + 1)}
    rows = pd.DataFrame(codes).assign(y=RNG.normal(size=400))

    def together(*places):
        text = "y ~ " + " + ".join(f"(1 | f{place})" for place in places)
        return joint_factors(program_of(spec_of(text, rows, "gaussian")).problem)

    assert together(0) == 0
    assert together(0, FEW_SAMPLED_JOINTLY - 2) == 2
    assert together(0, FEW_SAMPLED_JOINTLY - 1) == 1
    assert together(FEW_SAMPLED_JOINTLY - 1, FEW_SAMPLED_JOINTLY) == 0
    sizes = np.cumsum([1 + 2, *range(3, FEW_SAMPLED_JOINTLY + 1)])
    assert together(*range(FEW_SAMPLED_JOINTLY - 1)) == int((sizes <= MOST).sum())


def test_crossed_factors_of_few_levels_are_sampled_at_once():
    """Standard deviations near zero, and far from it: without divergences, at the first attempt, and right."""
    fit = hm.fit("y ~ x + (1 | a) + (1 | b) + (1 | c)", ROWS, seed=1, progress=False)
    assert not any("again" in notice for notice in fit.notices)
    assert fit.check().passed
    assert fit._posterior.diagnostics.ess_bulk > 2000


def test_a_balanced_crossing_has_the_exact_posterior():
    """With standard deviations held by priors, sums of normals: mean and spread in closed form."""
    rows = pd.DataFrame({"a": np.repeat([0, 1, 2], 8), "b": np.tile([0, 1], 12), "y": RNG.normal(size=24)})
    held = {f"sd(1|{name})": f"LogNormal({np.log(sd)}, 1e-6)" for name, sd in (("a", 0.5), ("b", 0.3))}
    held |= {"sigma": "LogNormal(0, 1e-6)", "Intercept": "Normal(0, 2)"}
    fit = hm.fit("y ~ (1 | a) + (1 | b)", rows, "gaussian", priors=held, seed=2, progress=False)
    design = np.column_stack([np.ones(24), pd.get_dummies(rows.a), pd.get_dummies(rows.b)]).astype(float)
    prior = np.diag(1 / np.array([2.0, 0.5, 0.5, 0.5, 0.3, 0.3]) ** 2)
    covariance = np.linalg.inv(design.T @ design + prior)
    mean = covariance @ design.T @ rows.y.to_numpy()
    names = ("Intercept", "1|a", "1|b")
    draws = np.hstack([fit.posterior[name].to_numpy().reshape(4000, -1) for name in names])
    sizes = [fit._posterior.diagnostics.ess_bulk] * 6
    errors = np.sqrt(np.diag(covariance) / sizes)
    assert (np.abs(draws.mean(axis=0) - mean) < 4.5 * errors).all()
    deviations = stats.chi2.cdf((draws.std(axis=0) ** 2 / np.diag(covariance)) * 2000, 2000)
    assert ((deviations > 1e-4) & (deviations < 1 - 1e-4)).all()
