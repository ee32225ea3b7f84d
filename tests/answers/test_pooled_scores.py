"""Scores of pooled rates without draws, against integrals in other coordinates (tests/reference/pooled.py)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm
from hiermod.errors import AnswerError, ModelError
from hiermod.exact import leave_out
from hiermod.exact.leave_out import LeavingOut
from hiermod.modeling.hyperpriors import read_hyperprior

REFERENCE = Path(__file__).parents[1] / "reference"
LEFT_OUT = pd.read_csv(REFERENCE / "pooled_left_out.csv", dtype={"left_out": str})
RATS = pd.read_csv(REFERENCE / "rats.csv").to_numpy(dtype=float).T
PROPER = {"rate": "Beta(2, 8)", "size": "LogNormal(3, 1)"}
OF_EVENTS = {"rate": "LogNormal(0, 1)", "shape": "LogNormal(1, 1)"}
QUICK = {"draws": 10, "chains": 4, "seed": 1, "progress": False}
CASES = {
    "scenario 2": ("beta", {}, [3, 50, 55, 60], [10, 100, 100, 100]),
    "two groups": ("beta", {}, [3, 4], [10, 10]),
    "one of 10^7": ("beta", {}, [5_000_000, 50, 55, 60], [10_000_000, 100, 100, 100]),
    "rats": ("beta", {}, *RATS),
    "no successes": ("beta", PROPER, [0, 0, 0], [10, 20, 5]),
    "sites": ("gamma", {}, [3, 4, 10, 0, 22], [1.0, 2.0, 3.0, 0.5, 8.25]),
    "sites under priors": ("gamma", OF_EVENTS, [0, 0, 4], [1.0, 2.0, 5.0]),
}
ROWS = pd.DataFrame({"g": list("aabcc"), "s": [2, 5, 7, 1, 4], "n": [6, 9, 20, 8, 8]})


def fit_of(pool, priors, events, exposure):
    data = pd.DataFrame({"s": np.array(events, dtype=int), "n": exposure})
    data["g"] = [f"g{place:03d}" for place in range(len(data))]
    formula = "s/n ~ (1 | g)" if pool != "gamma" else "s ~ offset(log(n)) + (1 | g)"
    return hm.fit(formula, data, pooling=pool, priors=priors, **QUICK)


def expected(case):
    own = LEFT_OUT[LEFT_OUT["case"] == case]
    return own["left_out"].tolist(), own["elpd"].to_numpy()


@pytest.mark.parametrize("name", CASES)
def test_a_group_is_left_out_exactly(name):
    fit = fit_of(*CASES[name])
    places, elpd = expected(name)
    found = fit.logo(progress=False).pointwise["elpd"].to_numpy()
    np.testing.assert_allclose(found[[int(place) for place in places]], elpd, rtol=1e-8, atol=1e-6)
    rows = fit.loo().pointwise  # a group has one row here; cells of rates by exposure have an order of their own
    np.testing.assert_allclose(np.sort(rows["elpd"].repeat(rows["times"])), np.sort(found), rtol=1e-12)


def test_a_row_is_left_out_given_the_others_of_its_group():
    fit = hm.fit("s/n ~ (1 | g)", ROWS, pooling="beta", **QUICK)
    loo = fit.loo()
    np.testing.assert_allclose(loo.pointwise["elpd"], expected("rows")[1], atol=1e-6)
    np.testing.assert_allclose(loo.elpd, expected("rows")[1].sum(), atol=1e-5)
    assert (loo.exact, loo.warning, loo.p > 0) == (True, False, True)
    assert "Exact: the posterior without each distinct row is integrated anew." in repr(loo)
    of_new = fit.logo(score="rows", progress=False)
    np.testing.assert_allclose(of_new.pointwise["elpd"], expected("rows of new groups")[1], atol=1e-6)
    assert "Exact: the posterior without each group" in repr(of_new)


def test_equal_rows_are_left_out_once_and_counted():
    once = hm.fit("s/n ~ (1 | g)", ROWS, pooling="beta", **QUICK).loo()
    rows = ROWS.loc[ROWS.index.repeat(ROWS["n"])].reset_index(drop=True)
    rows["y"] = np.concatenate([np.arange(n) < s for s, n in zip(ROWS["s"], ROWS["n"], strict=True)])
    single = hm.fit("y ~ (1 | g)", rows, pooling="beta", **QUICK).loo()
    assert (single.n, len(single.pointwise)) == (51, 6)
    assert single.elpd < once.elpd  # without binomial coefficients
    np.testing.assert_allclose(single.pointwise["times"].sum(), 51)


def test_what_is_expected_of_known_rows_is_that_of_draws():
    data = hm.example("variants2")
    fit = hm.fit("successes/trials ~ (1 | variant)", data, pooling="beta", draws=20_000, seed=2, progress=False)
    found = fit.loo().pointwise
    rates = fit.posterior["rate|variant"].to_numpy().reshape(-1, 4)
    density = np.exp(stats.binom.logpmf(data["successes"], data["trials"], rates))
    error = 5 * density.std(axis=0) / density.mean(axis=0) / np.sqrt(len(rates))
    assert (np.abs(found["p"] + found["elpd"] - np.log(density.mean(axis=0))) < error).all()


def test_sums_of_many_groups_are_those_of_each(monkeypatch):
    successes, trials = RATS[:, 40:]
    groups = sorted(set(zip(successes.tolist(), trials.tolist(), strict=True)))
    leaving = [[(own, (0.0, 0.0))] for own in groups] + [[(groups[-1], (1.0, 12.0)), (groups[0], (0.0, 3.0))]]
    few = LeavingOut(read_hyperprior("beta", {}), successes, trials)
    scores = [few.log_score(own) for own in leaving]
    monkeypatch.setattr(leave_out, "FEW", 3)
    many = LeavingOut(read_hyperprior("beta", {}), successes, trials)
    np.testing.assert_allclose([many.log_score(own) for own in leaving], scores, rtol=1e-9)


def test_strata_are_left_out_by_themselves():
    data = ROWS.assign(segment="x")
    both = pd.concat([data, data.assign(segment="y", s=data["s"] // 2 + 1)])
    fit = hm.fit("s/n ~ 0 + segment + (1 | segment:g)", both, pooling="beta", **QUICK)
    found = fit.logo(progress=False).pointwise
    for segment, own in both.groupby("segment"):
        alone = hm.fit("s/n ~ (1 | g)", own, pooling="beta", **QUICK).logo(progress=False).pointwise
        inside = found["segment:g"].str.startswith(segment)
        np.testing.assert_allclose(found.loc[inside, "elpd"], alone["elpd"], rtol=1e-9)


@pytest.mark.parametrize(
    ("pool", "priors", "data", "match"),
    [
        ("beta", {}, ([10, 3, 10], [10, 10, 10]), r"'g001'.* cannot be left out: a proper posterior needs 'g001'\. "
         r"pooling='beta' has no proper posterior here.*Beta\(2, 8\)"),
        ("gamma", {}, ([3, 4, 0], [1.0, 2.0, 1.0]), r"'g000'.* cannot be left out: a proper posterior needs 'g000', "
         r"'g001'\. .*Another group with events is needed"),
    ],
)  # fmt: skip
def test_groups_that_a_proper_posterior_needs_are_named(pool, priors, data, match):
    fit = fit_of(pool, priors, *data)
    with pytest.raises(AnswerError, match=f"The group {match}"):
        fit.logo(progress=False)
    with pytest.raises(AnswerError, match=f"A row of {match}"):
        fit.loo()


def test_a_row_may_leave_where_its_group_still_bounds_the_spread():
    data = pd.DataFrame({"g": list("aab"), "s": [2, 5, 10], "n": [6, 9, 10]})
    assert hm.fit("s/n ~ (1 | g)", data, pooling="beta", **QUICK).loo().n == 3
    lone = data.assign(s=[6, 5, 10])
    with pytest.raises(AnswerError, match="A row of 'a' cannot be left out: a proper posterior needs 'a'"):
        hm.fit("s/n ~ (1 | g)", lone, pooling="beta", **QUICK).loo()


def test_rates_that_are_not_pooled_are_uniform():
    data = hm.example("variants2")
    fit = hm.fit("successes/trials ~ (1 | variant)", data, pooling="none", draws=4000, seed=1, progress=False)
    np.testing.assert_allclose(fit.logo(progress=False).pointwise["elpd"], -np.log(data["trials"] + 1.0), rtol=1e-12)
    np.testing.assert_allclose(fit.log_marginal_likelihood(), -np.log(data["trials"] + 1.0).sum(), rtol=1e-12)
    rates = fit.posterior["rate|variant"].to_numpy().reshape(-1, 4)
    for place, row in enumerate(data.itertuples()):
        alone = stats.beta(1 + row.successes, 1 + row.trials - row.successes)
        assert stats.kstest(rates[:, place], alone.cdf).pvalue > 1e-4
    np.testing.assert_allclose(fit.shrinkage()["pull"], 2 / (2 + data["trials"]))
    assert "Rates are not pooled: each is uniform" in repr(fit.summary())
    assert fit.check().passed


def test_all_ways_of_pooling_are_compared_on_the_same_rows():
    data = hm.example("variants2")
    formula = "successes/trials ~ (1 | variant)"
    fits = {pool: hm.fit(formula, data, pooling=pool, seed=1, progress=False) for pool in ("beta", "normal", "none")}
    fits["one rate"] = hm.fit("successes/trials ~ 1", data, seed=1, progress=False)
    for method in ("loo", "logo"):
        group = {"group": "variant"} if method == "logo" else {}
        found = hm.compare(fits, data, method=method, progress=False, **group)
        np.testing.assert_allclose(found.table.loc["beta", "elpd"], expected("scenario 2")[1].sum(), atol=1e-5)
        np.testing.assert_allclose(found.table.loc["none", "elpd"], -np.log(data["trials"] + 1.0).sum(), rtol=1e-9)
        assert np.isfinite(found.table[["elpd", "p", "weight"]].to_numpy()).all()
        assert "refits" not in found.table.loc["beta", "verdict"]
    with pytest.raises(AnswerError, match=r"'beta' has pooling='beta'.*Say method='loo', or method='logo'"):
        hm.compare(fits, data, method="kfold", k=2, progress=False)
    with pytest.raises(AnswerError, match="fitted to"):
        hm.compare({**fits, "fewer": hm.fit(formula, data[:3], pooling="beta", **QUICK)}, progress=False)


def by_other_quadrature(pool, data, density):
    """The log of the integral over the mean (of a Gamma its logarithm) and the logarithm of the size."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    log_size, of_size = 3.0 + 12.0 * nodes, 12.0 * weights
    mean, of_mean = ((nodes + 1) / 2, weights / 2) if pool == "beta" else (np.exp(9.0 * nodes), 9.0 * weights)
    total = density(mean[:, None], np.exp(log_size)) + log_size + (0.0 if pool == "beta" else np.log(mean)[:, None])
    for s, n in data:
        if pool == "beta":
            total = total + stats.betabinom.logpmf(
                s, n, mean[:, None] * np.exp(log_size), (1 - mean[:, None]) * np.exp(log_size)
            )
        else:
            shape = np.exp(log_size)
            total = total + stats.nbinom.logpmf(s, shape, 1 / (1 + n * mean[:, None] / shape))
    return special.logsumexp(total + np.log(of_mean[:, None] * of_size))


@pytest.mark.parametrize(
    ("pool", "priors", "density"),
    [
        ("beta", PROPER, lambda m, k: stats.beta(2, 8).logpdf(m) + stats.lognorm(1, scale=np.exp(3)).logpdf(k)),
        ("beta", {"size": "Gamma(2, 0.1)"}, lambda m, k: stats.gamma(2, scale=10).logpdf(k) + 0 * m),
        ("beta", {"a": "Gamma(2, 0.1)", "b": "Gamma(3, 0.2)"}, lambda m, k: np.log(k)
         + stats.gamma(2, scale=10).logpdf(m * k) + stats.gamma(3, scale=5).logpdf((1 - m) * k)),
        ("gamma", {"rate": "LogNormal(0, 1)", "shape": "LogNormal(3, 1)"},
         lambda m, k: stats.lognorm(1).logpdf(m) + stats.lognorm(1, scale=np.exp(3)).logpdf(k)),
    ],
)  # fmt: skip
def test_the_marginal_likelihood_is_that_of_another_quadrature(pool, priors, density):
    events, exposure = [3, 50, 55, 60], [10.0, 100.0, 100.0, 100.0]
    fit = fit_of(pool, priors, events, exposure)
    exact = by_other_quadrature(pool, list(zip(events, exposure, strict=True)), density)
    np.testing.assert_allclose(fit.log_marginal_likelihood(), exact, rtol=0, atol=1e-8)
    fewer = fit_of(pool, priors, events[1:], exposure[1:])
    leaving = fit.logo(progress=False).pointwise["elpd"][0]
    np.testing.assert_allclose(fit.log_marginal_likelihood() - fewer.log_marginal_likelihood(), leaving, atol=1e-9)


def test_uniform_means_have_their_constants():
    for pool, low, high in (("beta", 0.2, 0.7), ("gamma", 0.1, 3.0)):
        key = "size" if pool == "beta" else "shape"
        priors = {"rate": f"Uniform({low}, {high})", key: "LogNormal(3, 1)"}
        fit = fit_of(pool, priors, [3, 50], [10.0, 100.0])
        nodes, weights = np.polynomial.legendre.leggauss(200)
        mean, log_size = low + (high - low) * (nodes + 1) / 2, 3.0 + 12.0 * nodes
        total = stats.norm(3, 1).logpdf(log_size) + np.zeros((200, 200))
        for s, n in ((3, 10), (50, 100)):
            k, m = np.exp(log_size), mean[:, None]
            own = stats.betabinom(n, m * k, (1 - m) * k) if pool == "beta" else stats.nbinom(k, 1 / (1 + n * m / k))
            total = total + own.logpmf(s)
        exact = special.logsumexp(total + np.log(np.outer(weights / 2, 12.0 * weights)))
        np.testing.assert_allclose(fit.log_marginal_likelihood(), exact, rtol=0, atol=1e-8)


def test_rows_and_strata_have_one_marginal_likelihood():
    whole = hm.fit("s/n ~ (1 | g)", ROWS, pooling="beta", priors=PROPER, **QUICK)
    totals = ROWS.groupby("g", as_index=False).sum()
    grouped = hm.fit("s/n ~ (1 | g)", totals, pooling="beta", priors=PROPER, **QUICK)
    ways = special.binom(ROWS["n"], ROWS["s"]).prod() / special.binom(totals["n"], totals["s"]).prod()
    both = whole.log_marginal_likelihood(), grouped.log_marginal_likelihood()
    np.testing.assert_allclose(both[0] - both[1], np.log(ways), rtol=1e-9)
    double = pd.concat([ROWS.assign(segment="x"), ROWS.assign(segment="y")])
    strata = hm.fit("s/n ~ segment + (1 | segment:g)", double, pooling="beta", priors=PROPER, **QUICK)
    np.testing.assert_allclose(strata.log_marginal_likelihood(), 2 * both[0], rtol=1e-9)


def test_a_marginal_likelihood_that_is_arbitrary_or_unknown_is_refused(variants_fit):
    with pytest.raises(ModelError, match=r"arbitrary here: pooling='beta' has the improper.*Give priors=.*hm.compare"):
        variants_fit.log_marginal_likelihood()
    logit = hm.fit("s/n ~ (1 | g)", ROWS, **QUICK)
    with pytest.raises(ModelError, match=r"known of pooled rates alone.*not of s/n ~ 1 \+ \(1 \| g\)"):
        logit.log_marginal_likelihood()


def test_rates_that_are_not_pooled_are_asked_as_others_are():
    fit = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants2"), pooling="none", **QUICK)
    assert fit.plot.trace().shape == (4, 2)
    assert len(fit.plot.prior_posterior()) == 4
    new = fit.predict(pd.DataFrame({"variant": ["Z"]}), groups="new").draws.to_numpy()
    assert stats.kstest(new.ravel(), "uniform").pvalue > 1e-4
    np.testing.assert_allclose(fit.rates(groups="population").table["estimate"], 0.5)
    prior = fit.model.sample_prior(4000, seed=1).prior["rate|variant"].to_numpy().reshape(-1, 4)
    assert stats.kstest(prior[:, 0], "uniform").pvalue > 1e-4
    with pytest.raises(ModelError, match="no parameters to sample, and engine='pymc' is a sampler"):
        hm.fit("successes/trials ~ (1 | variant)", hm.example("variants2"), pooling="none", engine="pymc", **QUICK)
    with pytest.raises(ModelError, match="pooling='none' has no prior that could be wider"):
        fit.sensitivity("variant")
