"""Censored and truncated responses: both tails against SciPy, and each row's own density or probability."""

import pickle

import numpy as np
import pytest
from test_durations import ETA, FIRST, POINTS, RANK, SECOND, scipys

from hiermod.data.columns.bounds import EVENT, INTERVAL, LEFT, RIGHT
from hiermod.errors import ModelError
from hiermod.families.bounded import bounded
from hiermod.families.ops import NUMPY
from hiermod.families.registry import read_family

NAMES = ("gaussian", "student", "gamma", "lognormal", "weibull", "exponential", "shifted_lognormal", "exgaussian")
RNG = np.random.default_rng(8)


@pytest.mark.parametrize("name", NAMES)
def test_tails_are_scipy_s(name):
    exact, parameters = scipys(name)
    family, value = read_family(name), exact.ppf(RANK)
    below, above = family.log_tails(NUMPY, (value,), family.linear(ETA), *parameters)
    np.testing.assert_allclose(below, np.log(exact.cdf(value)), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(above, np.log(exact.sf(value)), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_each_row_has_its_own_probability(name):
    exact, parameters = scipys(name)
    family, value = bounded(read_family(name)), exact.ppf(RANK)
    step = RNG.uniform(0.1, 1.0, (3, POINTS)) * np.minimum(1.0, np.abs(value))
    end = value + step[0]
    code = RNG.choice([EVENT, RIGHT, LEFT, INTERVAL], POINTS)
    least = np.where(RNG.random(POINTS) < 0.5, value - step[1], -np.inf)
    most = np.where(RNG.random(POINTS) < 0.5, end + step[2], np.inf)
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
