"""Every family's record: filled, picklable, and right against SciPy, in NumPy and in PyTensor alike."""

import ast
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from modeling_tools import QUICK
from scipy import special, stats

import hiermod
from hiermod.data.cells.observations import KINDS
from hiermod.engine.kernels.record import KERNELS, ROW_KERNELS
from hiermod.errors import ModelError
from hiermod.families.links import link_of
from hiermod.families.names import LINKS as LINKS_OF
from hiermod.families.ops import NUMPY
from hiermod.families.probes import from_line
from hiermod.families.record import Parameter, ResponseScale
from hiermod.families.registry import FAMILIES, RECORDS, read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

ROOT = Path(hiermod.__file__).parent
SCALE = ResponseScale(1.0, 2.0, 2.5)
DRAWS = 40_000
SIZES = {"lognormal": (0.2, 0.7), "shifted_lognormal": (0.2, 0.7)}  # of parameters, with which draws tell the variance


def scipys(name, mean, parameters, trials):
    """SciPy's distribution of one response."""
    match name, parameters:
        case (("bernoulli" | "binomial"), ()):
            return stats.binom(trials, mean)
        case "beta_binomial", (kappa,):
            return stats.betabinom(trials, mean * kappa, (1.0 - mean) * kappa)
        case "poisson", ():
            return stats.poisson(mean)
        case "negbinomial", (alpha,):
            return stats.nbinom(alpha, alpha / (alpha + mean))
        case "geometric", ():
            return stats.nbinom(1, 1.0 / (1.0 + mean))
        case "nbinom1", (phi,):
            return stats.nbinom(mean / phi, 1.0 / (1.0 + phi))
        case "beta", (phi,):
            return stats.beta(mean * phi, (1.0 - mean) * phi)
        case "gaussian", (sigma,):
            return stats.norm(mean, sigma)
        case "student", (sigma, nu):
            return stats.t(nu, mean, sigma)
        case "gamma", (alpha,):
            return stats.gamma(alpha, scale=mean / alpha)
        case "lognormal", (sigma,):
            return stats.lognorm(sigma, scale=mean / np.exp(sigma**2 / 2.0))
        case "weibull", (shape,):
            return stats.weibull_min(shape, scale=mean / special.gamma(1.0 + 1.0 / shape))
        case "exponential", ():
            return stats.expon(scale=mean)
        case "shifted_lognormal", (sigma, ndt):
            return stats.lognorm(sigma, loc=ndt, scale=(mean - ndt) / np.exp(sigma**2 / 2.0))
        case "exgaussian", (sigma, beta):
            return stats.exponnorm(beta / sigma, loc=mean - beta, scale=sigma)
        case "inverse_gaussian", (shape,):
            return stats.invgauss(mean / shape, scale=shape)
        case "skew_normal", (sigma, alpha):
            delta = alpha / np.sqrt(1.0 + alpha**2)
            omega = sigma / np.sqrt(1.0 - 2.0 / np.pi * delta**2)
            return stats.skewnorm(alpha, mean - omega * delta * np.sqrt(2.0 / np.pi), omega)
        case "laplace", (sigma,):
            return stats.laplace(mean, sigma)
        case "asym_laplace", (sigma, quantile):
            kappa, beyond = np.sqrt(quantile / (1.0 - quantile)), 1.0 / quantile - 1.0 / (1.0 - quantile)
            return stats.laplace_asymmetric(kappa, mean - sigma * beyond, kappa * sigma / quantile)


# These and truncated ones stand in test_further_families.py.
WITHOUT_SCIPY = (
    "genpois",
    "von_mises",
    "frechet",
    "gen_extreme_value",
)
SINGLE = [name for name in LINKS_OF if RECORDS[name].statistic != "categories"]  # categories stand in test_ordered.py


@pytest.fixture(params=[f"{name}({link})" for name in SINGLE for link in LINKS_OF[name]])
def family(request):
    return read_family(request.param)


@pytest.fixture(
    params=[
        f"{name}({link})"
        for name in SINGLE
        for link in LINKS_OF[name]
        if not RECORDS[name].zeros
        and "zoi" not in RECORDS[name].auxiliary
        and name not in WITHOUT_SCIPY
        and not name.startswith("truncated_")
    ]
)
def case(request):
    """Random linear predictors, parameters and a response, with SciPy's distributions; mixtures stand elsewhere."""
    family = read_family(request.param)
    rng = np.random.default_rng(7)
    eta = from_line(family.link, rng.uniform(-2.0, 1.2, 60))
    sizes = [(0.2, 0.8) if own.support == "unit" else SIZES.get(family.name, (2.5, 6.0)) for own in family.parameters]
    parameters = [rng.uniform(*size, 60) for size in sizes]
    trials = (1 if family.name == "bernoulli" else 9) if family.is_rate else 1
    exact = scipys(family.name, family.mean(eta, *parameters), parameters, trials)
    value = float(np.asarray(exact.rvs(random_state=rng))[0])
    return family, ((value, float(trials)) if family.is_rate else (value,)), eta, parameters, exact


def test_every_field_is_filled(family):
    empty = {field.name for field in fields(family) if getattr(family, field.name) in (None, "")}
    assert empty <= {
        "kernel",
        "bambi",
        "words",
        "location",
        "median_link",
        "information_power",
        "correlation",
        "rated",
        "log_tails",
        "limited_mean",
        "variance",
        "base",
        "errors",
        "interval",
        "outcomes",
        "per_category",
        "quantile",
        "thresholds",
        "weighted",
        "zeros",
    }
    assert family.counts or not family.rated
    usual = link_of(family.links[0], family.kind).name
    assert family.kernel is None or f"{family.kernel}_{usual}" in {**KERNELS, **ROW_KERNELS}
    for parameter in family.parameters:
        assert parameter.name
        assert parameter.words
        assert parameter.scale
        assert parameter.support == "real" or parameter.usual_prior(SCALE).ends[0] >= 0.0


SCALES = {"response", "log of the response", "shape", "precision", "share", "share of the mean", "degrees of freedom",
          "slant", "chance", "concentration"}  # fmt: skip


def test_what_a_record_says_of_its_data_and_parameters_is_known_elsewhere(family):
    assert family.statistic in KINDS.values()
    assert family.rated in ("", "mean", *family.auxiliary, "shape")
    assert set(family.explosive) <= set(family.auxiliary)
    assert {own.scale for own in family.parameters} <= SCALES
    for opened, closed in ("()", "{}"):
        assert family.latex.count(opened) == family.latex.count(closed) > 0
    assert r"\mu_i" in family.latex
    for own in family.auxiliary:  # Greek letters, and names as they stand
        assert {"quantile": "q"}.get(own, own) in family.latex


def test_parameters_on_the_scale_of_the_response_grow_with_its_unit(family):
    """In a unit half as large all numbers are twice as large, and the density half of it."""
    if family.kind not in ("real", "positive") or family.link.name not in ("identity", "log") or family.zeros:
        return
    logs = family.kind == "positive" or family.link.name == "log"
    grown = [2.0 if own.scale == "response" else 1.0 for own in family.parameters]
    own = [0.4 if each.support == "unit" else 1.3 for each in family.parameters]
    twice = [parameter * factor for parameter, factor in zip(own, grown, strict=True)]
    value, eta = np.array([1.4, 1.9, 4.0]), np.array([0.2, 0.6, -0.3])
    moved = eta + np.log(2.0) if logs else 2.0 * eta
    small, large = (family.observation_density((y,), line, numbers) for y, line, numbers in (
        (value, eta, own), (2.0 * value, moved, twice),
    ))  # fmt: skip
    np.testing.assert_allclose(large, small - np.log(2.0), rtol=1e-12, atol=1e-12)


RESIDUAL, DISPERSION, SHARE = "Exponential(0.25)", "InverseGamma(0.4, 0.3)", "Beta(1, 1)"
DEFAULTS = {  # of the site's page of priors, and brms's
    "sigma": RESIDUAL, "alpha": DISPERSION, "kappa": DISPERSION, "zi": SHARE, "hu": SHARE, "zoi": SHARE, "coi": SHARE,
    "quantile": SHARE, "ndt": "Uniform(0, 0.6)", "nu": "Gamma(2, 0.1)", "xi": "Normal(0, 0.3)", "beta": RESIDUAL,
    "phi": "HalfStudentT(3, 2.5)", "beta.phi": DISPERSION, "zero_one_inflated_beta.phi": DISPERSION,
    "zero_inflated_beta.phi": DISPERSION, "weibull.shape": "LogNormal(0, 1)", "skew_normal.alpha": "Normal(0, 4)",
    "inverse_gaussian.shape": f"InverseGamma(0.4, {0.3 * np.e:.4g})", "frechet.nu": "Gamma(2, 0.1, lower=1)",
    "von_mises.kappa": "Gamma(2, 0.1)",
}  # fmt: skip
ENDLESS = {"negbinomial": "alpha", "beta_binomial": "kappa", "student": "nu", "von_mises": "kappa"}


def test_default_priors_are_those_of_the_page_of_priors(family):
    """The residual's has the response's standard deviation as its mean, on the link's scale where that is its own."""
    scale = ResponseScale(1.0, 2.0, 2.5, smallest=0.6, spread=4.0)
    for own in family.parameters:
        expected = DEFAULTS.get(f"{family.name}.{own.name}") or DEFAULTS[own.name]
        assert own.usual_prior(scale).describe() == expected
        assert own.below_response == (own.name == "ndt")
        if expected == RESIDUAL:
            assert own.usual_prior(SCALE).describe() == "Exponential(0.5)"
        median = float(own.usual_prior(scale).quantile(np.array(0.5)))
        assert own.typical(scale) == pytest.approx(2.0 if own.estimate is not None else median)
        base = family.name.removeprefix("zero_inflated_").removeprefix("hurdle_").removeprefix("truncated_")
        assert own.unbounded == (ENDLESS.get(base) == own.name)


def test_densities_are_scipy_s(case):
    family, response, eta, parameters, exact = case
    expected = exact.logpdf(response[0]) if hasattr(exact.dist, "pdf") else exact.logpmf(response[0])
    np.testing.assert_allclose(family.observation_density(response, eta, parameters), expected, rtol=1e-10, atol=1e-12)


def test_densities_are_the_same_in_pytensor(case):
    family, response, eta, parameters, _ = case
    variables = [pt.dvector() for _ in (eta, *parameters)]
    observed = [PYTENSOR.const(number) for number in response]
    density = family.log_density(PYTENSOR, observed, family.linear(variables[0]), *variables[1:])
    seen = pytensor.function(variables, density, mode=QUICK)(eta, *parameters)
    np.testing.assert_allclose(seen, family.observation_density(response, eta, parameters), rtol=1e-12, atol=1e-13)


def test_densities_of_arrays_are_those_of_each_response(case):
    family, response, eta, parameters, _ = case
    arrays = [np.full(len(eta), number) for number in response]
    np.testing.assert_array_equal(
        family.log_density(NUMPY, arrays, family.linear(eta), *parameters),
        family.observation_density(response, eta, parameters),
    )


def test_distribution_functions_are_scipy_s(case):
    family, response, eta, parameters, exact = case
    below, up_to = family.cdf(response, family.linear(eta), *parameters)
    np.testing.assert_allclose(up_to, exact.cdf(response[0]), rtol=1e-9, atol=1e-12)
    step = 1.0 if family.counts or family.is_rate else 0.0
    np.testing.assert_allclose(below, exact.cdf(response[0] - step), rtol=1e-9, atol=1e-12)


def test_means_and_variances_are_scipy_s(case):
    family, response, eta, parameters, exact = case
    mean, trials = family.mean(eta, *parameters), response[1] if family.is_rate else 1.0
    np.testing.assert_allclose(trials * mean, exact.mean(), rtol=1e-9)
    variance = family.response_variance(mean, np.asarray(trials), parameters, np.random.default_rng(1))
    np.testing.assert_allclose(trials**2 * variance, exact.var(), rtol=1e-9)


def test_information_grows_with_a_power_of_the_first_parameter(family):
    """That on the linear predictor, from its score at many draws; a rate's does not hang on one."""
    if family.is_rate or not family.parameters:
        assert family.information_power == 0.0
        return
    if family.kind == "count" or family.information_power == 0.0:
        return
    information, rest = [], [0.4 if own.support == "unit" else 8.0 for own in family.parameters[1:]]
    for first in (3.0, 6.0):
        mean = np.full(DRAWS, family.mean(0.4, first, *rest))
        drawn = family.draw_responses(mean, 1, [first, *rest], np.random.default_rng(3))
        up, down = (family.observation_density((drawn,), 0.4 + step, [first, *rest]) for step in (1e-5, -1e-5))
        information.append((((up - down) / 2e-5) ** 2).mean())
    assert information[1] / information[0] == pytest.approx(2.0**family.information_power, rel=0.05)


@pytest.mark.parametrize("name", ["poisson", "geometric", "negbinomial", "nbinom1"])
def test_counts_of_means_without_end_are_infinite(name):
    own = [1e-3] * len(FAMILIES[name].parameters)
    endless = FAMILIES[name].draw_responses(np.full(50, np.inf), 1, own, np.random.default_rng(0))
    assert np.isinf(endless).all()
    assert not np.isnan(FAMILIES[name].draw_responses(np.full(50, 1.7e308), 1, own, np.random.default_rng(0))).any()


def test_draws_have_the_mean_and_variance(case):
    family, response, eta, parameters, exact = case
    mean, trials = family.mean(eta, *parameters)[:3], response[1] if family.is_rate else 1.0
    own = [values[:3] for values in parameters]
    drawn = family.draw_responses(mean, trials, own, np.random.default_rng(1), (DRAWS, 3))
    error = np.sqrt(exact.var()[:3] / DRAWS)
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - trials * mean), 5.0 * error)
    if family.name != "student":  # whose fourth moment may be without end
        np.testing.assert_allclose(drawn.var(axis=0), exact.var()[:3], rtol=0.15)


def test_the_logarithms_of_rates_are_the_link_s():
    for link in (link_of(name, "rate") for name in LINKS_OF["binomial"]):
        eta = from_line(link, np.linspace(-4.0, 1.0, 11))
        success, failure = link.log_rates(NUMPY, eta)
        np.testing.assert_allclose(np.exp(success), link.inverse(eta), rtol=1e-12)
        np.testing.assert_allclose(np.exp(success) + np.exp(failure), 1.0, rtol=1e-12)


def test_families_pickle_by_their_names(family):
    again = pickle.loads(pickle.dumps(family))
    assert again == family
    assert str(again) == str(family)
    assert len(pickle.dumps(family)) < 200


def test_bambi_knows_the_names(family):
    if family.bambi is not None:
        from bambi.defaults import get_builtin_family

        assert get_builtin_family(family.bambi).name == family.bambi


def test_names_and_records_are_the_same():
    assert list(FAMILIES) == list(LINKS_OF)
    assert set(RECORDS) == set(LINKS_OF)
    for name, record in RECORDS.items():
        assert (record.name, record.links, record.link.name) == (name, LINKS_OF[name], LINKS_OF[name][0])


def test_no_other_room_asks_for_a_family_by_its_name():
    """What a family is for is a field of its record."""
    asking = []
    for path in ROOT.rglob("*.py"):
        if path.parent.name != "families":
            for node in ast.walk(ast.parse(path.read_text())):
                subject = node.left if isinstance(node, ast.Compare) else getattr(node, "subject", None)
                if subject is not None and ast.unparse(subject).endswith("family.name"):
                    asking.append(f"{path}:{node.lineno}")
    assert asking == []


def test_the_site_s_table_is_made_of_the_records():
    rows = []
    for family in FAMILIES.values():
        own = "; ".join(f"`{parameter.name}`: {parameter.words}" for parameter in family.parameters)
        rows.append(
            f"| `{family.name}` | {family.response} | {', '.join(family.links)} | {own} |".replace("|  |", "| |")
        )
    assert "\n".join(rows) in (ROOT.parent / "notebooks/site/use_families.md").read_text(encoding="utf-8")


def test_a_parameter_says_nothing_that_it_was_not_told():
    own = Parameter("phi")
    assert (own.words, own.scale, own.variable, own.link, own.support) == ("", "", "", "", "positive")
    assert (own.unbounded, own.below_response, own.anchored, own.estimate) == (False, False, False, None)
    assert own.usual_prior(SCALE).describe() == "InverseGamma(0.4, 0.3)"
    assert (ResponseScale(1.0, 2.0, 2.5).smallest, ResponseScale(1.0, 2.0, 2.5).spread) == (1.0, 0.0)


def test_links_of_parameters_are_those_of_their_support():
    links = {"positive": ("log",), "unit": ("logit", "probit", "cloglog"), "real": ("identity",)}
    priors = {"positive": "InverseGamma(0.4, 0.3)", "unit": "Beta(1, 1)", "real": "StudentT(3, 0, 1)"}
    for support, own in links.items():
        assert Parameter("a", support=support).links == own
        assert Parameter("a", support=support).chosen_link == own[0]
        assert Parameter("a", support=support, links=own[-1:]).chosen_link == own[-1]
        assert Parameter("a", support=support, link=own[-1]).chosen_link == own[-1]
        assert Parameter("a", support=support).usual_prior(SCALE).describe() == priors[support]
        other = next(link for name, others in links.items() for link in others if name != support)
        with pytest.raises(ModelError, match=rf"'a': a parameter of support '{support}' has no link '{other}'"):
            Parameter("a", support=support, links=(other,))
    assert Parameter("a", below_response=True).links == ()
    with pytest.raises(ModelError, match=r"'a': support='postive'.*Did you mean 'positive'"):
        Parameter("a", support="postive")


def test_densities_are_compared_with_those_of_the_same_measure_alone(family):
    kinds = {"rate": "probabilities of successes", "count": "probabilities of counts"}
    zeros = "densities of numbers above 0, and the probability of 0"
    assert family.measure == kinds.get(family.kind, zeros if family.zeros else "densities of numbers")
    for name in ("cumulative", "acat", "categorical"):
        assert read_family(name).measure == "probabilities of categories"


def test_thresholds_are_the_intercepts_of_the_posterior():
    family = read_family("cumulative").of_categories((1, 2, 3))
    assert [entry.variable for entry in family.entries] == ["Intercept", "Intercept"]
    assert family.auxiliary == ("Intercept[1]", "Intercept[2]")
