"""Rows and groups left out of fits whose groups' effects are integrated out."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm
from hiermod.answers.scoring.held_out import expected
from hiermod.answers.scoring.integrated import IntegratedGroups, rows_of_groups
from hiermod.data.cells.observations import Members, observations
from hiermod.engine.layout.problem import read_problem
from hiermod.marginal.effects import GaussianConditional, PatternConditional
from hiermod.marginal.gaussian import group_sums
from hiermod.marginal.left_out import GaussianRows, PatternRows
from hiermod.marginal.patterns import find_patterns
from hiermod.marginal.quadrature import pattern_likelihood

LINE = np.linspace(-9.0, 9.0, 721)


def visits(groups, kind, seed=0):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rng.integers(1, 6, groups))
    x = rng.normal(size=len(g))
    eta = -0.3 + 0.4 * x + (rng.normal(size=(groups, 2)) @ np.array([[0.8, 0.3], [0.0, 0.5]]))[g] @ [1.0, 0.0]
    y = {
        "bernoulli": lambda: rng.binomial(1, special.expit(eta)), "poisson": lambda: rng.poisson(np.exp(eta)),
        "gaussian": lambda: eta + rng.normal(size=len(g)),
    }[kind]()  # fmt: skip
    return pd.DataFrame({"y": y, "x": x, "g": g, "days": rng.uniform(0.5, 3.0, len(g))})


def joint_by_sum(frame, kind, draw):
    """The log density of some rows of a group, their effects integrated on a grid; `draw` has all parameters."""
    width, line = len(draw["root"]), LINE[::6]
    z = np.stack(np.meshgrid(*[line] * width, indexing="ij")).reshape(width, -1)
    effects, x, y = draw["root"] @ z, frame["x"].to_numpy()[:, None], frame["y"].to_numpy()[:, None]
    eta = draw["intercept"] + draw["x"] * x + effects[0] + (effects[1] * x if width > 1 else 0.0)
    if kind == "poisson":
        rows = stats.poisson.logpmf(y, np.exp(eta) * frame["days"].to_numpy()[:, None])
    else:
        rows = -np.logaddexp(0.0, np.where(y == 1, -eta, eta))
    step = width * np.log(line[1] - line[0])
    return special.logsumexp(rows.sum(axis=0) + stats.norm.logpdf(z).sum(axis=0)) + step


def conditional_of(spec, width):
    """Two draws of hyperparameters, in the coding of a problem, and how they are there."""
    problem = read_problem(spec)
    beta = np.array([[-0.2, 0.5], [0.1, 0.3]])
    root = np.array([[[0.9, 0.0], [0.2, 0.5]], [[1.1, 0.0], [-0.3, 0.4]]])[:, :width, :width]
    stated = beta @ problem.back.T
    draws = [{"intercept": b[0], "x": b[1], "root": own, "sigma": 0.8} for b, own in zip(stated, root, strict=True)]
    if problem.kernel == "gaussian_identity":
        return GaussianConditional(*group_sums(problem), beta, root, np.full(2, 0.8)), draws
    likelihood = pattern_likelihood(problem, find_patterns(problem)).at(beta.mean(axis=0), root.mean(axis=0))
    return PatternConditional(likelihood, beta, root), draws


def own_rows(frame, seen, place):
    """The rows of an observation's group, and which of them it is."""
    row = seen.frame.iloc[seen.place[place]]
    rows = frame[frame["g"] == int(float(row["g"]))]
    return rows, np.isclose(rows["x"], float(row["x"]))


@pytest.mark.parametrize(
    ("formula", "kind", "width"),
    [
        ("y ~ x + (1 | g)", "bernoulli", 1),
        ("y ~ x + offset(log(days)) + (1 | g)", "poisson", 1),
        ("y ~ x + (1 + x | g)", "bernoulli", 2),
    ],
)
def test_densities_of_rows_are_ratios_of_integrals(formula, kind, width):
    """Of each row given the others of its group, and of one more that is equal given all, by a sum of our own."""
    frame = visits(30, kind)
    spec = hm.model(formula, frame, kind)._defined.spec
    seen = observations(spec.cells)
    conditional, draws = conditional_of(spec, width)
    found = PatternRows(conditional, rows_of_groups(spec, seen))
    places = np.arange(0, len(seen), 5)
    for place, (without, beside) in zip(places, found.given_others(places), strict=True):
        rows, this = own_rows(frame, seen, place)
        for number, draw in enumerate(draws):
            parts = (rows, rows[~this], pd.concat([rows, rows[this]]))
            whole, rest, more = (joint_by_sum(some, kind, draw) for some in parts)
            assert without[number] == pytest.approx(whole - rest, abs=1e-6)
            assert beside[number] == pytest.approx(more - whole, abs=1e-6)


def test_densities_of_groups_are_integrals():
    """Whole, in part, row by row, and of a fit that was made without them."""
    frame = visits(30, "bernoulli", seed=4)
    spec = hm.model("y ~ x + (1 | g)", frame, "bernoulli")._defined.spec
    seen = observations(spec.cells)
    conditional, draws = conditional_of(spec, 1)
    rows = PatternRows(conditional, rows_of_groups(spec, seen))
    codes = rows.rows.groups
    group = int(np.bincount(codes).argmax())
    places = np.flatnonzero(codes == group)
    own, _ = own_rows(frame, seen, places[0])
    one = np.ones(len(places), dtype=np.int64)
    whole, part = Members(places, one), Members(places[:2], one[:2])
    first = np.zeros(len(own), dtype=bool)
    for place in places[:2]:
        first = first | own_rows(frame, seen, place)[1]
    known = IntegratedGroups(rows, seen.times, fitted=True)
    unknown = IntegratedGroups(rows, seen.times, fitted=False)
    joint, of_part, single, again = known.joint(whole), known.joint(part), known.single(part), unknown.joint(part)
    for number, draw in enumerate(draws):
        every = joint_by_sum(own, "bernoulli", draw)
        rest = joint_by_sum(own[~first], "bernoulli", draw)
        assert joint[number] == pytest.approx(every, abs=1e-6)
        assert of_part[number] == pytest.approx(every - rest, abs=1e-6)
        more = joint_by_sum(pd.concat([own, own[first]]), "bernoulli", draw)
        assert again[number] == pytest.approx(more - every, abs=1e-6)
        for place, found in zip(places[:2], single, strict=True):
            beside = pd.concat([own[~first], own[own_rows(frame, seen, place)[1]]])
            assert found[number] == pytest.approx(joint_by_sum(beside, "bernoulli", draw) - rest, abs=1e-6)


def test_densities_of_gaussian_rows_are_conditional_normals():
    """By the covariance matrix of the group's rows, by SciPy."""
    frame = visits(30, "gaussian")
    spec = hm.model("y ~ x + (1 + x | g)", frame, "gaussian", compress=False)._defined.spec
    seen = observations(spec.cells)
    conditional, draws = conditional_of(spec, 2)
    places = np.arange(0, len(seen), 3)
    found = GaussianRows(conditional, rows_of_groups(spec, seen)).given_others(places)
    for place, (without, beside) in zip(places, found, strict=True):
        rows, this = own_rows(frame, seen, place)
        draw = draws[1]
        z = np.column_stack([np.ones(len(rows)), rows["x"]])
        mean, outer = draw["intercept"] + draw["x"] * rows["x"].to_numpy(), z @ draw["root"] @ draw["root"].T @ z.T

        def joint(keep, rows=rows, mean=mean, outer=outer):
            if not len(keep):
                return 0.0
            values = rows["y"].to_numpy()[keep]
            return stats.multivariate_normal.logpdf(
                values, mean[keep], outer[np.ix_(keep, keep)] + 0.64 * np.eye(len(keep))
            )

        every = np.arange(len(rows))
        again = np.append(every, np.flatnonzero(this))
        assert without[1] == pytest.approx(joint(every) - joint(np.flatnonzero(~this)), abs=1e-9)
        assert beside[1] == pytest.approx(joint(again) - joint(every), abs=1e-9)


@pytest.fixture(scope="module")
def counted():
    """Groups of three visits without predictors, of which only the number of successes counts."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(1200), 3)
    frame = pd.DataFrame({"y": rng.binomial(1, special.expit(-0.3 + 1.2 * rng.normal(size=1200)[g])), "g": g})
    priors = {"Intercept": "Normal(0, 1.5)", "sd": "Exponential(1)"}
    fit = hm.fit("y ~ 1 + (1 | g)", frame, seed=1, draws=4000, priors=priors, progress=False)
    successes = frame.groupby("g")["y"].sum().to_numpy()
    counts = np.bincount(successes, minlength=4)
    intercept, log_sd = np.meshgrid(np.linspace(-0.8, 0.2, 81), np.linspace(-0.5, 0.7, 81), indexing="ij")
    sd = np.exp(log_sd)
    eta = intercept[..., None] + sd[..., None] * LINE[::4]
    logs = {
        (k, n): special.logsumexp(
            -k * np.logaddexp(0.0, -eta) - (n - k) * np.logaddexp(0.0, eta) + stats.norm.logpdf(LINE[::4]), axis=-1
        ) + np.log(LINE[4] - LINE[0])
        for n in (2, 3) for k in range(n + 1)
    }  # fmt: skip
    density = -0.5 * (intercept / 1.5) ** 2 - sd + log_sd + sum(counts[k] * logs[k, 3] for k in range(4))
    weight = np.exp(density - density.max())
    return fit, frame, counts, logs, weight / weight.sum()


def test_rows_left_out_by_a_grid_of_hyperparameters(counted):
    """The posterior without each row is integrated anew: -log of the mean of one over the row's density."""
    fit, _, counts, logs, weight = counted
    found = fit.loo(progress=False)
    total, moved = 0.0, np.zeros(weight.shape)
    for k in range(4):
        for y, times in ((1, k), (0, 3 - k)):
            if times:
                ratio = np.exp(logs[k - y, 2] - logs[k, 3])
                elpd = -np.log((weight * ratio).sum())
                total += counts[k] * times * elpd
                moved += counts[k] * times * ratio * np.exp(elpd)
                off = np.sqrt((weight * ratio**2).sum() / (weight * ratio).sum() ** 2 - 1.0) / np.sqrt(16_000)
                kind = found.pointwise[np.isclose(found.pointwise["elpd"], elpd, atol=5.0 * off + 1e-6)]
                assert len(kind) >= counts[k]
    error = np.sqrt((weight * (moved - (weight * moved).sum()) ** 2).sum() / 16_000)
    assert found.elpd == pytest.approx(total, abs=4.0 * error)
    assert found.n == 3600
    assert not found.warning
    assert found.pareto_k.nunique() <= 6


def test_groups_left_out_by_a_grid_of_hyperparameters(counted):
    fit, frame, counts, logs, weight = counted
    found = fit.logo(progress=False)
    exact = np.array([-np.log((weight * np.exp(-logs[k, 3])).sum()) for k in range(4)])
    successes = frame.groupby("g")["y"].sum().to_numpy()
    table = found.pointwise.assign(g=found.pointwise["g"].astype(int)).sort_values("g")
    np.testing.assert_allclose(table["elpd"], exact[successes], atol=2e-3)
    assert found.elpd == pytest.approx(counts @ exact, abs=0.1)
    single = fit.logo(score="rows", progress=False)
    assert single.pointwise["elpd"].nunique() <= 8


def test_more_rows_of_a_group_are_expected_by_its_rows(counted):
    """What folds ask: the density of a row beside those that were fitted."""
    fit, _, _, logs, _ = counted
    seen = observations(fit._posterior.spec.cells)
    found = expected(fit._posterior, seen)
    assert found.shape == (len(seen),)
    assert np.unique(np.round(found, 10)).size <= 6
    assert (found < 0.0).all()
    assert logs


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bernoulli", "poisson", "gaussian"])
def test_scores_agree_with_those_of_sampled_effects(kind):
    """Group by group, by how much differences vary; with six rows a group, few of the sampled ones have a high k."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(1000), 6)
    x = np.arange(len(g)) % 2
    eta = -0.4 + 0.5 * x + 0.7 * rng.normal(size=1000)[g]
    y = {
        "bernoulli": lambda: rng.binomial(1, special.expit(eta)), "poisson": lambda: rng.poisson(np.exp(eta)),
        "gaussian": lambda: eta + rng.normal(size=len(g)),
    }[kind]()  # fmt: skip
    frame = pd.DataFrame({"y": y, "x": x, "g": g})
    exact = hm.fit("y ~ x + (1 | g)", frame, kind, seed=1, progress=False)
    sampled = hm.fit("y ~ x + (1 | g)", frame, kind, seed=2, engine="compiled", progress=False)
    assert exact._posterior.conditional is not None
    one, other = (fit.loo(progress=False).pointwise for fit in (exact, sampled))
    assert (other["pareto_k"] < 0.7).mean() > 0.99
    cells = observations(exact._posterior.spec.cells)
    codes = exact._posterior.spec.groups[0].grouping.codes(cells.frame)[cells.place]
    for name in ("elpd", "p"):
        away = np.bincount(codes, cells.times * (one[name] - other[name]).to_numpy())
        assert abs(away.mean()) < 4.0 * away.std() / np.sqrt(len(away))
