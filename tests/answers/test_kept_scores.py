"""Scores that take long are computed once: in memory for a fit, and beside its file for the next session."""

import gc
import os

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.answers.scoring import held_out, leave_one_out
from hiermod.answers.scoring.kept import MEMORY
from hiermod.answers.scoring.validation import Design
from hiermod.errors import AnswerError, StorageError
from hiermod.interface import comparison
from hiermod.interface import fit as fit_module

QUICK = {"draws": 200, "chains": 2, "seed": 1, "progress": False}


@pytest.fixture
def counted(monkeypatch):
    """How often a density of all rows was asked for, and how many fits were run."""
    seen = {"densities": 0, "fits": 0}
    densities, run = leave_one_out.log_densities, held_out.Refit.run

    def count_densities(*arguments):
        seen["densities"] += 1
        return densities(*arguments)

    def count_fits(refit):
        seen["fits"] += 1
        return run(refit)

    monkeypatch.setattr(leave_one_out, "log_densities", count_densities)
    monkeypatch.setattr(held_out.Refit, "run", count_fits)
    return seen


def data_of(seed=1):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"x": rng.normal(size=60), "g": rng.choice(list("abcd"), 60)})
    return data.assign(y=data["x"] + rng.normal(size=60))


def test_a_fit_remembers_its_scores(counted):
    fit = hm.fit("y ~ x + (1 | g)", data_of(), **QUICK)
    first = fit.loo(), fit.kfold(3, progress=False), fit.logo(progress=False), fit.logo(score="rows", progress=False)
    done = dict(counted)
    assert done["densities"] == 1
    assert done["fits"] >= 3
    again = fit.loo(), fit.kfold(3, progress=False), fit.logo(progress=False), fit.logo(score="rows", progress=False)
    assert counted == done
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one.pointwise, other.pointwise)
    fit.kfold(3, seed=5, progress=False)
    assert counted["fits"] == done["fits"] + 3


def test_what_a_user_does_to_a_table_is_not_remembered():
    fit = hm.fit("y ~ x", data_of(), **QUICK)
    expected = fit.loo().elpd
    table = fit.loo().pointwise
    table["elpd"] = 0.0
    fit.loo(max_refits=2, progress=False)
    assert fit.loo().elpd == expected
    assert (fit.loo().pointwise["elpd"] != 0.0).all()


def test_scores_are_forgotten_with_the_model():
    fit = hm.fit("y ~ x", data_of(), **QUICK)
    fit.loo()
    gc.collect()
    before = len(MEMORY)
    del fit
    gc.collect()
    assert len(MEMORY) < before


def both(folder):
    data = data_of()
    files = {name: folder / f"{name}.nc" for name in ("x", "none")}
    fits = {
        "x": hm.fit("y ~ x + (1 | g)", data, file=files["x"], **QUICK),
        "none": hm.fit("y ~ 1 + (1 | g)", data, file=files["none"], **QUICK),
    }
    methods = [hm.compare(fits, method=method, k=2, progress=False).table for method in ("loo", "kfold", "logo")]
    return fits, methods


def test_a_second_session_finds_the_scores_beside_the_file(tmp_path, counted, capsys):
    _, first = both(tmp_path)
    assert (tmp_path / "x.nc.scores").is_dir()
    done = dict(counted)
    MEMORY.clear()
    capsys.readouterr()
    fits, second = both(tmp_path)
    assert counted == done
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)
    said = capsys.readouterr().err
    assert f"reused 4 of 4 folds kept in {tmp_path / 'none.nc.scores'}, {tmp_path / 'x.nc.scores'}" in said
    assert fits["x"].data is not None


def test_a_finished_rerun_samples_and_scores_nothing(tmp_path, counted, monkeypatch):
    """The promise itself, in counted work: fits, densities of rows and refits, summaries and comparisons as before."""
    sampled, run = [], fit_module.sample

    def count_runs(*arguments):
        sampled.append(1)
        return run(*arguments)

    monkeypatch.setattr(fit_module, "sample", count_runs)
    seen, printed = [], []
    for _ in range(2):
        MEMORY.clear()
        fits, tables = both(tmp_path)
        rest = [
            fits["x"].loo(max_refits=2, progress=False).pointwise,
            fits["x"].logo(score="rows", progress=False).pointwise,
        ]
        printed.append([repr(fits["x"].summary()), *(table.to_string() for table in (*tables, *rest))])
        seen.append((len(sampled), dict(counted)))
    assert seen[0] == seen[1]
    assert seen[0][0] == 2
    assert printed[0] == printed[1]


@pytest.fixture
def sampled(monkeypatch):
    """The formulas that were fitted in a comparison, and after how many of them it is stopped."""
    seen, run = {"formulas": [], "stop": 99}, comparison._sampled

    def count_fits(task):
        if len(seen["formulas"]) == seen["stop"]:
            raise KeyboardInterrupt
        seen["formulas"].append(str(task[0].formula))
        return run(task)

    monkeypatch.setattr(comparison, "_sampled", count_fits)
    return seen


FORMULAS = ["y ~ x + (1 | g)", "y ~ 1 + (1 | g)", "y ~ x"]


@pytest.mark.parametrize("method", ["loo", "kfold", "logo"])
def test_a_comparison_of_formulas_is_found_again_in_its_folder(tmp_path, counted, sampled, method):
    asked = {"method": method, "k": 2, "group": "g" if method == "logo" else None, "folder": tmp_path / "kept", **QUICK}
    first = hm.compare(FORMULAS, data_of(), **asked)
    done = dict(counted)
    MEMORY.clear()
    again = hm.compare(FORMULAS, data_of(), **asked)
    assert (len(sampled["formulas"]), counted) == (3, done)
    pd.testing.assert_frame_equal(first.table, again.table)
    hm.compare(FORMULAS, data_of(3), **asked)
    assert len(sampled["formulas"]) == 6
    hm.compare(FORMULAS, data_of(3), priors={"sigma": "HalfNormal(2)"}, **asked)
    assert len(sampled["formulas"]) == 9


def test_a_comparison_that_was_stopped_goes_on_where_it_was(tmp_path, sampled):
    sampled["stop"] = 2
    with pytest.raises(KeyboardInterrupt):
        hm.compare(FORMULAS, data_of(), folder=tmp_path, **QUICK)
    sampled["stop"] = 99
    table = hm.compare(FORMULAS, data_of(), folder=tmp_path, **QUICK).table
    assert len(sampled["formulas"]) == 3
    assert sorted(table.index) == sorted(FORMULAS)


def test_a_folder_that_cannot_be_is_refused_before_sampling(tmp_path, sampled):
    (tmp_path / "there").write_text("in the way")
    with pytest.raises(StorageError, match="Fits cannot be kept in"):
        hm.compare(FORMULAS, data_of(), folder=tmp_path / "there", **QUICK)
    assert not sampled["formulas"]
    fits = {name: hm.fit(name, data_of(), **QUICK) for name in FORMULAS[:2]}
    with pytest.raises(AnswerError, match="folder= is for formulas, and all models here are fitted"):
        hm.compare(fits, folder=tmp_path)


def test_a_new_fit_in_the_file_has_scores_of_its_own(tmp_path):
    fits, _ = both(tmp_path)
    old = fits["x"].loo().elpd
    again = hm.fit("y ~ x + (1 | g)", data_of(9), file=tmp_path / "x.nc", **QUICK)
    assert not list((tmp_path / "x.nc.scores").glob("*.npz"))
    assert again.loo().elpd != old


def test_a_loaded_fit_makes_no_folder(tmp_path):
    hm.fit("y ~ x", data_of(), **QUICK).save(tmp_path / "fit.nc")
    hm.load(tmp_path / "fit.nc").loo()
    assert os.listdir(tmp_path) == ["fit.nc"]


def test_where_no_folder_can_be_made_nothing_is_kept(tmp_path):
    (tmp_path / "fit.nc.scores").write_text("in the way")
    fit = hm.fit("y ~ x", data_of(), file=tmp_path / "fit.nc", **QUICK)
    assert fit.loo().n == 60


@pytest.mark.parametrize("method", ["loo", "kfold"])
def test_scores_that_cannot_be_kept_are_in_memory_and_it_goes_on(tmp_path, monkeypatch, capsys, method):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hiermod.answers.scoring.kept._write", full)
    fits = {name: hm.model(name, data_of()).fit(**QUICK) for name in FORMULAS[:2]}
    runs = held_out.Runs(False, tmp_path, print)
    found = comparison.compare_fits(fits, None, Design(method, 3, seed=1), runs)
    said = capsys.readouterr().out
    assert said.count(f"scores cannot be kept in {tmp_path}: No space left on device") == 1
    assert found.table["elpd"].notna().all()
