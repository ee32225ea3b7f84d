"""What text means: markers of missing values and formatted numbers are named wherever numbers are needed."""

import io
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from data_tools import rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.data.columns.predictors import Numeric
from hiermod.data.columns.texts import MANY, MARKERS, Texts, sort_of
from hiermod.data.columns.values import Values
from hiermod.errors import DataError, HiermodError
from hiermod.families.registry import choose_family

MEANT = ("-", "?", ".", "", " ", "NA", "n/a", "missing", "N.A.", "null", "--")
ROLES = ("x ~ z", "y ~ x", "y ~ (x | g)", "y ~ log(x)", "y ~ z + offset(x)", "y ~ poly(x, 2)", "I(x / 2) ~ z")
COUNTS = ("s/x ~ z", "x/n ~ z", "cbind(s, x) ~ z", "y | weights(x) ~ z")


def frame(x):
    rng = np.random.default_rng(0)
    size = len(x)
    return pd.DataFrame(
        {"x": x, "y": rng.normal(size=size), "z": rng.normal(size=size), "s": 1, "n": 9, "g": np.arange(size) % 3}
    )


def message(formula, data):
    with pytest.raises(HiermodError, match="'x'") as caught:
        rows_of(formula, data)
    return str(caught.value)


def advice(text):
    """The lines that a message says for pandas, polars and a file."""
    found = re.search(r"(?:make them so|Make them numbers): (.*?)\.(?: |\n|$)(?=[A-Z'\n ]|$)", text, re.DOTALL)
    return found[1].split(", or ")


def followed(text, data, column="x"):
    """The column after each line of the advice was followed, from pandas, polars and a CSV file."""
    for line in advice(text):
        if line.startswith("pandas.read_csv"):
            path = io.StringIO(data.to_csv(index=False))
            yield eval(line, {"pandas": pd, "path": path})[column].to_numpy(dtype=float)
            continue
        there = {"pandas": pd, "polars": pl, "data": pl.from_pandas(data) if "polars" in line else data.copy()}
        exec(line, there)
        made = there["data"][column]
        yield (made.to_numpy() if isinstance(made, pl.Series) else made.to_numpy(dtype=float, na_value=np.nan))


# ---- every role


@pytest.mark.parametrize("formula", ROLES)
def test_markers_among_numbers_are_named_with_their_number_and_place(formula):
    text = message(formula, frame(["1.5", "-", "2.5", "?", "3.5", "-", "4.0", "9.5"]))
    assert "3 of 8 values are no plain numbers: '-' (2 rows, the first is row 1), '?' (row 3)" in text
    assert "pandas.to_numeric(data['x'], errors='coerce')" in text
    assert "na_values=['-', '?']" in text


@pytest.mark.parametrize("formula", COUNTS)
def test_counts_and_weights_name_markers(formula):
    text = message(formula, frame(["1", "2", ".", "1", "3", "2"]))
    assert "1 of 6 values is no plain number: '.' (row 2)" in text


def test_rows_are_those_of_the_data_where_others_were_dropped():
    data = frame(["1.5", "2.5", "3.5", "-", "4.0", "9.5"])
    data.loc[0, "y"] = np.nan
    for formula in ("y ~ x", "y ~ log(x)", "y ~ z + offset(x)"):
        assert "'-' (row 3)" in message(formula, data)


def test_groups_of_numbers_refuse_markers_and_take_text():
    data = frame(["1", "2", "-", "1", "2", "3"])
    text = message("y ~ (1 | x)", data)
    assert "'-' (row 2)" in text
    assert "data['x'] = data['x'].replace({'-': 'level -'})" in text
    named = rows_of("y ~ (1 | x)", data.assign(x=data["x"].replace({"-": "level -"})))
    assert named.groupings["x"].labels() == ["1", "2", "3", "level -"]
    formatted = rows_of("y ~ (1 | x)", frame(["5%", "10%", "5%", "10%", "5%", "10%"]))
    assert "x: text that reads as numbers ('5%', '10%') is taken as 2 groups" in formatted.notices


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ (1 | x)"])
def test_signs_among_labels_are_levels_with_a_notice(formula):
    rows = rows_of(formula, frame(["a", "b", "?", "a", "?", "b"]))
    (notice,) = [notice for notice in rows.notices if "'?'" in notice and "taken as a level" in notice]
    assert "x: '?' (2 rows) taken as a level; if it means missing, " in notice
    made = {"data": frame(["a", "b", "?", "a", "?", "b"])}
    exec(notice.split("missing, ")[1].split(", or ")[0], made)
    assert rows_of(formula, made["data"]).source.missing == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda x: frame(pd.Series(x, dtype=object)),
        lambda x: frame(pd.Series(x, dtype="string")),
        lambda x: frame(pd.Categorical(x)),
        lambda x: frame(pd.Series([float(v) if v not in ("-", "?") else v for v in x], dtype=object)),
        lambda x: pl.from_pandas(frame(x)),
        lambda x: pl.from_pandas(frame(x)).lazy(),
        lambda x: pl.from_pandas(frame(x)).with_columns(pl.col("x").cast(pl.Categorical)),
        lambda x: pl.from_pandas(frame(x)).with_columns(pl.col("x").cast(pl.Enum(sorted(set(x))))),
        lambda x: pa.Table.from_pandas(frame(x)),
    ],
)
@pytest.mark.parametrize("formula", ["x ~ z", "y ~ x", "y ~ log(x)"])
def test_every_frame_says_the_same(make, formula):
    text = message(formula, make(["1.5", "-", "2.5", "?", "3.5", "-", "4.0", "9.5"]))
    assert "3 of 8 values are no plain numbers: '-' (2 rows, the first is row 1), '?' (row 3)" in text


def test_files_say_the_same(tmp_path):
    data = frame(["1.5", "-", "2.5", "?", "3.5", "-", "4.0", "9.5"])
    data.to_csv(tmp_path / "t.csv", index=False)
    data.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert "'-' (2 rows, the first is row 1), '?' (row 3)" in message("y ~ x", tmp_path / name)


def test_large_lazy_frames_refuse_by_a_sample():
    rng = np.random.default_rng(1)
    x = rng.normal(size=120_000).round(6).astype(str)
    x[7] = "oops"
    lazy = pl.DataFrame({"y": rng.normal(size=len(x)), "x": x, "s": np.ones(len(x), int), "n": 3}).lazy()
    for formula in ("y ~ x", "s/n ~ x", "y ~ log(x)"):
        assert "'oops'" in message(formula, lazy)
    assert "1 of 120,000 values is no plain number: 'oops'" in message("n/x ~ 1", lazy)


def test_large_lazy_frames_count_rows():
    rng = np.random.default_rng(1)
    x = np.where(np.arange(120_000) % 1000 == 0, "-", (np.arange(120_000) % 7).astype(str))
    lazy = pl.DataFrame({"y": rng.normal(size=len(x)), "x": x, "s": np.ones(len(x), int), "n": 3}).lazy()
    for formula in ("y ~ x", "s/n ~ x", "s/n ~ (1 | x)", "s/x ~ 1", "y ~ log(x)"):
        assert "120 of 120,000 values are no plain numbers: '-' (120 rows)" in message(formula, lazy)


def test_new_rows_say_what_stops_a_column_from_being_numeric():
    with pytest.raises(
        DataError, match=r"'x', numeric in the fitted data, holds text. 1 of 3 values is no plain number: '\?'"
    ):
        Numeric("x", False).column(pd.Series(["1.5", "?", "2"]))
    with pytest.raises(DataError, match="All values are numbers written as text"):
        Numeric("x", False).column(pd.Series(["1.5", "2"]))


# ---- responses


@pytest.mark.parametrize("formula", ["x ~ z", "x['1'] ~ z"])
def test_no_advice_counts_markers_as_failures(formula):
    text = message(formula, frame(["-", "0", "1", "0", "1", "-"]))
    assert "2 of 6 values are no plain numbers: '-' (2 rows, the first is row 0)" in text
    assert "write x[" not in text


def test_labels_with_a_sign_are_refused_until_it_is_missing_or_named():
    data = frame(["yes", "no", "?", "yes", "no", "yes"])
    for formula in ("x ~ z", "x['yes'] ~ z"):
        text = message(formula, data)
        assert "'?' (1 row) as failures" in text
        assert "data['x'] = data['x'].replace({'?': 'level ?'})" in text
    named = data.assign(x=data["x"].replace({"?": "level ?"}))
    np.testing.assert_array_equal(rows_of("x['yes'] ~ z", named).response.values, [1, 0, 0, 1, 0, 1])
    missing = data.assign(x=data["x"].mask(data["x"].isin(["?"])))
    assert rows_of("x['yes'] ~ z", missing).source.missing == 1
    np.testing.assert_array_equal(rows_of("x['?'] ~ z", data).response.values, [0, 0, 1, 0, 0, 0])


def test_words_that_mean_missing_are_no_outcomes_and_none_is_one():
    for word in ("unknown", "missing", "N/A"):
        assert f"{word!r} (1 row) as failures" in message("x['yes'] ~ z", frame(["yes", "no", word, "yes"]))
    found = rows_of("x['yes'] ~ z", frame(["yes", "no", "none", "yes"]))
    np.testing.assert_array_equal(found.response.values, [1, 0, 0, 1])


def test_numbers_and_the_same_as_text_are_not_told_apart_in_silence():
    text = message("y ~ (1 | x)", frame(pd.Series([1, "1", 2, 1, 2], dtype=object)))
    assert "Text that reads as numbers stands among numbers: '1' (row 1)" in text
    assert "data['x'] = pandas.to_numeric(data['x'])" in text
    assert "As levels: data['x'] = data['x'].map(str, na_action='ignore')" in text


def test_two_numbers_as_text_may_be_outcomes():
    data = frame(["0", "1", "0", "1"])
    with pytest.raises(DataError, match=r"write x\['1'\] for it.*pandas.to_numeric\(data\['x'\]\)"):
        choose_family(None, rows_of("x ~ z", data).response)
    np.testing.assert_array_equal(rows_of("x['1'] ~ z", data).response.values, [0, 1, 0, 1])


def test_comparisons_and_factors_count_no_markers_as_failures_either():
    data = frame(["yes", "no", "?", "yes", "no", "yes"])
    for formula in ("(x == 'yes') ~ z", "factor(x) ~ z", "factor(x == 'yes') ~ z"):
        assert "'?' (1 row) as failures" in message(formula, data)
    np.testing.assert_array_equal(rows_of("(x == '?') ~ z", data).response.values, [0, 0, 1, 0, 0, 0])


# ---- predictors


def test_a_number_with_one_fault_is_refused_before_it_is_a_factor_of_all_rows():
    values = [f"{number:.3f}" for number in np.random.default_rng(2).normal(size=300)]
    text = message("y ~ x", frame([*values, "oops"]))
    assert "1 of 301 values is no plain number: 'oops' (row 300)" in text
    assert rows_of("y ~ factor(x)", frame([*values, "oops"])).variables.predictors["factor(x)"].levels[-1] == "oops"
    text = message("y ~ x", frame(values))
    assert "All values are numbers written as text" in text


def test_such_a_column_is_refused_before_its_levels_are_coded(monkeypatch):
    monkeypatch.setattr(Values, "leveled", property(lambda self: pytest.fail("the levels were coded")))
    values = np.random.default_rng(3).permutation(20_000)
    for texts in (
        [*map(str, values[:-1]), "oops"],
        [f"{value:,}" for value in values],
        [f"{value}.5" for value in values],
    ):
        assert "values " in message("y ~ x", frame(texts))


def test_more_levels_than_are_looked_at_are_told():
    names = [f"s{number}" for number in range(MANY + 1)]
    notices = rows_of("y ~ x", frame(names * 2)).notices
    assert f"x: {MANY + 1} levels, a coefficient each but the first; (1 | x) pools them" in notices


def test_codes_and_bins_stay_labels():
    for values in (
        ["0", "1", "2", "3+"],
        ["01", "02", "10", "01"],
        ["12", "13a", "14b", "2"],
        ["<5", "5-9", "10+", "<5"],
    ):
        rows = rows_of("y ~ x", frame(values * 2))
        assert rows.variables.predictors["x"].levels == tuple(sorted(set(values)))


# ---- properties

numbers = st.lists(st.integers(-10_000_000, 10_000_000).map(lambda n: n / 100), min_size=3, max_size=30)


def formatted(number, style):
    match style:
        case "thousands":
            return f"{number:,.2f}"
        case "currency":
            return f"${number:,.2f}" if number >= 0 else f"-${-number:,.2f}"
        case "percent":
            return f"{number}%"
        case "comma":
            return f"{number:.2f}".replace(".", ",")
        case "continental":
            return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
        case "space":
            return f"{number:,.2f}".replace(",", "\u202f")
    return str(number)


@settings(deadline=None)
@given(
    numbers, st.sampled_from(["plain", "thousands", "currency", "percent", "comma", "continental", "space"]),
    st.lists(st.tuples(st.integers(0, 29), st.sampled_from(MEANT)), max_size=5),
)  # fmt: skip
def test_numbers_with_markers_and_in_any_form_are_refused_by_advice_that_restores_them(numbers, style, markers):
    texts, expected = [formatted(number, style) for number in numbers], np.array(numbers)
    places = {place: marker for place, marker in markers if place < len(texts) - 2}
    for place, marker in places.items():
        texts[place], expected[place] = marker, np.nan
    data = frame(pd.Series(texts, dtype=object))
    if all(sort_of(text) == "number" for text in texts):
        return
    for formula in ("y ~ x", "x ~ z", "y ~ z + offset(x)"):
        text = message(formula, data)
        bad = [text for text in texts if sort_of(text) != "number"]
        assert f"{len(bad)} of {len(texts)} values" in text
        assert any(repr(value) in text for value in bad)
        assert set(map(sort_of, bad)) <= {"marker", "formatted"}
        results = list(followed(text, data))
        assert len(results) >= 2
        for made in results:
            np.testing.assert_allclose(made, expected, rtol=1e-12)


letters = st.text(alphabet="abcdefghijkSTUV", min_size=2, max_size=5).filter(
    lambda text: text.casefold() not in MARKERS
)
codes = st.builds(lambda text, number: f"{text}{number}", letters, st.integers(0, 999))


@settings(deadline=None)
@given(st.lists(st.one_of(letters, codes), min_size=4, max_size=40).filter(lambda values: len(set(values)) > 1))
def test_labels_are_labels(values):
    assert Texts.of("x", pd.Series(values)).meaning == "labels"
    for formula in ("y ~ x", "y ~ (1 | x)"):
        rows = rows_of(formula, frame(values))
        found = rows.variables.predictors["x"].levels if "|" not in formula else rows.groupings["x"].labels()
        assert list(found) == sorted(set(values))


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(0, 99).map(str), letters, st.sampled_from(MEANT)), min_size=4, max_size=30))
def test_a_marker_among_numbers_is_never_silent(values):
    meaning = Texts.of("x", pd.Series(values)).meaning
    words = [value for value in values if sort_of(value) == "word"]
    assert (meaning in ("gaps", "numbers", "formatted")) == (not words and any(map(str.isdigit, values)))
    if meaning == "gaps":
        for formula in ("y ~ x", "y ~ (1 | x)", "x ~ z"):
            assert "pandas.to_numeric(data['x'], errors='coerce')" in message(formula, frame(values))


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ (1 | x)"])
@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["1", "1.0", "2"], "'1' and '1.0' are levels"),
        (["01", "b", "1"], "'01' and '1' are levels"),
        (["a", "a ", "b"], "'a' and 'a ' are levels"),
        (["a", "a ", " a"], "'a' and 'a ' (and 1 more pairs) are levels"),
        (["a", "A", "b"], ""),
        (["12345678901234567890", "12345678901234567891", "b"], ""),
    ],
)
def test_labels_that_may_be_the_same_are_told(formula, labels, said):
    frame = pd.DataFrame({"x": labels * 6, "y": np.random.default_rng(1).normal(size=18)})
    told = [notice for notice in hm.model(formula, frame).notices if "of their own" in notice]
    assert len(told) == bool(said)
    assert not said or said in told[0]
