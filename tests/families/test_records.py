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
from hiermod.engine.kernels.record import KERNELS, ROW_KERNELS
from hiermod.families.links import link_of
from hiermod.families.names import LINKS as LINKS_OF
from hiermod.families.ops import NUMPY
from hiermod.families.probes import from_line
from hiermod.families.record import ResponseScale
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


SINGLE = [name for name in LINKS_OF if RECORDS[name].statistic != "categories"]  # categories stand in test_ordered.py


@pytest.fixture(params=[f"{name}({link})" for name in SINGLE for link in LINKS_OF[name]])
def family(request):
    return read_family(request.param)


@pytest.fixture(
    params=[
        f"{name}({link})"
        for name in SINGLE
        for link in LINKS_OF[name]
        if not RECORDS[name].zeros and "zoi" not in RECORDS[name].auxiliary
    ]
)
def case(request):
    """Random linear predictors, parameters and a response, with SciPy's distributions; mixtures stand elsewhere."""
    family = read_family(request.param)
    rng = np.random.default_rng(7)
    eta = from_line(family.link, rng.uniform(-2.0, 1.2, 60))
    parameters = [rng.uniform(*SIZES.get(family.name, (2.5, 6.0)), 60) for _ in family.parameters]
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
    assert family.kernel is None or f"{family.kernel}_{family.link.name}" in {**KERNELS, **ROW_KERNELS}
    for parameter in family.parameters:
        assert parameter.name
        assert parameter.words
        assert parameter.scale
        assert parameter.usual_prior(SCALE).ends[0] >= 0.0


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
