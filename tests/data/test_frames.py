"""Every kind of frame gives the same rows: missing values, types and level orders included."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from data_tools import rows_of

DAYS = [
    dt.date(2024, 1, 31),
    dt.date(2024, 1, 2),
    None,
    dt.date(2023, 5, 1),
    dt.date(2024, 1, 2),
    dt.date(2024, 1, 2),
]
COLUMNS = {
    "y": [1.0, 2.0, 3.0, None, 5.0, 6.5],
    "s": [1, 0, 2, 3, 1, 0],
    "n": [3, 4, 2, 3, 5, 0],
    "text": ["b", "a", "b", "c", None, "a"],
    "whole": [10, 9, 10, 9, 10, None],
    "flag": [True, False, None, True, False, True],
    "day": DAYS,
    "x": [0.5, 1.5, -2.0, 0.25, float("nan"), 4.0],
}
ARROW = pa.table({**COLUMNS, "whole": pa.array(COLUMNS["whole"], pa.int64())})


def polars_frame():
    return pl.DataFrame(COLUMNS)


FRAMES = {
    "pandas": lambda: ARROW.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get),
    "pandas over Arrow": lambda: ARROW.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas nullable": lambda: ARROW.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get).convert_dtypes(),
    "polars": polars_frame,
    "polars lazy": lambda: polars_frame().lazy(),
    "pyarrow": lambda: ARROW,
    "duckdb": lambda: duckdb.sql("select * from ARROW"),
}


@pytest.fixture(params=FRAMES.values(), ids=FRAMES.keys())
def frame(request):
    return request.param()


@pytest.mark.parametrize(
    ("column", "missing", "levels"),
    [
        ("text", 2, ["a", "b"]),  # the row of c has no y
        ("whole", 2, [9, 10]),
        ("flag", 2, [False, True]),
        ("day", 2, [dt.date(2024, 1, 2), dt.date(2024, 1, 31)]),
    ],
)
def test_groups_keep_types_and_sorted_order(frame, column, missing, levels):
    rows = rows_of(f"y ~ (1 | {column})", frame)
    found = rows.groupings[column].labels()
    assert found == levels
    assert [type(level) for level in found] == [type(level) for level in levels]
    assert (rows.source.rows, rows.source.missing) == (6 - missing, missing)


def test_missing_values_of_every_column_that_the_formula_names_are_dropped_and_counted(frame):
    rows = rows_of("y ~ x + (1 | text)", frame)
    assert (rows.source.rows, rows.source.missing) == (4, 2)
    np.testing.assert_array_equal(rows.response.values, [1.0, 2.0, 3.0, 6.5])
    np.testing.assert_array_equal(rows.frame["x"], [0.5, 1.5, -2.0, 4.0])
    assert list(rows.frame["text"]) == ["b", "a", "b", "a"]


def test_not_a_number_is_missing_in_every_frame(frame):
    rows = rows_of("s/n ~ x", frame)
    assert (rows.source.rows, rows.source.missing, rows.source.without_trials) == (4, 1, 1)


def test_rows_without_trials_are_dropped_and_counted(frame):
    rows = rows_of("s/n ~ 1", frame)
    assert (rows.source.rows, rows.source.missing, rows.source.without_trials) == (5, 0, 1)
    np.testing.assert_array_equal(rows.response.successes, [1, 0, 2, 3, 1])
    np.testing.assert_array_equal(rows.response.trials, [3, 4, 2, 3, 5])


def test_missing_values_elsewhere_do_no_harm(frame):
    assert rows_of("cbind(s, n - s) ~ 1", frame).source.missing == 0


def test_the_same_rows_have_the_same_fingerprint_in_every_frame(frame):
    own = rows_of("y ~ x + flag + (1 | text) + (1 | whole)", frame)
    first = rows_of("y ~ x + flag + (1 | text) + (1 | whole)", FRAMES["pyarrow"]())
    assert own.source.fingerprint == first.source.fingerprint


def test_other_rows_have_another_fingerprint():
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": [1, 2, 3], "g": ["a", "b", "a"]})
    own = rows_of("y ~ x + (1 | g)", frame).source.fingerprint
    assert rows_of("y ~ x + (1 | g)", frame.assign(y=[1.0, 2.0, 3.5])).source.fingerprint != own
    assert rows_of("y ~ x + (1 | g)", frame.assign(x=[1, 2, 4])).source.fingerprint != own
    assert rows_of("y ~ x + (1 | g)", frame.assign(g=["a", "b", "b"])).source.fingerprint != own


def test_the_users_frame_is_left_as_it_was():
    frame = pd.DataFrame({"y": [1.0, 2.0, None], "g": pd.Categorical(["b", "a", "b"])}, index=[7, 7, 3])
    before = frame.copy(deep=True)
    rows_of("y ~ (1 | g)", frame)
    pd.testing.assert_frame_equal(frame, before)


def test_the_index_plays_no_part():
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0]}, index=pd.Index([5, 5, 5], name="y"))
    np.testing.assert_array_equal(rows_of("y ~ x", frame).response.values, [1, 2, 4])


def test_column_names_that_a_frame_would_read_as_patterns():
    frame = {"^y$": [1.0, 2.0, 4.0], "y": [9.0, 9.0, 9.0], "*": [1.0, 2.0, 3.0]}
    for make in (pl.DataFrame, pa.table, pd.DataFrame):
        rows = rows_of("`^y$` ~ `*`", make(frame))
        np.testing.assert_array_equal(rows.response.values, [1, 2, 4])
        np.testing.assert_array_equal(rows.frame["*"], [1, 2, 3])


def test_column_names_that_are_numbers():
    rows = rows_of("`0` ~ `1`", pd.DataFrame([[1.0, 5.0], [2.0, 6.0], [4.0, 9.0]]))
    np.testing.assert_array_equal(rows.frame["1"], [5, 6, 9])
