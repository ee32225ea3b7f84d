"""How the columns of the right side are understood."""

import numpy as np
import pandas as pd
import pytest
from data_tools import rows_of


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([1, 2, 3, 4], "Numeric"),
        ([0, 1, 1, 0], "Numeric"),
        ([0.5, 1.0, 2.0, 3.0], "Numeric"),
        (np.array([1, 2, 3, 4], dtype=np.uint8), "Numeric"),
        (np.array([1, 2, 3, 4], dtype=np.float32), "Numeric"),
        (pd.array([1, 2, 3, 4], dtype="Int64"), "Numeric"),
        (pd.Series([1, 2.5, 3, 4], dtype=object), "Numeric"),
        ([True, False, True, True], "Factor"),
        (pd.array([True, False, True, True], dtype="boolean"), "Factor"),
        (["a", "b", "a", "b"], "Factor"),
        (pd.Categorical([1, 2, 1, 2]), "Factor"),
        (pd.Categorical([0.5, 2.5, 0.5, 2.5]), "Factor"),
    ],
)
def test_how_predictors_are_understood(column, kind):
    rows = rows_of("y ~ v", pd.DataFrame({"y": [1.0, 2.0, 3.0, 5.0], "v": column}))
    assert type(rows.variables.predictors["v"]).__name__ == kind


def test_whole_numbers_stay_whole_and_huge_ones_become_real():
    rows = rows_of("y ~ v", pd.DataFrame({"y": [1.0, 2.0], "v": [1, 2]}))
    assert rows.frame["v"].dtype == np.int64
    rows = rows_of("y ~ v", pd.DataFrame({"y": [1.0, 2.0], "v": np.array([2**64 - 1, 1], dtype=np.uint64)}))
    np.testing.assert_array_equal(rows.frame["v"], [2.0**64, 1.0])


def test_the_reference_level_is_a_notice_and_so_are_levels_without_rows():
    column = pd.Categorical(["b", "a", "b"], categories=["b", "a", "c", "d"])
    notices = rows_of("y ~ g", pd.DataFrame({"y": [1.0, 2.0, 3.0], "g": column})).notices
    assert notices[0] == "g: reference level 'b'"
    assert "2 levels without rows" in notices[1]
    ordered = pd.DataFrame({"y": [1.0, 2.0, 3.0], "g": column.as_ordered()})
    assert "polynomial contrasts" in rows_of("y ~ g", ordered).notices[1]


def test_numbers_that_came_as_text_are_said_to_be_levels():
    def notices(values):
        return rows_of("y ~ x", pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": values})).notices

    assert "text that reads as numbers is taken as 3 levels; pandas.to_numeric" in notices(["0.5", "1e3", "-2"])[1]
    assert notices(["0.5", "1e3", "low"])[1:] == ()
    assert notices(pd.Categorical(["1", "2", "3"]))[1:] == ()


def test_counts_may_come_as_proportions_of_trials():
    pairs = [(s, n) for n in range(1, 60) for s in range(n + 1)]
    frame = pd.DataFrame({"rate": [s / n for s, n in pairs], "n": [n for _, n in pairs]})
    rows = rows_of("p(rate * n, n) ~ 1", frame)
    np.testing.assert_array_equal(rows.response.successes, [s for s, _ in pairs])
