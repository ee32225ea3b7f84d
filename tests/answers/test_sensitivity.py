"""Sensitivity to priors: against conjugate posteriors, densities of SciPy, and by hand."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws
from scipy import integrate, special, stats
from test_predictive_checks import fit_of

import hiermod as hm
from hiermod.answers.checks.sensitivity import changes, log_likelihood, power_scaling, strength
from hiermod.errors import AnswerError, ModelError
from hiermod.modeling.model_priors import log_prior
from hiermod.show.sensitivity import Sensitivity


def assert_same_but_for_a_constant(seen, expected):
    np.testing.assert_allclose(seen - seen[0], expected - expected[0], rtol=1e-9, atol=1e-9)


def test_the_density_of_a_prior_is_where_it_is_stated():
    data = pd.DataFrame({"g": list("aabb") * 3, "x": np.arange(12.0) ** 1.2, "y": np.sin(np.arange(12.0))})
    priors = {"Intercept": "Normal(1, 2)", "x": "StudentT(4, 0, 0.5)", "cor": "LKJ(3)", "sigma": "Gamma(2, 1)"}
    model = hm.model("y ~ x + (1 + x | g)", data, priors={**priors, "sd": "HalfNormal(1.5)"})
    fit = with_made_up_draws(model, spread=0.2, chains=1, draws=30)
    own = {name: fit.posterior[name].to_numpy()[0] for name in fit.posterior}
    rho = own["1+x|g_cor"][:, 0]
    expected = stats.norm(1, 2).logpdf(own["Intercept"] + own["x"] * data["x"].mean())
    expected = expected + stats.t(4, 0, 0.5).logpdf(own["x"]) + stats.gamma(2).logpdf(own["sigma"])
    expected = expected + sum(stats.halfnorm(scale=1.5).logpdf(own[f"{name}|g_sigma"]) for name in "1x")
    expected = expected + 2.0 * np.log(1.0 - rho**2)  # det(R) to the power of 3 - 1
    assert_same_but_for_a_constant(log_prior(fit._posterior.spec, fit._posterior.values), expected)


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "negbinomial", "gaussian", "student", "gamma"])
@pytest.mark.parametrize("numbers", [3, 60])
def test_the_likelihood_of_cells_is_that_of_rows(family, numbers):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.choice(np.linspace(0, 1, numbers), 240), "g": rng.choice(list("abc"), 240)})
    values = {"bernoulli": rng.integers(0, 2, 240), "gaussian": rng.normal(size=240), "student": rng.normal(size=240)}
    data["y"] = values.get(family, rng.poisson(3.0, 240) + (family == "gamma"))
    fit = with_made_up_draws(hm.model("y ~ x + (1 + x | g)", data, family=family), chains=1, draws=20)
    own = {name: fit.posterior[name].to_numpy()[0] for name in fit.posterior}
    codes, x, y = pd.factorize(data["g"], sort=True)[0], data["x"].to_numpy(), data["y"].to_numpy()
    eta = own["Intercept"][:, None] + own["1|g"][:, codes] + (own["x"][:, None] + own["x|g"][:, codes]) * x
    mean, rest = np.exp(eta), {name: own[name][:, None] for name in ("sigma", "nu", "alpha") if name in own}
    rows = {
        "bernoulli": lambda: stats.bernoulli.logpmf(y, special.expit(eta)),
        "poisson": lambda: stats.poisson.logpmf(y, mean),
        "negbinomial": lambda: stats.nbinom.logpmf(y, rest["alpha"], rest["alpha"] / (rest["alpha"] + mean)),
        "gaussian": lambda: stats.norm.logpdf(y, eta, rest["sigma"]),
        "student": lambda: stats.t.logpdf(y, rest["nu"], eta, rest["sigma"]),
        "gamma": lambda: stats.gamma.logpdf(y, rest["alpha"], scale=mean / rest["alpha"]),
    }
    assert_same_but_for_a_constant(log_likelihood(fit._posterior), rows[family]().sum(axis=1))


def jensen_shannon(x, p, q):
    """The cumulative Jensen-Shannon distance of two distribution functions, given at `x`, over its range."""

    def divergence(p, q):
        ratio = np.log2(np.maximum(p, 1e-300)) - np.log2(np.maximum((p + q) / 2.0, 1e-300))
        return integrate.trapezoid(p * ratio + (q - p) / 2.0 / np.log(2.0), x)

    bound = integrate.trapezoid(p + q, x)
    return np.sqrt((divergence(p, q) + divergence(q, p)) / bound)


def exact_sensitivity(base, lower, upper, ends):
    """The larger of both tails' distances within the ends of the draws, per doubling of the power, for both powers."""
    x = np.linspace(*ends, 4001)
    sides = []
    for own, alpha in ((lower, 0.99), (upper, 1.01)):
        below = jensen_shannon(x, base.cdf(x), own.cdf(x))
        above = jensen_shannon(x, base.sf(x), own.sf(x))
        sides.append(max(below, above) / abs(np.log2(alpha)))
    return np.mean(sides)


@pytest.mark.parametrize(("s", "n"), [(3, 4), (30, 60)])
def test_power_scaling_of_a_conjugate_posterior(s, n):
    """A Logistic(0, 1) prior of a logit to the power a is Beta(a, a) of the rate, and a Beta posterior stays one."""
    data = pd.DataFrame({"s": [s], "n": [n]})
    model = hm.model("s/n ~ 1", data, priors={"Intercept": "Logistic(0, 1)"})
    rng = np.random.default_rng(4)
    base = stats.beta(1 + s, 1 + n - s)
    prior = [stats.beta(a + s, a + n - s) for a in (0.99, 1.01)]
    likelihood = [stats.beta(1 + a * s, 1 + a * (n - s)) for a in (0.99, 1.01)]
    seen, exact = [], []
    for _ in range(4):
        rate = rng.beta(1 + s, 1 + n - s, 4000)
        fit = fit_of(model, Intercept=special.logit(rate))
        seen.append(power_scaling(fit._posterior, {"rate": rate[None]}).loc["rate", ["prior", "likelihood"]].tolist())
        ends = rate.min(), rate.max()
        exact.append([exact_sensitivity(base, *other, ends) for other in (prior, likelihood)])
    error = np.std(np.subtract(seen, exact), axis=0, ddof=1) / 2.0
    difference = np.mean(np.subtract(seen, exact), axis=0)
    assert (np.abs(difference) < 4.0 * error + 0.03 * np.mean(exact, axis=0)).all(), (seen, exact)


def posterior_logits(counts, width):
    """P(second rate > first) of two rates, each with a Normal(0, width) prior on its logit, by quadrature."""
    eta = np.linspace(-12, 12, 4001)
    weights = []
    for s, n in counts:
        log = stats.binom.logpmf(s, n, special.expit(eta)) + stats.norm(0, width).logpdf(eta)
        weight = np.exp(log - log.max())
        weights.append(weight / weight.sum())
    below = np.cumsum(weights[0]) - 0.5 * weights[0]
    return float(weights[1] @ below)


def test_refits_give_what_quadrature_gives():
    counts = [(4, 20), (9, 20)]
    data = pd.DataFrame([("a", *counts[0]), ("b", *counts[1])], columns=["arm", "s", "n"])
    model = hm.model("s/n ~ 0 + arm", data, priors={"Intercept": "Normal(0, 0.5)"})
    seen = model.fit(seed=1, progress=False).sensitivity("arm")
    assert seen.conclusions["priors"].tolist() == [
        "as fitted", "half width of coefficients", "double width of coefficients"
    ]  # fmt: skip
    for row, width in zip(seen.conclusions.itertuples(), (0.5, 0.25, 1.0), strict=True):
        assert abs(row.prob_beats - posterior_logits(counts, width)) < 4.0 * row.mc_error
    assert seen.notices == ()
    assert list(seen.power.index) == ["arm[a]", "arm[b]"]


def conclusions(*rows):
    return pd.DataFrame(rows, columns=["priors", "quantity", "estimate", "lower", "upper", "prob_beats", "mc_error"])


POWER = pd.DataFrame(
    {"prior": [0.01, 0.2], "likelihood": [0.3, 0.02], "diagnosis": ["-", "strong prior or weak data"]},
    index=["Intercept", "sd(1|g)"],
)


def test_verdict_of_a_conclusion_that_changes():
    table = conclusions(
        ("as fitted", "t, 1 vs 0", 0.1, 0.0, 0.2, 0.97, 0.002),
        ("half width of coefficients", "t, 1 vs 0", 0.08, -0.02, 0.18, 0.92, 0.003),
        ("double width of coefficients", "t, 1 vs 0", 0.11, 0.0, 0.2, 0.98, 0.002),
    )
    seen = Sensitivity(POWER, table, 0.95)
    assert seen.changed.index.tolist() == [1]
    assert seen.verdict.splitlines() == [
        "A conclusion would change with priors half or twice as wide.",
        "- t, 1 vs 0: P(beats) of 97.0% becomes 92.0% with half width of coefficients: it would no longer pass 95%.",
        "Priors speak in sd(1|g) (0.20, strong prior or weak data): their prior sensitivity is 0.05 or more.",
    ]
    assert "half width of coefficients" in repr(seen)


def test_verdict_of_a_conclusion_that_holds_or_stands_on_the_edge():
    table = conclusions(
        ("as fitted", "t", 0.1, 0.0, 0.2, 0.951, 0.003), ("as fitted", "rate", 0.4, 0.3, 0.5, np.nan, np.nan),
        ("half width of coefficients", "t", 0.09, 0.0, 0.2, 0.948, 0.003),
        ("half width of coefficients", "rate", 0.46, 0.3, 0.5, np.nan, np.nan),
    )  # fmt: skip
    assert changes(table, 0.95).empty
    assert Sensitivity(POWER.iloc[:1], table, 0.95).verdict.splitlines() == [
        "No conclusion would change with priors half or twice as wide.",
        "- t: P(beats) of 95.1% stays at 94.8%, on the edge within Monte Carlo error; the estimate of 0.1 lies between "
        "0.09 and 0.09.",
        "- rate: the estimate of 0.4 lies between 0.46 and 0.46, a change that matters.",
        "No parameter follows its prior: all prior sensitivities are below 0.05.",
    ]
    assert [strength(chance, 0.9) for chance in (0.9, 0.89, 0.1)] == ["for", "open", "against"]


def test_refusals_of_sensitivity():
    made = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta")
    draws = {"rate_mean": np.full(50, 0.5), "rate_spread": np.full(50, 0.3), "rate__variant": np.full((50, 4), 0.5)}
    pooled = fit_of(made, **draws)
    with pytest.raises(ModelError, match="Sensitivity to priors: pooling='beta' has the improper hyperprior"):
        pooled.sensitivity()
    fit = with_made_up_draws(hm.model("success ~ treated", hm.example("country")), draws=20)
    with pytest.raises(AnswerError, match="needs at least 100 draws; this fit has 80"):
        fit.sensitivity()
    fit = with_made_up_draws(hm.model("success ~ treated", hm.example("country")), draws=50)
    with pytest.raises(AnswerError, match="Did you mean 'treated'"):
        fit.sensitivity("treatd")
    with pytest.raises(AnswerError, match=r"threshold=1: a chance between 0.5 and 1"):
        fit.sensitivity(threshold=1)
