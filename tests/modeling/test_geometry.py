"""The coordinates for sampling leave the posterior as it is."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import QUICK, assert_equal_up_to_one_constant, log_density, random_points, spec_of

from hiermod.data.sources.examples import example
from hiermod.modeling.pymc.model import build_model
from hiermod.modeling.pymc.parts import informed_columns


def frame_of(seed, groups=30, size=3000, spread=2.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(3.0, 1.0, size).round(1),
            "i": rng.integers(0, 2, size),
            "f": rng.choice(["a", "b", "c"], size),
            "g": rng.integers(0, groups, size),
            "h": rng.integers(0, 5, size),
        }
    )
    own = spread * rng.normal(size=(2, groups))
    eta = own[0][frame["g"]] + own[1][frame["g"]] * frame["i"] + 0.1 * frame["x"]
    return frame.assign(
        success=rng.binomial(1, 1 / (1 + np.exp(-eta))),
        count=rng.poisson(np.exp(0.3 * eta)),
        y=eta + rng.normal(size=size),
    )


def columns_of(spec, informed):
    """For each column of each term: whether it is informed, its effect, and where it stands in it."""
    for term, own in zip(spec.groups, informed, strict=True):
        places = [(effect, place) for effect in term.effects for place in range(len(effect.block.columns))]
        yield term, [(effect, place, chosen) for (effect, place), chosen in zip(places, own, strict=True)]


def public_point(spec, informed, point, values):
    """The point of the public model with the same parameters, and the logarithm of the map's determinant."""
    result, change = dict(point), 0.0
    for term, columns in columns_of(spec, informed):
        own = [np.atleast_2d(values[effect.name].T)[place] for effect, place, _ in columns]
        sigma = np.array([np.atleast_1d(values[f"{effect.name}_sigma"])[place] for effect, place, _ in columns])
        size = len(columns)
        correlation = np.eye(size)
        if term.correlated:
            for (row, column), value in zip(term.pairs(), values[term.correlation_name], strict=True):
                correlation[row, column] = correlation[column, row] = value
        factor = np.linalg.cholesky(correlation)
        normals = np.linalg.solve(factor, np.array(own) / sigma[:, None])
        start = 0
        for effect in term.effects:
            stop = start + len(effect.block.columns)
            part = normals[start:stop].T
            result[f"{effect.name}_offset"] = part if effect.block.labels else part[:, 0]
            start = stop
        scales = np.log(sigma * np.diag(factor))
        change -= term.grouping.size * sum(
            scale for scale, (_, _, chosen) in zip(scales, columns, strict=True) if chosen
        )
    return result, change


@pytest.mark.parametrize(
    ("text", "family", "informed"),
    [
        ("success ~ i + (1 + i | g)", "bernoulli", [[True, True]]),
        ("success ~ i + (1 + i | g)", "bernoulli", [[True, False]]),
        ("success ~ i + (1 + i | g)", "bernoulli", [[False, True]]),
        ("success ~ 0 + f + (1 + i || g)", "bernoulli", [[True, True]]),
        ("y ~ x*i + (1 + x + i | g) + (1 | h)", "gaussian", [[True, True, True], [True]]),
        ("y ~ f + (0 + f | g)", "gaussian", [[True, False, True]]),
        ("y ~ f + (f | g)", "gaussian", [[True, True, True]]),
        ("count ~ x + offset(x) + (x | g) + (1 | h)", "poisson", [[False, True], [False]]),
    ],
)
def test_the_density_is_the_public_one_in_other_coordinates(text, family, informed):
    spec = spec_of(text, frame_of(1, groups=6, size=300), family)
    informed = tuple(np.array(own) for own in informed)
    other, public = build_model(spec, informed), build_model(spec)
    names = [variable.name for variable in other.deterministics]
    free = [variable.name for variable in other.free_RVs if not variable.name.endswith("_offset")]
    outputs = [*names, *[name for name in free if name.endswith("_sigma")]]
    made = other.replace_rvs_by_values([other[name] for name in outputs])
    evaluate = other.compile_fn(made, inputs=other.value_vars, mode=QUICK, point_fn=True, on_unused_input="ignore")
    density, expected = log_density(other), log_density(public)
    left, right = [], []
    for point in random_points(other, 10, seed=3, spread=0.3):
        values = dict(zip(outputs, evaluate(point), strict=True))
        moved, change = public_point(spec, informed, point, values)
        left.append(density(point))
        right.append(expected(moved) + change)
    assert_equal_up_to_one_constant(left, right)


def test_informed_groups_are_found():
    assert all(own.all() for own in informed_columns(spec_of("success ~ i + (1 + i | g)", frame_of(2))))
    spec = spec_of("y ~ i + (1 + i | g)", frame_of(2))
    assert all(own.all() for own in informed_columns(spec))
    rows = spec_of("y ~ i + (1 + i | g)", frame_of(2), compress=False)
    assert all(own.all() for own in informed_columns(rows))


@pytest.mark.parametrize("family", ["bernoulli", "gaussian", "poisson"])
def test_groups_that_do_not_differ_are_not_informed(family):
    response = {"bernoulli": "success", "gaussian": "y", "poisson": "count"}[family]
    spec = spec_of(f"{response} ~ i + (1 + i | g)", frame_of(3, spread=0.0), family)
    assert not any(own.any() for own in informed_columns(spec))


def test_few_groups_are_never_sure():
    spec = spec_of("success ~ treated + (1 + treated | country)", example("country"))
    assert not any(own.any() for own in informed_columns(spec))
