"""Draws from the prior against the distributions that priors name, within Monte Carlo error."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod import memory
from hiermod.errors import ModelError, SamplingError
from hiermod.sampling import prior_draws

DRAWS = 20_000


def assert_mean(values, expected):
    """A mean of independent draws lies within four standard errors of what it should be."""
    assert abs(values.mean() - expected) < 4.0 * values.std() / np.sqrt(len(values))


def flat(prior, name):
    values = prior.prior[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


def test_coefficients_are_drawn_at_the_means_and_reported_in_the_users_coding():
    data = pd.DataFrame({"x": [1.0, 2.0, 6.0], "z": [3.0, 5.0, 4.5], "s": [1, 2, 3], "n": [10, 20, 50]})
    x, z = (float(np.average(data[name], weights=data["n"])) for name in "xz")
    priors = {"Intercept": "Normal(1, 2)", "x": "Normal(0.5, 0.3)", "z": "Normal(0, 0.4)", "x:z": "Normal(0, 0.1)"}
    prior = hm.model("s/n ~ x * z", data, priors=priors).sample_prior(DRAWS, seed=2)
    b = {name: flat(prior, name) for name in priors}
    at_means = b["Intercept"] + b["x"] * x + b["z"] * z + b["x:z"] * x * z
    for values, mean, sd in (
        (at_means, 1.0, 2.0), (b["x"] + z * b["x:z"], 0.5, 0.3), (b["z"] + x * b["x:z"], 0.0, 0.4), (b["x:z"], 0.0, 0.1)
    ):  # fmt: skip
        assert_mean(values, mean)
        assert_mean((values - mean) ** 2, sd**2)
    assert_mean((at_means - 1.0) * (b["x"] + z * b["x:z"] - 0.5), 0.0)


def test_effects_of_groups_have_their_standard_deviations_and_correlations():
    data = pd.DataFrame({"g": list("aabbcc") * 3, "x": [0.5, 2.0, -1.0] * 6, "w": [0, 1] * 9, "y": np.arange(18.0)})
    model = hm.model("y ~ 1 + (1 + x + w | g)", data, priors={"sd": "HalfNormal(2)", "cor": "LKJ(3)"})
    prior = model.sample_prior(DRAWS, seed=3)
    names = ("1|g", "x|g", "w|g")
    units = [flat(prior, name)[:, 1] / flat(prior, f"{name}_sigma") for name in names]
    correlations = flat(prior, "1+x+w|g_cor")
    for sd in (flat(prior, f"{name}_sigma") for name in names):
        assert_mean(sd**2, 4.0)
    for unit in units:
        assert_mean(unit**2, 1.0)
    shape = 3.0 - 1.0 + 3 / 2  # of the Beta on (-1, 1) that each correlation of a LKJ(eta) matrix of size 3 has
    for place, (row, column) in enumerate([(1, 0), (2, 0), (2, 1)]):
        rho = correlations[:, place]
        assert_mean(rho, 0.0)
        assert_mean(rho**2, 1.0 / (2.0 * shape + 1.0))
        assert_mean(units[row] * units[column] * rho - rho**2, 0.0)
    assert_mean(flat(prior, "1|g")[:, 0] * flat(prior, "1|g")[:, 2], 0.0)
    assert_mean(flat(prior, "sigma"), data["y"].std(ddof=0))


@pytest.mark.parametrize(
    ("formula", "example"),
    [
        ("incidence/size ~ period + (1 + period | herd)", "cbpp"),
        ("success ~ treated + (1 + treated | country)", "country"),
    ],
)
def test_variables_are_those_of_a_posterior(formula, example):
    model = hm.model(formula, hm.example(example))
    prior = model.sample_prior(50, seed=1)
    fit = model.with_draws(prior.prior)
    assert set(fit.posterior) == set(prior.prior)
    sampled = model.pymc()
    for name in prior.prior:
        assert list(sampled.named_vars_to_dims.get(name, ())) == list(prior.prior[name].dims[2:])
    assert list(prior.idata.children) == ["prior"]


def test_a_logistic_prior_of_the_intercept_is_uniform_on_the_rate():
    data = pd.DataFrame({"s": [3], "n": [10]})
    prior = hm.model("s/n ~ 1", data, priors={"Intercept": "Logistic(0, 1)"}).sample_prior(DRAWS, seed=4)
    table = prior.implied().table
    for name, p in (("q2.5", 0.025), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q97.5", 0.975)):
        assert abs(table.loc["s rate", name] - p) < 4.0 * np.sqrt(p * (1.0 - p) / DRAWS)
    assert abs(table.loc["s rate", "below_1%"] - 0.01) < 4.0 * np.sqrt(0.0099 / DRAWS)
    assert abs(prior.rates().table["estimate"][0] - 0.5) < 4.0 * np.sqrt(1 / 12 / DRAWS)
    new = prior.predict(kind="response").draws.to_numpy().ravel()  # uniform on 0 to 10
    for count in range(11):
        assert abs((new == count).mean() - 1 / 11) < 4.0 * np.sqrt(10 / 121 / DRAWS)


def test_implied_effects_are_those_of_the_coefficient():
    data = pd.DataFrame({"t": ["no", "yes"] * 5, "y": np.arange(10.0)})
    prior = hm.model("y ~ t", data, priors={"t": "Normal(2, 3)"}).sample_prior(DRAWS, seed=5)
    implied = prior.implied("t")
    assert_mean(implied.draws["t, yes vs no"], 2.0)
    assert_mean((implied.draws["t, yes vs no"] - 2.0) ** 2, 9.0)
    assert repr(implied).splitlines()[1].startswith("t, yes vs no: -")


def test_seeds_repeat_draws():
    model = hm.model("success ~ treated + (1 | country)", hm.example("country"))
    one, same, other = (model.sample_prior(20, seed=seed).prior for seed in (1, 1, 2))
    assert one.identical(same)
    assert not one["treated"].equals(other["treated"])


def test_nothing_is_compiled():
    code = """
import sys
import hiermod as hm
hm.model("success ~ treated + (1 | country)", hm.example("country")).sample_prior(100, 1).rates(by="treated")
print([name for name in ("pymc", "pytensor", "nutpie") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_refusals(monkeypatch):
    beta = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta")
    with pytest.raises(ModelError, match="Draws from the prior: pooling='beta' has the improper hyperprior"):
        beta.sample_prior()
    model = hm.model("success ~ treated + (1 | country)", hm.example("country"))
    with pytest.raises(SamplingError, match="draws=0: a whole number from 1 on"):
        model.sample_prior(0)
    with pytest.raises(hm.errors.AnswerError, match="Shrinkage is a matter of data and posterior"):
        model.sample_prior(10).shrinkage()
    with pytest.raises(hm.errors.AnswerError, match=r"the model has no column 'treatd'. Did you mean 'treated'"):
        model.sample_prior(10).implied("treatd")
    spec = replace(model._defined.spec, priors={})  # as a model from Bambi has it
    with pytest.raises(ModelError, match="this model's priors are Bambi's, and not known here"):
        prior_draws.sample_prior(spec, 10, 1)
    monkeypatch.setattr(memory, "available_memory", lambda: 1e4)
    with pytest.raises(SamplingError, match=r"600 draws of 5 numbers take 0.1 MB .* 0.0 MB can be had: draws=75 would"):
        model.sample_prior(600)
    model.sample_prior(75)
