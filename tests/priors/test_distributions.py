"""Each prior distribution against SciPy's: density, derivative in compiled code, quantiles, draws, width.

So also where it is cut off, and as the prior of a variance or a precision.
"""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hiermod.engine.kernels.coordinates.hyperparameters import log_prior, log_prior_of_power
from hiermod.engine.kernels.record import PRIOR_KERNELS
from hiermod.priors import distributions
from hiermod.priors.distributions import DISTRIBUTIONS, Prior, joined, partial_priors
from hiermod.priors.reading import read_prior


@dataclass(frozen=True)
class HalfT:
    """The positive half of a t distribution, which SciPy lacks."""

    df: float
    scale: float

    def ppf(self, p):
        return self.scale * stats.t(self.df).ppf(0.5 + np.asarray(p) / 2.0)

    def cdf(self, x):
        return 2.0 * stats.t(self.df, 0.0, self.scale).cdf(x) - 1.0

    def logpdf(self, x):
        return np.log(2.0) + stats.t(self.df, 0.0, self.scale).logpdf(x)

    def rvs(self, size, random_state):
        return np.abs(stats.t(self.df, 0.0, self.scale).rvs(size, random_state))


EXACT = {  # numbers of each prior, and the distribution that it then is
    "Normal": ((0.3, 1.5), stats.norm(0.3, 1.5)),
    "StudentT": ((3.0, 0.2, 2.0), stats.t(3.0, 0.2, 2.0)),
    "Cauchy": ((0.1, 2.0), stats.cauchy(0.1, 2.0)),
    "Laplace": ((0.5, 2.0), stats.laplace(0.5, 2.0)),
    "Logistic": ((1.0, 0.7), stats.logistic(1.0, 0.7)),
    "Uniform": ((-2.0, 5.0), stats.uniform(-2.0, 7.0)),
    "HalfNormal": ((2.0,), stats.halfnorm(scale=2.0)),
    "HalfStudentT": ((4.0, 2.0), HalfT(4.0, 2.0)),
    "HalfCauchy": ((2.0,), stats.halfcauchy(scale=2.0)),
    "Exponential": ((0.4,), stats.expon(scale=2.5)),
    "Gamma": ((2.0, 0.1), stats.gamma(2.0, scale=10.0)),
    "InverseGamma": ((0.4, 0.3), stats.invgamma(0.4, scale=0.3)),
    "LogNormal": ((0.2, 0.8), stats.lognorm(0.8, scale=np.exp(0.2))),
    "Beta": ((2.5, 2.5), stats.beta(2.5, 2.5)),
    "LKJ": ((3.5,), stats.beta(3.5, 3.5, loc=-1.0, scale=2.0)),  # the correlation of two
    "Dirichlet": ((2.5,), stats.beta(2.5, 2.5)),  # the chance of one of two
}
WIDE = [name for name, record in DISTRIBUTIONS.items() if record.support not in ("unit", "correlation", "chances")]
COMPILED = [name for name in WIDE if name != "Uniform"]  # those of bounded support are a part of the map from the line
WHOLE = [name for name, record in DISTRIBUTIONS.items() if record.support not in ("correlation", "chances")]
LOCATED = [name for name, record in DISTRIBUTIONS.items() if record.located]
SIZE = 1000


def numbers_of(name):
    """Random numbers that the distribution may well take."""
    return EXACT[name][1].rvs(SIZE, random_state=np.random.default_rng(4))


def density_of(name, x):
    arguments = EXACT[name][0]
    if name == "LKJ":
        x = np.moveaxis(np.array([[np.ones_like(x), x], [x, np.ones_like(x)]]), 2, 0)
    if name == "Dirichlet":
        x = np.stack([x, 1.0 - x], axis=-1)
    return DISTRIBUTIONS[name].log_density(x, *arguments)


def test_every_distribution_is_compared():
    assert set(EXACT) == set(DISTRIBUTIONS)


@pytest.mark.parametrize("name", EXACT)
def test_densities_are_scipys_but_for_a_constant(name):
    x = numbers_of(name)
    seen, expected = density_of(name, x), EXACT[name][1].logpdf(x)
    np.testing.assert_allclose(seen - seen[0], expected - expected[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", EXACT)
def test_quantiles_are_scipys_and_invert_the_distribution_function(name):
    prior, expected = Prior(name, EXACT[name][0]), EXACT[name][1]
    p = np.random.default_rng(5).uniform(size=SIZE)
    quantiles = prior.distribution.quantile(p, *prior.arguments)
    np.testing.assert_allclose(expected.cdf(quantiles), p, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(prior.chances(*quantiles), p, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(prior.central_interval(0.9), expected.ppf([0.05, 0.95]), rtol=1e-9)


@pytest.mark.parametrize("name", EXACT)
def test_draws_have_the_distribution(name):
    prior = Prior(name, EXACT[name][0])
    draws = prior.distribution.draw(np.random.default_rng(6), (20_000,), *prior.arguments)
    assert stats.kstest(draws, EXACT[name][1].cdf).pvalue > 0.001


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_code_has_the_same_density_and_its_derivative(name):
    kernel, *numbers = Prior(name, EXACT[name][0]).standard()
    x, step = numbers_of(name), 1e-6
    compiled = np.array([log_prior.py_func(PRIOR_KERNELS[kernel], *numbers, at) for at in x])
    expected = density_of(name, x)
    np.testing.assert_allclose(compiled[:, 0] - compiled[0, 0], expected - expected[0], rtol=1e-10, atol=1e-10)
    slope = (density_of(name, x * (1.0 + step)) - density_of(name, x * (1.0 - step))) / (2.0 * x * step)
    np.testing.assert_allclose(compiled[:, 1], slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wider_prior_is_the_same_one_stretched(name, factor):
    prior = Prior(name, EXACT[name][0])
    wide, p = prior.widened(factor), np.array([0.1, 0.3, 0.8, 0.97])
    before = prior.distribution.quantile(p, *prior.arguments)
    after = wide.distribution.quantile(p, *wide.arguments)
    positive = prior.distribution.support == "positive"
    middle = 0.0 if positive else prior.distribution.quantile(0.5, *prior.arguments)
    assert wide.name == name
    np.testing.assert_allclose(after, middle + factor * (before - middle), rtol=1e-9)


@pytest.mark.parametrize("name", LOCATED)
def test_the_matching_normal_has_the_same_score(name):
    *shape, location, scale = EXACT[name][0]
    x, step = np.array([-3.0, 0.6, 1.7, 8.0]), 1e-6
    score = (density_of(name, x + step) - density_of(name, x - step)) / (2.0 * step)
    precision = [DISTRIBUTIONS[name].pull(abs(at - location) / scale, *shape) / scale**2 for at in x]
    np.testing.assert_allclose(-np.array(precision) * (x - location), score, rtol=1e-6)
    assert Prior(name, EXACT[name][0]).typical == location


@pytest.mark.parametrize("name", EXACT)
def test_a_typical_value_is_where_the_prior_is(name):
    prior = Prior(name, EXACT[name][0])
    assert 0.05 < EXACT[name][1].cdf(prior.typical) < 0.95


# PyMC's parameters, those above 0, the support, what kernels take of the numbers in EXACT, the location or a value in
# the bulk, and from which power on there is no mean.
RECORDS = {
    "Normal": ("mu sigma", "sigma", "real", ("normal", 0.3, 1.5, 0.0), 0.3, np.inf),
    "StudentT": ("nu mu sigma", "nu sigma", "real", ("student", 3.0, 0.2, 2.0), 0.2, 3.0),
    "Cauchy": ("alpha beta", "beta", "real", ("student", 1.0, 0.1, 2.0), 0.1, 1.0),
    "Laplace": ("mu b", "b", "real", ("laplace", 0.5, 2.0, 0.0), 0.5, np.inf),
    "Logistic": ("mu s", "s", "real", ("logistic", 1.0, 0.7, 0.0), 1.0, np.inf),
    "Uniform": ("lower upper", "", "interval", ("uniform", -2.0, 5.0, 0.0), 1.5, np.inf),
    "HalfNormal": ("sigma", "sigma", "positive", ("normal", 0.0, 2.0, 0.0), 2.0, np.inf),
    "HalfStudentT": ("nu sigma", "nu sigma", "positive", ("student", 4.0, 0.0, 2.0), 2.0, 4.0),
    "HalfCauchy": ("beta", "beta", "positive", ("student", 1.0, 0.0, 2.0), 2.0, 1.0),
    "Exponential": ("lam", "lam", "positive", ("exponential", 0.4, 0.0, 0.0), 2.5, np.inf),
    "Gamma": ("alpha beta", "alpha beta", "positive", ("gamma", 2.0, 0.1, 0.0), 20.0, np.inf),
    "InverseGamma": ("alpha beta", "alpha beta", "positive", ("inverse_gamma", 0.4, 0.3, 0.0), 0.75, 0.4),
    "LogNormal": ("mu sigma", "sigma", "positive", ("log_normal", 0.2, 0.8, 0.0), np.exp(0.2), np.inf),
    "Beta": ("alpha beta", "alpha beta", "unit", ("beta", 2.5, 2.5, 0.0), 0.5, np.inf),
    "LKJ": ("eta", "eta", "correlation", ("beta", 3.5, 3.5, 0.0), 0.0, np.inf),
    "Dirichlet": ("a", "a", "chances", ("beta", 2.5, 2.5, 0.0), 0.5, np.inf),
}
HALVES = {
    "Normal": ((0.0, 1.5), "HalfNormal", (1.5,)), "StudentT": ((3.0, 0.0, 2.0), "HalfStudentT", (3.0, 2.0)),
    "Cauchy": ((0.0, 2.0), "HalfCauchy", (2.0,)), "Laplace": ((0.0, 2.0), "Exponential", (0.5,)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_records_say_what_others_ask(name):
    parameters, positive, support, standard, typical, moments = RECORDS[name]
    record, arguments = distributions.DISTRIBUTIONS[name], EXACT[name][0]
    assert (record.name, record.parameters, record.positive) == (
        name, tuple(parameters.split()), tuple(positive.split())
    )  # fmt: skip
    prior = distributions.Prior(name, arguments)
    assert (record.support, prior.standard()) == (support, standard)
    assert prior.typical == pytest.approx(typical, rel=1e-12)
    assert record.moments(*arguments) == moments
    assert record.located == (name in ("Normal", "StudentT", "Cauchy", "Laplace", "Logistic"))
    whole, half, rest = HALVES.get(name, (None, None, None))
    assert (record.half is None) if half is None else record.half(*whole) == (half, rest)


def test_a_wider_beta_has_the_same_mean_and_a_standard_deviation_so_many_times_as_large():
    before = stats.beta(2.5, 4.0)
    for factor in (0.5, 1.5):
        after = stats.beta(*distributions.Prior("Beta", (2.5, 4.0)).widened(factor).arguments)
        assert after.mean() == pytest.approx(before.mean(), rel=1e-12)
        assert after.std() == pytest.approx(factor * before.std(), rel=1e-12)
    widest = distributions.Prior("Beta", (2.5, 4.0)).widened(50.0).arguments
    assert sum(widest) == pytest.approx(0.01, rel=1e-12)  # it is nearly all at the ends, and still a distribution
    assert widest[0] / widest[1] == pytest.approx(2.5 / 4.0, rel=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_a_scaled_prior_is_that_of_the_parameter_times_a_factor(name):
    prior, p = distributions.Prior(name, EXACT[name][0]), np.array([0.1, 0.3, 0.8, 0.97])
    scaled = prior.scaled(3.0)
    if name in ("Beta", "LKJ", "Dirichlet"):
        assert scaled == prior
        assert prior.widened(1.0).arguments == pytest.approx(prior.arguments)
    else:
        np.testing.assert_allclose(scaled.quantile(p), 3.0 * prior.quantile(p), rtol=1e-9)


@pytest.mark.parametrize("name", ["LKJ", "Dirichlet"])
def test_matrices_and_chances_have_no_width(name):
    prior = distributions.Prior(name, EXACT[name][0])
    assert prior.widened(2.0) == prior


@pytest.mark.parametrize("name", EXACT)
def test_records_and_priors_survive_pickling(name):
    assert pickle.loads(pickle.dumps(DISTRIBUTIONS[name])) is DISTRIBUTIONS[name]
    assert pickle.loads(pickle.dumps(Prior(name, EXACT[name][0]))).arguments == EXACT[name][0]


def test_partial_correlations_make_matrices_of_the_lkj_density():
    """A correlation has the shape eta - 1 + d / 2 in a matrix of size d; each column before takes half off."""
    partials = partial_priors(Prior("LKJ", (2.0,)), 4)
    assert [partial.arguments[0] for partial in partials] == [3.0, 3.0, 2.5, 3.0, 2.5, 2.0]


def test_numbers_of_a_variable_are_joined_where_they_differ():
    record, arguments = joined([Prior("StudentT", (3.0, 0.0, spread)) for spread in (1.0, 2.5)])
    assert record is DISTRIBUTIONS["StudentT"]
    assert (arguments["nu"], arguments["mu"], arguments["sigma"].tolist()) == (3.0, 0.0, [1.0, 2.5])
    assert joined([Prior("Exponential", (2.0,))] * 3)[1] == {"lam": 2.0}


def test_priors_are_values():
    assert len({Prior("Normal", (0.0, 1.0)), Prior("Normal", (0.0, 1.0)), Prior("Normal", (0.0, 2.0))}) == 2


BOUNDED = ("Uniform", "LKJ", "Beta", "Dirichlet")
POSITIVE = [name for name in EXACT if name not in BOUNDED]  # cut off at 0 where they reach below
CUTS = [(-0.5, np.inf), (-np.inf, 1.5), (0.2, 3.0), (0.0, np.inf)]


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of a distribution between two bounds, of a power of the number, by SciPy's of the whole."""

    whole: object
    low: float
    high: float
    power: float

    def logpdf(self, x):
        within = np.log(self.whole.cdf(self.high) - self.whole.cdf(self.low))
        return self.whole.logpdf(x**self.power) + np.log(abs(self.power) * x ** (self.power - 1.0)) - within

    def cdf(self, x):
        below, above = self.whole.cdf(self.low), self.whole.cdf(self.high)
        share = (self.whole.cdf(np.clip(x**self.power, self.low, self.high)) - below) / (above - below)
        return share if self.power > 0.0 else 1.0 - share

    def rvs(self, size, random_state):
        p = random_state.uniform(self.whole.cdf(self.low), self.whole.cdf(self.high), size)
        return self.whole.ppf(p) ** (1.0 / self.power)


def cut(name, low, high, power):
    """The prior, and what it is by SciPy."""
    arguments, whole = EXACT[name]
    prior = Prior(name, arguments, low, high, power)
    return prior, Cut(whole, *prior.ends, power)


def cases():
    for name in POSITIVE:
        bounds = CUTS if DISTRIBUTIONS[name].support == "real" else [(0.1, np.inf), (-np.inf, 3.0), (0.2, 3.0)]
        yield from ((name, low, high, 1.0) for low, high in bounds)
        start = 0.0 if DISTRIBUTIONS[name].support == "real" else -np.inf
        yield from ((name, start, high, power) for high in (np.inf, 4.0) for power in (2.0, -2.0))


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_what_is_left_of_a_prior_has_scipys_density_derivative_quantiles_and_draws(case):
    prior, exact = cut(*case)
    rng = np.random.default_rng(7)
    x = exact.rvs(SIZE, rng)
    seen, expected = prior.log_density(x), exact.logpdf(x)
    np.testing.assert_allclose(seen - seen[0], expected - expected[0], rtol=1e-9, atol=1e-9)
    kernel, *numbers = prior.standard()
    compiled = np.array([log_prior_of_power.py_func(PRIOR_KERNELS[kernel], *numbers, prior.power, at) for at in x])
    np.testing.assert_allclose(compiled[:, 0] - compiled[0, 0], seen - seen[0], rtol=1e-9, atol=1e-9)
    inner = x[(x * (1.0 - 1e-5) > prior.support[0]) & (x * (1.0 + 1e-5) < prior.support[1]) & (x > 0.0)]
    slope = (exact.logpdf(inner * (1.0 + 1e-6)) - exact.logpdf(inner * (1.0 - 1e-6))) / (2e-6 * inner)
    compiled = [log_prior_of_power.py_func(PRIOR_KERNELS[kernel], *numbers, prior.power, at)[1] for at in inner]
    np.testing.assert_allclose(compiled, slope, rtol=1e-5, atol=1e-5)
    p = rng.uniform(size=SIZE)
    np.testing.assert_allclose(exact.cdf(prior.quantile(p)), p, rtol=1e-8, atol=1e-9)
    draws = prior.draw(rng, (20_000,))
    assert (draws >= prior.support[0]).all()
    assert (draws <= prior.support[1]).all()
    assert stats.kstest(draws, exact.cdf).pvalue > 0.001
    assert 0.02 < exact.cdf(np.array(prior.typical)) < 0.98


@pytest.mark.parametrize("case", list(cases()), ids=str)
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_what_is_left_of_a_wider_prior_is_the_same_stretched(case, factor):
    prior, p = cut(*case)[0], np.array([0.1, 0.3, 0.8, 0.97])
    low, high = prior.support
    middle = 0.0 if low >= 0.0 or high <= 0.0 else prior.distribution.typical(*prior.arguments)
    expected = middle + factor * (prior.quantile(p) - middle)
    np.testing.assert_allclose(prior.widened(factor).quantile(p), expected, rtol=1e-8)


def test_outside_its_bounds_a_prior_has_no_density():
    prior = Prior("Normal", (1.0, 2.0), lower=0.5, upper=3.0)
    assert np.isneginf(prior.log_density(np.array([0.4, 3.1, -1.0]))).all()
    assert np.isfinite(prior.log_density(np.array([0.5, 1.0, 3.0]))).all()
    assert np.isneginf(Prior("Gamma", (1.0, 2.0), upper=4.0, power=2.0).log_density(np.array([2.1, -0.5]))).all()


@pytest.mark.parametrize(
    "prior",
    [
        Prior("Normal", (0.1, 1e-3), lower=-0.25),
        Prior("StudentT", (3.0, 0.0, 2.5), 0.0, 1e9, origin="the past"),
        Prior("Uniform", (0.0, 5.0)),
        Prior("Cauchy", (0.0, 1.0), upper=2.0, power=2.0, origin="fits of 2024, inflated by 2"),
    ],
)  # fmt: skip
def test_bounds_and_origin_survive_printing(prior):
    read = read_prior("x", str(prior))
    assert (read.name, read.arguments, read.lower, read.upper) == (
        prior.name,
        prior.arguments,
        prior.lower,
        prior.upper,
    )
    assert read.origin == prior.origin
    assert pickle.loads(pickle.dumps(prior)) == prior


@pytest.mark.parametrize("name", WHOLE)
def test_the_constant_is_what_the_density_leaves_out(name):
    arguments, exact = EXACT[name]
    prior = Prior(name, arguments)
    x = prior.quantile(np.array([0.1, 0.5, 0.8]))
    expected = exact.logpdf(x) - prior.log_density(x)
    np.testing.assert_allclose(prior.log_constant, expected, rtol=1e-12, atol=1e-12)


REAL_OR_POSITIVE = [name for name, record in DISTRIBUTIONS.items() if record.support in ("real", "positive")]


@given(data=st.data())
@pytest.mark.parametrize("name", REAL_OR_POSITIVE)
def test_moments_are_those_that_the_tail_allows(name, data):
    """A tail as heavy as x^-m has moments below m: its quantiles rise by the chance to the power of -1/m."""
    record = DISTRIBUTIONS[name]
    number = st.floats(0.3, 8.0)
    arguments = tuple(data.draw(number) for _ in record.parameters)
    moments, tails = record.moments(*arguments), (1e-8, 1e-14, 1e-20)
    first, second, third = (tail_quantile(name, arguments, tail) for tail in tails)
    slopes = [np.log(1e6) / np.log(far / near) for near, far in ((first, second), (second, third))]
    if np.isfinite(moments):
        assert slopes[1] == pytest.approx(moments, rel=0.15)
    else:  # lighter than any power: steeper and steeper
        assert slopes[1] > 1.05 * slopes[0]


def tail_quantile(name, arguments, tail):
    """The value that is exceeded with the chance `tail`, by SciPy."""
    known = {
        "Normal": lambda mu, sigma: stats.norm(mu, sigma), "StudentT": stats.t, "Cauchy": stats.cauchy,
        "Laplace": stats.laplace, "Logistic": stats.logistic, "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
        "HalfStudentT": lambda nu, sigma: stats.t(nu, scale=sigma), "HalfCauchy": lambda beta: stats.cauchy(scale=beta),
        "Exponential": lambda lam: stats.expon(scale=1.0 / lam),
        "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1.0 / beta),
        "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
        "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    }  # fmt: skip
    half = 2.0 if name in ("HalfStudentT", "HalfCauchy") else 1.0
    return known[name](*arguments).isf(tail / half)
