"""Formulas are compared on the rows that are complete in the columns of all of them, and a notice says so."""

import duckdb
import numpy as np
import pandas as pd
import polars
import pytest

import hiermod as hm
from hiermod.errors import AnswerError

QUICK = {"draws": 100, "chains": 2, "seed": 1, "progress": False}


def gappy(count=120):
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"x": rng.normal(size=count), "z": rng.normal(size=count), "g": rng.choice(list("abcd"), count)}
    )
    data["y"] = data["x"] + rng.normal(size=count)
    data.loc[:9, "x"] = np.nan
    data.loc[5:19, "z"] = np.nan
    return data


FORMULAS = {"x": "y ~ x + (1 | g)", "z": "y ~ z", "none": "y ~ 1"}


def test_the_comparison_is_that_of_complete_rows(capsys):
    found = hm.compare(FORMULAS, gappy(), **QUICK)
    said = capsys.readouterr().err
    assert "all models are fitted to the same 100 rows: 20 rows lack a value in a column of one of them" in said
    assert "(not all models have 'x', 'g', 'z')" in said
    expected = hm.compare(FORMULAS, gappy().dropna(), **QUICK)
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert "all models" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["polars", "lazy", "arrow", "duckdb"])
def test_rows_leave_frames_of_any_library(kind):
    frame = gappy()
    frames = {
        "polars": polars.from_pandas, "lazy": lambda data: polars.from_pandas(data, nan_to_null=False).lazy(),
        "arrow": lambda data: polars.from_pandas(data).to_arrow(), "duckdb": duckdb.from_df,
    }  # fmt: skip
    table = hm.compare(FORMULAS, frames[kind](frame), **QUICK).table
    np.testing.assert_allclose(table["elpd"], hm.compare(FORMULAS, frame, **QUICK).table["elpd"], rtol=1e-6)


def test_rows_of_large_frames_leave_where_they_are():
    rng = np.random.default_rng(2)
    data = pd.DataFrame(
        {
            "s": rng.integers(0, 2, 150_000),
            "a": rng.integers(0, 3, 150_000) + 0.0,
            "b": rng.integers(0, 2, 150_000) + 0.0,
        }
    )
    data.loc[:999, "a"] = np.nan
    data.loc[500:2499, "b"] = np.nan
    found = hm.compare(["s ~ a", "s ~ b"], duckdb.from_df(data), family="bernoulli", **QUICK)
    assert "147,500 rows" in repr(found)


def test_a_fit_beside_formulas_says_which_rows(capsys):
    """The fit has left out what its own column lacks; formulas leave that out, too."""
    data = gappy()
    data["z"] = data["z"].fillna(0.0)
    fit = hm.fit("y ~ x", data, **QUICK)
    table = hm.compare({"fit": fit, "none": "y ~ 1"}, data, **QUICK).table
    assert set(table.index) == {"fit", "none"}
    assert "the same 110 rows: 10 rows lack a value" in capsys.readouterr().err
    with pytest.raises(AnswerError, match="was fitted to 110 rows"):
        hm.compare({"fit": fit, "z": "y ~ z"}, gappy(), **QUICK)


def test_rows_without_gaps_are_read_once_and_nothing_is_said(capsys):
    hm.compare({"x": "y ~ x", "none": "y ~ 1"}, gappy().dropna(), **QUICK)
    assert "all models" not in capsys.readouterr().err


def test_missing_values_in_a_column_of_all_models_leave_nothing_to_say(capsys):
    data = gappy()[["y", "x", "g"]]
    hm.compare({"x": "y ~ x + (1 | g)", "g": "y ~ x + g"}, data, **QUICK)
    assert "all models" not in capsys.readouterr().err


def test_the_command_does_the_same(tmp_path, capsys):
    from hiermod.cli import main

    gappy().to_csv(tmp_path / "gappy.csv", index=False)
    command = ["compare", str(tmp_path / "gappy.csv"), *FORMULAS.values(), "--draws", "100", "--seed", "1"]
    assert main([*command, "--fits", str(tmp_path / "fits")]) == 0
    seen = capsys.readouterr()
    assert "all models are fitted to the same 100 rows" in seen.err
    assert main([*command, "--fits", str(tmp_path / "fits")]) == 0
    again = capsys.readouterr()
    assert again.out == seen.out
    assert again.err.count("reused the fit stored in") == 3
