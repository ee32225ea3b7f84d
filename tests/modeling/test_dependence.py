"""Columns that others make up, against R's lm (tests/reference/dependence.R), NumPy's ranks and data made for it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modeling_tools import spec_and_notices
from test_design_against_r import common_columns, parts_of

from hiermod.modeling import dependence
from hiermod.modeling.dependence import FEW_ROWS, find_dependent

REFERENCE = Path(__file__).parents[1] / "reference"
FORMULAS = pd.read_csv(REFERENCE / "dependence.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(REFERENCE / "modelmatrix_data.csv")
    return frame.assign(
        twice=2 * frame.x + 1,
        sum=frame.x + frame.z,
        far=frame.x + 1e5,
        code=frame.g.map({"high": 1, "low": 2, "mid": 4}),
    )


@pytest.mark.parametrize("row", list(FORMULAS.itertuples()), ids=FORMULAS.formula)
def test_the_columns_that_lm_drops(row, data):
    spec, notices = spec_and_notices(f"y ~ {row.formula}", data)
    names = row.names.split()
    own = common_columns(spec)
    found = find_dependent(lambda place: own[parts_of(names[place])], len(names))
    assert [names[one.place] for one in found] == row.dropped.split()
    assert len(names) - len(found) == row.rank
    assert bool(notices) == bool(found)


@pytest.mark.parametrize("compress", [True, False])
def test_the_notice_names_what_makes_a_column_up(data, compress):
    _, notices = spec_and_notices("y ~ z + x + sum + twice", data, compress=compress)
    assert notices == [
        "'sum' is a combination of 'z', 'x': priors alone tell their coefficients apart (R would drop it)",
        "'twice' is a combination of 'x': priors alone tell their coefficients apart (R would drop it)",
    ]


def test_combinations_of_levels_without_rows_are_named(data):
    kept = data[~((data.f == "trt") & (data.g == "mid"))]
    _, notices = spec_and_notices("y ~ f * g", kept)
    assert notices == ["'f:g[trt, mid]': 0 in every row, so that priors alone speak for their coefficients"]


def test_a_curve_of_few_values_says_how_much_its_data_tell():
    frame = pd.DataFrame({"x": np.linspace(0.0, 1.0, 40), "y": np.arange(40.0) % 7, "f": ["a"] * 35 + ["b"] * 5})
    _, notices = spec_and_notices("y ~ f + s(x, by = f)", frame)
    assert notices == ["s(x, by=f)[b]: the data tell 3 of its 8 wiggles; the prior alone shapes the others"]
    _, notices = spec_and_notices("y ~ x + s(x)", frame)
    assert notices == [
        "'s(x)[1]' is a combination of 'x': priors alone tell their coefficients apart (R would drop it)"
    ]


def test_a_long_list_is_cut():
    frame = pd.DataFrame({"x": np.arange(12.0), "y": np.arange(12.0) % 5})
    copies = [f"copy{number}" for number in range(8)]
    _, notices = spec_and_notices("y ~ x + " + " + ".join(copies), frame.assign(**dict.fromkeys(copies, frame.x)))
    assert len(notices) == 4
    assert notices[-1] == "'copy3', 'copy4', 'copy5' and 2 more: also combinations of other columns"


def test_predictors_far_from_zero_and_close_to_each_other_are_independent(data):
    shifted = data.assign(x=data.x + 1e6, near=data.x + 1e-5 * data.z)
    _, notices = spec_and_notices("y ~ x * f + near", shifted)
    assert notices == []


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 3), st.sampled_from([12, FEW_ROWS + 50]))
def test_rank_is_numpys(seed, independent, made, rows):
    random = np.random.default_rng(seed)
    base = random.normal(size=(rows, independent)) * 10.0 ** random.integers(-1, 2, independent)
    columns = np.column_stack([base, base @ random.normal(size=(independent, made))])
    columns = columns[:, random.permutation(columns.shape[1])]
    found = find_dependent(columns.T.__getitem__, columns.shape[1])
    scaled = columns / np.linalg.norm(columns, axis=0)
    assert columns.shape[1] - len(found) == np.linalg.matrix_rank(scaled, tol=1e-6)


def one_after_the_other(columns):
    """Which columns the ones before them make up, by least squares on all of these."""
    found = []
    for place in range(columns.shape[1]):
        before, column = columns[:, :place], columns[:, place]
        rest = column - before @ np.linalg.lstsq(before, column)[0] if place else column
        if np.linalg.norm(rest) <= 1e-8 * max(np.linalg.norm(column), 1e-300):
            found.append(place)
    return found


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_sparse_columns_are_judged_as_all_are(data):
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = data.draw(st.integers(20, 150))
    columns = [np.ones(rows)]
    for levels in data.draw(st.lists(st.integers(2, 40), min_size=1, max_size=3)):
        codes = random.integers(0, levels, rows)
        dummies = [(codes == level).astype(float) for level in range(data.draw(st.integers(0, 1)), levels)]
        columns += dummies
        if data.draw(st.booleans()):  # nested in the levels, constant within them, crossed with a number
            columns.append(random.normal(size=levels)[codes])
            columns += [dummy * random.integers(0, 3, rows) for dummy in dummies[:10]]
    columns += [random.normal(size=rows) for _ in range(data.draw(st.integers(0, 3)))]
    picked = random.choice(len(columns), 2)
    columns.append(3.0 * columns[picked[0]] - columns[picked[1]])
    order = random.permutation(len(columns)) if data.draw(st.booleans()) else np.arange(len(columns))
    matrix = np.column_stack([columns[place] for place in order])
    found = find_dependent(matrix.T.__getitem__, matrix.shape[1])
    assert [one.place for one in found] == one_after_the_other(matrix)
    dropped = {one.place for one in found}
    for one in found:
        assert dropped.isdisjoint(one.others)
        assert all(other < one.place for other in one.others)
        np.testing.assert_allclose(matrix[:, list(one.others)] @ one.weights, matrix[:, one.place], atol=1e-6)


DESIGNS = {
    "levels": lambda codes, x, n: [(codes == level) * 1.0 for level in range(1, n)],
    "levels and their slopes": lambda codes, x, n: [(codes == level) * by for by in (1.0, x) for level in range(n)],
    "levels and what is constant within them": lambda codes, x, n: [
        *((codes == level) * 1.0 for level in range(n)), np.sqrt(codes), codes % 7 * 1.0, np.ones(len(codes)),
    ],
    "levels nested in others": lambda codes, x, n: [
        (part == level) * 1.0 for part, size in ((codes // 9, n // 9), (codes, n)) for level in range(1, size)
    ],
}  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS)
def test_the_work_grows_no_faster_than_the_square_of_the_columns(design, monkeypatch):
    plain, work = dependence._orthonormal, []

    def counted(columns):
        work.append(columns.size * min(columns.shape))
        return plain(columns)

    monkeypatch.setattr(dependence, "_orthonormal", counted)
    totals = []
    for levels in (144, 288, 576):
        codes, x = np.arange(2 * levels) % levels, np.random.default_rng(0).normal(size=2 * levels)
        columns = [np.ones(2 * levels), *DESIGNS[design](codes, x, levels), x]
        work.clear()
        find_dependent(columns.__getitem__, len(columns))
        totals.append(sum(work))
    assert totals[1] <= 4.2 * totals[0]
    assert totals[2] <= 4.2 * totals[1]
    assert totals[2] <= 576**2 * 20


def test_a_level_of_few_rows_is_seen_among_many():
    rare = np.zeros(3 * FEW_ROWS)
    rare[FEW_ROWS + 1] = 1.0
    columns = [np.ones(3 * FEW_ROWS), rare, 1.0 - rare]
    assert find_dependent(columns.__getitem__, 2) == []
    (found,) = find_dependent(columns.__getitem__, 3)
    assert (found.place, found.others) == (2, (0, 1))
    np.testing.assert_allclose(found.weights, (1.0, -1.0))


@pytest.mark.parametrize(("family", "told"), [("gaussian", "sigma"), ("student", "sigma and nu"), ("gamma", "alpha")])
def test_an_effect_for_every_row_is_told_from_residuals_by_priors_alone(family, told):
    frame = pd.DataFrame(
        {"y": 1.0 + np.arange(12) ** 1.5, "x": np.tile([0.5, 2.0], 6), "g": np.arange(12), "h": np.arange(12) // 2}
    )
    assert spec_and_notices("y ~ (1 | g)", frame, family)[1] == [
        f"'g': 12 varying effects for 12 rows, so that priors alone tell their spread from {told}"
    ]
    assert spec_and_notices("y ~ (1 + x | h)", frame, family)[1] == [
        f"'h': 12 varying effects for 12 rows, so that priors alone tell their spread from {told}"
    ]
    assert spec_and_notices("y ~ (1 | h)", frame, family)[1] == []


def test_an_effect_for_every_count_is_a_model_of_overdispersion():
    frame = pd.DataFrame({"y": [0, 2, 5, 1, 0, 3], "g": np.arange(6)})
    assert spec_and_notices("y ~ (1 | g)", frame, "poisson")[1] == []
