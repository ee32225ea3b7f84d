"""Names, dims and coordinates of a model's variables; column names that would clash are refused."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import log_density, model_of, spec_of

from hiermod.errors import DataError

RNG = np.random.default_rng(8)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=60),
        "x": RNG.normal(size=60),
        "f": RNG.choice(list("pqr"), 60),
        "b": RNG.choice([True, False], 60),
        "g": RNG.choice(list("abc"), 60),
        "h": RNG.choice(list("uv"), 60),
    }
)


def test_a_correlated_group_term():
    model = model_of("y ~ x + f + (1 + x + f | g)", DATA)
    shapes = {name: value.shape for name, value in model.initial_point().items()}
    assert shapes["f"] == (2,)
    assert shapes["1|g_offset"] == shapes["x|g_offset"] == (3,)
    assert shapes["f|g_offset"] == (3, 2)
    assert shapes["1+x+f|g_cor_offset_logodds__"] == (6,)
    assert list(model.coords["g__factor_dim"]) == ["a", "b", "c"]
    assert list(model.coords["f__expr_dim"]) == list(model.coords["f_dim"]) == ["q", "r"]
    assert {deterministic.name for deterministic in model.deterministics} == {"1|g", "x|g", "f|g", "1+x+f|g_cor"}


def test_labels_of_columns():
    spec = spec_of("y ~ f*b + x:f", DATA)
    assert {block.name: block.row_names() for block in spec.common.blocks} == {
        "Intercept": ["Intercept"],
        "f": ["f[q]", "f[r]"],
        "b": ["b"],
        "f:b": ["f:b[q]", "f:b[r]"],
        "x:f": ["x:f[p]", "x:f[q]", "x:f[r]"],
    }
    assert spec_of("y ~ 0 + b", DATA).common.blocks[0].row_names() == ["b[False]", "b[True]"]


def test_bars_that_code_a_factor_differently_have_dims_of_their_own():
    model = model_of("y ~ (1 + f | g) + (0 + f | h)", DATA)
    start = model.initial_point()
    assert start["f|g_offset"].shape == (3, 2)
    assert start["f|h_offset"].shape == (2, 3)
    for name, count in (("f|g", 2), ("f|h", 3)):
        group, columns = model.named_vars_to_dims[name]
        assert len(model.coords[columns]) == count
        assert group == f"{name[-1]}__factor_dim"
    assert np.isfinite(log_density(model)(start))


def test_bars_that_code_a_factor_alike_share_a_dim():
    model = model_of("y ~ (1 + f | g) + (1 + f | h)", DATA)
    assert model.named_vars_to_dims["f|g"][1] == model.named_vars_to_dims["f|h"][1]


@pytest.mark.parametrize("name", ["x_offset", "x_sigma", "mu", "p", "beta", "model", "1", "x y", "x[0]", "ŷ", "obs"])
def test_predictors_may_be_called_anything_else(name):
    """A name that ends in _offset was a trap: it crashed after sampling."""
    data = DATA.rename(columns={"x": name})
    model = model_of(f"y ~ `{name}` + (1 + `{name}` | g)" if name != "1" else f"y ~ `{name}`", data)
    assert name in model.named_vars
    assert np.isfinite(log_density(model)(model.initial_point()))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("y ~ `1|g` + (1 | g)", ["1|g"]),
        ("y ~ `x|g` + (x | g)", ["x|g"]),
        ("y ~ `1|g_sigma` + (1 | g)", ["1|g_sigma"]),
        ("y ~ `1|g_offset` + (1 | g)", ["1|g_offset"]),
        ("y ~ (`1` | g)", ["1"]),
        ("y ~ f + f_dim", ["f_dim"]),
        ("y ~ g__factor_dim + (1 | g)", ["g__factor_dim"]),
        ("y ~ f__expr_dim + (f | g)", ["f__expr_dim"]),
        ("`1|g` ~ (1 | g)", ["1|g"]),
    ],
)
def test_columns_whose_names_would_clash(text, names):
    data = DATA.assign(**{name: RNG.normal(size=60) for name in names})
    with pytest.raises(DataError, match=r"would be called .* Rename a column"):
        spec_of(text, data)
