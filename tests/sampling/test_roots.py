"""The two models that hiermod began with, against their exact answers by quadrature."""

import numpy as np
import pytest

import hiermod as hm
from hiermod.sampling.diagnostics import MAX_RHAT, MIN_ESS
from tests.truth import exact, mean_errors, probability_errors

FEW = [1, 2, 3]
MANY = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(101, 118)]
COUNTRIES = ("Canada", "China")
# The correlated model's numbers are those of a long run of another program, rounded to the digits shown.
CORRELATED = {"p": (0.9946, 0.893), "control": (0.330, 0.527), "treated": (0.486, 0.609)}
HALF_DIGIT = {"p": 0.0005, "control": 0.0005, "treated": 0.0005}


def is_clean(fit):
    seen = fit.check()
    assert seen.passed, repr(seen)
    diagnostics = fit._posterior.diagnostics
    assert diagnostics.divergences == 0
    assert diagnostics.rhat <= MAX_RHAT
    assert min(diagnostics.ess_bulk, diagnostics.ess_tail) >= MIN_ESS


@pytest.fixture(scope="module")
def models():
    country = hm.example("country")
    independent = "success ~ treated + (1 + treated || country)"
    doubled = country.iloc[np.repeat(np.arange(400), 2)]
    return {
        "independent": hm.model(independent, country),
        "doubled": hm.model(independent, doubled),
        "correlated": hm.model("success ~ treated + (1 + treated | country)", country),
        "variants1": hm.model("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta"),
        "variants2": hm.model("successes/trials ~ (1 | variant)", hm.example("variants2"), pooling="beta"),
    }


@pytest.mark.parametrize("seed", FEW + MANY)
@pytest.mark.parametrize(("name", "truth"), [("independent", "country"), ("doubled", "country200")])
def test_country_experiment_with_independent_effects(models, name, truth, seed):
    fit = models[name].fit(seed=seed, progress=False)
    is_clean(fit)
    rates = fit.rates(by=["country", "treated"]).draws
    effects = fit.effect("treated", by="country").draws
    for country in COUNTRIES:
        for level, quantity in ((0, "control_rate_mean"), (1, "treated_rate_mean")):
            draws = rates.sel(country=country, treated=level).to_numpy().squeeze()
            assert mean_errors(draws, exact(truth, quantity, country)) < 4
        lift = effects.sel(country=country).to_numpy().squeeze()
        assert mean_errors(lift, exact(truth, "lift_mean", country)) < 4
        assert probability_errors(lift, lift > 0, exact(truth, "p_slope_positive", country)) < 4
        if country == "China":  # in Canada a loss occurs in one draw of 200, too few to know its Monte Carlo error
            assert mean_errors(np.maximum(-lift, 0), exact(truth, "loss_of_treating", country)) < 4
    slope = fit.effect("treated", by="country", scale="link").draws
    for country in COUNTRIES:
        assert mean_errors(slope.sel(country=country).to_numpy().squeeze(), exact(truth, "slope_mean", country)) < 4
    for variable, quantity in (
        ("Intercept", "mu_a_mean"), ("treated", "mu_b_mean"),
        ("1|country_sigma", "sigma_a_mean"), ("treated|country_sigma", "sigma_b_mean"),
    ):  # fmt: skip
        assert mean_errors(fit.posterior[variable].to_numpy(), exact(truth, quantity)) < 4


@pytest.mark.parametrize("seed", FEW + MANY)
def test_country_experiment_with_correlated_effects(models, seed):
    fit = models["correlated"].fit(seed=seed, progress=False)
    is_clean(fit)
    rates = fit.rates(by=["country", "treated"]).draws
    effects = fit.effect("treated", by="country").draws
    for place, country in enumerate(COUNTRIES):
        lift = effects.sel(country=country).to_numpy().squeeze()
        truth = CORRELATED["p"][place]
        size = probability_errors(lift, lift > 0, truth)
        error = abs((lift > 0).mean() - truth)
        assert error < HALF_DIGIT["p"] or size * (error - HALF_DIGIT["p"]) / error < 4
        for level, key in ((0, "control"), (1, "treated")):
            draws = rates.sel(country=country, treated=level).to_numpy().squeeze()
            off = abs(draws.mean() - CORRELATED[key][place])
            assert (
                off < HALF_DIGIT[key] or mean_errors(draws, CORRELATED[key][place]) * (off - HALF_DIGIT[key]) / off < 4
            )


@pytest.mark.parametrize("seed", FEW + MANY)
@pytest.mark.parametrize("name", ["variants1", "variants2"])
def test_variants_under_one_beta_distribution(models, name, seed):
    fit = models[name].fit(seed=seed, progress=False)
    is_clean(fit)
    draws = fit.rates(by="variant").draws
    rate = {variant: draws.sel(variant=variant).to_numpy().squeeze() for variant in "ABCD"}
    best, pulls = np.max(list(rate.values()), axis=0), fit.shrinkage()["pull"]
    for variant in "ABCD":
        own = rate[variant]
        assert mean_errors(own, exact(name, "rate_mean", variant)) < 4
        assert probability_errors(own, own == best, exact(name, "p_best", variant)) < 4
        assert mean_errors(best - own, exact(name, "expected_loss", variant)) < 4
        size = fit.posterior["rate_spread"].to_numpy() ** -2
        trials = fit.cells.set_index("variant")["trials"][variant]
        assert mean_errors(size / (size + trials), exact(name, "pull", variant)) < 4
        np.testing.assert_allclose(pulls[variant], (size / (size + trials)).mean(), rtol=1e-12)
        for other in set("ABCD") - {variant}:
            gap = own - rate[other]
            assert probability_errors(gap, gap > 0, exact(name, "p_beats", f"{variant}:{other}")) < 4
    assert mean_errors(fit.posterior["rate_mean"].to_numpy(), exact(name, "mean_a_over_ab")) < 4
    assert mean_errors(fit.posterior["rate_spread"].to_numpy(), exact(name, "mean_ab_to_minus_half")) < 4
