"""Rates, effects, probabilities and ranks against brms (with emmeans) and rstanarm: ``tests/reference/answers.R``."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats

import hiermod as hm

REFERENCE = Path(__file__).parents[1] / "reference"
EXPECTED = pd.read_csv(REFERENCE / "answers.csv", dtype={"key": str})
LONG = {"draws": 2000, "seed": 1, "progress": False}
FURTHEST = 4.0  # Monte Carlo errors of both programs together


def assert_near(found, expected, own_error, other_error, what):
    error = np.hypot(own_error, other_error)
    assert abs(found - expected) <= FURTHEST * error, (what, found, expected, error)


def assert_same(draws, data, question, groups, key):
    """Mean, interval and P(> 0) of draws, shape ``(chain, draw)``, are those of R, but for Monte Carlo error."""
    row = EXPECTED.set_index(["data", "question", "groups", "key"]).loc[(data, question, groups, key)]
    assert_near(draws.mean(), row["estimate"], array_stats.mcse(draws), row["mcse_estimate"], (question, key))
    for name, prob in (("lower", 0.025), ("upper", 0.975)):
        own = array_stats.mcse(draws, method="quantile", prob=prob)
        assert_near(np.quantile(draws, prob), row[name], own, row[f"mcse_{name}"], (question, key, name))
    p = row["above_zero"]
    if 0.0 < p < 1.0:
        sizes = array_stats.ess((draws > 0).astype(float), method="mean"), row["ess_above_zero"]
        errors = [max(np.sqrt(p * (1 - p) / size), 1 / size) for size in sizes]
        assert_near((draws > 0).mean(), p, *errors, (question, key, "above zero"))


def assert_rows(answer, data, question, groups, *names):
    """The rows of an answer, whose keys in R are the levels of `names`, one after the other."""
    keys = answer.draws.indexes["row"].to_frame(index=False)
    for place, key in enumerate(keys[list(names)].astype(str).agg(" ".join, axis=1)):
        assert_same(answer.draws.isel(row=place).to_numpy(), data, question, groups, key)


@pytest.fixture(scope="module")
def cbpp():
    return hm.fit("incidence/size ~ period + (1 | herd)", hm.example("cbpp"), **LONG)


@pytest.mark.parametrize("groups", ["observed", "typical", "population"])
def test_cbpp(cbpp, groups):
    assert_rows(cbpp.rates("period", groups=groups), "cbpp", "rates", groups, "period")
    assert_rows(cbpp.effect("period", groups=groups), "cbpp", "difference", groups, "contrast")


def test_emmeans_of_brms_are_of_the_typical_group(cbpp):
    assert_rows(cbpp.rates("period", groups="typical"), "cbpp", "emmeans", "typical", "period")
    assert_rows(cbpp.effect("period", groups="typical", scale="link"), "cbpp", "link", "typical", "contrast")


def test_country(country_fit):
    assert_rows(country_fit.rates("treated", by="country"), "country", "rates", "observed", "country", "treated")
    for scale in ("difference", "link"):
        assert_rows(country_fit.effect("treated", by="country", scale=scale), "country", scale, "observed", "country")
    assert_rows(country_fit.interaction("treated", "country"), "country", "interaction", "observed", "between")
    for groups in ("observed", "typical", "population"):
        draws = country_fit.effect("treated", groups=groups).draws.isel(row=0).to_numpy()
        assert_same(draws, "country", "difference", groups, "all")


def test_sleepstudy(sleepstudy_fit):
    for groups in ("observed", "typical"):
        answer = sleepstudy_fit.rates({"Days": [0, 5, 9]}, groups=groups)
        assert_rows(answer, "sleepstudy", "rates", groups, "Days")
        slopes = sleepstudy_fit.slopes("Days", groups=groups).draws.isel(row=0).to_numpy()
        assert_same(slopes, "sleepstudy", "slopes", groups, "Days")
    people = sleepstudy_fit.rates(by="Subject", where={"Subject": ["308", "335"]}, at={"Days": [9]})
    assert_rows(people, "sleepstudy", "rates", "observed", "Subject", "Days")


def test_the_best_of_eighteen_hitters():
    data = pd.read_csv(REFERENCE / "bball1970.csv")
    priors = {"Intercept": "Normal(-1, 1)", "sd": "Exponential(1)"}
    fit = hm.fit("Hits/AB ~ (1 | Player)", data, priors=priors, **LONG)
    answer, best = fit.rates(by="Player"), fit.best("Player")
    assert_rows(answer, "hitters", "rates", "observed", "Player")
    rates = answer.draws.transpose("row", "chain", "draw").to_numpy()
    ranks = (-rates).argsort(axis=0).argsort(axis=0) + 1.0
    expected = EXPECTED[EXPECTED["data"] == "hitters"].set_index(["question", "key"])
    for place, player in enumerate(best.index):
        for name, values in (("prob_best", ranks[place] == 1.0), ("expected_rank", ranks[place])):
            row = expected.loc[(name, player)]
            own = array_stats.mcse(values.astype(float))
            assert_near(best.loc[player, name], row["estimate"], own, row["mcse_estimate"], (name, player))
