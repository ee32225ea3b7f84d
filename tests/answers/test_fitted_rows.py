"""Predictions of the fitted rows: one for each row of the data, under its index, those left out missing."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.errors import AnswerError

FORMULAS = {
    "bernoulli": "s ~ x + (1 | g)", "binomial": "s/n ~ x + (1 | g)", "poisson": "n ~ x + offset(log(e)) + (1 | g)",
    "gaussian": "y ~ x + k + (1 | g)",
}  # fmt: skip


def frame_of(rows, rng):
    return pd.DataFrame(
        {
            "s": rng.integers(0, 2, rows), "n": rng.integers(1, 4, rows), "x": rng.integers(0, 3, rows),
            "y": rng.normal(size=rows), "g": rng.choice(list("abc"), rows), "k": rng.choice(["u", "v"], rows),
            "e": rng.integers(1, 3, rows).astype(float), "other": 1,
        },
        index=rng.permutation(rows) + 100,
    )  # fmt: skip


def fit_of(family, data, **options):
    """A fit of random coefficients: nothing is sampled."""
    model = hm.model(FORMULAS[family], data, family, **options)
    prior = model.sample_prior(4, seed=1).prior
    return model.with_draws(prior)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(FORMULAS)), st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans())
def test_every_row_has_the_prediction_of_its_own_values(family, seed, gaps, compress):
    rng = np.random.default_rng(seed)
    data = frame_of(30, rng)
    if family == "binomial":
        data.loc[data.index[:2], "n"] = [0, 1]
        data["s"] = np.minimum(data["s"], data["n"])
    gone = rng.choice(30, gaps, replace=False)
    data["x"] = data["x"].astype("Int64").mask(np.isin(np.arange(30), gone))
    fit = fit_of(family, data, compress=compress)
    answer = fit.predict()
    used = ~np.isin(np.arange(30), gone) & ((data["n"] > 0) if family == "binomial" else True)
    assert answer.table.index.equals(data.index)
    np.testing.assert_array_equal(answer.table["row_number"], np.arange(30))
    np.testing.assert_array_equal(answer.table["estimate"].notna(), used)
    np.testing.assert_array_equal(np.isfinite(answer.draws).all(("chain", "draw")), used)
    expected = fit.predict(data[used])
    np.testing.assert_allclose(answer.draws.to_numpy()[..., used], expected.draws, rtol=1e-12)
    data["fitted"] = answer.table["estimate"]
    np.testing.assert_allclose(data["fitted"][used], expected.table["estimate"], rtol=1e-12)
    assert data["fitted"][~used].isna().all()


def test_cells_have_a_name_of_their_own():
    data = frame_of(60, np.random.default_rng(1))
    fit = fit_of("bernoulli", data)
    cells = fit.predict_cells()
    assert len(cells.table) == len(fit.cells) < len(fit.predict().table) == 60
    first = fit.predict().table.merge(cells.table, on=["x", "g"])
    np.testing.assert_allclose(first["estimate_x"], first["estimate_y"], rtol=1e-12)


def test_rows_of_any_frame_are_numbered_where_they_have_no_index():
    data = frame_of(20, np.random.default_rng(2))
    one, other = fit_of("gaussian", data), fit_of("gaussian", pl.from_pandas(data))
    np.testing.assert_allclose(one.predict().table["estimate"], other.predict().table["estimate"], rtol=1e-12)
    assert list(other.predict().table.index) == list(range(20))


def test_rows_that_were_left_out_are_shown_as_they_are():
    data = frame_of(12, np.random.default_rng(3)).astype({"x": float})
    data.iloc[4, data.columns.get_loc("x")] = np.nan
    table = fit_of("bernoulli", data).predict().table
    assert table["g"].astype(str).tolist() == data["g"].tolist()
    assert np.isnan(table["x"].iloc[4])
    assert repr(fit_of("bernoulli", data).predict()).count(" nan") == 4  # x, estimate, lower, upper


def test_rows_that_are_not_there_any_more_are_said(tmp_path):
    data = frame_of(20, np.random.default_rng(4))
    fit = fit_of("bernoulli", data)
    fit.save(tmp_path / "fit.nc")
    with pytest.raises(AnswerError, match=r"not known any more: give them, fit.predict\(data\), or fit.predict_cells"):
        hm.load(tmp_path / "fit.nc").predict()
    data.iloc[:3, data.columns.get_loc("g")] = None
    with pytest.raises(AnswerError, match="The data has changed: 20 rows were fitted, of which 17 are left"):
        fit.predict()


def test_too_many_predictions_are_refused_before_memory_is_short(monkeypatch):
    monkeypatch.setattr("hiermod.answers.estimands.fitted.MOST_PREDICTIONS", 70)
    fit = fit_of("bernoulli", frame_of(20, np.random.default_rng(5)))
    with pytest.raises(AnswerError, match=r"4 draws for each of 20 rows are too many to hold: fit.predict_cells\(\)"):
        fit.predict()


def test_units_take_the_place_of_the_exposure_of_rows():
    data = frame_of(20, np.random.default_rng(6))
    counts, values = fit_of("poisson", data), fit_of("gaussian", data)
    per_unit = counts.predict(per=1).draws.to_numpy()
    np.testing.assert_allclose(counts.predict().draws, per_unit * data["e"].to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(counts.predict(data.drop(columns="e"), per=1000).draws, 1000.0 * per_unit, rtol=1e-12)
    cells = counts.predict().table.merge(counts.predict_cells(per=2).table, on=["x", "g", "e"])
    np.testing.assert_allclose(2.0 * cells["estimate_x"] / cells["e"], cells["estimate_y"], rtol=1e-12)
    np.testing.assert_allclose(values.predict(per=2).draws, 2.0 * values.predict().draws.to_numpy(), rtol=1e-12)
    assert counts.predict(per=1000).question.measure.name == "n per 1,000 e"
    for kind in ("link", "response"):
        with pytest.raises(AnswerError, match=f"per=2 is of means, and kind='{kind}' asks for none"):
            counts.predict(kind=kind, per=2)


def test_rows_of_one_unseen_group_are_told_of_those_that_were_fitted():
    fit = fit_of("bernoulli", frame_of(20, np.random.default_rng(7)))
    unseen = fit.predict(fit.data.drop(columns="g"), groups="new")
    np.testing.assert_allclose(fit.predict(groups="new").draws, unseen.draws, rtol=1e-12)
