"""Densities of negative binomial, Student, gamma and beta-binomial responses against SciPy and exact arithmetic."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import factorial

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from modeling_tools import QUICK
from scipy import special, stats

from hiermod.families.ops import NUMPY, remainder, rise
from hiermod.families.registry import read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

FAMILIES = ["negbinomial", "student", "gamma", "beta_binomial", "beta_binomial(probit)", "beta_binomial(cloglog)"]
ETA = st.floats(-6.0, 6.0)
MODERATE = st.floats(-2.0, 4.0).map(lambda power: 10.0**power)  # of shapes and precisions
ANY = st.floats(-12.0, 12.0).map(lambda power: 10.0**power)
COUNTS = st.integers(0, 200)
SETTINGS = settings(max_examples=60, deadline=None)


def compiled(name):
    """A density and its gradient by the linear predictor and the family's parameters."""
    family = read_family(name)
    value, trials, eta = pt.dscalars("value", "trials", "eta")
    auxiliary = [pt.dscalar(own) for own in family.auxiliary]
    response = (value, trials) if family.is_rate else (value,)
    density = family.log_density(PYTENSOR, response, family.linear(eta), *auxiliary)
    inputs = [value, trials, eta, *auxiliary]
    gradient = pt.grad(density, [eta, *auxiliary])
    run = pytensor.function(inputs, [density, *gradient], mode=QUICK, on_unused_input="ignore")

    def evaluate(value, trials, eta, *auxiliary):
        with np.errstate(all="ignore"):
            return [float(own) for own in run(value, trials, eta, *auxiliary)]

    return evaluate


def _rise():
    x, m = pt.dscalars("x", "m")
    return pytensor.function([x, m], rise(PYTENSOR, x, m), mode=QUICK)


DENSITIES = {name: compiled(name) for name in FAMILIES}
RISE = _rise()


def close(seen, expected, size=0.0):
    """To 1e-10 of the density, or of the largest of the terms that make it up in scipy."""
    assert seen == pytest.approx(expected, rel=1e-10, abs=1e-10 + 1e-14 * size)


@SETTINGS
@given(COUNTS, ETA, MODERATE)
def test_negative_binomial_is_scipy_s(count, eta, alpha):
    mean = np.exp(eta)
    expected = stats.nbinom.logpmf(count, alpha, alpha / (alpha + mean))
    close(DENSITIES["negbinomial"](count, 1, eta, alpha)[0], expected, abs(special.gammaln(alpha + count)))


@SETTINGS
@given(st.floats(-1e3, 1e3), ETA, MODERATE, st.floats(0.1, 1e4))
def test_student_is_scipy_s(value, eta, sigma, nu):
    expected = stats.t.logpdf(value, nu, eta, sigma)
    close(DENSITIES["student"](value, 1, eta, sigma, nu)[0], expected, abs(special.gammaln(nu)))


@SETTINGS
@given(st.floats(1e-3, 1e3), ETA, MODERATE)
def test_gamma_is_scipy_s(value, eta, alpha):
    expected = stats.gamma.logpdf(value, alpha, scale=np.exp(eta) / alpha)
    close(DENSITIES["gamma"](value, 1, eta, alpha)[0], expected, abs(special.gammaln(alpha)))


@SETTINGS
@given(st.sampled_from(FAMILIES[3:]), COUNTS, COUNTS, st.floats(-3.0, 1.5), MODERATE)
def test_beta_binomial_is_scipy_s(name, successes, failures, eta, kappa):
    """Where scipy's own rates have their digits."""
    trials = max(successes + failures, 1)
    rate = read_family(name).link.inverse(eta)
    expected = stats.betabinom.logpmf(successes, trials, rate * kappa, (1.0 - rate) * kappa)
    close(DENSITIES[name](successes, trials, eta, kappa)[0], expected, abs(special.gammaln(kappa + trials)))


def exact_log(number):
    """The logarithm of a fraction, to forty digits."""
    with localcontext(prec=60):
        return float((Decimal(number.numerator) / Decimal(number.denominator)).ln())


def rising(start, count):
    """start (start + 1) …, `count` factors, as a fraction."""
    product = Fraction(1)
    for step in range(count):
        product *= start + step
    return product


@SETTINGS
@example(7, 1e-300)
@example(40, 1e300)
@given(COUNTS, ANY)
def test_rising_factorials_are_exact(count, start):
    seen = RISE(start, count)
    expected = exact_log(rising(Fraction(start), count) / Fraction(start) ** count)
    size = abs(count * np.log(start)) if start < 1 else 1.0
    assert seen == pytest.approx(expected, rel=1e-12, abs=1e-14 * max(size, count))


def test_stirling_s_remainder_joins_its_series():
    x = pt.dvector()
    seen = pytensor.function([x], remainder(PYTENSOR, x), mode=QUICK)
    points = np.concatenate([np.linspace(9.0, 11.0, 41), np.geomspace(1e-5, 1e4, 60)])
    stirling = (points - 0.5) * np.log(points) - points + 0.5 * np.log(2.0 * np.pi)
    np.testing.assert_allclose(seen(points), special.gammaln(points) - stirling, atol=1e-11, rtol=1e-12)
    np.testing.assert_allclose(seen([1e300]), 1e-300 / 12, rtol=1e-15)


@SETTINGS
@example(3, Fraction(1, 10**30), 1e-300)
@example(150, Fraction(10**30), 1e12)
@given(COUNTS, st.fractions(Fraction(1, 10**9), 10**9), ANY)
def test_negative_binomial_is_exact_at_extremes(count, mean, alpha):
    eta = exact_log(mean)
    shape = Fraction(alpha)
    terms = [exact_log(rising(shape, count)), -exact_log(rising(Fraction(1), count)), count * exact_log(mean)]
    terms += [-(count + alpha) * exact_log(1 + mean / shape), -count * exact_log(shape)]
    seen = DENSITIES["negbinomial"](count, 1, eta, alpha)
    assert np.isfinite(seen).all()
    assert seen[0] == pytest.approx(sum(terms), rel=1e-10, abs=1e-14 * np.abs(terms).max())


@SETTINGS
@example(3, 7, Fraction(1, 10**40), 1e-100)
@example(120, 0, Fraction(1, 3), 1e12)
@given(COUNTS, COUNTS, st.fractions(Fraction(1, 10**9), 10**9), ANY)
def test_beta_binomial_is_exact_at_extremes(successes, failures, odds, kappa):
    trials = max(successes + failures, 1)
    failures = trials - successes
    rate, size = odds / (1 + odds), Fraction(kappa)
    ways = rising(Fraction(successes + 1), failures) / rising(Fraction(1), failures)
    chance = ways * rising(rate * size, successes) * rising((1 - rate) * size, failures) / rising(size, trials)
    seen = DENSITIES["beta_binomial"](successes, trials, exact_log(odds), kappa)
    assert np.isfinite(seen).all()
    assert seen[0] == pytest.approx(exact_log(chance), rel=1e-10, abs=1e-12 * trials)


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_without_end_give_the_limit(name):
    """Poisson, normal and binomial; a gamma response tends to its mean, about which it is normal."""
    huge, eta = 1e15, 0.3
    mean = float(read_family(name).link.inverse(eta))
    if name == "negbinomial":
        seen, expected = DENSITIES[name](4, 1, eta, huge)[0], stats.poisson.logpmf(4, mean)
    elif name == "student":
        seen, expected = DENSITIES[name](4.0, 1, eta, 2.0, huge)[0], stats.norm.logpdf(4.0, eta, 2.0)
    elif name == "gamma":
        sd = mean / np.sqrt(huge)
        seen, expected = DENSITIES[name](mean + sd, 1, eta, huge)[0], stats.norm.logpdf(mean + sd, mean, sd)
        assert seen == pytest.approx(expected, abs=1e-6)
        return
    else:
        seen, expected = DENSITIES[name](4, 9, eta, huge)[0], stats.binom.logpmf(4, 9, mean)
    assert seen == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("eta", [-800.0, -40.0, 0.0, 40.0, 800.0])
@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_densities_and_gradients_are_finite(name, eta, size):
    auxiliary = [size] * len(read_family(name).auxiliary)
    for value, trials in ((1.0, 9.0), (9.0, 9.0), (4.0, 9.0)):
        assert np.isfinite(DENSITIES[name](value, trials, eta, *auxiliary)).all()


@SETTINGS
@given(st.sampled_from(FAMILIES), st.floats(-2.0, 1.0), st.floats(-0.7, 2.5), st.integers(1, 9))
def test_gradients_are_those_of_the_density(name, eta, power, value):
    auxiliary = [10.0**power] * len(read_family(name).auxiliary)
    point = np.array([eta, *auxiliary])
    seen = DENSITIES[name](value, 9, *point)[1:]
    for place, slope in enumerate(seen):
        step = 1e-5 * max(1.0, abs(point[place]))
        up, down = (point + sign * step * (np.arange(len(point)) == place) for sign in (1, -1))
        numeric = (DENSITIES[name](value, 9, *up)[0] - DENSITIES[name](value, 9, *down)[0]) / (2 * step)
        assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("x", [2, 19, 20, 21, 40, 300])
def test_stirling_s_remainder_has_all_its_digits(x):
    """By logarithms of factorials of forty digits."""
    with localcontext() as context:
        context.prec = 60
        log_tau = (2 * Decimal("3.14159265358979323846264338327950288419716939937510582097494")).ln()
        number = Decimal(x)
        exact = Decimal(factorial(x - 1)).ln() - (number - Decimal("0.5")) * number.ln() + number - log_tau / 2
    assert float(remainder(NUMPY, np.float64(x))) == pytest.approx(float(exact), abs=3e-15 if x >= 20 else 3e-14)


def test_one_way_to_choose_has_a_logarithm_of_exactly_nothing():
    trials = np.arange(1.0, 2000.0)
    for successes in (np.zeros_like(trials), trials):
        assert (NUMPY.log_choose(trials, successes) == 0.0).all()
    ways = NUMPY.log_choose(np.array([5.0, 50.0]), np.array([2.0, 25.0]))
    np.testing.assert_allclose(ways, [np.log(10.0), np.log(126410606437752.0)], rtol=1e-13)
