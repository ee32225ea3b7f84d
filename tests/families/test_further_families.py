"""Families and links that PyMC alone samples, and parameters that are fixed, by closed forms."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from modeling_tools import QUICK
from scipy import special, stats

import hiermod as hm
from hiermod.errors import AnswerError, DataError, FormulaError, ModelError
from hiermod.families.ops import NUMPY
from hiermod.families.outcomes import read_outcome
from hiermod.families.registry import read_family
from hiermod.families.soundness import check_record
from hiermod.formula.parser import parse
from hiermod.modeling.pymc.density_text import check_text

POINTS = 1000
RNG = np.random.default_rng(8)
ETA, SIZE = RNG.uniform(-2.0, 2.0, POINTS), np.exp(RNG.uniform(-2.0, 2.0, POINTS))
MEAN, SHARE, SLANT = np.exp(ETA), RNG.uniform(0.05, 0.95, POINTS), RNG.normal(0.0, 4.0, POINTS)
COUNT = RNG.poisson(3.0, POINTS) + 1.0
NUMBER, POSITIVE = RNG.normal(0.0, 3.0, POINTS), RNG.gamma(2.0, 1.0, POINTS)
ANGLE, UNIT = RNG.uniform(-np.pi, np.pi, POINTS), RNG.uniform(0.01, 0.99, POINTS)
XI = np.where(RNG.random(POINTS) < 0.1, 1e-9, RNG.uniform(-0.5, 0.8, POINTS))
TRIALS = RNG.integers(1, 20, POINTS).astype(float)
SUCCESSES = RNG.binomial(TRIALS.astype(int), 0.4).astype(float)
WITH_ZEROS = np.where(RNG.random(POINTS) < 0.3, 0.0, UNIT)


def generalized_poisson(count, mean, phi):
    """As its authors write it, by the mean of the first generation and that of offspring."""
    first, later = mean / (1.0 + phi), phi / (1.0 + phi)
    rate = first + later * count
    return np.log(first) + (count - 1.0) * np.log(rate) - rate - special.gammaln(count + 1.0)


def above_zero(log_pmf):
    return log_pmf(COUNT) - np.log1p(-np.exp(log_pmf(np.zeros(POINTS))))


def skewed(sigma, alpha):
    delta = alpha / np.sqrt(1.0 + alpha**2)
    omega = sigma / np.sqrt(1.0 - 2.0 / np.pi * delta**2)
    return stats.skewnorm.logpdf(NUMBER, alpha, ETA - omega * delta * np.sqrt(2.0 / np.pi), omega)


def inflated_beta():
    inside = stats.beta.logpdf(UNIT, special.expit(ETA) * SIZE, special.expit(-ETA) * SIZE)
    return np.where(WITH_ZEROS == 0.0, np.log(SHARE), np.log1p(-SHARE) + inside)


def loss():
    z = (NUMBER - ETA) / SIZE
    return np.log(SHARE * (1.0 - SHARE) / SIZE) - z * (SHARE - (z < 0.0))


CASES = {
    "truncated_poisson": ((COUNT,), ETA, [], above_zero(lambda y: stats.poisson.logpmf(y, MEAN))),
    "truncated_negbinomial": (
        (COUNT,), ETA, [SIZE], above_zero(lambda y: stats.nbinom.logpmf(y, SIZE, SIZE / (SIZE + MEAN)))
    ),
    "truncated_nbinom1": (
        (COUNT,), ETA, [SIZE], above_zero(lambda y: stats.nbinom.logpmf(y, MEAN / SIZE, 1.0 / (1.0 + SIZE)))
    ),
    "truncated_genpois": ((COUNT,), ETA, [SIZE], above_zero(lambda y: generalized_poisson(y, MEAN, SIZE))),
    "genpois": ((COUNT - 1.0,), ETA, [SIZE], generalized_poisson(COUNT - 1.0, MEAN, SIZE)),
    "inverse_gaussian": ((POSITIVE,), ETA, [SIZE], stats.invgauss.logpdf(POSITIVE, MEAN / SIZE, scale=SIZE)),
    "inverse_gaussian(inverse)": (
        (POSITIVE,), 1.0 / MEAN, [SIZE], stats.invgauss.logpdf(POSITIVE, MEAN / SIZE, scale=SIZE)
    ),
    "poisson(identity)": ((COUNT,), MEAN, [], stats.poisson.logpmf(COUNT, MEAN)),
    "negbinomial(identity)": ((COUNT,), MEAN, [SIZE], stats.nbinom.logpmf(COUNT, SIZE, SIZE / (SIZE + MEAN))),
    "inverse_gaussian(1/mu^2)": (
        (POSITIVE,), MEAN**-2.0, [SIZE], stats.invgauss.logpdf(POSITIVE, MEAN / SIZE, scale=SIZE)
    ),
    "laplace": ((NUMBER,), ETA, [SIZE], stats.laplace.logpdf(NUMBER, ETA, SIZE)),
    "frechet": (
        (POSITIVE,), ETA, [1.2 + SHARE],
        stats.invweibull.logpdf(POSITIVE, 1.2 + SHARE, scale=MEAN / special.gamma(1.0 - 1.0 / (1.2 + SHARE))),
    ),
    "gen_extreme_value": ((NUMBER,), ETA, [SIZE, XI], stats.genextreme.logpdf(NUMBER, -XI, ETA, SIZE)),
    "gen_extreme_value(xi=0)": ((NUMBER,), ETA, [3.0 * SIZE], stats.gumbel_r.logpdf(NUMBER, ETA, 3.0 * SIZE)),
    "skew_normal": ((NUMBER,), ETA, [SIZE, SLANT], skewed(SIZE, SLANT)),
    "asym_laplace": ((NUMBER,), ETA, [SIZE, SHARE], loss()),
    "von_mises": ((ANGLE,), ETA, [SIZE], stats.vonmises.logpdf(ANGLE, SIZE, loc=2.0 * np.arctan(ETA))),
    "zero_inflated_beta": ((WITH_ZEROS,), ETA, [SIZE, SHARE], inflated_beta()),
    "binomial(loglog)": ((SUCCESSES, TRIALS), ETA, [], stats.binom.logpmf(SUCCESSES, TRIALS, stats.gumbel_r.cdf(ETA))),
    "binomial(cauchit)": ((SUCCESSES, TRIALS), ETA, [], stats.binom.logpmf(SUCCESSES, TRIALS, stats.cauchy.cdf(ETA))),
    "student(log)": ((NUMBER,), ETA, [SIZE, SIZE + 1.0], stats.t.logpdf(NUMBER, SIZE + 1.0, MEAN, SIZE)),
    "student(nu=4)": ((NUMBER,), ETA, [SIZE], stats.t.logpdf(NUMBER, 4.0, ETA, SIZE)),
    "negbinomial(alpha=2)": ((COUNT,), ETA, [], stats.nbinom.logpmf(COUNT, 2.0, 2.0 / (2.0 + MEAN))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_densities_at_a_thousand_points(name):
    response, eta, parameters, expected = CASES[name]
    seen = read_family(name).observation_density(response, eta, parameters)
    np.testing.assert_allclose(seen, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "name",
    [
        "zero_inflated_genpois", "hurdle_nbinom1", "hurdle_genpois", "student(nu=4)", "gaussian(sigma=2)",
        "lognormal(sigma=0.5)", "asym_laplace(quantile=0.8)",
    ],
)  # fmt: skip
def test_records_mean_one_distribution(name):
    """Chances add up to 1, and mean, draws, distribution function and outcomes agree with the density."""
    check_record(replace(read_family(name), name="own", fixed=()), ())


TAILS = {
    "inverse_gaussian": ((POSITIVE,), [SIZE], stats.invgauss(MEAN / SIZE, scale=SIZE)),
    "frechet": (
        (POSITIVE,), [1.2 + SHARE], stats.invweibull(1.2 + SHARE, scale=MEAN / special.gamma(1.0 - 1.0 / (1.2 + SHARE)))
    ),
    "laplace": ((NUMBER,), [SIZE], stats.laplace(ETA, SIZE)),
    "asym_laplace": (
        (NUMBER,), [SIZE, SHARE],
        stats.laplace_asymmetric(np.sqrt(SHARE / (1.0 - SHARE)), ETA, SIZE / np.sqrt(SHARE * (1.0 - SHARE))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAILS)
def test_tails_of_what_may_be_censored(name):
    response, parameters, exact = TAILS[name]
    family = read_family(name)
    below, above = family.log_tails(NUMPY, response, family.linear(ETA), *parameters)
    with np.errstate(divide="ignore"):
        expected = exact.logcdf(*response), exact.logsf(*response)
    for seen, theirs in zip((below, above), expected, strict=True):
        near = theirs > -30.0  # SciPy's are by differences further out
        np.testing.assert_allclose(seen[near], theirs[near], rtol=1e-8, atol=1e-10)
        assert (seen[~near] < -29.0).all()


@pytest.mark.parametrize("name", ["truncated_genpois", "von_mises", "zero_inflated_beta", "inverse_gaussian"])
def test_densities_are_the_same_in_pytensor(name):
    check_text(read_family(name))


@pytest.mark.parametrize(
    "name", ["truncated_poisson", "truncated_negbinomial", "truncated_nbinom1", "truncated_genpois"]
)
def test_counts_above_zero_by_their_chances(name):
    family, counts = read_family(name), np.arange(1.0, 800.0)
    for eta in (-3.0, 0.3, 1.5):
        own = [np.array(0.6)] * len(family.parameters)
        chance = np.exp(family.observation_density((counts,), np.array(eta), own))
        assert chance.sum() == pytest.approx(1.0, abs=1e-10)
        mean = (chance * counts).sum()
        assert family.mean(np.array(eta), *own) == pytest.approx(mean, rel=1e-8)
        assert family.variance(mean, *own) == pytest.approx((chance * counts**2).sum() - mean**2, rel=1e-6)
        assert family.observation_density((0.0,), np.array(eta), own) == -np.inf
        drawn = family.draw_responses(np.full(20_000, mean), 1.0, own, np.random.default_rng(2))
        assert drawn.min() == 1.0
        cells = np.bincount(np.minimum(drawn, 6.0).astype(int), minlength=7)[1:]
        expected = np.append(chance[:5], 1.0 - chance[:5].sum()) * 20_000
        assert (np.abs(cells - expected) < 5.0 * np.sqrt(expected) + 1.0).all()
        below, up_to = family.cdf((3.0,), family.linear(np.array(eta)), *own)
        np.testing.assert_allclose([below, up_to], np.cumsum(chance)[1:3], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "own", "exact"),
    [
        ("frechet", [3.5], lambda mu, nu: stats.invweibull(nu, scale=np.exp(mu) / special.gamma(1.0 - 1.0 / nu))),
        ("gen_extreme_value", [1.3, 0.2], lambda mu, sigma, xi: stats.genextreme(-xi, mu, sigma)),
        ("gen_extreme_value", [1.3, -0.4], lambda mu, sigma, xi: stats.genextreme(-xi, mu, sigma)),
        ("gen_extreme_value", [1.3, 0.0], lambda mu, sigma, xi: stats.gumbel_r(mu, sigma)),
    ],
)
def test_largest_numbers_are_scipy_s(name, own, exact):
    family, theirs = read_family(name), exact(0.4, *own)
    own = [np.array(value) for value in own]
    mean = family.mean(np.array(0.4), *own)
    assert mean == pytest.approx(theirs.mean(), rel=1e-6)
    with pytest.raises(AnswerError, match="may have no variance"):
        family.require("variance")
    for chance in (0.01, 0.3, 0.99):
        assert family.quantile(chance, family.linear(0.4), *own) == pytest.approx(theirs.ppf(chance), rel=1e-9)
    for value in (-2.0, 0.7, 3.0, 40.0):
        if name != "frechet" or value > 0.0:
            found = family.cdf((value,), family.linear(np.array(0.4)), *own)[1]
            assert found == pytest.approx(theirs.cdf(value), rel=1e-9, abs=1e-14)
    drawn = family.draw_responses(np.full(20_000, mean), 1.0, own, np.random.default_rng(2))
    assert stats.kstest(drawn, theirs.cdf).pvalue > 1e-3


def test_directions_are_drawn_about_their_mean():
    family, rng = read_family("von_mises"), np.random.default_rng(3)
    mean = family.mean(np.full(20_000, 1.5), 2.0)
    assert mean[0] == pytest.approx(2.0 * np.arctan(1.5))
    drawn = family.draw_responses(mean, 1.0, [2.0], rng)
    assert np.abs(drawn).max() <= np.pi
    exact = stats.vonmises(2.0, loc=mean[0])
    assert stats.kstest(np.sort(drawn), lambda y: exact.cdf(y) - exact.cdf(-np.pi)).pvalue > 1e-3
    assert family.variance(mean[:1], 2.0) == pytest.approx(1.0 - special.iv(1, 2.0) / special.iv(0, 2.0))


@pytest.mark.parametrize(("link", "below"), [("loglog", stats.gumbel_r.cdf), ("cauchit", stats.cauchy.cdf)])
def test_further_links_of_ordered_categories(link, below):
    family, thresholds = read_family(f"cumulative({link})").of_categories((1, 2, 3, 4)), np.array([-1.0, 0.4, 1.3])
    edges = np.hstack([np.zeros((POINTS, 1)), below(thresholds - ETA[:, None]), np.ones((POINTS, 1))])
    for place in range(4):
        seen = family.observation_density((place + 1.0,), ETA, [*thresholds])
        np.testing.assert_allclose(seen, np.log(np.diff(edges, axis=1)[:, place]), rtol=1e-9, atol=1e-11)
    chances = np.array([[0.2, 0.3, 0.1, 0.4], [1e-9, 0.5, 0.5 - 2e-9, 1e-9]])
    found = family.thresholds.of_chances(family.link, chances)
    np.testing.assert_allclose(below(found), np.cumsum(chances, axis=1)[:, :3], rtol=1e-7)
    rates = np.array([1e-12, 0.1, 0.5, 0.9, 1.0 - 1e-12])
    np.testing.assert_allclose(below(family.link.forward(rates)), rates, rtol=1e-4)
    np.testing.assert_allclose(family.link.inverse(ETA), below(ETA), rtol=1e-12)
    step = (family.link.inverse(ETA + 1e-6) - family.link.inverse(ETA - 1e-6)) / 2e-6
    np.testing.assert_allclose(family.link.slope(ETA), step, rtol=1e-6, atol=1e-9)


def test_quantiles_of_a_gaussian_with_a_log_link_are_on_its_scale():
    family = read_family("gaussian(log)")
    own = read_outcome(family, "q90").at(family.linear(ETA), 0.3)
    np.testing.assert_allclose(own, stats.norm.ppf(0.9, MEAN, 0.3), rtol=1e-12)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=60), "y": rng.normal(size=60), "k": rng.poisson(3.0, 60)})
    return frame.assign(u=np.where(rng.random(60) < 0.2, 0.0, rng.beta(2.0, 2.0, 60)), n=frame["k"] + 1)


@pytest.mark.parametrize(
    ("text", "family", "named"),
    [
        ("y ~ x; nu = 4", "student", "student(nu=4)"),
        ("bf(y ~ x, nu = 4, sigma ~ x)", "student", "student(nu=4)"),
        ("bf(y ~ x, quantile = 0.25)", "asym_laplace", "asym_laplace(quantile=0.25)"),
        ("k ~ x", "negative.binomial(theta = 2)", "negbinomial(alpha=2)"),
        ("k ~ x", "negbinomial(shape=0.5)", "negbinomial(alpha=0.5)"),
        ("y ~ x", "skew_normal(alpha=-2)", "skew_normal(alpha=-2)"),
    ],
)
def test_parameters_are_fixed_in_the_formula_or_with_the_family(frame, text, family, named):
    model = hm.model(text, frame, family)
    assert model.family == named
    assert "=" not in model.formula
    assert not {"nu", "quantile", "alpha"} & set(model.prior_summary()["parameter"])
    again = hm.model(model.formula, frame, model.family)
    assert (again.formula, again.family) == (model.formula, model.family)
    assert pickle.loads(pickle.dumps(read_family(named))) == read_family(named)


@pytest.mark.parametrize(
    ("text", "family", "error", "match"),
    [
        ("y ~ x; nu = 4", None, ModelError, "Name the family"),
        ("y ~ x; nu = -4", "student", DataError, "nu=-4 of the family student: a number above 0 is needed"),
        ("y ~ x; quantile = 1.5", "asym_laplace", DataError, "a number between 0 and 1 is needed"),
        ("y ~ x; mean = 2", "student", DataError, "has no parameter 'mean'.*'nu'"),
        ("u ~ x; zi = 0.5", "zero_inflated_beta", DataError, r"zi .* is estimated.*priors=\{'zi'"),
        ("k ~ x; Intercept = 2", "cumulative", DataError, "has no parameter 'Intercept'"),
        ("k ~ x", "truncated_poisson", DataError, r"takes counts from 1 on; 'k' holds 0.*'hurdle_poisson'"),
        ("u ~ x", "beta", DataError, "In .* rows it is 0 or 1"),
        ("k ~ x", "zero_inflated_beta", DataError, "takes numbers from 0 to 1"),
        ("I(y * 10) ~ x", "von_mises", DataError, r"from -pi to pi.*np.deg2rad"),
        ("y ~ x", "tweedie", DataError, "The nearest for numbers above 0 are 'gamma'"),
        ("k ~ x", "poisson(1/mu^2)", DataError, "no link '1/mu"),
    ],
)
def test_what_is_refused_says_what_is_nearest(frame, text, family, error, match):
    with pytest.raises(error, match=match):
        hm.model(text, frame, family)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("bf(y ~ x, nu = 'a')", "set to a number, nu = 2, or has a linear predictor, nu ~ x"),
        ("bf(y ~ x, nu = 3, nu ~ x)", "two linear predictors"),
        ("y ~ x; nu ~ x; nu = 3", "is said twice"),
        ("y ~ x; mu = 3", "is said twice"),
    ],
)
def test_a_number_stands_once(text, match):
    with pytest.raises(FormulaError, match=match):
        parse(text)
    assert hm.translate("y ~ x; sigma ~ z; nu = 3", "brms") == "bf(y ~ x, sigma ~ z, nu = 3)"


def test_ones_are_refused_beside_shares_with_zeros(frame):
    with pytest.raises(DataError, match="'zero_one_inflated_beta' takes 1 as well"):
        hm.model("u ~ x", frame.assign(u=frame["u"].replace(frame["u"].max(), 1.0)), "zero_inflated_beta")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "family"),
    [("n ~ x; phi ~ x", "truncated_genpois"), ("u ~ x; zi ~ x", "zero_inflated_beta"), ("y ~ x", "student(nu=4)")],
)
def test_models_in_pymc_have_the_density_of_the_records(frame, text, family):
    built = hm.model(text, frame, family)
    model, record = built.pymc(), read_family(family)
    outputs = {value.name: value for value in model.unobserved_value_vars}
    names = [name for name in outputs if not name.endswith("__")]
    run = model.compile_fn([model.observedlogp, *(outputs[name] for name in names)], mode=QUICK)
    rng, x = np.random.default_rng(2), frame["x"].to_numpy()
    for _ in range(3):
        point = {name: value + 0.3 * rng.normal(size=np.shape(value)) for name, value in model.initial_point().items()}
        seen, *values = run(point)
        own = dict(zip(names, values, strict=True))
        eta = own["Intercept"] + own["x"] * x
        others = []
        for parameter in record.parameters:
            line = own.get(f"{parameter.name}_Intercept", 0.0) + own.get(f"{parameter.name}_x", 0.0) * x
            inverse = {"log": np.exp, "logit": special.expit}[parameter.chosen_link]
            others.append(own[parameter.name] if parameter.name in own else inverse(line))
        response = (frame[text[0]].to_numpy(dtype=float),)
        expected = record.log_density(NUMPY, response, record.linear(eta), *others).sum()
        assert float(seen) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_quantile_regression_recovers_the_quantile():
    rng = np.random.default_rng(4)
    x = rng.uniform(0.0, 2.0, 800)
    frame = pd.DataFrame({"x": x, "y": 1.0 + x + (0.5 + x) * rng.normal(size=800)})
    fit = hm.fit("y ~ x", frame, "asym_laplace(quantile=0.9)", seed=1, draws=500, progress=False)
    z = stats.norm.ppf(0.9)
    truth, found = [1.0 + 0.5 * z, 1.0 + z], fit.fixef()["estimate"].to_numpy()
    assert np.abs(found - truth).max() < 0.25
    np.testing.assert_allclose(
        fit.rates(outcome="quantile").table["estimate"], fit.rates(outcome="q90").table["estimate"]
    )
