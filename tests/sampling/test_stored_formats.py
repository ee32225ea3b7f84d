"""Fits that were stored before load, and say what they said; `stored/make.py` made them."""

import json
from pathlib import Path

import numpy as np
import pytest

import hiermod as hm
from tests.sampling.stored.make import FITS, answers, digest, numbers, rows

STORED = Path(__file__).parent / "stored"
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
        assert list(found[name]) == list(columns), name
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
