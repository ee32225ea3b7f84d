"""Equal rows of large frames in memory are counted first: nothing that follows tells the difference."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from data_tools import cells_of, rows_of

from hiermod.data.columns import values
from hiermod.data.columns.values import hardly_repeats, number_rows
from hiermod.data.pushdown import gather, tally
from hiermod.errors import DataError
from tests.data.engine_cases import ARROW, COUNTED, FRAME

KINDS = {
    "pandas": lambda: FRAME,
    "pandas, text as objects": lambda: FRAME.astype({"f": object, "g": object}),
    "pandas, text as categories": lambda: FRAME.astype({"f": "category", "g": "category"}),
    "pandas over Arrow": lambda: ARROW.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda: pl.from_arrow(ARROW),
    "pyarrow": lambda: ARROW,
}


@pytest.fixture
def counting(monkeypatch):
    """Every frame counts as large."""
    monkeypatch.setattr(tally, "LARGE", 0)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(("text", "statistic"), COUNTED)
def test_the_same_cells_bit_for_bit(text, statistic, make, monkeypatch):
    other = cells_of(text, FRAME, statistic)
    monkeypatch.setattr(tally, "LARGE", 0)
    one = cells_of(text, make(), statistic)
    assert len(one.response.row_times) < len(other.response.row_times)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.response.weight, other.response.weight)
    if statistic == "real":
        np.testing.assert_allclose(one.response.mean, other.response.mean, rtol=1e-14)
    else:
        np.testing.assert_array_equal(one.response.mean, other.response.mean)
    assert one.source == other.source


def test_every_frame_and_file_gives_the_same_cells(tmp_path, monkeypatch):
    import duckdb

    text = "success ~ f*i + flag + (1 + i | g) + (1 | h)"
    other = cells_of(text, FRAME, "trials")
    monkeypatch.setattr(tally, "LARGE", 0)
    monkeypatch.setattr(gather, "LARGE", 0)
    FRAME.to_parquet(tmp_path / "trials.parquet", index=False)
    FRAME.to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "parts").mkdir()
    for place in range(3):
        FRAME.iloc[place::3].to_parquet(tmp_path / "parts" / f"part{place}.parquet", index=False)
    forms = [
        FRAME, pl.from_arrow(ARROW).lazy(), ARROW, duckdb.connect().from_arrow(ARROW), tmp_path / "trials.parquet",
        str(tmp_path / "trials.csv"), tmp_path / "parts", str(tmp_path / "parts" / "*.parquet"),
    ]  # fmt: skip
    for data in forms:
        one = cells_of(text, data, "trials")
        pd.testing.assert_frame_equal(one.frame, other.frame)
        np.testing.assert_array_equal(one.response.successes, other.response.successes)
        np.testing.assert_array_equal(one.response.trials, other.response.trials)
        assert one.source == other.source


def test_notices_and_errors_count_rows_not_distinct_ones(counting):
    frame = pd.DataFrame({"y": [0, 1, 1, None] * 50, "f": ["a", "b", None, "a"] * 50}).astype({"y": "Int64"})
    rows = rows_of("y ~ f", frame)
    assert (rows.source.rows, rows.source.missing) == (100, 100)
    assert "missing values by column: y 50, f 50" in rows.notices
    with pytest.raises(DataError, match=r"100 rows have missing values in 'y', 'f' \(the first is row 2\)"):
        rows_of("y ~ f", frame, na="error")
    with pytest.raises(DataError, match=r"fractional in 1 rows \(row 3: 0.5\)"):
        rows_of("s/n ~ f", pd.DataFrame({"s": [1, 1, 1, 0.5], "n": [2] * 4, "f": list("abab")}))


def test_mixed_types_are_told_as_ever(counting):
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "f": ["a", 1, "a", 1]})
    with pytest.raises(DataError, match="'f' mixes types"):
        rows_of("y ~ f", frame)


def test_rows_that_hardly_repeat_are_left_alone(counting, monkeypatch):
    frame = pd.DataFrame({"y": np.arange(30_000) % 2, "x": np.random.default_rng(1).normal(size=30_000)})
    assert hardly_repeats(frame)
    monkeypatch.setattr(tally, "connect", lambda: pytest.fail("nothing is to be counted"))
    assert len(rows_of("y ~ x", frame).frame) == 30_000


@pytest.mark.parametrize(("times", "expected"), [(1, True), (3, False), (5, False), (100, False)])
@pytest.mark.parametrize("size", [30_000, 600_000])
def test_hardly_repeating_is_judged_by_half(times, expected, size):
    values = np.random.default_rng(2).permutation(np.repeat(np.arange(size // times), times))
    assert hardly_repeats(pd.DataFrame({"x": values})) == expected


def test_numbers_follow_the_order_of_values():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.choice([-5, 0, 10**12], 500), "b": rng.choice([0.5, -1.5, 2.0], 500)})
    number = number_rows(frame)
    expected = frame.drop_duplicates().sort_values(["a", "b"]).to_numpy()
    np.testing.assert_array_equal(values.distinct_rows(frame), expected)
    np.testing.assert_array_equal(expected[number], frame.to_numpy())


def test_pyarrow_tables_of_no_columns_needed_are_counted(counting):
    assert cells_of("y ~ 1", pa.table({"y": [0, 1, 1] * 100}), "trials").response.trials.tolist() == [300]
