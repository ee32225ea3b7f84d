"""Where a user's prior of the intercept stands: at predictors' means, or where they are 0."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import QUICK
from scipy import stats

import hiermod as hm
from hiermod.errors import ModelError
from hiermod.interface.fit import Model
from hiermod.modeling.definition import Definition, define

RNG = np.random.default_rng(5)
ROWS = 60
DATA = pd.DataFrame(
    {
        "year": np.arange(ROWS) + 1952.0,
        "x": RNG.normal(0.3, 1.0, ROWS),
        "f": RNG.choice(["p", "q"], ROWS),
        "g": RNG.choice(list("abcde"), ROWS),
    }
)
DATA["y"] = 9.3 + 0.02 * (DATA["year"] - DATA["year"].mean()) + RNG.normal(0.0, 1.0, ROWS)
PRIORS = {"Intercept": "Normal(1, 40)", "year": "Normal(0, 0.02)", "sigma": "Exponential(1)"}


def defined(formula, priors, at="zero", data=DATA):
    return define(Definition(formula, "gaussian", priors, intercept_at=at), data)


def stated_at(formula, priors, at="zero"):
    return Model(defined(formula, priors, at)).prior_summary().set_index("parameter")["stated_at"]


@pytest.mark.parametrize("at", ["mean", "zero"])
def test_the_density_is_the_one_written_by_hand(at):
    spec = defined("y ~ year", PRIORS, at).spec
    model = hm.model("y ~ year", DATA, "gaussian", priors=PRIORS, intercept_at=at).pymc()
    density, differences = model.compile_logp(mode=QUICK), []
    year, y, mean = DATA["year"].to_numpy(), DATA["y"].to_numpy(), DATA["year"].mean()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        slope, sigma = rng.normal(0.0, 0.02), rng.uniform(0.5, 2.0)
        intercept = rng.normal(9.0, 1.0) - slope * mean
        stands = intercept if at == "zero" else intercept + slope * mean
        by_hand = (
            stats.norm(1.0, 40.0).logpdf(stands) + stats.norm(0.0, 0.02).logpdf(slope)
            + stats.expon().logpdf(sigma) + np.log(sigma)
            + stats.norm(intercept + slope * year, sigma).logpdf(y).sum()
        )  # fmt: skip
        values = {"year": slope, "sigma_log__": np.log(sigma)}
        name = next(each.name for each in model.value_vars if each.name.startswith("Intercept"))
        values[name] = intercept if at == "zero" else stands - 1.0
        differences.append(float(density(values)) - by_hand)
    assert np.ptp(differences) < 1e-9
    assert spec.refuses("compiled") is None


def test_the_table_of_priors_says_where_they_stand():
    mean = f"year = {DATA['year'].mean():.4g}, x = {DATA['x'].mean():.4g}"
    assert stated_at("y ~ year + x", {"Intercept": "Normal(1, 40)"})["Intercept"] == "year = 0, x = 0"
    assert stated_at("y ~ year + x", {"Intercept": "Normal(1, 40)"}, "mean")["Intercept"] == mean
    assert stated_at("y ~ year + x", {"slope": "Normal(0, 1)"})["Intercept"] == mean
    of_levels = stated_at("y ~ 0 + f + year + x", {"f[q]": "Normal(1, 40)"})
    assert (of_levels["f[p]"], of_levels["f[q]"]) == (mean, "year = 0, x = 0")
    interaction = stated_at("y ~ year * x", {"Intercept": "Normal(1, 40)"})
    assert interaction["x"] == mean


def test_a_prior_far_from_where_predictors_are_0_is_told_with_both_intercepts():
    (notice,) = [each for each in defined("y ~ year + x", PRIORS, "mean").notices if "Intercept" in each]
    assert notice.startswith("the prior of 'Intercept', Normal(1, 40), is of the intercept at year = 1,982 (means)")
    low, high = stats.norm(1.0, 40.0).ppf([0.025, 0.975])
    assert f"its central 95 % are {low:.4g} to {high:.4g}" in notice
    exact = 1.96 * np.hypot(40.0, 0.02 * DATA["year"].mean())
    low, high = (float(part.replace(",", "")) for part in notice.split("that is ")[1].split(" at ")[0].split(" to "))
    x_part = 0.02 * exact  # x's default prior adds next to nothing; the rest is Monte Carlo error
    assert high == pytest.approx(1.0 + exact, abs=0.03 * exact + x_part)
    assert low == pytest.approx(1.0 - exact, abs=0.03 * exact + x_part)


@pytest.mark.parametrize(
    ("formula", "priors", "at"),
    [
        ("y ~ year", {"slope": "Normal(0, 1)"}, "mean"),
        ("y ~ year", {"Intercept": "Normal(0, 1)"}, "zero"),
        ("y ~ x", {"Intercept": "Normal(0, 1)"}, "mean"),
        ("y ~ f", {"Intercept": "Normal(0, 1)"}, "zero"),
        ("y ~ f", {}, "zero"),
    ],
)
def test_nothing_is_told_of_other_priors(formula, priors, at):
    assert not [each for each in defined(formula, priors, at).notices if "ntercept" in each]


def test_a_default_prior_stays_at_the_means_and_that_is_told():
    (notice,) = [each for each in defined("y ~ year", {}).notices if "intercept_at" in each]
    assert notice == "intercept_at='zero' is of your prior of the intercept: the default stands at predictors' means"


def test_refusals():
    with pytest.raises(ModelError, match=r"intercept_at='zer'. Did you mean 'zero'"):
        Definition("y ~ year", intercept_at="zer")
    with pytest.raises(
        ModelError, match="intercept_at='zero' is for models with coefficients; pooling='beta' has none"
    ):
        Definition("s/n ~ (1 | g)", pooling="beta", intercept_at="zero")


def test_it_is_fitted_stored_and_updated(tmp_path):
    """The posterior of two conjugate coefficients, given sigma, is known; sigma's prior pins it."""
    priors = {"Intercept": "Normal(1, 40)", "year": "Normal(0, 0.02)", "sigma": "Uniform(0.9999, 1.0001)"}
    fit = hm.fit("y ~ year", DATA, "gaussian", priors=priors, intercept_at="zero", seed=1, progress=False)
    design = np.column_stack([np.ones(ROWS), DATA["year"]])
    precision = design.T @ design + np.diag([40.0**-2, 0.02**-2])
    covariance = np.linalg.inv(precision)
    mean = covariance @ (design.T @ DATA["y"].to_numpy() + np.array([40.0**-2, 0.0]))
    table = fit.fixef()
    errors = np.sqrt(np.diag(covariance))
    ess = fit.summary().fixed["ess_bulk"].to_numpy() if "ess_bulk" in fit.summary().fixed else np.full(2, 400.0)
    assert (np.abs(table["estimate"].to_numpy() - mean) < 4.0 * errors / np.sqrt(ess)).all()
    fit.save(tmp_path / "fit.nc")
    stored = hm.load(tmp_path / "fit.nc")
    assert stored.prior_summary().equals(fit.prior_summary())
    other = stored.update(priors={"Intercept": "Normal(2, 40)"}, draws=20, progress=False)
    assert other.prior_summary().set_index("parameter").loc["Intercept", "stated_at"] == "year = 0"
    back = stored.update(data=DATA, intercept_at="mean", draws=20, progress=False)
    assert back.prior_summary().set_index("parameter").loc["Intercept", "stated_at"] == "year = 1982"
