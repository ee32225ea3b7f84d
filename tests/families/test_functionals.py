"""What `outcome=` asks of a family, against SciPy's distributions and sums over all responses."""

from dataclasses import replace

import numpy as np
import pytest
from mixed_distributions import mixed
from scipy import special, stats

from hiermod.errors import AnswerError
from hiermod.families.functionals import Functional, inverted, smallest_count
from hiermod.families.links import IDENTITY, LINKS
from hiermod.families.ops import NUMPY
from hiermod.families.outcomes import knows_quantiles, own_outcomes, parameter_itself, read_outcome, response_at
from hiermod.families.registry import FAMILIES, read_family
from hiermod.priors.reading import read_prior

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
    assert (functional.at_most is not None) == family.counts


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


def test_outcomes_use_parameters_that_there_are():
    for family in FAMILIES.values():
        for functional in own_outcomes(family).values():
            assert functional.of in ("mu", *family.auxiliary)
            assert functional.uses is None or set(functional.uses) <= {"mu", *family.auxiliary}
            assert functional.needs(functional.of)
            if functional.name == "median":
                assert functional.per_unit == (family.kind in ("real", "positive", "unit"))


def test_links_of_outcomes_are_inverses_with_their_slopes():
    for family in (
        own for own in FAMILIES.values() if own.name != "gen_extreme_value"
    ):  # whose means are infinite here
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


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.5, 0.975])
def test_inverses_of_distribution_functions_take_few_steps(chance):
    """By Newton's method: halves alone would take forty; from a start that is exact, no step moves it."""
    calls = []

    def at_most(t):
        calls.append(float(t[0]))
        return special.ndtr(t)

    seen = inverted(chance, at_most, stats.norm.pdf, np.positive, (3,))
    np.testing.assert_allclose(seen, special.ndtri(chance), rtol=1e-9, atol=1e-12)
    assert len(calls) < 15
    first = {0.02: [-1.0, -2.0, -4.0, 1.0, -1.5], 0.975: [-1.0, 1.0, 2.0, 0.5]}.get(chance, [-1.0, 1.0, 0.0])
    assert calls[: len(first)] == first
    assert chance != 0.5 or len(calls) == 3


def test_an_end_of_a_bracket_that_is_the_value_is_not_moved():
    for end in (-1.0, 1.0):
        calls = []

        def at_most(t):
            calls.append(float(t[0]))  # noqa: B023 - called before the next end
            return special.ndtr(t)

        seen = inverted(float(special.ndtr(end)), at_most, stats.norm.pdf, np.positive, (1,))
        assert seen == pytest.approx(end, rel=1e-12)
        assert calls[:3] == [-1.0, 1.0, 0.0]


def test_inverses_hold_where_the_density_says_nothing_or_misleads():
    exact = special.logit(0.8)
    for density in (np.zeros_like, lambda t: -np.ones_like(t), lambda t: np.full_like(t, 1e-3)):
        seen = inverted(0.8, special.expit, density, np.positive, (2,))
        np.testing.assert_allclose(seen, exact, rtol=1e-9)


@pytest.mark.parametrize("start", [0.0, 1.0, 2.0, 3.0, 6.5, 100.0, 1e9])
def test_the_smallest_count_is_found_from_any_start(start):
    """Chances are eighths, which a double holds: a count that reaches a chance exactly is it."""
    calls = []

    def at_most(count):
        calls.append(count)
        return np.clip((count + 1.0) / 8.0, 0.0, 1.0)

    for chance, count in ((0.125, 0.0), (0.1251, 1.0), (0.5, 3.0), (0.51, 4.0), (1.0, 7.0)):
        calls.clear()
        assert smallest_count(chance, at_most, np.array([start, 3.0])).tolist() == [count, count]
        assert len(calls) <= 4 + np.log2(max(start, 8.0))
        assert all((each == np.round(each)).all() for each in calls)


def test_counts_beyond_whole_numbers_are_found_to_the_next_double():
    counts = 2.0**60 + 256.0 * np.arange(8.0)
    seen = smallest_count(0.5, lambda count: (count >= counts).astype(float), np.full(8, 1e6))
    assert seen.tolist() == counts.tolist()


def test_a_functional_says_nothing_that_it_was_not_told():
    functional = Functional("a", "a", value=np.add)
    assert (functional.of, functional.uses, functional.chance, functional.weights) == ("mu", None, 0.5, ())
    assert {functional.share, functional.per_unit, functional.bounded} == {False}
    assert functional.needs("mu")
    assert functional.needs("sigma")


def test_what_averaged_rows_tell_hangs_on_the_predictor_and_its_link():
    link, own = IDENTITY, {"name": "a", "label": "a"}
    assert Functional(**own, value=np.add, uses=("sigma",)).of_averages
    assert Functional(**own, link=lambda *_: link, uses=("mu",)).of_averages
    assert not Functional(**own, link=lambda *_: link).of_averages
    assert not Functional(**own, link=lambda *_: link, uses=("mu", "sigma")).of_averages
    assert not Functional(**own, value=np.add, uses=("mu",)).of_averages


@pytest.mark.parametrize(
    ("name", "exact"), [("logit", stats.logistic), ("probit", stats.norm), ("cloglog", stats.gumbel_l)]
)
def test_links_of_rates_are_the_distributions_behind_them(name, exact):
    link, points = LINKS[name], np.array([-30.0, -4.0, -0.7, 0.1, 2.0, 3.0])
    assert link.latent_variance == pytest.approx(exact.var(), rel=1e-12)
    np.testing.assert_allclose(link.log_slope(NUMPY, points), exact.logpdf(points), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.stack(link.log_rates(NUMPY, points)), [exact.logcdf(points), exact.logsf(points)],
                               rtol=1e-9, atol=1e-14)  # fmt: skip
    for low, high in ((-30.0, -29.0), (-2.0, 0.5), (0.1, 0.2), (1.0, 3.0)):
        between = exact.logcdf(high) + np.log1p(-np.exp(exact.logcdf(low) - exact.logcdf(high)))
        assert link.log_between(NUMPY, low, high) == pytest.approx(between, rel=1e-8)


def test_a_link_between_two_bounds_has_means_between_them_alone():
    link = replace(LINKS["logit"], bounds=(0.0, 1.0))
    assert link.inside(np.array([-0.5, 0.0, 0.5, 1.0, 2.0])).tolist() == [False, False, True, False, False]
    assert LINKS["inverse"].inside(np.array([-1.0, 0.0, 5.0])).tolist() == [False, False, True]


def test_parameters_themselves_are_chances_where_they_lie_between_0_and_1():
    shares = {
        ("hurdle_gamma", "hu"): True, ("hurdle_gamma", "alpha"): False, ("hurdle_gamma", "mu"): False,
        ("binomial", "mu"): True, ("beta_binomial", "kappa"): False, ("asym_laplace", "quantile"): True,
    }  # fmt: skip
    for (name, parameter), share in shares.items():
        functional = parameter_itself(read_family(name), parameter)
        assert (functional.share, functional.of, functional.uses) == (share, parameter, (parameter,))
        assert functional.label == f"{parameter} of {{}}"
        link = functional.link(LINKS["probit"])
        assert link is LINKS["probit"]
    ordered = read_family("cumulative").of_categories((1, 2, 3))
    assert parameter_itself(ordered, "mu").link(LINKS["logit"]) is IDENTITY


def test_quantiles_without_a_closed_form_take_few_chances():
    for name, own in (("beta", 3.0), ("gamma", 1.7), ("gaussian", 0.8)):
        calls = []

        def counted(response, mu, *parameters, family=FAMILIES[name], calls=calls):
            calls.append(response)
            return family.cdf(response, mu, *parameters)

        family = replace(FAMILIES[name], quantile=None, cdf=counted)
        seen = read_outcome(family, "q70").at(family.linear(np.array([0.3])), np.array([own]))
        exact = read_outcome(FAMILIES[name], "q70").at(family.linear(np.array([0.3])), np.array([own]))
        assert seen == pytest.approx(exact, rel=1e-9)
        assert len(calls) < 45


def test_what_is_sought_goes_over_all_responses_of_its_kind():
    t = np.array([-30.0, -1.0, 0.0, 2.0, 30.0])
    mu = FAMILIES["gaussian"].linear(np.array(0.7))
    np.testing.assert_allclose(response_at(FAMILIES["beta"], mu, t), special.expit(t), rtol=1e-12)
    np.testing.assert_allclose(response_at(FAMILIES["gamma"], mu, t), np.exp(t), rtol=1e-12)
    np.testing.assert_allclose(response_at(FAMILIES["gaussian"], mu, t), 0.7 + np.sinh(t), rtol=1e-12)


def test_counts_without_a_distribution_function_have_single_chances_alone():
    family = replace(FAMILIES["poisson"], cdf=None)
    mu = family.linear(ETA)
    np.testing.assert_allclose(read_outcome(family, 3).at(mu), stats.poisson.pmf(3, np.exp(ETA)), rtol=1e-12)
    assert not knows_quantiles(family)
    for outcome in (">3", "<=2", "q90", "median"):
        with pytest.raises(AnswerError, match=r"such as 3\. Quantiles and chances need cdf= in its record\."):
            read_outcome(family, outcome)
    with pytest.raises(AnswerError, match=r"is none of the family gamma, which has"):
        read_outcome(replace(FAMILIES["gamma"], cdf=None, quantile=None), "=3")


def test_outcomes_are_named_as_they_are_asked():
    gamma = FAMILIES["gamma"]
    labels = {
        "q50": "median {}", "q51": "51 % quantile of {}", "q2.5": "2.5 % quantile of {}",
        ">3": "chance that {} is above 3", ">=3": "chance that {} is at least 3", "<0.5": "chance that {} is below 0.5",
        "<=3": "chance that {} is at most 3", "mean<=90": "mean {} up to 90",
    }  # fmt: skip
    for asked, label in labels.items():
        functional = read_outcome(gamma, asked)
        assert (functional.name, functional.label) == ("median" if asked == "q50" else asked, label)
        assert functional.share == (asked[0] in "<>")
        assert functional.bounded == (asked == "mean<=90")
        assert functional.per_unit == (asked[0] == "q")
    assert read_outcome(FAMILIES["poisson"], 3).label == "chance that {} is 3"
    assert read_outcome(FAMILIES["poisson"], "q90").chance == 0.9
    with pytest.raises(AnswerError, match=r"means up to a horizon such as 'mean<=90'\.$"):
        read_outcome(gamma, "modus")


def test_quantiles_of_lognormal_numbers_have_posterior_means_under_priors_that_fall_fast_enough():
    """``exp(mu + z sigma)`` has one where the prior of sigma falls faster than ``exp(-z sigma)``."""
    family = FAMILIES["lognormal"]

    def has(outcome, prior, averaged=False):
        return family.has_posterior_mean(outcome, {"sigma": (read_prior("sigma", prior),)}, averaged)

    for prior, outcomes in {
        "Exponential(1.3)": {"mean": False, "q90": True, "q95": False, "q50.1": True},
        "Exponential(1.2)": {"mean": False, "q90": False, "q10": True, "median": True},
        "HalfNormal(0.7)": {"mean": True, "q99": True, "positive": True},
        "HalfNormal(0.71)": {"mean": False, "q99": True, "positive": False},
        "HalfStudentT(3, 0.1)": {"mean": False, "q90": False, "median": True},
        "HalfNormal(3, upper=9)": {"mean": True, "q90": True},
    }.items():
        assert {outcome: bool(has(outcome, prior)) for outcome in outcomes} == outcomes
    assert not has("mean", "HalfNormal(0.1)", averaged=True)
    assert not family.has_posterior_mean("mean", {}, False)
