"""What ``hiermod compare`` writes: refused before anything is fitted, whole or not there, harmless in spreadsheets."""

import json
import stat

import pandas as pd
import pytest
from compare_tools import PLAIN, QUICK, rows_of, run

from hiermod.cli import compare
from hiermod.cli.comparisons import write_tables

HEAD = 'data = "t.csv"\nmodels = ["y ~ x", "y ~ 1"]\n'
UNSAFE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with data, in which nothing is fitted."""
    (tmp_path / "t.csv").write_text("y,x\n" + "".join(f"{number % 7 * 0.31},{number % 5}\n" for number in range(40)))
    (tmp_path / "taken.csv").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "away.csv").symlink_to("none/away.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compare, "_fit", None)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "taken.csv"), "is a folder; a table is stored in a file, such as 'taken.csv/table.csv'"),
        (("--out", "none/t.csv"), "there is no folder 'none'"),
        (("--out", "away.csv"), "whose folder is not there"),
        (("--out", "/proc/t.csv"), "No file can be written at '/proc/t.csv'"),
        (("--out", "x" * 300 + ".csv"), "File name too long"),
        (("--fits", "file"), "Fits cannot be kept in 'file': File exists"),
        (("--fits", "none/fits"), "Fits cannot be kept in 'none/fits': the folder 'none' is not there"),
        (("--fits", "/proc"), "Fits cannot be kept in '/proc'"),
        (("--fits", "a\0b"), "has a character that no file's name can have"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_fitted(folder, arguments, message):
    done = run("compare", "t.csv", "y ~ x", "y ~ 1", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('out = "none/t.csv"', "is not there. Make it first"),
        ('out = "taken.csv"', "is a folder; a table is stored"),
        ('out = "../t.csv"', "out = '../t.csv' is not inside the folder of this file"),
        ('out = "/tmp/t.csv"', "give --out on the command line, which may be anywhere"),
        ('out = "link/t.csv"', "out = 'link/t.csv' is not inside the folder"),
        ('fits = "../fits"', "fits = '../fits' is not inside the folder of this file"),
        ('fits = "."', "fits = '.' is not inside the folder of this file"),
        ('fits = "file"', "Fits cannot be kept in"),
        ('out = "a\\u0000.csv"', "names nothing that can be written"),
        ("out = 3", "out = 3 names nothing that can be written"),
    ],
)
def test_a_toml_file_writes_to_its_own_folder_alone(folder, line, message):
    (folder / "inner").mkdir()
    (folder / "inner" / "t.csv").write_bytes((folder / "t.csv").read_bytes())
    (folder / "inner" / "taken.csv").mkdir()
    (folder / "inner" / "file").write_text("")
    (folder / "inner" / "link").symlink_to(folder)
    (folder / "inner" / "all.toml").write_text(HEAD + line)
    before = sorted(folder.iterdir())
    done = run("compare", "inner/all.toml")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert sorted(folder.iterdir()) == before


def test_the_command_line_may_name_any_place(trial, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "t.csv").write_bytes(trial.read_bytes())
    (tmp_path / "inner" / "all.toml").write_text(
        f'data = "t.csv"\nmodels = {{ "=1+1" = "success ~ 1", plain = "{PLAIN}" }}\nout = "../t.csv"\n'
        "draws = 150\nseed = 1\n"
    )
    done = run("compare", tmp_path / "inner" / "all.toml", "--no-progress", "--out", tmp_path / "t.csv")
    assert done.code == 0, done.err
    rows = rows_of(tmp_path / "t.csv")
    assert {row["model"] for row in rows} == {"'=1+1", "plain"}
    assert {float(row["elpd"]) < 0 for row in rows} == {True}
    assert not [path.name for path in tmp_path.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("name", UNSAFE)
def test_text_that_a_spreadsheet_would_run_is_marked_in_csv_alone(tmp_path, name):
    table = pd.DataFrame({"model": [name, "y ~ x"], "elpd": [-1.5, -2.0], "verdict": ["best", name]})
    for suffix in ("csv", "json"):
        write_tables(tmp_path / f"t.{suffix}", {name: table, "other": table}, {name: name})
    (first, second, *_) = rows_of(tmp_path / "t.csv")
    assert [first[key] for key in ("comparison", "model", "caution")] == [f"'{name}"] * 3
    assert (second["verdict"], second["model"], second["elpd"], first["elpd"]) == (f"'{name}", "y ~ x", "-2.0", "-1.5")
    assert json.loads((tmp_path / "t.json").read_text())[0]["comparison"] == name


def test_tables_follow_nothing_planted_and_keep_links_and_permissions(tmp_path):
    table = pd.DataFrame({"model": ["y ~ x"], "elpd": [-1.5]})
    victim, real, link = tmp_path / "victim", tmp_path / "real.csv", tmp_path / "t.csv"
    victim.write_text("precious")
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    (tmp_path / "t.csv.partial").symlink_to(victim)
    (tmp_path / "real.csv.partial").symlink_to(victim)
    write_tables(link, {"": table}, {})
    assert (victim.read_text(), link.is_symlink()) == ("precious", True)
    assert rows_of(real)[0]["model"] == "y ~ x"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_a_table_that_can_no_longer_be_written_stands_on_stdout(trial, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hiermod.cli.comparisons.write_tables", full)
    done = run("compare", trial, PLAIN, "success ~ 1", "--out", tmp_path / "t.csv", *QUICK)
    assert done.code == 1
    assert "t.csv: No space left on device" in done.err
    assert "leave-one-out, 400 rows" in done.out
