"""Plans simulate groups that differ, whatever is asked of them, and survive data sets that say nothing."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError
from hiermod.interface import planning

DESIGN = pd.DataFrame([(arm, country) for country in "ABCDEFGHIJ" for arm in (0, 1)], columns=["treated", "country"])
FORMULA = "s/n ~ treated + (1 + treated || country)"
TRUTH = {"Intercept": -1.0, "treated": 0.3, "sd(1|country)": 1.0, "sd(treated|country)": 0.5}
QUICK = {"seed": 1, "progress": False, "draws": 100}


@pytest.mark.parametrize("groups", ["typical", "population"])
def test_simulated_groups_differ_though_the_question_is_of_all(groups, monkeypatch):
    means = []
    simulate = planning._simulated
    monkeypatch.setattr(planning, "_simulated", lambda *given: means.append(given[1]) or simulate(*given))
    hm.plan(FORMULA, DESIGN, "treated", truth=TRUTH, width=0.1, sizes=[50], simulations=2, groups=groups, **QUICK)
    controls = means[0][DESIGN["treated"] == 0]
    assert np.std(np.log(controls / (1.0 - controls))) > 0.4


def test_a_new_group_is_refused():
    with pytest.raises(AnswerError, match="groups='new': a plan simulates the groups of its design"):
        hm.plan(FORMULA, DESIGN, "treated", truth=TRUTH, width=0.1, sizes=[50], simulations=2, groups="new", **QUICK)


def test_simulated_responses_that_are_all_equal_do_not_reach_the_aim():
    arms = pd.DataFrame({"arm": ["A", "B"]})
    truth = {"Intercept": -9.0, "arm[B]": 0.3}
    plan = hm.plan("y ~ arm", arms, "arm", family="poisson", truth=truth, loss=0.5, sizes=[5], simulations=3, **QUICK)
    assert plan.table["simulations"].tolist() == [3]
    assert plan.table["reached"].tolist() == [0.0]
    assert plan.needed is None


def test_a_size_that_an_interruption_left_incomplete_is_not_needed():
    goal = planning.Aim("loss", 0.01, 0.8, "a", (), "observed", "max", 0.95)
    rows = [*((100, number, 0.05, 0.0) for number in range(50)), (200, 0, 0.009, 0.0)]
    assert planning._plan(rows, goal, True).needed is None
    assert planning._plan(rows, goal, False).needed == 200
