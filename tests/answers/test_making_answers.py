"""One function makes an answer of draws: its table, its labelled draws, and what a picture of it needs."""

import numpy as np
import pandas as pd
import pytest

from hiermod.answers.answer import Question, make_answer
from hiermod.answers.scales import CONTRASTS, RATES

DRAWS = np.array([[1.0, 2.0, 3.0, 10.0], [-1.0, 0.0, 0.0, 1.0]])
KEYS = pd.DataFrame({"g": ["a", "b"]})


def made(question, **options):
    return make_answer(DRAWS, KEYS, (2, 2), question, "rate", **options)


def test_estimates_are_means_or_medians_with_equal_tails():
    table = made(Question("rates", RATES, prob=0.5)).table
    assert list(table.columns) == ["g", "estimate", "lower", "upper"]
    assert table["estimate"].tolist() == [4.0, 0.0]
    np.testing.assert_allclose(table[["lower", "upper"]], np.quantile(DRAWS, [0.25, 0.75], axis=1).T)
    assert made(Question("rates", RATES, median=True)).table["estimate"].tolist() == [2.5, 0.0]


def test_a_mean_is_finite_where_the_draws_are_and_their_sum_is_not():
    large = make_answer(1e308 * np.array([[1.0, 1.5, -0.5, 1.0]]), KEYS[:1], (2, 2), Question("rates", RATES), "rate")
    np.testing.assert_allclose(large.table["estimate"], 7.5e307)
    assert "medians" not in str(large)


def test_draws_carry_chains_and_keys():
    answer = made(Question("rates", RATES))
    assert (answer.draws.dims, answer.draws.name) == (("chain", "draw", "row"), "rate")
    np.testing.assert_array_equal(answer.draws.sel(g="b", chain=1).to_numpy().ravel(), [0.0, 1.0])
    without = make_answer(DRAWS[:1], pd.DataFrame(index=[0]), (2, 2), Question("rates", RATES), "rate")
    assert without.draws.indexes["row"].tolist() == [("all",)]
    assert list(without.table.columns) == ["estimate", "lower", "upper"]


@pytest.mark.parametrize(("sign", "chances"), [(1, [1.0, 0.5]), (-1, [0.0, 0.5])])
def test_a_threshold_and_a_rope_add_columns_after_what_is_computed(sign, chances):
    """Draws that are equal to the threshold count half."""
    question = Question("effect", CONTRASTS["difference"], threshold=0.0, rope=(-1.0, 1.0), sign=sign)
    table = made(question, columns={"prob_beats": [0.9, 0.1]}).table
    assert list(table.columns) == ["g", "estimate", "lower", "upper", "prob_beats", "prob_rope", "prob_exceeds"]
    assert table["prob_rope"].tolist() == [0.25, 1.0]
    assert table["prob_exceeds"].tolist() == chances


def test_a_table_may_show_more_than_its_keys():
    answer = made(Question("predict", RATES), shown=KEYS.assign(x=[1, 2]), notices=["so it is"])
    assert list(answer.table.columns) == ["g", "x", "estimate", "lower", "upper"]
    assert answer.draws.indexes["row"].names == ["g"]
    assert answer.notices == ("so it is",)
