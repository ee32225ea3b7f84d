"""The largest factor's effects integrated out within the sampled density: its values, its gradient, its posterior."""

from itertools import product

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm
from hiermod.engine.adapt.mode import covariance_roots
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import read_problem
from hiermod.engine.layout.program import public_coordinates
from hiermod.marginal.integration import ByNodes, integrated_problem
from hiermod.sampling import by_integration
from hiermod.sampling.diagnostics import mean_sizes

FAMILIES = {"y": "bernoulli", "k/n": "binomial", "count": "poisson", "real": "gaussian"}


def answers(users, items, each, seed=1):
    """Rows of users who answer so many of the items, all the same ones where that is every item."""
    rng = np.random.default_rng(seed)
    item = [np.arange(items) if each == items else rng.choice(items, each, replace=False) for _ in range(users)]
    frame = pd.DataFrame({"user": np.repeat(np.arange(users), each), "item": np.concatenate(item)})
    frame["x"], frame["w"] = (frame["item"] % 2).astype(float), rng.normal(size=len(frame))
    frame["n"], frame["grade"] = rng.integers(1, 6, len(frame)), 1 + frame["item"] % 3
    eta = 0.2 + 0.4 * frame["x"] + 0.9 * rng.normal(size=users)[frame["user"]]
    eta = eta + 0.7 * rng.normal(size=items)[frame["item"]]
    rates = special.expit(eta)
    return frame.assign(
        y=rng.binomial(1, rates), k=rng.binomial(frame["n"], rates), count=rng.poisson(np.exp(0.5 * eta)),
        real=eta + rng.normal(0.0, 0.6, len(frame)),
    )  # fmt: skip


def spec_of(formula, frame, **arguments):
    return hm.model(formula, frame, FAMILIES[formula.split(" ~ ")[0]], **arguments)._defined.spec


@pytest.fixture(scope="module")
def crossed():
    return answers(40, 7, 5)


FORMULAS = (
    "y ~ x + (1 | user) + (1 | item)",
    "k/n ~ w + (1 | user) + (1 + x | item)",
    "y ~ x + (1 + w | user) + (1 | item)",
    "count ~ x + (1 | user) + (1 | item)",
    "count ~ w + (1 + x || user) + (1 | item)",
    "y ~ s(w, k=5) + mo(grade) + (1 | user)",
    "real ~ x + (1 | user) + (1 | item)",
    "real ~ x + w + (1 + w | user) + (1 + x | item)",
    "real ~ s(w, k=5) + mo(grade) + (1 | user)",
)


def programs(spec, seed, nodes=(48, 48)):
    """A program of the whole problem, and one with the last factor's effects integrated out, placed at a point."""
    whole = read_problem(spec)
    reduced, functions = integrated_problem(whole), library().functions
    program = public_coordinates(reduced, functions)
    z = np.random.default_rng(seed).normal(0.0, 0.3, reduced.dimension)
    if isinstance(own := reduced.integration, ByNodes):
        program = program.with_integration(own.with_nodes(nodes[reduced.integrated.width - 1]))
        program = program.integrated_at(*program.expand(z))
    return whole, program, z


def log_likelihood(problem, theta, hyperparameters, kind):
    """By a sum over a fine grid of standard normals, group by group; of real numbers by the covariance of rows."""
    factor, root = problem.factors[-1], covariance_roots(problem, hyperparameters)[-1]
    base = problem.matrix[:, : factor.start] @ theta + problem.offset
    grid = np.array([*product(np.linspace(-14.0, 14.0, 281), repeat=factor.width)])
    log_weight = stats.norm.logpdf(grid).sum(axis=1) + factor.width * np.log(0.1)
    total = 0.0
    for group in range(factor.groups):
        own = factor.codes == group
        design, y, size = factor.multipliers[:, own].T @ root, problem.response[own], problem.size[own]
        if kind == "gaussian":
            sigma = hyperparameters[problem.auxiliary]
            covariance = design @ design.T + np.diag(sigma**2 / size)
            total += stats.multivariate_normal.logpdf(y - base[own], cov=covariance)
            continue
        eta = base[own][:, None] + design @ grid.T
        cumulant = np.exp(eta) if kind == "poisson" else np.logaddexp(0.0, eta)
        total += special.logsumexp(y @ eta - size @ cumulant + log_weight)
    return float(total)


def rest_of_density(problem, program, z):
    """Priors of coefficients and hyperparameters, of the normals of other effects, and the volume of the map."""
    theta, hyperparameters = program.expand(z)
    first = program.problem.dimension - len(hyperparameters)
    normals = z[problem.linear : first]
    total = -0.5 * float(normals @ normals)
    total += sum(float(prior.log_density(theta[[at]])[0]) for at, prior in enumerate(problem.priors))
    for own, value, v in zip(problem.hyperparameters, hyperparameters, z[first:], strict=True):
        low, high = own.prior.support
        total += float(own.prior.log_density(np.array([value]))[0])
        if np.isfinite(low) and np.isfinite(high):
            total += -abs(v) - 2.0 * np.log1p(np.exp(-abs(v))) + np.log(high - low)
        elif np.isfinite(low):
            total += v
    return total


@pytest.mark.parametrize("formula", FORMULAS)
def test_densities_are_those_of_independent_sums(formula, crossed):
    """Up to a constant: at three points."""
    spec = spec_of(formula, crossed)
    off = []
    for seed in range(3):
        whole, program, z = programs(spec, seed)
        theta, hyperparameters = program.expand(z)
        value = program.log_density(z)[0] - rest_of_density(whole, program, z)
        off.append(value - log_likelihood(whole, theta, hyperparameters, str(spec.family)))
    assert np.ptp(off) < 1e-8


@pytest.mark.parametrize("formula", FORMULAS)
def test_gradients_are_those_of_differences(formula, crossed):
    _, program, z = programs(spec_of(formula, crossed), 5)
    steps = 1e-5 * np.eye(len(z))
    differences = [(program.log_density(z + h)[0] - program.log_density(z - h)[0]) / 2e-5 for h in steps]
    np.testing.assert_allclose(program.log_density(z)[1], differences, atol=2e-6)


def test_linear_predictors_far_out_are_integrated(crossed):
    """Where products of terms would leave the range of floats."""
    spec = spec_of("y ~ w + (1 | user) + (1 | item)", crossed.assign(w=400.0 * crossed["w"]))
    whole, program, z = programs(spec, 1, (80, 0))
    z[: whole.linear] = 0.5, 1.0
    program = program.integrated_at(*program.expand(z))
    theta, hyperparameters = program.expand(z)
    near = rest_of_density(whole, program, z) + log_likelihood(whole, theta, hyperparameters, "bernoulli")
    assert program.log_density(z)[0] == pytest.approx(near, abs=1e-6)


def figures(draws):
    """Means, standard deviations, and the Monte Carlo errors of both, of all entries."""
    mean, spread = draws.mean(("chain", "draw")), draws.std(("chain", "draw"))
    parts = (
        mean, spread, azs.mcse(draws, method="mean"),
        azs.mcse((draws - mean) ** 2, method="mean") / (2.0 * spread),
    )  # fmt: skip
    found = [np.concatenate([np.ravel(part[name]) for name in draws.data_vars]) for part in parts]
    return [each[found[1] > 1e-9] for each in found]


CASES = {
    "y ~ x + (1 | user) + (1 | item)": (answers, (1500, 20, 20)),
    "y ~ w + (1 | user) + (1 | item)": (answers, (1000, 30, 8)),
    "count ~ x + (1 | user) + (1 | item)": (answers, (1200, 12, 5)),
    "real ~ x + (1 + w | user) + (1 | item)": (answers, (1000, 25, 6)),
    "y ~ s(w, k=6) + mo(grade) + x + (1 | user)": (answers, (1000, 12, 6)),
}


@pytest.fixture(scope="module", params=CASES)
def both(request):
    """A model with the users' effects integrated out, whatever that takes, and the same with all effects sampled."""
    formula, (make, arguments) = request.param, CASES[request.param]
    frame, family = make(*arguments), FAMILIES[request.param.split(" ~ ")[0]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_integration, "GRADIENTS", 1e-9)
        integrated = hm.fit(formula, frame, family, seed=1, draws=1500, progress=False)
    sampled = hm.fit(formula, frame, family, seed=2, draws=1500, engine="compiled", progress=False)
    return integrated, sampled


@pytest.mark.slow
def test_posteriors_are_those_of_sampled_effects(both):
    integrated, sampled = both
    assert "1|user" not in integrated.posterior
    names = list(integrated.posterior.data_vars)
    assert set(sampled.posterior.data_vars) - set(names) <= {"1|user", "w|user"}
    one, other = figures(integrated.posterior), figures(sampled.posterior[names])
    for place in (0, 1):
        error = np.sqrt(one[place + 2] ** 2 + other[place + 2] ** 2)
        np.testing.assert_array_less(np.abs(one[place] - other[place]), 4.0 * error)
    assert integrated.check().converged


@pytest.mark.slow
def test_effects_on_demand_are_those_that_are_sampled(both):
    """Means and squares of the effects of sixty users, and none is off on the whole."""
    shown, parts = np.arange(0, 960, 16), []
    for fit in both:
        posterior = fit._posterior
        term = next(own for own in posterior.spec.groups if own.grouping.name == "user")
        drawn = np.concatenate(posterior.effects(term, shown), axis=2)
        parts.append(drawn.reshape(4, -1, drawn.shape[1] * drawn.shape[2]))
    middle = parts[1].mean((0, 1))
    for power in (1, 2):
        moved = [(draws - middle) ** power for draws in parts]
        means = [(own.mean((0, 1)), own.var((0, 1)) / mean_sizes(own)) for own in moved]
        scores = (means[0][0] - means[1][0]) / np.sqrt(means[0][1] + means[1][1])
        assert np.abs(scores).max() < 4.0
        assert (scores**2).mean() < 1.6
