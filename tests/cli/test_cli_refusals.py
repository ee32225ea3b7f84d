"""Exit codes and messages of what cannot be done: all of it before any sampling."""

import pandas as pd
import pytest

from hiermod.cli import commands, main

FORMULA = "success ~ treated + (1 | country)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with good and bad data files."""
    rows = {"country": ["Canada", "China"] * 10, "treated": [0, 0, 1, 1] * 5, "success": [0, 1, 1, 1] * 5}
    frame = pd.DataFrame({**rows, "size": [1.5, 2.5, 3.5, 4.5] * 5})
    frame.to_csv(tmp_path / "trial.csv", index=False)
    (tmp_path / "trial.xlsx").write_text("no table")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("success,treated,country\n1,0,Peru\n0,1,Peru,5\n")
    (tmp_path / "binary.csv").write_bytes(b"a,b\n\xff\xfe\x00,1\n")
    (tmp_path / "broken.parquet").write_text("no table")
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, code, *words):
    """Run the command line; it must leave with `code`, say `words` on stderr and nothing on stdout."""

    def run(*argv):
        assert main(argv) == code
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        for word in words:
            assert word in said.err

    return run


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "COMMAND"),
        (["fti"], "fti"),
        (["demo", "--seed", "-1"], "'-1' is no whole number from 0 on"),
        (["demo", "--out", "trial.csv"], "--out"),
        (["fit"], "DATA"),
        (["fit", "trial.csv"], "FORMULA"),
        (["fit", "trail.csv", FORMULA], "there is no file 'trail.csv'. Did you mean 'trial.csv'"),
        (["fit", "bare", FORMULA], "the folder 'bare' holds no Parquet file"),
        (["fit", "*.parq", FORMULA], "there is no file '*.parq'"),
        (["fit", "https://example.org/d.csv", FORMULA], "no file of this machine"),
        (["fit", "trial.xlsx", FORMULA], "does not end in .csv, .parquet or .pq"),
        (["fit", "trial.csv", FORMULA, "--prob", "2"], "'2' is no number between 0 and 1"),
        (["fit", "trial.csv", FORMULA, "--prob", "0"], "'0' is no number between 0 and 1"),
        (["fit", "trial.csv", FORMULA, "--prob", "nan"], "'nan' is no number"),
        (["fit", "trial.csv", FORMULA, "--prob", "most"], "'most' is no number"),
        (["fit", "trial.csv", FORMULA, "--draws", "0"], "'0' is no whole number from 1 on"),
        (["fit", "trial.csv", FORMULA, "--draws", "1.5"], "'1.5' is no whole number"),
        (["fit", "trial.csv", FORMULA, "--family", "bernouli"], "Did you mean 'bernoulli'?"),
        (["fit", "trial.csv", FORMULA, "--family", "poisson(logit)"], "no link 'logit'"),
        (["fit", "trial.csv", FORMULA, "--pooling", "cauchy"], "invalid choice: 'cauchy'"),
        (["fit", "trial.csv", FORMULA, "--effect", "treated", "--scale", "odds"], "invalid choice: 'odds'"),
        (["fit", "trial.csv", FORMULA, "--groups", "all"], "invalid choice: 'all'"),
        (["fit", "trial.csv", FORMULA, "--goal", "max"], "--goal: it belongs to --effect"),
        (["fit", "trial.csv", FORMULA, "--control", "0"], "--control: it belongs to --effect"),
        (["fit", "trial.csv", FORMULA, "--by", "country,"], "names no column between two commas"),
        (["fit", "trial.csv", FORMULA, "--by", "contry"], "Did you mean 'country'?"),
        (["fit", "trial.csv", FORMULA, "--by", "country,country"], "named twice"),
        (["fit", "trial.csv", FORMULA, "--by", "size"], "no column 'size'"),
        (["fit", "trial.csv", FORMULA, "--effect", "treatd"], "Did you mean 'treated'?"),
        (["fit", "trial.csv", FORMULA, "--effect", "treated", "--by", "treated"], "is the variable of --effect"),
        (["fit", "trial.csv", FORMULA, "--effect", "treated", "--control", "2"], "no level '2'"),
        (["fit", "trial.csv", "size ~ treated", "--outcome", "q90"], "--outcome: it belongs to --effect or --by"),
        (["fit", "trial.csv", "size ~ treated", "--effect", "treated", "--outcome", "modus"], "which has 'mean'"),
        (["fit", "trial.csv", "size ~ treated", "--effect", "treated", "--parameter", "sigma"], "one value for all"),
        (["fit", "trial.csv", "size ~ treated", "--effect", "treated", "--scale", "odds_ratio"], "no odds"),
        (["fit", "trial.csv", FORMULA, "--save", "fit.pkl"], "does not end in .nc"),
        (["fit", "trial.csv", FORMULA, "--save", "nowhere/fit.nc"], "no folder 'nowhere'"),
    ],
)
def test_bad_arguments(folder, capsys, argv, words):
    refused(capsys, 2, words)(*argv)


@pytest.mark.parametrize(
    ("data", "formula", "words"),
    [
        ("trial.csv", "success ~ treatd + (1 | country)", ["no column 'treatd'", "Did you mean 'treated'?", "^^^"]),
        ("trial.csv", "success ~ treated + (1 | country", ["success ~ treated + (1 | country", "^"]),
        ("trial.csv", "success", ["no '~'", "^"]),
        ("trial.csv", "country ~ treated", ["country"]),
        ("empty.csv", FORMULA, ["'empty.csv' cannot be read"]),
        ("ragged.csv", FORMULA, ["'ragged.csv' cannot be read"]),
        ("binary.csv", FORMULA, ["'binary.csv' cannot be read"]),
        ("broken.parquet", FORMULA, ["'broken.parquet' cannot be read"]),
        (".", FORMULA, ["'.' cannot be read"]),
    ],
)
def test_what_cannot_be_fitted(folder, capsys, data, formula, words):
    refused(capsys, 1, *words)("fit", data, formula)


def test_a_caret_stands_under_the_culprit(folder, capsys):
    main(["fit", "trial.csv", "success ~ treatd + (1 | country)"])
    text, carets = capsys.readouterr().err.rstrip().split("\n")[-2:]
    assert text[carets.index("^") : carets.rindex("^") + 1] == "treatd"


def test_beta_pooling_of_more_than_groups_cannot_be_fitted(folder, capsys):
    refused(capsys, 1, "pooling='beta' is for the rates of groups alone")(
        "fit", "trial.csv", FORMULA, "--pooling", "beta"
    )


def test_ctrl_c_is_told_in_a_line(folder, capsys, monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "fit", interrupted)
    assert main(["fit", "trial.csv", FORMULA]) == 130
    assert capsys.readouterr().err == "hiermod: interrupted\n"
