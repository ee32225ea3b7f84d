"""Levels: their order, their types, and the codes of new rows."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from data_tools import rows_of

DAYS = [dt.date(2024, 1, 31), dt.date(2024, 1, 2), None, dt.date(2023, 5, 1)]


def levels(column, formula="y ~ (1 | g)"):
    column = pd.Series(column) if not isinstance(column, pd.Series) else column
    rows = rows_of(formula, pd.DataFrame({"y": np.arange(len(column), dtype=float), "g": column}))
    return rows.groupings["g"].labels() if "|" in formula else list(rows.variables.predictors["g"].levels)


@pytest.mark.parametrize("formula", ["y ~ (1 | g)", "y ~ g"])
def test_categories_keep_their_order_and_lose_unused_levels(formula):
    column = pd.Categorical(["low", "high", "low", "mid"], categories=["low", "never", "mid", "high"])
    assert levels(pd.Series(column), formula) == ["low", "mid", "high"]
    assert levels(pd.Series(column.as_ordered()), formula) == ["low", "mid", "high"]


def test_categories_of_whole_numbers_and_booleans_keep_type_and_order():
    found = levels(pd.Series(pd.Categorical([10, 2, 10, 2], categories=[10, 2])))
    assert found == [10, 2]
    assert {type(level) for level in found} == {int}
    found = levels(pd.Series(pd.Categorical([True, False, True], categories=[True, False])))
    assert found == [True, False]
    assert {type(level) for level in found} == {bool}


def test_levels_that_only_missing_rows_have_are_left_out():
    frame = pd.DataFrame({"y": [1.0, 2.0, None], "g": pd.Categorical(["a", "b", "c"])})
    assert rows_of("y ~ (1 | g)", frame).groupings["g"].labels() == ["a", "b"]


def test_text_is_sorted_whatever_the_order_of_rows():
    assert levels(["b", "a", "C", "ä", "10", "9"]) == sorted(["b", "a", "C", "ä", "10", "9"])
    assert levels(["9", "10", "ä", "C", "a", "b"]) == sorted(["b", "a", "C", "ä", "10", "9"])


def test_encoded_text_of_other_frames_is_sorted_and_an_enum_keeps_its_order():
    values = ["z", "a", "m", "a"]
    encoded = [
        pl.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "g": pl.Series(values, dtype=pl.Categorical)}),
        pa.table({"y": [1.0, 2.0, 3.0, 4.0], "g": pa.array(values).dictionary_encode()}),
    ]
    for frame in encoded:
        assert rows_of("y ~ (1 | g)", frame).groupings["g"].labels() == ["a", "m", "z"]
    enum = pl.Series(values, dtype=pl.Enum(["z", "never", "m", "a"]))
    rows = rows_of("y ~ (1 | g)", pl.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "g": enum}))
    assert rows.groupings["g"].labels() == ["z", "m", "a"]


@pytest.mark.parametrize("lazy", [False, True])
def test_an_enum_is_ordered_only_where_the_formula_says_so(lazy):
    frame = pl.DataFrame({"y": np.arange(6.0), "e": pl.Series(["z", "a", "m"] * 2, dtype=pl.Enum(["z", "m", "a"]))})
    frame = frame.lazy() if lazy else frame
    plain = rows_of("y ~ e", frame)
    assert plain.variables.predictors["e"].levels == ("z", "m", "a")
    assert plain.variables.predictors["e"].coding == "treatment"
    assert "e: reference level 'z'" in plain.notices
    said = rows_of("y ~ ordered(e)", frame).variables.predictors["ordered(e)"]
    assert (said.levels, said.coding) == (("z", "m", "a"), "poly")
    ordered = pd.DataFrame(
        {"y": np.arange(6.0), "e": pd.Categorical(["z", "a", "m"] * 2, ["z", "m", "a"], ordered=True)}
    )
    assert rows_of("y ~ e", ordered).variables.predictors["e"].coding == "poly"


def test_dates_stay_dates_and_times_stay_times():
    day, noon = dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 12)
    assert levels([day, day, dt.datetime(2023, 1, 1)]) == [dt.date(2023, 1, 1), dt.date(2024, 1, 1)]
    assert [type(level) for level in levels([day, noon])] == [dt.datetime, dt.datetime]
    assert levels([day, noon]) == [day, noon]
    zoned = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"])).dt.tz_localize("UTC")
    assert [level.isoformat() for level in levels(zoned)] == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-02T00:00:00+00:00",
    ]


def test_large_whole_numbers_are_told_apart():
    assert levels([2**53, 2**53 + 1, 2**53]) == [2**53, 2**53 + 1]
    assert levels(np.array([2**64 - 1, 3], dtype=np.uint64)) == [3, 2**64 - 1]


def test_intervals_of_cut_are_levels_in_their_order():
    column = pd.Series(pd.cut([1.0, 9.0, 30.0, 9.5], [0, 5, 20, 100]))
    assert levels(column) == ["(0, 5]", "(5, 20]", "(20, 100]"]
    assert levels(column, "y ~ g") == ["(0, 5]", "(5, 20]", "(20, 100]"]


STRANGE = [
    "__import__('os').system('true')",
    "<script>alert(1)</script>",
    "a:b",
    "[x]",
    "",
    " ",
    "NaN",
    "nan",
    "None",
]
STRANGE += [
    "{x}",
    "%s",
    "1|g",
    "\n",
    "日本",
    "🙂",
    "a, b",
    "`",
    "'",
    '"',
    "\\",
    "x" * 500,
    "Intercept",
    "chain",
    "0",
]


@pytest.mark.parametrize("formula", ["y ~ (1 | g)", "y ~ g", "y ~ g + (g | h)"])
def test_levels_may_be_any_text(formula):
    frame = pd.DataFrame({"y": np.arange(len(STRANGE) * 2.0), "g": STRANGE * 2, "h": ["p", "q"] * len(STRANGE)})
    rows = rows_of(formula, frame)
    found = rows.variables.predictors["g"].levels if "g" in rows.variables.predictors else rows.groupings["g"].labels()
    assert list(found) == sorted(STRANGE)
    assert list(rows.frame["g"]) == STRANGE * 2
    assert rows.source.missing == 0


def test_crossed_groups_hold_the_pairs_that_occur():
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4, 5], "a": ["p", "q", "p", "q", "p"], "b": [2, 10, 10, 10, 2]})
    grouping = rows_of("y ~ (1 | a:b)", frame).groupings["a:b"]
    assert grouping.labels() == ["p:2", "p:10", "q:10"]
    assert grouping.size == 3
    np.testing.assert_array_equal(grouping.codes(frame), [0, 2, 1, 2, 0])


def test_codes_of_new_rows():
    frame = pd.DataFrame(
        {
            "y": [1.0, 2, 3, 4],
            "a": ["p", "q", "p", "q"],
            "b": [2, 10, 10, 10],
            "d": pd.to_datetime(DAYS[:2] * 2),
        }
    )
    rows = rows_of("y ~ (1 | a/b) + (1 | d)", frame)
    new = pd.DataFrame(
        {"a": ["q", "q", "new", "p", None], "b": [2, 10, 2, 3, 2], "d": [*DAYS[:2], None, DAYS[3], DAYS[1]]}
    )
    np.testing.assert_array_equal(rows.groupings["a"].codes(new), [1, 1, -1, 0, -1])
    np.testing.assert_array_equal(rows.groupings["a:b"].codes(new), [-1, 2, -1, -1, -1])
    np.testing.assert_array_equal(rows.groupings["d"].codes(new), [1, 0, -1, -1, 0])
    as_times = pd.DataFrame({"d": pd.to_datetime([DAYS[1], DAYS[0]])})
    np.testing.assert_array_equal(rows.groupings["d"].codes(as_times), [0, 1])
