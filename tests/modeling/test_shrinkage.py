"""Priors of sets of slopes: draws of them, densities by hand, what is told, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of
from scipy import stats

import hiermod as hm
from hiermod.errors import ModelError, PriorError
from hiermod.modeling.model_priors import log_prior
from hiermod.sampling.prior_draws import sample_prior

RNG = np.random.default_rng(6)
FRAME = pd.DataFrame(RNG.normal(3.0, 2.0, (90, 3)), columns=list("abc")).assign(
    f=RNG.choice(list("uvw"), 90), n=RNG.integers(0, 4, 90), g=RNG.choice(list("klm"), 90)
)
FRAME = FRAME.assign(y=0.5 * FRAME["a"] + RNG.normal(size=90))
TEXT = "y ~ a + b*c + f"


@pytest.fixture(scope="module")
def fit():
    priors = {"slope": "Horseshoe(scale_global=0.3)", "f": "R2D2()"}
    return hm.fit(TEXT, FRAME, "gaussian", priors=priors, seed=2, progress=False, draws=500, chains=2)


def test_r2_is_a_beta_and_the_share_of_the_variance():
    spec = spec_of("y ~ a + b + c", FRAME, "gaussian", {"slope": "R2D2(mean_R2=0.3, prec_R2=4, cons_D2=0.5)"})
    draws = sample_prior(spec, 20_000, 1)
    explained, shares, sigma = (draws.values(name) for name in ("slope_R2", "slope_phi", "sigma"))
    chances = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(np.quantile(explained, chances), stats.beta.ppf(chances, 1.2, 2.8), atol=0.015)
    np.testing.assert_allclose(np.quantile(shares[:, 1], chances), stats.beta.ppf(chances, 0.5, 1.0), atol=0.02)
    slopes = np.column_stack([draws.values(name) for name in "abc"]) * FRAME[list("abc")].std(ddof=0).to_numpy()
    normals = slopes / (sigma[:, None] * np.sqrt(shares * (explained / (1.0 - explained))[:, None]))
    assert stats.kstest(normals.ravel()[::7], "norm").pvalue > 0.01
    share = (slopes**2).sum(axis=1)  # of each draw, E[share] = sigma^2 R2 / (1 - R2)
    assert np.median(share / sigma**2 * (1.0 - explained) / explained) == pytest.approx(0.6, abs=0.15)


def test_horseshoe_draws_are_those_of_its_parts():
    spec = spec_of("y ~ a + b + c", FRAME, "gaussian", {"slope": "Horseshoe(df=2, scale_global=0.5, df_slab=6)"})
    draws = sample_prior(spec, 20_000, 1)
    share, slab, local, sigma = (draws.values(name) for name in ("slope_global", "slope_slab", "slope_local", "sigma"))
    chances = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(np.quantile(share, chances), 0.5 * stats.t.ppf(0.5 + chances / 2.0, 1), rtol=0.06)
    np.testing.assert_allclose(np.quantile(local[:, 0], chances), stats.t.ppf(0.5 + chances / 2.0, 2), rtol=0.06)
    np.testing.assert_allclose(np.quantile(slab**2, chances), stats.invgamma.ppf(chances, 3, scale=12.0), rtol=0.06)
    wide = sigma[:, None] * share[:, None] * local
    spread = wide * slab[:, None] / np.sqrt(slab[:, None] ** 2 + wide**2)
    slopes = np.column_stack([draws.values(name) for name in "abc"]) * FRAME[list("abc")].std(ddof=0).to_numpy()
    assert stats.kstest((slopes / spread).ravel()[::7], "norm").pvalue > 0.01


def test_the_log_prior_is_that_of_all_parts():
    spec = spec_of("y ~ a + b", FRAME, "gaussian", {"slope": "Horseshoe()", "Intercept": "Normal(0, 1)",
                                                    "sigma": "Exponential(1)"})  # fmt: skip
    values = {
        "Intercept": np.array([0.4, -1.0]), "a": np.array([0.3, 0.1]), "b": np.array([-0.2, 0.7]),
        "slope_global": np.array([0.5, 2.0]), "slope_slab": np.array([1.5, 3.0]), "sigma": np.array([1.1, 0.7]),
        "slope_local": np.array([[0.4, 2.0], [1.0, 0.2]]),
    }  # fmt: skip
    own, scales = values, FRAME[["a", "b"]].std(ddof=0).to_numpy()
    wide = (own["sigma"] * own["slope_global"])[:, None] * own["slope_local"]
    spread = wide / np.sqrt(1.0 + (wide / own["slope_slab"][:, None]) ** 2) / scales
    slopes = np.column_stack([own["a"], own["b"]])
    level = own["Intercept"] + slopes @ FRAME[["a", "b"]].mean().to_numpy()
    expected = stats.norm.logpdf(slopes, 0.0, spread).sum(axis=1) + stats.norm.logpdf(level)
    expected += stats.expon.logpdf(own["sigma"]) + stats.cauchy.logpdf(own["slope_global"])
    expected += stats.cauchy.logpdf(own["slope_local"]).sum(axis=1) + np.log(2.0 * own["slope_slab"])
    expected += stats.invgamma.logpdf(own["slope_slab"] ** 2, 2.0, scale=8.0)
    assert np.diff(log_prior(spec, values.__getitem__)) == pytest.approx(np.diff(expected), abs=1e-9)


def test_sets_are_what_no_closer_key_names():
    priors = {"slope": "Horseshoe()", "f": "R2D2()", "f[w]": "Normal(0, 3)", "b": "Laplace(0, 1)"}
    table = hm.model(TEXT, FRAME, "gaussian", priors=priors).prior_summary().set_index("parameter")["prior"]
    of_set = table[table.str.startswith(("Horseshoe", "R2D2"))]
    assert {name: prior.partition("(")[0] for name, prior in of_set.items()} == {
        "a": "Horseshoe", "c": "Horseshoe", "b:c": "Horseshoe", "f[v]": "R2D2"
    }  # fmt: skip
    assert table["f[w]"] == "Normal(0, 3)"
    assert table["slope_global"] == "HalfStudentT(1, 1)"
    assert table["slope_slab"] == "InverseGamma(2, 8) of the variance"
    assert (table["f_R2"], table["f_phi"]) == ("Beta(1, 1)", "Dirichlet(0.5)")


def test_a_fit_is_clean_and_answers(fit, tmp_path):
    assert fit._posterior.history.engine.name == "compiled"
    assert fit._posterior.diagnostics.divergences == 0
    assert {("Shrinkage", name) for name in ("slope_global", "slope_slab", "f_R2")} <= set(fit.summary().random.index)
    assert np.isnan(fit.summary().random.loc[("Shrinkage", "slope_global"), "sd"])  # of a half-Cauchy there is none
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(again.fixef(), fit.fixef())
    assert again.model.prior_summary().equals(fit.model.prior_summary())
    assert len(fit.effect("f").table) == 2
    assert np.isfinite(fit.loo().elpd)
    changed = fit.model.prior_summary().set_index("parameter")["prior"]
    assert changed["a"] == "Horseshoe(df=1, scale_global=0.3, df_global=1, scale_slab=2, df_slab=4)"


def test_brms_s_spelling_is_read_and_written_again():
    text = "horseshoe(1, par_ratio = 0.1)"
    with pytest.raises(PriorError, match=r"write scale_global = par_ratio / sqrt\(rows\)"):
        hm.model(TEXT, FRAME, "gaussian", priors={"slope": text})
    spec = spec_of(TEXT, FRAME, "gaussian", {"slope": "horseshoe(3, scale_global = 0.1)  # few effects"})
    (own,) = spec.shrunk
    assert str(own.prior) == "Horseshoe(df=3, scale_global=0.1, df_global=1, scale_slab=2, df_slab=4)  # few effects"
    again = spec_of(TEXT, FRAME, "gaussian", {"slope": str(own.prior)})
    assert again.shrunk[0].prior == own.prior


def test_words_and_equations():
    explanation = hm.model("y ~ a + b", FRAME, "gaussian", priors={"slope": "Horseshoe()"}).explain()
    assert "Horseshoe of 'a', 'b': per standard deviation of their columns" in explanation.text
    assert r"s_k \beta_k &\sim \operatorname{Normal}(0, \omega_k)" in explanation.latex
    assert r"\text{slope\_slab}" in explanation.latex
    other = hm.model("y ~ a + b", FRAME, "gaussian", priors={"slope": "R2D2()"}).explain()
    assert "the share of the variance that they explain together" in other.text
    assert r"\sqrt{\text{slope\_phi}_k\, \text{slope\_R2} / (1 - \text{slope\_R2})}" in other.latex


def test_what_is_left_out_is_told():
    model = hm.model("y ~ a + mo(n) + s(c, k=4)", FRAME, "gaussian", priors={"slope": "Horseshoe()"})
    (notice,) = [notice for notice in model.notices if notice.startswith("Horseshoe")]
    assert "'mo(n)', 's(c, k=4)[1]': the default priors stay" in notice
    model = hm.model("y ~ a", FRAME.assign(y=100.0 * FRAME["y"]), "gaussian", priors={"slope": "Horseshoe()"})
    assert any("scale_slab=2 is in the unit of the response" in notice for notice in model.notices)


@pytest.mark.parametrize(
    ("text", "priors", "match"),
    [
        (
            TEXT,
            {"Intercept": "Horseshoe()"},
            "'Intercept': Horseshoe is a prior of a set of slopes.*Give it to 'slope'",
        ),
        ("y ~ a + (1 | g)", {"sd": "R2D2()"}, "'sd': R2D2 is a prior of a set of slopes"),
        ("y ~ mo(n)", {"mo(n)": "Horseshoe()"}, r"'mo\(n\)': Horseshoe is a prior of a set"),
        (
            "y ~ a; sigma ~ b",
            {"slope": "Horseshoe()"},
            "sigma, the residual standard deviation, which is no one number",
        ),
        (TEXT, {"slope": "Horseshoe(1, 2, 3, 4, 5, 6)"}, r"too many numbers. Expected Horseshoe\(df, scale_global"),
        (TEXT, {"slope": "Horseshoe(nu=3)"}, "'nu' in .* is unknown or given twice"),
        (TEXT, {"slope": "Horseshoe(df=-1)"}, "df must be above 0"),
        (TEXT, {"slope": "Horseshoe(x)"}, "'x' in .* is not a number"),
        (TEXT, {"slope": "R2D2(mean_R2=1.5)"}, "mean_R2 must be between 0 and 1"),
        (TEXT, {"slope": "R2D2(autoscale=FALSE)"}, "in units of sigma where a model has one"),
        (TEXT, {"slope": "horse(1)"}, "there is no distribution 'horse'"),
    ],
)
def test_what_is_refused(text, priors, match):
    with pytest.raises(PriorError, match=match):
        hm.model(text, FRAME, "gaussian", priors=priors)


def test_bambi_has_no_such_priors():
    with pytest.raises(ModelError, match="Horseshoe of a set of slopes is not covered"):
        hm.model("y ~ a", FRAME, "gaussian", priors={"slope": "Horseshoe()"}).bambi()
