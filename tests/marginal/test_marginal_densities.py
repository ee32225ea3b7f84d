"""Densities with the effects of groups integrated out, against closed forms, quadrature and lme4."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import integrate
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal

import hiermod as hm
from hiermod.data.pushdown.tally import LARGE
from hiermod.engine.layout.problem import read_problem
from hiermod.marginal.gaussian import gaussian_likelihood
from hiermod.marginal.mode import Mode, NoModeError, find_mode
from hiermod.marginal.patterns import find_patterns, joint_ids
from hiermod.marginal.quadrature import pattern_likelihood
from hiermod.marginal.target import Target

REFERENCE = Path(__file__).parent.parent / "reference"


def problem_of(formula, frame, family=None, priors=None):
    return read_problem(hm.model(formula, frame, family, priors=priors)._defined.spec)


def visits(groups, seed=0, kind="bernoulli"):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rng.integers(1, 5, groups))
    x = rng.integers(0, 2, len(g))
    eta = -0.3 + 0.5 * x + rng.normal(size=groups)[g]
    y = rng.binomial(1, expit(eta)) if kind == "bernoulli" else rng.poisson(np.exp(eta))
    return pd.DataFrame({"y": y, "x": x, "g": g})


@pytest.mark.parametrize(
    ("formula", "groups"),
    [
        ("y ~ x + (1 | g)", 40),
        ("y ~ x + (1 | g)", 12),
        ("y ~ x + (1 + x | g)", 12),
        ("y ~ x + z + (1 + x + z || g)", 12),
    ],
)
def test_gaussian_groups_are_multivariate_normal(formula, groups):
    """With 40 groups their sizes are far fewer than they are."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(groups), rng.integers(2, 7, groups))
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=len(g)), "z": rng.normal(size=len(g))})
    frame["y"] = rng.normal(size=len(g))
    problem = problem_of(formula, frame)
    factor, points = problem.factors[0], 5
    beta = rng.normal(size=(points, problem.common))
    root = np.tril(rng.normal(size=(points, factor.width, factor.width)))
    sigma = rng.uniform(0.5, 2.0, points)
    found = gaussian_likelihood(problem).log_likelihood(beta, root, sigma[:, None])
    columns = {"1": np.ones(len(g)), "x": frame["x"].to_numpy(), "z": frame["z"].to_numpy()}
    names = ["1", "x", "z"][: factor.width]
    expected = np.zeros(points)
    centred = np.stack([columns[name] - (columns[name].mean() if name != "1" else 0.0) for name in
                        (["1", "x", "z"] if "z" in formula else ["1", "x"])], axis=1)  # fmt: skip
    for place in range(points):
        for group in range(groups):
            own = g == group
            design = np.stack([columns[name][own] for name in names], axis=1)
            covariance = design @ root[place] @ root[place].T @ design.T + sigma[place] ** 2 * np.eye(own.sum())
            expected[place] += multivariate_normal.logpdf(
                frame["y"].to_numpy()[own], centred[own] @ beta[place], covariance
            )
    constant = -0.5 * len(g) * np.log(2.0 * np.pi)
    np.testing.assert_allclose(found + constant, expected, rtol=1e-10)


@pytest.mark.parametrize(("kind", "family"), [("bernoulli", None), ("poisson", "poisson")])
def test_patterns_integrate_as_each_group_does(kind, family):
    frame = visits(250, kind=kind)
    problem = problem_of("y ~ x + (1 | g)", frame, family)
    patterns = find_patterns(problem)
    beta, sd = np.array([[-0.2, 0.4]]), 0.9
    likelihood = pattern_likelihood(problem, patterns).at(beta[0], np.array([[sd]])).with_nodes(41)
    found = likelihood.log_likelihood(beta, np.array([[[sd]]]), np.zeros((1, 0)))[0]
    x = frame["x"].to_numpy()

    def log_rows(rows, o):
        eta = beta[0, 0] + beta[0, 1] * x[rows] + sd * o
        y = frame["y"].to_numpy()[rows]
        if kind == "bernoulli":
            return (y * eta - np.log1p(np.exp(eta))).sum()
        return (y * eta - np.exp(eta)).sum()

    expected = 0.0
    for group in range(250):
        rows = np.flatnonzero(frame["g"] == group)
        integral, _ = integrate.quad(
            lambda o, rows=rows: np.exp(log_rows(rows, o) - 0.5 * o**2) / np.sqrt(2.0 * np.pi), -12, 12, epsabs=1e-14
        )
        expected += np.log(integral)
    assert found == pytest.approx(expected, abs=1e-8)


def test_patterns_are_what_groups_have_in_common():
    frame = visits(400, seed=4)
    patterns = find_patterns(problem_of("y ~ x + (1 | g)", frame))
    keys = frame.groupby("g").apply(lambda own: (int((own["x"] == 0).sum()), int(own["x"].sum()), int(own["y"].sum())))
    table = pd.DataFrame({"key": keys.to_numpy(), "pattern": patterns.of_group})
    assert (table.groupby("key")["pattern"].nunique() == 1).all()
    assert (table.groupby("pattern")["key"].nunique() == 1).all()
    np.testing.assert_array_equal(patterns.counts, np.bincount(patterns.of_group))


def test_groups_that_share_no_pattern_have_none():
    rng = np.random.default_rng(0)
    frame = visits(200).assign(x=lambda own: rng.normal(size=len(own)))
    patterns = find_patterns(problem_of("y ~ x + (1 | g)", frame))
    np.testing.assert_array_equal(patterns.of_group, np.arange(200))
    np.testing.assert_array_equal(patterns.totals[:, 0], frame.groupby("g")["y"].sum())


@pytest.mark.parametrize(("kind", "family"), [("bernoulli", None), ("poisson", "poisson")])
def test_two_effects_are_integrated_on_a_grid(kind, family):
    """Against the trapezoidal rule in both, which is exact for such integrands, by code of its own."""
    rng = np.random.default_rng(3)
    frame = visits(40, kind=kind).assign(x=lambda own: rng.normal(size=len(own)))
    problem = problem_of("y ~ x + (1 + x | g)", frame, family)
    beta, root = np.array([0.2, -0.3]), np.array([[0.9, 0.0], [-0.3, 0.5]])
    likelihood = pattern_likelihood(problem, find_patterns(problem)).at(beta, root).with_nodes(36)
    moved = beta + 0.1, root * 1.2
    found = [likelihood.log_likelihood(b[None], r[None], np.zeros((1, 0)))[0] for b, r in ((beta, root), moved)]
    line = np.arange(-9.0, 9.01, 0.1)
    o = np.stack(np.meshgrid(line, line, indexing="ij")).reshape(2, -1)
    for (b, r), own in zip(((beta, root), moved), found, strict=True):
        expected, effects = 0.0, r @ o
        for _, rows in frame.groupby("g"):
            x, y = rows["x"].to_numpy()[:, None], rows["y"].to_numpy()[:, None]
            eta = b[0] + b[1] * (x - frame["x"].mean()) + effects[0] + effects[1] * x
            log_rows = (y * eta - (np.exp(eta) if family else np.logaddexp(0.0, eta))).sum(axis=0)
            expected += np.log((np.exp(log_rows - 0.5 * (o**2).sum(axis=0)) / (2.0 * np.pi)).sum() * 0.01)
        assert own == pytest.approx(expected, abs=1e-7)


def test_linear_predictors_far_out():
    """Where exp overflows, against SciPy."""
    frame = visits(60)
    problem = problem_of("y ~ x + (1 | g)", frame)
    beta, root = np.array([[300.0, 900.0], [-800.0, 10.0]]), np.array([[[0.8]], [[0.8]]])
    likelihood = pattern_likelihood(problem, find_patterns(problem)).at(np.zeros(2), np.eye(1)).with_nodes(20)
    found = likelihood.log_likelihood(beta, root, np.zeros((2, 0)))
    x, weights = np.polynomial.hermite_e.hermegauss(120)
    expected = np.zeros(2)
    for place, own in enumerate(beta):
        for _, rows in frame.groupby("g"):
            eta = own[0] + own[1] * rows["x"].to_numpy()[:, None] + 0.8 * x
            inner = (rows["y"].to_numpy()[:, None] * eta - np.logaddexp(0.0, eta)).sum(axis=0)
            expected[place] += logsumexp(inner, b=weights / np.sqrt(2.0 * np.pi))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_factor_of_a_covariance_matrix_and_the_volume_of_the_map():
    """Against the matrix, and differences of sds and correlations by entries of the factor."""
    rng = np.random.default_rng(5)
    frame = visits(50).assign(x=lambda own: rng.normal(size=len(own)), z=lambda own: rng.normal(size=len(own)))
    problem = problem_of("y ~ x + z + (1 + x + z | g)", frame)
    target = Target(problem, pattern_likelihood(problem, find_patterns(problem)))
    point = np.array([0.1, 0.2, 0.3, *np.log([0.7, 0.4, 0.5]), 0.2, -0.3, 0.25])
    factor = np.array([[0.7, 0.0, 0.0], [0.2, 0.4, 0.0], [-0.3, 0.25, 0.5]])
    _, values, volume = target.parameters(point[None])
    np.testing.assert_allclose(target.root(values)[0], factor, atol=1e-12)
    np.testing.assert_allclose(values[0, :3], np.sqrt(np.diag(factor @ factor.T)), atol=1e-12)
    step = 1e-6 * np.eye(9)[3:]
    slopes = (target.parameters(point + step)[1] - target.parameters(point - step)[1]) / 2e-6
    assert volume[0] == pytest.approx(np.linalg.slogdet(slopes)[1], abs=1e-7)
    _, soft, _ = target.parameters(point[None])
    again, where, _ = target.softened(Mode(point, 0.0, np.eye(9)))
    np.testing.assert_allclose(again.parameters(where[None])[1], soft, atol=1e-12)


def test_joint_ids_tell_all_columns_apart():
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 3, 200) for _ in range(3)]
    ids = joint_ids(columns)
    together = list(zip(*columns, strict=True))
    assert all((ids[i] == ids[j]) == (together[i] == together[j]) for i in range(60) for j in range(60))


@pytest.mark.parametrize(
    ("model", "formula", "family"),
    [
        ("patterns", "y ~ x + (1 | g)", "bernoulli"),
        ("number", "y_number ~ z + (1 | g)", "bernoulli"),
        ("trials", "successes/trials ~ x + (1 | g)", "binomial"),
        ("events", "events ~ x + offset(log(days)) + (1 | g)", "poisson"),
    ],
)
def test_log_likelihood_of_lme4(model, formula, family):
    frame = pd.read_csv(REFERENCE / "marginal_likelihood_data.csv")
    expected = pd.read_csv(REFERENCE / "marginal_likelihood.csv").set_index("model").loc[model]
    problem = problem_of(formula, frame, family)
    stated = np.array([expected["intercept"], expected["slope"]])
    beta, root = np.linalg.solve(problem.back, stated), np.array([[expected["sd"]]])
    likelihood = pattern_likelihood(problem, find_patterns(problem)).at(beta, root).with_nodes(25)
    found = likelihood.log_likelihood(beta[None], root[None], np.zeros((1, 0)))[0]
    assert found == pytest.approx(expected["log_likelihood"], abs=1e-6)


def test_target_holds_priors_and_the_volume_of_the_map():
    frame = visits(60)
    problem = problem_of("y ~ 1 + (1 | g)", frame, priors={"Intercept": "Normal(0.2, 1.3)", "sd": "Gamma(3, 2)"})
    patterns = find_patterns(problem)
    target = Target(problem, pattern_likelihood(problem, patterns).at(np.zeros(1), np.eye(1)).with_nodes(31))
    points = np.array([[0.1, -0.3], [-0.4, 0.2]])
    alone = target.likelihood.log_likelihood(points[:, :1], np.exp(points[:, 1])[:, None, None], np.zeros((2, 0)))
    sd = np.exp(points[:, 1])
    prior = -0.5 * ((points[:, 0] - 0.2) / 1.3) ** 2 + (3 - 1) * np.log(sd) - 2 * sd + points[:, 1]
    found = target.log_density(points) - alone - prior
    assert found[0] == pytest.approx(found[1], abs=1e-10)


def test_mode_of_a_known_density():
    spread = np.array([[2.0, 0.0, 0.0], [0.7, 0.1, 0.0], [-300.0, 5.0, 80.0]])
    precision = np.linalg.inv(spread @ spread.T)
    at = np.array([4.0, -0.3, 900.0])

    def density(points):
        away = points - at
        return -0.5 * np.einsum("bi,ij,bj->b", away, precision, away)

    mode = find_mode(lambda _: density, np.zeros(3))
    np.testing.assert_allclose(mode.point, at, rtol=1e-4)
    np.testing.assert_allclose(mode.spread @ mode.spread.T, spread @ spread.T, rtol=1e-4)


def test_a_density_without_a_mode():
    with pytest.raises(NoModeError):
        find_mode(lambda _: lambda points: points.sum(axis=1), np.zeros(2))


def test_a_density_that_has_no_values_near_by_has_no_mode():
    """And no warning is given on the way to saying so."""
    with pytest.raises(NoModeError):
        find_mode(lambda _: lambda points: np.where(points[:, 0] > 0.0, -np.inf, points.sum(axis=1)), np.zeros(2))


def test_differences_of_a_poisson_model_with_exposure():
    frame = visits(500, kind="poisson").assign(days=3.0)
    problem = problem_of("y ~ x + offset(log(days)) + (1 | g)", frame, "poisson")
    beta, root = np.array([[-0.5, 0.3], [-0.2, 0.1]]), np.array([[[0.6]], [[0.8]]])
    likelihood = pattern_likelihood(problem, find_patterns(problem)).at(beta[0], root[0]).with_nodes(31)
    found = np.diff(likelihood.log_likelihood(beta, root, np.zeros((2, 0))))
    o = np.linspace(-10.0, 10.0, 2001)
    weight = np.exp(-0.5 * o**2)
    expected = np.zeros(2)
    for place in range(2):
        for _, own in frame.groupby("g"):
            eta = beta[place, 0] + beta[place, 1] * own["x"].to_numpy()[:, None] + np.log(3.0) + root[place, 0, 0] * o
            rows = (own["y"].to_numpy()[:, None] * eta - np.exp(eta)).sum(axis=0)
            expected[place] += np.log(weight @ np.exp(rows))
    np.testing.assert_allclose(found, np.diff(expected), atol=1e-8)


@pytest.mark.slow
def test_patterns_are_the_same_from_every_source(tmp_path):
    """A large table is counted by the engine that holds it; the patterns and how many groups have each stay."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"g": np.repeat(np.arange(25_000), 5), "x": np.tile([0, 1, 0, 1, 1], 25_000)})
    frame = frame.assign(y=rng.binomial(1, 0.4, len(frame)))
    assert len(frame) > LARGE
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path)
    shuffled = frame.sample(frac=1.0, random_state=1)
    sources = [frame, shuffled, pl.LazyFrame(frame), duckdb.connect().from_df(shuffled), str(path)]
    tables = []
    for source in sources:
        found = find_patterns(problem_of("y ~ x + (1 | g)", source, "bernoulli"))
        rows = np.column_stack([found.summed(found.size[:, None]), found.totals, found.counts])
        tables.append(rows[np.lexsort(rows.T)])
    assert len(tables[0]) == 6
    for other in tables[1:]:
        np.testing.assert_array_equal(other, tables[0])
