"""``hiermod compare`` on files written here: tables, failures, interruptions, TOML."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from compare_tools import PLAIN, POOLED, QUICK, rows_of, run

import hiermod as hm
from hiermod.cli import compare
from hiermod.errors import InterruptedSamplingError


def test_the_table_is_that_of_hm_compare(trial, tmp_path):
    done = run("compare", trial, f"plain={PLAIN}", f"pooled = {POOLED}", "--out", tmp_path / "table.csv", *QUICK)
    assert done.code == 0, done.err
    assert "hiermod: pooled (2 of 2)" in done.err
    assert done.out.startswith("leave-one-out, 400 rows;")
    fits = {name: hm.fit(text, trial, draws=150, seed=1, progress=False) for name, text in
            (("plain", PLAIN), ("pooled", POOLED))}  # fmt: skip
    expected = hm.compare(fits, trial, progress=False).table
    rows = rows_of(tmp_path / "table.csv")
    assert [row["model"] for row in rows] == list(expected.index)
    for row in rows:
        np.testing.assert_allclose(float(row["elpd"]), expected.loc[row["model"], "elpd"], rtol=1e-9)
        assert row["verdict"] == expected.loc[row["model"], "verdict"]


def test_a_second_run_fits_nothing(trial, tmp_path, monkeypatch):
    first = run("compare", trial, PLAIN, POOLED, "--out", tmp_path / "table.json", *QUICK)
    monkeypatch.setattr("hiermod.interface.fit.Model.sampled", None)
    again = run("compare", trial, PLAIN, POOLED, "--out", tmp_path / "table.json", *QUICK)
    assert (first.code, again.code) == (0, 0), again.err
    assert again.out == first.out
    assert again.err.count("reused the fit stored in") == 2
    (found,) = json.loads((tmp_path / "table.json").read_text())
    assert [model["rank"] for model in found["models"]] == [0, 1]
    assert found["models"][0]["p_worse"] is None


def test_a_model_that_fails_leaves_the_others_their_table(trial, tmp_path):
    done = run("compare", trial, PLAIN, "success ~ tretaed", POOLED, "--out", tmp_path / "table.md", *QUICK)
    assert done.code == 1
    text = (tmp_path / "table.md").read_text()
    assert "| success ~ tretaed |" in text
    assert "not compared: There is no column 'tretaed' in the data. Did you mean 'treated'?" in text
    assert "success ~ treated + (1 \\| country)" in text
    assert "success ~ tretaed: not compared" in done.out


@pytest.mark.parametrize("error", [KeyboardInterrupt, InterruptedSamplingError])
def test_an_interrupted_run_goes_on(trial, tmp_path, monkeypatch, error):
    from hiermod.interface.fit import Model

    plain = Model.sampled

    def interrupted(self, settings, progress):
        if "country" in self.formula:
            raise error
        return plain(self, settings, progress)

    monkeypatch.setattr(Model, "sampled", interrupted)
    stopped = run("compare", trial, PLAIN, POOLED, "--out", tmp_path / "table.csv", *QUICK)
    assert stopped.code == 130
    assert "finished fits and folds are kept in" in stopped.err
    assert len(list((tmp_path / "table.csv.fits").iterdir())) == 1
    monkeypatch.setattr(Model, "sampled", plain)
    done = run("compare", trial, PLAIN, POOLED, "--out", tmp_path / "table.csv", *QUICK)
    assert done.code == 0
    assert done.err.count("reused the fit stored in") == 1


def test_many_comparisons_in_a_file(trial, tmp_path):
    (tmp_path / "trial.csv").write_bytes(trial.read_bytes())
    (tmp_path / "all.toml").write_text(f"""
data = "trial.csv"
draws = 150
seed = 1
out = "tables.csv"

[comparisons.treatment]
models = {{ none = "success ~ 1", plain = "{PLAIN}" }}

[comparisons.countries]
method = "logo"
group = "country"
models = ["{PLAIN}", "{POOLED}"]
""")
    done = run("compare", tmp_path / "all.toml", "--no-progress")
    assert done.code == 0, done.err
    rows = rows_of(tmp_path / "tables.csv")
    assert [row["comparison"] for row in rows] == ["treatment"] * 2 + ["countries"] * 2
    assert [row["caution"][:13] for row in rows] == [""] * 2 + ["2 groups only"] * 2
    assert "treatment:\nleave-one-out, 400 rows" in done.out
    assert "countries:\nleave-one-group-out, 2 groups" in done.out
    assert "hiermod: countries: " in done.err


WRONG = [
    ('data = "trial.csv"\nfamly = "gaussian"', r"the top: there is no key 'famly'. Did you mean 'family'?"),
    ("[comparisons.a]\nmodels = ['y ~ 1', 'y ~ x']", "[comparisons.a]: the key 'data' is missing."),
    ('data = "t.csv"\nmodels = ["y ~ 1"]', "two models at least are compared."),
    ('data = "t.csv"\nmodels = ["y ~ 1", 3]', "3 is no formula in quotes."),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nmethod = "waic"', "there is 'loo', 'kfold' and 'logo'"),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nk = "ten"', "k = 'ten' is of the wrong kind."),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nout = "table.xls"', "does not end in .csv, .json or .md."),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nfamily = "gausian"', "Did you mean 'gaussian'"),
    ('data = "nothing.csv"\nmodels = ["y ~ 1", "y ~ x"]', "There is no file"),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nmethod = "logo"\ngroup = "gg"',
     "group: the data has no column 'gg'."),
    ('data = "t.csv"\nmodels = ["y ~ 1", "y ~ x"]\nmethod = "kfold"\nk = 1',
     "k=1: a whole number from 2 on is needed."),
    ('data = "t.csv"\n[comparisons.a]\nmethod = "kfold"\nby = ["g", 3]\nmodels = ["y ~ 1", "y ~ x"]',
     "[comparisons.a]: by: the data has no column 3."),
    ("data = " + "[" * 5000 + "]" * 5000, "its brackets are nested too deep"),
    ("draws = " + "9" * 5000, "is no TOML file"),
    ('data = "t\\u0000.csv"\nmodels = ["y ~ 1", "y ~ x"]', "has a character that no file's name can have"),
    ("data = ", "is no TOML file"), ("comparisons = 3", "comparisons are tables: [comparisons.NAME]."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_files(tmp_path, text, message):
    (tmp_path / "all.toml").write_text(text)
    (tmp_path / "t.csv").write_text("y,x,g\n1,2,a\n")
    done = run("compare", tmp_path / "all.toml")
    assert done.code == 2
    assert message in done.err
    assert not done.out


def test_wrong_arguments(trial, tmp_path):
    for arguments, message in (
        ((trial, PLAIN), "Two formulas at least are compared"),
        ((trial, PLAIN, POOLED, "--out", "table.xls"), "does not end in .csv, .json or .md"),
        ((trial, PLAIN, POOLED, "--group", "country"), "group= belongs to method='logo'"),
        ((trial, PLAIN, PLAIN), f"two models are called '{PLAIN}'"),
        ((trial, PLAIN, POOLED, "--method", "logo", "--group", "contry"), "Did you mean 'country'?"),
        (("nothing.toml",), "there is no file 'nothing.toml'"),
        ((trial, PLAIN, POOLED, "--family", "gausian"), "Did you mean 'gaussian'"),
    ):
        done = run("compare", *arguments)
        assert (done.code, done.out) == (2, ""), done.err
        assert message in done.err


def test_fits_of_one_name_are_told_apart():
    names = {
        compare._file_name(SimpleNamespace(data=data, family=family, settings=1), formula)
        for data in ("a", "b") for family in (None, "poisson") for formula in ("y ~ 1", "y ~ x")
    }  # fmt: skip
    assert len(names) == 8


def test_names_before_formulas():
    from hiermod.cli.comparisons import _models

    named = _models("", ["one rate=y ~ 1", "two = y ~ x", "y ~ x + z", "`a=b` ~ x"])
    assert named == {"one rate": "y ~ 1", "two": "y ~ x", "y ~ x + z": "y ~ x + z", "`a=b` ~ x": "`a=b` ~ x"}


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 3)])
def test_models_that_have_not_converged_are_named(tmp_path, strict, code):
    (tmp_path / "counts.csv").write_text("s,n,v\n5,9,a\n6,9,b\n3,9,c\n")
    few = ("--draws", "30", "--seed", "1", "--no-progress", "--out", tmp_path / "table.json")
    done = run("compare", tmp_path / "counts.csv", "s/n ~ v", "s/n ~ 1", *few, *strict)
    assert done.code == code, done.err
    assert "s/n ~ v: Not converged, so that numbers may be others in another run: R-hat" in done.out
    (found,) = json.loads((tmp_path / "table.json").read_text())
    assert [model["converged"] for model in found["models"]] == [False, False]
