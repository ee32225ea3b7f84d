"""Large lazy frames are aggregated by their own engine: the cells are those of the rows in memory."""

import duckdb
import ibis
import narwhals as nw
import polars as pl
import pytest

from hiermod.data import gather
from hiermod.data.rows import read_rows
from hiermod.formula.parser import parse
from tests.data.engine_cases import ARROW, COUNTED, MOMENTS, check_counts, check_moments


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

    monkeypatch.setattr(gather, "HEAD", 500)
    monkeypatch.setattr(nw.LazyFrame, "collect", counting)
    read_rows(parse(text), lazily(ARROW))
    assert len(sizes) == questions
    assert max(sizes) == gather.HEAD
