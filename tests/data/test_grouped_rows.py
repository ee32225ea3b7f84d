"""Groups of rows, however their names are stored and wherever they stand, against a dictionary of the rows."""

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from data_tools import cells_of, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermod.data.cells import compress as compressing
from hiermod.data.cells.kept import Kept
from hiermod.data.columns.moments import centred_products

EPSILON = np.finfo(float).eps
NAMES = {
    "int8": lambda g: g.astype(np.int8),
    "int64": lambda g: g * 3 - 7,
    "far apart": lambda g: g * 10**14,
    "uint32": lambda g: (g + 4_000_000_000).astype(np.uint32),
    "nullable": lambda g: pd.array(g, dtype="Int32"),
    "text": lambda g: [f"group {code}" for code in g],
    "categories": lambda g: pd.Categorical(g, range(9, -1, -1)).rename_categories(lambda code: f"group {code}"),
    "objects": lambda g: np.array([f"group {code}" for code in g], dtype=object),
    "booleans": lambda g: g % 2 == 0,
}  # fmt: skip
NUMBERS = st.one_of(st.floats(-5, 5), st.just(np.nan))


@st.composite
def frames(draw):
    """Rows of a few groups in any order, some with missing values, and how often each counts."""
    size = draw(st.integers(8, 60))
    group = np.array(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))
    group[:2], group[2:6] = [0, 1], group[6]
    columns = {name: draw(st.lists(NUMBERS, min_size=size, max_size=size)) for name in ("x", "y")}
    frame = pd.DataFrame({"g": NAMES[draw(st.sampled_from(sorted(NAMES)))](group), **columns})
    frame["w"] = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    frame["x"] = draw(st.sampled_from([0.0, 1e6])) + frame["x"]
    frame.loc[:1, ["x", "y", "w"]] = [[1.0, 2.0, 1], [2.0, 3.0, 2]]
    return frame


def by_group(frame):
    """The complete rows that count, by their group, in plain Python."""
    found = {}
    for g, x, y, w in frame[["g", "x", "y", "w"]].itertuples(index=False, name=None):
        if w and not np.isnan(x) and not np.isnan(y):
            found.setdefault(g, []).append((x, y, int(w)))
    return found


def products(rows, one, other):
    """The sum of products about the means of two numbers, of rows as often as they count, exactly."""
    count = sum(row[2] for row in rows)
    means = [Fraction(sum(Fraction(row[at]) * row[2] for row in rows), count) for at in (one, other)]
    return sum((Fraction(row[one]) - means[0]) * (Fraction(row[other]) - means[1]) * row[2] for row in rows)


def rounding(rows, reach, one, other):
    """What numbers as large as `reach` may lose of their products when a mean is taken off."""
    count = sum(row[2] for row in rows)
    spread = [float(products(rows, at, at)) ** 0.5 for at in (one, other)]
    lost = [8.0 * EPSILON * reach[at] * count**0.5 for at in (one, other)]
    return (spread[0] + lost[0]) * (spread[1] + lost[1]) - (1.0 - 1e-12) * spread[0] * spread[1]


@settings(max_examples=150, deadline=None)
@given(frames())
def test_moments_and_rows_of_each_group(frame):
    expected = by_group(frame)
    if len(expected) < 2 or len({row[0] for rows in expected.values() for row in rows}) < 2:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressing, "candidates", lambda rows: ("x",))
        patch.setattr(compressing, "pays", lambda plain, averaged, features: True)
        cells = cells_of("y | weights(w) ~ x + (1 | g)", frame, "real")
    response, (grouping,) = cells.response, cells.groupings.values()
    assert len(cells) == len(expected)
    ends = np.cumsum(response.rows)
    reach = {at: max(abs(row[at]) for rows in expected.values() for row in rows) for at in (0, 1)}
    for level, code in zip(grouping.labels(), range(grouping.size), strict=True):
        (place,) = np.flatnonzero(cells.codes["g"] == code)
        rows = expected[level]
        own = slice(ends[place] - response.rows[place], ends[place])
        kept = zip(response.row_columns[own, 0], response.row_values[own], response.row_times[own], strict=True)
        assert list(kept) == rows
        assert response.count[place] == sum(row[2] for row in rows)
        for at, mean in ((0, cells.frame["x"][place]), (1, response.mean[place])):
            exact = sum(Fraction(row[at]) * row[2] for row in rows) / Fraction(response.count[place])
            assert abs(Fraction(mean) - exact) <= 8 * EPSILON * reach[at]
        for one, other in ((0, 0), (0, 1), (1, 1)):
            exact, entry = products(rows, one, other), response.moments.cross[place][one, other]
            assert abs(Fraction(entry) - exact) <= rounding(rows, reach, one, other)


@settings(max_examples=60, deadline=None)
@given(frames(), st.randoms(use_true_random=False))
def test_the_fingerprint_is_that_of_the_rows_one_by_one_in_any_order(frame, random):
    expected = by_group(frame)
    if len(expected) < 2 or len({row[0] for rows in expected.values() for row in rows}) < 2:
        return
    text, places = "y | weights(w) ~ x + (1 | g)", list(range(len(frame)))
    random.shuffle(places)
    print_of = rows_of(text, frame).source.fingerprint
    assert cells_of(text, frame, "real").source.fingerprint == print_of
    assert cells_of(text, frame.iloc[places], "real").source.fingerprint == print_of
    other = frame.copy()
    other.loc[0, "y"] = 2.5
    assert cells_of(text, other, "real").source.fingerprint != print_of


@pytest.mark.parametrize("column", ["x", "y", "g"])
def test_rows_are_kept_as_they_were_when_the_frame_changes(column):
    arrays = {"g": np.arange(40) % 4, "x": np.linspace(0.0, 1.0, 40), "y": np.sin(np.arange(40.0))}
    frame = pd.DataFrame(arrays, copy=False)
    before = cells_of("y ~ x + (1 | g)", frame.copy(), "real")
    cells = cells_of("y ~ x + (1 | g)", frame, "real")
    arrays[column][:] = arrays[column][::-1].copy()
    frame.loc[0, column] = 3
    assert cells.source.fingerprint == before.source.fingerprint
    np.testing.assert_array_equal(cells.response.row_values, before.response.row_values)
    pd.testing.assert_frame_equal(cells.observations()[0], before.observations()[0])


def test_another_process_knows_the_fingerprint_and_the_rows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": rng.integers(0, 5, 60), "x": rng.normal(size=60), "y": rng.normal(size=60)})
    cells = cells_of("y ~ x + (1 | g)", frame, "real")
    again = pickle.loads(pickle.dumps(cells))
    assert again.source == cells.source
    np.testing.assert_array_equal(again.response.row_values, cells.response.row_values)


@pytest.mark.parametrize("base", [0.0, 1.0, -1e8, 1e14])
def test_equal_numbers_vary_by_nothing(base):
    """Not by rounding of a mean either, by which an exact fit would go unseen."""
    values = base + np.repeat([0.1, 0.7, 1.0 / 3.0], [3, 7, 11])
    cell = np.repeat([0, 1, 2], [3, 7, 11])
    mean, cross = centred_products([values], np.ones(21), cell, np.array([3.0, 7.0, 11.0]))
    assert (cross == 0.0).all()
    np.testing.assert_array_equal(mean[:, 0], values[[0, 3, 10]])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_rows_stand_in_the_order_of_cells_and_as_they_came_within(cell):
    cell = np.array(cell)
    kept = Kept({"values": np.arange(len(cell)), "times": np.ones(len(cell))}, cell, np.bincount(cell, minlength=7))
    expected = [place for own in range(7) for place in np.flatnonzero(cell == own)]
    np.testing.assert_array_equal(kept.parts["values"], expected)
    marked = np.arange(7) % 2 == 0
    np.testing.assert_array_equal(
        kept.of(marked).parts["values"], [place for place in expected if cell[place] % 2 == 0]
    )


def test_numbers_of_polars_without_gaps_are_read_as_they_are():
    frame = pl.DataFrame({"g": [1, 2, 1, 2, 3], "x": [0, 1, 1, 0, 1], "y": [1.5, 2.0, 0.5, 3.0, 2.5]})
    one, other = (cells_of("y ~ x + (1 | g)", own, "real") for own in (frame, frame.to_pandas()))
    assert one.source == other.source
    pd.testing.assert_frame_equal(one.table(), other.table())
