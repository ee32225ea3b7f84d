"""What `outcome=` asks of a family, against SciPy's distributions and sums over all responses."""

import numpy as np
import pytest
from mixed_distributions import mixed
from scipy import special, stats

from hiermod.errors import AnswerError
from hiermod.families.outcomes import own_outcomes, read_outcome
from hiermod.families.registry import FAMILIES, read_family

ETA = np.linspace(-1.5, 2.5, 60).reshape(6, 10)
OTHER = np.linspace(0.3, 4.0, 10)  # one for each draw
BY_ROW = np.linspace(0.3, 4.0, 60).reshape(6, 10)


def scipys(name, eta, parameters):
    mean = np.exp(eta)
    match name:
        case "gaussian":
            return stats.norm(eta, parameters[0])
        case "student":
            return stats.t(parameters[1], eta, parameters[0])
        case "lognormal":
            return stats.lognorm(parameters[0], scale=mean)
        case "gamma":
            return stats.gamma(parameters[0], scale=mean / parameters[0])
        case "weibull":
            return stats.weibull_min(parameters[0], scale=mean / special.gamma(1.0 + 1.0 / parameters[0]))
        case "exponential":
            return stats.expon(scale=mean)
        case "exgaussian":
            sigma, beta = parameters
            return stats.exponnorm(beta / sigma, eta - beta, sigma)
        case "beta":
            share = special.expit(eta)
            return stats.beta(share * parameters[0], (1.0 - share) * parameters[0])
        case "geometric":
            return stats.nbinom(1.0, 1.0 / (1.0 + mean))
        case "nbinom1":
            return stats.nbinom(mean / parameters[0], 1.0 / (1.0 + parameters[0]))
        case "poisson":
            return stats.poisson(mean)
    return stats.nbinom(parameters[0], parameters[0] / (parameters[0] + mean))


NUMBERS = ["gaussian", "student", "lognormal", "gamma", "poisson", "negbinomial", "weibull", "exponential",
           "exgaussian", "beta", "geometric", "nbinom1"]  # fmt: skip


@pytest.fixture(params=[(name, other) for name in NUMBERS for other in ("by draw", "by row")], ids=str)
def case(request):
    name, other = request.param
    family = FAMILIES[name]
    parameters = [OTHER if other == "by draw" else BY_ROW] * len(family.parameters)
    return family, family.linear(ETA), parameters, scipys(name, ETA, parameters)


@pytest.mark.parametrize("percent", ["1", "25", "50", "90", "99.5"])
def test_quantiles_are_scipy_s(case, percent):
    family, mu, parameters, exact = case
    functional = read_outcome(family, f"q{percent}")
    assert functional.name == ("median" if percent == "50" else f"q{percent}")
    seen = functional.at(mu, *parameters)
    np.testing.assert_allclose(seen, exact.ppf(float(percent) / 100.0), rtol=1e-9, atol=1e-12)
    assert functional.steps == family.counts


def test_inverted_distribution_functions_are_the_closed_forms(case):
    from dataclasses import replace

    family, mu, parameters, _ = case
    for chance in ("q0.1", "q37.5", "q90"):
        inverted = read_outcome(replace(family, quantile=None), chance).at(mu, *parameters)
        np.testing.assert_allclose(inverted, read_outcome(family, chance).at(mu, *parameters), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
@pytest.mark.parametrize("number", [2.0, 0.0, 2.5, -1.0])
def test_chances_are_scipy_s(case, sign, number):
    family, mu, parameters, exact = case
    functional = read_outcome(family, f"{sign} {number:g}")
    at_most = exact.cdf(number)
    below = exact.cdf(np.ceil(number) - 1.0) if family.counts else at_most
    expected = {">": 1.0 - at_most, ">=": 1.0 - below, "<": below, "<=": at_most}[sign]
    np.testing.assert_allclose(functional.at(mu, *parameters), expected, rtol=1e-9, atol=1e-12)
    assert functional.share


@pytest.mark.parametrize("name", ["poisson", "negbinomial"])
def test_counts_have_chances_of_single_numbers_and_means_above_zero(name):
    family, parameters = FAMILIES[name], [BY_ROW] * len(FAMILIES[name].parameters)
    mu, exact, counts = family.linear(ETA), scipys(name, ETA, parameters), np.arange(1.0, 3000.0)[:, None, None]
    np.testing.assert_allclose(read_outcome(family, 3).at(mu, *parameters), exact.pmf(3), rtol=1e-9)
    np.testing.assert_allclose(read_outcome(family, "=3").at(mu, *parameters), exact.pmf(3), rtol=1e-9)
    np.testing.assert_allclose(read_outcome(family, "zero").at(mu, *parameters), exact.pmf(0), rtol=1e-9)
    above = (counts * exact.pmf(counts)).sum(axis=0) / exact.sf(0)
    np.testing.assert_allclose(read_outcome(family, "positive").at(mu, *parameters), above, rtol=1e-8)


def test_the_median_and_the_mean_are_scipy_s(case):
    family, mu, parameters, exact = case
    np.testing.assert_allclose(read_outcome(family, "median").at(mu, *parameters), exact.ppf(0.5), rtol=1e-9, atol=1e-9)
    mean = read_outcome(family, None)
    seen = np.broadcast_to(mean.at(mu, *parameters), ETA.shape)
    exists = np.isfinite(exact.mean()) & (family.name != "student")
    np.testing.assert_allclose(seen[exists], np.asarray(exact.mean())[exists], rtol=1e-9)


def others(family):
    """Draws of the parameters beside mu."""
    return [OTHER / 5.0 if parameter.support == "unit" else OTHER for parameter in family.parameters]


def test_parameters_that_are_not_used_do_not_matter():
    for family in FAMILIES.values():
        for functional in own_outcomes(family).values():
            parameters = others(family)
            for place, name in enumerate(family.auxiliary):
                if not functional.needs(name):
                    changed = [*parameters[:place], parameters[place] / 2.0, *parameters[place + 1 :]]
                    one, other = (functional.at(family.linear(ETA), *own) for own in (parameters, changed))
                    np.testing.assert_array_equal(one, other)


def test_links_of_outcomes_are_inverses_with_their_slopes():
    for family in FAMILIES.values():
        parameters = others(family)
        for functional in own_outcomes(family).values():
            if functional.link is not None and functional.of == "mu":
                link = functional.link(family.link, *parameters)
                np.testing.assert_allclose(
                    link.inverse(ETA), functional.at(family.linear(ETA), *parameters), rtol=1e-12
                )
                np.testing.assert_allclose(link.forward(link.inverse(ETA)), ETA, rtol=1e-9, atol=1e-12)
                numeric = (link.inverse(ETA + 1e-5) - link.inverse(ETA - 1e-5)) / 2e-5
                np.testing.assert_allclose(link.slope(ETA), numeric, rtol=1e-7)


def test_the_quantile_of_many_events_is_their_smallest_number():
    family = FAMILIES["poisson"]
    for mean in (1e3, 1e6, 1e12):
        seen = read_outcome(family, "q97.5").at(family.linear(np.log(np.array([mean]))))
        assert seen[0] == pytest.approx(stats.poisson(mean).ppf(0.975), abs=2.0 if mean > 1e9 else 0.0)


@pytest.mark.parametrize(
    ("family", "outcome", "message"),
    [
        ("gamma", "modus", r"outcome='modus' is none of the family gamma, which has 'mean', 'median', quantiles"),
        ("gamma", "meen", r"Did you mean 'mean'\?"),
        ("gamma", 3, r"a single value of the family gamma has the chance 0.*outcome='>3'"),
        ("poisson", 2.5, r"counts are whole numbers from 0 on"),
        ("poisson", "=-1", r"counts are whole numbers from 0 on"),
        ("poisson", True, r"outcome=True is none of the family poisson, which has .*'zero', 'positive'"),
        ("poisson", "q100", r"outcome='q100' is none"),
        ("binomial", "median", r"outcome='median' is none of a rate of successes, which has its mean alone"),
        ("bernoulli", "q90", r"none of a rate of successes"),
        ("binomial", ">3", r"none of a rate of successes"),
        ("gaussian", ">inf", r"outcome='>inf' is none"),
    ],
)
def test_an_unknown_outcome_is_refused_with_those_there_are(family, outcome, message):
    with pytest.raises(AnswerError, match=message):
        read_outcome(read_family(family), outcome)


MIXED = ["zero_inflated_poisson", "zero_inflated_negbinomial", "hurdle_poisson", "hurdle_negbinomial", "hurdle_gamma",
         "hurdle_lognormal"]  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_mixtures_have_shares_of_zeros_means_above_them_and_quantiles(name):
    family, own = FAMILIES[name], others(FAMILIES[name])
    mu = family.linear(ETA)
    exact = mixed(name, mu.link.inverse(ETA), own, None)
    zero = np.broadcast_to(exact.cdf(0.0), ETA.shape)
    np.testing.assert_allclose(np.broadcast_to(read_outcome(family, 0).at(mu, *own), ETA.shape), zero, rtol=1e-9)
    np.testing.assert_allclose(read_outcome(family, "positive").at(mu, *own), exact.mean() / (1.0 - zero), rtol=1e-9)
    np.testing.assert_allclose(read_outcome(family, "<=2").at(mu, *own), exact.cdf(2.0), rtol=1e-9)
    seen = read_outcome(family, "q70").at(mu, *own)
    assert ((seen == 0.0) == (zero >= 0.7)).all()
    for place in np.ndindex(ETA.shape):
        one = mixed(name, mu.link.inverse(ETA[place]), [values[place[1]] for values in own], None)
        if family.counts:
            assert one.cdf(seen[place]) >= 0.7 > one.cdf(seen[place] - 1.0)
        elif seen[place]:
            assert one.cdf(seen[place]) == pytest.approx(0.7, rel=1e-9)
