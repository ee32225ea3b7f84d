"""Linear predictors of several parameters: densities by hand, cells and rows, names, priors and refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from modeling_tools import QUICK, assert_equal_up_to_one_constant, log_density, model_of, random_points, spec_of
from scipy import special, stats

import hiermod as hm
from hiermod.data.cells.statistics import MomentCells
from hiermod.errors import DataError, FormulaError, HiermodError, ModelError, PriorError
from hiermod.families.registry import read_family
from hiermod.formula.parser import parse
from hiermod.modeling.definition import Definition, define
from hiermod.modeling.pymc.model import build_model


def frame_of(seed=1, size=1200):
    rng = np.random.default_rng(seed)
    trials = rng.integers(2, 7, size)
    return pd.DataFrame({
        "x": rng.normal(3.0, 1.0, size), "i": rng.integers(0, 2, size), "f": rng.choice(["a", "b", "c"], size),
        "g": rng.choice(list("stuv"), size), "h": rng.integers(0, 2, size), "w": rng.integers(1, 4, size),
        "y": 50.0 + 10.0 * rng.normal(size=size), "k": rng.integers(1, 5, size), "c": rng.poisson(2.0, size),
        "n": trials, "s": rng.binomial(trials, 0.4),
    })  # fmt: skip


CELLS = [
    ("y ~ f; sigma ~ f", "gaussian"),
    ("y ~ i + (1 | g); sigma ~ f + (1 | h)", "gaussian"),
    ("y ~ x*f + (1 | g); sigma ~ i", "gaussian"),  # averages over x
    ("y | weights(w) ~ x + (1 + x | g); sigma ~ f + (1 | g)", "gaussian"),
    ("y ~ x + (1 | p | g); sigma ~ i + offset(0.1 * k) + (1 | p | g)", "gaussian"),
    ("c ~ f + (1 | g); alpha ~ i", "negbinomial"),
    ("s/n ~ f; kappa ~ i + (1 | g)", "beta_binomial"),
]


@pytest.mark.parametrize(("text", "family"), CELLS)
def test_cells_have_the_density_of_their_rows(text, family):
    frame = frame_of()
    cells, rows = (model_of(text, frame, family, compress=compress) for compress in (True, False))
    assert 2 * len(cells.coords["__obs__"]) <= len(rows.coords["__obs__"])
    points = random_points(rows, 8, 3, spread=0.3)
    one, other = log_density(cells), log_density(rows)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


def test_numbers_of_the_mean_alone_are_averaged_over():
    frame = frame_of()
    assert isinstance(spec_of("y ~ x + f; sigma ~ f", frame, "gaussian").cells.response, MomentCells)
    assert not isinstance(spec_of("y ~ x + f; sigma ~ x", frame, "gaussian").cells.response, MomentCells)


@pytest.mark.parametrize("text", ["y ~ f; sigma ~ f + (1 | g)", "y ~ x + i + (1 | g); sigma ~ f"])
def test_moments_that_an_engine_counts(text):
    frame = frame_of(2, 4000)
    cells, rows = (
        model_of(text, data, "gaussian", compress=compress)
        for data, compress in ((pl.from_pandas(frame).lazy(), True), (frame, False))
    )
    points = random_points(rows, 5, 3, spread=0.3)
    one, other = log_density(cells), log_density(rows)
    assert_equal_up_to_one_constant([one(point) for point in points], [other(point) for point in points])


BY_HAND = {
    "y ~ i; sigma ~ h": ("gaussian", lambda d, m, a: stats.norm.logpdf(d.y, m, np.exp(a["sigma"]))),
    "y ~ i; sigma ~ h; nu ~ i": (
        "student", lambda d, m, a: stats.t.logpdf(d.y, np.exp(a["nu"]), m, np.exp(a["sigma"]))
    ),
    "c ~ i; alpha ~ h": (
        "negbinomial",
        lambda d, m, a: stats.nbinom.logpmf(d.c, np.exp(a["alpha"]), 1 / (1 + np.exp(m - a["alpha"]))),
    ),
    "k ~ i; alpha ~ h": (
        "gamma", lambda d, m, a: stats.gamma.logpdf(d.k, np.exp(a["alpha"]), scale=np.exp(m - a["alpha"]))
    ),
    "k ~ i; sigma ~ h": ("lognormal", lambda d, m, a: stats.lognorm.logpdf(d.k, np.exp(a["sigma"]), scale=np.exp(m))),
    "s/n ~ i; kappa ~ h": (
        "beta_binomial",
        lambda d, m, a: stats.betabinom.logpmf(
            d.s, d.n, special.expit(m) * np.exp(a["kappa"]), special.expit(-m) * np.exp(a["kappa"])
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", BY_HAND)
def test_densities_by_hand(text):
    """SciPy's log likelihoods of rows, the linear predictors being summed here."""
    family, density = BY_HAND[text]
    frame = frame_of(3, 40).assign(y=lambda d: d.y / 20.0)
    spec = spec_of(text, frame, family, compress=False)
    model = build_model(spec)
    observed = model.compile_logp(vars=model.observed_RVs, mode=QUICK)
    rng = np.random.default_rng(1)
    for _ in range(5):
        values = {name: 0.4 * rng.normal(size=np.shape(value)) for name, value in model.initial_point().items()}
        predictors = {
            name: values[f"{prefix}Intercept"] + sum(values[f"{prefix}{x}"] * frame[x] for x in "ih"
                                                     if f"{prefix}{x}" in values)
            for name in spec.predictors for prefix in ["" if name == "mu" else f"{name}_"]
        }  # fmt: skip
        expected = density(frame, predictors.pop("mu"), predictors).sum()
        assert float(observed(values)) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_variables_are_named_as_bambi_names_them():
    spec = spec_of("y ~ x + (1 | g); sigma ~ x + f + (1 + f | g)", frame_of(), "gaussian")
    dims = {variable.name: variable.dims for variable in spec.variables()}
    assert list(dims) == [
        "Intercept", "x", "sigma_Intercept", "sigma_x", "sigma_f", "1|g_sigma", "1|g", "sigma_1|g_sigma",
        "sigma_f|g_sigma", "sigma_1+sigma_f|g_cor", "sigma_1|g", "sigma_f|g",
    ]  # fmt: skip
    assert dims["sigma_f"] == ("sigma_f_dim",)
    assert dims["sigma_f|g"] == ("g__factor_dim", "sigma_f__expr_dim")
    parameters = {variable.name: variable.parameter for variable in spec.variables()}
    assert parameters["sigma_x"] == parameters["sigma_1|g_sigma"] == "sigma"


def test_default_priors_stand_at_the_link_of_a_moment():
    frame = frame_of()
    table = hm.model("y ~ x + (1 | g); sigma ~ x + i + (1 | g)", frame).prior_summary().set_index("parameter")
    assert table.loc["sigma_Intercept", "prior"] == f"StudentT(3, {np.log(frame.y.std(ddof=0)):.4g}, 1)"
    assert table.loc["sigma_i", "prior"] == "StudentT(3, 0, 1)"
    assert table.loc["sigma_x", "per_sd"] == "StudentT(3, 0, 1)"
    assert table.loc["sd(sigma_1|g)", "prior"] == "HalfNormal(1)"
    assert table.loc["sigma_x", "scale"] == "log of sigma"
    shifted = hm.model("y ~ x; sigma ~ 1 + offset(k)", frame).prior_summary().set_index("parameter")
    centre = np.log(frame.y.std(ddof=0)) - frame.k.mean()
    assert shifted.loc["sigma_Intercept", "prior"] == f"StudentT(3, {centre:.4g}, 1)"


def test_priors_by_parameter():
    priors = {
        "slope": "Normal(0, 5)", "sigma: slope": "Normal(0, 0.5)", "sigma: i": "Normal(0, 0.1)",
        "sigma: sd(1|g)": "HalfNormal(0.2)", "sd": "HalfNormal(3)", "sigma: Intercept": "Normal(2, 1)",
        "var(sigma_1|h)": "InverseGamma(2, 1)", "cor": "LKJ(4)",
    }  # fmt: skip
    spec = spec_of("y ~ x + (1 | p | g); sigma ~ x + i + (1 | p | g) + (1 | h)", frame_of(), "gaussian", priors)
    found = {name: prior.describe() for name, prior, *_ in ((row[0], *spec.priors.get(row[0], (None,)))
             for row in spec.prior_rows()) if prior is not None}  # fmt: skip
    assert found == {
        "Intercept": found["Intercept"], "x": "Normal(0, 5)", "sigma_Intercept": "Normal(2, 1)",
        "sigma_x": "Normal(0, 0.5)", "sigma_i": "Normal(0, 0.1)",
    }  # fmt: skip
    assert spec.priors["sigma_1|g_sigma"][0].describe() == "HalfNormal(0.2)"
    assert spec.priors["1|g_sigma"][0].describe() == "HalfNormal(3)"
    assert spec.priors["sigma_1|h_sigma"][0].describe() == "InverseGamma(2, 1) of the variance"
    assert spec.priors["1+sigma_1|g_cor"][0].describe() == "LKJ(4)"


@pytest.mark.parametrize(
    ("priors", "match"),
    [
        ({"sigma": "HalfNormal(1)"}, r"'sigma' has a linear predictor here.*'sigma: Intercept'"),
        ({"sigma: z": "Normal(0, 1)"}, r"no parameter 'sigma: z'.*'sigma: x'"),
        ({"sigma: cor": "LKJ(1)"}, r"no parameter 'sigma: cor'"),
        ({"sigma: x": "Normal(0, 1)", "sigma_x": "Normal(0, 2)"}, r"'sigma: x' and 'sigma_x'.*Keep one"),
    ],
)
def test_priors_of_nothing(priors, match):
    with pytest.raises(PriorError, match=match):
        spec_of("y ~ x; sigma ~ x", frame_of(), "gaussian", priors)


@pytest.mark.parametrize(
    ("text", "family", "error", "match"),
    [
        ("y ~ x; sigmma ~ x", "gaussian", ModelError, r"gaussian has no parameter 'sigmma'.*'sigma'"),
        ("c ~ x; sigma ~ x", "poisson", ModelError, r"poisson has no parameter 'sigma'. Its mean is all it has"),
        ("y ~ x; sigma ~ x; sigma ~ i", "gaussian", FormulaError, r"'sigma' has two linear predictors"),
        ("c ~ x; alpha ~ x; shape ~ i", "negbinomial", ModelError, r"'alpha' has two linear predictors"),
        ("y ~ (1 | p | g); sigma ~ (1 | p | h)", "gaussian", FormulaError, r"The ID p correlates.*factor is h here"),
        ("y ~ (1 | p | g); sigma ~ (x || p | g)", "gaussian", FormulaError, r"'\|\|' says are not"),
        ("y ~ x; mu ~ x", "gaussian", FormulaError, r"mu is what 'y ~ terms' is of"),
        ("bf(y ~ x, sigma = 'a')", "gaussian", FormulaError, r"set to a number, sigma = 2, or has a linear predictor"),
        ("y ~ x; sigma ~ y", "gaussian", FormulaError, r"'y' stands on the right side too"),
        ("y ~ x; sigma ~ 0", "gaussian", FormulaError, r"no term on the right side"),
        ("y ~ sigma_x + x; sigma ~ x", "gaussian", DataError, r"would be called 'sigma_x'"),
    ],
)
def test_formulas_that_are_refused(text, family, error, match):
    with pytest.raises(error, match=match):
        define(Definition(text, family), frame_of().assign(sigma_x=lambda d: d.x**2))


def test_spellings_of_one_model():
    frame = frame_of()
    whole = "c ~ x + (1 | p | g); alpha ~ i + (1 | p | g)"
    for spelled in (
        "bf(c ~ x + (1 | p | g), shape ~ i + (1 | p | g))",
        "c ~ x + (1 | p | g), dispformula = ~ i + (1 | p | g)",
        "c ~ x + (1|q|g); alpha ~ i + (1|q|g);",
    ):
        assert str(define(Definition(spelled, "negbinomial"), frame).spec.formula).replace("| q |", "| p |") == whole
    assert str(hm.model(["c ~ x", "alpha ~ i"], frame, "negbinomial").formula) == "c ~ x; alpha ~ i"
    assert hm.translate(whole, "brms") == "bf(c ~ x + (1 | p | g), shape ~ i + (1 | p | g))"
    with pytest.raises(HiermodError, match=r"bmb.Formula\('y ~ x', 'sigma ~ i'\)"):
        hm.translate("y ~ x; sigma ~ i", "bambi")


def test_an_id_in_one_formula_is_a_name():
    spec = spec_of("y ~ (1 | p | g); sigma ~ (1 | q | g)", frame_of(), "gaussian")
    assert str(spec.formula) == "y ~ 1 + (1 | g); sigma ~ 1 + (1 | g)"
    assert [term.correlated for term in spec.groups] == [False, False]


def test_equations_and_words():
    explained = hm.model("y ~ x + (1 | g); sigma ~ i + (1 | g)", frame_of()).explain()
    assert r"\operatorname{Normal}(\mu_i, \sigma_i)" in explained.latex
    assert r"\log \sigma_i &= \beta_{\text{sigma\_Intercept}}" in explained.latex
    assert "Terms of sigma (standard deviation) on the log scale:" in explained.text
    assert "Varying effects of sigma:" in explained.text


def test_links_of_parameters():
    frame = frame_of().assign(c=lambda d: d.c * (d.i + d.h > 0))
    spec = define(Definition("c ~ i; zi ~ h", "zero_inflated_poisson(zi=probit)"), frame).spec
    assert spec.predictors["zi"].link.name == "probit"
    assert str(spec.family) == "zero_inflated_poisson(zi=probit)"
    assert str(read_family("zero_inflated_poisson(link='log', link_zi = \"logit\")")) == "zero_inflated_poisson"
    with pytest.raises(ModelError, match=r"'zi' of the family zero_inflated_poisson has no link 'log'.*'logit'"):
        read_family("zero_inflated_poisson(zi=log)")
    with pytest.raises(DataError, match=r"zero_inflated_poisson has no parameter 'hu'.*'zi'"):
        read_family("zero_inflated_poisson(hu=logit)")


def by_level(seed=4, groups=12):
    rng = np.random.default_rng(seed)
    code = rng.integers(0, groups, 240)
    return pd.DataFrame({
        "y": rng.normal(size=240), "x": rng.normal(size=240), "g": [f"g{k:02d}" for k in code],
        "f": np.where(code % 2, "a", "b"), "k": code % 2, "h": rng.choice(["p", "q"], 240),
    })  # fmt: skip


def test_a_variance_for_each_level_of_a_factor():
    """The effects of a level's groups have its standard deviation; those of other levels add nothing."""
    spec = spec_of("y ~ x + (1 | gr(g, by = f))", by_level(), "gaussian", {"sd(f[a]|g)": "HalfNormal(0.3)"})
    assert str(spec.formula) == "y ~ x + (0 + f || g)"
    (term,) = spec.groups
    assert term.sd_keys() == ["sd(f[a]|g)", "sd(f[b]|g)"]
    assert not term.correlated
    assert spec.priors["f|g_sigma"][0].describe() == "HalfNormal(0.3)"
    design = term.effects[0].block.matrix(spec.cells.frame)
    np.testing.assert_array_equal(design.sum(axis=1), 1.0)
    sloped = spec_of("y ~ (1 + x || gr(g, by=f)); sigma ~ (1 | gr(g, by=f))", by_level(), "gaussian")
    assert str(sloped.formula) == "y ~ 1 + (0 + f + f:x || g); sigma ~ 1 + (0 + f || g)"
    assert str(spec_of("y ~ (1 | gr(g, id = p)); sigma ~ (1 | p | g)", by_level(), "gaussian").formula) == (
        "y ~ 1 + (1 | p | g); sigma ~ 1 + (1 | p | g)"
    )


def test_a_covariance_for_each_level_of_a_factor():
    """So many bars of the level's columns, which no correlation joins."""
    text = "y ~ x + (1 + x | gr(g, by = f)); sigma ~ 1 + (1 + h | gr(g, by = f))"
    frame = by_level()
    spec = spec_of(text, frame, "gaussian", {"sd(f[a]|g)": "HalfNormal(0.3)", "cor": "LKJ(4)"})
    assert str(spec.formula) == text
    assert parse(str(spec.formula)) == spec.formula
    of_mu, levels = spec.groups[:2], spec.cells.frame["f"].to_numpy()
    assert [term.correlation_keys() for term in of_mu] == [["cor(f[a], f:x[a]|g)"], ["cor(f[b], f:x[b]|g)"]]
    assert [term.row_names for term in spec.groups[2:]] == [
        [f"sigma_f[{level}]", f"sigma_f:h[{level}, q]"] for level in "ab"
    ]
    assert spec.priors["f[a]|g_sigma"][0].describe() == "HalfNormal(0.3)"
    for term, level in zip(of_mu, "ab", strict=True):
        expected = np.stack([np.ones(len(levels)), spec.cells.frame["x"]]) * (levels == level)
        seen = np.hstack([effect.block.matrix(spec.cells.frame) for effect in term.effects])
        np.testing.assert_array_equal(seen.T, expected)
    assert hm.translate(text, "brms").startswith("bf(y ~ x + (1 + x | gr(g, by = f)), sigma ~ 1 + (1 + h")
    with pytest.raises(HiermodError, match="lme4 has no covariance for each level of a factor"):
        hm.translate("y ~ (1 + x | gr(g, by = f))", "lme4")
    with pytest.raises(ModelError, match="Bambi has no covariance for each level"):
        hm.model("y ~ (1 + x | gr(g, by = f))", frame).bambi()


@pytest.mark.parametrize(
    ("bar", "error", "match"),
    [
        ("(1 + x | gr(g, by = k))", DataError, r"'k' is numeric"),
        ("(1 + x | gr(g, by = h))", DataError, r"is in several levels of 'h'"),
        ("(1 | gr(g, by = k))", DataError, r"'k' is numeric"),
        ("(1 | gr(g, by = h))", DataError, r"is in several levels of 'h'.*\(0 \+ h \| g\)"),
        ("(1 | gr(g, cov = A))", FormulaError, r"cov= is not there"),
        ("(1 | gr(g, by = g))", FormulaError, r"is the grouping factor itself"),
    ],
)
def test_groupings_that_are_refused(bar, error, match):
    with pytest.raises(error, match=match):
        spec_of(f"y ~ x + {bar}", by_level(), "gaussian")
