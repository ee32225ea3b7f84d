"""Penalised smooths: mgcv's basis and curve, common in meaning, and the same in the engine and the public model."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.data.columns.smooths import apply_smooth, curves_of, learn_smooth
from hiermod.data.columns.values import Values
from hiermod.errors import FormulaError, HiermodError, ModelError
from hiermod.sampling.native import Native
from hiermod.sampling.prior_draws import sample_prior
from hiermod.sampling.run import choose_sampler

HERE = Path(__file__).parents[1] / "reference"
MGCV = pd.read_csv(HERE / "smooths.csv")
OUTSIDE = pd.read_csv(HERE / "smooths_outside.csv")
BY = pd.read_csv(HERE / "smooths_by.csv")
GRID = pd.read_csv(HERE / "smooths_by_curves.csv")
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
    np.testing.assert_allclose(covariance[:, 0], MGCV["covariance_1"], atol=1e-10)
    np.testing.assert_allclose(covariance[:, 6], MGCV["covariance_7"], atol=1e-10)
    np.testing.assert_allclose(basis.mean(axis=0), 0.0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "by", "options"),
    [
        ("factor", "f", {"k": 8}),
        ("number", "z", {"k": 8}),
        ("ps", None, {"bs": "ps"}),
        ("ps_first", None, {"bs": "ps", "k": 7, "m": [2, 1]}),
        ("ps_third", None, {"bs": "ps", "k": 9, "m": [1, 3]}),
    ],
)
def test_curves_by_a_column_and_p_splines_have_mgcv_s_covariances(name, by, options):
    x, given = BY["x"].to_numpy(), by and Values(by, BY[by])
    state = learn_smooth(x, np.ones(len(x)), given, **options)
    basis, sizes = apply_smooth(x, state, given), []
    for level, _, begin, stop in curves_of(state):
        wiggles = basis[:, begin:stop]
        covariance = wiggles @ wiggles.T
        rows = np.flatnonzero(BY["f"] == level)[[0, 6]] if level else (0, 6)
        of = f"{name}_{level}" if level else name
        np.testing.assert_allclose(covariance[:, rows[0]], BY[f"{of}_1"], atol=1e-10)
        np.testing.assert_allclose(covariance[:, rows[1]], BY[f"{of}_7"], atol=1e-10)
        sizes.append(np.diag(covariance))
    assert np.mean(np.sum(sizes, axis=0)) == pytest.approx(1.0)
    at = np.array([-3.0, -2.0, -1.0, 9.0, 10.0, 11.0])  # where curves go on as straight lines
    beyond = apply_smooth(at, state, given and Values(by, pd.Series([BY[by][0]] * 6)))
    np.testing.assert_allclose(beyond[[0, 3]] + beyond[[2, 5]], 2.0 * beyond[[1, 4]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bs", ["tp", "ps"])
def test_weights_are_repeated_rows(bs):
    x, weight = np.linspace(0.0, 1.0, 20) ** 2, np.arange(20) % 3 + 1.0
    repeated = np.repeat(x, weight.astype(int))
    one = apply_smooth(x, learn_smooth(x, weight, k=6, bs=bs))
    other = apply_smooth(x, learn_smooth(repeated, np.ones(len(repeated)), k=6, bs=bs))
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


def test_what_bends_a_smooth_stands_in_no_summary(fit):
    line = "s(x)[1]"
    assert [name for name in fit.summary().fixed.index if name.startswith("s(x)")] == [line]
    assert "s(x)[2]" not in repr(hm.table({"smooth": fit}))
    assert "sds(s(x)) > 0.1" in fit.hypothesis("sds(s(x)) > 0.1").table["hypothesis"].tolist()
    assert {line, "s(x)[2]", "sds(s(x))"} <= set(fit.draws())
    assert "s(x)[2]" in fit.fixef().index


@pytest.mark.slow
def test_groups_left_out_keep_smooths(fit):
    """The same model with the basis as plain columns, by the same draws: the smooth is no group's."""
    frame = MGCV[["x", "y"]].assign(g=np.arange(len(MGCV)) % 5)
    basis = apply_smooth(frame["x"].to_numpy(), learn_smooth(frame["x"].to_numpy(), np.ones(len(frame))))
    names = [f"b{place}" for place in range(basis.shape[1])]
    plain = hm.model(f"y ~ {' + '.join(names)} + (1 | g)", frame.assign(**dict(zip(names, basis.T, strict=True))))
    posterior = fit.posterior[["Intercept", "sigma", "1|g", "1|g_sigma"]]
    for place, name in enumerate(names):
        posterior = posterior.assign({name: fit.posterior["s(x)"][..., place].drop_vars("s(x)_dim")})
    other = plain.with_draws(posterior.drop_dims("s(x)_dim", errors="ignore"))
    ours, theirs = (own.logo(max_refits=0, progress=False) for own in (fit, other))
    assert ours.elpd == pytest.approx(theirs.elpd, abs=0.02)  # the cut of tails asks the efficiency of sds(s(x)), too
    with pytest.raises(HiermodError, match="no groups"):
        hm.model("y ~ s(x)", frame).with_draws(fit.posterior[["Intercept", "sigma", "s(x)", "s(x)_sigma"]]).logo()


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
        ("y ~ s(x)", FormulaError, r"k = 10 needs as many distinct values, and there are 6\. Write k=6 in it"),
        ("y ~ s(z, k=2)", HiermodError, "k is a whole number from 3"),
        (
            "y ~ s(x, bs='ps', k=7)",
            FormulaError,
            r"k = 7 needs as many distinct values, and there are 6\. Write k=6 in it",
        ),
        ("y ~ s(z)*x", ModelError, r"no part of an interaction.* is s\(z, by=x\)"),
        ("y ~ x + g:s(z, k=5)", ModelError, r"no part of an interaction.* is s\(z, k=5, by=g\)"),
        ("y ~ (1 + s(z) | g)", ModelError, r"does not vary over groups.*s\(z, by=g\)"),
        ("y ~ s(z, bs='cr')", FormulaError, "bs='cr' is not there; bs='tp' and bs='ps' are.*bs='tp', the thin plate"),
        ("y ~ s(z, bs='cc')", FormulaError, r"bs='cc' is not there.*sin\(2 \* pi \* x / period\)"),
        ("y ~ s(z, bs='re')", FormulaError, r"bs='re' is not there.*\(1 \| g\)"),
        ("y ~ s(z, bs='nonsense')", FormulaError, "bs='nonsense' is not there.*none that is near"),
        ("y ~ s(z, m=1)", FormulaError, "m=1 is not there for bs='tp'.*m=2"),
        ("y ~ s(z, bs='ps', m=c(1, 4))", FormulaError, r"m=\[1, 4\] is not there for bs='ps'"),
        ("y ~ s(z, bs='ps', m=c(4, 2), k=5)", FormulaError, "needs k of at least 6, not 5"),
        ("y ~ s(z, x)", FormulaError, r"of one column.*s\(z\) \+ s\(x\), and a slope of x that is .*s\(z, by=x\)"),
        ("y ~ s(z, 5)", FormulaError, r"options of a smooth are named: s\(z, k=5\)"),
        ("y ~ s(z, by=2)", FormulaError, "by=2 is no column. by= is a factor"),
        ("y ~ s(z, by=same)", FormulaError, "by= is constant"),
        ("y ~ s(z, by=poly(x, 2))", FormulaError, "by= is one number a row or levels"),
        ("y ~ te(x, z)", FormulaError, r"te\(…\), are not fitted.*s\(a\) \+ s\(b\), and a slope.*s\(a, by=b\)"),
        ("y ~ t2(x, z)", FormulaError, r"t2\(…\), are not fitted.*s\(a\) \+ s\(b\)"),
        ("y ~ log(s(z))", HiermodError, "cannot be calculated with"),
    ],
)
def test_what_is_refused(text, error, match):
    with pytest.raises(error, match=match):
        hm.model(text, FEW.assign(same="one"), "gaussian")


def test_other_packages_spell_smooths_or_have_none():
    assert hm.translate("y ~ s(x, k=5) + (1 | g)", "brms") == "y ~ s(x, k=5) + (1 | g)"
    with pytest.raises(FormulaError, match="lme4 has no smooths"):
        hm.translate("y ~ s(x)", "lme4")


@pytest.fixture(scope="module")
def by_levels():
    return hm.fit("y ~ f + s(x, by=f, k=8)", BY[["y", "x", "f"]], seed=5, progress=False)


def hold_curve(fit, name):
    """The curve and its band are mgcv's, whose smoothing parameters are estimates that stand as if known."""
    table = fit.predict(GRID[["x", "f", "z"]]).table
    off = (table["estimate"] - GRID[name]) / GRID[f"{name}_se"]
    assert np.abs(off).max() < 1.0
    assert np.abs(off).mean() < 0.3
    width = (table["upper"] - table["lower"]) / (2.0 * 1.96 * GRID[f"{name}_se"])
    assert 0.8 < width.min() < width.max() < 1.6


def test_curves_by_levels_are_mgcv_s(by_levels):
    assert by_levels._posterior.history.engine.name == "compiled"
    assert by_levels.check().passed
    hold_curve(by_levels, "factor")


def test_answers_of_curves_by_levels(by_levels, tmp_path):
    smooth = "s(x, by=f, k=8)"
    assert list(by_levels.posterior[f"{smooth}_sigma_dim"].values) == ["a", "b", "c"]
    assert ("Smooth", f"sds({smooth}[b])") in by_levels.summary().random.index
    assert list(by_levels.fixef().index[3:5]) == [f"{smooth}[a, 1]", f"{smooth}[a, 2]"]
    assert by_levels.ranef() == {}
    assert by_levels.hypothesis(f"sds({smooth}[a]) > 0.01").table["probability"][0] > 0.99
    ends = by_levels.rates({"x": [2.0, 2.001]}, by="f").table.set_index(["f", "x"])["estimate"].unstack()
    slope = by_levels.slopes("x", at={"x": 2.0005}, by="f").table.set_index("f")["estimate"]
    np.testing.assert_allclose((ends[2.001] - ends[2.0]) / 0.001, slope, rtol=1e-4)
    assert by_levels.loo(max_refits=0).elpd < 0.0
    by_levels.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(again.predict(GRID).table, by_levels.predict(GRID).table)
    assert list(again.model.prior_summary()["parameter"]) == list(by_levels.model.prior_summary()["parameter"])
    with pytest.raises(HiermodError, match="'d', a level that the fitted data did not have"):
        by_levels.predict(GRID.assign(f="d"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), [("number", "y ~ s(x, by=z, k=8)"), ("ps", "y ~ s(x, bs='ps')")])
def test_other_curves_are_mgcv_s(name, text):
    fit = hm.fit(text, BY[["y", "x", "z", "f"]], seed=5, progress=False)
    assert fit.check().passed
    hold_curve(fit, name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y ~ s(x, by=f, k=4)", ["curves are centred, and no term has a level for each f; add + f if these differ"]),
        ("y ~ f + s(x, by=f, k=4)", []),
        ("y ~ s(x, by=f, k=4) + (1 | f)", []),
        ("y ~ f:z + s(x, by=f, k=4)", []),
        ("y ~ s(x, by=z, k=4)", ["z holds numbers, so that its slope is a curve", "by=factor(z)"]),
        ("y ~ b + s(x, by=b, k=4)", ["for each of False and True; mgcv reads a logical b as a number"]),
        ("y ~ ordered(f) + s(x, by=ordered(f), k=4)", ["differences from that of 'a'; add + s(x), its curve"]),
        ("y ~ ordered(f) + s(x) + s(x, by=ordered(f), k=4)", ["differences from that of 'a'"]),
    ],
)
def test_what_is_told_of_curves_by_a_column(text, said):
    model = hm.model(text, BY.assign(b=BY["z"] > 2.0), "gaussian")
    told = " ".join(notice for notice in model.notices if notice.startswith("s(x"))
    assert bool(told) == bool(said)
    for part in said:
        assert part in told
    assert ("add + s(x)" in told) == any("add + s(x)" in part for part in said)


def test_a_curve_by_levels_has_priors_by_level_and_words():
    priors = {
        "sds(s(x, by=f, k=4)[b])": "HalfNormal(3)",
        "s(x, by=f, k=4)[c, 1]": "Normal(0, 2)",
        "sds": "HalfNormal(9)",
    }
    spec = spec_of("y ~ f + s(x, by=f, k=4)", BY, "gaussian", priors)
    assert [prior.describe() for prior in spec.priors["s(x, by=f, k=4)_sigma"]] == [
        "HalfNormal(9)", "HalfNormal(3)", "HalfNormal(9)"
    ]  # fmt: skip
    assert spec.priors["s(x, by=f, k=4)"][6].describe() == "Normal(0, 2)"
    draws = sample_prior(spec, 4000, 1)
    ratio = draws.values("s(x, by=f, k=4)")[..., 4] / draws.values("s(x, by=f, k=4)_sigma")[..., 1]
    assert ratio.std() == pytest.approx(1.0, abs=0.05)
    explained = hm.model("y ~ f + s(x, by=f, k=4) + s(z, bs='ps', k=5)", BY, "gaussian").explain()
    assert (
        "a curve in x for each of 3 levels of f, a thin plate spline: a straight line and 2 wiggles each"
        in explained.text
    )
    assert (
        "a curve in z, a P-spline: a straight line and 3 wiggles, whose sd is sds(s(z, bs='ps', k=5))" in explained.text
    )
    assert (
        r"\beta_{\text{s(z, bs='ps', k=5)[4]}} &\sim \operatorname{Normal}(0, \text{sds(s(z, bs='ps', k=5))})"
        in explained.latex
    )


@pytest.mark.parametrize("text", ["y ~ x; sigma ~ s(x, k=4)", "y ~ f; sigma ~ s(x, by=f, k=4)"])
def test_smooths_of_other_parameters_are_sampled_by_the_engine(text):
    spec = spec_of(text, BY, "gaussian")
    assert isinstance(choose_sampler(spec, "auto", lambda _: None), Native)


def test_lazy_frames_have_the_same_curves():
    frame = pd.DataFrame({"x": np.tile(np.arange(12.0), 10), "f": list("ab") * 60, "y": np.arange(120) % 7})
    lazy = pl.LazyFrame(frame)
    ours, theirs = (hm.model("y ~ f + s(x, by=f, k=6)", data, "poisson")._defined.spec for data in (frame, lazy))
    assert len(ours.cells) == len(theirs.cells) < len(frame)
    for block in ours.common.blocks:
        np.testing.assert_array_equal(block.matrix(ours.cells.frame), block.matrix(theirs.cells.frame))
