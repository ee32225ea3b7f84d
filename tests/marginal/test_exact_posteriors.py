"""Posteriors of hyperparameters against quadrature in two to four dimensions, by NumPy and SciPy alone.

Of code for itself: priors, likelihoods, the integrals over each group's effects (trapezoidal sums, which converge
geometrically for smooth densities on the whole line), coordinates, mode and grid.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import expit, logsumexp

import hiermod as hm
from hiermod.engine.layout.problem import read_problem
from hiermod.marginal.gaussian import gaussian_likelihood
from hiermod.marginal.patterns import find_patterns
from hiermod.marginal.placement import first_place, place_gaussian
from hiermod.marginal.quadrature import pattern_likelihood
from hiermod.marginal.target import Target

GROUPS, ROWS = 250, 4  # of each arm
PRIORS = {
    "Intercept": "Normal(0.2, 1.3)", "x": "Normal(0, 0.9)", "sd": "Gamma(3, 3)", "cor": "LKJ(2)",
    "sigma": "Exponential(0.7)",
}  # fmt: skip
ARMS = np.array([-0.5, 0.5])  # so that the design is centred as it is
STEP, FAR = {2: 0.4, 3: 0.65, 4: 0.75}, 8.5  # of grids by dimensions, in standard deviations
CUMULANTS = {"bernoulli": lambda eta: np.logaddexp(0.0, eta), "poisson": np.exp}
SLOPES = {"bernoulli": (expit, lambda eta: expit(eta) * expit(-eta)), "poisson": (np.exp, np.exp)}


def data(family):
    rng = np.random.default_rng(12)
    g, x = np.repeat(np.arange(GROUPS), 2 * ROWS), np.tile(ARMS, GROUPS * ROWS)
    level, size = (-0.8, 0.7) if family == "poisson" else (-0.2, 1.2)
    effects = size * rng.normal(size=(GROUPS, 2)) @ np.array([[1.0, 0.3], [0.0, 1.2]])
    eta = level + 0.4 * x + effects[g, 0] + effects[g, 1] * x
    y = {
        "bernoulli": lambda: rng.binomial(1, expit(eta)), "poisson": lambda: rng.poisson(np.exp(eta)),
        "gaussian": lambda: eta + rng.normal(size=len(g)),
    }[family]()  # fmt: skip
    return pd.DataFrame({"y": y, "x": x, "g": g})


@dataclass
class Model:
    """A model: its coefficients, how many effects a group has (1, or x as well), and whether two are correlated."""

    frame: pd.DataFrame
    family: str
    common: tuple[str, ...]
    width: int
    correlated: bool

    def parameters(self, points):
        """Own coordinates are coefficients, logarithms of standard deviations, atanh of the correlation, log(sigma)."""
        first, last = len(self.common), len(self.common) + self.width
        values = points.copy()
        values[:, first:last] = np.exp(points[:, first:last])
        if self.correlated:
            values[:, last] = np.tanh(points[:, last])
        if self.family == "gaussian":
            values[:, -1] = np.exp(points[:, -1])
        return values

    def log_volume(self, values):
        first, last = len(self.common), len(self.common) + self.width
        total = np.log(values[:, first:last]).sum(axis=1)
        total += np.log1p(-(values[:, last] ** 2)) if self.correlated else 0.0
        return total + (np.log(values[:, -1]) if self.family == "gaussian" else 0.0)

    @property
    def dimension(self):
        return len(self.common) + self.width + self.correlated + (self.family == "gaussian")

    def split(self, values):
        """Coefficients of 1 and x, factors of the effects' covariance, and log priors."""
        at, last = len(self.common), len(self.common) + self.width
        coefficients = {name: values[:, place] for place, name in enumerate(self.common)}
        none = np.zeros(len(values))
        locations = {"Intercept": stats.norm(0.2, 1.3), "x": stats.norm(0.0, 0.9)}
        prior = sum((locations[name].logpdf(own) for name, own in coefficients.items()), none)
        sds = values[:, at:last]
        prior = prior + stats.gamma(3.0, scale=1.0 / 3.0).logpdf(sds).sum(axis=1)
        r = values[:, last] if self.correlated else none
        prior = prior + (np.log1p(-(r**2)) if self.correlated else 0.0)  # LKJ(2)
        if self.family == "gaussian":
            prior = prior + stats.expon(scale=1.0 / 0.7).logpdf(values[:, -1])
        root = np.zeros((len(values), 2, 2))
        root[:, 0, 0] = sds[:, 0]
        if self.width == 2:
            root[:, 1, 0], root[:, 1, 1] = sds[:, 1] * r, sds[:, 1] * np.sqrt(1.0 - r**2)
        return coefficients.get("Intercept", none), coefficients.get("x", none), root, prior

    def log_posterior(self, values):
        """Of parameters, without the volume of any map."""
        intercept, slope, root, prior = self.split(values)
        arms = intercept[:, None] + slope[:, None] * ARMS
        if self.family == "gaussian":
            return prior + self._gaussian(arms, root, values[:, -1])
        parts = np.array_split(np.arange(len(arms)), len(arms) // 10 + 1)
        return prior + np.concatenate([self._integrated(arms[own], root[own]) for own in parts])

    def _gaussian(self, arms, root, sigma):
        """Multivariate normal groups, by the sums of squares and products of rows about their means."""
        y, x = self.frame["y"].to_numpy().reshape(GROUPS, -1), np.tile(ARMS, ROWS)
        design = np.stack([np.ones(len(x)), x])
        covariance = (
            np.einsum("ki,bkm,bnm,nj->bij", design, root, root, design) + np.eye(len(x)) * (sigma**2)[:, None, None]
        )
        mean = np.tile(arms, ROWS)
        crossed = np.einsum("bi,j->bij", mean, y.sum(axis=0))
        squares = y.T @ y - crossed - crossed.swapaxes(1, 2) + GROUPS * mean[:, :, None] * mean[:, None, :]
        explained = np.trace(np.linalg.solve(covariance, squares), axis1=1, axis2=2)
        return -0.5 * (GROUPS * np.linalg.slogdet(covariance)[1] + explained)

    def _integrated(self, arms, root):
        """The log likelihood at points, groups with the same sums in both arms counted as one.

        Sums over a lattice about the mode of each, as wide as the normal distribution that fits there.
        """
        sums, counts = self._sums
        width, (rate, slope) = self.width, SLOPES[self.family]
        along = np.einsum("ak,bki->bai", np.column_stack([np.ones(2), ARMS]), root)[:, None, :, :width]
        o = np.zeros((len(arms), len(sums), width))
        for _ in range(30):
            eta = arms[:, None] + (along @ o[..., None])[..., 0]
            gradient = ((sums - ROWS * rate(eta))[..., None] * along).sum(axis=2) - o
            precision = np.eye(width) + ROWS * np.einsum("bpa,bqai,bqaj->bpij", slope(eta), along, along)
            o += np.clip(np.linalg.solve(precision, gradient[..., None])[..., 0], -1.0, 1.0)
        spread = np.linalg.inv(np.linalg.cholesky(precision)).swapaxes(2, 3)
        line = 0.5 * np.arange(-21, 22)
        z = np.stack(np.meshgrid(*[line] * width, indexing="ij")).reshape(width, -1)
        nodes = o[..., None] + spread @ z
        eta = arms[:, None, :, None] + along @ nodes
        log = (sums[:, :, None] * eta - ROWS * CUMULANTS[self.family](eta)).sum(axis=2) - 0.5 * (nodes**2).sum(axis=2)
        volume = np.log(np.abs(np.diagonal(spread, axis1=2, axis2=3))).sum(axis=2)
        return (logsumexp(log, axis=2) + volume) @ counts

    @property
    def _sums(self):
        table = self.frame.pivot_table(index="g", columns="x", values="y", aggfunc="sum").to_numpy()
        return np.unique(table, axis=0, return_counts=True)

    def moments(self):
        """Means and standard deviations of the parameters, on a grid about the mode."""

        def density(points):
            values = self.parameters(points)
            return self.log_posterior(values) + self.log_volume(values)

        found = optimize.minimize(lambda point: -density(point[None])[0], np.zeros(self.dimension), method="BFGS")
        curvature = optimize.approx_fprime(
            found.x, lambda x: optimize.approx_fprime(x, lambda point: density(point[None])[0], 1e-3), 1e-3
        )
        return moments(density, self.parameters, found.x, np.linalg.cholesky(np.linalg.inv(-curvature)))


def moments(density, parameters, mode, spread):
    """By the trapezoidal rule in whitened coordinates, leaving out where hardly any of it is."""
    size = len(mode)
    line = STEP[size] * np.arange(-int(FAR / STEP[size]), int(FAR / STEP[size]) + 1)
    z = np.stack(np.meshgrid(*[line] * size, indexing="ij")).reshape(size, -1).T
    z = z[np.linalg.norm(z, axis=1) < FAR]
    points = mode + z @ spread.T
    logs = np.concatenate([density(some) for some in np.array_split(points, len(points) // 5000 + 1)])
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    values = parameters(points)
    mean = chance @ values
    return mean, np.sqrt(chance @ (values - mean) ** 2)


def placed(model, formula):
    """The engine's density, nodes chosen and placed as for a fit, its mode, and its map to parameters."""
    names = [*model.common, "sd", *["cor"] * model.correlated, *["sigma"] * (model.family == "gaussian")]
    priors = {name: PRIORS[name] for name in names}
    problem = read_problem(hm.model(formula, model.frame, model.family, priors=priors)._defined.spec)
    if model.family == "gaussian":
        found = place_gaussian(Target(problem, gaussian_likelihood(problem)))
    else:
        found = first_place(Target(problem, pattern_likelihood(problem, find_patterns(problem))))

    def parameters(points):
        beta, values, _ = found.target.parameters(points)
        values = values.copy()
        if model.correlated:
            values[:, model.width] = 2.0 * values[:, model.width] - 1.0
        return np.concatenate([beta @ problem.back.T if beta.shape[1] else beta, values], axis=1)

    return found, parameters


CASES = [
    ("bernoulli", "y ~ 1 + (1 | g)", ("Intercept",), 1, False),
    ("poisson", "y ~ 1 + (1 | g)", ("Intercept",), 1, False),
    ("gaussian", "y ~ 1 + (1 | g)", ("Intercept",), 1, False),
    ("gaussian", "y ~ 0 + (1 + x || g)", (), 2, False),
]
DEAR = [
    ("bernoulli", "y ~ x + (1 | g)", ("Intercept", "x"), 1, False),
    ("poisson", "y ~ x + (1 | g)", ("Intercept", "x"), 1, False),
    ("gaussian", "y ~ x + (1 | g)", ("Intercept", "x"), 1, False),
    ("bernoulli", "y ~ 0 + (1 + x || g)", (), 2, False),
    ("poisson", "y ~ 0 + (1 + x || g)", (), 2, False),
    ("bernoulli", "y ~ 0 + (1 + x | g)", (), 2, True),
    ("poisson", "y ~ 0 + (1 + x | g)", (), 2, True),
    ("gaussian", "y ~ 0 + (1 + x | g)", (), 2, True),
]


@pytest.mark.parametrize(
    ("family", "formula", "common", "width", "correlated"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in DEAR)],
)
def test_posteriors_of_hyperparameters(family, formula, common, width, correlated):
    model = Model(data(family), family, common, width, correlated)
    found, parameters = placed(model, formula)
    target, mode = found.target, found.mode
    near = mode.point + np.random.default_rng(0).normal(size=(40, model.dimension)) @ mode.spread.T
    sharp = target if family == "gaussian" else target.with_nodes(64 if width == 1 else 48)
    difference = sharp.log_density(near) - target.parameters(near)[2] - model.log_posterior(parameters(near))
    np.testing.assert_allclose(difference, difference.mean(), rtol=0, atol=1e-8)
    own = moments(target.log_density, parameters, mode.point, mode.spread)
    for one, other in zip(own, model.moments(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
