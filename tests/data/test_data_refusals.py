"""Data that cannot be used: which error, in which words, before anything is sampled."""

import datetime as dt
import re
import unicodedata

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from data_tools import rows_of

from hiermod.data.sources.frames import column_names
from hiermod.errors import DataError, FormulaError
from hiermod.families.registry import choose_family, read_family


def frame(**columns):
    base = {"y": [1.0, 2.0, 3.0, 5.0], "x": [1.0, 2.0, 4.0, 3.0], "g": ["a", "b", "a", "b"]}
    return pd.DataFrame({**base, "s": [1, 2, 0, 3], "n": [3, 3, 3, 3], **columns})


def refused(text, data, match, **options):
    with pytest.raises(DataError, match=match) as caught:
        rows_of(text, data, **options)
    return str(caught.value)


# ---- counts


def test_more_successes_than_trials():
    message = refused(
        "s/n ~ x", frame(s=[1, 5, 0, 9]), r"More successes than trials in 2 rows: row 1 has s = 5 and n = 3"
    )
    assert "cbind(s, n)" in message


def test_a_success_without_a_trial():
    refused("s/n ~ x", frame(s=[1, 1, 0, 3], n=[3, 0, 3, 3]), "More successes than trials in 1 rows")


@pytest.mark.parametrize("text", ["s/n ~ x", "cbind(s, n) ~ x", "p(s, n) ~ x"])
def test_negative_counts(text):
    refused(text, frame(s=[1, -2, 0, 3]), "negative in 1 rows .row 1: -2")


def test_negative_failures():
    refused("cbind(s, f) ~ x", frame(f=[2, -1, 3, 0]), "failures are negative")


@pytest.mark.parametrize("text", ["s/n ~ x", "cbind(s, n) ~ x", "p(s, n) ~ x"])
def test_fractional_counts(text):
    refused(text, frame(s=[1, 0.5, 0, 3]), "fractional in 1 rows .row 1: 0.5")


def test_a_proportion_that_gives_no_count():
    refused(
        "p(rate * n, n) ~ x",
        frame(rate=[0.5, 1 / 3, 0.0, 1.0]),
        "'rate \\* n' is fractional in 1 rows .row 0: 1.5",
    )


def test_counts_of_text():
    refused("s/n ~ x", frame(n=["3", "3", "3", "3"]), "response column 'n' holds text, not counts")


def test_counts_that_divide_by_zero():
    refused("p(s, n / m) ~ x", frame(m=[1, 0, 1, 1]), "infinity")
    refused("p(s, n / m) ~ x", frame(n=[3, 0, 3, 3], m=[1, 0, 1, 1]), "row 1: nan")


def test_no_trials_at_all():
    refused("s/n ~ x", frame(s=[0] * 4, n=[0] * 4), "Nothing is left: every row has 0 trials")


# ---- responses


@pytest.mark.parametrize("values", [["no", "yes", "no", "yes"], pd.Categorical(["no", "yes", "no", "yes"])])
def test_a_text_outcome(values):
    rows = rows_of("y ~ x", frame(y=values))
    for family in (None, read_family("poisson")):
        with pytest.raises(DataError, match=r"'y' holds text .'no', 'yes'.*write y\['yes'\] for it in the formula"):
            choose_family(family, rows.response)
    assert (
        "success='yes', the second level as in R; y['no'] for the other"
        in choose_family(read_family("binomial"), rows.response)[1]
    )
    several = rows_of("y ~ x", frame(y=["no", "yes", "no", "never"]))
    for family in (None, read_family("binomial")):
        with pytest.raises(
            DataError, match=r"holds text .*write y.'yes'. for it.*family='categorical' models all of them"
        ):
            choose_family(family, several.response)


def test_an_outcome_of_dates():
    refused("y ~ x", frame(y=pd.date_range("2024-01-01", periods=4)), "The response 'y' holds date")


@pytest.mark.parametrize(("family", "value"), [(None, 2.5), (None, 7), ("gaussian", 0), ("poisson", 0), ("poisson", 7)])
def test_a_constant_numeric_response(family, value):
    rows = rows_of("y ~ x", frame(y=[value] * 4))
    with pytest.raises(DataError, match="The response 'y' is constant"):
        choose_family(None if family is None else read_family(family), rows.response)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("y ~ x", {"y": [1] * 4}),
        ("y ~ x", {"y": [False] * 4}),
        ("s/n ~ x", {"s": [0] * 4}),
        ("s/n ~ x", {"s": [3] * 4}),
        ("cbind(s, f) ~ x", {"f": [0] * 4}),
    ],
)
def test_successes_may_be_all_or_none(text, columns):
    family, _ = choose_family(None, rows_of(text, frame(**columns)).response)
    assert family.statistic == "trials"


# ---- predictors and groups


@pytest.mark.parametrize(
    "values", [[2.0] * 4, [0] * 4, ["a"] * 4, [True] * 4, pd.Categorical(["a"] * 4, categories=["a", "b"])]
)
def test_a_constant_predictor(values):
    refused("y ~ x", frame(x=values), "The predictor 'x' is constant")
    refused("y ~ (x | g)", frame(x=values), "The predictor 'x' is constant")


def test_a_predictor_that_missing_rows_leave_constant():
    refused("y ~ x", frame(x=[1.0, 1.0, 1.0, 2.0], y=[1.0, 2.0, 3.0, None]), "constant .1 in every row")
    refused("s/n ~ x", frame(x=[1.0, 1.0, 1.0, 2.0], s=[1, 2, 0, 0], n=[3, 3, 3, 0]), "constant .1 in every row")


def test_one_variant_only():
    refused("s/n ~ (1 | g)", frame(g=["A"] * 4), "'g' has one level only .'A'.")
    refused("s/n ~ (1 | g:h)", frame(g=["A"] * 4, h=[1] * 4), "'g:h' has one level only .'A:1'.")


def test_one_variant_left_after_rows_without_trials():
    refused("s/n ~ (1 | g)", frame(g=["A", "A", "A", "B"], n=[3, 3, 3, 0], s=[1, 2, 0, 0]), "one level only")


def test_groups_of_fractions():
    values = [1.5, 2.0, 1.5, 2.0]
    for column in (values, pd.Categorical(values)):
        message = refused("y ~ (1 | g)", frame(g=column), "grouping column 'g' holds floating-point numbers")
        assert "data['g'].map(str)" in message


def test_whole_floats_beside_missing_values_are_whole_numbers():
    data = frame(g=[1.0, None, 2.0, 1.0])
    for column in (data["g"], data["g"].astype("category"), data["g"].astype("Int64")):
        assert rows_of("y ~ (1 | g)", data.assign(g=column)).groupings["g"].labels() == [1, 2]


def test_predictors_of_dates():
    refused("y ~ x", frame(x=pd.date_range("2024-01-01", periods=4)), "The predictor 'x' holds dates")


@pytest.mark.parametrize(
    "values",
    [
        [1, "a", 2, "b"],
        [True, 1, 2, "x"],
        [True, 1, 0, 2],
        ["a", 1.5, "b", 2.5],
        ["a", dt.date(2024, 1, 1), "b", "c"],
        [b"a", b"b", b"a", b"b"],
        [[1], [2], [1], [2]],
        [(1, 2), (1, 3), (1, 2), (1, 3)],
        [{"k": 1}, {"k": 2}, {"k": 1}, {"k": 2}],
        pd.to_timedelta([1, 2, 3, 4], unit="D"),
        [1j, 2j, 3j, 4j],
    ],
    ids=str,
)
def test_a_column_that_mixes_types_or_holds_an_unknown_one(values):
    data = frame(v=pd.Series(values) if not isinstance(values, pd.TimedeltaIndex) else values)
    message = refused("y ~ v", data, "The column 'v' (mixes types|holds durations|holds complex numbers)")
    assert "data['v'] = data['v'].map(str, na_action='ignore')" in message
    refused("y ~ (1 | v)", data, "The column 'v' (mixes types|holds durations|holds complex numbers)")
    assert rows_of("y ~ (1 | v)", data.assign(v=data["v"].astype(str))).groupings["v"].size > 1


def test_levels_that_could_not_be_told_apart():
    data = frame(a=["p:q", "p", "p", "p"], b=["r", "q:r", "s", "s"])
    refused("y ~ (1 | a:b)", data, "both written 'p:q:r'")
    assert rows_of("y ~ (1 | a) + (1 | b)", data).groupings["a"].size == 2


# ---- infinity, missing values, no rows


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("column", ["y", "x"])
def test_infinity(column, value):
    data = frame()
    data.loc[2, column] = value
    refused("y ~ x", data, f"The column '{column}' holds infinity .1 rows, the first is row 2.")


def test_infinite_counts():
    refused("s/n ~ x", frame(n=[3, np.inf, 3, 3]), "'n' holds infinity")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_an_empty_frame(make):
    refused(
        "y ~ x",
        make({"y": np.array([], dtype=float), "x": np.array([], dtype=float)}),
        "The data has no rows",
    )


@pytest.mark.parametrize(
    "values", [[None] * 4, [np.nan] * 4, [None, np.nan, None, None], pd.array([None] * 4, dtype="Int64")]
)
def test_nothing_left_after_dropping_missing_rows(values):
    refused("y ~ x", frame(x=values), "Nothing is left: all 4 rows have a missing value")


def test_nothing_left_when_each_row_lacks_something():
    refused("y ~ x", frame(y=[1.0, None, 2.0, None], x=[None, 1.0, None, 2.0]), "Nothing is left: all 4 rows")


def test_missing_values_as_an_error():
    data = frame(x=[1.0, None, 4.0, None], g=["a", None, "a", "b"])
    message = refused("y ~ x + (1 | g)", data, "2 rows have missing values in 'x', 'g'", na="error")
    assert "row 1" in message
    assert rows_of("y ~ 1", data, na="error").source.missing == 0


def test_missing_values_that_pandas_does_not_count_as_an_error():
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1.0, float("nan"), 2.0, 3.0])))
    refused("y ~ x", frame(x=column), "1 rows have missing values in 'x'", na="error")


@pytest.mark.parametrize("na", ["omit", "", None, True, "DROP"])
def test_an_unknown_way_with_missing_values(na):
    refused("y ~ x", frame(), "'drop' leaves rows with missing values out, 'error' refuses them", na=na)


# ---- columns


@pytest.mark.parametrize(
    ("text", "culprit", "nearest"),
    [
        ("y ~ treatd + (1 | country)", "treatd", "'treated'"),
        ("y ~ treated + (1 | contry)", "contry", "'country'"),
        ("Y ~ treated", "Y", "'y'"),
        ("y ~ treated:cuontry", "cuontry", "'country'"),
        ("succeses/trials ~ 1", "succeses", "'successes'"),
        ("y ~ `my colum`", "`my colum`", "'my column'"),
    ],
)
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table])
def test_a_missing_column_names_the_nearest_and_draws_a_caret(text, culprit, nearest, make):
    names = ["y", "treated", "country", "successes", "trials", "my column"]
    with pytest.raises(FormulaError, match="There is no column") as caught:
        rows_of(text, make({name: [1, 0] for name in names}))
    drawn, carets = str(caught.value).split("\n")[-2:]
    assert drawn[carets.index("^") : len(carets)] == culprit
    assert f"Did you mean {nearest}" in str(caught.value)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_of_the_same_letters_in_other_characters_is_told_apart(form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    data = pd.DataFrame({"y": [1, 0], unicodedata.normalize(other, "größe"): [1.0, 2.0]})
    text = f"y ~ {unicodedata.normalize(form, 'größe')}"
    with pytest.raises(FormulaError, match="looks the same but has other characters") as caught:
        rows_of(text, data)
    assert f"data.columns.str.normalize({form!r})" in str(caught.value)
    data.columns = data.columns.str.normalize(form)
    assert len(rows_of(text, data).frame) == 2


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_file_of_other_separators_names_them(tmp_path, separator):
    path = tmp_path / "t.csv"
    pd.DataFrame({"y": [1, 0], "t": [0, 1]}).to_csv(path, sep=separator, index=False)
    for data in (path, pd.read_csv(path)):
        with pytest.raises(FormulaError, match=re.escape(f"pandas.read_csv(path, sep={separator!r})")):
            rows_of("y ~ t", data)
    assert len(rows_of("y ~ t", pd.read_csv(path, sep=separator)).frame) == 2


def test_a_missing_column_that_is_like_no_other_lists_what_there_is():
    with pytest.raises(FormulaError, match=r"no column 'zzz' in the data\. There is: 'y', 'x'"):
        rows_of("y ~ zzz", frame()[["y", "x"]])


def test_a_response_named_estimate_works():
    rows = rows_of("estimate ~ x", frame(estimate=[1.5, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(rows.response.values, [1.5, 2.0, 3.0, 4.0])


def test_columns_with_reserved_names_that_the_formula_does_not_use_do_no_harm():
    assert rows_of("y ~ x", frame(chain=0, draw=0, sigma=1.0, Intercept=1, estimate=2.0)).source.rows == 4


@pytest.mark.parametrize(
    "data",
    [None, {"y": [1.0], "x": [2.0]}, np.ones((3, 2)), [1, 2], pd.Series([1.0, 2.0], name="y"), 5],
)
def test_what_is_no_frame(data):
    refused("y ~ x", data, "not a data frame")


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame([[1.0, 2.0, 3.0]], columns=["y", "x", "x"]),
        pd.DataFrame([[1.0, 2.0, 3.0, 4.0]], columns=["y", "x", 1, "1"]),
        pa.table([pa.array([1.0])] * 3, names=["y", "x", "x"]),
    ],
    ids=["pandas", "pandas, as text", "pyarrow"],
)
def test_columns_with_one_name(data):
    refused("y ~ x", data, "two columns named")


def test_the_value_that_does_not_fit_among_numbers_is_named():
    data = frame(v=[1.5, "oops", 2.5, 3.0])
    message = refused("y ~ v", data, "mixes types: numbers and text. 1 of 4 values is no plain number: 'oops' .row 1.")
    assert "pandas.to_numeric(data['v'], errors='coerce')" in message


@pytest.mark.parametrize("formula", ["y ~ 1", "y/n ~ 1"])
def test_numbers_that_came_as_text_are_to_be_converted(formula):
    data = frame(y=["3", "1", "2", "0"], n=4)
    refused(formula, data, r"Make them numbers: data\['y'\] = pandas.to_numeric\(data\['y'\]\)")


def test_levels_without_rows_are_named():
    found = rows_of("y ~ v", frame(v=pd.Categorical(list("abab"), categories=list("abcde"))))
    assert "v: 3 levels without rows left out: 'c', 'd', 'e'" in found.notices


def test_columns_that_are_missing_throughout_are_named():
    refused("y ~ v", frame(v=[np.nan] * 4), r"Nothing is left: all 4 rows .* \('v' 4\)\. Fill them")


@pytest.mark.parametrize(
    ("family", "meant"), [("normal", "gaussian"), ("logistic", "bernoulli"), ("Binom(logit)", "binomial")]
)
def test_families_of_other_names_are_led_to_ours(family, meant):
    with pytest.raises(DataError, match=f"Did you mean '{meant}'"):
        read_family(family)


# ---- lazy frames whose engine fails


def closed():
    connection = duckdb.connect()
    relation = connection.sql("select 1.0 as y, 2.0 as x")
    connection.close()
    return relation


def test_what_an_engine_says_of_a_lazy_frame_is_kept():
    lazy = pl.from_pandas(frame()).lazy().with_columns(x=pl.col("zzz"))
    refused("y ~ x", lazy, r"The data \(LazyFrame\) cannot be read: unable to find column .zzz.")
    refused("y ~ x", closed(), r"The data \(DuckDBPyRelation\) cannot be read: .*[cC]onnection")
    for data in (lazy, closed()):
        with pytest.raises(DataError, match="cannot be read"):
            column_names(data)


@pytest.mark.parametrize("name", ["^a$", "^.*$", "*"])
def test_names_that_lazy_polars_takes_for_patterns_are_refused_and_the_remedy_is_right(name):
    data = pl.from_pandas(frame(**{name: [1.0, 3.0, 2.0, 5.0]}))
    refused(f"y ~ `{name}`", data.lazy(), r"for a pattern of names. Rename the column, or .* data.collect\(\)")
    assert rows_of(f"y ~ `{name}`", data.lazy().collect()).frame[name].tolist() == [1.0, 3.0, 2.0, 5.0]
    assert len(rows_of("y ~ x", data.lazy()).frame) == 4
