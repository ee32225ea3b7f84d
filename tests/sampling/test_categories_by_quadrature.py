"""Posteriors of categories with few parameters against integrals over a grid, written without hiermod."""

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

import hiermod as hm

RNG = np.random.default_rng(9)
X = np.repeat([0.0, 1.0, 2.0, 4.0], 15)
LATENT = 0.6 * X + RNG.logistic(size=60)
FRAME = pd.DataFrame({"y": 1 + (LATENT[:, None] > [0.4, 2.0]).sum(axis=1), "x": X})
CENTRED = np.unique(X) - X.mean()
COUNTS = pd.crosstab(FRAME["x"], FRAME["y"]).to_numpy()
SLOPE = stats.t(3, 0.0, 1.0 / X.std())
POINTS = 36


def cumulative(first, second, slope):
    """Chances of three categories, and the volume of the map from those at the mean to thresholds."""
    inside = [special.expit(own[..., None] - slope[..., None] * CENTRED) for own in (first, second)]
    volume = np.prod([special.expit(own) * special.expit(-own) for own in (first, second)], axis=0)
    return [inside[0], inside[1] - inside[0], 1.0 - inside[1]], np.where(second > first, volume, 0.0)


def stopping(first, second, slope):
    """The same of steps; of those that pass the first category, a uniform share stops at the second."""
    stop = [special.expit(own[..., None] - slope[..., None] * CENTRED) for own in (first, second)]
    at_mean = [special.expit(own) for own in (first, second)]
    volume = (1.0 - at_mean[0]) * np.prod([own * (1.0 - own) for own in at_mean], axis=0)
    return [stop[0], (1.0 - stop[0]) * stop[1], (1.0 - stop[0]) * (1.0 - stop[1])], volume


def neighbours(first, second, slope):
    """The same of log odds of neighbours, under Dirichlet(1) of chances: the volume is their product."""
    steps = [slope[..., None] * CENTRED - own[..., None] for own in (first, second)]
    weights = [np.ones_like(steps[0]), np.exp(steps[0]), np.exp(steps[0] + steps[1])]
    total = sum(weights)
    one, other = np.exp(-first), np.exp(-first - second)
    return [weight / total for weight in weights], one * other / (1.0 + one + other) ** 3


def unordered(car, car_slope, walk, walk_slope):
    """Chances of three categories by two linear predictors, and the priors of intercepts and of the second slope."""
    etas = [own[..., None] + slope[..., None] * CENTRED for own, slope in ((car, car_slope), (walk, walk_slope))]
    weights = [np.ones_like(etas[0]), *(np.exp(eta) for eta in etas)]
    total = sum(weights)
    level = stats.t(3, 0.0, 1.0)
    return [weight / total for weight in weights], level.pdf(car) * level.pdf(walk) * SLOPE.pdf(car_slope)


def log_posterior(model, *parameters):
    chances, prior = model(*parameters)
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = sum((np.log(own) * counts).sum(axis=-1) for own, counts in zip(chances, COUNTS.T, strict=True))
        return np.nan_to_num(likelihood + np.log(prior) + SLOPE.logpdf(parameters[-1]), nan=-np.inf)


def moments(model, start, points=POINTS):
    """Posterior means and sds of the parameters, by Gauss and Legendre's rule around the mode."""

    def height(at):
        value = float(log_posterior(model, *np.array(at)[:, None])[0])
        return -value if np.isfinite(value) else 1e10

    mode = optimize.minimize(height, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-6})
    steps = 1e-3 * np.eye(len(start))
    curvature = [[(height(mode.x + a + b) - height(mode.x + a - b) - height(mode.x - a + b) + height(mode.x - a - b))
                  / 4e-6 for b in steps] for a in steps]  # fmt: skip
    spread = np.sqrt(np.diag(np.linalg.inv(curvature)))
    nodes, weights = np.polynomial.legendre.leggauss(points)
    axes = [centre + 6.5 * wide * nodes for centre, wide in zip(mode.x, spread, strict=True)]
    grid = np.meshgrid(*axes, indexing="ij")
    density = np.exp(log_posterior(model, *grid) + mode.fun)
    for place in range(len(axes)):
        density = density * weights.reshape([-1 if place == own else 1 for own in range(len(axes))])
    total = density.sum()
    means = [float((density * own).sum() / total) for own in grid]
    return [(mean, float(np.sqrt((density * (own - mean) ** 2).sum() / total)))
            for mean, own in zip(means, grid, strict=True)]  # fmt: skip


def hold(draws, expected):
    for own, (mean, sd) in zip(draws, expected, strict=True):
        assert own.mean() == pytest.approx(mean, abs=4.0 * float(azs.mcse(own, method="mean")))
        assert own.std() == pytest.approx(sd, abs=4.0 * float(azs.mcse(own, method="sd")))


@pytest.mark.parametrize(("family", "model"), [("cumulative", cumulative), ("sratio", stopping), ("acat", neighbours)])
def test_ordinal_posteriors_are_their_integrals(family, model):
    """Under the default prior, which is of chances where the predictor is at its mean."""
    fit = hm.fit("y ~ x", FRAME, family, draws=2000, seed=8, progress=False)
    slope = fit.posterior["x"].values
    thresholds = [fit.posterior["Intercept"].values[:, :, place] - X.mean() * slope for place in (0, 1)]
    hold([*thresholds, slope], moments(model, [-0.5, 1.0, 0.5]))


def test_a_categorical_posterior_is_its_integral():
    frame = FRAME.assign(y=FRAME["y"].map({1: "bus", 2: "car", 3: "walk"}))
    fit = hm.fit("y ~ x", frame, "categorical", draws=2000, seed=8, progress=False)
    found = []
    for name in ("mucar", "muwalk"):
        slope = fit.posterior[f"{name}_x"].values
        found += [fit.posterior[f"{name}_Intercept"].values + X.mean() * slope, slope]
    hold(found, moments(unordered, [0.0, 0.3, 0.0, 0.6], points=24))


def test_models_of_the_grid_have_chances_that_add_up_to_one():
    for model, size in ((cumulative, 3), (stopping, 3), (neighbours, 3), (unordered, 4)):
        chances, _ = model(*np.sort(RNG.normal(size=(size, 5)), axis=0))
        np.testing.assert_allclose(sum(chances), 1.0, rtol=1e-12)
