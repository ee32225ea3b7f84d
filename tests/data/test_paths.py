"""Paths in place of frames: what files hold, or why they cannot be read; nothing shifted, recoded or guessed."""

import gc
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from data_tools import rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.data.columns.values import kind_of
from hiermod.data.sources.csv_files import MISSING
from hiermod.data.sources.frames import column_names, read_columns
from hiermod.data.sources.paths import open_path
from hiermod.errors import DataError, FormulaError
from hiermod.modeling.definition import Definition, define


def read(path, *names):
    """The columns of a path as lists, missing values as None."""
    frame = read_columns(path, names or column_names(path))
    return {name: [None if pd.isna(value) else value for value in frame[name].tolist()] for name in frame}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a text or bytes into the working folder and return the file's name."""
    monkeypatch.chdir(tmp_path)

    def write(content, name="data.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Write a frame of pandas as Parquet into the working folder and return the file's name."""
    monkeypatch.chdir(tmp_path)

    def store(frame, name="data.parquet", **options):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(name, **options)
        return name

    return store


def refused(path, match, *names):
    with pytest.raises(DataError, match=match) as caught:
        read(path, *names)
    return str(caught.value)


# ---- CSV: structure


def test_commas_at_the_ends_of_lines_shift_nothing(write):
    assert read(write("y,t,z\n0,1,5,\n1,0,6,\n")) == {"y": [0, 1], "t": [1, 0], "z": [5, 6]}
    assert read(write("y,t,z\n0,1,5,\n1,0,6\n")) == {"y": [0, 1], "t": [1, 0], "z": [5, 6]}


@pytest.mark.parametrize("body", ["0,1,1,7\n1,0,1,7\n", "0,1,1\n1,0,1,7\n"])
@pytest.mark.parametrize("names", [(), ("y",), ("z", "y")])
def test_rows_longer_than_the_header_are_refused(write, body, names):
    path = write("y,t,z\n" + body)
    message = refused(path, r"'data.csv' cannot be read: .*more fields than its header, which names 3 columns", *names)
    assert "Remove commas at the ends of lines, or name every column." in message


def test_a_long_row_deep_in_a_file_is_refused_with_its_line(write):
    path = write("y,t\n" + "0,1\n" * 300_000 + "0,1,2\n" + "0,1\n" * 300_000)
    refused(path, "more fields than its header, .*line 300002 of data.csv", "y")


def test_rows_shorter_than_the_header_are_refused_not_filled(write):
    refused(write("y,t,z\n0,1,2\n0,1\n"), "fewer fields than its header, which names 3 columns .the first is line 3")


def test_two_columns_of_one_name_are_refused(write):
    refused(write("y,t,t\n0,1,1\n"), "two columns named 't'. Rename one of them")
    refused(write("y,t,T\n0,1,1\n"), "the columns 't' and 'T', which DuckDB takes for one name. Rename one of them")


def test_columns_without_a_name_do_not_stand_in_the_way(write):
    path = write("y,,t,\n0,a,1,b\n1,a,0,b\n")
    assert read(path, "y", "t") == {"y": [0, 1], "t": [1, 0]}
    assert column_names(path) == ("y", "t")
    pd.DataFrame({"y": [5, 6]}, index=["a", "b"]).to_csv("indexed.csv")
    assert read("indexed.csv") == {"y": [5, 6]}


@pytest.mark.parametrize("start", ["", "﻿", "\n\n", "﻿\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_blank_lines_and_ends_of_lines(write, start, end):
    text = (start + 'y,"a ""b"""\n1,"c,d"\n\n2,"é"\n\n').replace("\n", end)
    assert read(write(text)) == {"y": [1, 2], 'a "b"': ["c,d", "é"]}


def test_quoted_texts_hold_commas_and_ends_of_lines(write):
    path = write('"a\nb",t\n"1,5","x\ny"\n"2",""\n')
    assert read(path) == {"a\nb": ["1,5", "2"], "t": ["x\ny", None]}


def test_names_are_names_whatever_they_hold(write):
    names = ["it's", 'a "b"', "x; DROP TABLE t", "c0", "^y$", "select", "a.b", "$1", "?"]
    path = write(",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names) + "\n" + "1," * 8 + "1\n",
                 "o'clock [1] *?.csv")  # fmt: skip
    assert column_names(path) == tuple(names)
    assert read(path) == {name: [1] for name in names}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "'data.csv' cannot be read: it is empty"),
        ("\n\n", "'data.csv' cannot be read: it is empty"),
        (",,\n1,2,3\n", "its first line names no column"),
        (b"a,b\n\xff\xfe\x00,1\n", "'data.csv' cannot be read: it is not encoded in utf-8"),
        (b"caf\xe9,b\n1,2\n", "'data.csv' cannot be read: it is not encoded in utf-8"),
        (b"a,b\ncaf\xe9,2\n", "'data.csv' cannot be read: it is not encoded in utf-8"),
        ('a,b\n1,"2\n', "Line: 2 .*unterminated quote"),
        ("a,b\r\n1,2\n3,4\n", "not all lines end in the same way"),
        ("a,b\n" + "x" * 3_000_000 + ",2\n", "'data.csv' cannot be read: .*[Mm]aximum line size"),
    ],
)
def test_what_is_no_csv(write, content, message):
    assert "Possible fixes" not in refused(write(content), message)


def test_a_header_without_rows(write):
    with pytest.raises(DataError, match="The data has no rows"):
        hm.model("y ~ x", write("y,x\n"))


# ---- CSV: types


def test_codes_with_leading_zeros_stay_text(write):
    path = write("zip,n,y\n01234,10,0\n1234,7,1\n,0,1\n")
    assert read(path) == {"zip": ["01234", "1234", None], "n": [10, 7, 0], "y": [0, 1, 1]}


@pytest.mark.parametrize(
    ("values", "kind", "read_as"),
    [
        (["1", "-2", "+3", " 4 "], "int", [1, -2, 3, 4]),
        (["9223372036854775807", "-9223372036854775808"], "int", [2**63 - 1, -(2**63)]),
        (["9223372036854775808", "1"], "text", ["9223372036854775808", "1"]),
        (["1", "2.5", "1e3"], "float", [1, 2.5, 1000]),
        (["inf", "-INF", "Infinity", "1"], "float", [np.inf, -np.inf, np.inf, 1]),
        (["True", "false", "TRUE"], "bool", [True, False, True]),
        (["True", "1"], "text", ["True", "1"]),
        (["2024-01-02", "2024-01-03"], "text", ["2024-01-02", "2024-01-03"]),
        (["1_000", "2"], "text", ["1_000", "2"]),
        (["0x1F", "2"], "text", ["0x1F", "2"]),
        (["t", "f"], "text", ["t", "f"]),
    ],
)
def test_types_that_all_values_agree_on(write, values, kind, read_as):
    for missing in ([], ["NA"]):
        path = write("v,w\n" + "".join(f"{value},1\n" for value in [*values, *missing]))
        assert kind_of(read_columns(path, ("v",))["v"]) == kind
        assert read(path, "v") == {"v": [*read_as, *(None for _ in missing)]}


def test_the_last_value_counts_as_the_first(write):
    assert read(write("v,w\n" + "1,1\n" * 200_000 + "x,1\n"), "v")["v"][-2:] == ["1", "x"]


def test_missing_markers_are_those_of_pandas(write):
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(MISSING) == STR_NA_VALUES
    path = write("v,w\n" + "".join(f'"{marker}",1\n{marker},1\n' for marker in MISSING) + "5,1\n")
    assert read(path, "v") == {"v": [None] * 2 * len(MISSING) + [5]}


FIELDS = st.one_of(
    st.sampled_from(
        [*MISSING, "inf", "-Infinity", "True", "FALSE", "01", "1.", ".5", "1e5", " 7", "2024-01-01", "a,b"]
    ),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.booleans().map(str),
    st.text("01+-.eExX_ naNfit'\"\n,;é", max_size=6),
)
KINDS_OF_FIELDS = st.sampled_from(
    [FIELDS, st.integers(-99, 99).map(str), st.floats(-9, 9).map(str), st.sampled_from(["true", "False", "NA"])]
)


def quote(field):
    quoted = field.replace('"', '""')
    return f'"{quoted}"' if any(character in field for character in ',"\n') else field


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(KINDS_OF_FIELDS.flatmap(lambda fields: st.lists(st.tuples(fields, FIELDS), min_size=1, max_size=6)))
def test_a_csv_is_what_pandas_reads(write, rows):
    text = "v,w,end\n" + "".join(f"{quote(v)},{quote(w)},0\n" for v, w in rows)
    ours = read_columns(write(text), ("v", "w"))
    options = {"low_memory": False, "dtype_backend": "numpy_nullable"}
    theirs, texts = pd.read_csv(io.StringIO(text), **options), pd.read_csv(io.StringIO(text), dtype="string")
    for name in ("v", "w"):
        whole = pd.api.types.is_integer_dtype(theirs[name].dtype)
        codes = whole and texts[name].str.match(r"\s*[+-]?0[0-9]").any()
        expected = texts[name] if codes else theirs[name]
        assert kind_of(ours[name]) == kind_of(expected)
        assert list(ours[name].isna()) == list(expected.isna())
        assert list(ours[name].dropna()) == list(expected.dropna())


# ---- CSV: several files


def test_files_of_one_pattern_are_read_as_one(write):
    write("g,y\n1,0\n", "part-1.csv")
    write("g,y\nb,1\n", "part-2.csv")
    assert read("part-*.csv") == {"g": ["1", "b"], "y": [0, 1]}
    write("y,g\n1,b\n", "part-3.csv")
    refused("part-*.csv", "'part-3.csv' has another header than 'part-1.csv'")


# ---- Parquet: types and levels


def test_kinds_stay_beside_missing_values(store):
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 2**62 + 1], dtype="Int64"),
            "u": pd.array([1, None, 255], dtype="UInt8"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "x": [0.5, None, np.inf],
            "t": ["a", None, "01"],
            "utc": pd.to_datetime(["2024-01-01", None, "2024-01-02"]).tz_localize("UTC"),
        }
    )
    path = store(frame)
    read_back = read_columns(path, tuple(frame))
    assert [str(dtype) for dtype in read_back.dtypes[:3]] == ["Int64", "UInt8", "boolean"]
    assert [kind_of(read_back[name]) for name in frame] == ["int", "int", "bool", "float", "text", "date"]
    assert read(path)["i"] == [1, None, 2**62 + 1]
    assert str(read_back["utc"].dt.tz) == "UTC"


def test_encoded_text_is_sorted_unless_pandas_gave_it_an_order(store, tmp_path):
    encoded = pa.table({"f": pa.array(["d", "a", "b"]).dictionary_encode()})
    parquet.write_table(encoded, tmp_path / "arrow.parquet")
    column = read_columns(tmp_path / "arrow.parquet", ("f",))["f"]
    assert not isinstance(column.dtype, pd.CategoricalDtype)


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_of_pandas_keep_their_order(store, ordered):
    levels = ["d", "it's", "b", "unused", "a"]
    column = pd.Categorical(["d", "a", None, "b", "it's"] * 3, categories=levels, ordered=ordered)
    path = store(pd.DataFrame({"f": column, "y": range(15)}), row_group_size=4)
    read_back = read_columns(path, ("f", "y"))["f"]
    assert read_back.cat.categories.to_list() == levels
    assert read_back.cat.ordered is ordered
    assert list(read_back.isna()) == list(pd.isna(column))
    assert rows_of("y ~ (1 | f)", path).groupings["f"].labels() == ["d", "it's", "b", "a"]


def test_a_formula_means_the_same_for_a_frame_and_its_file(store):
    rng = np.random.default_rng(0)
    dose = pd.Categorical(rng.choice(["low", "mid", "high"], 60), categories=["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame(
        {"y": rng.normal(size=60), "dose": dose, "g": rng.choice(["b", "a"], 60), "n": rng.integers(0, 3, 60)}
    )
    for formula in ("y ~ dose + n + (1 | g)", "y ~ . + (1 | g)"):
        theirs, ours = (define(Definition(formula), data).spec for data in (frame, store(frame)))
        assert ours.cells.source == theirs.cells.source
        assert repr(ours.cells.predictors) == repr(theirs.cells.predictors)


def test_an_index_that_pandas_stored_is_no_column(store):
    frame = pd.DataFrame({"y": [1.0, 2.0], "x": [3, 4]}, index=pd.Index([7, 8]))
    assert column_names(store(frame)) == ("y", "x")
    assert column_names(store(frame.rename_axis("id"))) == ("y", "x")


# ---- Parquet: folders and patterns


def test_a_folder_is_read_with_what_its_folders_say(store):
    frame = pd.DataFrame(
        {"y": [1, 2, 3, 4], "country": ["NA", "it's", "x=y", None], "zip": ["01", "2", "2", "3"], "k": [9, 10, 9, 9]}
    )
    frame.to_parquet("data", partition_cols=["country", "zip", "k"])
    Path("data/_temporary").mkdir()
    Path("data/_temporary/half.parquet").write_text("no table")
    Path("data/README.txt").write_text("no table")
    Path("data/loop").symlink_to(".")
    found = read("data/")
    found = {name: [found[name][row] for row in np.argsort(found["y"])] for name in frame}
    assert found == {
        "y": [1, 2, 3, 4],
        "country": ["NA", "it's", "x=y", None],
        "zip": ["01", "2", "2", "3"],
        "k": [9, 10, 9, 9],
    }
    assert set(read("data/country=NA/**/*.parquet")) == {"y", "zip", "k"}
    assert read("data/country=NA/zip=*/*/*.parquet")["zip"] == ["01"]
    (file,) = Path("data/country=NA").rglob("*.parquet")
    assert read(file) == {"y": [1]}


def test_a_column_that_a_folder_above_would_overwrite_is_refused(store):
    store(pd.DataFrame({"y": [1], "run": [2]}), "run=5/data/country=CA/a.parquet")
    refused("run=5/data", "The column 'run' has the name of a folder above")
    assert read("run=5/data/country=CA/a.parquet") == {"y": [1], "run": [2]}


def test_files_and_patterns_with_special_characters(store):
    store(pd.DataFrame({"a 'b\"": [1]}), "o'clock [1] *?.pq")
    store(pd.DataFrame({"a 'b\"": [2]}), "o'clock 1 xx.pq")
    assert read("o'clock [1] *?.pq") == {"a 'b\"": [1]}
    assert read("o'clock*.pq") == {"a 'b\"": [2, 1]}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"y": [1.5], "g": ["a"]}, "'y': it holds int64 in 'd/1.parquet', it holds double in 'd/2.parquet'"),
        ({"y": [1]}, "'g': it holds string in 'd/1.parquet', none in 'd/2.parquet'"),
        ({"y": [1], "g": ["a"], "more": [1]}, "'more': none in 'd/1.parquet', it holds int64 in 'd/2.parquet'"),
    ],
)
def test_files_of_a_folder_that_differ_are_refused(store, other, message):
    store(pd.DataFrame({"y": [1], "g": ["a"]}), "d/1.parquet")
    store(pd.DataFrame(other), "d/2.parquet")
    refused("d", f"The files differ in the column {message}", "y")


def test_categories_that_differ_between_files(store):
    for place, values in enumerate((["a", "c"], ["b", "c"])):
        store(pd.DataFrame({"f": pd.Categorical(values), "y": 1}), f"d/{place}.parquet")
    assert read("d")["f"] == ["a", "c", "b", "c"]
    store(pd.DataFrame({"f": pd.Categorical(["c", "a"], categories=["c", "a"]), "y": 1}), "d/3.parquet")
    refused("d", "differ in the levels of 'f' or their order: 'd/0.parquet' and 'd/1.parquet'", "f")
    Path("d/3.parquet").unlink()
    store(pd.DataFrame({"f": ["d", "a"], "y": 1}), "d/4.parquet")
    assert read("d")["f"] == ["a", "c", "b", "c", "d", "a"]
    Path("d/4.parquet").unlink()
    assert read("d", "y") == {"y": [1] * 4}


def test_a_file_without_rows_has_no_say_in_levels(store):
    frame = pd.DataFrame({"f": pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True)})
    store(frame[:0], "d/1.parquet")
    store(frame, "d/2.parquet")
    assert read_columns("d", ("f",))["f"].cat.categories.to_list() == ["b", "a"]
    assert read("d/1.parquet") == {"f": []}


def test_folders_that_differ_in_their_keys(store):
    store(pd.DataFrame({"y": [1]}), "d/a=1/1.parquet")
    store(pd.DataFrame({"y": [1]}), "d/b=1/2.parquet")
    refused("d", "'d' cannot be read: Hive partition mismatch")


def test_two_columns_of_one_name_in_parquet(store, tmp_path):
    parquet.write_table(pa.table([[1], [2]], names=["x", "x"]), tmp_path / "twice.parquet")
    refused(tmp_path / "twice.parquet", "two columns named 'x'")


@pytest.mark.parametrize("content", [b"", b"no table", b"PAR1" + b"x" * 50 + b"PAR1"])
def test_broken_parquet(write, content):
    refused(write(content, "broken.parquet"), "'broken.parquet' cannot be read: .*arquet")


def damaged(path):
    """Overwrite the pages of the column 'x', leaving the rest of the file as it is."""
    column = parquet.ParquetFile(path).metadata.row_group(0).column(1)
    start = column.dictionary_page_offset or column.data_page_offset
    content = bytearray(Path(path).read_bytes())
    content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    Path(path).write_bytes(content)
    return path


def test_only_columns_of_the_formula_are_read(store):
    path = damaged(store(pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0], "g": list("aba")})))
    assert read(path, "y", "g") == {"y": [1.0, 2.0, 4.0], "g": ["a", "b", "a"]}
    refused(path, "'data.parquet' cannot be read", "x")
    relation = open_path(path)
    plan = str(relation.project("y").explain())
    assert "x" not in plan.split("Projections:")[1].split()[:2]


# ---- paths of nothing, and other texts


def test_a_path_of_nothing_names_what_is_near(write):
    write("y\n1\n", "sub/trial.csv")
    refused("sub/trail.csv", "There is no file 'sub/trail.csv'. Did you mean 'trial.csv'")
    refused(Path("sub") / "trail.csv", "There is no file 'sub/trail.csv'. Did you mean 'trial.csv'")
    refused("sbu/trial.csv", "There is no file 'sbu/trial.csv'. There is no folder 'sbu' either. Did you mean 'sub'")
    refused("", "There is no file ''")
    refused("sub/*.parquet", r"There is no file 'sub/\*.parquet'")


def test_folders_without_parquet(write):
    Path("bare").mkdir()
    refused("bare", "The folder 'bare' holds no Parquet file.$")
    write("y\n1\n", "sub/trial.csv")
    refused("sub", r"The folder 'sub' holds no Parquet file. For its CSV files, say 'sub/\*.csv'")


@pytest.mark.parametrize("name", ["d.xlsx", "d.feather", "d.json", "d", "d.csv.gz"])
def test_other_files_are_refused_with_a_remedy(write, name):
    message = refused(write("y\n1\n", name), f"'{name}' does not end in .csv, .parquet or .pq")
    assert "Open it with pandas, polars or duckdb, and pass the frame" in message


def test_a_pattern_of_two_kinds(write, store):
    write("y\n1\n", "d/1.csv")
    store(pd.DataFrame({"y": [1]}), "d/2.parquet")
    refused("d/*", "stands for files of two kinds, 'd/1.csv' and 'd/2.parquet'")


@pytest.mark.parametrize("url", ["https://example.org/d.parquet", "s3://b/d*.parquet", "file:///d.csv"])
def test_urls_are_refused(url):
    refused(url, "is no file of this machine. Open it with pandas, polars or duckdb, and pass the frame")


def test_texts_that_are_no_paths():
    refused("y,x\n1,2\n", r"a text of several lines, not a path. .*pandas.read_csv\(io.StringIO\(text\)\)")
    refused("y ~ x + (1 | g)", r"which is a formula: hiermod.fit\(formula, data\), and on the command line")


def test_pipes_and_devices_are_named_as_such(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/null"):
        refused(path, rf"{str(path)!r} is a pipe or a device, which can be read once .* pandas.read_csv\(path\)")
    refused("a\0b.csv", "has a character that no file's name can have")


def test_an_unreadable_file(write):
    path = write("y\n1\n")
    os.chmod(path, 0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, "'data.csv' cannot be read: Permission denied")


# ---- in use


def test_a_missing_column_of_a_file_has_its_caret(write):
    with pytest.raises(FormulaError, match=r"no column 'treatd' in the data\. Did you mean 'treated'"):
        hm.model("y ~ treatd", write("y,treated\n1,0\n"))


def test_a_path_may_begin_with_a_tilde(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("y\n1\n")
    assert read("~/data.csv") == {"y": [1]}


def test_a_relation_outlives_what_opened_it(write):
    relation = open_path(write("y,x\n1,a\n2,b\n"))
    gc.collect()
    assert relation.filter("y > 1").fetchall() == [(2, "b")]


def test_the_relation_fetches_no_extensions(write):
    relation = open_path(write("y\n1\n"))
    asked = relation.project(
        "current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions')"
    )
    assert asked.fetchall() == [(False, False)]


def test_new_rows_of_questions_may_be_a_path(country_fit, write):
    rows = pd.DataFrame({"country": ["China", "Canada"], "treated": [1, 0]})
    rows.to_csv(write("", "rows.csv"), index=False)
    pd.testing.assert_frame_equal(country_fit.predict("rows.csv").table, country_fit.predict(rows).table)


def test_what_cannot_be_read_as_it_is(tmp_path):
    import datetime as dt

    import pyarrow as pa
    import pyarrow.parquet as pq

    for key in (1, 2):
        (tmp_path / f"k={key}").mkdir()
        pq.write_table(pa.table({"y": [1.0, 2.0, 4.0], "k": [5, 6, 7]}), tmp_path / f"k={key}" / "part.parquet")
    with pytest.raises(DataError, match="'k' stands in the files and in the names of their folders"):
        rows_of("y ~ k", tmp_path)
    table = pa.table({"y": [1.0, 2.0], "d": [dt.timedelta(seconds=1), dt.timedelta(seconds=2)]})
    pq.write_table(table, tmp_path / "durations.parquet")
    with pytest.raises(DataError, match="'d' holds durations, which are not read"):
        rows_of("y ~ d", tmp_path / "durations.parquet")
