"""Answers of zero-inflated models and hurdles by hand: means, shares of zeros, means above 0; over populations too."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import draws_of, with_made_up_draws
from scipy import special

import hiermod as hm

SIZE = {"alpha": 1.5, "kappa": 4.0, "sigma": 0.6}
BASES = {  # of the part that is not a zero of its own: its mean, and its chance of 0, by mu
    "poisson": (lambda mu, size: mu, lambda mu, size: np.exp(-mu)),
    "negbinomial": (lambda mu, size: mu, lambda mu, size: (1.0 + mu / size) ** -size),
    "gamma": (lambda mu, size: mu, lambda mu, size: 0.0 * mu),
    "lognormal": (lambda mu, size: mu * np.exp(size**2 / 2.0), lambda mu, size: 0.0 * mu),
}
NAMES = [f"zero_inflated_{base}" for base in ("poisson", "negbinomial")] + [f"hurdle_{base}" for base in BASES]


def truth(name, eta, share, size):
    """The mean, the chance of 0, and the mean of what is above 0."""
    mean, zero = (part(np.exp(eta), size) for part in BASES[name.rpartition("_")[2]])
    if name.startswith("hurdle"):
        above = mean / (1.0 - zero)
        return (1.0 - share) * above, share + 0.0 * eta, above
    chance = share + (1.0 - share) * zero
    return (1.0 - share) * mean, chance, (1.0 - share) * mean / (1.0 - chance)


def size_of(name):
    return {"negbinomial": "alpha", "gamma": "alpha", "lognormal": "sigma"}.get(name.rpartition("_")[2], "")


@pytest.fixture(scope="module", params=NAMES)
def fit(request):
    """One with a linear predictor of the share, and a group's effects on both that are correlated."""
    name, rng = request.param, np.random.default_rng(2)
    frame = pd.DataFrame({"x": [0, 1] * 30, "z": rng.normal(size=60), "g": np.repeat(list("abcde"), 12)})
    y = rng.poisson(3.0, 60) + (1.5 * rng.random(60) if size_of(name) == "sigma" or "gamma" in name else 0)
    frame["y"] = np.where(rng.random(60) < 0.3, 0, y + 1.0 * name.startswith("hurdle"))
    share = "hu" if name.startswith("hurdle") else "zi"
    model = hm.model(f"y ~ x + (1 | p | g); {share} ~ z + (1 | p | g)", frame, name)
    at = {"Intercept": 0.7, "x": -0.3, f"{share}_Intercept": -0.6, f"{share}_z": 0.5, **SIZE}
    at |= {"1|g_sigma": 0.5, f"{share}_1|g_sigma": 0.7, f"1+{share}_1|g_cor": 0.4}
    return name, share, with_made_up_draws(model, at, draws=13, chains=2), frame


def predictors(fit, share, frame, x, effects=True):
    """Linear predictors of mu and of the share, shape ``(draws, rows)``."""
    value = {key: draws_of(fit, key) for key in ("Intercept", "x", f"{share}_Intercept", f"{share}_z")}
    codes = frame["g"].map({level: place for place, level in enumerate("abcde")}).to_numpy()
    eta = value["Intercept"][:, None] + value["x"][:, None] * x
    odds = value[f"{share}_Intercept"][:, None] + value[f"{share}_z"][:, None] * frame["z"].to_numpy()
    if effects:
        eta, odds = eta + draws_of(fit, "1|g")[:, codes], odds + draws_of(fit, f"{share}_1|g")[:, codes]
    return eta + 0.0 * odds, odds


def size_draws(name, fit):
    return draws_of(fit, size_of(name))[:, None] if size_of(name) else None


@pytest.mark.parametrize(("place", "outcome"), [*enumerate(["mean", "zero", "positive"])])
def test_outcomes_are_averages_of_each_row_s_own(fit, place, outcome):
    name, share, posterior, frame = fit
    answer = posterior.rates("x", outcome=None if outcome == "mean" else outcome)
    for row, x in enumerate((0, 1)):
        eta, odds = predictors(posterior, share, frame, x)
        exact = truth(name, eta, special.expit(odds), size_draws(name, posterior))[place].mean(axis=1)
        seen = answer.draws.to_numpy().reshape(-1, 2)[:, row]
        np.testing.assert_allclose(seen, exact, rtol=1e-9)


@pytest.mark.parametrize(("place", "outcome"), [*enumerate(["mean", "zero", "positive"])])
def test_population_means_integrate_both_predictors_jointly(fit, place, outcome):
    """By 40 x 40 nodes of Gauss and Hermite; the effects of a group on both are correlated."""
    name, share, posterior, frame = fit
    answer = posterior.rates("x", outcome=None if outcome == "mean" else outcome, groups="population")
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    sds = [draws_of(posterior, key)[:, None] for key in ("1|g_sigma", f"{share}_1|g_sigma")]
    cor = draws_of(posterior, f"1+{share}_1|g_cor").reshape(-1, 1)
    size = size_draws(name, posterior)
    for row, x in enumerate((0, 1)):
        eta, odds = predictors(posterior, share, frame, x, effects=False)
        exact = np.zeros(len(eta))
        for first, by_first in zip(nodes, weights, strict=True):
            for second, by_second in zip(nodes, weights, strict=True):
                mixed = cor * first + np.sqrt(1.0 - cor**2) * second
                values = truth(name, eta + sds[0] * first, special.expit(odds + sds[1] * mixed), size)[place]
                exact += by_first * by_second * values.mean(axis=1)
        np.testing.assert_allclose(answer.draws.to_numpy().reshape(-1, 2)[:, row], exact, rtol=1e-6)


def test_log_densities_of_rows_are_those_of_leave_one_out(fit):
    """Every row's own, by both linear predictors."""
    name, share, posterior, frame = fit
    family = posterior.model._defined.spec.family
    eta, odds = predictors(posterior, share, frame, frame["x"].to_numpy())
    own = [draws_of(posterior, size_of(name))] if size_of(name) else []
    exact = np.stack(
        [
            family.observation_density((value,), eta[:, row], [*own, special.expit(odds[:, row])])
            for row, value in enumerate(frame["y"])
        ]
    )
    expected = (special.logsumexp(exact, axis=1) - np.log(exact.shape[1])).sum()
    seen = posterior.loo()
    assert seen.elpd < expected
    np.testing.assert_allclose(seen.elpd + seen.p, expected, rtol=1e-9)


def test_effects_of_a_group_that_are_not_correlated_are_integrated_too():
    """The mean of a zero-inflated Poisson response is then a product of two means."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"g": np.repeat(list("abcde"), 12), "y": rng.poisson(2.0, 60) * (rng.random(60) < 0.7)})
    fit = with_made_up_draws(hm.model("y ~ 1 + (1 | g); zi ~ 1 + (1 | g)", frame, "zero_inflated_poisson"), draws=20)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    odds = draws_of(fit, "zi_Intercept")[:, None] + draws_of(fit, "zi_1|g_sigma")[:, None] * nodes
    left = special.expit(-odds) @ weights / weights.sum()
    exact = left * np.exp(draws_of(fit, "Intercept") + draws_of(fit, "1|g_sigma") ** 2 / 2.0)
    seen = fit.rates(groups="population").draws.to_numpy().ravel()
    np.testing.assert_allclose(seen, exact, rtol=1e-7)
