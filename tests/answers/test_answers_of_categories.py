"""Answers about ordered and unordered categories: chances, sides and mean scores, against sums over raw draws."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import special

import hiermod as hm
from hiermod.errors import AnswerError, HiermodError

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
    [
        ("good", [0, 0, 1, 0]),
        (">=good", [0, 0, 1, 1]),
        ("< fair", [1, 0, 0, 0]),
        ("mean", [1, 2, 3, 4]),
        (dict(zip(RATINGS, [0.0, 2.5, -1.0, 10.0], strict=True)), [0.0, 2.5, -1.0, 10.0]),
    ],
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


def test_given_scores_serve_every_question(fit, choice, rated, chosen):
    points, prices = dict(zip(RATINGS, [0, 1, 5, 10], strict=True)), {"bus": 2.5, "car": 8.0, "walk": 0.0}
    fares = drawn(choice.rates("arm", outcome=prices))[:, 0]
    np.testing.assert_allclose(fares, drawn(choice.rates("arm"))[:, :3] @ [2.5, 8.0, 0.0], atol=1e-12)
    assert choice.effect("arm", outcome=prices).question.measure.name == "mean score of mode (bus 2.5, car 8, walk 0)"
    assert set(np.unique(drawn(fit.predict(rated, kind="response", outcome=points)))) <= {0.0, 1.0, 5.0, 10.0}
    asked = {"groups": "population", "data": rated.head(2)}
    whole, by_chance = (drawn(fit.rates(outcome=own, **asked)) for own in (points, None))
    np.testing.assert_allclose(whole[:, 0], by_chance @ [0, 1, 5, 10], rtol=1e-6)
    slopes = [drawn(fit.slopes("x", outcome=own))[:, 0] for own in (points, *RATINGS)]
    np.testing.assert_allclose(slopes[0], np.array(slopes[1:]).T @ [0, 1, 5, 10], atol=1e-6)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ({"poor": 0, "fair": 1, "goood": 2, "great": 3}, r"'goood'.*'great'\. Did you mean 'good'\?"),
        ({"poor": 0, "fair": 1}, "none for 'good', 'great'"),
        ({"poor": 0, "fair": 1, "good": 2, "great": "3"}, "the score '3' for 'great': a finite number"),
        ({"poor": 0, "fair": 1, "good": 2, "great": np.inf}, "the score inf for 'great'"),
        (dict.fromkeys(RATINGS, 2), "every category the score 2"),
        ({}, "none for 'poor', 'fair', 'good', 'great'"),
    ],
)
def test_scores_that_say_too_little_are_refused(fit, outcome, message):
    with pytest.raises(AnswerError, match=message):
        fit.rates("arm", outcome=outcome)


def test_one_number_is_asked_for_by_name(fit):
    with pytest.raises(
        AnswerError,
        match=r"A comparison of .* needs an outcome=: 'mean' \(the mean score",
    ):
        fit.effect("arm")
    for slip, meant in (("goood", "good"), (">= goood", ">=good"), ("<Fair", "<fair")):
        with pytest.raises(AnswerError, match=rf"outcome='{slip}' is none .* Did you mean '{meant}'\?"):
            fit.effect("arm", outcome=slip)
    for side in (">great", "<= great"):
        with pytest.raises(AnswerError, match=r"holds of (none|every)"):
            fit.effect("arm", outcome=side)
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


def test_all_categories_over_a_number_are_curves_beside_their_raw_shares(fit, rated):
    answer = fit.rates("x")
    ax = answer.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()][:4] == [f"rating = {name}" for name in RATINGS]
    seen = answer.curve.observed
    np.testing.assert_allclose(seen.groupby("x")["raw"].sum(), 1.0)
    shares = rated["rating"].value_counts(normalize=True, sort=False)
    for name, own in seen.groupby("rating", observed=True):
        assert np.average(own["raw"], weights=own["size"]) == pytest.approx(shares[name])
    assert fit.rates(["x", "arm"]).plot().get_xlabel() == "chance of each category of rating"  # eight lines are bars
    one = fit.rates("x", outcome=">=good").curve.observed
    assert np.average(one["raw"], weights=one["size"]) == pytest.approx(shares[["good", "great"]].sum())
    mpl.pyplot.close("all")


def test_predictions_of_the_fitted_rows_have_a_line_for_each_category(fit, rated):
    answer = fit.predict()
    assert list(answer.table.index) == [row for row in rated.index for _ in RATINGS]
    assert list(answer.table["rating"][:8]) == RATINGS * 2
    np.testing.assert_allclose(drawn(answer), drawn(fit.predict(rated)), atol=1e-12)


def test_missing_rows_have_a_missing_line_for_each_category(chosen):
    frame = chosen.assign(arm=chosen["arm"].where(chosen.index != 3))
    fit = hm.fit("mode ~ arm", frame, "categorical", draws=60, tune=60, seed=2, progress=False)
    table = fit.predict().table
    assert len(table) == 3 * len(frame)
    assert list(table["mode"][9:12]) == ["bus", "car", "walk"]
    assert table["estimate"].isna().to_numpy().nonzero()[0].tolist() == [9, 10, 11]


def test_residuals_are_of_scores(fit, rated):
    scores = rated["rating"].cat.codes + 1.0
    np.testing.assert_allclose(fit.residuals(), scores - fit.fitted(), atol=1e-12)
    frame = rated.assign(points=np.array([0, 1, 5, 10])[rated["rating"].cat.codes])
    points = hm.fit("points ~ arm", frame, "cumulative", draws=60, tune=60, seed=2, progress=False)
    np.testing.assert_allclose(points.residuals(), frame["points"] - points.fitted(), atol=1e-12)


def test_quantile_residuals_are_of_places(rated):
    """Of one chance for all rows, a category's lie between the quantiles of those below and of its own."""
    fit = hm.fit("rating ~ 1", rated, "cumulative", draws=100, tune=100, seed=2, progress=False)
    ends = special.ndtri(np.append(0.0, np.cumsum(fit.rates().table["estimate"].to_numpy(dtype=float))).clip(0.0, 1.0))
    place, residual = rated["rating"].cat.codes.to_numpy(), fit.residuals(type="quantile").to_numpy()
    assert ((residual >= ends[place] - 1e-9) & (residual <= ends[place + 1] + 1e-9)).all()


def test_new_responses_of_an_outcome_are_whether_it_holds(fit, choice, rated, chosen):
    scores, sides = (drawn(fit.predict(rated, kind="response", outcome=own)) for own in (None, ">=good"))
    np.testing.assert_array_equal(sides, scores >= 3.0)
    whole, cars = (drawn(choice.predict(chosen, kind="response", outcome=own)) for own in (None, "car"))
    np.testing.assert_array_equal(whole[:, 1::3], cars)
    np.testing.assert_array_equal(whole.reshape(len(whole), -1, 3).sum(axis=2), 1.0)


def test_groups_move_the_thresholds_of_coef(fit):
    thresholds, effects = fit.fixef()["estimate"][:3].to_numpy(), fit.ranef()["g"]["Intercept"].to_numpy()
    table = fit.coef()["g"]
    np.testing.assert_allclose(table.iloc[:, :3], thresholds - effects[:, None], atol=1e-12)
    assert list(table.columns) == ["Intercept[1]", "Intercept[2]", "Intercept[3]", "arm[B]", "x"]


def test_linear_predictors_of_categories_are_asked_for_by_parameter(fit, choice):
    term = choice.fixef().loc["mucar_arm[B]", "estimate"]
    assert choice.effect("arm", parameter="mucar").table["estimate"][0] == pytest.approx(term)
    own = fit.effect("arm", parameter="mu").table["estimate"][0]
    assert own == pytest.approx(fit.fixef().loc["arm[B]", "estimate"])
    for refused in (lambda: choice.effect("arm", scale="link"), lambda: choice.predict(kind="link")):
        with pytest.raises(AnswerError, match="needs a parameter=: each category but 'bus' has a linear predictor"):
            refused()
    with pytest.raises(AnswerError, match="Did you mean 'mucar'"):
        choice.rates("arm", parameter="mu")
    with pytest.raises(AnswerError, match=r"fitted\(\) of family categorical needs an outcome="):
        choice.fitted()


def test_priors_imply_chances_of_categories(choice, fit):
    seen = choice.model.sample_prior(200, 1).implied()
    assert list(seen.table.index[:3]) == [
        "chance that mode is bus",
        "chance that mode is car",
        "chance that mode is walk",
    ]
    assert sum(seen.draws[name] for name in seen.table.index[:3]) == pytest.approx(1.0)
    assert sum(own for name, own in seen.draws.items() if name.startswith("arm")) == pytest.approx(0.0, abs=1e-12)
    ordered = fit.model.sample_prior(200, 1).implied()
    assert list(ordered.table.index) == ["mean rating", "arm, B vs A"]


def test_predictive_checks_are_of_shares(fit, choice, rated, chosen):
    for own, column, frame in ((fit, "rating", rated), (choice, "mode", chosen)):
        table = own.ppc()
        shares = frame[column].value_counts(normalize=True, sort=False).sort_index()
        np.testing.assert_allclose(table["observed"], shares)
        assert ((table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])).all()
    assert fit.ppc("mean")["observed"][0] == pytest.approx((rated["rating"].cat.codes + 1).mean())
    assert len(choice.plot.ppc().patches) == 3
    with pytest.raises(AnswerError, match="no statistic but the share of each"):
        choice.ppc("mean")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.model.bambi(), r"not handed over to Bambi\. model\.pymc\(\)"),
        (lambda fit: hm.plan(fit, variable="arm", loss=0.01), "Plan for the chance of one of them"),
        (lambda fit: fit.r2(), r"Ask for the chance of a category, outcome="),
        (lambda fit: fit.nnt("arm"), r"fit\.effect\(\.\.\., outcome='"),
        (lambda fit: fit.sigma(), "has no residual standard deviation.$"),
        (lambda fit: fit.calibration(), r"fit\.plot\.ppc\(\)"),
    ],
)
def test_what_is_not_of_categories_says_what_to_ask_instead(fit, choice, ask, message):
    for own in (fit, choice):
        with pytest.raises(HiermodError, match=message):
            ask(own)


@pytest.mark.slow
def test_pages_show_chances_of_categories(fit, choice, tmp_path):
    for own, heading in ((fit, "Chance of each rating by arm"), (choice, "Chance of each mode by arm")):
        page = own.report(tmp_path / "page.html").read_text()
        assert heading in page
    assert "arm B has a higher chance that mode is car than arm A" in page
