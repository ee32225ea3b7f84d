"""Spellings of other packages whose meaning hangs on the data or the family: each is the model that is written out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hiermod as hm
from hiermod.data.pushdown import tally
from hiermod.errors import DataError, FormulaError

ROWS = 60


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.normal(5.0, 1.0, ROWS).round(3), "x": rng.uniform(0.5, 4.0, ROWS).round(3)})
    frame["z"] = rng.normal(size=ROWS).round(3)
    frame["k"] = rng.poisson(3.0, ROWS)
    frame["b"] = rng.integers(0, 2, ROWS)
    frame["f"] = rng.choice(list("abc"), ROWS)
    frame["g"] = np.repeat(list("uvwxyz"), ROWS // 6)
    frame["use"] = pd.Categorical(np.where(frame["b"] == 1, "Y", "N"))
    frame["text"] = frame["use"].astype(str)
    return frame


def same_density(one, other):
    """Two models have one log density, at points where all their parameters differ."""
    ours, theirs = one.pymc(), other.pymc()
    density, expected = (model.compile_logp() for model in (ours, theirs))
    rng = np.random.default_rng(1)
    for _ in range(3):
        point = {name: rng.normal(0.0, 0.3, np.shape(value)) for name, value in ours.initial_point().items()}
        np.testing.assert_allclose(density(point), expected(dict(point)), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "family", "column", "spelled"),
    [
        ("y ~ I(b == 1)", "gaussian", lambda d: d["b"] == 1, "y ~ v"),
        ("y ~ I(f == 'a')*x", "gaussian", lambda d: d["f"] == "a", "y ~ v*x"),
        ("y ~ I('a' != f) + x", "gaussian", lambda d: d["f"] != "a", "y ~ v + x"),
        ("y ~ 0 + I(x > 2) + (I(x > 2) | g)", "gaussian", lambda d: d["x"] > 2, "y ~ 0 + v + (v | g)"),
        ("y ~ I((x <= z + 2)*z)", "gaussian", lambda d: (d["x"] <= d["z"] + 2) * d["z"], "y ~ v"),
        ("y ~ I(use == 'Y')", "gaussian", lambda d: d["use"] == "Y", "y ~ v"),
        ("y ~ {x >= 2}", "gaussian", lambda d: d["x"] >= 2, "y ~ v"),
        ("(k > 3) ~ x", None, lambda d: d["k"] > 3, "v ~ x"),
        ("k < 3 ~ x + (1 | g)", "bernoulli", lambda d: d["k"] < 3, "v ~ x + (1 | g)"),
        ("factor(k > 3) ~ x", "binomial", lambda d: d["k"] > 3, "v ~ x"),
        ("use ~ x + (1 | g)", "binomial", lambda d: d["use"] == "Y", "v ~ x + (1 | g)"),
        ("text ~ x", "bernoulli(probit)", lambda d: d["text"] == "Y", "v ~ x"),
        ("factor(b) ~ x", "binomial", lambda d: d["b"] == 1, "v ~ x"),
        ("as.factor(use) ~ x", "binomial", lambda d: d["use"] == "Y", "v ~ x"),
        ("y/10 ~ x + (1 | g)", "gaussian", lambda d: d["y"] / 10, "v ~ x + (1 | g)"),
        ("y*2 ~ x", "gaussian", lambda d: d["y"] * 2, "v ~ x"),
        ("y/4 ~ x", "gamma", lambda d: d["y"] / 4, "v ~ x"),
    ],
)
def test_it_is_the_model_of_a_column_with_the_result(text, family, column, spelled, data):
    one = hm.model(text, data, family, compress=False)
    other = hm.model(spelled, data.assign(v=column(data)), family, compress=False)
    ours, theirs = (model._defined.spec for model in (one, other))
    assert one.family == other.family
    blocks = [[*spec.common.blocks, *(own for group in spec.groups for own in group.blocks)] for spec in (ours, theirs)]
    for left, right in zip(*blocks, strict=True):
        np.testing.assert_array_equal(left.matrix(ours.cells.frame), right.matrix(theirs.cells.frame))
    left, right = (spec.cells.as_rows()[1] for spec in (ours, theirs))
    for name, values in right.items():
        np.testing.assert_array_equal(left[name], values)


def test_which_level_is_the_success_is_said(data):
    model = hm.model("use ~ x", data, "binomial")
    assert model.formula == "use['Y'] ~ x"
    assert any("success='Y', the second level as in R; use['N'] for the other" in one for one in model.notices)
    with pytest.raises(DataError, match=r"holds text .*Say which one is a success"):
        hm.model("text ~ x", data)


def test_a_ratio_of_columns_is_no_number_unless_it_is_said(data):
    with pytest.raises(DataError, match=r"I\(s / n\)"):
        hm.model("b/k ~ x", data.assign(k=data["k"] + 1), "gaussian")
    with pytest.raises(DataError, match=r"As numbers, .*I\(y / 10\)"):
        hm.model("y/10 ~ x", data)


def test_a_comparison_stands_still_on_new_rows_and_in_a_stored_fit(data, tmp_path):
    fit = hm.fit("y ~ I(x > 2) + I(f == 'a')", data, draws=50, tune=100, chains=2, seed=1, progress=False)
    rows = pd.DataFrame({"x": [1.0, 3.0, 3.0], "f": ["b", "b", "a"]})
    got = fit.predict(rows).draws.transpose("row", "chain", "draw").to_numpy()
    draws = fit.posterior
    base = draws["Intercept"].to_numpy()
    above = draws["I(x > 2)"].to_numpy()
    same = draws["I(f == 'a')"].to_numpy()
    np.testing.assert_allclose(got, [base, base + above, base + above + same], rtol=1e-12)
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc").predict(rows).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(again, got, rtol=1e-12)


@pytest.mark.parametrize("text", ["y ~ I(x > 2) + f", "y ~ I(x > 2):z", "(x > 2) ~ f", "y ~ I(f == 'a')*x"])
def test_an_engine_compares_as_memory_does(text, data, monkeypatch):
    monkeypatch.setattr(tally, "LARGE", 10)
    monkeypatch.setattr("hiermod.data.pushdown.gather.LARGE", 10)
    big = pd.concat([data] * 5, ignore_index=True)
    big["x"] = np.random.default_rng(2).uniform(0.5, 4.0, len(big))
    here, there = (hm.model(text, frame)._defined.spec for frame in (big, pl.from_pandas(big).lazy()))
    assert here.cells.source.rows == there.cells.source.rows
    assert [block.name for block in here.common.blocks] == [block.name for block in there.common.blocks]
    np.testing.assert_allclose(here.common.scales, there.common.scales, rtol=1e-9)


def test_brms_intercept_without_a_centre(data):
    model = hm.model("y ~ 0 + Intercept + x + (0 + Intercept + x | g)", data, priors={"Intercept": "Normal(0, 1)"})
    spelled = hm.model("y ~ x + (x | g)", data, priors={"Intercept": "Normal(0, 1)"}, intercept_at="zero")
    same_density(model, spelled)
    assert model.formula == "y ~ 0 + Intercept + x + (1 + x | g)"
    assert any("where predictors are 0, as in brms" in one for one in model.notices)
    with pytest.raises(FormulaError, match="results use the name 'Intercept'"):
        hm.model("y ~ x + Intercept", data)
