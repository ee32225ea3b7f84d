"""Integrals over normal effects against closed forms and SciPy's adaptive quadrature."""

import numpy as np
from scipy import integrate, special, stats

from hiermod.answers.scoring.group_density import log_normal_integral


def test_normal_integrands_are_exact_in_several_dimensions():
    """y | z ~ N(X z, s): the marginal of y is N(0, s² I + X X')."""
    rng = np.random.default_rng(1)
    for dimensions in (1, 2, 3):
        X, y, s = rng.normal(size=(6, dimensions)), 3.0 + rng.normal(size=6), 0.3
        seen = log_normal_integral(lambda z, X=X, y=y, s=s: stats.norm.logpdf(y, z @ X.T, s).sum(axis=1), 2, dimensions)
        expected = stats.multivariate_normal.logpdf(y, np.zeros(6), s**2 * np.eye(6) + X @ X.T)
        np.testing.assert_allclose(seen, expected, atol=2e-5)


def test_logistic_integrands_narrow_and_wide():
    for successes, trials, sd in ((3, 10, 0.2), (3, 10, 3.0), (0, 8, 2.0), (480, 500, 1.5), (1, 1, 5.0)):

        def density(z, s=successes, n=trials, sd=sd):
            return s * special.log_expit(0.4 + sd * z) + (n - s) * special.log_expit(-0.4 - sd * z)

        top = max(float(density(z) - z**2 / 2) for z in np.linspace(-6, 6, 2001))
        value = integrate.quad(lambda z: np.exp(density(z) - z**2 / 2 - top), -12, 12, limit=800, epsabs=0)[0]  # noqa: B023
        exact = top + np.log(value) - 0.5 * np.log(2 * np.pi)
        seen = log_normal_integral(lambda z: density(z[:, 0]), 3, 1)
        np.testing.assert_allclose(seen, exact, atol=1e-6)


def test_modes_far_from_where_the_search_begins():
    """Many rows of a rate or count that the population hardly has: the integrand is narrow, and far off."""
    trials = np.array([20.0, 1e3, 1e5, 1e7])

    def logistic(z):
        return trials * (0.3 * special.log_expit(-8.0 + 3.0 * z) + 0.7 * special.log_expit(8.0 - 3.0 * z))

    def counts(z):
        return trials * (0.3 * (3.0 * z - 1.0) - np.exp(np.minimum(3.0 * z - 1.0, 300.0)))

    def probit(z):
        return trials * (0.3 * special.log_ndtr(-6.0 + 2.0 * z) + 0.7 * special.log_ndtr(6.0 - 2.0 * z))

    for density in (logistic, counts, probit):
        seen = log_normal_integral(lambda z, density=density: density(z[:, 0]), 4, 1)
        exact = np.empty(4)
        for place in range(4):
            z = np.linspace(-10.0, 10.0, 20_001)
            for _ in range(3):  # closer about the mode each time
                logs = density(z[:, None])[:, place] - z**2 / 2
                kept = z[logs > logs.max() - 60.0]
                exact[place] = special.logsumexp(logs) + np.log(z[1] - z[0]) - 0.5 * np.log(2 * np.pi)
                z = np.linspace(kept[0] - 0.01, kept[-1] + 0.01, 20_001)
        np.testing.assert_allclose(seen, exact, rtol=1e-9, atol=1e-5)


def test_two_effects_of_a_logistic_group():
    x = np.array([0.0, 0.0, 1.0, 1.0])
    s, n = np.array([3.0, 1.0, 7.0, 9.0]), np.full(4, 10.0)
    factor = np.array([[1.2, 0.0], [-0.5, 0.9]])
    nodes = np.linspace(-8, 8, 641)
    first, second = np.meshgrid(nodes, nodes, indexing="ij")
    u = np.stack([first.ravel(), second.ravel()], axis=1)

    def density(z):
        effect = z @ factor.T
        eta = -0.3 + effect[:, :1] + effect[:, 1:] * x
        return (s * special.log_expit(eta) + (n - s) * special.log_expit(-eta)).sum(axis=1)

    weights = 2 * np.log(nodes[1] - nodes[0]) - (u**2).sum(axis=1) / 2 - np.log(2 * np.pi)
    np.testing.assert_allclose(log_normal_integral(density, 1, 2), special.logsumexp(density(u) + weights), atol=1e-5)


def test_draws_are_integrated_each_by_itself():
    shift = np.array([-2.0, 0.5, 4.0])
    seen = log_normal_integral(lambda z: stats.norm.logpdf(shift, z[:, 0], 0.5), 3, 1)
    np.testing.assert_allclose(seen, stats.norm.logpdf(shift, 0, np.sqrt(1.25)), atol=1e-8)
    np.testing.assert_array_equal(log_normal_integral(lambda z: shift + z.sum(axis=1), 3, 0), shift)
