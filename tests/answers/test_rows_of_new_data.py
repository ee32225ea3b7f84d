"""What `data=` must have, may lack, and how its rows are read."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn

import hiermod as hm
from hiermod.errors import AnswerError, DataError

ROWS = pd.DataFrame({"g": ["a", "a", "b", "b"], "t": [0, 1, 0, 1], "s": [1, 2, 3, 4], "n": 5})


@pytest.fixture(scope="module")
def fit():
    effects = {"1|g_sigma": [1.0, 2.0], "1|g": [[-1.0, 1.0], [-0.5, 0.5]]}
    return drawn("s/n ~ t + (1 | g)", ROWS, Intercept=[0.1, -0.1], t=[0.3, 0.5], **effects)


@pytest.fixture(scope="module")
def intercept_only():
    data = pd.DataFrame({"v": ["A", "B"], "s": [3, 5], "n": [10, 10]})
    return drawn(
        "s/n ~ (1 | v)", data, Intercept=[0.0, 1.0], **{"1|v_sigma": [1.0, 1.0], "1|v": [[0.1, 0.2], [0.3, 0.4]]}
    )


@pytest.mark.parametrize("groups", ["typical", "new", "population"])
def test_a_model_without_predictors_predicts_new_groups(intercept_only, groups):
    rows = pd.DataFrame({"v": ["E", "F", "A"]})
    table = intercept_only.predict(rows, groups=groups).table
    assert table["v"].to_list() == ["E", "F", "A"]
    assert table["row_number"].to_list() == [0, 1, 2]
    assert len(intercept_only.rates(data=rows, groups=groups).table) == 1


def test_predictions_of_the_mean_ask_for_no_trials(fit):
    expected = fit.predict(ROWS).table["estimate"]
    for odd in (np.nan, "many", 0.5, 0):
        np.testing.assert_array_equal(fit.predict(ROWS.assign(n=odd)).table["estimate"], expected)


def test_a_column_that_is_set_need_not_be_there(fit):
    np.testing.assert_array_equal(fit.effect("t", data=ROWS[["g"]]).draws, fit.effect("t", data=ROWS[["g", "t"]]).draws)
    assert len(fit.rates("t", data=ROWS[["g"]]).table) == 2
    with pytest.raises(DataError, match="no column 't'"):
        fit.rates(data=ROWS[["g"]])


def test_a_cell_without_weight_is_no_average(fit):
    with pytest.raises(DataError, match="All rows of g a have the weight 0"):
        fit.rates(by="g", data=ROWS.assign(w=[0, 0, 1, 1]), weights="w")
    with pytest.raises(DataError, match=r"column 'w' of weights holds text .'heavy'., no numbers"):
        fit.rates(data=ROWS.assign(w="heavy"), weights="w")
    with pytest.raises(AnswerError, match=r"weights=\[1, 2\]: the name of a column"):
        fit.rates(data=ROWS, weights=[1, 2])


def test_missing_values_are_named(fit):
    with pytest.raises(DataError, match=r"missing values in 1 rows, in 't' \(the first is row 2"):
        fit.predict(ROWS.assign(t=[0, 1, np.nan, 1]))
    with pytest.raises(DataError, match="data= has no rows"):
        fit.predict(ROWS.iloc[:0])


def test_unknown_groups_come_after_known_ones(fit):
    rows = pd.DataFrame({"g": ["aa", "zz", "a"], "t": 0})
    assert fit.rates(by="g", data=rows, groups="typical").table["g"].to_list() == ["a", "aa", "zz"]


@pytest.mark.parametrize("groups", ["typical", "new", "population"])
def test_groups_are_not_compared_where_they_do_not_differ(fit, groups):
    for ask in (fit.effect, fit.best, fit.pairwise, fit.prob_beats):
        with pytest.raises(AnswerError, match=f"groups='{groups}' leaves out what is special to each g"):
            ask("g", groups=groups)
    assert len(fit.effect("t", groups=groups).table) == 1


def test_a_grouping_column_in_common_terms_selects_rows():
    data = pd.DataFrame({"g": list("aabb"), "h": list("uvwx"), "y": [1.0, 2.0, 3.0, 5.0]})
    effects = {"1|g:h_sigma": [1.0, 1.0], "1|g:h": [[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.0, 0.0]]}
    fit = drawn("y ~ g + (1 | g:h)", data, Intercept=[1.0, 2.0], g=[[1.0], [1.0]], sigma=[1.0, 1.0], **effects)
    table = fit.rates(by="g").table.set_index("g")["estimate"]
    np.testing.assert_allclose(table["a"], (1.15 + 2.0) / 2)
    np.testing.assert_allclose(table["b"], (2.35 + 3.0) / 2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.rates(by=5), "by=5: a column's name"),
        (lambda fit: fit.rates(by=[["t"]]), "a column's name, or a list of names"),
        (lambda fit: fit.effect(None), "variable=None: the name of one column"),
        (lambda fit: fit.effect(["t", "g"]), "the name of one column"),
        (lambda fit: fit.shrinkage(5), "no grouping factor 5"),
    ],
)
def test_questions_of_the_wrong_type(fit, ask, message):
    with pytest.raises(AnswerError, match=message):
        ask(fit)


def test_draws_with_labels_are_put_in_the_models_order(fit):
    draws = fit.posterior.rename({"1|g_0": "g__factor_dim"}).assign_coords(g__factor_dim=["a", "b"])
    turned = fit.model.with_draws(draws.isel(g__factor_dim=[1, 0]))
    pd.testing.assert_frame_equal(turned.rates(by="g").table, fit.rates(by="g").table)
    with pytest.raises(hm.errors.SamplingError, match="is labelled 'a', 'c'; the model has 'a', 'b'"):
        fit.model.with_draws(draws.assign_coords(g__factor_dim=["a", "c"]))


def test_small_numbers_are_printed_with_their_digits(fit):
    answer = fit.rates(by="t")
    table = answer.table.assign(estimate=[1.5e-6, 2.5e-6])
    assert "1.5e-06" in repr(type(answer)(answer.draws, table, answer.question))
