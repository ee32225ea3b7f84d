"""Other people's Bambi models: every mean is the one that Bambi itself computes from the same draws."""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bambi_tools import made_up, mean

import hiermod as hm
from hiermod.errors import AnswerError, ModelError, SamplingError, StorageError

ROWS = 60
# Bambi selects columns of text in a way that pandas 3 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes are included")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.integers(0, 2, ROWS), "b": rng.integers(0, 2, ROWS) > 0})
    frame["x"] = rng.normal(3.0, 1.0, ROWS) ** 2
    frame["f"] = rng.choice(list("zxy"), ROWS)
    frame["a"] = rng.choice(["q", "p", "r"], ROWS)
    frame["c"] = np.where(frame["a"] == "p", "u", rng.choice(["u", "v"], ROWS))  # p:v does not occur
    frame["ten"] = rng.choice([2, 10, 9], ROWS)
    frame["o"] = pd.Categorical(rng.choice(["low", "high"], ROWS), ["low", "high"], ordered=True)
    frame["n"] = rng.integers(3, 9, ROWS)
    frame["s"] = rng.binomial(frame["n"], 0.4)
    frame["text"] = np.where(frame["y"] == 1, "yes", "no")
    return frame


CASES = {
    "bars without correlations": ("y ~ x + (1 + x | a)", "bernoulli"),
    "factors and interactions": ("y ~ b + f*x + (1 + f | a)", "bernoulli"),
    "nested groups": ("y ~ x + (1 | a/c)", "bernoulli"),
    "crossed groups": ("y ~ (x | c:a) + (1 | ten)", "bernoulli"),
    "no intercepts": ("y ~ 0 + f + (0 + f | a)", "bernoulli"),
    "bases": ("x ~ bs(n, df=4) + poly(ten, 2) + (1 + scale(n) | a)", "gaussian"),
    "functions": ("y ~ scale(x) + np.log(x) + C(ten) + (1 | a)", "bernoulli"),
    "an ordered factor": ("y ~ o + (1 + o | a)", "bernoulli"),
    "successes of trials": ("p(s, n) ~ x + (1 | a)", "binomial"),
    "a level": ("text['yes'] ~ x + (1 | a)", "bernoulli"),
    "counts with an offset": ("n ~ b + offset(np.log(x)) + (1 | a)", "poisson"),
    "gaussian": ("x ~ n + (n | ten)", "gaussian"),
    "student": ("x ~ n + (1 | a)", "t"),
    "dispersed counts": ("n ~ x + (1 | a)", "negativebinomial"),
    "dispersed rates": ("p(s, n) ~ x + (1 | a)", "beta_binomial"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_mean_is_bambis(name, data):
    formula, family = CASES[name]
    model = bmb.Model(formula, data, family=family)
    idata = made_up(model)
    fit = hm.from_bambi(model, idata)
    rows = model.data if name != "an ordered factor" else data.assign(o=data["o"].astype(str))
    seen = fit.predict(rows).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(seen, mean(model, idata), rtol=1e-9, atol=1e-12)
    assert len(fit.summary().fixed) == len(fit.fixef())
    assert fit.check() is not None


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("functions", "bases")])
def test_variables_are_those_of_the_model_and_bambis(name, data):
    """In names, order, dims and labels; Bambi has all pairs of crossed groups, and a name of its own for columns."""
    formula, family = CASES[name]
    model = bmb.Model(formula, data, family=family)
    theirs = made_up(model)["posterior"].to_dataset()
    fit = hm.from_bambi(model, theirs)
    assert list(fit.posterior) == [own.name for own in fit.model._defined.spec.variables()]
    for own in fit.model._defined.spec.variables():
        found = fit.posterior[own.name]
        assert found.dims == ("chain", "draw", *own.dims)
        assert tuple(tuple(found[dim].to_numpy()) for dim in own.dims) == own.labels
        same = own.name in theirs and theirs[own.name].shape == found.shape
        assert not same or set(theirs[own.name].dims) == set(found.dims)


def test_links_aliases_and_noncentred_or_not(data):
    model = bmb.Model("y ~ x + (1 | a)", data, family="bernoulli", link="probit", noncentered=False)
    model.set_alias({"x": "slope", "1|a": "groups"})
    idata = made_up(model)
    assert {"slope", "groups"} <= set(idata["posterior"].data_vars)
    fit = hm.from_bambi(model, idata)
    assert fit.model.family == "bernoulli(probit)"
    seen = fit.predict(model.data).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(seen, mean(model, idata), rtol=1e-9, atol=1e-12)


def test_every_answer_works(data):
    model = bmb.Model("p(s, n) ~ b + f + (1 + b | a)", data, family="binomial")
    fit = hm.from_bambi(model, made_up(model, draws=60))
    assert len(fit.cells) <= ROWS
    assert len(fit.rates(by=["a", "b"]).table) == 6
    for groups in ("observed", "typical", "new", "population"):
        assert len(fit.effect("f", by="b", groups=groups).table) == 4
    assert fit.best("f")["prob_best"].sum() == pytest.approx(1.0)
    assert fit.pairwise("a").shape == (3, 3)
    assert len(fit.shrinkage("a")) == 3
    assert list(fit.varcorr()["var1"]) == ["Intercept", "b"]
    assert fit.ranef()["a"].shape == fit.coef()["a"].iloc[:, :2].shape
    assert fit.loo().n == ROWS
    assert fit.hypothesis("b > 0").table.shape[0] == 1
    assert fit.update.__doc__
    assert fit.formula == "p(s, n) ~ b + f + (1 + b || a)" or "||" in fit.formula


def test_the_priors_are_bambis(data):
    priors = {"x": bmb.Prior("Normal", mu=0, sigma=0.123), "sigma": 2.0}
    model = bmb.Model("x ~ n + (1 | a)", data, priors={"n": priors["x"], "sigma": 2.0})
    fit = hm.from_bambi(model, made_up(model))
    table = fit.prior_summary().set_index("parameter")
    assert "0.123" in table.loc["n", "prior"]
    assert "HalfNormal" in table.loc["sd(1|a)", "prior"]
    assert table.loc["Intercept", "stated_at"] == "predictors at their means"
    assert fit.sigma() == 2.0  # a number that was given, not sampled
    assert not any(check.name.startswith("intercept") for check in fit.check().checks)
    assert fit.model.bambi() is model
    assert fit.model.pymc() is model.backend.model


def test_rows_with_missing_values_are_left_out_by_both(data):
    holed = data.assign(x=data["x"].where(data.index % 7 > 0))
    model = bmb.Model("y ~ x + (1 | a)", holed, family="bernoulli", dropna=True)
    fit = hm.from_bambi(model, made_up(model))
    assert fit.nobs() == holed["x"].notna().sum()


def test_draws_that_do_not_say_where_they_come_from_get_a_notice(data):
    model = bmb.Model("y ~ x + (1 | a)", data, family="bernoulli")
    posterior = made_up(model)["posterior"].to_dataset()
    assert not any("Intercept is taken" in notice for notice in hm.from_bambi(model, posterior).notices)
    posterior.attrs.clear()
    assert any("Intercept is taken" in notice for notice in hm.from_bambi(model, posterior).notices)


@pytest.mark.parametrize(
    ("formula", "options", "message"),
    [
        (bmb.Formula("x ~ n", "sigma ~ b"), {}, "formulas of other parameters too"),
        ("x ~ hsgp(n, ten, m=3, c=1.5)", {}, "has a part without counterpart"),
        ("x ~ n", {"family": "wald"}, "Answers know no Bambi family wald"),
        ("text ~ x", {"family": "bernoulli"}, "has no counterpart"),
        ("weighted(x, n) ~ b", {}, "the response has other columns or values"),
        (
            "x ~ n + (1 | a)",
            {"priors": {"1|a": bmb.Prior("StudentT", nu=3, mu=0, sigma=bmb.Prior("HalfNormal", sigma=1))}},
            r"the effects 1\|a are StudentT",
        ),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused(formula, options, message, data):
    with pytest.raises(ModelError, match=message):
        hm.from_bambi(bmb.Model(formula, data, **options), xr.Dataset())


def test_other_things_are_refused(data, tmp_path):
    model = bmb.Model("y ~ x + (1 | a)", data, family="bernoulli")
    idata = made_up(model)
    with pytest.raises(ModelError, match=r"A bambi.Model is needed, not str"):
        hm.from_bambi("y ~ x", idata)
    with pytest.raises(SamplingError, match="must be what bambi's fit gives"):
        hm.from_bambi(model, None)
    with pytest.raises(ModelError, match="no variable 'x'"):
        hm.from_bambi(model, idata["posterior"].to_dataset().drop_vars("x"))
    fit = hm.from_bambi(model, idata)
    for call in (lambda: fit.update(draws=10), fit.model.fit, fit.model.explain):
        with pytest.raises(ModelError, match="priors are its own"):
            call()
    with pytest.raises(StorageError, match="not stored here"):
        fit.save(tmp_path / "fit.nc")
    with pytest.raises(AnswerError, match="'nothing'"):
        fit.effect("nothing")
