"""Log densities of families and links at a thousand random points against SciPy's, and what follows from them."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from modeling_tools import QUICK
from scipy import special, stats

from hiermod.families.measured import with_errors
from hiermod.families.ops import NUMPY
from hiermod.families.registry import read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

POINTS, DRAWS = 1000, 40_000
RNG = np.random.default_rng(5)
LINE, SIZE = RNG.uniform(-4.0, 3.0, POINTS), np.exp(RNG.uniform(-3.0, 5.0, POINTS))
SHARE, ONES = RNG.uniform(0.01, 0.99, POINTS), RNG.uniform(0.01, 0.99, POINTS)
UNIT, COUNT = RNG.uniform(1e-3, 1.0 - 1e-3, POINTS), RNG.poisson(np.exp(LINE) * RNG.gamma(1.0, 1.0, POINTS))
POSITIVE, NUMBER = RNG.gamma(2.0, 1.0, POINTS), RNG.normal(1.0, 3.0, POINTS)
ENDS = np.where(RNG.random(POINTS) < 0.4, RNG.integers(0, 2, POINTS), UNIT)
TRIALS = RNG.integers(1, 30, POINTS).astype(float)
SUCCESSES = RNG.binomial(TRIALS.astype(int), 0.4).astype(float)


def _inflated(mean):
    inside = stats.beta.logpdf(UNIT, mean * SIZE, (1.0 - mean) * SIZE) + np.log1p(-SHARE)
    ends = np.log(SHARE) + np.where(ENDS == 1.0, np.log(ONES), np.log1p(-ONES))
    return np.where(np.isin(ENDS, (0.0, 1.0)), ends, inside)


def rate(link):
    return {"logit": special.expit, "probit": special.ndtr, "cloglog": lambda eta: -np.expm1(-np.exp(eta))}[link]


MIDDLE = {"logit": LINE, "probit": LINE / 3.0, "cloglog": LINE / 3.0}
ROOT = np.sqrt(0.1 + SIZE)
CASES = {
    "geometric": ((COUNT,), LINE, [], stats.nbinom.logpmf(COUNT, 1, 1.0 / (1.0 + np.exp(LINE)))),
    "nbinom1": ((COUNT,), LINE, [SIZE], stats.nbinom.logpmf(COUNT, np.exp(LINE) / SIZE, 1.0 / (1.0 + SIZE))),
    "gaussian(log)": ((NUMBER,), LINE, [ROOT], stats.norm.logpdf(NUMBER, np.exp(LINE), ROOT)),
    "gamma(inverse)": (
        (POSITIVE,), np.exp(LINE), [SIZE], stats.gamma.logpdf(POSITIVE, SIZE, scale=np.exp(-LINE) / SIZE)
    ),
    "binomial(log)": (
        (SUCCESSES, TRIALS), -np.exp(LINE), [], stats.binom.logpmf(SUCCESSES, TRIALS, np.exp(-np.exp(LINE)))
    ),
}  # fmt: skip
for name, eta in MIDDLE.items():
    mean = rate(name)(eta)
    CASES[f"beta({name})"] = ((UNIT,), eta, [SIZE], stats.beta.logpdf(UNIT, mean * SIZE, (1.0 - mean) * SIZE))
    CASES[f"zero_one_inflated_beta({name})"] = ((ENDS,), eta, [SIZE, SHARE, ONES], _inflated(mean))
ERRORS = {
    "known": ([], SIZE),
    "added": ([ROOT], np.sqrt(ROOT**2 + SIZE**2)),
    "weighted": ([ROOT], ROOT * SIZE),
}


def family_of(name):
    return with_errors(read_family("gaussian"), name) if name in ERRORS else read_family(name)


def case_of(name):
    if name not in ERRORS:
        return CASES[name]
    parameters, spread = ERRORS[name]
    return (NUMBER, SIZE), LINE, parameters, stats.norm.logpdf(NUMBER, LINE, spread)


@pytest.mark.parametrize("name", [*CASES, *ERRORS])
def test_densities_are_scipy_s(name):
    response, eta, parameters, exact = case_of(name)
    seen = family_of(name).observation_density(response, eta, parameters)
    np.testing.assert_allclose(seen, exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["zero_one_inflated_beta(logit)", "gamma(inverse)", "binomial(log)", *ERRORS])
def test_densities_are_the_same_in_pytensor_and_have_gradients(name):
    response, eta, parameters, exact = case_of(name)
    variables = [pt.dvector() for _ in (eta, *parameters)]
    observed = [pt.constant(np.asarray(part, dtype=float)) for part in response]
    family = family_of(name)
    density = family.log_density(PYTENSOR, observed, family.linear(variables[0]), *variables[1:])
    gradient = pt.grad(density.sum(), variables)
    seen, *slopes = pytensor.function(variables, [density, *gradient], mode=QUICK)(eta, *parameters)
    np.testing.assert_allclose(seen, exact, rtol=1e-10, atol=1e-10)
    assert np.isfinite(slopes).all()


def test_links_leave_what_has_no_mean_without_a_density():
    for name, response, eta in (("gamma(inverse)", (2.0,), -0.1), ("bernoulli(log)", (1.0, 1.0), 0.1)):
        family = read_family(name)
        own = [np.array(3.0)] * len(family.parameters)
        assert family.log_density(NUMPY, response, family.linear(np.array(eta)), *own) == -np.inf
        assert np.isfinite(family.log_density(NUMPY, response, family.linear(np.array(-eta)), *own))


def test_zeros_and_ones_beside_shares_have_their_mean_variance_and_chances():
    family = read_family("zero_one_inflated_beta")
    own = [np.array(6.0), np.array(0.3), np.array(0.8)]
    eta = np.array(-0.4)
    mean = family.mean(eta, *own)
    assert mean == pytest.approx(0.3 * 0.8 + 0.7 * special.expit(-0.4), rel=1e-12)
    drawn = family.draw_responses(mean, 1, own, np.random.default_rng(1), (DRAWS,))
    assert drawn.mean() == pytest.approx(float(mean), abs=5.0 * drawn.std() / np.sqrt(DRAWS))
    assert drawn.var() == pytest.approx(float(family.variance(mean, *own)), rel=0.03)
    for value in (0.0, 0.35, 1.0):
        below, up_to = family.cdf((value,), family.linear(eta), *own)
        error = 5.0 * 0.5 / np.sqrt(DRAWS)
        assert float(below) == pytest.approx((drawn < value).mean(), abs=error)
        assert float(up_to) == pytest.approx((drawn <= value).mean(), abs=error)
