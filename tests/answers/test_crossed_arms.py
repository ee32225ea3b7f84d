"""Rates of arms that are a part of a grouping factor too, by hand and against sums over all rows."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn, draws_of

# T is better in both groups, and has most of its rows where success is easy
ROWS = pd.DataFrame(
    [("easy", "C", 100, 68), ("easy", "T", 900, 719), ("hard", "C", 900, 186), ("hard", "T", 100, 35)],
    columns=["g", "arm", "n", "s"],
)
FORMULA = "s/n ~ arm + (1 | g/arm)"


@pytest.fixture(scope="module")
def crossed():
    random = np.random.default_rng(1)
    values = {"1|g_sigma": np.ones(3), "1|g": random.normal(size=(3, 2))}
    values |= {"1|g:arm_sigma": np.ones(3), "1|g:arm": random.normal(size=(3, 4))}
    return drawn(FORMULA, ROWS, Intercept=random.normal(size=3), arm=random.normal(size=(3, 1)), **values)


@pytest.fixture(scope="module")
def partly():
    random = np.random.default_rng(1)
    values = {"1|g_sigma": np.ones(3), "1|g": random.normal(size=(3, 2))}
    values |= {"1|g:arm_sigma": np.ones(3), "1|g:arm": random.normal(size=(3, 3))}
    return drawn(FORMULA, ROWS[:3], Intercept=random.normal(size=3), arm=random.normal(size=(3, 1)), **values)


def test_all_rows_are_set_to_each_arm(crossed, capsys):
    draws = crossed.rates("arm").draws
    linear = draws_of(crossed, "Intercept")[:, None] + draws_of(crossed, "1|g")
    for place, arm in enumerate("CT"):
        own = linear + place * draws_of(crossed, "arm") + draws_of(crossed, "1|g:arm")[:, place::2]
        expected = 1 / (1 + np.exp(-own))
        np.testing.assert_allclose(draws.sel(arm=arm).to_numpy().ravel(), expected.mean(axis=1), rtol=1e-12)
    difference = draws.sel(arm="T").to_numpy() - draws.sel(arm="C").to_numpy()
    np.testing.assert_allclose(difference.ravel(), crossed.effect("arm").draws.to_numpy().ravel(), atol=1e-14)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arms", [{"arm": ["C", "T"]}, {"arm": None}, ["arm"]])
def test_given_levels_are_the_same(crossed, arms):
    np.testing.assert_array_equal(crossed.rates(arms).draws, crossed.rates("arm").draws)


def test_all_rows_stand_at_one_arm(crossed):
    held = crossed.rates(at={"arm": "T"}).draws.to_numpy().ravel()
    np.testing.assert_allclose(held, crossed.rates("arm").draws.sel(arm="T").to_numpy().ravel(), rtol=1e-12)


def test_rows_whose_group_lacks_an_arm_leave_the_averages_of_all_arms(partly, capsys):
    table = partly.rates("arm").table.set_index("arm")
    assert "900 of 1900 rows or trials leave the averages" in capsys.readouterr().err.replace(",", "")
    single = partly.rates("arm", where={"g": "easy"})
    np.testing.assert_allclose(table["estimate"], single.table["estimate"], rtol=1e-12)
    difference = np.diff(single.draws.to_numpy().reshape(-1, 2), axis=1).ravel()
    np.testing.assert_allclose(partly.effect("arm").draws.to_numpy().ravel(), difference, atol=1e-14)


def test_an_arm_that_a_group_lacks_is_not_estimable_there(partly):
    table = partly.rates("arm", by="g").table.set_index(["g", "arm"])
    assert table["estimable"].tolist() == [True, True, True, False]
    assert table["estimate"].isna().tolist() == [False, False, False, True]
    own = partly.rates(by=["g", "arm"]).table.set_index(["g", "arm"])["estimate"]
    np.testing.assert_allclose(table["estimate"].loc[own.index], own, rtol=1e-12)
    effect = partly.effect("arm", by="g").table
    assert effect["prob_beats"].isna().tolist() == [False, True]
    assert partly.best("arm", by="g").isna().all(axis=1).tolist() == [False, False, True, True]


@pytest.mark.parametrize("groups", ["typical", "population", "new"])
def test_other_readings_of_groups_set_all_rows(partly, groups, capsys):
    difference = np.diff(partly.rates("arm", groups=groups).draws.to_numpy().reshape(-1, 2), axis=1).ravel()
    np.testing.assert_allclose(difference, partly.effect("arm", groups=groups).draws.to_numpy().ravel(), atol=1e-14)
    assert capsys.readouterr().err == ""


def test_groups_nested_in_arms_keep_their_own_rows(capsys):
    rows = ROWS.assign(g=["a", "b", "c", "d"])
    random = np.random.default_rng(1)
    values = {"1|arm:g_sigma": np.ones(3), "1|arm:g": random.normal(size=(3, 4))}
    fit = drawn(
        "s/n ~ arm + (1 | arm:g)", rows, Intercept=random.normal(size=3), arm=random.normal(size=(3, 1)), **values
    )
    capsys.readouterr()
    assert fit.rates(by="arm").table["arm"].to_list() == ["C", "T"]
    own, each = fit.rates(by="arm").table, fit.rates("arm").table
    np.testing.assert_allclose(own["estimate"], each["estimate"], rtol=1e-12)
