"""Questions at the edges of what can be asked: kinks, absent columns, ties, rare arms."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws

import hiermod as hm
from hiermod.errors import AnswerError, DataError, FormulaError, ModelError, SamplingError

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


ARMS = pd.DataFrame(
    {"arm": list("ABAB") * 9, "site": list("uuvvww") * 6, "x": RNG.normal(size=36), "t": RNG.uniform(1, 9, 36)}
)


def test_an_interaction_that_the_model_lacks_is_a_tie():
    rows = ARMS.assign(s=RNG.integers(0, 9, 36), n=9)
    fit = with_made_up_draws(hm.model("s/n ~ arm + site", rows), draws=50)
    table = fit.interaction("arm", "site", scale="link").table
    assert (table["prob_beats"] == 0.5).all()
    assert (table["estimate"] == 0.0).all()
    real = with_made_up_draws(hm.model("s/n ~ arm * site", rows), draws=50)
    assert set(real.interaction("arm", "site", scale="link").table["prob_beats"]).isdisjoint([0.5])
    with pytest.raises(AnswerError, match=r"across: the model has no column 'stie'. Did you mean 'site'"):
        fit.interaction("arm", "stie")


def test_steps_are_named_also_where_the_column_differs_within_cells():
    fit = with_made_up_draws(hm.model("y ~ cut(x, 2)", ARMS.assign(y=RNG.integers(0, 2, 36))), draws=4)
    with pytest.raises(AnswerError, match=r"'x' enters the model in steps, through cut\(x, 2\)"):
        fit.slopes("x")


def test_an_exposure_has_no_slope():
    rows = ARMS.assign(k=RNG.poisson(ARMS.t))
    fit = with_made_up_draws(hm.model("k ~ x + offset(log(t))", rows, "poisson"), draws=4)
    with pytest.raises(AnswerError, match="'t' is an exposure, and answers are for one unit of it"):
        fit.slopes("t")
    both = with_made_up_draws(hm.model("k ~ t + offset(log(t))", rows, "poisson"), draws=4)
    assert len(both.slopes("t").table) == 1


@pytest.mark.parametrize("value", ["no", 1, None])
def test_switches_are_true_or_false(value):
    with pytest.raises(SamplingError, match=f"progress={value!r}: True or False is needed"):
        hm.fit("y ~ 1", FRAME, progress=value)
    with pytest.raises(ModelError, match=f"compress={value!r}: True or False is needed"):
        hm.model("y ~ 1", FRAME, compress=value)


def test_names_with_blanks_are_led_to_backticks():
    with pytest.raises(FormulaError, match="stands in backticks"):
        hm.model("y ~ my col", FRAME)


def test_a_function_that_gives_no_number_anywhere_is_told():
    with pytest.raises(FormulaError, match=r"scale\(x\) is a finite number in no row"):
        hm.model("y ~ scale(x)", FRAME.assign(x=1.0))
