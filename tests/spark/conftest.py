"""A Spark session on a cluster of two workers, and frames in it."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.spark.standalone import HOST, cluster

PARTS = 6


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory):
    """A master and two workers; without pyspark or Java this fails, on purpose."""
    import pyspark

    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
        patch.setenv("SPARK_LOCAL_IP", HOST)
        patch.setenv("SPARK_LOCAL_DIRS", str(folder))
        patch.setenv("SPARK_DAEMON_MEMORY", "512m")
        with cluster(folder) as made:
            yield made


@pytest.fixture(scope="session")
def spark(spark_cluster, tmp_path_factory):
    """A session with an executor on each worker; it starts work when both are there."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": HOST,
        "spark.driver.memory": "1g",
        "spark.executor.cores": 1,
        "spark.executor.memory": "512m",
        "spark.scheduler.minRegisteredResourcesRatio": 1.0,
        "spark.sql.shuffle.partitions": 4,
        "spark.sql.warehouse.dir": tmp_path_factory.mktemp("warehouse"),
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
    }
    builder = SparkSession.builder.master(spark_cluster.url).appName("hiermod")
    for name, value in settings.items():
        builder = builder.config(name, str(value))
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def partitioned(spark, tmp_path_factory):
    """Writes a table as a folder of part files, and reads it as a Spark frame."""

    def read(table):
        folder = tmp_path_factory.mktemp("parquet")
        step = -(-len(table) // PARTS)
        for place in range(PARTS):
            pq.write_table(table.slice(place * step, step), folder / f"part-{place}.parquet")
        return spark.read.parquet(str(folder))

    return read
