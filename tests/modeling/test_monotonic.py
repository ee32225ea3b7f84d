"""Monotonic effects: their density by hand, draws of the prior, what is answered, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from modeling_tools import spec_of
from scipy import stats

import hiermod as hm
from hiermod.errors import FormulaError, HiermodError, ModelError, PriorError
from hiermod.sampling.prior_draws import sample_prior

LEVELS = ["none", "some", "much", "all"]
RNG = np.random.default_rng(4)
FRAME = pd.DataFrame({"n": RNG.integers(0, 4, 80), "z": RNG.normal(size=80).round(2), "f": RNG.choice(list("abc"), 80)})
FRAME = FRAME.assign(
    x=pd.Categorical.from_codes(FRAME["n"], LEVELS, ordered=True), text=np.array(LEVELS)[FRAME["n"]],
    y=(0.5 * FRAME["n"] + RNG.normal(size=80)).round(3), g=RNG.choice(list("uvw"), 80),
)  # fmt: skip
PRIORS = {"Intercept": "Normal(0, 2)", "mo(x)": "Normal(0.5, 2)", "mo(x):z": "StudentT(4, 0, 1)", "z": "Normal(0, 1)",
          "simo(mo(x))": "Dirichlet(2)", "sigma": "Exponential(1)"}  # fmt: skip


@pytest.fixture(scope="module")
def fit():
    return hm.fit("y ~ mo(x)*z", FRAME, "gaussian", priors=PRIORS, seed=2, progress=False, draws=500, chains=2)


def test_the_prior_of_the_whole_effect_is_the_one_stated():
    spec = spec_of("y ~ mo(x):f", FRAME, "gaussian", {"mo(x):f[b]": "Normal(3, 1)", "simo": "Dirichlet(0.5)"})
    draws = sample_prior(spec, 4000, 1)
    steps, wholes, shares = (draws.values(f"mo(x):f{end}") for end in ("_steps", "", "_shares"))
    assert draws.dataset["mo(x):f_dim"].values.tolist() == ["a", "b", "c"]
    assert draws.dataset["mo(x):f_steps_dim"].values[:4].tolist() == ["some, a", "some, b", "some, c", "much, a"]
    np.testing.assert_allclose(steps.reshape(-1, 3, 3).sum(axis=1), wholes)
    np.testing.assert_allclose(shares.reshape(-1, 3, 3).sum(axis=1), 1.0)
    np.testing.assert_allclose(steps, np.tile(wholes, 3) * shares)
    quantiles = np.quantile(wholes[:, 1], [0.1, 0.5, 0.9])
    np.testing.assert_allclose(quantiles, stats.norm.ppf([0.1, 0.5, 0.9], 3.0, 1.0), atol=0.12)
    np.testing.assert_allclose(
        np.quantile(shares[:, 0], [0.25, 0.5, 0.75]), stats.beta.ppf([0.25, 0.5, 0.75], 0.5, 1.0), atol=0.03
    )


def test_defaults_are_of_the_whole_effect_per_unit_of_what_is_beside_it():
    table = hm.model("y ~ mo(x)*z", FRAME, "gaussian").prior_summary().set_index("parameter")
    spread = 2.5 * FRAME["y"].std(ddof=0)
    assert table.loc["mo(x)", "prior"] == f"StudentT(3, 0, {spread:.4g})"
    assert table.loc["mo(x):z", "prior"] == f"StudentT(3, 0, {spread / FRAME['z'].std(ddof=0):.4g})"
    assert table.loc["simo(mo(x))", "prior"] == "Dirichlet(1)"
    assert table.loc["mo(x)", "stated_at"] == "from the lowest level to the highest"
    assert "z" not in table.loc["Intercept", "stated_at"]  # a product's effect is monotonic where z is 0


def test_a_fit_tells_whole_effects_and_steps(fit):
    assert fit._posterior.history.engine.name == "compiled"
    rows = fit.fixef().index
    assert ["mo(x)", *(f"mo(x)_steps[{level}]" for level in LEVELS[1:])] == rows[1:5].tolist()
    assert set(fit.summary().fixed.index) == set(rows)
    steps = fit.posterior["mo(x)_steps"].values
    np.testing.assert_allclose(steps.sum(axis=2), fit.posterior["mo(x)"].values, rtol=1e-12)
    assert (np.sign(steps) == np.sign(fit.posterior["mo(x)"].values)[:, :, None]).all()
    at_zero = FRAME.assign(z=0.0)
    effect = fit.effect("x", data=at_zero).draws.values
    np.testing.assert_allclose(effect, np.cumsum(steps, axis=2), rtol=1e-9)
    assert fit.hypothesis("mo(x) > 0").table["probability"][0] == (fit.posterior["mo(x)"].values > 0).mean()


def test_answers_are_those_of_the_columns(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    new = pd.DataFrame({"x": ["much", "none"], "z": [0.5, 2.0]})
    draws = again.predict(new).draws.values
    steps, products, level, slope = (fit.posterior[name].values for name in ("mo(x)_steps", "mo(x):z_steps",
                                                                            "Intercept", "z"))  # fmt: skip
    much = level + 0.5 * slope + (steps + 0.5 * products)[:, :, :2].sum(axis=2)
    np.testing.assert_allclose(draws[:, :, 0], much, rtol=1e-9)
    np.testing.assert_allclose(draws[:, :, 1], level + 2.0 * slope, rtol=1e-9)
    assert np.isfinite(fit.loo().elpd)
    with pytest.raises(HiermodError, match="holds 'most', a level that the fitted data did not have"):
        again.predict(new.assign(x="most"))
    with pytest.raises(HiermodError, match="in steps, through mo"):
        fit.slopes("x")


def test_levels_that_do_not_occur_are_told():
    model = hm.model("y ~ mo(n)", FRAME.assign(n=FRAME["n"] ** 2), "gaussian")
    assert "mo(n): no row has '2', '3', '5', '6', '7', '8'; one step leads across" in model.notices
    unused = pd.Categorical(FRAME["text"], ["none", "some", "rare", "much", "all", "never"], ordered=True)
    model = hm.model("y ~ mo(x)", FRAME.assign(x=unused), "gaussian")
    assert "mo(x): levels without rows left out: 'rare', 'never'" in model.notices
    assert "mo(x): none < some < much < all" in model.notices


def test_lazy_frames_and_enums_have_their_order():
    frame = (
        pl.DataFrame(FRAME[["y", "text", "z"]]).rename({"text": "x"}).with_columns(pl.col("x").cast(pl.Enum(LEVELS)))
    )
    model = hm.model("y ~ mo(x)*z", frame.lazy(), "gaussian")
    assert "mo(x): none < some < much < all" in model.notices


def test_words_and_equations():
    explanation = hm.model("y ~ mo(x)*z", FRAME, "gaussian").explain()
    assert "steps from none up to all that all go one way, shares of the whole effect" in explanation.text
    assert r"\beta_{\text{mo(x)}} \textstyle\sum_{k=1}^{\text{x}_i} \zeta_{\text{mo(x)},k}" in explanation.latex
    assert r"\zeta_{\text{mo(x):z},k}\, \text{z}_i" in explanation.latex
    assert hm.translate("y ~ mo(x)*z + (1 | g)", "brms") == "y ~ mo(x) + z + mo(x):z + (1 | g)"
    with pytest.raises(FormulaError, match=r"lme4 has no monotonic effects. The nearest is .* factor\(x\)"):
        hm.translate("y ~ mo(x)", "lme4")


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("y ~ mo(text)", FormulaError, r"needs levels in an order.* mo\(ordered\(text, levels=c\('all', 'much'"),
        ("y ~ mo(f)", FormulaError, "those of f have none: 'a', 'b', 'c'"),
        ("y ~ mo(z)", FormulaError, r"holds .*\. The nearest are the smooth s\(z\) and .*mo\(ordered\(cut\(z, 5\)\)\)"),
        ("y ~ mo(one)", FormulaError, r"mo\(one\) is constant"),
        ("y ~ mo(many)", FormulaError, "80 levels, with a step to each, and 50 are the most"),
        ("y ~ mo(n):mo(x)", ModelError, r"holds one monotonic effect. The nearest is mo\(n\) beside .*mo\(n\):factor"),
        ("y ~ (mo(x) | g)", ModelError, r"does not vary over groups. The nearest is mo\(x\) \+ \(1 \+ x \| g\)"),
        ("y ~ z; sigma ~ (mo(x) | g)", ModelError, "does not vary over groups"),
        ("y ~ log(mo(x))", FormulaError, "cannot be calculated with"),
        ("y ~ mo(n + 1)", FormulaError, "a column, ordered"),
        ("y ~ mo(x, id='a')", FormulaError, "no option 'id' here"),
    ],
)
def test_what_is_refused(text, error, match):
    with pytest.raises(error, match=match):
        hm.model(text, FRAME.assign(one=3, many=range(80)), "gaussian")


@pytest.mark.parametrize(
    ("priors", "match"),
    [
        ({"mo(x)": "Dirichlet(1)"}, r"a prior of shares that add up to 1.* One number has a prior such as Normal"),
        ({"simo(mo(x))": "Normal(0, 1)"}, r"Normal\(0, 1\) is given"),
        ({"mo(x)_steps": "Normal(0, 1)"}, "no parameter .* Did you mean 'mo"),
    ],
)
def test_priors_that_do_not_fit(priors, match):
    with pytest.raises(PriorError, match=match):
        hm.model("y ~ mo(x)", FRAME, "gaussian", priors=priors)


def test_following_the_advice_gives_a_model():
    levels = ", ".join(repr(level) for level in LEVELS)
    model = hm.model(f"y ~ mo(ordered(text, levels=c({levels}))) + mo(ordered(cut(z, 5)))", FRAME, "gaussian")
    assert any("none < some < much < all" in notice for notice in model.notices)
