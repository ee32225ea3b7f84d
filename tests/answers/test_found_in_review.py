"""Questions that once had a wrong answer or a traceback."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws

import hiermod as hm
from hiermod.errors import AnswerError, DataError

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {"y": RNG.integers(0, 2, 60), "x": RNG.normal(size=60), "p": list("ABCDE") * 12, "h": list("uvw") * 20}
)


@pytest.fixture(scope="module")
def fit():
    return with_made_up_draws(hm.model("y ~ abs(x) + (1 | p) + (1 | h)", FRAME), draws=4)


def test_a_kink_has_no_slope(fit):
    with pytest.raises(AnswerError, match="no derivative that can be trusted"):
        fit.slopes("x", at={"x": 0})
    assert len(fit.slopes("x", at={"x": 1}).table) == 1


def test_a_known_group_and_an_absent_column_of_another_is_an_unseen_group_of_that(fit):
    rows = pd.DataFrame({"x": [0.5, 0.5], "p": ["A", "B"]})
    assert len(fit.predict(rows, groups="new").table) == 2


def test_predictive_checks_keep_their_columns_apart(fit):
    with pytest.raises(AnswerError, match="has a column 'p' itself"):
        fit.ppc(stat="mean", by="p")
    with pytest.raises(AnswerError, match="two statistics are called '<lambda>'"):
        fit.ppc(stat=[lambda values: values.mean(), lambda values: values.max()])


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        (lambda fit: fit.hypothesis(None), "None is no hypothesis"),
        (lambda fit: fit.effect("h", scale=["ratio"]), "scale="),
        (lambda fit: fit.effect("h", contrast=np.array([1, -1])), "contrast="),
        (lambda fit: hm.srm(FRAME, "h", 0.5), "expected=0.5: a share for each of"),
        (lambda fit: hm.srm(FRAME, "h", by=3), "names of different columns"),
    ],
)
def test_bad_input_is_named(fit, question, complaint):
    with pytest.raises(AnswerError, match=complaint):
        question(fit)


def test_a_ratio_of_rare_arms_is_not_judged_by_chi_square():
    """The multinomial probability of all tables as unlikely, enumerated by the two rare arms, is 0.0071."""
    table = pd.DataFrame({"a": ["A", "B", "C"], "n": [994, 1, 5]})
    found = hm.srm(table, "a", {"A": 0.998, "B": 0.001, "C": 0.001}, weights="n").table
    assert set(found["method"]) == {"simulated"}
    assert found["p_value"].iloc[0] == pytest.approx(0.0071, abs=4 * np.sqrt(0.0071 / 1e5))
    with pytest.raises(DataError, match="no units of any a"):
        hm.srm(table.assign(n=0), "a", weights="n")
