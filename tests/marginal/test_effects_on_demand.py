"""Effects of groups that are drawn when somebody asks, against those that the sampler draws with all else."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import hiermod as hm
from hiermod.sampling.diagnostics import mean_sizes

GROUPS, SHOWN = 1000, 60
CASES = {
    "bernoulli": ("y ~ x + (1 | g)", 8),
    "poisson": ("y ~ x + offset(log(days)) + (1 | g)", 4),
    "slopes": ("y ~ x + (1 + x | g)", 12),
    "gaussian": ("y ~ z + (1 + z | g)", 6),
}


def rows_of(kind, rows):
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(GROUPS), rows)
    frame = pd.DataFrame({
        "g": g, "x": np.arange(len(g)) % 2, "z": rng.normal(size=len(g)), "days": rng.uniform(0.5, 3.0, len(g))
    })  # fmt: skip
    own = (rng.normal(size=(GROUPS, 2)) @ np.array([[0.9, 0.3], [0.0, 0.7]]))[g]
    slope = {"slopes": frame["x"], "gaussian": frame["z"]}.get(kind, 0.0)
    eta = -0.3 + 0.4 * frame["x"] + own[:, 0] + own[:, 1] * slope
    y = {
        "poisson": lambda: rng.poisson(frame["days"] * np.exp(eta)),
        "gaussian": lambda: eta + rng.normal(size=len(g)),
    }.get(kind, lambda: rng.binomial(1, expit(eta)))()
    return frame.assign(y=y)


def effects_of(fit):
    """Shape ``(chains, draws, numbers)``: effects of some groups, group by group."""
    posterior = fit._posterior
    (term,) = posterior.spec.groups
    found = np.concatenate(posterior.effects(term, np.arange(0, GROUPS, GROUPS // SHOWN)), axis=2)
    return found.reshape(4, -1, found.shape[1] * found.shape[2])


def normal_scores(one, other):
    """Differences of means in Monte Carlo errors, by the effective numbers of draws."""
    parts = [(draws.mean((0, 1)), draws.var((0, 1)) / mean_sizes(draws)) for draws in (one, other)]
    return (parts[0][0] - parts[1][0]) / np.sqrt(parts[0][1] + parts[1][1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_effects_are_those_that_are_sampled(kind):
    """Means, squares about the mean, products of effects within and across groups; and none is off on the whole."""
    formula, rows = CASES[kind]
    family = "bernoulli" if kind == "slopes" else kind
    frame = rows_of(kind, rows)
    exact, sampled = (
        hm.fit(formula, frame, family, seed=seed, draws=2000, engine=engine, progress=False)
        for seed, engine in ((1, "auto"), (2, "compiled"))
    )
    assert exact.provenance.engine == "exact"
    one, other = effects_of(exact), effects_of(sampled)
    middle = other.mean((0, 1))
    size = one.shape[2]
    pairs = np.random.default_rng(0).integers(0, size, (2, 200))
    within = np.stack([np.arange(0, size - 1), np.arange(1, size)])  # of two effects a group: its pair, and the next
    for i, j in (np.stack([np.arange(size)] * 2), pairs, within):
        products = [(draws[..., i] - middle[i]) * (draws[..., j] - middle[j]) for draws in (one, other)]
        scores = normal_scores(*products)
        assert np.abs(scores).max() < 4.0
        assert (scores**2).mean() < 1.5
    scores = normal_scores(one, other)
    assert np.abs(scores).max() < 4.0
    assert (scores**2).mean() < 1.5
    of_all = [draws.mean(axis=2, keepdims=True) for draws in (one, other)]
    of_all = [np.concatenate([sums, (sums - of_all[1].mean()) ** 2], axis=2) for sums in of_all]
    assert np.abs(normal_scores(*of_all)).max() < 4.0


@pytest.fixture(scope="module")
def both():
    """A model with two effects a group, and the same with all effects sampled."""
    formula, rows = CASES["slopes"]
    frame = rows_of("slopes", rows)
    return [
        hm.fit(formula, frame, "bernoulli", seed=seed, engine=engine, progress=False)
        for seed, engine in ((1, "auto"), (2, "compiled"))
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: fit.r2(loo=False), lambda fit: fit.icc(), lambda fit: fit.slopes("x").table,
        lambda fit: fit.effect("x", scale="ratio").table, lambda fit: fit.effect("x", scale="odds_ratio").table,
    ],
    ids=["r2", "icc", "slopes", "ratio", "odds ratio"],
)  # fmt: skip
def test_answers_are_those_of_sampled_effects(both, ask):
    """Estimates within Monte Carlo error of at least 1,000 effective draws, and intervals as wide."""
    one, other = (ask(fit) for fit in both)
    spread = (other["upper"] - other["lower"]) / 3.92
    error = 4.0 * spread * np.sqrt(1.0 / 4000 + 1.0 / 1000)
    assert ((one["estimate"] - other["estimate"]).abs() < error).all()
    width = (one["upper"] - one["lower"]) / (other["upper"] - other["lower"])
    assert (np.abs(width - 1.0) < 0.1).all()


@pytest.mark.slow
def test_rows_left_out_have_the_same_chances(both):
    """P(Y < y) and P(Y <= y) given the other rows, row by row, which have Monte Carlo errors each."""
    one, other = (fit.loo_pit() for fit in both)
    for name in ("lower", "upper"):
        away = one[name] - other[name]
        assert abs(away.mean()) < 4.0 * away.std() / np.sqrt(len(away))
        assert away.std() < 0.02
