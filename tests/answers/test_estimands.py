"""Whose rate, over which rows, at which values: by hand, on posteriors of two or three draws."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn
from scipy import integrate, stats

import hiermod as hm
from hiermod.errors import AnswerError, DataError

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}
ROWS = pd.DataFrame(
    {
        "region": ["n", "n", "s", "s", "s", "n"],
        "g": ["a", "a", "b", "b", "b", "a"],
        "t": [0, 1, 0, 1, 1, 0],
        "x": [0.5, 1.5, 2.0, 4.0, 0.0, 1.0],
        "s": [3, 4, 5, 2, 1, 6],
        "n": [10, 5, 8, 4, 2, 7],
    }
)
B0, BT, BX = np.array([0.2, -0.3]), np.array([0.5, 0.1]), np.array([-0.4, 0.3])
U = np.array([[-0.6, 0.7], [-0.2, 0.9]])  # draws x (a, b)
V = np.array([[0.3, -0.1], [0.2, 0.4]])
SDS, COR = np.array([[0.8, 0.5], [1.1, 0.3]]), np.array([0.6, -0.4])


def expit(eta):
    return 1.0 / (1.0 + np.exp(-eta))


@pytest.fixture(scope="module")
def fit():
    own = {"1|g_sigma": SDS[:, 0], "t|g_sigma": SDS[:, 1], "1+t|g_cor": COR[:, None], "1|g": U, "t|g": V}
    return drawn("s/n ~ t + x + (1 + t | g)", ROWS, Intercept=B0, t=BT, x=BX, **own)


def eta(g, t, x):
    """The linear predictor of a known group."""
    place = "ab".index(g)
    return B0 + U[:, place] + (BT + V[:, place]) * t + BX * x


def mean_rate(rows, **fixed):
    rows = rows.assign(**fixed)
    rates = [expit(eta(row.g, row.t, row.x)) for row in rows.itertuples()]
    return np.average(rates, axis=0, weights=rows["n"])


def rates_of(answer, **where):
    return answer.draws.sel(**where).to_numpy().ravel()


def test_a_numeric_predictor_stands_at_given_values(fit):
    answer = fit.rates({"x": [2.5, -1]})
    assert answer.table["x"].to_list() == [2.5, -1.0]
    for value in (2.5, -1.0):
        np.testing.assert_allclose(rates_of(answer, x=value), mean_rate(ROWS, x=value), **TOLERANCE)
    by_both = fit.rates({"t": None, "x": [3]})
    np.testing.assert_allclose(rates_of(by_both, t=1, x=3), mean_rate(ROWS, t=1, x=3), **TOLERANCE)
    assert list(by_both.table.columns[:2]) == ["t", "x"]


def test_at_holds_a_predictor_without_making_cells(fit):
    table = fit.rates(by="g", at={"x": 1.25, "t": 1}).table
    assert list(table.columns) == ["g", "estimate", "lower", "upper", "rows", "seen"]
    for row in table.itertuples():
        expected = mean_rate(ROWS[ROWS["g"] == row.g], x=1.25, t=1).mean()
        np.testing.assert_allclose(row.estimate, expected, **TOLERANCE)
    effect = fit.effect("t", at={"x": 0}).draws.to_numpy().ravel()
    np.testing.assert_allclose(effect, mean_rate(ROWS, x=0, t=1) - mean_rate(ROWS, x=0, t=0), **TOLERANCE)


@pytest.mark.parametrize("x", [-3.0, 8.0])
def test_decisions_are_made_where_a_predictor_is_held(fit, x):
    zero, one = (mean_rate(ROWS, x=x, t=t) for t in (0, 1))
    chance = np.mean(one > zero)
    assert fit.prob_beats("t", at={"x": x}).to_numpy() == pytest.approx(chance, abs=1e-12)
    assert fit.pairwise("t", at={"x": x}).loc[1, 0] == pytest.approx(chance, abs=1e-12)
    loss = np.mean(np.maximum(zero, one) - zero)
    assert fit.best("t", at={"x": x}).loc[0, "expected_loss"] == pytest.approx(loss, rel=1e-12)


def test_given_levels_of_a_group_select_rows(fit):
    answer = fit.rates(by="g", where={"g": ["b"]})
    assert answer.table["g"].to_list() == ["b"]
    np.testing.assert_allclose(rates_of(answer, g="b"), mean_rate(ROWS[ROWS["g"] == "b"]), **TOLERANCE)


def test_an_effect_by_values_sets_every_row(fit):
    table = fit.effect("t", at={"x": [0, 4]}).table
    for row in table.itertuples():
        expected = (mean_rate(ROWS, x=row.x, t=1) - mean_rate(ROWS, x=row.x, t=0)).mean()
        np.testing.assert_allclose(row.estimate, expected, **TOLERANCE)


def test_columns_outside_the_formula_are_averaged_over_where_they_are(fit):
    answer = fit.rates("t", by="region", data=ROWS)
    assert answer.table["region"].to_list() == ["n", "n", "s", "s"]
    for region in "ns":
        rows = ROWS[ROWS["region"] == region]
        np.testing.assert_allclose(rates_of(answer, region=region, t=1), mean_rate(rows, t=1), **TOLERANCE)
    effect = fit.effect("t", where={"region": ["s"]}, data=ROWS).draws.to_numpy().ravel()
    rows = ROWS[ROWS["region"] == "s"]
    np.testing.assert_allclose(effect, mean_rate(rows, t=1) - mean_rate(rows, t=0), **TOLERANCE)
    with pytest.raises(AnswerError, match=r"no column 'region'.*data=, by='region'"):
        fit.rates(by="region")
    with pytest.raises(AnswerError, match=r"neither the model nor data= has a column 'regoin'. Did you mean 'region'"):
        fit.rates(by="regoin", data=ROWS)


def test_simpson_with_a_covariate_whose_mix_differs_by_arm(fit):
    """Within each x, treatment helps in both draws; own-arm averages say that it harms."""
    rows = pd.DataFrame({"t": [0, 0, 1, 1], "x": [0, 4, 0, 4], "s": 1, "n": [90, 10, 10, 90]})
    own = drawn("s/n ~ t + x", rows, Intercept=[0.5, 0.4], t=[0.3, 0.2], x=[-0.5, -0.4])
    cell = {(t, x): expit(np.array([0.5, 0.4]) + np.array([0.3, 0.2]) * t - np.array([0.5, 0.4]) * x)
            for t in (0, 1) for x in (0, 4)}  # fmt: skip
    arms = [(cell[t, 0] + cell[t, 4]) / 2 for t in (0, 1)]  # 100 rows at each x
    own_arms = [0.9 * cell[0, 0] + 0.1 * cell[0, 4], 0.1 * cell[1, 0] + 0.9 * cell[1, 4]]
    assert (own_arms[1] < own_arms[0]).all()
    np.testing.assert_allclose(own.effect("t").draws.to_numpy().ravel(), arms[1] - arms[0], **TOLERANCE)
    assert own.prob_beats("t").loc["all", 1] == 1.0


def test_probability_that_a_rate_exceeds_a_threshold(fit):
    draws = mean_rate(ROWS)
    between = float(draws.mean())
    table = fit.rates(threshold=between).table
    assert table["prob_exceeds"].to_list() == [0.5]
    assert fit.rates(threshold=0.0).table["prob_exceeds"].to_list() == [1.0]


def effects_of_new(fit, level, where="g"):
    """What is added to the linear predictor for a new group, at t = 0 and by t = 1."""
    rows = pd.DataFrame({where: level, "t": [0, 1], "x": 0.0})
    link = fit.predict(rows, kind="link", groups="new").draws.to_numpy().reshape(-1, 2)
    return link[:, 0] - B0, link[:, 1] - link[:, 0] - BT


def test_new_levels_differ_and_known_ones_keep_their_effects(fit):
    rows = pd.DataFrame({"g": ["a", "zoo", "zoo", "yak", "b"], "t": [1, 0, 1, 0, 0], "x": 2.0})
    link = fit.predict(rows, kind="link", groups="new").draws.to_numpy().reshape(-1, 5)
    np.testing.assert_allclose(link[:, 0], eta("a", 1, 2.0), **TOLERANCE)
    np.testing.assert_allclose(link[:, 4], eta("b", 0, 2.0), **TOLERANCE)
    zoo, yak = link[:, 1] - B0 - 2 * BX, link[:, 3] - B0 - 2 * BX
    assert (np.abs(zoo - yak) > 1e-6).all()
    np.testing.assert_allclose(zoo, effects_of_new(fit, "zoo")[0], rtol=1e-9)  # in whichever frame
    census = fit.rates(data=rows, groups="new").draws.to_numpy().ravel()
    np.testing.assert_allclose(census, expit(link).mean(axis=1), **TOLERANCE)


def test_new_groups_have_the_joint_distribution_of_the_effects():
    """4,000 new groups in each of two draws: standard deviations and correlation of what is drawn."""
    own = {"1|g_sigma": SDS[:, 0], "t|g_sigma": SDS[:, 1], "1+t|g_cor": COR[:, None], "1|g": U, "t|g": V}
    fit = drawn("s/n ~ t + x + (1 + t | g)", ROWS, Intercept=B0, t=BT, x=BX, **own)
    size = 4000
    rows = pd.DataFrame({"g": np.repeat([f"new{k}" for k in range(size)], 2), "t": [0, 1] * size, "x": 0.0})
    link = fit.predict(rows, kind="link", groups="new").draws.to_numpy().reshape(2, size, 2)
    first = link[:, :, 0] - B0[:, None]
    second = link[:, :, 1] - link[:, :, 0] - BT[:, None]
    for draw in range(2):
        assert abs(first[draw].std() / SDS[draw, 0] - 1) < 4 / np.sqrt(2 * size)
        assert abs(second[draw].std() / SDS[draw, 1] - 1) < 4 / np.sqrt(2 * size)
        found = np.corrcoef(first[draw], second[draw])[0, 1]
        assert abs(found - COR[draw]) < 4 * (1 - COR[draw] ** 2) / np.sqrt(size)


def test_rows_without_groups_are_in_one_new_group_as_the_fitted_ones_are(fit):
    arms = ROWS[["t", "x", "n"]]
    np.testing.assert_array_equal(fit.rates(data=arms, groups="new").draws, fit.rates(data=arms, groups="new").draws)
    two = fit.predict(pd.DataFrame({"t": [0, 0], "x": [0.0, 0.0]}), kind="link", groups="new").draws.to_numpy()
    np.testing.assert_array_equal(two[..., 0], two[..., 1])
    merged = fit.rates(["t"], data=arms, groups="new").draws
    np.testing.assert_allclose(fit.rates(["t"], groups="new").draws, merged, **TOLERANCE)


def test_new_groups_are_not_found_where_all_are_known(fit):
    with pytest.raises(AnswerError, match=r"had every group of data=. Leave 'g' out of data= for one unseen group"):
        fit.rates(data=ROWS, groups="new")


def test_new_cities_of_known_countries():
    rows = pd.DataFrame({"a": ["p", "p", "q", "q"], "b": ["u", "v", "w", "x"], "y": [1.0, 2.0, 3.0, 5.0]})
    own = {"1|a_sigma": [1.0], "1|a": [[-1.0, 1.0]], "1|a:b_sigma": [0.5], "1|a:b": [[0.1, 0.2, 0.3, 0.4]]}
    fit = drawn("y ~ 1 + (1 | a/b)", rows, Intercept=[10.0], sigma=[1.0], **own)
    new = pd.DataFrame({"a": ["p", "p", "q", "r"], "b": ["u", "new", "new", "u"]})
    found = fit.predict(new, groups="new").draws.to_numpy().ravel()
    assert found[0] == pytest.approx(10.0 - 1.0 + 0.1, abs=1e-12)
    cities = found[1:3] - 10.0 - np.array([-1.0, 1.0])  # of known countries
    assert abs(cities[0] - cities[1]) > 1e-6
    without = fit.predict(new[["a"]], groups="new").draws.to_numpy().ravel()
    assert abs(without[0] - without[1]) < 1e-12  # one new city for each country
    assert abs(without[2] - without[0] - 2.0) > 1e-6


def test_beta_pooled_rates_mix_known_and_new_groups(variants_fit):
    rows = pd.DataFrame({"variant": ["A", "E", "F"]})
    draws = variants_fit.predict(rows, groups="new").draws.to_numpy().reshape(-1, 3)
    np.testing.assert_array_equal(draws[:, 0], variants_fit.posterior["rate|variant"].to_numpy()[..., 0].ravel())
    assert (draws[:, 1] != draws[:, 2]).mean() > 0.99  # of a wide spread, rates round to 0 or 1
    one = variants_fit.rates(groups="new").draws.to_numpy()
    for other in (1, 2):
        assert abs(draws[:, other].mean() - one.mean()) < 4 * one.std() * np.sqrt(2 / one.size)


def test_four_readings_of_whose_rate_differ(fit):
    """Average of observed groups, typical group, one new group, mean over the population."""
    at = {"t": 1, "x": 0.0}
    sd = np.sqrt(SDS[:, 0] ** 2 + SDS[:, 1] ** 2 + 2 * COR * SDS[:, 0] * SDS[:, 1])
    middle = B0 + BT
    population = [
        integrate.quad(lambda z, m=m, s=s: expit(m + s * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-14)[0]
        for m, s in zip(middle, sd, strict=True)
    ]
    found = {groups: fit.rates(at=at, groups=groups).draws.to_numpy().ravel() for groups in
             ("observed", "typical", "new", "population")}  # fmt: skip
    np.testing.assert_allclose(found["observed"], mean_rate(ROWS, **at), **TOLERANCE)
    np.testing.assert_allclose(found["typical"], expit(middle), **TOLERANCE)
    np.testing.assert_allclose(found["population"], population, rtol=1e-11)
    assert len({round(float(own.mean()), 6) for own in found.values()}) == 4


def test_frequency_weights_of_other_rows_count():
    rows = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [0, 1, 0, 1], "k": ["a", "a", "b", "b"], "w": [1, 2, 3, 4]})
    fit = drawn("y | weights(w) ~ x + k", rows, Intercept=[1.0], x=[2.0], k=[[0.5]], sigma=[1.0])
    expected = np.average([1.0, 3.0, 1.5, 3.5], weights=rows["w"])
    for answer in (fit.rates(), fit.rates(data=rows)):
        assert answer.draws.to_numpy().item() == pytest.approx(expected, abs=1e-12)
    assert fit.rates(data=rows.drop(columns="w")).draws.to_numpy().item() == pytest.approx(2.25, abs=1e-12)


BAD = {
    "variable: 'x' is numeric, and 'high' is no finite number": lambda fit: fit.rates({"x": ["high"]}),
    "variable: no values of 'x' are given": lambda fit: fit.rates({"x": []}),
    "at: a value of 'x' is given twice": lambda fit: fit.rates(at={"x": [1, 1]}),
    "variable: a value of 'x' is given twice in \\[1, 1.0\\]": lambda fit: fit.rates({"x": [1, 1.0]}),
    "where: 'g' has no level 'c'": lambda fit: fit.rates(where={"g": ["c"]}),
    "at=5: columns with their values": lambda fit: fit.rates(at=5),
    "to values say at=": lambda fit: fit.rates(by={"x": [1, 2]}),
    "per=0: a number of units above 0": lambda fit: fit.rates(per=0),
    "at: the model has no column 'region'": lambda fit: fit.rates(at={"region": "n"}),
    "'x' stands in at= and in by=": lambda fit: fit.rates(by="x", at={"x": 1}),
    "cannot stand in by= or at= too": lambda fit: fit.effect("t", at={"t": 1}),
    "threshold='high': a finite number": lambda fit: fit.rates(threshold="high"),
    "where: no row has the region 'w'": lambda fit: fit.rates(where={"region": ["w"]}, data=ROWS),
    "a column 'estimate' itself": lambda fit: fit.rates(by="estimate", data=ROWS.assign(estimate=1)),
}


@pytest.mark.parametrize("message", BAD)
def test_questions_that_cannot_be_asked(fit, message):
    with pytest.raises(AnswerError, match=message):
        BAD[message](fit)


@pytest.mark.parametrize(("weights", "message"), [([1, -1, 1, 1, 1, 1], "row 1 has -1"), ([0] * 6, "they are")])
def test_weights_that_are_none(fit, weights, message):
    with pytest.raises(
        DataError, match=f"weights in 'w' must be finite numbers from 0 on, not all of them 0; {message}"
    ):
        fit.rates(data=ROWS.assign(w=weights), weights="w")


def test_levels_that_a_common_factor_does_not_have():
    rows = pd.DataFrame({"f": ["a", "b", "a", "b"], "y": [1.0, 2.0, 4.0, 3.0]})
    fit = drawn("y ~ f", rows, Intercept=[1.0], f=[[2.0]], sigma=[1.0])
    with pytest.raises(DataError, match=r"'f' holds 'c', a level that the fitted data did not have. There is"):
        fit.rates(data=pd.DataFrame({"f": ["a", "c"]}))
    with pytest.raises(DataError, match="no column 'f'"):
        fit.rates(data=pd.DataFrame({"e": ["a", "c"]}))
    with pytest.raises(hm.errors.AnswerError, match="'f' has no level 'c'"):
        fit.rates({"f": ["c"]})
