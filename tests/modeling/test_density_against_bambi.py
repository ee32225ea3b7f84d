"""The density against that of a plain Bambi model, written by hand with the same priors."""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
from modeling_tools import assert_equal_up_to_one_constant, log_density, model_of, random_points

RNG = np.random.default_rng(23)
SIZE = 120
DATA = pd.DataFrame(
    {
        "x": RNG.normal(5.0, 1.0, SIZE),
        "i": RNG.integers(0, 2, SIZE),
        "f": pd.Categorical(RNG.choice(["p", "q", "r"], SIZE)),
        "g": pd.Categorical(RNG.choice(list("abcd"), SIZE)),
        "h": pd.Categorical(RNG.choice(list("uvw"), SIZE)),
        "success": RNG.integers(0, 2, SIZE),
        "n": RNG.integers(1, 9, SIZE),
        "count": RNG.poisson(3.0, SIZE),
        "real": RNG.normal(2.0, 3.0, SIZE),
    }
)
DATA["s"] = RNG.binomial(DATA["n"], 0.4)
DATA["positive"] = RNG.gamma(2.0, 1.5, SIZE)
RESPONSES = {
    "bernoulli": "success",
    "binomial": "p(s, n)",
    "gaussian": "real",
    "poisson": "count",
    "negbinomial": "count",
    "student": "real",
    "gamma": "positive",
    "beta_binomial": "p(s, n)",
}
BAMBIS = {"negbinomial": "negativebinomial", "student": "t"}
AUXILIARY = {
    "gaussian": ["sigma"],
    "negbinomial": ["alpha"],
    "student": ["sigma", "nu"],
    "gamma": ["alpha"],
    "beta_binomial": ["kappa"],
}
OURS = {
    "Intercept": "Normal(0.3, 2)",
    "i": "StudentT(3, 0, 1.5)",
    "f": "Normal(0.1, 0.8)",
    "x": "Laplace(0, 0.5)",
    "sd(1|g)": "HalfNormal(1.5)",
    "sd(x|g)": "Exponential(2)",
    "sd(f|h)": "HalfNormal(0.7)",
    "sd(1|h)": "HalfCauchy(1)",
    "sigma": "HalfNormal(4)",
    "nu": "Gamma(3, 0.2)",
    "alpha": "Exponential(0.5)",
    "kappa": "HalfCauchy(3)",
}


def varying(prior):
    return bmb.Prior("Normal", mu=0, sigma=prior)


THEIRS = {
    "Intercept": bmb.Prior("Normal", mu=0.3, sigma=2),
    "i": bmb.Prior("StudentT", nu=3, mu=0, sigma=1.5),
    "f": bmb.Prior("Normal", mu=0.1, sigma=0.8),
    "x": bmb.Prior("Laplace", mu=0, b=0.5),
    "1|g": varying(bmb.Prior("HalfNormal", sigma=1.5)),
    "x|g": varying(bmb.Prior("Exponential", lam=2)),
    "f|h": varying(bmb.Prior("HalfNormal", sigma=0.7)),
    "1|h": varying(bmb.Prior("HalfCauchy", beta=1)),
    "sigma": bmb.Prior("HalfNormal", sigma=4),
    "nu": bmb.Prior("Gamma", alpha=3, beta=0.2),
    "alpha": bmb.Prior("Exponential", lam=0.5),
    "kappa": bmb.Prior("HalfCauchy", beta=3),
}


def compare(right, family, names, center=False, translate=dict, link=None, relative=1e-9):
    """Bambi writes independent effects with one bar where we write two."""
    names = [*names, *AUXILIARY.get(family, [])]
    left = RESPONSES[family]
    ours = model_of(
        f"{left} ~ {right}",
        DATA,
        f"{family}({link})" if link else family,
        {(f"sd({name})" if "|" in name else name): OURS[f"sd({name})" if "|" in name else name] for name in names},
    )
    priors = {name: THEIRS[name] for name in names}
    bambi = bmb.Model(
        f"{left} ~ {right.replace('||', '|')}", DATA, family=BAMBIS.get(family, family), link=link, priors=priors,
        center_predictors=center,
    )  # fmt: skip
    bambi.build()
    theirs = bambi.backend.model
    points = random_points(ours, spread=0.4)
    assert {*translate(points[0])} == {variable.name for variable in theirs.value_vars}
    one, other = log_density(ours), log_density(theirs)
    expected = [other(translate(point)) for point in points]
    assert_equal_up_to_one_constant([one(point) for point in points], expected, relative)


@pytest.mark.parametrize("family", RESPONSES)
def test_independent_effects(family):
    link = "log" if family == "gamma" else None  # Bambi's own is the inverse
    compare("i + f + (1 + x || g) + (1 | h)", family, ["Intercept", "i", "f", "1|g", "x|g", "1|h"], link=link)


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_varying_levels_of_a_factor(family):
    compare("i + (0 + f || h)", family, ["Intercept", "i", "f|h"])


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_other_links(link):
    # PyMC's probit takes the root of 2 in single precision; test_density_by_hand holds ours to 1e-9
    relative = 1e-7 if link == "probit" else 1e-9
    compare("i + f + (1 | g)", "bernoulli", ["Intercept", "i", "f", "1|g"], link=link, relative=relative)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_without_an_intercept(family):
    compare("0 + i + f + (1 | g)", family, ["i", "f", "1|g"])


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_a_centred_predictor(family):
    """Our intercept is sampled as its distance from its prior's location, Bambi's as the centred intercept."""

    def translate(point):
        rest = {name: value for name, value in point.items() if name != "Intercept_about_location__"}
        return rest | {"Intercept": point["Intercept_about_location__"] + 0.3}

    compare("x + (1 | g)", family, ["Intercept", "x", "1|g"], center=True, translate=translate)


def test_names_are_bambis():
    """Variables, dims and coordinates, so that every habit of Bambi's users works."""
    ours = model_of("real ~ i + f + (1 + x || g) + (0 + f || h)", DATA)
    bambi = bmb.Model("real ~ i + f + (1 + x | g) + (0 + f | h)", DATA, center_predictors=False)
    bambi.build()
    theirs = bambi.backend.model
    assert {variable.name for variable in ours.free_RVs} == {variable.name for variable in theirs.free_RVs}
    for name in ("f", "1|g", "x|g", "f|h", "f|h_sigma"):
        assert list(ours.named_vars_to_dims[name]) == list(theirs.named_vars_to_dims[name])
        for dim in ours.named_vars_to_dims[name]:
            assert [str(label) for label in ours.coords[dim]] == [str(label) for label in theirs.coords[dim]]
