"""Answers about ordered and unordered categories: chances, sides and mean scores, against sums over raw draws."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import special

import hiermod as hm
from hiermod.errors import AnswerError

mpl.use("agg")
RATINGS = ["poor", "fair", "good", "great"]


@pytest.fixture(scope="module")
def rated():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"arm": np.tile(["A", "B"], 120), "g": np.repeat(np.arange(12), 20),
                          "x": rng.normal(2.0, 1.0, 240).round(1)})  # fmt: skip
    eta = 0.8 * (frame["arm"] == "B") + 0.5 * frame["x"] + rng.normal(0.0, 0.6, 12)[frame["g"]]
    places = (eta.to_numpy()[:, None] + rng.logistic(size=(240, 1)) > [0.2, 1.2, 2.4]).sum(axis=1)
    frame["rating"] = pd.Categorical.from_codes(places, RATINGS, ordered=True)
    return frame


@pytest.fixture(scope="module")
def fit(rated):
    return hm.fit("rating ~ arm + x + (1 | g)", rated, "cumulative", draws=250, seed=2, progress=False)


@pytest.fixture(scope="module")
def chosen():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"arm": np.tile(["A", "B"], 120), "g": np.repeat(np.arange(12), 20)})
    shift = rng.normal(0.0, 0.5, (12, 2))[frame["g"]]
    eta = np.column_stack([np.zeros(240), 0.4 + 0.7 * (frame["arm"] == "B") + shift[:, 0], -0.3 + shift[:, 1]])
    return frame.assign(mode=np.array(["bus", "car", "walk"])[(eta + rng.gumbel(size=(240, 3))).argmax(axis=1)])


@pytest.fixture(scope="module")
def choice(chosen):
    return hm.fit("mode ~ arm + (1 | p | g)", chosen, "categorical", draws=250, seed=2, progress=False)


def by_hand(fit, frame, arm):
    """Chances of the categories with everybody in one arm, shape (draws, categories)."""
    draws = fit.posterior.stack(s=("chain", "draw"))
    effects = draws["1|g"].transpose("s", ...).values
    eta = draws["x"].values[:, None] * frame["x"].to_numpy() + effects[:, frame["g"]]
    eta = eta + (draws["arm"].transpose("s", ...).values.reshape(len(eta), -1) if arm == "B" else 0.0)
    below = special.expit(draws["Intercept"].transpose("s", ...).values[:, None, :] - eta[:, :, None])
    edges = np.concatenate([np.zeros((*eta.shape, 1)), below, np.ones((*eta.shape, 1))], axis=2)
    return np.diff(edges, axis=2).mean(axis=1)


def drawn(answer):
    return answer.draws.transpose("chain", "draw", "row").values.reshape(-1, answer.draws.sizes["row"])


def test_rates_without_an_outcome_have_a_row_for_each_category(fit, rated):
    answer = fit.rates("arm")
    assert list(answer.table.columns[:2]) == ["arm", "rating"]
    assert list(answer.table["rating"]) == RATINGS * 2
    np.testing.assert_allclose(drawn(answer)[:, :4], by_hand(fit, rated, "A"), atol=1e-12)
    np.testing.assert_allclose(drawn(answer)[:, 4:], by_hand(fit, rated, "B"), atol=1e-12)


@pytest.mark.parametrize(
    ("outcome", "weights"),
    [("good", [0, 0, 1, 0]), (">=good", [0, 0, 1, 1]), ("< fair", [1, 0, 0, 0]), ("mean", [1, 2, 3, 4])],
)
def test_outcomes_are_sums_of_chances(fit, rated, outcome, weights):
    expected = np.column_stack([by_hand(fit, rated, arm) @ weights for arm in "AB"])
    np.testing.assert_allclose(drawn(fit.rates("arm", outcome=outcome)), expected, atol=1e-12)
    effect = fit.effect("arm", outcome=outcome)
    np.testing.assert_allclose(drawn(effect)[:, 0], expected[:, 1] - expected[:, 0], atol=1e-12)
    assert effect.table["prob_beats"][0] == pytest.approx((expected[:, 1] > expected[:, 0]).mean())


def test_scores_are_the_numbers_of_the_categories(rated):
    frame = rated.assign(points=np.array([0, 1, 5, 10])[rated["rating"].cat.codes])
    fit = hm.fit("points ~ arm + x + (1 | g)", frame, "cumulative", draws=100, tune=100, seed=2, progress=False)
    chances = drawn(fit.rates("arm"))
    scores = drawn(fit.rates("arm", outcome="mean"))
    np.testing.assert_allclose(scores[:, 0], chances[:, :4] @ [0, 1, 5, 10], atol=1e-12)
    assert set(np.unique(drawn(fit.predict(kind="response")))) <= {0.0, 1.0, 5.0, 10.0}
    assert fit.shrinkage("g")["raw"].to_numpy() == pytest.approx(frame.groupby("g")["points"].mean().to_numpy())


def test_one_number_is_asked_for_by_name(fit):
    with pytest.raises(AnswerError, match=r"needs an outcome=: 'mean' \(the mean score\), the chance of a category"):
        fit.effect("arm")
    with pytest.raises(AnswerError, match=r"outcome='goood' is none .* Did you mean 'good'\?"):
        fit.effect("arm", outcome="goood")
    assert fit.effect("arm", scale="link").table["estimate"][0] == pytest.approx(fit.fixef().loc["arm[B]", "estimate"])


def test_slopes_are_derivatives_of_chances(fit, rated):
    step = 1e-5
    up, down = (rated.assign(x=rated["x"] + sign * step) for sign in (1.0, -1.0))
    expected = (by_hand(fit, up, "A") - by_hand(fit, down, "A")) @ [0, 0, 1, 1] / (2.0 * step)
    answer = fit.slopes("x", outcome=">=good", at={"arm": "A"})
    np.testing.assert_allclose(drawn(answer)[:, 0], expected, rtol=1e-6)


def test_population_chances_are_means_over_effects_of_groups(fit):
    draws = fit.posterior.stack(s=("chain", "draw"))
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    at = draws["x"].values * 2.0
    z = draws["Intercept"].transpose("s", ...).values[:, 1] - at
    spread = draws["1|g_sigma"].values
    expected = special.expit(z[:, None] - spread[:, None] * nodes) @ (weights / weights.sum())
    row = pd.DataFrame({"arm": ["A"], "x": [2.0]})
    answer = fit.predict(row, groups="population", outcome="<good")
    np.testing.assert_allclose(drawn(answer)[:, 0], expected, atol=1e-8)


def test_leave_one_out_counts_equal_observations(rated):
    frame = rated.assign(g=rated["g"] % 3)[["rating", "arm", "g"]]
    fit = hm.fit("rating ~ arm + (1 | g)", frame, "cumulative", draws=250, seed=2, progress=False)
    loo = fit.loo()
    assert len(fit.cells) <= 4 * 6
    alone = hm.fit("rating ~ arm + (1 | g)", frame, "cumulative", draws=250, seed=2, progress=False, compress=False)
    assert loo.elpd == pytest.approx(alone.loo().elpd, abs=0.5)
    assert loo.se == pytest.approx(alone.loo().se, rel=0.02)


def test_stored_fits_keep_categories_and_thresholds(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    assert again.fixef().equals(fit.fixef())
    assert list(again.fixef().index)[:3] == ["Intercept[1]", "Intercept[2]", "Intercept[3]"]
    pd.testing.assert_frame_equal(again.rates("arm").table, fit.rates("arm").table)


def test_stacked_bars_show_each_category(fit, choice):
    ax = fit.rates("arm").plot()
    assert len(ax.containers) == 4
    assert sum(patch.get_width() for patch in ax.patches) == pytest.approx(2.0)
    with pytest.raises(AnswerError, match="needs an answer with a row for each category"):
        fit.rates("arm", outcome="mean").plot("stacked")
    assert len(choice.rates("arm").plot().containers) == 3


def test_the_latent_scale_of_a_cumulative_model_has_an_icc(fit):
    draws = fit.posterior["1|g_sigma"].values.ravel()
    table = fit.icc()
    expected = (draws**2 / (draws**2 + np.pi**2 / 3.0)).mean()
    assert table.loc[table["icc"] == "adjusted", "estimate"].iloc[0] == pytest.approx(expected)


def test_unordered_categories_have_chances_and_no_order(choice, chosen):
    draws = choice.posterior.stack(s=("chain", "draw"))

    def linear(name):
        effects = draws[f"mu{name}_1|g"].transpose("s", ...).values[:, chosen["g"]]
        arm = draws[f"mu{name}_arm"].transpose("s", ...).values.reshape(len(effects), -1)
        return draws[f"mu{name}_Intercept"].values[:, None] + arm + effects

    etas = np.stack([np.zeros((draws.sizes["s"], len(chosen))), linear("car"), linear("walk")])
    expected = special.softmax(etas, axis=0)[1].mean(axis=1)
    np.testing.assert_allclose(drawn(choice.rates("arm", outcome="car"))[:, 1], expected, atol=1e-12)
    with pytest.raises(AnswerError, match="Its categories have no order"):
        choice.rates("arm", outcome=">=car")
    with pytest.raises(AnswerError, match="needs an outcome="):
        choice.effect("arm")
    assert drawn(choice.rates("arm")).reshape(-1, 2, 3).sum(axis=2) == pytest.approx(1.0)
