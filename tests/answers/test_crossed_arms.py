"""Rates of arms that are a part of a grouping factor too, by hand and against sums over all rows."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn, draws_of

from hiermod.errors import AnswerError

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
    draws = crossed.rates(by="arm").draws
    linear = draws_of(crossed, "Intercept")[:, None] + draws_of(crossed, "1|g")
    for place, arm in enumerate("CT"):
        own = linear + place * draws_of(crossed, "arm") + draws_of(crossed, "1|g:arm")[:, place::2]
        expected = 1 / (1 + np.exp(-own))
        np.testing.assert_allclose(draws.sel(arm=arm).to_numpy().ravel(), expected.mean(axis=1), rtol=1e-12)
    difference = draws.sel(arm="T").to_numpy() - draws.sel(arm="C").to_numpy()
    np.testing.assert_allclose(difference.ravel(), crossed.effect("arm").draws.to_numpy().ravel(), atol=1e-14)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("by", [{"arm": ["C", "T"]}, {"arm": None}])
def test_given_levels_are_the_same(crossed, by):
    np.testing.assert_array_equal(crossed.rates(by=by).draws, crossed.rates(by="arm").draws)


def test_all_rows_stand_at_one_arm(crossed):
    held = crossed.rates(at={"arm": "T"}).draws.to_numpy().ravel()
    np.testing.assert_allclose(held, crossed.rates(by="arm").draws.sel(arm="T").to_numpy().ravel(), rtol=1e-12)


def test_where_groups_lack_an_arm_its_own_rows_are_averaged_and_a_notice_says_so(partly, capsys):
    table = partly.rates(by="arm").table
    assert "the levels of 'arm' are averaged over their own rows each" in capsys.readouterr().err
    single = partly.rates(by=["g", "arm"]).table.set_index(["g", "arm"])["estimate"]
    assert capsys.readouterr().err == ""
    assert table.set_index("arm")["estimate"]["T"] == pytest.approx(single["easy", "T"], rel=1e-12)
    with pytest.raises(AnswerError, match="no g:arm 'hard:T'"):
        partly.effect("arm")
    with pytest.raises(AnswerError, match="'arm' says which group a row is in, so rows cannot be set to it"):
        partly.rates(at={"arm": "T"})


@pytest.mark.parametrize("groups", ["typical", "population", "new"])
def test_other_readings_of_groups_set_all_rows(partly, groups, capsys):
    difference = np.diff(partly.rates(by="arm", groups=groups).draws.to_numpy().reshape(-1, 2), axis=1).ravel()
    np.testing.assert_allclose(difference, partly.effect("arm", groups=groups).draws.to_numpy().ravel(), atol=1e-14)
    assert capsys.readouterr().err == ""


def test_groups_nested_in_arms_are_averaged_by_arm_without_a_word(capsys):
    rows = ROWS.assign(g=["a", "b", "c", "d"])
    random = np.random.default_rng(1)
    values = {"1|arm:g_sigma": np.ones(3), "1|arm:g": random.normal(size=(3, 4))}
    fit = drawn(
        "s/n ~ arm + (1 | arm:g)", rows, Intercept=random.normal(size=3), arm=random.normal(size=(3, 1)), **values
    )
    capsys.readouterr()
    assert fit.rates(by="arm").table["arm"].to_list() == ["C", "T"]
    assert capsys.readouterr().err == ""
