"""Large lazy frames are aggregated by their own engine: the cells are those of the rows in memory."""

from fractions import Fraction

import duckdb
import ibis
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import hiermod as hm
from hiermod.data.cells.rows import read_rows
from hiermod.data.pushdown import gather, sums
from hiermod.errors import DataError, HiermodError
from hiermod.formula.parser import parse
from tests.data.engine_cases import ARROW, COUNTED, FRAME, MOMENTS, cells_of, check_counts, check_moments


def through_ibis(table):
    connection = duckdb.connect()
    connection.from_arrow(table).create("trials")
    return ibis.duckdb.from_connection(connection).table("trials")


KINDS = {
    "duckdb": lambda table: duckdb.connect().from_arrow(table),
    "polars lazy": lambda table: pl.from_arrow(table).lazy(),
    "ibis": through_ibis,
}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def lazily(request, monkeypatch):
    """Makes a lazy frame; every one counts as large here."""
    monkeypatch.setattr(gather, "LARGE", 0)
    return request.param


@pytest.mark.parametrize(("text", "statistic"), COUNTED)
def test_counts_are_the_same_bit_for_bit(lazily, text, statistic):
    check_counts(text, statistic, lazily(ARROW))


@pytest.mark.parametrize("text", MOMENTS)
def test_moments_are_the_same(lazily, text):
    check_moments(text, lazily(ARROW))


@pytest.mark.parametrize(("text", "questions"), [("success ~ i + (1 | g)", 3), ("y ~ x + (1 | g)", 5)])
def test_few_questions_are_asked_and_little_comes_back(lazily, text, questions, monkeypatch):
    sizes, collect = [], nw.LazyFrame.collect

    def counting(frame):
        found = collect(frame)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(gather, "SAMPLE", 500)
    monkeypatch.setattr(nw.LazyFrame, "collect", counting)
    read_rows(parse(text), lazily(ARROW))
    assert len(sizes) == questions
    assert max(sizes) == gather.SAMPLE


@pytest.mark.parametrize("most", [0, sums.MOST_AGAIN], ids=["where the data is", "here"])
def test_a_large_mean_and_groups_far_apart_lose_nothing(lazily, most, monkeypatch):
    monkeypatch.setattr(sums, "MOST_AGAIN", most)
    rng = np.random.default_rng(4)
    size = 6000
    group = rng.integers(0, 3, size)
    frame = pd.DataFrame({"g": group, "x": rng.normal(size=size) + 1e6, "y": 1e6 + 1e7 * group + rng.normal(size=size)})
    cells = cells_of("y ~ x + (1 | g)", lazily(pa.Table.from_pandas(frame)), "real")
    for place in range(3):
        own = frame[frame["g"] == place]
        values = [own["x"].map(Fraction), own["y"].map(Fraction)]
        means = [sum(column) / len(own) for column in values]
        for row in range(2):
            for column in range(2):
                exact = sum(
                    (a - means[row]) * (b - means[column]) for a, b in zip(values[row], values[column], strict=True)
                )
                found = cells.response.moments.cross[place, row, column]
                assert found == pytest.approx(float(exact), rel=1e-8, abs=1e-5 * len(own))
        assert cells.response.mean[place] == pytest.approx(float(means[1]), rel=1e-14)


@pytest.mark.parametrize("most", [0, sums.MOST_AGAIN], ids=["where the data is", "here"])
def test_single_groups_whose_numbers_are_nearly_equal_lose_nothing(lazily, most, monkeypatch):
    """Beside others that are as far from each other as from 0."""
    monkeypatch.setattr(sums, "MOST_AGAIN", most)
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"g": np.repeat([f"g{place:03}" for place in range(200)], 30), "x": rng.integers(0, 2, 6000)})
    near = frame["g"].isin(["g003", "g150"])
    frame["y"] = np.where(near, 3.0 + 1e-7 * rng.normal(size=6000), rng.normal(size=6000))
    cells = cells_of("y ~ x + (1 | g)", lazily(pa.Table.from_pandas(frame)), "real")
    assert len(cells) == len(frame[["g", "x"]].drop_duplicates())
    for place, (group, x) in enumerate(zip(cells.frame["g"], cells.frame["x"], strict=True)):
        own = frame["y"][(frame["g"] == group) & (frame["x"] == x)].map(Fraction)
        exact = sum((value - sum(own) / len(own)) ** 2 for value in own)
        assert cells.response.count[place] == len(own)
        digits = 1e-7 if group in ("g003", "g150") else 1e-10
        assert cells.response.within[place] == pytest.approx(float(exact), rel=digits)
        assert cells.response.mean[place] == pytest.approx(float(sum(own) / len(own)), rel=1e-14, abs=1e-15)


def test_a_function_that_no_engine_has_brings_the_rows_here(lazily):
    rows = read_rows(parse("y ~ round(x) + (1 | g)"), lazily(ARROW), real=True)
    assert rows.notices[0] == f"{len(FRAME):,} rows read into memory: round is not computed where the data is"
    assert len(rows.response.values) == rows.source.rows


def test_a_student_response_of_many_values_brings_the_rows_here(lazily):
    """Sums of squares are not sufficient for it."""
    one, other = (hm.model("y ~ i + (1 | g)", data, "student") for data in (lazily(ARROW), FRAME))
    pd.testing.assert_frame_equal(one.cells, other.cells)


def test_rows_that_do_not_fit_are_refused_with_advice(lazily, monkeypatch):
    monkeypatch.setattr(gather, "_memory", lambda: 1e6)
    with pytest.raises(
        DataError, match=r"12,000 rows of 'y', 'x', 'g' would have to be read into memory: round is not"
    ):
        read_rows(parse("y ~ round(x) + (1 | g)"), lazily(ARROW), real=True)
    with pytest.raises(DataError, match="hardly any rows are equal, since 'p', 'x' have many values"):
        read_rows(parse("count ~ x + p"), lazily(ARROW), real=False)
    with pytest.raises(DataError, match="12,000 rows of 'success', 'f' would have to be read"):
        read_rows(parse("success ~ f"), lazily(ARROW), compress=False)


def test_without_compression_all_rows_come(lazily):
    rows = read_rows(parse("success ~ f"), lazily(ARROW), compress=False)
    assert len(rows.frame) == rows.source.rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ log(z) + (1 | g)", r"log\(z\) is no finite number|logarithm"),
        ("y ~ x + cut(z, c(-25, -20, -15)) + (1 | g)", "is in none of the intervals .* Widen the breaks"),
        ("y ~ x + nothing", "There is no column 'nothing'"),
        ("log(z) ~ x", r"log\(z\) is no finite number|logarithm"),
    ],
)
def test_bad_input_is_named(lazily, text, message):
    with pytest.raises(HiermodError, match=message):
        read_rows(parse(text), lazily(ARROW), real=True)


def test_missing_rows_are_refused_by_column(lazily):
    with pytest.raises(DataError, match=r"\d+ rows have missing values in 'y', 'x', 'g'. Fill them"):
        read_rows(parse("y ~ x + (1 | g)"), lazily(ARROW), na="error", real=True)


def test_a_file_of_real_size(tmp_path):
    frame = pd.concat([FRAME] * 12, ignore_index=True)
    frame.to_parquet(tmp_path / "large.parquet", index=False)
    assert len(frame) > gather.LARGE
    for text in ("success ~ f + (1 | g)", "y ~ x*f + (1 + x | g)"):
        one, other = hm.model(text, tmp_path / "large.parquet"), hm.model(text, frame)
        assert len(one.cells) == len(other.cells)
        assert one.notices == other.notices


@pytest.mark.parametrize(
    "name", ["Weight", "Value", "rows", "Rows", "n0", "N1", "v0", "f0", "s0 0", "a.b", 'a "b"', "x y"]
)
def test_no_name_of_a_column_is_taken(lazily, name):
    frame = FRAME.rename(columns={"p": name})
    data = lazily(pa.Table.from_pandas(frame))
    quoted = f"`{name}`"
    for text in (f"y ~ scale({quoted}) + center(x) + h + (1 | g)", f"y ~ {quoted} * x + (1 | g)", f"{quoted} ~ x + z"):
        one, other = cells_of(text, data, "real"), cells_of(text, frame, "real")
        pd.testing.assert_frame_equal(one.frame, other.frame[list(one.frame)], rtol=1e-9, atol=1e-9)
    grouped = FRAME.rename(columns={"h": name})
    text = f"success ~ f + (1 | {quoted})"
    one, other = (cells_of(text, data, "trials") for data in (lazily(pa.Table.from_pandas(grouped)), grouped))
    pd.testing.assert_frame_equal(one.frame, other.frame)


def test_groups_that_lie_very_far_apart_keep_their_spread(lazily):
    rng = np.random.default_rng(5)
    for seed in range(5):
        group = rng.choice(["a", "b"], 3000)
        frame = pd.DataFrame({"g": group, "y": np.where(group == "a", 1e9, -1e9) + rng.normal(size=3000)})
        one, other = (
            cells_of("y ~ 1 + (1 | g)", data, "real") for data in (lazily(pa.Table.from_pandas(frame)), frame)
        )
        np.testing.assert_allclose(one.response.within, other.response.within, rtol=1e-6, err_msg=str(seed))


def test_rows_without_weight_take_no_part(lazily):
    frame = FRAME.dropna().assign(v=lambda data: np.where(data["w"] == 0, data["x"], 0.5))
    data = lazily(pa.Table.from_pandas(frame))
    with pytest.raises(DataError, match="The predictor v is constant"):
        read_rows(parse("y | weights(w) ~ v + (1 | g)"), data, real=True)
    frame["u"] = np.where(frame["w"] == 0, 0.0, frame["p"])
    rows = read_rows(parse("y | weights(w) ~ log(u)"), lazily(pa.Table.from_pandas(frame)), real=True)
    assert rows.source.without_trials == (frame["w"] == 0).sum()
    nothing = lazily(pa.Table.from_pandas(frame.assign(w=0)))
    with pytest.raises(DataError, match="every row has 0 trials, or the weight 0"):
        read_rows(parse("y | weights(w) ~ scale(x)"), nothing, real=True)


@pytest.mark.parametrize("trials", ["10", "round(h + 6)", "(h + 6)^(1 + flag)"])
def test_trials_of_any_kind(lazily, trials):
    text = f"p(s, {trials}) ~ cut(age, 3) + (1 | g)"
    one, other = cells_of(text, lazily(ARROW), "trials"), cells_of(text, FRAME, "trials")
    np.testing.assert_array_equal(one.response.trials, other.response.trials)


def test_missing_values_behind_cut(lazily):
    age = FRAME["age"].where(FRAME["age"] > 20)
    table = ARROW.set_column(ARROW.schema.get_field_index("age"), "age", pa.array(age, from_pandas=False))
    one = read_rows(parse("success ~ cut(age, 4)"), lazily(table))
    other = read_rows(parse("success ~ cut(age, 4)"), FRAME.assign(age=age))
    assert one.source.missing == other.source.missing
    assert one.notices == other.notices


@pytest.mark.parametrize("text", ["y ~ scale(h) + f + (1 | g)", "y ~ h + x + scale(h) + poly(h, 2) + f"])
def test_a_function_of_few_values_learns_from_rows_that_lack_another_column(lazily, text):
    """As R's model.frame has it, which leaves rows out after it has computed the variables."""
    frame = FRAME.assign(h=FRAME["h"].where(FRAME["i"].eq(1) | FRAME["h"].lt(3)), f=FRAME["f"].where(FRAME["h"] != 1))
    one = read_rows(parse(text), lazily(pa.Table.from_pandas(frame)), real=True)
    learned = one.variables.recipes["scale(h)"].states["scale(h)"]
    assert learned["center"] == pytest.approx(frame["h"].mean(), rel=1e-12)
    assert learned["scale"] == pytest.approx(frame["h"].std(), rel=1e-12)
    assert one.source.rows == len(frame.dropna(subset=parse(text).all_columns))
    check_moments(text, lazily(pa.Table.from_pandas(frame)), frame)


def test_the_fingerprint_tells_what_the_model_sees(lazily):
    def of(frame, text="y ~ log(p) + x + (1 | g)"):
        return read_rows(parse(text), lazily(pa.Table.from_pandas(frame)), real=True).source.fingerprint

    rng = np.random.default_rng(6)
    shuffled = FRAME.groupby("g")["p"].transform(lambda own: rng.permutation(own.to_numpy()))
    others = [
        FRAME, FRAME.assign(p=shuffled.fillna(1.0)), FRAME.assign(y=2 * FRAME["y"]), FRAME.assign(p=FRAME["p"] ** 2),
        FRAME.assign(y=FRAME["y"] + 1),
    ]  # fmt: skip
    assert len({of(frame) for frame in others}) == len(others)
    assert of(FRAME) == of(FRAME.sample(frac=1.0, random_state=1))
