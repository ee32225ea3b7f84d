"""Spark aggregates what stands on its workers: the cells are those of the rows in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import expit

import hiermod as hm
from hiermod.data.pushdown import gather
from hiermod.errors import DataError
from hiermod.interface import fit as fitting
from tests.data.engine_cases import ARROW, COUNTED, MOMENTS, check_counts, check_moments, frame_of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def frame(partitioned):
    return partitioned(ARROW)


@pytest.fixture(scope="module")
def million():
    return frame_of(seed=3, size=1_000_000, missing=500)


@pytest.fixture(scope="module")
def large(partitioned, million):
    return partitioned(pa.Table.from_pandas(million, preserve_index=False))


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(gather, "LARGE", 0)


@pytest.fixture
def brought(monkeypatch):
    """The number of rows of each table that comes from Spark."""
    from pyspark.sql.classic.dataframe import DataFrame

    sizes, bring = [], DataFrame.toArrow

    def counting(frame):
        table = bring(frame)
        sizes.append(len(table))
        return table

    monkeypatch.setattr(DataFrame, "toArrow", counting)
    return sizes


def executors(spark):
    """How many tasks each executor has completed, by its name."""
    every = spark.sparkContext._jsc.sc().statusStore().executorList(True)
    found = [every.apply(place) for place in range(every.size())]
    return {own.id(): own.completedTasks() for own in found if own.id() != "driver"}


def test_two_executors_on_two_workers_take_part(spark, spark_cluster, frame):
    assert spark.sparkContext.master == spark_cluster.url
    assert spark.sparkContext.master.startswith("spark://")
    assert frame.count() == len(ARROW)
    workers = spark_cluster.workers()
    assert [own["coresused"] for own in workers] == [1, 1]
    assert len({own["id"] for own in workers}) == 2
    tasks = executors(spark)
    assert len(tasks) == 2
    assert all(tasks.values())


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(("text", "statistic"), COUNTED)
def test_counts_are_the_same_bit_for_bit(frame, text, statistic):
    check_counts(text, statistic, frame)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("text", MOMENTS)
def test_moments_are_the_same(frame, text):
    check_moments(text, frame)


def test_a_million_rows_stay_where_they_are(large, million, brought):
    check_counts("success ~ f*i + (1 + i | g) + (1 | h)", "trials", large, million)
    check_moments("y ~ x*z*f + i*x + (1 + x | g)", large, million)
    assert max(brought) <= gather.SAMPLE


def odd(frame):
    """Columns as Spark may hold them: NaN beside null, decimals, short numbers, negative zeros."""
    from pyspark.sql import functions

    h, nan = functions.col("h"), functions.lit(float("nan"))
    return frame.withColumns(
        {
            "x": functions.when(functions.col("i") == 0, nan).otherwise(functions.col("x")),
            "z": functions.when(h == 0, nan).when(h > 1, h.cast("float")),
            "zero": functions.when(h == 2, -0.0).when(h == 3, 0.0).otherwise(1.0),
            "price": functions.col("y").cast("decimal(12, 4)"),
            "key": h.cast("decimal(5, 1)"),
            "tiny": h.cast("byte"),
            "ok": functions.col("success") == 1,
        }
    )


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("text", ["ok ~ z + zero + (1 | g)", "ok ~ key + (1 | tiny)", "s/n ~ log(z) + (1 | flag)"])
def test_odd_columns_are_counted(frame, text):
    made = odd(frame)
    check_counts(text, "trials", made, made.toArrow().to_pandas())


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    "text",
    ["y ~ x + key + (1 | g)", "price ~ p + zero + (1 | g)", "y ~ price + flag + (1 | tiny)", "y ~ I(x / z) + (1 | f)"],
)
def test_odd_columns_have_moments(frame, text):
    made = odd(frame)
    check_moments(text, made, made.toArrow().to_pandas().astype({"price": float, "key": float}))


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("call", ["log(x)", "log(x * i)", "I(p / h)", "sqrt(x)", "exp(exp(p))"])
def test_what_is_no_number_is_an_error(frame, call):
    with pytest.raises(DataError, match=r"is no finite number in [0-9,]+ rows\. Leave those rows out\."):
        hm.model(f"y ~ {call} + (1 | g)", frame)


def test_a_frame_of_spark_is_fitted(large, million):
    fit = hm.fit("success ~ i + (1 | g)", large, seed=1, tune=300, draws=300, chains=2, progress=False)
    rates = fit.rates(by="i").table
    raw = million.dropna(subset=["success", "g"]).groupby("i")["success"].mean()
    np.testing.assert_allclose(rates["estimate"].astype(float), raw.astype(float), atol=0.005)


def test_patterns_of_groups_are_found_by_spark(partitioned, brought):
    """200,000 rows of 40,000 users come as one user of each pattern; a user that is named is drawn as from memory."""
    rng = np.random.default_rng(6)
    user = np.repeat(np.arange(40_000), 5)
    frame = pd.DataFrame({"user": [f"u{each}" for each in user], "x": rng.integers(0, 2, len(user))})
    frame["y"] = rng.binomial(1, expit(-0.4 + 0.5 * frame["x"] + 0.8 * rng.normal(size=40_000)[user]))
    rows = partitioned(pa.Table.from_pandas(frame, preserve_index=False))
    shared, whole = (hm.fit("y ~ x + (1 | user)", data, seed=1, draws=50, progress=False) for data in (rows, frame))
    assert max(size for size in brought if size != gather.SAMPLE) < 100
    for name in whole.posterior:
        np.testing.assert_allclose(shared.posterior[name], whole.posterior[name], rtol=1e-12)
    np.testing.assert_allclose(shared.effect("x").draws, whole.effect("x").draws, rtol=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "LEAST_APART", 0)
        drawn = [fit.rates("x", where={"user": ["u7", "u39999"]}).draws for fit in (shared, whole)]
    np.testing.assert_allclose(*drawn, rtol=1e-9)
    assert max(size for size in brought if size != gather.SAMPLE) < 100
