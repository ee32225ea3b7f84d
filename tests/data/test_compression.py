"""Compression is exact: against exact rational arithmetic on the rows, whatever their order."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from data_tools import cells_of, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermod.data.cells.compress import compress, read_cells
from hiermod.formula.parser import parse

KEYS = ["f", "k", "x", "g"]
FORMULA = "y ~ f*x + k + (x | g) + (1 | k)"
EPSILON = np.finfo(float).eps


@st.composite
def frames(draw, values):
    """A frame of few distinct rows, so that cells hold several, with a column of `values`."""
    size = draw(st.integers(6, 40))

    def column(strategy):
        return draw(st.lists(strategy, min_size=size, max_size=size))

    frame = pd.DataFrame(
        {
            "f": column(st.sampled_from(["b", "a", "ä"])),
            "k": column(st.sampled_from([3, -1, 10**12])),
            "x": column(st.sampled_from([0.1, -0.0, 0.0, 0.1 + 1e-16, 1e9])),
            "g": column(st.sampled_from([True, False])),
            "y": column(values),
            "n": column(st.integers(1, 5)),
        }
    )
    # no column is constant
    frame.loc[:1, ["f", "k", "x", "g"]] = [["a", 3, 0.1, True], ["b", -1, 0.0, False]]
    return frame


def groups_of(frame, keys=KEYS):
    """Row numbers by distinct key, in plain Python."""
    groups = {}
    for number, key in enumerate(zip(*(frame[name] for name in keys), strict=True)):
        groups.setdefault(key, []).append(number)
    return groups


def place_of(cells, key):
    match = np.ones(len(cells), dtype=bool)
    for name, value in zip(KEYS, key, strict=True):
        match &= (cells.frame[name] == value).to_numpy()
    (place,) = np.flatnonzero(match)
    return place


@settings(max_examples=30, deadline=None)
@given(frames(st.booleans()))
def test_successes_and_trials_are_the_rows_sums(frame):
    cells = cells_of(FORMULA, frame, "trials")
    groups = groups_of(frame)
    assert len(cells) == len(groups)
    for key, numbers in groups.items():
        place = place_of(cells, key)
        assert cells.response.successes[place] == sum(bool(frame["y"][number]) for number in numbers)
        assert cells.response.trials[place] == len(numbers) == cells.response.rows[place]


@settings(max_examples=30, deadline=None)
@given(frames(st.integers(0, 5)))
def test_pairs_of_successes_and_trials_are_summed_and_kept(frame):
    frame = frame.assign(s=np.minimum(frame["y"], frame["n"]))
    cells = cells_of("s/n ~ f*x + k + (x | g)", frame, "trials")
    groups = groups_of(frame)
    rows, pairs = cells.as_rows()
    for key, numbers in groups.items():
        place = place_of(cells, key)
        assert cells.response.successes[place] == frame["s"][numbers].sum()
        assert cells.response.trials[place] == frame["n"][numbers].sum()
        own = np.repeat(np.arange(len(cells)), cells.response.rows) == place
        kept = zip(pairs["successes"][own], pairs["trials"][own], strict=True)
        assert sorted(kept) == sorted(zip(frame["s"][numbers], frame["n"][numbers], strict=True))
    assert len(rows) == len(frame)


@settings(max_examples=30, deadline=None)
@given(frames(st.integers(0, 10**6)))
def test_counts_are_summed_with_their_exposure(frame):
    cells = cells_of(FORMULA, frame, "count")
    for key, numbers in groups_of(frame).items():
        place = place_of(cells, key)
        assert cells.response.total[place] == int(frame["y"][numbers].sum())
        assert cells.response.exposure[place] == len(numbers)


@settings(max_examples=80, deadline=None)
@given(
    frames(st.floats(-5, 5, allow_nan=False)),
    st.sampled_from([0.0, 1.0, -1e6, 1e6, 1e9]),
    st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_means_and_sums_of_squares_lose_nothing_that_matters(frame, base, scale):
    frame = frame.assign(y=base + scale * frame["y"])
    cells = cells_of(FORMULA, frame, "real")
    values = [Fraction(value) for value in frame["y"]]
    reach = max(frame["y"]) - min(frame["y"])
    largest = float(np.abs(frame["y"]).max())
    for key, numbers in groups_of(frame).items():
        own, place = [values[number] for number in numbers], place_of(cells, key)
        mean = sum(own) / len(own)
        squares = sum((value - mean) ** 2 for value in own)
        assert cells.response.count[place] == len(own)
        assert abs(Fraction(cells.response.mean[place]) - mean) <= 4 * EPSILON * largest
        slack = len(own) * (float(reach) * 16 * EPSILON) * float(reach)
        assert abs(Fraction(cells.response.within[place]) - squares) <= 1e-12 * squares + Fraction(slack)


@pytest.mark.parametrize("base", [0.0, 1e6, 1e9, -1e9])
def test_a_large_mean_costs_no_digits_of_the_spread(base):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": base + rng.normal(size=4000), "f": rng.choice(["a", "b", "c"], 4000)})
    cells = cells_of("y ~ f", frame, "real")
    for place, level in enumerate("abc"):
        own = [Fraction(value) for value in frame["y"][frame["f"] == level]]
        mean = sum(own) / len(own)
        squares = float(sum((value - mean) ** 2 for value in own))
        assert cells.response.within[place] == pytest.approx(squares, rel=1e-12)
        assert cells.response.mean[place] == pytest.approx(float(mean), rel=1e-15)


def test_cells_whose_means_lie_far_apart():
    rng = np.random.default_rng(2)
    base = np.repeat([0.0, 1e9], 500)
    frame = pd.DataFrame({"y": base + rng.normal(size=1000), "f": np.repeat(["a", "b"], 500)})
    cells = cells_of("y ~ f", frame, "real")
    for place, level in enumerate("ab"):
        own = [Fraction(value) for value in frame["y"][frame["f"] == level]]
        mean = sum(own) / len(own)
        squares = float(sum((value - mean) ** 2 for value in own))
        assert cells.response.within[place] == pytest.approx(squares, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(frames(st.floats(-5, 5, allow_nan=False)), st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    one, other = cells_of(FORMULA, frame, "real"), cells_of(FORMULA, frame.iloc[order], "real")
    pd.testing.assert_frame_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.response.count, other.response.count)
    np.testing.assert_allclose(one.response.mean, other.response.mean, rtol=0, atol=1e-14)
    np.testing.assert_allclose(one.response.within, other.response.within, rtol=1e-12, atol=1e-13)
    for name in ("f", "k", "g"):
        predictor = one.groupings if name in ("k", "g") else one.predictors
        assert name in predictor
    assert one.groupings["k"].labels() == other.groupings["k"].labels()


@settings(max_examples=25, deadline=None)
@given(frames(st.floats(-5, 5, allow_nan=False)))
def test_the_rows_come_back_from_the_cells(frame):
    rows, response = cells_of(FORMULA, frame, "real").as_rows()
    back = sorted(zip(*(rows[name] for name in KEYS), response["values"], strict=True))
    assert back == sorted(zip(*(frame[name] for name in KEYS), frame["y"], strict=True))


@settings(max_examples=25, deadline=None)
@given(frames(st.floats(-5, 5, allow_nan=False)))
def test_without_compression_each_row_is_a_cell(frame):
    cells = cells_of(FORMULA, frame, "real", enabled=False)
    assert len(cells) == len(frame)
    np.testing.assert_allclose(cells.response.mean, frame["y"], rtol=4 * EPSILON, atol=20 * EPSILON)
    np.testing.assert_allclose(cells.response.within, 0.0, atol=1e-28)
    for name in KEYS:
        assert list(cells.frame[name]) == list(frame[name])


def test_only_columns_of_the_formula_split_cells():
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "f": list("abab"), "other": [1, 2, 3, 4]})
    assert len(cells_of("y ~ f", frame, "trials")) == 2
    assert len(cells_of("y ~ 1", frame, "trials")) == 1


def test_the_country_experiment_is_four_cells(country):
    cells = cells_of("success ~ treated + (1 + treated | country)", country, "trials")
    assert len(cells) == 4
    assert cells.source.rows == 400
    table = cells.table()
    assert table["trials"].tolist() == [100] * 4
    counts = country.groupby(["treated", "country"])["success"].sum()
    assert [counts[row.treated, row.country] for row in table.itertuples()] == table["successes"].tolist()


def test_counts_and_rows_of_the_same_data_give_the_same_cells(country):
    counts = country.groupby(["country", "treated"], as_index=False).agg(s=("success", "sum"), n=("success", "size"))
    one = cells_of("success ~ treated + (1 | country)", country, "trials")
    other = cells_of("s/n ~ treated + (1 | country)", counts, "trials")
    pd.testing.assert_frame_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.response.successes, other.response.successes)
    np.testing.assert_array_equal(one.response.trials, other.response.trials)


def test_many_columns_do_not_overflow_the_cell_numbers():
    rng = np.random.default_rng(3)
    columns = {f"x{place}": rng.normal(size=3000) for place in range(30)}
    frame = pd.DataFrame({"y": rng.poisson(3.0, size=3000), **columns})
    formula = "y ~ " + " + ".join(columns)
    assert len(cells_of(formula, frame, "count")) == 3000
    doubled = pd.concat([frame, frame], ignore_index=True)
    cells = cells_of(formula, doubled, "count")
    assert len(cells) == 3000
    np.testing.assert_array_equal(cells.response.exposure, 2)


def test_compressing_leaves_the_rows_alone():
    frame = pd.DataFrame({"y": [0.5, 1.0, 1.5, 4.0], "f": list("abab")})
    rows = rows_of("y ~ f", frame)
    before = rows.frame.copy(deep=True)
    compress(rows, "real")
    pd.testing.assert_frame_equal(rows.frame, before)


@settings(max_examples=30, deadline=None)
@given(frames(st.sampled_from([0.0, -0.0, 1.5, 2.0, 7.0])))
def test_rows_of_values_share_a_cell_if_they_are_equal(frame):
    cells = cells_of(FORMULA, frame, "values")
    table = cells.table()
    expected = frame.groupby([*KEYS, "y"]).size()
    seen = table.groupby([*KEYS, "value"], observed=True)["count"].sum()
    assert len(cells) == len(expected)
    assert seen.astype(int).to_dict() == {key: int(count) for key, count in expected.items()}
    np.testing.assert_array_equal(np.repeat(cells.response.value, cells.response.rows), cells.response.row_values)
    assert cells.response.weight.sum() == len(frame)


@settings(max_examples=30, deadline=None)
@given(frames(st.integers(0, 4)))
def test_rows_of_pairs_share_a_cell_if_they_are_equal(frame):
    frame["n"] = frame["n"] + frame["y"]
    cells = cells_of(FORMULA.replace("y ~", "y/n ~"), frame, "pairs")
    table = cells.table()
    expected = frame.groupby([*KEYS, "y", "n"]).size()
    seen = table.groupby([*KEYS, "successes", "trials"], observed=True)["count"].sum()
    assert len(cells) == len(expected)
    assert seen.astype(int).to_dict() == {key: int(count) for key, count in expected.items()}
    assert cells.response.weight.sum() == frame["n"].sum()
    rows, responses = cells.as_rows()
    assert len(rows) == len(frame)
    assert responses["successes"].sum() == frame["y"].sum()


@dataclass(frozen=True)
class Kind:
    statistic: str


@pytest.mark.parametrize(("statistic", "columns"), [("real", {"mean"}), ("values", {"value"}), ("count", {"total"})])
def test_the_response_decides_which_statistics_cells_hold(statistic, columns):
    frame = pd.DataFrame({"y": [1, 2, 2, 4], "f": ["a", "a", "b", "b"]})

    def choose(response):
        assert response.whole
        return Kind(statistic), "so it is said"

    cells, chosen, notices = read_cells(parse("y ~ f"), frame, choose, na="drop", compressed=True, real=None)
    assert columns <= set(cells.table())
    assert chosen == (Kind(statistic), "so it is said")
    assert notices == ("f: reference level 'a'",)
