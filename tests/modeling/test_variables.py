"""The declared variables of a posterior are those that engines give, in names, order, dims and labels."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.modeling.protocol import Variable, dataset_of
from hiermod.modeling.pymc.model import build_model

DATA = pd.DataFrame(
    {
        "y": np.tile([0, 1, 1], 24),
        "t": np.round(np.sin(np.arange(72)), 6),
        "x": np.linspace(-1.0, 1.0, 72),
        "b": np.tile([True, False], 36),
        "f": np.tile(["p", "q", "r", "q"], 18),
        "g": np.repeat(["a", "b", "c"], 24),
        "h": np.tile(["u", "v", "w", "w", "v", "u", "u", "w"], 9),
    }
)
CASES = {
    "the intercept alone": ("y ~ 1", "bernoulli"),
    "numbers and factors": ("y ~ x * f + b", "bernoulli"),
    "no intercept, a residual": ("t ~ 0 + f + x", "gaussian"),
    "two parameters of the family": ("t ~ x + (1 | g)", "student"),
    "a pair": ("y ~ x + (1 + x | g)", "bernoulli"),
    "a factor's columns, correlated": ("t ~ f + (1 + f | g)", "gaussian"),
    "a factor's columns, coded in two ways": ("y ~ f + (1 + f | g) + (0 + f | h)", "bernoulli"),
    "uncorrelated, nested": ("y ~ x + (1 + x || g) + (1 | g:h)", "bernoulli"),
    "a basis": ("y ~ poly(x, 2) + (1 | h)", "bernoulli"),
}


def described(dataset):
    """Each variable in order: its dims beyond chain and draw, and their labels."""
    return [
        (str(name), array.dims[2:], tuple(tuple(map(str, array[dim].to_numpy())) for dim in array.dims[2:]))
        for name, array in dataset.data_vars.items()
    ]


def declared(spec):
    return [(own.name, own.dims, own.labels) for own in spec.variables()]


@pytest.mark.parametrize(("formula", "family"), CASES.values(), ids=CASES)
def test_a_posterior_of_the_compiled_engine(formula, family):
    fit = hm.fit(formula, DATA, family, draws=4, tune=30, chains=1, seed=1, progress=False, engine="compiled")
    assert described(fit.posterior) == declared(fit.model._defined.spec)


@pytest.mark.parametrize(("formula", "family"), CASES.values(), ids=CASES)
def test_the_pymc_model(formula, family):
    """Its variables, but for standard normals, have the declared dims and labels."""
    spec = spec_of(formula, DATA, family)
    model = build_model(spec)
    for own in spec.variables():
        assert tuple(model.named_vars_to_dims.get(own.name, ())) == own.dims
        assert tuple(tuple(model.coords[dim]) for dim in own.dims) == own.labels
        assert tuple(model[own.name].shape.eval()) == own.shape
    hidden = {f"{own.name}_offset" for own in spec.variables() if own.role in ("effect", "correlation")}
    sampled = {variable.name for variable in [*model.free_RVs, *model.deterministics]}
    assert sampled - hidden == {own.name for own in spec.variables()}


@pytest.mark.slow
def test_a_posterior_of_pymc():
    formula = "y ~ f + (1 + x | g) + (0 + f || h)"
    fit = hm.fit(formula, DATA, "bernoulli", draws=5, tune=20, chains=1, seed=1, progress=False, engine="pymc")
    assert described(fit.posterior) == declared(fit.model._defined.spec)


def test_rates_of_one_beta():
    fit = hm.fit("y ~ (1 | g)", DATA, pooling="beta", draws=20, tune=50, chains=1, seed=1, progress=False)
    assert described(fit.posterior) == declared(fit.model._defined.spec)
    assert [(own.name, own.role) for own in fit.model._defined.spec.variables()] == [
        ("rate_mean", "coefficient"), ("rate_spread", "coefficient"), ("rate|g", "effect"),
    ]  # fmt: skip


def test_roles_and_parameters():
    spec = spec_of("t ~ x + (1 + x | g)", DATA, "student")
    assert [(own.name, own.role, own.parameter) for own in spec.variables()] == [
        ("Intercept", "coefficient", "mu"),
        ("x", "coefficient", "mu"),
        ("sigma", "family", "sigma"),
        ("nu", "family", "nu"),
        ("1|g_sigma", "sd", "mu"),
        ("x|g_sigma", "sd", "mu"),
        ("1+x|g_cor", "correlation", "mu"),
        ("1|g", "effect", "mu"),
        ("x|g", "effect", "mu"),
    ]
    assert spec.variable("1|g") == Variable("1|g", ("g__factor_dim",), (("a", "b", "c"),), "mu", "effect")
    assert spec.variable("1+x|g_cor").labels == (("Intercept, x",),)


def test_a_dataset_has_the_variables_in_their_order():
    variables = spec_of("y ~ f + (1 | g)", DATA, "bernoulli").variables()
    values = {own.name: np.zeros((2, 3, *own.shape)) for own in reversed(variables)}
    found = dataset_of(variables, values)
    assert list(found) == [own.name for own in variables]
    assert list(dataset_of(variables, {"1|g": values["1|g"]})) == ["1|g"]
    assert found["1|g"].dims == ("chain", "draw", "g__factor_dim")
