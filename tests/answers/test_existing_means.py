"""Means and standard deviations that do not exist are not printed; which exist is held against integrals of tails."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn, with_made_up_draws
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

import hiermod as hm
from hiermod.answers.parameters.existence import Moments
from hiermod.errors import AnswerError
from hiermod.formula.expressions import Call, Column
from hiermod.formula.hypotheses import read_hypothesis
from hiermod.modeling.moments import exponential_limits, finite_moments, informative_groups, tail
from hiermod.priors.reading import read_prior

COUNTS = pd.DataFrame({"y": np.random.default_rng(1).poisson(40, 60)})


def spec_of(formula, data, family=None, **options):
    return hm.model(formula, data, family, **options)._defined.spec


def log_posterior(b, rows, nu):
    """One coefficient with a Student prior: successes s of n at each x, without an intercept."""
    eta = rows["x"].to_numpy() * b
    likelihood = rows["s"] @ -np.logaddexp(0.0, -eta) + (rows["n"] - rows["s"]) @ -np.logaddexp(0.0, eta)
    return likelihood - 0.5 * (nu + 1.0) * np.log1p(b * b / nu)


def converges(power, rows, nu):
    """Whether the integral of |b|^power times the density is less far out than near, on both sides."""

    def part(sign, decade):
        def integrand(log_b):
            b = sign * np.exp(log_b)
            return np.exp(min(log_posterior(b, rows, nu) + (power + 1.0) * log_b, 300.0))

        return integrate.quad(integrand, decade * np.log(10.0), (decade + 1.0) * np.log(10.0))[0]

    return all(part(sign, 8.0) <= 0.999 * part(sign, 7.0) for sign in (-1.0, 1.0))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), st.sampled_from([0, 1, 4]), st.just(4)),
        min_size=3, max_size=4, unique_by=lambda row: row[0],
    ),
    st.sampled_from([0.8, 1.0, 1.5, 2.0, 3.0]),
)  # fmt: skip
def test_which_moments_of_a_coefficient_exist_is_what_integrals_of_its_tail_say(rows, nu):
    rows = pd.DataFrame(rows, columns=["x", "s", "n"])
    if rows["s"].sum() in (0, rows["n"].sum()):
        rows.loc[len(rows)] = [0.0, 2, 4]
    priors = {"x": f"StudentT({nu}, 0, 1)"}
    found = finite_moments(spec_of("s/n ~ 0 + x", rows, priors=priors, intercept_at="zero")).get("x", np.inf)
    for power in (1, 2):
        assert (found > power) == converges(power, rows, nu)


@pytest.mark.parametrize(("x", "s", "limits"), [([1.0, 1.0], [1, 3], (4.0, 4.0)), ([1.0, 2.0], [4, 4], (0.0, 12.0)),
                                                ([-1.0, 2.0], [1, 3], (3.0, 9.0))])  # fmt: skip
def test_exponentials_exist_up_to_the_rate_at_which_the_likelihood_falls(x, s, limits):
    rows = pd.DataFrame({"x": [*x, 0.0], "s": [*s, 2], "n": 4})
    spec = spec_of("s/n ~ 0 + x", rows, intercept_at="zero")
    assert exponential_limits(spec)["x"] == limits
    for sign, limit in zip((1.0, -1.0), limits, strict=True):
        slopes = np.diff([log_posterior(sign * b, rows, 3.0) for b in (1e3, 2e3)]) / 1e3
        np.testing.assert_allclose(-slopes, limit, atol=0.01)  # but for the prior's 4 log(2)/1000
    moments = Moments.of(spec, Call("exp", (Column("x"),)))
    for text, exists in (
        ("exp(x) > 1", limits[0] >= 1),
        ("exp(-5 * x) > 1", limits[1] >= 5),
        ("exp(4*x+1) > 1", limits[0] >= 4),
    ):
        assert (moments.power(read_hypothesis(text, {"x": None}).left) > 1.0 - 1e-12) == exists


def test_a_shape_that_the_data_let_grow_has_a_median_and_no_mean():
    for seed in (1, 2):
        fit = hm.fit("y ~ 1", COUNTS, family="negbinomial", seed=seed, progress=False, cores=1)
        row = fit.summary().random.loc["Family", "alpha"]
        assert row["estimate"] == np.median(fit.posterior["alpha"])
        assert np.isnan(row["sd"])
        assert 500 < row["estimate"] < 20_000
    assert "Estimates of 'alpha' are posterior medians: there is no posterior mean." in str(fit.summary())
    answer = fit.hypothesis("alpha > 100")
    assert answer.table["estimate"][0] == row["estimate"]
    assert "none" in str(answer).splitlines()[1]


def test_with_a_lighter_prior_it_has_a_mean():
    model = hm.model("y ~ 1", COUNTS, "negbinomial", priors={"alpha": "Gamma(2, 0.1)"})
    assert finite_moments(model._defined.spec) == {}
    assert finite_moments(hm.model("y ~ 1", COUNTS, "gamma")._defined.spec) == {}  # data speak against a large one


@pytest.mark.parametrize(("prior", "expected"), [
    ("HalfCauchy(1)", 1.0), ("HalfStudentT(2.5, 1)", 2.5), ("InverseGamma(0.4, 0.3)", 0.4), ("HalfNormal(1)", np.inf),
    ("HalfCauchy(1, upper=9)", np.inf), ("Exponential(2)", np.inf),
])  # fmt: skip
def test_tails_of_priors(prior, expected):
    assert tail(read_prior("sd", prior)) == expected


def test_a_precision_s_tail_is_that_of_small_precisions():
    """1/x has a density of tail x^-(a + 1) where x is Gamma(a): sd = x^(-1/2) has powers below 2a."""
    from dataclasses import replace

    for shape in (0.3, 1.0, 2.0):
        prior = replace(read_prior("sd", f"Gamma({shape}, 1)"), power=-2.0)
        np.testing.assert_allclose(tail(prior), 2.0 * shape, rtol=1e-3)


def test_groups_with_both_outcomes_bound_a_standard_deviation():
    rows = pd.DataFrame({"g": list("aabbccdd"), "x": [0, 1] * 4, "s": [3, 2, 4, 4, 0, 0, 4, 0], "n": [4] * 8})
    spec = spec_of("s/n ~ x + (1 + x || g)", rows, priors={"sd": "HalfCauchy(1)"})
    assert [int(informative_groups(spec, term)[place]) for term in spec.groups for place in range(2)] == [2, 1]
    assert finite_moments(spec) == {"sd(x|g)": 2.0}
    alone = spec_of("s/n ~ (1 | g)", rows[rows["g"].isin(["b", "c"])], priors={"sd": "HalfCauchy(1)"})
    assert finite_moments(alone) == {"sd(1|g)": 1.0}
    fit = with_made_up_draws(
        hm.model("s/n ~ (1 | g)", rows[rows["g"].isin(["b", "c"])], priors={"sd": "HalfCauchy(1)"})
    )
    spread, effects = fit.posterior["1|g_sigma"].to_numpy().ravel(), fit.posterior["1|g"].to_numpy()
    assert fit.varcorr()["sdcor"][0] == np.median(spread)
    assert fit.varcorr()["vcov"][0] == np.median(spread**2)
    np.testing.assert_allclose(fit.ranef()["g"]["Intercept"], np.median(effects.reshape(-1, 2), axis=0))
    assert "Estimates of 'sd(1|g)' are posterior medians" in str(fit.summary())


def test_population_means_behind_a_log_link_need_light_spreads():
    rows = pd.DataFrame(
        {"g": np.repeat(list("abc"), 4), "v": list("uw") * 6, "y": [1, 2, 3, 4, 2, 3, 4, 5, 1, 1, 2, 2]}
    )
    for prior, exists in (("HalfNormal(1)", True), ("Exponential(1)", False), ("HalfNormal(2)", False)):
        fit = with_made_up_draws(hm.model("y ~ v + (1 | g)", rows, "poisson", priors={"sd": prior}))
        for groups in ("new", "population"):
            answer = fit.effect("v", groups=groups)
            assert answer.question.median == (not exists)
            assert np.isnan(answer.table["expected_loss"][0]) == (not exists)
        assert not fit.effect("v").question.median


def test_means_behind_a_log_link_do_not_exist_under_heavy_priors_alone():
    rows = pd.DataFrame({"v": list("uw") * 6, "y": [1, 2, 3, 4, 2, 3, 4, 5, 1, 1, 2, 2]})
    heavy = hm.model("y ~ v", rows, "poisson").sample_prior(200, seed=1).rates("v")
    light = hm.model("y ~ v", rows, "poisson", priors={"Intercept": "Normal(0, 1)", "slope": "Normal(0, 1)"})
    assert heavy.question.median
    assert "under these priors the mean of y has no posterior mean" in str(heavy)
    assert not light.sample_prior(200, seed=1).rates("v").question.median


def test_statements_of_shares_keep_their_mean():
    rows = pd.DataFrame({"g": list("aabb"), "x": [0.0, 1.0, 1.0, 0.0], "s": [1, 2, 3, 1], "n": [4] * 4})
    groups = {"1|g_sigma": [1.0, 2.0, 4.0], "1|g": np.zeros((3, 2))}
    fit = drawn("s/n ~ x + (1 | g)", rows, Intercept=[0.0] * 3, x=[1.0, 2.0, 3.0], **groups)
    shares = np.array([1.0, 4.0, 16.0])
    shares /= shares + np.pi**2 / 3
    table = fit.hypothesis("sd(1|g)^2 / (sd(1|g)^2 + pi^2/3) > 0.1").table
    np.testing.assert_allclose(table["estimate"], shares.mean())
    moments = Moments.of(fit._posterior.spec, Call("exp", (Column("x"),)))
    lacking = ["x / Intercept > 1", "x^-1 > 1", "exp(x * Intercept) > 1"]
    having = ["x * Intercept > 1", "expit(x) > 0", "x / 2 > 1", "abs(x)^2 > 1", "exp(sd(1|g)) > 1"]
    for text in (*lacking, *having):
        named = {"x": None, "Intercept": None, "sd(1|g)": None}
        assert (moments.power(read_hypothesis(text, named).left) <= 1.0) == (text in lacking)


def test_an_intercept_that_is_made_of_a_slope_without_a_mean_has_none():
    rows = pd.DataFrame({"x": [-1.0, 1.5, -1.2, 1.7], "s": [0, 9, 0, 9], "n": 9}).assign(
        z=lambda own: 3.0 * own["x"] + 100.0
    )
    priors = {"slope": "Cauchy(0, 1)"}
    spec = spec_of("s/n ~ z", rows, priors=priors)
    assert finite_moments(spec) == {"Intercept": 1.0, "z": 1.0}
    at_zero = {"slope": "Cauchy(0, 1)", "Intercept": "Normal(0, 1)"}  # where z, above 0, tells nothing by itself
    assert finite_moments(spec_of("s/n ~ z", rows, priors=at_zero, intercept_at="zero")) == {}
    up, down = exponential_limits(spec_of("s/n ~ z", rows.assign(s=4)))["Intercept"]
    limits = exponential_limits(spec_of("s/n ~ z", rows.assign(s=4)))["z"]
    np.testing.assert_allclose((up, down), np.array(limits)[::-1] / rows["z"].mean())  # exp(-mean·slope)


@pytest.mark.parametrize("formula", ["y ~ a * b", "y ~ a * b + x"])
def test_a_coefficient_that_a_real_response_says_nothing_of_has_its_prior_s_moments(formula):
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"a": list("uuuvvv") * 30, "b": list("pqqppp") * 30, "x": rng.normal(size=180)})
    rows["y"] = rng.normal(size=180)
    assert finite_moments(spec_of(formula, rows, priors={"slope": "Cauchy(0, 1)"})) == {"a:b[v, q]": 1.0}
    assert finite_moments(spec_of(formula, rows, priors={"slope": "Normal(0, 1)"})) == {}


def test_linear_predictors_of_a_coefficient_without_a_mean_have_medians():
    rows = pd.DataFrame({"x": [-1.0, 1.5, -1.2, 1.7], "s": [0, 9, 0, 9], "n": 9})
    fit = hm.fit("s/n ~ x", rows, priors={"slope": "Cauchy(0, 1)"}, draws=100, seed=1, progress=False, cores=1)
    slopes = fit.slopes("x", scale="link")
    assert slopes.table["estimate"][0] == np.median(fit.posterior["x"])
    assert "'x' have no posterior mean" in str(slopes)
    assert "medians" in str(fit.effect({"x": [0, 1]}, scale="link"))
    assert "medians" not in str(fit.effect({"x": [0, 1]}))  # rates have means


def test_linear_predictors_have_means_where_the_response_has_none():
    rows = pd.DataFrame({"t": np.random.default_rng(1).lognormal(size=40), "a": list("uv") * 20})
    fit = hm.fit("t ~ a", rows, "lognormal", draws=100, seed=1, progress=False, cores=1)
    answer = fit.effect("a", scale="link")
    assert answer.table["estimate"][0] == pytest.approx(fit.posterior["a"].mean().item())
    assert "medians" not in str(answer)
    assert "no choice has an expected loss" in str(answer)
    with pytest.raises(AnswerError, match=r"the mean of t has no posterior mean\. type='quantile'"):
        fit.residuals(type="pearson")
