"""Penalised smooths: mgcv's basis and curve, common in meaning, and the same in the engine and the public model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.data.columns.smooths import apply_smooth, learn_smooth
from hiermod.errors import FormulaError, HiermodError, ModelError
from hiermod.sampling.prior_draws import sample_prior

HERE = Path(__file__).parents[1] / "reference"
MGCV = pd.read_csv(HERE / "smooths.csv")
OUTSIDE = pd.read_csv(HERE / "smooths_outside.csv")
FEW = pd.DataFrame(
    {"x": np.arange(60) % 6, "z": np.linspace(0, 1, 60), "y": np.sin(np.arange(60)), "g": ["a", "b"] * 30}
)


@pytest.fixture(scope="module")
def fit():
    frame = MGCV[["x", "y"]].assign(g=np.arange(len(MGCV)) % 5)
    return hm.fit("y ~ s(x) + (1 | g)", frame, seed=3, progress=False)


def test_the_basis_has_mgcv_s_covariance():
    x = MGCV["x"].to_numpy()
    basis = apply_smooth(x, learn_smooth(x, np.ones(len(x))))
    covariance = basis[:, 1:] @ basis[:, 1:].T
    assert np.mean(np.diag(covariance)) == pytest.approx(1.0)
    np.testing.assert_allclose(covariance[:, 0], MGCV["covariance_1"], atol=1e-9)
    np.testing.assert_allclose(covariance[:, 6], MGCV["covariance_7"], atol=1e-9)
    np.testing.assert_allclose(basis.mean(axis=0), 0.0, atol=1e-10)


def test_weights_are_repeated_rows():
    x, weight = np.linspace(0.0, 1.0, 20) ** 2, np.arange(20) % 3 + 1.0
    repeated = np.repeat(x, weight.astype(int))
    one = apply_smooth(x, learn_smooth(x, weight, k=6))
    other = apply_smooth(x, learn_smooth(repeated, np.ones(len(repeated)), k=6))
    np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-9)


def test_the_curve_is_mgcv_s(fit):
    assert fit._posterior.history.engine.name == "compiled"
    assert fit.check().passed
    for frame, inside in ((MGCV, True), (OUTSIDE, False)):
        table = fit.predict(frame[["x"]].assign(g=0), groups="typical").table
        off = (table["estimate"] - frame["curve"]) / frame["se"]
        assert np.abs(off).max() < (0.6 if inside else 0.8)
        width = (table["upper"] - table["lower"]) / (2.0 * 1.96 * frame["se"])
        assert 0.8 < width.min() < width.max() < 1.5


def test_smooths_are_common(fit):
    assert list(fit.ranef()) == ["g"]
    assert set(fit.varcorr()["grp"]) == {"g", "Residual"}
    assert set(fit.icc()["group"]) == {"g"}
    assert ("Smooth", "sds(s(x))") in fit.summary().random.index
    typical, observed = (fit.rates({"x": [1.5, 4.5]}, groups=groups).table for groups in ("typical", "observed"))
    np.testing.assert_allclose(typical["estimate"].diff()[1], observed["estimate"].diff()[1], rtol=1e-6)


def test_stored_fits_keep_the_basis(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    new = pd.DataFrame({"x": [-2.0, 3.3, 14.0], "g": 0})
    pd.testing.assert_frame_equal(again.predict(new).table, fit.predict(new).table)


def test_priors_of_smooths():
    spec = spec_of("y ~ s(z, k=5)", FEW, "gaussian", {"sds(s(z, k=5))": "HalfNormal(3)"})
    assert spec.priors["s(z, k=5)_sigma"][0].describe() == "HalfNormal(3)"
    spec = spec_of("y ~ s(z, k=5)", FEW, "gaussian", {"slope": "Normal(0, 9)"})
    assert spec.priors["s(z, k=5)_sigma"][0].describe() == f"HalfStudentT(3, {2.5 * FEW['y'].std(ddof=0):.4g})"
    assert [prior.describe() for prior in spec.priors["s(z, k=5)"]] == ["Normal(0, 9)", *["Normal(0, 1)"] * 3]
    model = hm.model("y ~ s(z, k=5)", FEW, "gaussian")
    assert "sds(s(z, k=5))" in model.prior_summary()["parameter"].tolist()
    draws = sample_prior(spec, 4000, 1)
    ratio = draws.values("s(z, k=5)")[..., 2] / draws.values("s(z, k=5)_sigma")
    assert ratio.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("y ~ s(x)", FormulaError, r"k = 10 needs as many distinct values, and there are 6\. Write s\(x, k=6\)"),
        ("y ~ s(z, k=2)", HiermodError, "k is a whole number from 3"),
        ("y ~ s(z)*x", ModelError, "no part of an interaction"),
        ("y ~ (1 + s(z) | g)", ModelError, "does not vary over groups"),
        ("y ~ s(z, by=g)", FormulaError, r"The nearest are s\(x\) \+ f \+ x:f"),
        ("y ~ s(z, bs='cr')", HiermodError, "bs='tp', the thin plate spline"),
        (
            "y ~ te(x, z)",
            FormulaError,
            r"te\(…\), are not fitted. The nearest are curves that add up, s\(a\) \+ s\(b\)",
        ),
        ("y ~ log(s(z))", HiermodError, "cannot be calculated with"),
    ],
)
def test_what_is_refused(text, error, match):
    with pytest.raises(error, match=match):
        hm.model(text, FEW, "gaussian")


def test_other_packages_spell_smooths_or_have_none():
    assert hm.translate("y ~ s(x, k=5) + (1 | g)", "brms") == "y ~ s(x, k=5) + (1 | g)"
    with pytest.raises(FormulaError, match="lme4 has no smooths"):
        hm.translate("y ~ s(x)", "lme4")
