"""Families of ordered categories against chances written down anew, by quadrature and SciPy's functions."""

import itertools
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from modeling_tools import QUICK
from scipy import special, stats

from hiermod.families.names import LINKS
from hiermod.families.ops import NUMPY
from hiermod.families.ordered import FAMILIES as ORDERED
from hiermod.families.ordered import chances
from hiermod.families.registry import read_family
from hiermod.modeling.pymc.likelihood import PYTENSOR

NAMES = [f"{own.name}({link})" for own in ORDERED for link in LINKS[own.name]]
FUNCTIONS = {  # below a point, beyond it, and the density
    "logit": (special.expit, lambda x: special.expit(-x), lambda x: special.expit(x) * special.expit(-x)),
    "probit": (special.ndtr, lambda x: special.ndtr(-x), stats.norm.pdf),
    "loglog": (stats.gumbel_r.cdf, lambda x: -np.expm1(-np.exp(-x)), stats.gumbel_r.pdf),
    "cauchit": (lambda x: np.arctan2(1.0, -x) / np.pi, lambda x: np.arctan2(1.0, x) / np.pi, stats.cauchy.pdf),
    "cloglog": (lambda x: -np.expm1(-np.exp(x)), lambda x: np.exp(-np.exp(x)), lambda x: np.exp(x - np.exp(x))),
}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def integral(density, low, high):
    """Between two points, where a difference would lose digits."""
    half = 0.5 * (high - low)
    return half * WEIGHTS @ density(low + half * (NODES + 1.0))


def exact_chances(family, eta, thresholds):
    """Chances of all categories, as brms defines them."""
    below, beyond, density = FUNCTIONS[family.link.name]
    thresholds = np.asarray(thresholds, dtype=float)
    if family.name == "cumulative":
        inner = [integral(density, low - eta, high - eta) for low, high in itertools.pairwise(thresholds)]
        return np.array([below(thresholds[0] - eta), *inner, beyond(thresholds[-1] - eta)])
    if family.name == "acat":
        return special.softmax(np.append(0.0, np.cumsum(eta - thresholds)))
    stops, goes = (below, beyond) if family.name == "sratio" else (beyond, below)
    step = thresholds - eta if family.name == "sratio" else eta - thresholds
    reached = np.append(1.0, np.cumprod(goes(step)))
    return reached * np.append(stops(step), 1.0)


def random_points(family, count, seed=5):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        size = int(rng.integers(2, 7))
        thresholds = rng.normal(0.0, 1.5, size)
        yield float(rng.normal(0.0, 1.5)), np.sort(thresholds) if family.thresholds.increasing else thresholds


@pytest.mark.parametrize("name", NAMES)
def test_log_densities_are_those_of_an_independent_text_at_a_thousand_points(name):
    family, seen = read_family(name), 0
    for eta, thresholds in random_points(family, 230):
        exact = exact_chances(family, eta, thresholds)
        for category, chance in enumerate(exact, start=1):
            found = family.observation_density((float(category),), np.array(eta), list(thresholds))
            assert float(found) == pytest.approx(np.log(chance), rel=1e-10, abs=1e-10)
            seen += 1
    assert seen >= 1000


@pytest.mark.parametrize("name", NAMES)
def test_far_out_log_chances_are_finite_and_those_of_the_tails(name):
    family, thresholds = read_family(name), [-1.0, -0.9999, 0.3, 2.0]
    for eta in (-25.0, -5.0, 4.0):
        exact = exact_chances(family, eta, thresholds)
        found = [float(family.observation_density((k,), np.array(eta), thresholds)) for k in (1.0, 2.0, 3.0, 4.0, 5.0)]
        assert np.isfinite(found).all()
        with np.errstate(divide="ignore"):
            logs = np.log(exact)
        near = logs > -600.0
        np.testing.assert_allclose(np.array(found)[near], logs[near], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "name", ["cumulative", "cumulative(probit)", "cumulative(cloglog)", "sratio", "cratio", "acat"]
)
def test_densities_are_the_same_in_pytensor(name):
    family = read_family(name)
    eta, thresholds = np.linspace(-3.0, 2.0, 40), [-1.2, 0.1, 0.4, 2.0]
    values = np.resize([1.0, 2.0, 3.0, 4.0, 5.0], 40)
    inputs = [pt.dvector(), *(pt.dscalar() for _ in thresholds)]
    density = family.log_density(PYTENSOR, (pt.constant(values),), family.linear(inputs[0]), *inputs[1:])
    gradient = pt.grad(density.sum(), inputs)
    run = pytensor.function(inputs, [density, *gradient], mode=QUICK)
    seen, *slopes = run(eta, *thresholds)
    np.testing.assert_allclose(seen, family.observation_density((values,), eta, thresholds), rtol=1e-12, atol=1e-12)
    assert all(np.isfinite(slope).all() for slope in slopes)


@pytest.mark.parametrize("name", NAMES)
def test_the_prior_of_chances_is_dirichlet_s_with_the_volume_of_the_map(name):
    """log p(thresholds) is Dirichlet's log density and the logarithm of the map's determinant, up to a constant."""
    family, size, differences = read_family(name), 2.3, []
    for seed in range(5):
        base = np.sort(np.random.default_rng(seed).normal(0.0, 1.0, 3))
        columns = []
        for step in 1e-3 * np.eye(3):
            near = exact_chances(family, 0.0, base + step) - exact_chances(family, 0.0, base - step)
            far = exact_chances(family, 0.0, base + 2 * step) - exact_chances(family, 0.0, base - 2 * step)
            columns.append((8.0 * near - far)[:3] / (12.0 * 1e-3))
        volume = np.linalg.slogdet(np.array(columns))[1]
        expected = (size - 1.0) * np.log(exact_chances(family, 0.0, base)).sum() + volume
        differences.append(float(family.thresholds.log_prior(NUMPY, family.link, size, list(base))) - expected)
    assert np.ptp(differences) < 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_thresholds_of_chances_give_these_chances(name):
    family = read_family(name)
    given = np.random.default_rng(1).dirichlet(np.ones(5), 20)
    thresholds = family.thresholds.of_chances(family.link, given)
    found = np.transpose(chances(family.log_density, family.link, np.zeros(20), list(thresholds.T)))
    np.testing.assert_allclose(found, given, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_draws_and_distribution_functions_are_those_of_the_chances(name):
    family = read_family(name).of_categories((1, 2, 3, 4))
    thresholds, eta = [-0.8, 0.3, 1.5], 0.4
    exact = exact_chances(family, eta, thresholds)
    drawn = family.draw_responses(np.full(40_000, eta), 1.0, thresholds, np.random.default_rng(3))
    counts = np.bincount(drawn.astype(int), minlength=5)[1:]
    assert (np.abs(counts / 40_000 - exact) < 5.0 * np.sqrt(exact * (1.0 - exact) / 40_000)).all()
    for category in (1, 2, 4):
        less, at_most = family.cdf((float(category),), family.linear(np.array([eta])), *thresholds)
        assert less[0] == pytest.approx(exact[: category - 1].sum(), abs=1e-12)
        assert at_most[0] == pytest.approx(exact[:category].sum(), abs=1e-12)
    assert family.mean(np.array([eta]), *thresholds)[0] == pytest.approx(exact @ [1.0, 2.0, 3.0, 4.0], abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_means_at_a_predictor_of_nothing_are_those_of_the_chances(name):
    family, thresholds = read_family(name).of_categories((1, 2, 3, 4)), [-0.8, 0.3, 1.5]
    exact = exact_chances(family, 0.0, thresholds)
    assert family.mean(np.array([0.0]), *thresholds)[0] == pytest.approx(exact @ [1.0, 2.0, 3.0, 4.0], abs=1e-12)
    alone = family.weighted((0.0, 1.0, 0.0, 0.0), family.link, *thresholds)
    assert alone.inverse(np.array([0.0]))[0] == pytest.approx(exact[1], abs=1e-12)
    named = {"cumulative": "Cumulative", "sratio": "StoppingRatio", "cratio": "ContinuationRatio"}
    assert family.latex == rf"\operatorname{{{named.get(family.name, 'AdjacentCategory')}}}(\mu_i, \tau)"


def test_scores_are_the_numbers_of_categories_where_all_are_numbers():
    family = read_family("cumulative")
    assert family.of_categories((0, 2, 5)).scores == (0.0, 2.0, 5.0)
    assert family.of_categories(("low", "mid", "high")).scores == (1.0, 2.0, 3.0)


def test_slopes_of_mean_scores_are_their_derivatives():
    family = read_family("sratio(cloglog)").of_categories((1, 2, 3, 4))
    link, eta = family.expected.link(family.link, -0.8, 0.3, 1.5), np.linspace(-2.0, 2.0, 9)
    numerical = (link.inverse(eta + 1e-6) - link.inverse(eta - 1e-6)) / 2e-6
    np.testing.assert_allclose(link.slope(eta), numerical, rtol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_families_of_known_categories_pickle(name):
    family = read_family(name).of_categories(("a", "b", "c"))
    again = pickle.loads(pickle.dumps(family))
    assert (again.categories, again.auxiliary, str(again)) == (family.categories, family.auxiliary, str(family))
