"""Negative binomial, Student, gamma and beta-binomial: answers by hand, from cells and from rows, and new responses."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from answer_tools import arviz_loo, assert_same, draws_of, with_made_up_draws
from pytensor.compile.mode import Mode
from scipy import special, stats

import hiermod as hm
from hiermod.answers.parameters.hypotheses import chief_draws

RNG = np.random.default_rng(8)
SIZE = 120
DATA = pd.DataFrame({"arm": RNG.choice(list("abc"), SIZE), "g": RNG.choice(list("uvw"), SIZE), "n": 6})
DATA["count"] = RNG.negative_binomial(2.0, 0.4, SIZE)
DATA["real"] = RNG.standard_t(3.0, SIZE).round(0) + 2.0
DATA["positive"] = RNG.gamma(2.0, 1.0, SIZE).round(0) + 0.5
DATA["s"] = RNG.binomial(6, RNG.beta(2.0, 3.0, SIZE))
CDF = {"logit": special.expit, "probit": stats.norm.cdf, "cloglog": lambda eta: -np.expm1(-np.exp(eta))}
RATES = {f"beta_binomial({link})": ("s/n", cdf) for link, cdf in CDF.items()}
CASES = {
    "negbinomial": ("count", np.exp),
    "student": ("real", lambda eta: eta),
    "gamma": ("positive", np.exp),
    **RATES,
}


def distribution(family, mean, *auxiliary):
    """SciPy's own."""
    match family.split("(")[0], auxiliary:
        case "negbinomial", (alpha,):
            return stats.nbinom(alpha, alpha / (alpha + mean))
        case "student", (sigma, nu):
            return stats.t(nu, mean, sigma)
        case "gamma", (alpha,):
            return stats.gamma(alpha, scale=mean / alpha)
        case _, (kappa,):
            return stats.betabinom(6, mean * kappa, (1.0 - mean) * kappa)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A family with a fit on cells."""
    model = hm.model(f"{CASES[request.param][0]} ~ arm + (1 | g)", DATA, request.param)
    return request.param, with_made_up_draws(model, {"kappa": 3.0, "alpha": 1.5, "nu": 4.0}, spread=0.2)


def expected_means(family, fit):
    """The mean of each row of the data in each draw, shape ``(draws, rows)``."""
    arms = np.column_stack([np.zeros(len(draws_of(fit, "arm"))), draws_of(fit, "arm")])
    eta = draws_of(fit, "Intercept")[:, None] + arms[:, pd.factorize(DATA["arm"], sort=True)[0]]
    return CASES[family][1](eta + draws_of(fit, "1|g")[:, pd.factorize(DATA["g"], sort=True)[0]])


def auxiliary(fit):
    return [draws_of(fit, name)[:, None] for name in fit._posterior.spec.family.auxiliary]


def response_of(family):
    return DATA["s" if family in RATES else CASES[family][0]].to_numpy()


def test_rates_average_expected_responses_within_each_draw(case):
    family, fit = case
    table = fit.rates(by="g").table.set_index("g")
    means = expected_means(family, fit)
    for group in "uvw":
        own = means[:, DATA["g"] == group].mean(axis=1)
        np.testing.assert_allclose(table.loc[group, "estimate"], own.mean(), rtol=1e-12)
        np.testing.assert_allclose(table.loc[group, "upper"], np.quantile(own, 0.975), rtol=1e-12)


def test_cells_answer_as_rows_do(case):
    family, fit = case
    rows = hm.model(fit.model.formula, DATA, family, compress=False).with_draws(fit.idata)
    assert len(fit.cells) < len(rows.cells) == SIZE
    close = {"rtol": 1e-10, "atol": 1e-12}
    for groups in ("observed", "typical", "new", "population"):
        pd.testing.assert_frame_equal(
            fit.effect("arm", groups=groups).table, rows.effect("arm", groups=groups).table, **close
        )
        pd.testing.assert_frame_equal(fit.best("arm", groups=groups), rows.best("arm", groups=groups), **close)
    pd.testing.assert_frame_equal(fit.shrinkage(), rows.shrinkage(), **close)
    pd.testing.assert_frame_equal(fit.rates(by=["arm", "g"]).table, rows.rates(by=["arm", "g"]).table, **close)
    pd.testing.assert_frame_equal(fit.predict(DATA[:5]).table, rows.predict(DATA[:5]).table, **close)


def test_raw_rates_of_groups_are_those_of_the_rows(case):
    family, fit = case
    sums = DATA.assign(y=response_of(family)).groupby("g")
    raw = sums["y"].sum() / (sums["n"].sum() if family in RATES else sums.size())
    np.testing.assert_allclose(fit.shrinkage()["raw"], raw, rtol=1e-12)


def test_leave_one_out_is_arviz_s_on_raw_rows(case):
    family, fit = case
    own = distribution(family, expected_means(family, fit), *auxiliary(fit))
    y = response_of(family)
    loo = fit.loo()
    assert_same(loo, arviz_loo(fit, own.logpdf(y) if family in ("student", "gamma") else own.logpmf(y)))
    assert len(loo.pointwise) < loo.n == SIZE


def test_the_mean_over_the_population_of_groups(case):
    """By the trapezoidal rule in each draw."""
    family, fit = case
    found = fit.rates(by="arm", groups="population").draws.sel(arm="a").to_numpy().ravel()[:20]
    z = np.linspace(-9.0, 9.0, 4001)
    eta = draws_of(fit, "Intercept")[:20, None] + draws_of(fit, "1|g_sigma")[:20, None] * z
    expected = np.trapezoid(CASES[family][1](eta) * stats.norm.pdf(z), z, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def known(family):
    """A fit whose draws are all the same, and the distribution of each row."""
    model = hm.model(f"{CASES[family][0]} ~ 1", DATA, family)
    centre = {"Intercept": -0.4, "alpha": 1.7, "sigma": 1.3, "nu": 4.5, "kappa": 2.2}
    fit = with_made_up_draws(model, centre, spread=0.0, draws=2500)
    own = [centre[name] for name in fit._posterior.spec.family.auxiliary]
    return fit, distribution(family, CASES[family][1](-0.4), *own)


def assert_drawn_from(own, values):
    """Shares of values up to some points differ from their chances by Monte Carlo error."""
    for point in own.ppf([0.05, 0.3, 0.6, 0.9, 0.99]):
        chance = own.cdf(point)
        assert abs((values <= point).mean() - chance) <= 4.5 * np.sqrt(chance * (1.0 - chance) / len(values))


@pytest.mark.parametrize("family", CASES)
def test_new_responses_have_the_family_s_distribution(family):
    fit, own = known(family)
    rows = pd.DataFrame({"n": [6, 6]})
    found = fit.predict(rows, kind="response").draws.to_numpy().ravel()
    assert len(found) == 20_000
    assert_drawn_from(own, found)


@pytest.mark.parametrize("family", ["negbinomial", "student", "gamma", "beta_binomial(cloglog)"])
def test_pymc_draws_new_responses_of_cells(family):
    fit, own = known(family)
    model = fit.model.pymc()
    posterior = fit.idata.posterior.to_dataset().isel(draw=slice(0, 200))
    quick = {"mode": Mode(linker="py", optimizer="fast_compile")}
    found = pm.sample_posterior_predictive(posterior, model, random_seed=3, progressbar=False, compile_kwargs=quick)
    (name,) = found.posterior_predictive.data_vars
    values = found.posterior_predictive[name].to_numpy().ravel()
    assert_drawn_from(own, values)


def test_new_responses_of_cells_have_the_trials_of_one_row(case):
    family, fit = case
    if family in RATES:
        assert (fit.cells["count"] > 1).any()
        assert fit.predict(kind="response").draws.to_numpy().max() == 6


def test_the_residual_is_of_families_with_a_scale(case):
    family, fit = case
    scaled = family == "student"
    assert list(fit.varcorr()["grp"]) == (["g", "Residual"] if scaled else ["g"])
    rows = {name: ("Residual" if name == "sigma" else "Family", name) for name in fit._posterior.spec.family.auxiliary}
    random = fit.summary().random
    assert list(random.index) == [("g", "sd(Intercept)"), *rows.values()]
    assert [name for name in chief_draws(fit._posterior) if name in rows] == list(rows)
    for name, row in rows.items():
        middle = np.median if np.isnan(random.loc[row, "sd"]) else np.mean  # where there is no posterior mean
        assert (middle is np.median) == (
            (family.partition("(")[0], name) in (("negbinomial", "alpha"), ("beta_binomial", "kappa"))
        )
        np.testing.assert_allclose(random.loc[row, "estimate"], middle(draws_of(fit, name)), rtol=1e-12)
        assert name in str(fit.summary())


def test_odds_ratios_are_of_rates_alone(case):
    family, fit = case
    if family in RATES:
        table = fit.effect("arm", scale="odds_ratio").table
        assert (table["estimate"] > 0).all()
    else:
        with pytest.raises(hm.errors.AnswerError, match="needs rates"):
            fit.effect("arm", scale="odds_ratio")


def test_counts_are_per_unit_of_exposure():
    data = DATA.assign(days=RNG.choice([1.0, 7.0], SIZE))
    fit = with_made_up_draws(hm.model("count ~ arm + offset(log(days))", data, "negbinomial"), spread=0.1)
    table = fit.rates(by="arm").table.set_index("arm")
    np.testing.assert_allclose(table.loc["a", "estimate"], np.exp(draws_of(fit, "Intercept")).mean(), rtol=1e-12)
    expected = 7.0 * np.exp(draws_of(fit, "Intercept")).mean()
    seen = fit.predict(pd.DataFrame({"arm": ["a"], "days": [7.0]})).table["estimate"]
    np.testing.assert_allclose(seen, [expected], rtol=1e-12)


def test_frequency_weights_are_repeated_rows(case):
    family, _ = case
    left = CASES[family][0]
    weighted = DATA.assign(w=np.arange(SIZE) % 4)
    repeated = DATA.loc[DATA.index.repeat(weighted["w"])]
    fit = with_made_up_draws(hm.model(f"{left} | weights(w) ~ arm", weighted, family) if family not in RATES else
                             hm.model("s | trials(n) + weights(w) ~ arm", weighted, family))  # fmt: skip
    other = hm.model(f"{left} ~ arm", repeated, family).with_draws(fit.idata)
    pd.testing.assert_frame_equal(fit.cells, other.cells)
    np.testing.assert_allclose(fit.loo().elpd, other.loo().elpd, rtol=1e-12)
