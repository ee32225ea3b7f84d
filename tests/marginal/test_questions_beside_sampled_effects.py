"""Questions to fits of which one factor's effects are integrated out and the others are sampled."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import hiermod as hm

USERS, ITEMS = 1200, 8


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"user": np.repeat(np.arange(USERS), ITEMS), "item": np.tile([*"abcdefgh"], USERS)})
    rows["x"] = np.tile([0, 1], USERS * ITEMS // 2)
    eta = 0.2 + 0.5 * rows["x"] + rng.normal(size=USERS)[rows["user"]] + np.tile(0.6 * rng.normal(size=ITEMS), USERS)
    return rows.assign(y=rng.binomial(1, expit(eta)))


@pytest.fixture(scope="module")
def fit(frame):
    return hm.fit("y ~ x + (1 | user) + (1 | item)", frame, seed=1, draws=500, progress=False)


@pytest.fixture(scope="module")
def effects(fit):
    """Draws of users' effects, shape ``(draws, users)``."""
    (term,) = (own for own in fit._posterior.spec.groups if own.grouping.name == "user")
    return fit._posterior.effects(term)[0][:, :, 0]


def predictors(fit, effects, item, x):
    """Linear predictors of all users, shape ``(draws, users)``."""
    flat = {name: fit.posterior[name].to_numpy().reshape(2000, -1) for name in ("Intercept", "x", "1|item")}
    return flat["Intercept"] + flat["x"] * x + flat["1|item"][:, ["abcdefgh".index(item)]] + effects


def test_what_is_integrated_is_said(fit):
    said = [each for each in fit.notices if each.startswith("engine")]
    assert said == [
        f"engine: compiled (the effects of 1,200 groups of user are integrated out, which have {ITEMS + 1} patterns of "
        "data; all else is sampled)"
    ]
    assert "1|user" not in fit.posterior
    assert fit.posterior["1|item"].shape == (4, 500, ITEMS)
    checks = {check.name: check for check in fit.check().checks}
    assert checks["integrated effects"].passed
    assert checks["integrated effects"].figure.endswith(" over the draws, all groups together, at most 0.001")
    assert checks["divergences"].passed
    assert fit.check().converged


def test_effects_of_groups_are_drawn_on_demand(fit, effects):
    found = fit.ranef()
    np.testing.assert_allclose(found["user"]["Intercept"], effects.mean(axis=0))
    np.testing.assert_allclose(found["item"]["Intercept"], fit.posterior["1|item"].mean(("chain", "draw")))
    coefficients = fit.coef()["user"]
    np.testing.assert_allclose(
        coefficients["Intercept"], float(fit.posterior["Intercept"].mean()) + effects.mean(axis=0)
    )


def test_averages_are_those_of_all_effects(fit, effects):
    """Means within Monte Carlo error, and spreads, of sums that are drawn as one."""
    answer = fit.rates("x", by="item", where={"item": ["a", "b"]})
    for draws, row in zip(answer.draws.to_numpy().reshape(2000, -1).T, answer.table.itertuples(), strict=True):
        own = expit(predictors(fit, effects, row.item, row.x)).mean(axis=1)
        assert abs(draws.mean() - own.mean()) < 4.0 * (draws - own).std() / np.sqrt(2000)
        assert draws.std() == pytest.approx(own.std(), rel=0.05)
    effect = fit.effect("x").draws.to_numpy().ravel()
    of_items = [
        expit(predictors(fit, effects, item, 1)) - expit(predictors(fit, effects, item, 0)) for item in "abcdefgh"
    ]
    own = np.mean(of_items, axis=(0, 2))
    assert abs(effect.mean() - own.mean()) < 4.0 * (effect - own).std() / np.sqrt(2000) + 1e-5
    assert effect.std() == pytest.approx(own.std(), rel=0.05)


def test_single_rows_have_their_groups_effects(fit, frame, effects):
    rows = frame.iloc[[0, 9, 803]]
    found = fit.predict(rows).draws.to_numpy().reshape(2000, -1)
    for place, row in enumerate(rows.itertuples()):
        own = expit(predictors(fit, effects, row.item, row.x)[:, row.user])
        np.testing.assert_allclose(np.sort(found[:, place]), np.sort(own))
    one = fit.rates(by="user", where={"user": [5]}).draws.to_numpy().ravel()
    own = np.mean(
        [expit(predictors(fit, effects, item, "abcdefgh".index(item) % 2)[:, 5]) for item in "abcdefgh"], axis=0
    )
    np.testing.assert_allclose(np.sort(one), np.sort(own))


def test_unseen_groups_are_told_from_known_ones(fit):
    new = fit.predict(pd.DataFrame({"x": [0, 1]}), groups="new").table
    assert (new["upper"] - new["lower"] > 0.5).all()


def test_stored_fits_answer_the_same(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    stored = hm.load(tmp_path / "fit.nc")
    assert "1|user" not in stored.posterior
    assert stored._posterior.integration_error == fit._posterior.integration_error
    pd.testing.assert_frame_equal(stored.effect("x").table, fit.effect("x").table)
    pd.testing.assert_frame_equal(stored.ranef()["user"].iloc[:5], fit.ranef()["user"].iloc[:5])


def test_fits_repeat(fit, frame):
    again = fit.update(data=frame)
    np.testing.assert_array_equal(again.posterior["x"], fit.posterior["x"])


def test_few_groups_and_other_factors_stay_sampled(frame):
    few = hm.fit("y ~ x + (1 | user) + (1 | item)", frame[frame["user"] < 300], seed=1, draws=30, tune=60, chains=1,
                 progress=False)  # fmt: skip
    assert "1|user" in few.posterior
    asked = hm.model("y ~ x + (1 | user) + (1 | item)", frame).fit(
        seed=1, draws=20, tune=50, chains=1, engine="compiled", progress=False
    )
    assert "1|user" in asked.posterior


@pytest.fixture(scope="module")
def sampled(frame):
    return hm.fit("y ~ x + (1 | user) + (1 | item)", frame, seed=2, draws=750, engine="compiled", progress=False)


@pytest.mark.slow
def test_scores_are_those_of_sampled_effects(fit, sampled):
    """Rows left out by integrals, groups too; of rows each has a Monte Carlo error of the sampler's weights."""
    one, other = (own.loo().pointwise["elpd"].to_numpy() for own in (fit, sampled))
    away = one - other
    assert away.std() < 0.05
    assert abs(away.sum()) < 4.0 * away.std() * np.sqrt(len(away))
    first, second = (own.logo("user", max_refits=0).elpd for own in (fit, sampled))
    assert first == pytest.approx(second, abs=0.5)


@pytest.mark.slow
def test_answers_are_those_of_sampled_effects(fit, sampled):
    for ask in (lambda own: own.rates("x").table, lambda own: own.effect("x", scale="odds_ratio").table,
                lambda own: own.rates(by="item").table):  # fmt: skip
        one, other = ask(fit), ask(sampled)
        spread = (other["upper"] - other["lower"]) / 3.92
        error = 4.0 * spread * np.sqrt(1.0 / 1000 + 1.0 / 1000)
        assert ((one["estimate"] - other["estimate"]).abs() < error).all()
        width = (one["upper"] - one["lower"]) / (other["upper"] - other["lower"])
        assert (np.abs(width - 1.0) < 0.12).all()
