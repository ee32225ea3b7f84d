"""Censored and truncated responses: both tails against SciPy, and each row's own density or probability."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats
from test_durations import ETA, FIRST, POINTS, RANK, SECOND, scipys

from hiermod.data.columns.bounds import EVENT, INTERVAL, LEFT, RIGHT
from hiermod.errors import ModelError
from hiermod.families.bounded import bounded, log_between, recorded
from hiermod.families.ops import NUMPY
from hiermod.families.registry import FAMILIES, read_family

NAMES = ("gaussian", "student", "gamma", "lognormal", "weibull", "exponential", "shifted_lognormal", "exgaussian")
RNG = np.random.default_rng(8)


@pytest.mark.parametrize("name", NAMES)
def test_tails_are_scipy_s(name):
    exact, parameters = scipys(name)
    family, value = read_family(name), exact.ppf(RANK)
    below, above = family.log_tails(NUMPY, (value,), family.linear(ETA), *parameters)
    np.testing.assert_allclose(below, np.log(exact.cdf(value)), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(above, np.log(exact.sf(value)), rtol=1e-9, atol=1e-11)


def test_tails_of_a_gamma_go_on_falling_where_chances_round_to_nothing():
    """By closed forms: of shape 2 above, exp(-x) (1 + x), and below by the first terms of the series."""
    family, x = read_family("gamma"), np.array([400.0, 700.0, 5000.0])
    above = family.log_tails(NUMPY, (x / 2.0,), family.linear(np.zeros(3)), 2.0)[1]
    np.testing.assert_allclose(above, np.log1p(x) - x, rtol=1e-14)
    shape, x = 40.0, np.array([1e-5, 1e-7, 1e-9])
    below = family.log_tails(NUMPY, (x / shape,), family.linear(np.zeros(3)), shape)[0]
    series = np.log1p(-shape * x / (shape + 1.0))
    np.testing.assert_allclose(below, shape * np.log(x) - special.gammaln(shape + 1.0) + series, rtol=1e-13)


def rows_of(value):
    """Values with random codes, ends of intervals and bounds of what is recorded."""
    step = RNG.uniform(0.1, 1.0, (3, POINTS)) * np.minimum(1.0, np.abs(value))
    end = value + step[0]
    code = RNG.choice([EVENT, RIGHT, LEFT, INTERVAL], POINTS)
    least = np.where(RNG.random(POINTS) < 0.5, value - step[1], -np.inf)
    most = np.where(RNG.random(POINTS) < 0.5, end + step[2], np.inf)
    return value, code, end, least, most


@pytest.mark.parametrize("name", NAMES)
def test_each_row_has_its_own_probability(name):
    exact, parameters = scipys(name)
    family, value = bounded(read_family(name)), exact.ppf(RANK)
    value, code, end, least, most = rows_of(value)
    with np.errstate(divide="ignore"):
        expected = np.select(
            [code == EVENT, code == RIGHT, code == LEFT, code == INTERVAL],
            [exact.pdf(value), exact.sf(value), exact.cdf(value), exact.cdf(end) - exact.cdf(value)],
        )
        expected = np.log(expected) - np.log(exact.cdf(most) - exact.cdf(least))
    seen = family.observation_density((value, code, end, least, most), ETA, parameters)
    np.testing.assert_allclose(seen, expected, rtol=1e-8, atol=1e-8)
    one = family.observation_density([part[3] for part in (value, code, end, least, most)], ETA, parameters)
    assert one.shape == (POINTS,)
    assert one[3] == pytest.approx(seen[3], rel=1e-12)


@pytest.mark.parametrize(("rank", "width"), [(1e-12, 1e-13), (1.0 - 1e-9, 1e-12)])
def test_narrow_intervals_far_out_keep_their_digits(rank, width):
    """A short interval has the density times its width."""
    exact, parameters = scipys("weibull")
    family, value = bounded(read_family("weibull")), exact.ppf(rank)
    end = value * (1.0 + 1e-7)
    code, none = np.full(POINTS, INTERVAL), np.full(POINTS, np.inf)
    seen = family.observation_density((value, code, end, -none, none), ETA, parameters)
    np.testing.assert_allclose(seen, exact.logpdf(value) + np.log(end - value), atol=1e-5)


def test_chances_are_those_between_which_the_unknown_value_has_its_own():
    exact, parameters = scipys("weibull")
    family, value, none = bounded(read_family("weibull")), exact.ppf(RANK), np.full(POINTS, np.inf)
    code = RNG.choice([EVENT, RIGHT, LEFT], POINTS)
    low, high = family.interval((value, code, value, -none, none), family.linear(ETA), *parameters)
    np.testing.assert_allclose(low, np.where(code == LEFT, 0.0, RANK), atol=1e-12)
    np.testing.assert_allclose(high, np.where(code == RIGHT, 1.0, RANK), atol=1e-12)


@pytest.mark.parametrize("name", ["weibull", "gaussian"])
def test_chances_of_truncated_responses_are_of_what_is_recorded(name):
    exact, parameters = scipys(name)
    family, value = bounded(read_family(name)), exact.ppf(RANK)
    step = RNG.uniform(0.1, 0.9, (3, POINTS)) * np.minimum(1.0, np.abs(value))
    least, end = value - step[0], value + step[1]
    most, code = end + step[2], RNG.choice([EVENT, RIGHT, LEFT, INTERVAL], POINTS)
    low, high = family.interval((value, code, end, least, most), family.linear(ETA), *parameters)
    at, up_to = ((exact.cdf(x) - exact.cdf(least)) / (exact.cdf(most) - exact.cdf(least)) for x in (value, end))
    np.testing.assert_allclose(low, np.where(code == LEFT, 0.0, at), atol=1e-9)
    np.testing.assert_allclose(high, np.select([code == RIGHT, code == INTERVAL], [1.0, up_to], at), atol=1e-9)


def test_bounds_on_one_side_leave_the_other_open():
    """Of numbers above 0 a bound at 0 is none, of others it is."""
    mu, none = np.zeros(1), np.array([np.inf])
    for name, least, cut in (("exponential", 0.0, 0.0), ("gaussian", 0.0, 0.5), ("exponential", 2.0, -np.expm1(-2.0))):
        family, own = bounded(read_family(name)), [1.0] * (name == "gaussian")
        exact = stats.expon() if name == "exponential" else stats.norm()
        response = (np.array([2.5]), np.array([EVENT]), np.array([2.5]), np.array([least]), none)
        assert family.observation_density(response, mu, own) == pytest.approx(exact.logpdf(2.5) - np.log1p(-cut))
        low, _ = family.interval(response, family.linear(mu), *own)
        assert low == pytest.approx((exact.cdf(2.5) - cut) / (1.0 - cut))
        upper = (*response[:3], -none, np.array([3.0]))
        assert family.observation_density(upper, mu, own) == pytest.approx(exact.logpdf(2.5) - exact.logcdf(3.0))


def test_an_interval_without_length_has_a_finite_logarithm_that_is_next_to_nothing():
    tails = np.log(np.array([0.3, 1e-9])), np.log(np.array([0.7, 1.0]))
    seen = log_between(NUMPY, tails, tails)
    assert ((seen < -600.0) & np.isfinite(seen)).all()


@pytest.mark.parametrize("at", [-30.0, -1.0, 0.2, 1.0, 30.0])
def test_intervals_keep_their_digits_in_either_tail(at):
    below, above = ((stats.norm.logcdf(x), stats.norm.logsf(x)) for x in (at, at + 0.01))
    steps = at + 0.005 * (np.polynomial.legendre.leggauss(20)[0] + 1.0)
    exact = special.logsumexp(stats.norm.logpdf(steps), b=0.005 * np.polynomial.legendre.leggauss(20)[1])
    assert log_between(NUMPY, below, above) == pytest.approx(exact, rel=1e-12)


def test_the_engine_has_bounded_forms_of_its_own_families_alone():
    assert bounded(read_family("weibull")).kernel == "bounded_weibull"
    assert bounded(replace(read_family("weibull"), kernel=None)).kernel is None


def test_bounded_families_pickle_and_others_refuse():
    family = bounded(read_family("weibull"))
    again = pickle.loads(pickle.dumps(family))
    response = tuple(np.array([number]) for number in (2.0, RIGHT, 2.0, -np.inf, np.inf))
    assert again.observation_density(response, ETA[:1], [FIRST[:1]]) == family.observation_density(
        response, ETA[:1], [FIRST[:1]]
    )
    assert len(SECOND) == POINTS
    with pytest.raises(ModelError, match=r"poisson takes no censored or truncated responses; .*weibull"):
        bounded(read_family("poisson"))


@pytest.mark.parametrize("name", ["gaussian", "weibull"])
def test_the_chance_of_less_lies_in_an_interval_where_the_value_is_not_known(name):
    """Between the chances of less and of at most as much, of what is recorded: 0 below a left-censored value."""
    exact, parameters = scipys(name)
    family, value = bounded(read_family(name)), exact.ppf(RANK)
    value, code, end, least, most = rows_of(value)
    low, high = exact.cdf(least), exact.cdf(most)
    at, beyond = ((exact.cdf(part) - low) / (high - low) for part in (value, end))
    below, above = family.interval((value, code, end, least, most), family.linear(ETA), *parameters)
    np.testing.assert_allclose(below, np.where(code == LEFT, 0.0, at), rtol=1e-8, atol=1e-10)
    expected = np.select([code == RIGHT, code == INTERVAL], [1.0, beyond], at)
    np.testing.assert_allclose(above, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("shift", [-60.0, 60.0])
def test_intervals_far_out_are_told_by_the_tail_that_has_not_rounded_to_one(shift):
    """Of a standard logistic distribution, whose larger tail is given as its chance rounds: 0, the logarithm of 1."""
    tails = [(stats.logistic.logcdf(x), stats.logistic.logsf(x)) for x in (shift, shift + 0.5)]
    rounded = [tuple(0.0 if part > -1e-20 else part for part in each) for each in tails]
    exact = np.log(0.5) + stats.logistic.logpdf(shift + 0.25) + np.log(np.sinh(0.25) / 0.25)
    assert log_between(NUMPY, *rounded) == pytest.approx(exact, rel=1e-12)


def test_an_interval_that_goes_on_beyond_what_is_recorded_ends_there():
    family, mu = bounded(read_family("weibull")), np.zeros(1)
    response = [np.array([number]) for number in (1.0, INTERVAL, 9.0, 0.5, 3.0)]
    below, above = family.interval(response, family.linear(mu), np.ones(1))
    exact = stats.expon()
    assert below == pytest.approx((exact.cdf(1.0) - exact.cdf(0.5)) / (exact.cdf(3.0) - exact.cdf(0.5)), rel=1e-12)
    assert above == 1.0


@pytest.mark.parametrize("least", [0.0, -2.0])
def test_numbers_above_zero_have_no_bound_at_zero_or_below(least):
    mu, none = np.array([0.3]), np.array([np.inf])
    for family in FAMILIES.values():
        if family.kind == "positive" and family.log_tails is not None:
            assert [float(end) for end in recorded(family, least, 3.0)] == [-np.inf, 3.0]
            own = [np.array([1.4])] * len(family.auxiliary)
            for code in (EVENT, RIGHT, LEFT):
                response = [np.array([1.7]), np.array([code]), np.array([1.7]), np.array([least]), none]
                free = [*response[:3], -none, none]
                seen, exact = (bounded(family).observation_density(rows, mu, own) for rows in (response, free))
                assert np.isfinite(exact).all()
                assert seen == exact
                seen, exact = (bounded(family).interval(rows, family.linear(mu), *own) for rows in (response, free))
                assert seen == exact
