"""Tables and sentences that fit a terminal: nothing is lost, no line is longer, and pipes get them as they are."""

from __future__ import annotations

import io
import sys

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermod.tabular import text_table
from hiermod.terminal import lines_of, width
from hiermod.text_table import Column, TextTable

WORD = st.text("abcdefgh", min_size=1, max_size=9)
WORDS = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
NUMBER = st.floats(-1e4, 1e4).map("{:.2f}".format)


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 4))
    kinds = [
        *["key"] * draw(st.integers(0, 2)),
        *draw(st.lists(st.sampled_from(["words", "number"]), min_size=1, max_size=7)),
    ]
    texts = [draw(st.lists(NUMBER if kind == "number" else WORDS, min_size=rows, max_size=rows)) for kind in kinds]
    return TextTable(
        [Column(f"c{place}", own, kind) for place, (kind, own) in enumerate(zip(kinds, texts, strict=True))]
    )


@settings(max_examples=50)
@given(tables(), st.integers(40, 90))
def test_no_line_is_longer_than_a_terminal_and_nothing_is_lost(table, room):
    text = table.text(room)
    assert max(map(len, text.split("\n"))) <= room
    found = "".join(text.split())
    for column in table.columns:
        assert column.heading in found
        for own in column.texts:
            assert all(word in found for word in own.split())


def test_a_table_that_fits_stands_in_one_block():
    table = TextTable([Column("country", ["Canada", "China"], "key"), Column("estimate", ["0.157", "-0.081"])])
    assert table.text(40) == table.text(None) == "country  estimate\n Canada     0.157\n  China    -0.081"


def test_keys_are_wrapped_before_columns_go_below():
    table = TextTable([
        Column("country", ["United Kingdom of Great Britain and Northern Ireland"], "key"),
        Column("estimate", ["1.00"]),
        Column("verdict", ["best, but not clearly"], "words"),
    ])  # fmt: skip
    assert table.text(60).split("\n") == [
        "country                      estimate  verdict",
        "United Kingdom of Great          1.00  best, but not clearly",
        "Britain and Northern",
        "Ireland",
    ]


def test_columns_without_room_stand_below_with_their_keys():
    table = TextTable([Column("g", ["a", "b"], "key"), *[Column(f"figure {n}", ["1234.5"] * 2) for n in range(6)]])
    first, second = table.text(50).split("\n\n")
    assert (
        [line.split()[0] for line in first.split("\n")[1:]]
        == ["a", "b"]
        == [line[0] for line in second.split("\n")[1:]]
    )
    assert first.split("\n")[0].count("figure") + second.split("\n")[0].count("figure") == 6


def test_lines_between_rows_stand_in_each_block():
    columns = [Column("", ["a", "b"], "key"), *[Column("x" * 20, ["1", "2"]) for _ in range(3)]]
    text = TextTable(columns, breaks={1: "more"}).text(50)
    assert [block.split("\n")[2] for block in text.split("\n\n")] == ["more", "more"]


def test_frames_have_their_words_at_the_left():
    frame = pd.DataFrame({"verdict": ["ship"], "x": [0.123456], "n": [3], "arm": ["B"], "none": [float("nan")]})
    assert text_table(frame, ["arm"], missing="").text() == "arm  verdict       x  n  none\n  B  ship     0.1235  3"


def test_lines_go_on_below_their_margin():
    assert lines_of("  one two three", 9) == "  one two\n    three"
    assert lines_of("one two\n  three", None) == "one two\n  three"


class Watched(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("columns", "expected"), [("72", 72), ("20", 40)])
def test_the_width_is_that_of_a_terminal(monkeypatch, columns, expected):
    monkeypatch.setenv("COLUMNS", columns)
    assert width(Watched()) == expected


def test_a_pipe_has_no_width(monkeypatch):
    closed = io.StringIO()
    closed.close()
    assert width(io.StringIO()) is width(closed) is None
    monkeypatch.setattr(sys, "stdout", None)
    assert width() is None
