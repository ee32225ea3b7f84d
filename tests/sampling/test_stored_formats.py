"""Fits that were stored before load, and say what they said; `stored/make.py` made them."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.sampling.posterior import History, Rerun, Trouble
from hiermod.sampling.settings import ChosenEngine, Settings
from tests.sampling.stored.make import FITS, answers, digest, numbers, rows

STORED = Path(__file__).parent / "stored"
ASKED = Settings(100, chains=2, seed=4)
FILES = sorted(STORED.glob("*.nc"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def stored(request):
    return hm.load(request.param), json.loads(request.param.with_suffix(".json").read_text(encoding="utf-8"))


def test_each_kind_is_there():
    assert {path.stem for path in FILES} >= set(FITS)


def test_a_fit_stored_before_keeps_its_draws_and_what_was_said(stored):
    fit, told = stored
    assert digest(fit) == told["draws"]
    assert [str(name) for name in fit.posterior.data_vars] == told["variables"]
    assert [fit.posterior.sizes["chain"], fit.posterior.sizes["draw"]] == told["shape"]
    assert (fit.model.formula, fit.model.family, fit.notices) == (told["formula"], told["family"], told["notices"])
    assert fit.model.prior_summary()["prior"].tolist() == told["priors"]


def test_a_fit_stored_before_gives_the_answers_that_it_gave(stored):
    fit, told = stored
    found = {name: numbers(table) for name, table in answers(fit).items()}
    assert list(found) == list(told["answers"])
    for name, columns in told["answers"].items():
        assert [column for column in found[name] if column in columns] == list(columns), name
        for column, values in columns.items():
            before, after = (np.array(own, dtype=float) for own in (values, found[name][column]))
            np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12, err_msg=f"{name}, {column}")


@pytest.mark.parametrize("name", ["trials", "real_averaged", "values"])
def test_a_fit_stored_before_is_reused_for_the_same_call(name, tmp_path, capsys):
    path = tmp_path / "fit.nc"
    path.write_bytes((STORED / f"{name}.nc").read_bytes())
    formula, options = FITS[name]
    fit = hm.fit(formula, rows(), progress=False, file=path, **options)
    assert f"reused the fit stored in {path}" in capsys.readouterr().err
    assert digest(fit) == json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))["draws"]


def test_an_interrupted_fit_stored_before_is_known_as_such(tmp_path, capsys):
    told = {
        path.stem: json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["interrupted"] for path in FILES
    }
    assert [name for name, interrupted in told.items() if interrupted] == ["interrupted"]
    path = tmp_path / "fit.nc"
    path.write_bytes((STORED / "interrupted.nc").read_bytes())
    formula, options = FITS["interrupted"]
    fit = hm.fit(formula, rows(), progress=False, file=path, **options)
    assert f"fitted anew, since the fit stored in {path} was interrupted" in capsys.readouterr().err
    assert not any(notice.startswith("interrupted") for notice in fit.notices)


COMPILED = ChosenEngine("compiled")
RAISED = "sampled again with target_accept 0.99 (9 divergences)"
TOLD = {  # the history that notices of format 3 tell
    History(ASKED, COMPILED): ["engine: compiled"],
    History(ASKED, ChosenEngine("pymc", "pooling='beta' is not covered"), (Rerun(Trouble(9), 0.99),), kept=2): [
        "engine: PyMC (pooling='beta' is not covered)", RAISED,
    ],
    History(
        ASKED, COMPILED, (Rerun(Trouble(1, 1.02, 87.0), 0.99, 200), Rerun(Trouble(0, 1.012, 391.0), None, 800)), kept=2
    ): [
        "engine: compiled",
        "sampled again with target_accept 0.99 and 200 draws (1 divergence, R-hat 1.020, ESS 87)",
        "sampled again with 800 draws (R-hat 1.012, ESS 391)",
        "kept run 2 of 3, 13 draws of each chain: later ones were worse",
    ],
    History(ASKED, COMPILED, (Rerun(Trouble(9), 0.99),), "No step.\nNone at all."): [
        "engine: compiled", RAISED, "the rerun failed, so that the run before is kept: No step.\nNone at all.",
    ],
    History(ASKED, COMPILED, (Rerun(Trouble(9), 0.99),), kept=1, interrupted=True): [
        "engine: compiled", RAISED, "interrupted: 13 draws of 2 chains are kept",
    ],
    History(ASKED, COMPILED, (Rerun(Trouble(0, 1.3, 20.0), None, 200),), kept=2, interrupted=True): [
        "engine: compiled", "sampled again with 200 draws (R-hat 1.300, ESS 20)",
        "interrupted: 13 draws of 2 chains are kept",
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", TOLD)
def test_notices_of_format_3_tell_the_history(history, tmp_path):
    before = hm.load(STORED / "trials.nc").sampled_posterior
    settings = replace(before.settings, draws=100 if history.kept == 1 else 200)
    notices = [*TOLD[history], "not converged: R-hat 1.294, ESS 12: see fit.check() for what to do"]
    path = changed(tmp_path, run_notices=notices, asked=asdict(ASKED), settings=asdict(settings))
    loaded = hm.load(path).sampled_posterior
    assert loaded.history == history
    assert loaded.notices == tuple(notices)


def changed(folder, **metadata):
    """A file of format 3 with other metadata."""
    tree = xr.load_datatree(STORED / "trials.nc", engine="h5netcdf")
    tree.attrs["hiermod"] = json.dumps({**json.loads(tree.attrs["hiermod"]), **metadata})
    tree.to_netcdf(folder / "changed.nc", engine="h5netcdf")
    return folder / "changed.nc"


def test_a_fit_stored_before_is_the_same_when_stored_again(stored, tmp_path):
    fit, _ = stored
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    xr.testing.assert_identical(again.idata, fit.idata)
    pd.testing.assert_frame_equal(again.cells, fit.cells)
    before, after = fit.sampled_posterior, again.sampled_posterior
    assert (after.history, after.settings, repr(after.diagnostics)) == (
        before.history,
        before.settings,
        repr(before.diagnostics),
    )
    assert again.notices == fit.notices
    assert after.stored == tmp_path / "fit.nc"


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(hm.errors.StorageError, match="has format 2; this version of hiermod reads formats 3, 4 and 5"):
        hm.load(changed(tmp_path, format=2))
