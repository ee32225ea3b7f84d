"""What Bambi fits and hiermod does not: named, with lines that run, and brought back with the right answers."""

import re

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
from bambi.defaults.families import BUILTIN_FAMILIES
from bambi_tools import made_up, mean
from scipy import stats

import hiermod as hm
from hiermod.errors import DataError, FormulaError, HiermodError, ModelError
from hiermod.families.names import MEANT, OF_BAMBI
from hiermod.families.ops import NUMPY
from hiermod.families.registry import read_family
from hiermod.modeling.bambi.families import FAMILIES

ROWS = 60
pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes are included")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.uniform(0.0, 3.0, ROWS), "z": rng.normal(size=ROWS)})
    frame["f"], frame["g"] = rng.choice(list("uv"), ROWS), np.repeat(list("abcdef"), ROWS // 6)
    frame["y"] = np.sin(frame["x"]) + 0.4 * rng.normal(size=ROWS)
    frame["t"] = rng.wald(np.exp(0.2 + 0.3 * frame["x"]), 6.0)
    frame["k"], frame["m"], frame["w"] = rng.multinomial(9, [0.5, 0.3, 0.2], ROWS).T
    return frame


def is_known(name):
    try:
        read_family(name)
    except DataError:
        return name in MEANT
    return True


def test_families_that_bambi_alone_has_are_named():
    alone = {name for name in BUILTIN_FAMILIES if not is_known(name)}
    assert alone == {name.partition("(")[0] for name in OF_BAMBI.values()}
    for name, record in FAMILIES.items():
        assert {"mu", *record.auxiliary} == set(BUILTIN_FAMILIES[name]["likelihood"]["params"])


def lines_of(caught):
    return re.findall(r"^    (?!.*\^)(.* = .*)$", str(caught.value), flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("formula", "family", "line"),
    [
        ("cbind(k, m, w) ~ x", "dirichlet_multinomial", 'bambi.Model("c(k, m, w) ~ x", data, family="dirichlet_mult'),
        (
            "y ~ hsgp(x, m=6, c=2, scale=FALSE) + f",
            None,
            'bambi.Model("y ~ hsgp(x, m=6, c=2, scale=False) + f", data, ',
        ),
        ("k ~ hsgp(x, by=f, m=6, c=2)", "poisson", 'by=f, m=6, c=2)", data, family="poisson", link="log")'),
    ],
)
def test_the_lines_are_given(formula, family, line, data):
    with pytest.raises(HiermodError, match="lines fit it with Bambi") as caught:
        hm.model(formula, data, family)
    lines = lines_of(caught)
    assert line in lines[0]
    assert lines[1] == "idata = model.fit()"
    assert lines[2:] == ([] if family == "dirichlet_multinomial" else ["fit = hiermod.from_bambi(model, idata)"])


@pytest.mark.parametrize(
    ("formula", "family", "error", "match"),
    [
        ("y ~ gp(x)", None, FormulaError, r"nearest is the smooth s\(x\); hsgp\(x, m=20, c=1.5\) in its place"),
        ("y ~ hsgp(x, z, m=5, c=2)", None, FormulaError, "one column is read here"),
        ("y ~ hsgp(x, m=5)", None, FormulaError, "one of c=, .* and L=, .*, is needed"),
        ("t ~ hsgp(x, m=5, c=2)", "weibull", FormulaError, "the family weibull is not handed over"),
        ("cbind(k, m, w) ~ bs(x, knots=c(1, 2))", "dirichlet_multinomial", DataError, r"not this formula: .*c\(1, 2\)"),
        ("y ~ x", "laplacian", DataError, "There is no family 'laplacian'"),
    ],
)
def test_where_there_are_no_lines_the_message_says_why(formula, family, error, match, data):
    with pytest.raises(error, match=match):
        hm.model(formula, data, family)


SCIPY = {
    "laplace": lambda mu, b: stats.laplace(mu, b),
    "asymmetriclaplace": lambda mu, b, kappa: stats.laplace_asymmetric(kappa, mu, 1.0 / b),
    "vonmises": lambda mu, kappa: stats.vonmises(kappa, mu),
    "wald": lambda mu, lam: stats.invgauss(mu / lam, scale=lam),
}


@pytest.mark.parametrize("name", SCIPY)
def test_records_of_bambi_s_families_are_scipy_s(name):
    rng, family = np.random.default_rng(3), FAMILIES[name]
    eta = rng.uniform(-1.0, 1.0, 1000)
    parameters = [rng.uniform(0.4, 3.0, 1000) for _ in family.parameters]
    theirs = SCIPY[name](family.link.inverse(eta), *parameters)
    y = np.clip(theirs.rvs(random_state=rng), -np.pi, np.pi) if name == "vonmises" else theirs.rvs(random_state=rng)
    ours = family.log_density(NUMPY, (y,), family.linear(eta), *parameters)
    np.testing.assert_allclose(ours, theirs.logpdf(y), rtol=1e-10, atol=1e-10)
    chance = theirs.cdf(y) - (theirs.cdf(-np.pi) if name == "vonmises" else 0.0)
    np.testing.assert_allclose(family.cdf((y,), family.linear(eta), *parameters)[1], chance, rtol=1e-9, atol=1e-9)
    if family.quantile is not None:
        own = family.quantile(0.3, family.linear(eta), *parameters)
        np.testing.assert_allclose(own, theirs.ppf(0.3), rtol=1e-9)
    if name != "vonmises":
        expected = family.mean(eta, *parameters)
        np.testing.assert_allclose(expected, theirs.mean(), rtol=1e-9)
        np.testing.assert_allclose(family.variance(expected, *parameters), theirs.var(), rtol=1e-9)
        assert np.abs(family.mean_link(family.link, *parameters).forward(expected) - eta).max() < 1e-9
    fixed = [np.full((), 1.3) for _ in parameters]
    drawn = family.draw(rng, (20_000,), family.mean(np.array(0.2), *fixed), 1.0, *fixed)
    test = stats.kstest(drawn, SCIPY[name](family.link.inverse(0.2), *fixed).cdf)
    assert test.pvalue > 1e-3


FITS = {
    "processes": ("y ~ hsgp(x, m=5, c=2) + f", "gaussian", None),
    "processes by a factor": ("y ~ hsgp(x, by=f, m=4, c=1.5, scale=False) + (1 | g)", "gaussian", None),
    "wald": ("t ~ x + (1 | g)", "wald", "log"),
}


@pytest.mark.parametrize(
    "name", ["wald", *(pytest.param(name, marks=pytest.mark.slow) for name in FITS if name != "wald")]
)
def test_means_on_any_rows_are_bambi_s(name, data):
    formula, family, link = FITS[name]
    model = bmb.Model(formula, data, family=family, link=link)
    idata = made_up(model)
    fit = hm.from_bambi(model, idata)
    seen = fit.predict(data).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(seen, mean(model, idata), rtol=1e-9)
    new = data.assign(x=np.linspace(-0.5, 4.0, ROWS))
    theirs = model.predict(idata, kind="response_params", inplace=False, data=new)["posterior"]
    theirs = theirs[model.family.likelihood.parent].transpose("__obs__", "chain", "draw").to_numpy()
    np.testing.assert_allclose(fit.predict(new).draws.transpose("row", "chain", "draw"), theirs, rtol=1e-9)
    assert len(fit.prior_summary()) >= 3
    assert fit.slopes("x").table["estimate"].notna().all()


def test_links_that_are_not_here_are_named(data):
    model = bmb.Model("t ~ x", data, family="wald")
    with pytest.raises(ModelError, match=r"wald\(inverse_squared\).*has no link 'inverse_squared'"):
        hm.from_bambi(model, made_up(model))


@pytest.mark.slow
def test_a_process_whose_scale_is_not_said_is_refused(data):
    own = {"hsgp(x, m=4, c=2)": {"sigma": bmb.Prior("Exponential", lam=1), "ell": bmb.Prior("Exponential", lam=1)}}
    model = bmb.Model("y ~ hsgp(x, m=4, c=2)", data, priors=own)
    with pytest.raises(ModelError, match="write scale=False in the formula"):
        hm.from_bambi(model, made_up(model))


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "family"), [("t ~ x + (1 | g)", "wald"), ("y ~ hsgp(x, m=6, c=2)", "gaussian")])
def test_the_lines_run_and_what_comes_back_is_right(formula, family, data):
    import arviz_stats as azs

    with pytest.raises(HiermodError, match="Three lines") as caught:
        hm.model(formula, data, family)
    names = {"bambi": bmb, "data": data, "hiermod": hm}
    exec("\n".join(lines_of(caught)).replace(".fit()", ".fit(random_seed=1, progressbar=False)"), names)
    fit, model, idata = (names[name] for name in ("fit", "model", "idata"))
    seen = fit.predict(data).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(seen, mean(model, idata), rtol=1e-9)
    model.compute_log_likelihood(idata)
    assert fit.loo().elpd == pytest.approx(azs.loo(idata).elpd, abs=0.02)
    truth = np.exp(0.2 + 0.3 * 1.5) if family == "wald" else np.sin(1.5)
    at = fit.rates({"x": [1.5]}).table.iloc[0]
    assert at["lower"] < truth < at["upper"]
