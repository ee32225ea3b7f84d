"""Stored fits: exact round trips, in this process and in a new one."""

import datetime as dt
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.errors import StorageError
from hiermod.sampling.files import write_sealed
from hiermod.sampling.native import Native

QUESTIONS = """
import sys, hiermod as hm
fit = hm.load(sys.argv[1])
for groups in ("observed", "typical", "new", "population"):
    answer = fit.effect("treated", by="country", groups=groups)
    print(groups, answer.table.to_json(double_precision=15), answer.draws.to_numpy().tobytes().hex()[:4000])
print(fit.rates(by=["country", "treated"]).table.to_csv())
print(fit.best("treated").to_csv(), fit.shrinkage().to_csv(), fit.summary(), fit.check(), fit.notices)
print(fit.predict_cells(kind="response").draws.to_numpy().tobytes().hex()[:4000])
"""


def ask(path):
    run = subprocess.run([sys.executable, "-c", QUESTIONS, str(path)], capture_output=True, text=True, check=True)
    return run.stdout


def test_every_answer_is_the_same_to_the_last_bit_in_a_new_process(country_fit, tmp_path, capsys):
    path = tmp_path / "country.nc"
    country_fit.save(path)
    code = QUESTIONS.replace("hm.load(sys.argv[1])", "given").replace("import sys, hiermod as hm", "")
    exec(code, {"given": country_fit})  # the same questions, asked of the fit that was stored
    assert ask(path) == capsys.readouterr().out


def test_variables_that_are_written_in_blocks_are_the_same(country_fit, tmp_path, monkeypatch):
    path = tmp_path / "country.nc"
    variables = country_fit.posterior.data_vars.values()
    monkeypatch.setattr("hiermod.sampling.storage.LARGE", max(values.nbytes for values in variables))
    country_fit.save(path)
    loaded = hm.load(path)
    assert loaded.posterior.identical(country_fit.posterior)
    assert list(loaded.posterior) == list(country_fit.posterior)
    assert str(loaded.summary()) == str(country_fit.summary())


def test_a_stored_fit_keeps_what_it_was_asked(country_fit, tmp_path):
    country_fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    xr.testing.assert_identical(loaded.posterior, country_fit.posterior)
    xr.testing.assert_equal(loaded.idata["sample_stats"].to_dataset(), country_fit.idata["sample_stats"].to_dataset())
    pd.testing.assert_frame_equal(loaded.cells, country_fit.cells)
    pd.testing.assert_frame_equal(loaded.model.prior_summary(), country_fit.model.prior_summary())
    assert loaded.model.formula == country_fit.model.formula
    assert loaded.notices == country_fit.notices


def test_metadata_is_one_json_text_with_versions_and_seed(country_fit, tmp_path):
    country_fit.save(tmp_path / "fit.nc")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as tree:
        metadata = json.loads(tree.attrs["hiermod"])
    assert metadata["settings"]["seed"] == 1
    assert {"hiermod", "pymc", "nutpie"} <= set(metadata["versions"])
    assert metadata["definition"]["formula"] == "success ~ treated + (1 + treated | country)"


def made_up(frame, formula, rng, **options):
    """A fit whose draws are made up, with the shapes that the model needs."""
    model = hm.model(formula, frame, **options)
    shapes = {variable.name: variable.shape for variable in model._defined.spec.variables()}
    draws = {
        name: (("chain", "draw", *(f"{name}_{k}" for k in range(len(shape)))), rng.uniform(0.1, 0.9, (2, 5, *shape)))
        for name, shape in shapes.items()
    }
    return model.with_draws(xr.Dataset(draws))


LEVELS = {
    "text": ["<b>x</b>", "__import__('os')", "a|b:c"],
    "bool": [True, False, True],
    "int": [3, 10, 20],
    "date": [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2027, 5, 5)],
    "category": pd.Categorical(["z", "y", "x"], categories=["z", "y", "x"]),
}


@pytest.mark.parametrize("kind", LEVELS)
def test_levels_keep_their_types_and_order(kind, tmp_path):
    frame = pd.DataFrame({"g": LEVELS[kind], "s": [1, 2, 3], "n": [5, 6, 7]})
    fit = made_up(frame, "s/n ~ (1 | g)", np.random.default_rng(1))
    fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    before, after = fit.ranef()["g"].index, loaded.ranef()["g"].index
    assert list(before) == list(after)
    assert [type(level) for level in before] == [type(level) for level in after]
    pd.testing.assert_frame_equal(fit.best("g"), loaded.best("g"))


FAMILIES = {"negbinomial": "k", "student": "y", "gamma": "y", "beta_binomial(cloglog)": "k/n"}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_with_parameters_of_their_own_survive(family, tmp_path):
    frame = pd.DataFrame({"g": list("aabbcc") * 2, "k": [0, 3, 3, 1, 2, 5] * 2, "n": 6, "y": [1.5, 0.5, 2.0] * 4})
    fit = made_up(frame, f"{FAMILIES[family]} ~ (1 | g)", np.random.default_rng(3), family=family)
    fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    assert loaded.model.family == family
    xr.testing.assert_identical(loaded.posterior, fit.posterior)
    pd.testing.assert_frame_equal(loaded.cells, fit.cells)
    pd.testing.assert_frame_equal(loaded.model.prior_summary(), fit.model.prior_summary())
    for kind in ("mean", "response"):
        pd.testing.assert_frame_equal(loaded.predict_cells(kind=kind).table, fit.predict_cells(kind=kind).table)
    pd.testing.assert_frame_equal(loaded.shrinkage(), fit.shrinkage())
    assert str(loaded.summary()) == str(fit.summary())


def test_names_with_slashes_bars_and_spaces_survive(tmp_path):
    frame = pd.DataFrame({"a/b": [0.5, 1.5, 2.0, 3.5], "the group": list("uvuv"), "y": [1.0, 2.0, 4.0, 3.0]})
    fit = made_up(frame, "y ~ `a/b` + (1 + `a/b` | `the group`)", np.random.default_rng(2))
    fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    assert list(loaded.posterior.data_vars) == list(fit.posterior.data_vars)
    assert "a∕b" in loaded.posterior  # U+2215 stands for the slash, which NetCDF keeps for itself
    pd.testing.assert_frame_equal(loaded.fixef(), fit.fixef())


def test_beta_pooling_survives(variants_fit, tmp_path):
    variants_fit.save(tmp_path / "fit.nc")
    loaded = hm.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(loaded.best("variant"), variants_fit.best("variant"))
    pd.testing.assert_frame_equal(loaded.shrinkage(), variants_fit.shrinkage())


def test_file_reuses_a_fit_only_if_everything_is_the_same(tmp_path, capsys):
    data, path = hm.example("variants"), tmp_path / "ab.nc"
    settings = {"pooling": "beta", "seed": 3, "draws": 200, "progress": False, "file": path}

    def refit(frame=data, formula="successes/trials ~ (1 | variant)", **changes):
        fit = hm.fit(formula, frame, **{**settings, **changes})
        return fit, capsys.readouterr().err

    first, said = refit()
    assert f"stored in {path}" in said
    second, said = refit()
    assert f"reused the fit stored in {path}" in said
    pd.testing.assert_frame_equal(first.best("variant"), second.best("variant"))
    changed = data.assign(successes=data["successes"] + 1)
    for what, arguments in {"the data": {"frame": changed}, "the settings": {"seed": 4}}.items():
        _, said = refit(**arguments)
        assert f"fitted anew, {what} changed" in said
        refit()


def test_file_does_not_reuse_an_interrupted_fit_and_repeats_what_was_said(tmp_path, capsys, monkeypatch):
    path = tmp_path / "ab.nc"

    def refit():
        capsys.readouterr()
        fit = hm.fit(
            "successes/trials ~ (1 | variant)", hm.example("variants"), seed=3, draws=20, progress=False, file=path
        )
        return fit, capsys.readouterr().err

    run = Native.run
    monkeypatch.setattr(Native, "run", lambda *arguments: (run(*arguments)[0], True))
    assert "interrupted: 20 draws of 4 chains are kept" in refit()[1]
    monkeypatch.undo()
    fit, said = refit()
    assert f"fitted anew, since the fit stored in {path} was interrupted" in said
    (trouble,) = (notice for notice in fit.notices if notice.startswith("not converged"))
    said = refit()[1]
    assert f"reused the fit stored in {path}" in said
    assert said.count(trouble) == 1


def test_not_a_stored_fit(tmp_path):
    with pytest.raises(StorageError, match="There is no file"):
        hm.load(tmp_path / "nowhere.nc")
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(StorageError, match="not a NetCDF file"):
        hm.load(tmp_path / "text.nc")
    xr.Dataset({"x": ("i", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(StorageError, match="not a fit that hiermod stored"):
        hm.load(tmp_path / "other.nc")


def test_a_fit_is_not_sampled_for_a_path_that_cannot_be(tmp_path, country_fit):
    for path in (tmp_path, tmp_path / "none" / "x.nc"):
        with pytest.raises(StorageError, match=r"is a folder|is not there"):
            country_fit.save(path)
        with pytest.raises(StorageError, match=r"is a folder|is not there"):
            hm.fit("y ~ 1", None, file=path)


def test_a_damaged_file_says_so(tmp_path, country_fit):
    path = tmp_path / "fit.nc"
    country_fit.save(path)
    tree = xr.load_datatree(path, engine="h5netcdf")
    metadata = json.loads(tree.attrs["hiermod"])
    del metadata["cells"]
    tree.attrs["hiermod"] = json.dumps(metadata)
    write_sealed(tmp_path / "damaged.nc", lambda draft: tree.to_netcdf(draft, engine="h5netcdf"))
    with pytest.raises(StorageError, match="is damaged: KeyError"):
        hm.load(tmp_path / "damaged.nc")
