"""Averages over very many groups, drawn as sums, against draws of all of their effects and sums over a grid."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import hiermod as hm
from hiermod.answers.averaging import alike, sums
from hiermod.answers.averaging.sums import sums_of_groups
from hiermod.answers.group_effects import Reading, same_for_all

GROUPS, SIZE = 2000, 1000
PRIORS = {"Intercept": "Normal(0, 1.5)", "slope": "Normal(0, 1)", "sd": "Exponential(1)"}


def fitted(formula, frame, family=None, priors=PRIORS):
    return hm.fit(formula, frame, family, seed=1, draws=SIZE // 4, priors=priors, progress=False)


def visits(lengths, seed=3):
    """Rows of 2,000 users, who belong to segments, with their linear predictor without a level."""
    rng, g = np.random.default_rng(seed), np.repeat(np.arange(GROUPS), lengths)
    x = rng.integers(0, 2, len(g))
    frame = pd.DataFrame({"x": x, "g": g, "segment": np.array(["a", "b", "c"])[g % 3]})
    return frame, 0.4 * x + 1.1 * rng.normal(size=GROUPS)[g], rng


@pytest.fixture(scope="module")
def fit():
    """0/1 responses of users with two visits in both arms."""
    frame, eta, rng = visits(np.full(GROUPS, 4))
    eta = eta + 0.4 * (np.tile([0, 1], 2 * GROUPS) - frame["x"])
    frame = frame.assign(x=np.tile([0, 1], 2 * GROUPS), y=rng.binomial(1, expit(-0.5 + eta)))
    return fitted("y ~ x + segment + (1 | g)", frame)


def draws_of(answer):
    return answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(answer.draws.sizes["row"], -1)


def together_and_apart(fit, questions, monkeypatch):
    """Answers by sums, and by all effects."""
    together = [draws_of(ask(fit)) for ask in questions]
    monkeypatch.setattr(alike, "FEW", GROUPS)
    return list(zip(together, [draws_of(ask(fit)) for ask in questions], strict=True))


def agree(one, other):
    """Means within Monte Carlo error, spreads, and correlations of arms and segments."""
    difference = one - other
    assert (np.abs(difference.mean(axis=1)) < 4.0 * difference.std(axis=1) / np.sqrt(SIZE)).all()
    assert (np.abs(one.std(axis=1) / other.std(axis=1) - 1.0) < 4.0 / np.sqrt(SIZE)).all()
    correlations = [np.corrcoef(draws) for draws in (one, other)]
    np.testing.assert_allclose(correlations[0], correlations[1], rtol=0, atol=4.0 * np.sqrt(2.0 / SIZE))


QUESTIONS = (lambda fit: fit.rates("x", by="segment"), lambda fit: fit.rates(), lambda fit: fit.effect("x"))


def test_they_are_those_of_all_effects_drawn(fit, monkeypatch):
    for one, other in together_and_apart(fit, QUESTIONS, monkeypatch):
        agree(one, other)


@pytest.mark.slow
def test_groups_that_hardly_share_a_pattern(monkeypatch):
    """One to 30 visits in random arms; of a user one to twelve events."""
    lengths = np.random.default_rng(5).integers(1, 31, GROUPS)
    frame, eta, rng = visits(lengths)
    frame = frame.assign(y=rng.binomial(1, expit(eta - 0.5)))
    unbalanced = fitted("y ~ x + segment + (1 | g)", frame)
    for one, other in together_and_apart(unbalanced, QUESTIONS[:1], monkeypatch):
        agree(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("level", [-0.2, -4.2])
def test_counts_frequent_and_rare(level, monkeypatch):
    """The sum of rare ones is far from normal: the effects of those that have any are drawn, and none is below 0."""
    frame, eta, rng = visits(np.random.default_rng(6).integers(1, 9, GROUPS))
    frame = frame.assign(y=rng.poisson(np.exp(level + eta)))
    counts = fitted("y ~ x + (1 | g)", frame, "poisson", {**PRIORS, "Intercept": "Normal(0, 5)"})
    for one, other in together_and_apart(counts, (lambda fit: fit.rates("x"),), monkeypatch):
        agree(one, other)
        assert one.min() > 0.0


@pytest.mark.slow
def test_slopes_of_a_number(monkeypatch):
    """Two correlated gaussian effects, whose averages over rows are exactly normal."""
    frame, eta, rng = visits(np.full(GROUPS, 5))
    x = rng.normal(size=len(frame))
    frame = frame.assign(x=x, y=eta + 0.6 * x * rng.normal(size=GROUPS)[frame["g"]] + rng.normal(size=len(x)))
    slopes = fitted("y ~ x + segment + (1 + x | g)", frame, priors=None)
    for one, other in together_and_apart(slopes, (lambda fit: fit.rates(by="segment"),), monkeypatch):
        agree(one, other)


def several_effects(width, groups):
    """Two or three correlated effects of users with eight visits, in two arms and on two days."""
    rng, g = np.random.default_rng(13), np.repeat(np.arange(groups), 8)
    x, w = np.arange(len(g)) % 2, np.arange(len(g)) // 2 % 2
    own = (rng.normal(size=(groups, 3)) @ np.array([[0.9, 0.3, 0.2], [0.0, 0.8, 0.2], [0.0, 0.0, 0.7]]))[g]
    eta = -0.4 + 0.4 * x + own[:, 0] + own[:, 1] * x + (own[:, 2] * w if width == 3 else 0.0)
    frame = pd.DataFrame({"g": g, "x": x, "w": w, "y": rng.binomial(1, expit(eta))})
    return frame, "y ~ x + w + (1 + x + w | g)" if width == 3 else "y ~ x + (1 + x | g)"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "groups"), [(2, GROUPS), (3, 20_000)])
def test_several_effects_under_a_logit(width, groups, monkeypatch):
    """Over 1,500 of the users: as sums, whatever is quicker, and with all effects drawn."""
    frame, formula = several_effects(width, groups)
    fit = fitted(formula, frame)
    assert fit.provenance.engine == "exact"
    monkeypatch.setattr(sums, "OF_EFFECT", 1.0)
    rows = frame[frame["g"] < 1500]
    questions = (lambda fit: fit.rates("x", data=rows), lambda fit: fit.effect("x", data=rows))
    for one, other in together_and_apart(fit, questions, monkeypatch):
        assert not np.array_equal(one, other)
        agree(one, other)


def test_sums_vary_as_those_of_so_many_groups(fit):
    """Given the hyperparameters: means and the covariance matrix of both arms, by sums over a grid in each draw."""
    posterior = fit._posterior
    found = draws_of(fit.rates("x"))
    intercept, slope, sd = (fit.posterior[name].to_numpy().ravel() for name in ("Intercept", "x", "1|g_sigma"))
    of_segment = fit.posterior["segment"].to_numpy().reshape(SIZE, -1)
    others = {name: of_segment[:, place] for place, name in enumerate("bc")}
    o = np.linspace(-7.0, 7.0, 57)
    totals = fit_totals(posterior)
    mean, covariance = np.zeros((2, SIZE)), np.zeros((2, 2, SIZE))
    for (segment, successes), count in totals.items():
        arms = [(intercept + others.get(segment, 0.0) + arm)[:, None] + sd[:, None] * o for arm in (0.0, slope)]
        rates = np.stack([expit(eta) for eta in arms])
        log = successes * (sd[:, None] * o) - 0.5 * o**2 + 2.0 * np.log1p(-rates).sum(axis=0)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        own = (weight * rates).sum(axis=2)
        away = rates - own[:, :, None]
        mean += count * own / GROUPS
        covariance += count * np.einsum("sk,isk,jsk->ijs", weight, away, away) / GROUPS**2
    factors = np.linalg.cholesky(covariance.transpose(2, 0, 1))
    standard = np.linalg.solve(factors, (found - mean).T[..., None])[..., 0]
    assert (np.abs(standard.mean(axis=0)) < 4.0 / np.sqrt(SIZE)).all()
    assert (np.abs(standard.std(axis=0) - 1.0) < 4.0 / np.sqrt(2.0 * SIZE)).all()
    assert abs(np.corrcoef(standard.T)[0, 1]) < 4.0 / np.sqrt(SIZE)


def fit_totals(posterior):
    """How many groups of each segment have so many successes."""
    cells = posterior.spec.cells
    frame = cells.frame.assign(successes=cells.response.successes)
    of_group = frame.groupby(["g", "segment"], as_index=False)["successes"].sum()
    return of_group.groupby(["segment", "successes"]).size().to_dict()


def test_few_effects_are_drawn(fit):
    spec = fit._posterior.spec
    groups, frame = same_for_all(spec, Reading.OBSERVED), spec.cells.frame
    cell = np.zeros(len(frame), dtype=int)
    rows, added = sums_of_groups(fit._posterior, groups, frame, spec.cells.response.weight, cell, 1, False, None)
    assert len(rows) == 0
    assert added.shape == (1, SIZE)


def test_they_are_the_same_each_time_and_arms_agree_between_questions(fit):
    rates, effect = draws_of(fit.rates("x")), draws_of(fit.effect("x"))
    np.testing.assert_allclose(rates[1] - rates[0], effect[0], rtol=1e-9)
    np.testing.assert_array_equal(rates, draws_of(fit.rates("x")))


def test_sums_of_gaussian_effects_are_exact():
    """Groups of one to three rows: the sum of all effects, standardised by its mean and spread in each draw."""
    rng, sizes = np.random.default_rng(9), np.arange(GROUPS) % 3 + 1
    g = np.repeat(np.arange(GROUPS), sizes)
    frame = pd.DataFrame({"y": 2.0 + 0.8 * rng.normal(size=GROUPS)[g] + rng.normal(size=len(g)), "g": g})
    fitted = hm.fit("y ~ 1 + (1 | g)", frame, seed=1, progress=False)
    intercept, sd, sigma = (fitted.posterior[name].to_numpy().ravel() for name in ("Intercept", "1|g_sigma", "sigma"))
    rows = pd.DataFrame({"g": np.arange(GROUPS)})
    found = draws_of(fitted.rates(data=rows))[0] * GROUPS
    variance = 1.0 / (sizes[:, None] / sigma**2 + 1.0 / sd**2)
    means = variance * (frame.groupby("g")["y"].sum().to_numpy()[:, None] - sizes[:, None] * intercept) / sigma**2
    standard = (found - GROUPS * intercept - means.sum(axis=0)) / np.sqrt(variance.sum(axis=0))
    assert abs(standard.mean()) < 4.0 / np.sqrt(len(standard))
    assert abs(standard.std() - 1.0) < 4.0 / np.sqrt(2.0 * len(standard))
    assert "_kept_effects" not in vars(fitted._posterior)
