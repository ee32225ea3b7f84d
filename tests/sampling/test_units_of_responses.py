"""A real response in another unit has the same posterior in that unit: to the bit, where the unit is a power of two."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import read_problem
from hiermod.engine.layout.program import public_coordinates
from hiermod.engine.layout.units import in_own_unit, in_users_unit
from hiermod.errors import DataError
from hiermod.priors.distributions import DISTRIBUTIONS, Prior

RNG = np.random.default_rng(8)
ROWS = pd.DataFrame({"g": RNG.integers(0, 12, 200), "x": RNG.normal(size=200), "off": RNG.normal(size=200)})
ROWS["y"] = 2.0 + RNG.normal(0.0, 0.5, 12)[ROWS.g] + 0.5 * ROWS.x + RNG.normal(size=200)
UNITLESS = ("_cor", "nu")
MODELS = [
    ("y ~ x + (1 + x | g)", "gaussian"), ("y ~ x + offset(off) + (1 | g)", "gaussian"), ("y ~ x + (1 | g)", "student"),
    ("y ~ x", "gaussian"), ("y ~ 0 + x + (1 + x || g)", "gaussian"),
]  # fmt: skip


def draws_of(text, family, unit, priors=None):
    rows = ROWS.assign(y=ROWS.y * unit, off=ROWS.off * unit)
    fit = hm.fit(text, rows, family, seed=1, draws=100, chains=2, progress=False, priors=priors)
    return {str(name): values.to_numpy() for name, values in fit.posterior.data_vars.items()}


@pytest.mark.parametrize(("text", "family"), MODELS)
def test_draws_scale_with_the_response(text, family):
    plain = draws_of(text, family, 1.0)
    for power in (-40, -3, 17, 40):
        scaled = draws_of(text, family, 2.0**power)
        for name, values in plain.items():
            unit = 1.0 if name.endswith(UNITLESS) else 2.0**power
            np.testing.assert_array_equal(scaled[name], values * unit, err_msg=f"{name} at 2^{power}")


def test_priors_of_users_are_stated_in_the_new_unit():
    def draws(unit):
        priors = {"Intercept": f"Normal({2 * unit}, {3 * unit})", "sigma": f"HalfCauchy({unit})",
                  "var(1|g)": f"InverseGamma(2, {unit**2})"}  # fmt: skip
        return draws_of("y ~ x + (1 | g)", "gaussian", unit, priors)

    plain, scaled = draws(1.0), draws(2.0**30)
    for name, values in plain.items():
        np.testing.assert_array_equal(scaled[name], values * 2.0**30, err_msg=name)


DENSITIES = {
    "slopes": ("y ~ x + (1 + x | g)", {}), "offset": ("y ~ x + offset(off) + (1 | g)", {}),
    "levels": ("y ~ 0 + f + x:f", {}), "no intercept": ("y ~ 0 + x + (1 | g)", {}),
    "bounded": ("y ~ x", {"x": "HalfNormal(3)", "sigma": "Uniform(0.1, 9)"}),
    "bounded level": ("y ~ 0 + f", {"f[a]": "HalfNormal(9)"}),
    "user's": ("y ~ x", {"Intercept": "Normal(1000, 2)", "sigma": "LogNormal(0, 1)"}),
}  # fmt: skip


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("family", ["gaussian", "student"])
def test_the_density_is_the_users_in_another_unit_and_from_another_origin(name, family):
    text, priors = DENSITIES[name]
    rows = ROWS.assign(y=1000.0 + 300.0 * ROWS.y, f=np.array(list("abc"))[ROWS.g % 3])
    problem = read_problem(hm.model(text, rows, family, priors=priors)._defined.spec)
    public, own = (public_coordinates(each, library().functions) for each in (problem, in_own_unit(problem)))
    assert own.problem.unit == 512.0
    assert (own.problem.origin != 0.0) == (name not in ("no intercept", "bounded level"))
    differences = []
    for z in np.random.default_rng(1).normal(0.0, 1.0, (6, problem.dimension)):
        draw = np.concatenate(own.expand(z))[None, None]
        theta, hyperparameters = np.split(in_users_unit(own.problem, draw)[0, 0], [problem.coefficients])
        there = np.concatenate([
            theta[: problem.linear], z[problem.linear : len(z) - len(hyperparameters)],
            public.unconstrained(hyperparameters),
        ])  # fmt: skip
        differences.append(own.log_density(z)[0] - public.log_density(there)[0])
    assert np.ptp(differences) <= 1e-9 * (1.0 + np.abs(differences).max())


@pytest.mark.parametrize("family", ["gaussian", "student"])
@pytest.mark.parametrize("text", ["y ~ 1", "y ~ x + (1 | g)"])
def test_responses_far_from_zero_are_fitted(text, family):
    with pytest.raises(DataError, match=r"'y' are of the size of 1\.7e\+18, where .* are 256 apart, .* Subtract"):
        hm.model("y ~ x", ROWS.assign(y=1.7e18 + 100.0 * ROWS.y))
    rows = ROWS.assign(y=1e15 + np.round(8.0 * ROWS.y))  # times in nanoseconds
    near = rows.assign(y=rows.y - 1e15)
    far, plain = (hm.fit(text, each, family, seed=1, draws=500, chains=2, progress=False) for each in (rows, near))
    assert far.check().passed
    one, other = (fit.posterior["sigma"].to_numpy().ravel() for fit in (far, plain))
    assert abs(one.mean() - other.mean()) < 5 * other.std() / np.sqrt(200)
    assert abs(float(far.posterior["Intercept"].mean()) - 1e15) < 40


@pytest.mark.parametrize("name", [name for name, record in DISTRIBUTIONS.items()
                                  if record.support in ("real", "positive", "interval")])  # fmt: skip
@pytest.mark.parametrize("power", [1.0, 2.0, -2.0])
def test_the_prior_of_a_multiple_has_the_multiples_quantiles(name, power):
    record = DISTRIBUTIONS[name]
    power = 1.0 if record.support == "real" else power
    arguments = (
        (0.5, 2.5) if name == "Uniform" else tuple(1.5 + 0.25 * place for place in range(len(record.parameters)))
    )
    p = np.array([0.1, 0.5, 0.9])
    for prior in (Prior(name, arguments, power=power), Prior(name, arguments, 0.7, 2.0, power)):
        scaled = prior.scaled(0.125)
        np.testing.assert_allclose(scaled.quantile(p), 0.125 * prior.quantile(p), rtol=1e-9)


def test_a_prior_of_a_fixed_range_keeps_the_users_unit():
    plain = draws_of("y ~ x", "gaussian", 1.0, {"sigma": "Beta(2, 2)"})
    assert plain["sigma"].max() < 1.0
