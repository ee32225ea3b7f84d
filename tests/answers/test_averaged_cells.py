"""Answers on cells that average over predictors are those on rows, given the same draws."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.data.pushdown import gather
from hiermod.errors import AnswerError, HiermodError
from hiermod.sampling import run, storage

TEXT = "y ~ treated*x*z + log(p) + f + offset(o) + (1 + treated + x | g)"


def frame_of(size=900):
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "treated": rng.integers(0, 2, size),
            "x": rng.normal(2.0, 1.0, size),
            "z": rng.normal(size=size),
            "p": rng.gamma(2.0, 1.0, size) + 0.1,
            "o": rng.normal(size=size),
            "f": rng.choice(["a", "b"], size),
            "g": rng.choice(list("stuv"), size),
            "w": rng.integers(1, 4, size),
            "y": 5.0 + rng.normal(size=size),
        }
    )


FRAME = frame_of()


@pytest.fixture(scope="module")
def fits():
    """The same draws on rows and on cells."""
    rows, cells = (hm.model(TEXT, FRAME, compress=compress) for compress in (False, True))
    fit = rows.fit(draws=50, tune=100, chains=2, seed=1, progress=False, target_accept=0.8)
    assert len(cells.cells) == 16
    return fit, cells.with_draws(fit.idata)


def same(one, other):
    pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9, check_dtype=False)


@pytest.mark.parametrize("groups", ["observed", "typical", "population"])
def test_rates_and_effects(fits, groups):
    rows, cells = fits
    for by in (None, "f", ["f", "treated"]):
        same(cells.rates(by, groups=groups).table, rows.rates(by, groups=groups).table)
    for by in (None, "f"):
        same(cells.effect("treated", by=by, groups=groups).table, rows.effect("treated", by=by, groups=groups).table)
    same(cells.rates("g").table, rows.rates("g").table)
    same(cells.effect("f", scale="link").table, rows.effect("f", scale="link").table)
    same(cells.best("f"), rows.best("f"))


@pytest.mark.parametrize("groups", ["observed", "typical", "population"])
def test_given_values_and_slopes_go_back_to_the_rows(fits, groups):
    rows, cells = fits
    same(
        cells.rates({"x": [0, 2.5], "f": None}, groups=groups).table,
        rows.rates({"x": [0, 2.5], "f": None}, groups=groups).table,
    )
    same(
        cells.effect("treated", at={"x": 1}, groups=groups).table,
        rows.effect("treated", at={"x": 1}, groups=groups).table,
    )
    same(cells.slopes("x", by="f", groups=groups).table, rows.slopes("x", by="f", groups=groups).table)
    for given in ({}, {"data": FRAME}):
        same(cells.slopes("p", groups=groups, **given).table, rows.slopes("p", groups=groups).table)
        same(cells.rates({"p": [1, 2]}, **given).table, rows.rates({"p": [1, 2]}).table)


def test_estimates(fits):
    rows, cells = fits
    same(cells.shrinkage(), rows.shrinkage())
    same(cells.fixef(), rows.fixef())
    same(cells.varcorr(), rows.varcorr())


def test_predictions_of_new_rows(fits):
    rows, cells = fits
    new = FRAME.iloc[:7].assign(x=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    for kind in ("mean", "link"):
        same(cells.predict(new, kind=kind).table, rows.predict(new, kind=kind).table)
    same(cells.rates("f", data=new).table, rows.rates("f", data=new).table)


def test_predictions_of_the_fitted_rows_are_of_rows(fits):
    rows, cells = fits
    one, other = cells.predict_cells().table, rows.predict_cells().table
    assert len(one) == len(other) == len(FRAME)
    keys = ["x", "z"]
    left, right = (own.sort_values(keys, ignore_index=True)["estimate"] for own in (one, other))
    np.testing.assert_allclose(left, right, rtol=1e-9)


def test_leave_one_out(fits):
    rows, cells = (fit.loo() for fit in fits)
    np.testing.assert_allclose([cells.elpd, cells.se, cells.p], [rows.elpd, rows.se, rows.p], rtol=1e-9)


def test_a_number_that_cells_average_over_is_not_asked_by(fits):
    with pytest.raises(AnswerError, match="'x' has 900 distinct numbers, too many for a line each"):
        fits[1].rates(by="x")
    grid = fits[1].rates("x")
    np.testing.assert_allclose(grid.draws, fits[1].rates({"x": grid.table["x"].tolist()}).draws, rtol=1e-12)
    assert 10 <= len(grid.table) <= 22


def test_a_stored_fit_gives_the_same(fits, tmp_path):
    fits[1].save(tmp_path / "averaged.nc")
    loaded = hm.load(tmp_path / "averaged.nc")
    same(loaded.rates(["f", "g"]).table, fits[1].rates(["f", "g"]).table)
    same(loaded.predict_cells().table, fits[1].predict_cells().table)
    pd.testing.assert_frame_equal(loaded.cells, fits[1].cells)
    assert loaded.loo().elpd == fits[1].loo().elpd


def test_a_stored_fit_is_not_reused_for_other_numbers(tmp_path):
    path, settings = tmp_path / "fit.nc", {"draws": 10, "tune": 20, "chains": 1, "seed": 1, "progress": False}
    hm.fit("y ~ x", FRAME, file=path, **settings)
    again = hm.fit("y ~ x", FRAME.sample(frac=1.0, random_state=1), file=path, **settings)
    assert not any("fitted anew" in notice for notice in again.notices)
    before = storage.load(path).defined.spec.cells.source.fingerprint
    hm.fit("y ~ x", FRAME.assign(x=FRAME["x"] + 1e-9), file=path, **settings)
    assert storage.load(path).defined.spec.cells.source.fingerprint != before


def test_the_order_of_levels_is_part_of_the_data():
    from hiermod.data.cells.rows import read_rows
    from hiermod.formula.parser import parse

    kinds = [(["a", "b"], False), (["b", "a"], False), (["b", "a"], True)]
    frames = [FRAME.assign(f=pd.Categorical(FRAME["f"], categories=levels, ordered=own)) for levels, own in kinds]
    assert len({read_rows(parse("y ~ f"), frame).source.fingerprint for frame in frames}) == 3


def test_what_an_engine_left_behind_is_refused_where_it_is_needed(monkeypatch):
    import polars as pl

    monkeypatch.setattr(gather, "LARGE", 0)
    model = hm.model(TEXT, pl.from_pandas(FRAME).lazy())
    rows = hm.model(TEXT, FRAME, compress=False)
    draws = rows.fit(draws=20, tune=20, chains=2, seed=1, progress=False, target_accept=0.8)
    fit = model.with_draws(draws.idata)
    same(fit.effect("treated", by="f").table, draws.effect("treated", by="f").table)
    assert len(fit.predict_cells().table) == len(fit.cells)
    with pytest.raises(AnswerError, match="these rows were aggregated where the data is"):
        fit.loo()
    with pytest.raises(HiermodError, match="aggregated where the data is"):
        model.bambi()


def test_the_summary_says_how_many_rows_are_how_many_cells(country_fit):
    assert "400 rows in 4 cells" in str(country_fit.summary())
    assert list(country_fit.cells["trials"]) == [100] * 4


def test_very_many_draws_are_kept_in_single_precision(monkeypatch):
    monkeypatch.setattr(run, "LARGE", 100)
    settings = {"draws": 50, "tune": 50, "chains": 2, "seed": 1, "progress": False}
    small = hm.fit("incidence/size ~ 1 + (1 | herd)", hm.example("cbpp"), **settings)
    assert small.posterior["1|herd"].dtype == np.float32
    assert small.posterior["1|herd_sigma"].dtype == np.float64
    monkeypatch.setattr(run, "LARGE", 10**9)
    full = hm.fit("incidence/size ~ 1 + (1 | herd)", hm.example("cbpp"), **settings)
    assert full.posterior["1|herd"].dtype == np.float64
    np.testing.assert_allclose(small.rates("herd").table["estimate"], full.rates("herd").table["estimate"], rtol=1e-6)
