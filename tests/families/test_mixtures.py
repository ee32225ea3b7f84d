"""Zero-inflated and hurdle families against SciPy's distributions, and against exact sums at extremes."""

from decimal import Decimal, localcontext
from math import factorial

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from mixed_distributions import mixed
from modeling_tools import QUICK
from scipy import integrate

from hiermod.families.links import LOGIT
from hiermod.families.ops import NUMPY
from hiermod.families.record import Linear
from hiermod.families.registry import FAMILIES, read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

ELSEWHERE = ("zero_inflated_beta", "zero_inflated_genpois", "hurdle_genpois")  # in test_further_families.py
MIXTURES = [
    f"{name}({link})"
    for name, record in FAMILIES.items() if record.zeros and name not in ELSEWHERE for link in record.links
]  # fmt: skip
USUAL = [
    pytest.param(name, marks=[pytest.mark.slow] if any(part in name for part in ("beta", "probit", "clog")) else [])
    for name in MIXTURES
]
POINTS, DRAWS = 1000, 40_000


def random_case(name, points=POINTS, seed=3):
    """Responses, half of them 0, linear predictors, parameters and trials, with SciPy's log densities."""
    family, rng = read_family(name), np.random.default_rng(seed)
    eta = rng.uniform(-3.0, 1.2, points)
    parameters = [np.exp(rng.uniform(-1.5, 3.0, points)) for _ in family.parameters[:-1]]
    parameters.append(rng.uniform(0.01, 0.99, points))
    trials = rng.integers(2, 30, points).astype(float)
    values = rng.gamma(1.5, 2.0, points) if family.kind == "positive" else rng.poisson(3.0, points).astype(float)
    values = np.where(rng.random(points) < 0.5, 0.0, np.minimum(values, trials) if family.is_rate else values)
    exact = mixed(family.name, family.link.inverse(eta), parameters, trials).logpdf(values)
    return family, ((values, trials) if family.is_rate else (values,)), eta, parameters, exact


@pytest.mark.parametrize("name", MIXTURES)
def test_densities_at_a_thousand_points_are_scipy_s(name):
    family, response, eta, parameters, exact = random_case(name)
    seen = family.log_density(NUMPY, response, family.linear(eta), *parameters)
    np.testing.assert_allclose(seen, exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", USUAL)
def test_densities_are_the_same_in_pytensor_and_by_the_logit_of_the_share(name):
    family, response, eta, parameters, exact = random_case(name, 60)
    variables = [pt.dvector() for _ in (eta, *parameters)]
    observed = [pt.constant(part) for part in response]
    *own, share = variables[1:]
    for last in (share, Linear(pt.log(share) - pt.log1p(-share), LOGIT)):
        density = family.log_density(PYTENSOR, observed, family.linear(variables[0]), *own, last)
        gradient = pt.grad(density.sum(), variables)
        seen, *slopes = pytensor.function(variables, [density, *gradient], mode=QUICK)(eta, *parameters)
        np.testing.assert_allclose(seen, exact, rtol=1e-10, atol=1e-10)
        assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", USUAL)
def test_densities_and_gradients_are_finite_at_extremes(name):
    family = read_family(name)
    values, etas, sizes, logits = np.meshgrid(
        [0.0, 1.0, 4.0], [-800.0, -60.0, 0.0, 40.0, 800.0], [1e-9, 1.0, 1e9], [-800.0, -30.0, 30.0, 800.0]
    )
    variables = [pt.dvector() for _ in range(1 + len(family.parameters))]
    observed = [pt.constant(part.ravel()) for part in ((values, 0.0 * values + 9.0) if family.is_rate else (values,))]
    mu, *own, logit = variables
    density = family.log_density(PYTENSOR, observed, family.linear(mu), *own, Linear(logit, LOGIT))
    run = pytensor.function(variables, [density, *pt.grad(density.sum(), variables)], mode=QUICK)
    with np.errstate(all="ignore"):
        seen = run(etas.ravel(), *([sizes.ravel()] * len(own)), logits.ravel())
    assert np.isfinite(seen).all()


@pytest.mark.parametrize("eta", [-700.0, -50.0, -20.0, -1.0, 3.0])
@pytest.mark.parametrize("alpha", [None, 1e-6, 0.3, 1e7])
def test_counts_above_zero_are_exact_where_nearly_all_are_zero(eta, alpha):
    """In exact arithmetic: what is left of the mass when zeros are cut off, and their mean."""
    name, own = ("hurdle_poisson", []) if alpha is None else ("hurdle_negbinomial", [alpha])
    family, hu = read_family(name), 0.25
    with localcontext(prec=700):
        mean, shape = Decimal(eta).exp(), Decimal(alpha or 1)
        hazard = mean if alpha is None else shape * (1 + mean / shape).ln()
        above = 1 - (-hazard).exp()
        for count in (1, 2, 7):
            rising = Decimal(1)
            for step in range(count):
                rising *= 1 if alpha is None else 1 + step / shape
            rest = mean if alpha is None else (count + shape) * (1 + mean / shape).ln()
            density = (rising / factorial(count)).ln() + count * Decimal(eta) - rest
            expected = float(density - above.ln() + (1 - Decimal(hu)).ln())
            seen = family.observation_density((float(count),), np.array([eta]), [*own, hu])
            np.testing.assert_allclose(seen, expected, rtol=1e-12, atol=1e-11)
        exact = float((1 - Decimal(hu)) * mean / above)
        np.testing.assert_allclose(family.mean(np.array([eta]), *own, hu), exact, rtol=1e-12)


@pytest.mark.parametrize("name", MIXTURES)
def test_means_are_those_of_the_density(name):
    """Summed or integrated over all responses, zeros included, which add up to one."""
    family = read_family(name)
    parameters = [1.3] * (len(family.parameters) - 1) + [0.35]
    for eta in (-1.5, 0.1, 1.1):

        def density(value, eta=eta):
            response = (value, np.full(np.shape(value), 9.0)) if family.is_rate else (value,)
            linear = family.linear(np.full(np.shape(value), eta))
            return np.exp(family.log_density(NUMPY, response, linear, *parameters))

        if family.kind == "positive":
            whole, first, second = (
                integrate.quad(lambda t, p=p: np.exp(t * (p + 1)) * density(np.array([np.exp(t)]))[0], -25.0, 14.0,
                               limit=400)[0]
                for p in (0, 1, 2)
            )  # fmt: skip
            whole += density(np.array([0.0]))[0]
        else:
            grid = np.arange(10.0 if family.is_rate else 800.0)
            chance = density(grid)
            whole, first, second = chance.sum(), chance @ grid, chance @ grid**2
        trials = 9.0 if family.is_rate else 1.0
        assert whole == pytest.approx(1.0, abs=1e-9)
        assert trials * family.mean(np.array([eta]), *parameters)[0] == pytest.approx(first, rel=1e-8)
        if not family.is_rate:
            mean = family.mean(np.array([eta]), *parameters)
            assert family.variance(mean, *parameters)[0] == pytest.approx(second - first**2, rel=1e-7)


@pytest.mark.parametrize("name", MIXTURES)
def test_links_of_means_are_inverses_with_their_slopes(name):
    family, _, eta, parameters, _ = random_case(name, 60)
    link = family.expected.link(family.link, *parameters)
    np.testing.assert_allclose(link.forward(link.inverse(eta)), eta, rtol=1e-8, atol=1e-9)
    numeric = (link.inverse(eta + 1e-5) - link.inverse(eta - 1e-5)) / 2e-5
    np.testing.assert_allclose(link.slope(eta), numeric, rtol=1e-6)


@pytest.mark.parametrize("name", MIXTURES)
def test_draws_follow_the_distribution_function(name):
    family = read_family(name)
    rng = np.random.default_rng(5)
    for eta, size, share in ((-3.0, 0.4, 0.2), (0.5, 3.0, 0.6), (1.1, 40.0, 0.05)):
        parameters = [size if own != "sigma" else 0.6 for own in family.auxiliary[:-1]] + [share]
        mean = family.mean(np.full(DRAWS, eta), *parameters)
        drawn = family.draw_responses(mean, np.full(DRAWS, 9.0), parameters, rng)
        for value in np.unique(np.quantile(drawn, [0.0, 0.3, 0.7, 0.9])):
            response = (float(value), 9.0) if family.is_rate else (float(value),)
            below, up_to = family.cdf(response, family.linear(np.array([eta])), *parameters)
            for seen, chance in ((np.mean(drawn < value), below[0]), (np.mean(drawn <= value), up_to[0])):
                assert abs(seen - chance) < 5.0 * np.sqrt(chance * (1.0 - chance) / DRAWS) + 1.0 / DRAWS


@pytest.mark.parametrize("name", MIXTURES)
def test_distribution_functions_are_scipy_s(name):
    family, response, eta, parameters, _ = random_case(name, 60)
    for place in range(60):
        value, own = response[0][place], [part[place] for part in parameters]
        trials = response[1][place] if family.is_rate else 1.0
        exact = mixed(family.name, family.link.inverse(eta[place]), own, trials)
        given = (value, trials) if family.is_rate else (value,)
        below, up_to = family.cdf(given, family.linear(eta[place : place + 1]), *own)
        assert up_to[0] == pytest.approx(float(exact.cdf(value)), rel=1e-9, abs=1e-12)
        before = exact.cdf(value - 1.0) if family.kind != "positive" else exact.cdf(value) if value else 0.0
        assert below[0] == pytest.approx(float(before), rel=1e-9, abs=1e-12)
