"""Answers from posteriors of two or three draws, against the definitions worked out by hand.

Three arms, two countries with an unequal mix of arms: 90 of A's 100 rows are in Canada (low rates), 90 of C's in China
(high rates). Within each country A beats C; A's own average over its own rows is below C's.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm

COUNTS = {  # (country, arm): (successes, trials)
    ("Canada", "A"): (27, 90), ("Canada", "B"): (10, 40), ("Canada", "C"): (2, 10),
    ("China", "A"): (8, 10), ("China", "B"): (30, 40), ("China", "C"): (63, 90),
}  # fmt: skip
TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}
INTERCEPT = np.array([0.1, -0.2, 0.0])
ARM = np.array([[-0.3, -0.5], [0.4, -0.6], [-0.2, -0.4]])  # draws x (B, C), A is the reference
COUNTRY = np.array([[-0.9, 1.0], [-1.1, 0.8], [-1.0, 0.9]])  # draws x (Canada, China)


def expit(x):
    return 1.0 / (1.0 + np.exp(-x))


@pytest.fixture(scope="module")
def frame():
    rows = [(country, arm, s, n) for (country, arm), (s, n) in COUNTS.items()]
    return pd.DataFrame(rows, columns=["country", "arm", "s", "n"])


@pytest.fixture(scope="module")
def fit(frame):
    model = hm.model("s/n ~ arm + (1 | country)", frame)
    draws = xr.Dataset(
        {
            "Intercept": (("chain", "draw"), INTERCEPT[None]),
            "arm": (("chain", "draw", "arm_dim"), ARM[None]),
            "1|country_sigma": (("chain", "draw"), np.array([[1.0, 0.5, 2.0]])),
            "1|country": (("chain", "draw", "country__factor_dim"), COUNTRY[None]),
        }
    )
    return model.with_draws(draws)


def rate(country, arm):
    """The three draws of one cell's rate."""
    own = {"A": 0.0, "B": ARM[:, 0], "C": ARM[:, 1]}[arm]
    effect = {"Canada": COUNTRY[:, 0], "China": COUNTRY[:, 1]}[country]
    return expit(INTERCEPT + own + effect)


def everyone(arm):
    """The rate if all 280 rows were in one arm: 140 rows in each country."""
    return (140 * rate("Canada", arm) + 140 * rate("China", arm)) / 280


def test_rates_per_cell_are_means_over_draws(fit):
    table = fit.rates("arm", by="country").table
    assert list(table.columns) == ["country", "arm", "estimate", "lower", "upper", "rows", "seen"]
    assert [tuple(row) for row in table[["country", "arm"]].to_numpy()] == list(COUNTS)
    expected = [rate(country, arm).mean() for country, arm in COUNTS]
    np.testing.assert_allclose(table["estimate"], expected, **TOLERANCE)
    lower = [np.quantile(rate(country, arm), 0.025) for country, arm in COUNTS]
    np.testing.assert_allclose(table["lower"], lower, **TOLERANCE)


def test_rates_by_arm_average_every_arm_over_the_same_rows(fit):
    table = fit.rates("arm").table.set_index("arm")
    for arm in "ABC":
        np.testing.assert_allclose(table.loc[arm, "estimate"], everyone(arm).mean(), **TOLERANCE)


def test_own_arm_averages_would_reverse_the_sign(fit):
    own = {arm: sum(COUNTS[c, arm][1] * rate(c, arm) for c in ("Canada", "China")) / 100 for arm in ("A", "C")}
    assert (own["C"] > own["A"]).all()
    effect = fit.effect("arm").table.set_index("contrast")
    assert effect.loc["C vs A", "estimate"] < 0


def test_rates_by_group_select_their_own_rows(fit):
    table = fit.rates(by="country").table.set_index("country")
    for country in ("Canada", "China"):
        trials = {arm: COUNTS[country, arm][1] for arm in "ABC"}
        expected = sum(trials[arm] * rate(country, arm) for arm in "ABC") / sum(trials.values())
        np.testing.assert_allclose(table.loc[country, "estimate"], expected.mean(), **TOLERANCE)


def test_rates_over_everything(fit):
    table = fit.rates().table
    expected = sum(n * rate(*cell) for cell, (_, n) in COUNTS.items()) / 280
    assert list(table.columns) == ["estimate", "lower", "upper", "rows", "seen"]
    np.testing.assert_allclose(table["estimate"], [expected.mean()], **TOLERANCE)


SCALES = {
    "difference": (lambda t, c: t - c, np.mean),
    "ratio": (lambda t, c: t / c, np.median),
    "lift": (lambda t, c: t / c - 1, np.median),
    "odds_ratio": (lambda t, c: (t / (1 - t)) / (c / (1 - c)), np.median),
}


@pytest.mark.parametrize("scale", SCALES)
def test_effect_contrasts_averages_draw_by_draw(fit, scale):
    contrast, estimate = SCALES[scale]
    table = fit.effect("arm", scale=scale, rope=(-0.1, 0.1)).table
    assert list(table.columns) == [
        "contrast", "estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope",
    ]  # fmt: skip
    for row, arm in zip(table.itertuples(), ("B", "C"), strict=True):
        draws = contrast(everyone(arm), everyone("A"))
        np.testing.assert_allclose(row.estimate, estimate(draws), **TOLERANCE)
        np.testing.assert_allclose(row.upper, np.quantile(draws, 0.975), **TOLERANCE)
        np.testing.assert_allclose(row.prob_beats, np.mean(everyone(arm) > everyone("A")), **TOLERANCE)
        loss = np.maximum(everyone("A") - everyone(arm), 0).mean()
        np.testing.assert_allclose(row.expected_loss, loss, **TOLERANCE)
        np.testing.assert_allclose(row.prob_rope, np.mean(np.abs(draws) <= 0.1), **TOLERANCE)


def test_effect_on_the_link_scale_contrasts_averaged_predictors(fit):
    table = fit.effect("arm", scale="link", by="country").table
    np.testing.assert_allclose(table["estimate"], np.tile(ARM.mean(axis=0), 2), **TOLERANCE)
    np.testing.assert_allclose(table["prob_beats"], np.tile((ARM > 0).mean(axis=0), 2), **TOLERANCE)


def test_effect_by_country_with_another_control_where_lower_is_better(fit):
    table = fit.effect("arm", by="country", control="B", goal="min").table
    assert list(table["contrast"]) == ["A vs B", "C vs B"] * 2
    for row in table.itertuples():
        treated, control = rate(row.country, row.contrast[0]), rate(row.country, "B")
        np.testing.assert_allclose(row.estimate, (treated - control).mean(), **TOLERANCE)
        np.testing.assert_allclose(row.prob_beats, np.mean(treated < control), **TOLERANCE)
        np.testing.assert_allclose(row.expected_loss, np.maximum(treated - control, 0).mean(), **TOLERANCE)


def test_draws_of_an_effect_carry_the_key_columns(fit):
    answer = fit.effect("arm", by="country")
    assert answer.draws.dims == ("chain", "draw", "row")
    one = answer.draws.sel(country="China", contrast="C vs A")
    np.testing.assert_allclose(one.to_numpy().ravel(), rate("China", "C") - rate("China", "A"), **TOLERANCE)


def test_prob_beats_has_a_row_per_cell_and_a_column_per_other_arm(fit):
    overall = fit.prob_beats("arm")
    assert list(overall.index) == ["all"]
    assert list(overall.columns) == ["B", "C"]
    for arm in "BC":
        np.testing.assert_allclose(overall.loc["all", arm], np.mean(everyone(arm) > everyone("A")))
    by_country = fit.prob_beats("arm", by="country", control="C")
    np.testing.assert_allclose(by_country.loc["China", "B"], np.mean(rate("China", "B") > rate("China", "C")))


def test_pairwise_is_square_with_an_empty_diagonal(fit):
    table = fit.pairwise("arm")
    assert list(table.index) == list(table.columns) == list("ABC")
    for row in "ABC":
        for column in "ABC":
            if row == column:
                assert np.isnan(table.loc[row, column])
            else:
                expected = np.mean(everyone(row) > everyone(column))
                np.testing.assert_allclose(table.loc[row, column], expected, **TOLERANCE)
    with_by = fit.pairwise("arm", by="country")
    assert list(with_by.index.names) == ["country", "arm"]
    np.testing.assert_allclose(with_by.loc[("Canada", "B"), "A"], np.mean(rate("Canada", "B") > rate("Canada", "A")))


@pytest.mark.parametrize(("goal", "sign"), [("max", 1), ("min", -1)])
def test_best_counts_draws_losses_and_ranks(fit, goal, sign):
    table = fit.best("arm", goal=goal)
    arms = sign * np.stack([everyone(arm) for arm in "ABC"])
    wins = (arms == arms.max(axis=0)).mean(axis=1)
    ranks = (1 + (arms[None] > arms[:, None]).sum(axis=1)).mean(axis=1)
    np.testing.assert_allclose(table["prob_best"], wins, **TOLERANCE)
    np.testing.assert_allclose(table["expected_loss"], (arms.max(axis=0) - arms).mean(axis=1), **TOLERANCE)
    np.testing.assert_allclose(table["expected_rank"], ranks, **TOLERANCE)


def test_shrinkage_compares_raw_pooled_and_ungrouped_rates(fit):
    table = fit.shrinkage()
    assert list(table.index) == ["Canada", "China"]
    for country in ("Canada", "China"):
        cells = {arm: COUNTS[country, arm] for arm in "ABC"}
        n = sum(trials for _, trials in cells.values())
        raw = sum(successes for successes, _ in cells.values()) / n
        own = sum(trials * rate(country, arm) for arm, (_, trials) in cells.items()) / n
        arm_effect = {"A": 0.0, "B": ARM[:, 0], "C": ARM[:, 1]}
        pooled = sum(trials * expit(INTERCEPT + arm_effect[arm]) for arm, (_, trials) in cells.items()) / n
        row = table.loc[country]
        assert row["n"] == n
        np.testing.assert_allclose(row["raw"], raw, **TOLERANCE)
        np.testing.assert_allclose(row["estimate"], own.mean(), **TOLERANCE)
        pull = (raw - own.mean()) / (raw - pooled.mean())
        np.testing.assert_allclose(row["pull"], pull, **TOLERANCE)


def test_typical_group_has_no_effect(fit):
    table = fit.rates("arm", groups="typical").table.set_index("arm")
    np.testing.assert_allclose(table.loc["A", "estimate"], expit(INTERCEPT).mean(), **TOLERANCE)
    np.testing.assert_allclose(table.loc["C", "estimate"], expit(INTERCEPT + ARM[:, 1]).mean(), **TOLERANCE)


def test_population_integrates_over_groups_within_each_draw(fit):
    from scipy import integrate, stats

    sigma = [1.0, 0.5, 2.0]
    expected = [
        integrate.quad(lambda z, m=mean, s=sd: expit(m + s * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-14)[0]
        for mean, sd in zip(INTERCEPT, sigma, strict=True)
    ]
    table = fit.rates("arm", groups="population").table.set_index("arm")
    np.testing.assert_allclose(table.loc["A", "estimate"], np.mean(expected), rtol=1e-11)


def test_a_new_group_is_one_effect_per_draw_shared_by_all_arms(fit):
    answer = fit.rates("arm", groups="new")
    log_odds = hm.logit(answer.draws)
    b_minus_a = (log_odds.sel(arm="B") - log_odds.sel(arm="A")).to_numpy().ravel()
    np.testing.assert_allclose(b_minus_a, ARM[:, 0], rtol=1e-10)
    again = fit.rates("arm", groups="new")
    np.testing.assert_array_equal(answer.draws, again.draws)


def test_data_averages_over_other_rows_with_weights(fit):
    census = pd.DataFrame({"country": ["Canada", "China"], "people": [3.0, 1.0]})
    census = census.merge(pd.DataFrame({"arm": ["A"]}), how="cross")
    table = fit.rates("arm", data=census, weights="people").table.set_index("arm")
    expected = (3 * rate("Canada", "B") + rate("China", "B")) / 4
    np.testing.assert_allclose(table.loc["B", "estimate"], expected.mean(), **TOLERANCE)
    effect = fit.effect("arm", data=census, weights="people").table.set_index("contrast")
    control = (3 * rate("Canada", "A") + rate("China", "A")) / 4
    np.testing.assert_allclose(effect.loc["B vs A", "estimate"], (expected - control).mean(), **TOLERANCE)


def test_ties_are_split_equally():
    frame = pd.DataFrame({"g": ["x", "y", "z"], "s": [1, 2, 3], "n": [5, 5, 5]})
    draws = xr.Dataset(
        {
            "Intercept": (("chain", "draw"), [[0.0, 0.0]]),
            "1|g_sigma": (("chain", "draw"), [[1.0, 1.0]]),
            "1|g": (("chain", "draw", "g__factor_dim"), [[[0.5, 0.5, -1.0], [0.0, 1.0, 0.0]]]),
        }
    )
    fit = hm.model("s/n ~ (1 | g)", frame).with_draws(draws)
    np.testing.assert_allclose(fit.pairwise("g").loc["x", "y"], (0.5 + 0.0) / 2)
    np.testing.assert_allclose(fit.best("g")["prob_best"], [0.25, 0.75, 0.0])
    np.testing.assert_allclose(fit.best("g")["expected_rank"], [(1.5 + 2.5) / 2, (1.5 + 1.0) / 2, (3 + 2.5) / 2])


def test_rows_of_other_data_weigh_their_trials_where_they_have_them(fit, frame):
    counts = pd.DataFrame({"country": ["Canada", "China"], "arm": "A", "n": [30, 10]})
    heavy = fit.rates("arm", data=counts).table.set_index("arm")
    expected = (30 * rate("Canada", "A").mean() + 10 * rate("China", "A").mean()) / 40
    np.testing.assert_allclose(heavy.loc["A", "estimate"], expected, **TOLERANCE)
    for by in (None, "country", ["country", "arm"]):
        pd.testing.assert_frame_equal(fit.rates(by=by, data=frame).table, fit.rates(by=by).table)


def test_trials_of_other_data_are_counts(fit):
    bad = pd.DataFrame({"country": ["Canada", "China"], "arm": "A", "n": [3, np.nan]})
    with pytest.raises(hm.errors.DataError, match="trials of data=, n, are missing"):
        fit.rates(data=bad)
    with pytest.raises(hm.errors.DataError, match="no trials: n is 0 in every row"):
        fit.rates(data=bad.assign(n=0))
    with pytest.raises(hm.errors.DataError, match="'n' is negative"):
        fit.rates(data=bad.assign(n=-1))


def test_a_column_named_self_is_a_column_like_others():
    rows = pd.DataFrame({"self": [0, 1, 0, 1], "s": [1, 2, 2, 1], "n": 4, "count": ["a", "a", "b", "b"]})
    model = hm.model("s/n ~ self + (1 | count)", rows)
    one = (("chain", "draw"), np.array([[0.5]]))
    effects = (("chain", "draw", "count__factor_dim"), np.array([[[0.1, -0.1]]]))
    fit = model.with_draws(xr.Dataset({"Intercept": one, "self": one, "1|count_sigma": one, "1|count": effects}))
    assert list(fit.rates("self").table["self"]) == [0, 1]
    assert fit.best("self")["prob_best"].to_list() == [0.0, 1.0]


def test_cells_keep_a_column_that_has_a_statistics_name():
    rows = pd.DataFrame({"mean": [0.0, 1.0, 3.0], "y": [1.0, 2.0, 4.0]})
    cells = hm.model("y ~ mean", rows).cells
    assert list(cells.columns) == ["mean", "count", "mean_", "sum_of_squares"]
    assert cells["mean"].to_list() == [0.0, 1.0, 3.0]
    assert cells["mean_"].to_list() == [1.0, 2.0, 4.0]
