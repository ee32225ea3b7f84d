"""Integrals over two hyperparameters, against another quadrature in other coordinates (tests/reference/pooled.py)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.interpolate import CubicSpline

import hiermod as hm
from hiermod.errors import SamplingError
from hiermod.exact.draws import LAST_BOUND, Proposal, draw
from hiermod.exact.quadrature import integrate
from hiermod.exact.targets import target_of
from hiermod.modeling.hyperpriors import read_hyperprior
from hiermod.sampling import posterior
from hiermod.sampling.diagnostics import diagnose

REFERENCE = Path(__file__).parents[1] / "reference"
EXPECTED = pd.read_csv(REFERENCE / "pooled.csv").set_index(["case", "quantity"])["value"]
RATS = pd.read_csv(REFERENCE / "rats.csv").to_numpy(dtype=float).T
FLAT, LOG_NORMAL = {}, {"rate": "Beta(2, 8)", "size": "LogNormal(3, 1)"}
CASES = {
    "scenario 1": ("beta", FLAT, [30, 50, 55, 60], [100] * 4),
    "scenario 2": ("beta", FLAT, [3, 50, 55, 60], [10, 100, 100, 100]),
    "two groups": ("beta", FLAT, [3, 4], [10, 10]),
    "all equal": ("beta", FLAT, [30] * 4, [100] * 4),
    "nearly identical": ("beta", FLAT, [300, 301, 299, 300], [1000] * 4),
    "one of 10^7": ("beta", FLAT, [5_000_000, 50, 55, 60], [10_000_000, 100, 100, 100]),
    "rates of 1e-5": ("beta", FLAT, [100, 120, 90], [1e7] * 3),
    "rats": ("beta", FLAT, *RATS),
    "1,000 single trials": ("beta", LOG_NORMAL, np.repeat([1.0, 0.0], [180, 820]), np.ones(1000)),
    "no successes": ("beta", LOG_NORMAL, [0, 0, 0], [10, 20, 5]),
    "priors of a and b": (
        "beta", {"a": "Gamma(2, 0.1)", "b": "Exponential(0.1)"}, [3, 50, 55, 60], [10, 100, 100, 100],
    ),
    "sites": ("gamma", FLAT, [3, 4, 10, 0, 22], [1.0, 2.0, 3.0, 0.5, 8.25]),
    "two sites": ("gamma", FLAT, [3, 4], [1.0, 2.0]),
    "sites under priors": (
        "gamma", {"rate": "LogNormal(0, 1)", "shape": "LogNormal(1, 1)"}, [0, 0, 4], [1.0, 2.0, 5.0],
    ),
}  # fmt: skip


def quadrature_of(pool, priors, events, exposure):
    events, exposure = (np.asarray(own, dtype=float) for own in (events, exposure))
    return integrate(target_of(read_hyperprior(pool, priors), events, exposure)), events, exposure


@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_that_of_another_quadrature(name):
    pool, priors, events, exposure = CASES[name]
    quadrature, events, exposure = quadrature_of(pool, priors, events, exposure)
    x, u, weight = quadrature.nodes()
    size, expected = u**-2.0, EXPECTED[name]
    close = {"rtol": 1e-6, "atol": 1e-9}
    if "mean" in expected:
        mean = quadrature.target.mean(x)
        np.testing.assert_allclose(weight @ mean, expected["mean"], **close)
        np.testing.assert_allclose(np.sqrt(weight @ (mean - weight @ mean) ** 2), expected["sd"], **close)
    else:
        mean = np.exp(np.minimum(x, 700.0))
        if "log_mean" in expected:
            np.testing.assert_allclose(weight @ x, expected["log_mean"], **close)
    if "spread" in expected:
        np.testing.assert_allclose(weight @ u, expected["spread"], **close)
    rates = [own for own in expected.index if own.startswith("rate[")]
    for group, own in enumerate(rates):
        if pool == "beta":
            rate = (mean * size + events[group]) / (size + exposure[group])
        else:
            rate = (size + events[group]) / (size / mean + exposure[group])
        np.testing.assert_allclose(weight @ rate, expected[own], **close)
    np.testing.assert_allclose(quadrature.below(1e-3), expected["above_million"], rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(quadrature.log_normalizer + constants(pool, priors), expected["log_integral"], rtol=1e-9)
    assert quadrature.error < 1e-6


def constants(pool, priors):
    """What the densities of priors leave out."""
    if not priors:
        return 0.0
    if pool == "gamma":
        return -np.log(2 * np.pi)
    if "a" in priors:
        return 3 * np.log(0.1)
    return np.log(72) - np.log(2 * np.pi) / 2


def cdf_of_location(quadrature, x):
    """The marginal CDF: of each spread that of a spline through the density by z, added up by the spreads' weights."""
    slices, total = quadrature.slices, np.zeros(len(x))
    _, _, weights = quadrature.nodes()
    first = 0
    for place, points in enumerate(slices.points):
        part = slice(first, first + points)
        first += points
        mass = weights[part].sum()
        if mass < 1e-12:
            continue
        z, values = slices.z[part], np.exp(slices.log_values[part] - slices.log_values[part].max())
        integral = CubicSpline(z, values).antiderivative()
        at = np.clip(np.arcsinh((x - slices.mode[place]) / slices.width[place]), z[0], z[-1])
        total += mass * integral(at) / integral(z[-1])
    return total


@pytest.mark.parametrize("name", ["scenario 2", "rats", "one of 10^7", "sites", "two sites", "priors of a and b"])
def test_draws_are_independent_ones_of_the_density(name):
    quadrature, *_ = quadrature_of(*CASES[name])
    x, u = draw(quadrature, 20_000, np.random.default_rng(5))
    nodes_x, nodes_u, weight = quadrature.nodes()
    grid = np.quantile(x, np.linspace(0.0, 1.0, 2001))
    ranks = np.interp(x, grid, cdf_of_location(quadrature, grid))
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4
    shares = np.array([quadrature.below(own) for own in u[:2000]])
    assert stats.kstest(shares, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.03
    # given u the location is right as well: E x|u over the upper and lower half
    for half in (u < np.median(u), u >= np.median(u)):
        inside = (nodes_u < np.median(u)) == (u[half][0] < np.median(u))
        expected = np.average(nodes_x[inside], weights=weight[inside])
        assert abs(x[half].mean() - expected) < 5 * x[half].std() / np.sqrt(half.sum()) + 0.01 * x.std()


@pytest.mark.parametrize("name", CASES)
def test_the_proposal_is_near_the_density(name):
    quadrature, *_ = quadrature_of(*CASES[name])
    with np.errstate(all="ignore"):
        _, _, ratio = Proposal(quadrature).draw(20_000, np.random.default_rng(1))
    assert ratio.max() < LAST_BOUND
    assert abs(ratio.mean() - 1.0) < 0.01


def test_the_same_random_numbers_give_the_same_draws():
    quadrature, *_ = quadrature_of(*CASES["rats"])
    one, other = (draw(quadrature, 100, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_the_cdf_of_the_spread_rises_from_0_to_1():
    quadrature, *_ = quadrature_of(*CASES["scenario 1"])
    shares = [quadrature.below(own) for own in (0.0, 1e-3, 0.1, 0.3, 1.0, 1e6)]
    assert np.all(np.diff(shares) > 0)
    assert shares[0] < 1e-15
    np.testing.assert_allclose(shares[-1], 1.0, rtol=1e-9)


def test_a_density_that_is_not_finite_is_refused():
    class Nowhere:
        start = 0.0

        def log_density(self, x, u):
            return np.full(np.broadcast(x, u).shape, np.nan)

        size_of_terms = log_density

    with pytest.raises(SamplingError, match="not finite"):
        integrate(Nowhere())


@pytest.mark.parametrize("groups", [2_000, 100_000])
def test_narrow_posteriors_are_found_at_once(groups):
    """Of many groups the hyperparameters are those that drew the rates, to a few standard deviations."""
    rng = np.random.default_rng(2)
    trials = rng.integers(50, 100_000, groups).astype(float)
    successes = rng.binomial(trials.astype(int), rng.beta(2.0, 8.0, groups)).astype(float)
    quadrature = integrate(target_of(read_hyperprior("beta", FLAT), successes, trials))
    x, u, weight = quadrature.nodes()
    assert len(quadrature.low) < 40
    assert quadrature.error < 1e-4
    for values, truth in ((quadrature.target.mean(x), 0.2), (u, 10**-0.5)):
        mean = weight @ values
        sd = np.sqrt(weight @ (values - mean) ** 2)
        assert abs(mean - truth) < 4 * sd
        assert sd < 3 / np.sqrt(groups)


def test_figures_of_independent_draws_are_made_when_asked(monkeypatch):
    made = []
    monkeypatch.setattr(posterior, "diagnose", lambda tree: made.append(tree) or diagnose(tree))
    fit = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", seed=1)
    fit.rates("variant")
    assert not made
    assert fit.check().passed
    fit.check()
    assert len(made) == 1
