"""A level is the same level whatever it is stored as: answers do not change by a bit."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.data.columns.levels import as_fitted, encode, match_level
from hiermod.errors import AnswerError, DataError

DAYS = [dt.date(2024, 1, day) for day in (1, 2, 5, 9)]
LEVELS = {
    "int": [1, 2, 5, 9],
    "text": ["1", "2", "5", "9"],
    "date": DAYS,
    "days": [day.isoformat() for day in DAYS],
    "bool": [False, True],
    "words": ["False", "True"],
}
UNKNOWN = {"int": 7, "text": "7", "date": dt.date(2023, 5, 6), "days": "2023-05-06"}
SAME = {"int": "text", "text": "int", "date": "days", "days": "date", "bool": "words", "words": "bool"}
quiet = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole(level):
    return level if isinstance(level, dt.date) else int({"True": 1, "False": 0}.get(level, level))


def stored(levels, kind):
    """A column of levels in one of the types that frames hold them in."""
    if isinstance(levels[0], dt.date) or "-" in str(levels[0]):
        days = [dt.date.fromisoformat(str(level)) for level in levels]
        return {
            "object": pd.Series(days, dtype=object),
            "datetime": pd.Series(pd.to_datetime(days)),
            "str": pd.Series([day.isoformat() for day in days]),
            "timestamp text": pd.Series([f"{day.isoformat()} 00:00:00" for day in days], dtype=object),
            "category": pd.Series(pd.to_datetime(days)).astype("category"),
            "polars": pl.Series(days),
            "arrow": pa.array(days),
        }[kind]
    numbers = [whole(level) for level in levels]
    return {
        "int64": pd.Series(numbers),
        "uint8": pd.Series(numbers, dtype="uint8"),
        "float": pd.Series(numbers, dtype=float),
        "Int64": pd.Series(numbers, dtype="Int64"),
        "object": pd.Series(numbers, dtype=object),
        "str": pd.Series([str(number) for number in numbers]),
        "float text": pd.Series([f"{number}.0" for number in numbers], dtype=object),
        "category": pd.Series([str(number) for number in numbers]).astype("category"),
        "int category": pd.Series(numbers).astype("category"),
        "polars": pl.Series([str(number) for number in numbers]),
        "polars category": pl.Series([str(number) for number in numbers], dtype=pl.Categorical),
        "arrow": pa.array(numbers, type=pa.int16()),
        "bool": pd.Series([bool(number) for number in numbers]),
        "bool text": pd.Series([str(bool(number)) for number in numbers]),
    }[kind]


NUMBERS = ("int64", "uint8", "float", "Int64", "object", "str", "float text", "category", "int category", "polars",
           "polars category", "arrow")  # fmt: skip
TIMES = ("object", "datetime", "str", "timestamp text", "category", "polars", "arrow")
TRUTHS = ("int64", "float", "bool", "bool text", "str", "object")


def kinds_of(levels):
    if isinstance(levels[0], bool) or levels[0] in ("False", "True"):
        return TRUTHS
    return TIMES if isinstance(levels[0], dt.date) or "-" in str(levels[0]) else NUMBERS


def doubtful(kind, levels):
    """Texts that spell a level otherwise than the text of the fitted data are refused."""
    return isinstance(levels[0], str) and kind in ("float text", "timestamp text", "bool text", "str") and (
        kind in ("float text", "timestamp text") or str(levels[0]) in ("False", "True")
    ) and not (kind == "bool text" and levels[0] == "False")  # fmt: skip


def framed(column):
    if isinstance(column, pl.Series):
        return pl.DataFrame({"g": column})
    return pa.table({"g": column}) if isinstance(column, pa.Array) else pd.DataFrame({"g": column})


@pytest.fixture(scope="module")
def fits():
    rng = np.random.default_rng(3)
    made = {}
    place = np.arange(80)
    noise = rng.normal(size=80)
    for name, levels in LEVELS.items():
        code = place % len(levels)
        data = pd.DataFrame({"y": 2.0 * code + noise, "g": pd.Series([levels[i] for i in code], dtype=object)})
        formulas = ["y ~ 1 + (1 | g)"] if name == "date" else ["y ~ 1 + (1 | g)", "y ~ factor(g)"]
        made[name] = [hm.fit(formula, data, draws=50, chains=2, seed=1, progress=False) for formula in formulas]
    return made


def draws(answer):
    return answer.draws.values


@quiet
@given(data=st.data())
def test_new_rows_of_any_type_have_the_same_draws(fits, data):
    name = data.draw(st.sampled_from(sorted(LEVELS)))
    levels = LEVELS[name]
    rows = data.draw(st.lists(st.sampled_from(levels), min_size=1, max_size=6))
    kind = data.draw(st.sampled_from(kinds_of(levels)))
    column = framed(stored(rows, kind))
    for fit in fits[name]:
        expected = fit.predict(pd.DataFrame({"g": pd.Series(rows, dtype=object)}))
        if doubtful(kind, levels):
            with pytest.raises((DataError, AnswerError), match="may be the level"):
                fit.predict(column)
            continue
        np.testing.assert_array_equal(draws(fit.predict(column)), draws(expected))
        if "|" in fit.formula:  # what functions are made of stands in tables as it was given
            assert list(fit.predict(column).table["g"]) == list(expected.table["g"])
        np.testing.assert_array_equal(
            draws(fit.rates(by="g", data=column)), draws(fit.rates(by="g", data=pd.DataFrame({"g": rows})))
        )


@quiet
@given(data=st.data())
def test_questions_name_levels_in_any_type(fits, data):
    name = data.draw(st.sampled_from(["int", "text", "date", "days", "bool", "words"]))
    level = data.draw(st.sampled_from(LEVELS[name]))
    other = LEVELS[SAME[name]][LEVELS[name].index(level)]
    if isinstance(other, dt.date):
        other = data.draw(st.sampled_from([other, pd.Timestamp(other), np.datetime64(other)]))
    elif isinstance(other, int) and not isinstance(other, bool):
        other = data.draw(st.sampled_from([other, float(other), np.int8(other), np.float32(other)]))
    for fit in fits[name]:
        same = fit.rates(by="g", where={"g": level})
        np.testing.assert_array_equal(draws(fit.rates(by="g", where={"g": [other]})), draws(same))
        np.testing.assert_array_equal(draws(fit.rates(at={"g": other})), draws(fit.rates(at={"g": level})))
        np.testing.assert_array_equal(draws(fit.rates({"g": [other]})), draws(fit.rates({"g": [level]})))
        first = fit.effect("g", control=level)
        np.testing.assert_array_equal(draws(fit.effect("g", control=other)), draws(first))


@pytest.mark.parametrize("name", sorted(SAME))
def test_fits_of_either_type_have_the_same_draws(fits, name):
    one, other = fits[name][0], fits[SAME[name]][0]
    np.testing.assert_array_equal(draws(one.rates("g")), draws(other.rates("g")))
    asked = pd.DataFrame({"g": pd.Series(LEVELS[name], dtype=object)})
    np.testing.assert_array_equal(draws(one.predict(asked)), draws(other.predict(asked)))


@quiet
@given(data=st.data())
def test_a_new_group_is_the_same_group_in_any_type(fits, data):
    name = data.draw(st.sampled_from(sorted(UNKNOWN)))
    kind = data.draw(st.sampled_from([kind for kind in kinds_of(LEVELS[name]) if "text" not in kind]))
    rows = [UNKNOWN[name], LEVELS[name][1]]
    fit = fits[name][0]
    expected = fit.predict(pd.DataFrame({"g": pd.Series(rows, dtype=object)}), groups="new")
    found = fit.predict(framed(stored(rows, kind)), groups="new")
    np.testing.assert_array_equal(draws(found), draws(expected))
    known = fit.predict(pd.DataFrame({"g": [LEVELS[name][1]]}))
    np.testing.assert_array_equal(draws(found)[..., 1], draws(known)[..., 0])


def test_group_labels_are_whole_where_floats_have_gaps():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.normal(size=30), "g": [None if i == 3 else float(i % 3) for i in range(30)]})
    fit = hm.fit("y ~ 1 + (1 | g)", data, draws=50, chains=2, seed=1, progress=False)
    whole_numbers = data.dropna().assign(g=lambda d: d["g"].astype(int))
    same = hm.fit("y ~ 1 + (1 | g)", whole_numbers, draws=50, chains=2, seed=1, progress=False)
    assert list(fit.ranef()["g"].index) == [0, 1, 2]
    np.testing.assert_array_equal(draws(fit.rates("g")), draws(same.rates("g")))


# ---- what is one level, by itself


@pytest.mark.parametrize(
    ("value", "levels", "found"),
    [
        ("3", (1, 3), 3), (3.0, ("1", "3"), "3"), (3, ("1.0", "3.0"), "3.0"), ("3.0", (1, 3), 3), (True, (0, 1), 1),
        ("TRUE", (False, True), True), (1, ("False", "True"), "True"), ("0.5", (0.5, 1.0), 0.5), ("4", (1, 3), None),
        (pd.Timestamp("2024-01-02"), tuple(LEVELS["days"]), "2024-01-02"), ("2024-01-02T00:00", tuple(DAYS), DAYS[1]),
        ("a", ("a", "b"), "a"), ("1", ("1", "01"), "1"), ("1", ("a", 1), 1), ([1], (1, 2), None), (None, (1, 2), None),
        ("9007199254740993", (9007199254740992, 9007199254740993), 9007199254740993),
    ],
)  # fmt: skip
def test_what_is_a_level(value, levels, found):
    assert match_level(value, levels) == found


@pytest.mark.parametrize(
    ("value", "levels", "readings"),
    [
        (1, ("1", "1.0"), "the level '1' or the level '1.0'"), ("01", (1, 2), "the level 1, or another"),
        (1, ("01", "02"), "the level '01', or another"), ("1.0", ("1", "2"), "the level '1', or another"),
        ("01", ("1", "2"), "the level '1', or another"), (True, ("1", "True"), "the level '1' or the level 'True'"),
        ("1e0", (1, 2), "the level 1, or another"), ("true", ("True", "False"), "the level 'True', or another"),
    ],
)  # fmt: skip
def test_what_may_be_a_level_or_another_is_refused(value, levels, readings):
    with pytest.raises(DataError, match=f"may be {readings}"):
        match_level(value, levels)
    with pytest.raises(DataError, match="The column 'g' holds"):
        encode(pd.Series([value], name="g"), levels)


def test_values_that_are_no_levels_take_their_type():
    np.testing.assert_array_equal(as_fitted(pd.Series(["3", "7"]), (1, 3)).tolist(), [3, 7])
    assert as_fitted(pd.Series([3.0, 7.0]), ("1", "3")).tolist() == ["3", "7"]
    assert as_fitted(pd.Series(["new", "3"], dtype=object), (1, 3)).tolist() == ["new", 3]
