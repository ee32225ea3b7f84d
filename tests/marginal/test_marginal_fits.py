"""Fits whose groups' effects are integrated out, and their effects drawn when they are asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp

import hiermod as hm
from hiermod.marginal import source
from hiermod.marginal.draws import NotDrawnError, Proposal, draw, find_proposal, refined
from hiermod.marginal.mode import Mode
from hiermod.marginal.surrogate import degrees, fit_surrogate, points_needed, scattered
from hiermod.sampling import by_marginal
from hiermod.sampling.mixture import mixture
from hiermod.sampling.run import choose_sampler, planned_runs
from hiermod.sampling.sampled_effects import MOST_DIMENSIONS, cost
from hiermod.sampling.settings import Settings

GROUPS, VISITS = 1500, 4


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(GROUPS), VISITS)
    y = rng.binomial(1, expit(-0.4 + 1.1 * rng.normal(size=GROUPS)[g]))
    return pd.DataFrame({"y": y, "g": g, "real": 2.0 + 0.8 * rng.normal(size=GROUPS)[g] + rng.normal(size=len(g))})


@pytest.fixture(scope="module")
def fit(frame):
    priors = {"Intercept": "Normal(0, 1.5)", "sd": "Exponential(1)"}
    return hm.fit("y ~ 1 + (1 | g)", frame, seed=1, priors=priors, progress=False)


@pytest.fixture(scope="module")
def quadrature(frame):
    """Nodes of intercept and sd with their chances, by an independent sum over effects."""
    successes = frame.groupby("g")["y"].sum().to_numpy()
    counts = np.bincount(successes, minlength=VISITS + 1)
    intercept, log_sd = np.meshgrid(np.linspace(-0.75, -0.05, 71), np.linspace(-0.3, 0.5, 81), indexing="ij")
    sd, o = np.exp(log_sd), np.linspace(-9.0, 9.0, 361)
    eta = intercept[..., None] + sd[..., None] * o
    log_one, log_none = -np.logaddexp(0.0, -eta), -np.logaddexp(0.0, eta)
    density = -0.5 * (intercept / 1.5) ** 2 - sd + log_sd
    for k in range(VISITS + 1):
        density = density + counts[k] * logsumexp(k * log_one + (VISITS - k) * log_none - 0.5 * o**2, axis=-1)
    weight = np.exp(density - density.max())
    return intercept, sd, weight / weight.sum()


def test_hyperparameters_are_those_of_quadrature(fit, quadrature):
    intercept, sd, weight = quadrature
    for name, nodes in (("Intercept", intercept), ("1|g_sigma", sd)):
        draws = fit.posterior[name].to_numpy().ravel()
        mean = (weight * nodes).sum()
        deviation = np.sqrt((weight * (nodes - mean) ** 2).sum())
        assert abs(draws.mean() - mean) < 4.0 * deviation / np.sqrt(len(draws))
        assert abs(draws.std() / deviation - 1.0) < 4.0 / np.sqrt(2.0 * len(draws))


def test_draws_are_independent(fit):
    assert str(fit.check()).count("ok") >= 4
    assert any(
        "the effects of 1,500 groups of g are integrated out, which have 5 patterns" in text for text in fit.notices
    )
    ess = fit.summary().fixed["ess_bulk"].min() if "ess_bulk" in fit.summary().fixed else len(fit.posterior.draw) * 4
    assert ess > 0.5 * 4_000


def test_effects_are_those_of_quadrature(fit, frame, quadrature):
    intercept, sd, weight = quadrature
    o = np.linspace(-9.0, 9.0, 361)
    group = 11
    k = int(frame.loc[frame["g"] == group, "y"].sum())
    eta = intercept[..., None] + sd[..., None] * o
    log_density = -k * np.logaddexp(0.0, -eta) - (VISITS - k) * np.logaddexp(0.0, eta) - 0.5 * o**2
    inner = np.exp(log_density - logsumexp(log_density, axis=-1, keepdims=True))
    u = sd[..., None] * o
    mean = (weight[..., None] * inner * u).sum()
    deviation = np.sqrt((weight[..., None] * inner * (u - mean) ** 2).sum())
    (draws,) = fit._posterior.effects(fit._posterior.spec.groups[0], np.array([group]))
    draws = draws[:, 0, 0]
    assert abs(draws.mean() - mean) < 4.0 * deviation / np.sqrt(len(draws))
    assert abs(draws.std() / deviation - 1.0) < 0.002 + 4.0 / np.sqrt(2.0 * len(draws))


def test_a_group_has_the_same_effects_whoever_asks(fit):
    posterior = fit._posterior
    (term,) = posterior.spec.groups
    everyone = posterior.effects(term)[0]
    alone = posterior._conditional.draw(np.array([40, 3]), posterior._generator_of_group)
    np.testing.assert_allclose(alone, everyone[:, [40, 3]], rtol=1e-12)


def test_stored_fits_hold_no_effects_and_draw_the_same(fit, tmp_path):
    path = tmp_path / "users.nc"
    fit.save(path)
    assert path.stat().st_size < 1_500_000
    loaded = hm.load(path)
    pd.testing.assert_frame_equal(loaded.ranef()["g"], fit.ranef()["g"])
    assert str(loaded.rates()) == str(fit.rates())


def test_gaussian_fits_agree_with_the_sampler(frame):
    exact = hm.fit("real ~ 1 + (1 | g)", frame, seed=1, progress=False)
    sampled = hm.fit("real ~ 1 + (1 | g)", frame, seed=1, engine="compiled", progress=False)
    for name in ("Intercept", "1|g_sigma", "sigma"):
        one, other = (fitted.posterior[name].to_numpy().ravel() for fitted in (exact, sampled))
        assert abs(one.mean() - other.mean()) < 5.0 * other.std() * np.sqrt(1.0 / 4000 + 1.0 / 2000)
    means = [fitted.ranef().table for fitted in (exact, sampled)]
    away = (means[0]["estimate"] - means[1]["estimate"]) / (means[1]["sd"] * np.sqrt(1.0 / 4000 + 1.0 / 2000))
    assert np.sqrt((away**2).mean()) < 1.1


def test_the_sampler_can_be_asked_for(frame):
    fitted = hm.fit("y ~ 1 + (1 | g)", frame, seed=1, draws=20, chains=1, tune=50, engine="compiled", progress=False)
    assert "1|g" in fitted.posterior


def test_groups_that_hardly_differ_are_integrated_too():
    """Their standard deviation is next to 0, where its density ends; against sums over a grid."""
    frame = pd.DataFrame({"y": np.random.default_rng(0).binomial(1, 0.4, 4000), "g": np.repeat(np.arange(2000), 2)})
    priors = {"Intercept": "Normal(0, 1)", "sd": "HalfNormal(1)"}
    fitted = hm.fit("y ~ 1 + (1 | g)", frame, seed=1, priors=priors, progress=False)
    assert "1|g" not in fitted.posterior
    counts = np.bincount(frame.groupby("g")["y"].sum(), minlength=3)
    intercept, sd = np.meshgrid(np.linspace(-0.75, -0.15, 61), np.linspace(0.0025, 0.9975, 200), indexing="ij")
    x, weight = np.polynomial.hermite_e.hermegauss(30)
    eta = intercept[..., None] + sd[..., None] * x
    log = -0.5 * intercept**2 - 0.5 * sd**2
    for successes, count in enumerate(counts):
        log += count * np.log(np.exp(successes * eta - 2.0 * np.logaddexp(0.0, eta)) @ weight)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    for name, values in (("Intercept", intercept), ("1|g_sigma", sd)):
        draws = fitted.posterior[name].to_numpy().ravel()
        mean = (chance * values).sum()
        deviation = np.sqrt((chance * (values - mean) ** 2).sum())
        assert abs(draws.mean() - mean) < 4.0 * deviation / np.sqrt(4000.0)
        assert abs(draws.std() / deviation - 1.0) < 4.0 / np.sqrt(2.0 * 4000.0)


def test_where_independent_draws_fail_the_effects_are_sampled(frame, monkeypatch, capsys):
    """The proposals are far too narrow for the density, whose ratio to theirs has no bound."""

    def narrow(placed):
        found = source.find_source(placed)
        return replace(found, proposal=replace(found.proposal, scales=np.full((2, 3), 0.2)))

    monkeypatch.setattr(by_marginal, "find_source", narrow)
    settings = {"seed": 1, "draws": 150, "chains": 2, "tune": 200, "progress": False}
    fitted = hm.fit("real ~ 1 + (1 | g)", frame, **settings)
    assert fitted.posterior["1|g"].shape == (2, 150, GROUPS)
    told = " ".join(capsys.readouterr().err.split())
    assert "engine: compiled (the effects of 1,500 groups of g are sampled: the posterior without them is too" in told
    assert "hiermod: sampling the effects of 1,500 groups of g takes about 1 second and " in told
    assert "of memory, and up to " in told
    assert " if it has to be repeated" in told
    assert fitted.provenance.engine == "compiled"
    assert fitted.model._samplers["auto"].engine.name == "compiled"  # as the next fit will be
    monkeypatch.undo()
    exact = hm.fit("real ~ 1 + (1 | g)", frame, seed=1, progress=False)
    assert abs(fitted.posterior["1|g_sigma"].mean() - exact.posterior["1|g_sigma"].mean()) < 0.02
    both = mixture([fitted._posterior, exact._posterior])
    parts = [part.effects(part.spec.groups[0], np.array([5]))[0] for part in both.parts]
    np.testing.assert_array_equal(both.effects(both.spec.groups[0], np.array([5]))[0], np.concatenate(parts))


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (
            "whole ~ 1 + (1 | g)",
            "they are integrated out of gaussian, logistic and Poisson models, not of negbinomial ones",
        ),
        ("y ~ s(a) + b + (1 | g)", "that takes less time than to integrate them out"),
        ("real ~ a + b + c + (1 + a + b + c | g)", "a group of g has 4 effects, and at most 3 are integrated out"),
        ("y ~ a + (1 | each)", "each group of each has one row, and data do not tell how much groups differ"),
    ],
)
def test_why_effects_are_sampled_is_said(formula, why):
    rng, size = np.random.default_rng(5), 2000
    columns = {name: rng.normal(size=size) for name in ("real", "a", "b", "c")}
    order = np.arange(size)
    frame = pd.DataFrame(
        {**columns, "y": rng.binomial(1, 0.4, size), "whole": order % 5, "g": order // 2, "each": order}
    )
    family = "negbinomial" if formula.startswith("whole") else None
    said = str(choose_sampler(hm.model(formula, frame, family)._defined.spec, "auto", print).engine)
    assert said.startswith("engine: compiled (the effects of ")
    assert " are sampled: " in said
    assert said.endswith(f"{why})")


def test_what_repeated_runs_take_is_said():
    """Of all that may be sampled one after the other: 1,000, 4,000 and 16,000 draws, and their warm-up."""
    frame = pd.DataFrame({"y": np.tile([0.0, 1.0, 3.0], 1000), "g": np.arange(3000) // 2})
    spec = hm.model("y ~ 1 + (1 | g)", frame)._defined.spec
    runs = planned_runs(Settings(draws=1000, chains=4), 300)
    assert [(own.draws, tune) for own, tune in runs] == [(1000, 300), (4000, 600), (16_000, 1200)]
    steps = [4 * 12.0 * (own.draws + tune) for own, tune in runs]
    said = cost(spec, runs, 1500, 60.0 * 60.0 / steps[0])
    assert said.startswith("sampling the effects of 1,500 groups of g takes about 60 minutes and ")
    assert f" and up to {float(f'{sum(steps) / steps[0]:.2g}'):.0f} hours and " in said


def test_the_error_of_the_integrals_is_stated(fit):
    (check,) = [check for check in fit.check().checks if check.name == "independent draws"]
    assert check.passed
    assert check.figure.startswith("log density off by ")
    assert check.figure.endswith(" over the posterior, all groups together, at most 0.001")
    assert 0.0 < fit._posterior.quadrature_error < 1e-4


def test_few_groups_are_sampled():
    fitted = hm.fit("y ~ x + (1 | g)", pd.DataFrame({"y": [0, 1] * 20, "x": [0, 0, 1, 1] * 10, "g": [*range(8)] * 5}),
                    seed=1, draws=20, chains=1, tune=50, progress=False)  # fmt: skip
    assert "1|g" in fitted.posterior


def test_draws_of_a_density_are_exact():
    def density(points):
        z = points[:, 0]
        return -0.5 * (points**2).sum(axis=1) + np.log1p(0.8 * np.tanh(z))

    mode = Mode(np.zeros(2), float(density(np.zeros((1, 2)))[0]), 1.1 * np.eye(2))
    points = draw(density, find_proposal(density, mode), 40_000, np.random.default_rng(2))
    grid = np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-0.5 * grid**2) * (1.0 + 0.8 * np.tanh(grid))
    mean = (grid * weight).sum() / weight.sum()
    assert abs(points[:, 0].mean() - mean) < 4.0 * points[:, 0].std() / 200.0
    assert abs(points[:, 1].mean()) < 4.0 / 200.0


def test_a_density_far_from_the_proposals_is_not_drawn():
    mode = Mode(np.zeros(1), 0.0, np.eye(1))
    with pytest.raises(NotDrawnError):
        draw(
            lambda points: np.where(np.abs(points[:, 0]) > 1.0, 9.0, 0.0), Proposal(mode, np.ones((2, 1))), 100,
            np.random.default_rng(0),
        )  # fmt: skip


def test_a_polynomial_takes_the_place_of_one():
    def density(points):
        z = (points - 3.0) / 2.0
        return -0.5 * (z**2).sum(axis=1) + 0.02 * z[:, 0] ** 3 - 0.01 * z[:, 0] ** 2 * z[:, 1] ** 2

    mode = Mode(np.full(2, 3.0), 0.0, 2.0 * np.eye(2))
    surrogate = fit_surrogate(mode, 4, scattered(density, mode, 4, np.random.default_rng(0), None))
    points = 3.0 + 2.0 * np.random.default_rng(1).normal(size=(100, 2))
    np.testing.assert_allclose(surrogate.log_density(points), density(points), atol=1e-9)


def test_polynomials_stay_small():
    """Ten dimensions have 8,008 terms up to the sixth degree, which took minutes and 4 GB to fit."""
    assert degrees(5) == (4, 6)
    assert degrees(10) == (4,)
    assert max(points_needed(size, degree) for size in range(1, MOST_DIMENSIONS + 1) for degree in degrees(size)) < 5000


def test_a_density_accepts_what_one_near_it_proposes():
    def near(points):
        return -0.5 * points[:, 0] ** 2

    def density(points):
        return near(points) + np.log1p(0.8 * np.tanh(points[:, 0]))

    proposal = Proposal(Mode(np.zeros(1), 0.0, np.eye(1)), np.full((2, 1), 1.1))
    points = refined(density, near, proposal, 40_000, np.random.default_rng(3))
    grid = np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-0.5 * grid**2) * (1.0 + 0.8 * np.tanh(grid))
    mean = (grid * weight).sum() / weight.sum()
    assert points.shape == (40_000, 1)
    assert abs(points.mean() - mean) < 4.0 * points.std() / 200.0


@pytest.fixture(scope="module")
def slopes():
    """A fit with two effects a group, in two arms."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(1000), 6)
    x = np.arange(len(g)) % 2
    effects = rng.normal(size=(1000, 2)) @ np.array([[0.8, 0.3], [0.0, 0.6]])
    y = rng.binomial(1, expit(0.3 + 0.2 * x + effects[g, 0] + effects[g, 1] * x))
    frame = pd.DataFrame({"y": y, "x": x, "g": g})
    return frame, hm.fit("y ~ x + (1 + x | g)", frame, seed=2, draws=500, progress=False)


def test_two_effects_of_a_group_are_drawn_from_their_exact_distribution(slopes):
    """Means and second moments against sums over a grid, draw by draw, by code of its own."""
    frame, fitted = slopes
    posterior = fitted._posterior
    (term,) = posterior.spec.groups
    groups = np.array([0, 500, 999])
    drawn = posterior._conditional.draw(groups, posterior._generator_of_group)
    assert posterior.quadrature_error is not None
    line = np.linspace(-5.0, 5.0, 101)
    o = np.stack(np.meshgrid(line, line, indexing="ij")).reshape(2, -1)
    names = ("Intercept", "x", "1|g_sigma", "x|g_sigma")
    values = {name: posterior.values(name) for name in names}
    correlation = posterior.values(term.correlation_name).ravel()
    for at, group in enumerate(groups):
        rows = frame[frame["g"] == group]
        x, y = rows["x"].to_numpy()[:, None], rows["y"].to_numpy()[:, None]
        moments = []
        for place in range(0, posterior.size, 20):
            b0, b1, s0, s1 = (values[name][place] for name in names)
            r = correlation[place]
            effects = np.array([[s0, 0.0], [s1 * r, s1 * np.sqrt(1.0 - r * r)]]) @ o
            eta = b0 + b1 * x + effects[0] + effects[1] * x
            log = (y * eta - np.logaddexp(0.0, eta)).sum(axis=0) - 0.5 * (o**2).sum(axis=0)
            weight = np.exp(log - log.max())
            weight /= weight.sum()
            moments.append([*(effects @ weight), *(effects**2 @ weight), effects[0] * effects[1] @ weight])
        own = drawn[:, at]
        found = np.column_stack([own, own**2, own[:, 0] * own[:, 1]])
        error = found.std(axis=0) / np.sqrt(len(found)) + np.std(moments, axis=0) / np.sqrt(len(moments))
        assert (np.abs(found.mean(axis=0) - np.mean(moments, axis=0)) < 4.0 * error).all()


def test_a_polynomial_that_is_far_off_is_left_aside(frame, monkeypatch):
    """The density itself is drawn from then."""
    priors = {"Intercept": "Normal(0, 1.5)", "sd": "Exponential(1)"}
    monkeypatch.setattr(source, "LIGHT", 0.0)
    monkeypatch.setattr(source, "ALLOWED", 0.0)
    model = hm.model("y ~ 1 + (1 | g)", frame, priors=priors)
    proposed = model.fit(seed=1, draws=500, progress=False).posterior["1|g_sigma"].to_numpy()

    def refused(*arguments):
        raise NotDrawnError

    monkeypatch.setattr(source, "refined", lambda *arguments: np.zeros((1, 2)))
    model = hm.model("y ~ 1 + (1 | g)", frame, priors=priors)
    monkeypatch.setattr(source.Source, "draw", _refusing(source.Source.draw, refused, monkeypatch))
    direct = model.fit(seed=2, draws=500, progress=False).posterior["1|g_sigma"].to_numpy()
    assert abs(proposed.mean() - direct.mean()) < 4.0 * direct.std() * np.sqrt(2.0 / 2000.0)


def _refusing(draw_of, refused, monkeypatch):
    def wrapped(self, size, rng):
        monkeypatch.setattr(source, "refined", refused)
        return draw_of(self, size, rng)

    return wrapped
