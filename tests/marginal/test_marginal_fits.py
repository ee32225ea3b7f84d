"""Fits whose groups' effects are integrated out, and their effects drawn when they are asked for."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp

import hiermod as hm
from hiermod.marginal.draws import NotDrawnError, draw
from hiermod.marginal.mode import Mode
from hiermod.marginal.surrogate import fit_surrogate

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
    return hm.fit("y ~ 1 + (1 | g)", frame, seed=1, draws=4000, priors=priors, progress=False)


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
    assert ess > 0.5 * 16_000


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


@pytest.mark.parametrize("family", [None, "poisson"])
def test_groups_that_do_not_differ_are_sampled(family):
    """Their standard deviation has a long tail to zero on the logarithmic scale, which no proposal follows."""
    frame = pd.DataFrame({"y": np.random.default_rng(0).binomial(1, 0.4, 4000), "g": np.repeat(np.arange(2000), 2)})
    fitted = hm.fit("y ~ 1 + (1 | g)", frame, family, seed=1, draws=20, chains=1, tune=50, progress=False)
    assert "1|g" in fitted.posterior


def test_few_groups_are_sampled():
    fitted = hm.fit("y ~ x + (1 | g)", pd.DataFrame({"y": [0, 1] * 20, "x": [0, 0, 1, 1] * 10, "g": [*range(8)] * 5}),
                    seed=1, draws=20, chains=1, tune=50, progress=False)  # fmt: skip
    assert "1|g" in fitted.posterior


def test_draws_of_a_density_are_exact():
    def density(points):
        z = points[:, 0]
        return -0.5 * (points**2).sum(axis=1) + np.log1p(0.8 * np.tanh(z))

    mode = Mode(np.zeros(2), float(density(np.zeros((1, 2)))[0]), 1.1 * np.eye(2))
    points = draw(density, mode, 40_000, np.random.default_rng(2))
    grid = np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-0.5 * grid**2) * (1.0 + 0.8 * np.tanh(grid))
    mean = (grid * weight).sum() / weight.sum()
    assert abs(points[:, 0].mean() - mean) < 4.0 * points[:, 0].std() / 200.0
    assert abs(points[:, 1].mean()) < 4.0 / 200.0


def test_a_density_far_from_the_proposals_is_not_drawn():
    mode = Mode(np.zeros(1), 0.0, np.eye(1))
    with pytest.raises(NotDrawnError):
        draw(lambda points: np.where(np.abs(points[:, 0]) > 1.0, 9.0, 0.0), mode, 100, np.random.default_rng(0))


def test_a_polynomial_takes_the_place_of_one():
    def density(points):
        z = (points - 3.0) / 2.0
        return -0.5 * (z**2).sum(axis=1) + 0.02 * z[:, 0] ** 3 - 0.01 * z[:, 0] ** 2 * z[:, 1] ** 2

    mode = Mode(np.full(2, 3.0), 0.0, 2.0 * np.eye(2))
    surrogate = fit_surrogate(density, mode, 4, np.random.default_rng(0))
    points = 3.0 + 2.0 * np.random.default_rng(1).normal(size=(100, 2))
    np.testing.assert_allclose(surrogate.log_density(points), density(points), atol=1e-9)
