"""Centring changes the coordinates of a model, never the model, and is done wherever that is possible."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from modeling_tools import spec_of as spec_of_cells

RNG = np.random.default_rng(5)
SIZE = 120
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=SIZE),
        "x": RNG.normal(3.0, 1.0, SIZE),
        "z": RNG.normal(-20.0, 4.0, SIZE),
        "w": RNG.integers(1990, 2025, SIZE),
        "i": RNG.integers(0, 2, SIZE),
        "f": RNG.choice(["a", "b", "c"], SIZE),
        "h": RNG.choice(["p", "q"], SIZE),
        "b": RNG.choice([True, False], SIZE),
    }
)
NUMERIC = ["x", "z", "w"]
PRODUCTS = [":".join(names) for size in (1, 2, 3) for names in itertools.combinations("xzwifhb", size)]
MAINLY = st.sampled_from([*"xzwfh", *"xzwfh", "x:z", "x:f", "x:h", "z:f", "f:h", "x:i", *PRODUCTS])
TERMS = st.lists(MAINLY, min_size=1, max_size=5, unique=True)


def spec_of(text, data):
    """Rows one by one, so that columns can be looked at."""
    return spec_of_cells(text, data, compress=False)


def user_and_centred(spec):
    frame, common = spec.cells.frame, spec.common
    user = np.hstack([block.matrix(frame) for block in common.blocks])
    centred = np.hstack([block.matrix(frame, common.centres) for block in common.blocks])
    return user, centred


def rank(matrix):
    scale = np.abs(matrix).max(axis=0)
    return np.linalg.matrix_rank(matrix / np.where(scale > 0, scale, 1.0), tol=1e-8)


@settings(max_examples=100, deadline=None)
@given(TERMS, st.booleans(), st.integers(0, 2**32 - 1))
def test_the_linear_predictor_is_the_same_in_both_codings(terms, intercept, seed):
    spec = spec_of(f"y ~ {'1' if intercept else '0'} + {' + '.join(terms)}", DATA)
    user, centred = user_and_centred(spec)
    coefficients = np.random.default_rng(seed).normal(size=user.shape[1])
    moved = coefficients + spec.common.shift @ coefficients
    size = np.abs(user) @ np.abs(coefficients) + np.abs(centred) @ np.abs(moved)
    np.testing.assert_allclose(user @ coefficients, centred @ moved, rtol=0, atol=1e-10 * max(size))
    assert np.linalg.det(np.eye(len(moved)) + spec.common.shift) == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(TERMS, st.booleans())
def test_a_predictor_is_centred_exactly_where_the_model_stays_the_same(terms, intercept):
    spec = spec_of(f"y ~ {'1' if intercept else '0'} + {' + '.join(terms)}", DATA)
    user, _ = user_and_centred(spec)
    present = [name for name in NUMERIC if name in spec.formula.common_variables]
    assume(present)
    # from the column space alone: the largest set of predictors whose centring keeps it
    possible = []
    for size in range(len(present) + 1):
        for names in itertools.combinations(present, size):
            centres = {name: DATA[name].mean() for name in names}
            moved = np.hstack([block.matrix(spec.cells.frame, centres) for block in spec.common.blocks])
            if rank(np.hstack([user, moved])) == rank(user):
                possible.append(set(names))
    assert set(spec.common.centres) == set().union(*possible)
    for name, centre in spec.common.centres.items():
        assert centre == pytest.approx(DATA[name].mean(), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "centred"),
    [
        ("x", "x"),
        ("0 + x", ""),
        ("x + z", "xz"),
        ("x:z", ""),
        ("x + x:z", "z"),
        ("x*z", "xz"),
        ("0 + x*z", ""),
        ("x*z*w", "xzw"),
        ("x*z*w - x:z", "xz"),
        ("f + x", "x"),
        ("0 + f + x", "x"),
        ("0 + f:h + x", "x"),
        ("x*f", "x"),
        ("x:f", ""),
        ("f + x:f", "x"),
        ("0 + f + x:f", "x"),
        ("x + x:f", ""),
        ("x*f*h", "x"),
        ("x*i", "x"),
        ("i", ""),
        ("b*x", "x"),
        ("0 + b + x", "x"),
        ("x:b", ""),
    ],
)
def test_which_predictors_are_centred(text, centred):
    assert set(spec_of(f"y ~ {text}", DATA).common.centres) == set(centred)


def test_centres_are_weighted_by_trials():
    frame = pd.DataFrame({"s": [1, 2, 3, 0], "n": [10, 20, 30, 1], "x": [1.0, 2.0, 3.0, 50.0]})
    spec = spec_of("s/n ~ x", frame)
    assert spec.common.centres["x"] == pytest.approx((10 + 40 + 90 + 50) / 61, rel=1e-14)


def test_zero_one_columns_are_never_centred():
    frame = pd.DataFrame(
        {"y": [1.0, 2.0, 4.0, 3.0], "i": [0, 1, 1, 0], "r": [0.0, 1.0, 0.0, 1.0], "b": [True, False] * 2}
    )
    assert spec_of("y ~ i + r + b", frame).common.centres == {}


def test_predictors_inside_a_bar_stay_as_they_are():
    spec = spec_of("y ~ x + (1 + z | f)", DATA)
    assert set(spec.common.centres) == {"x"}
    (term,) = spec.groups
    np.testing.assert_array_equal(term.effects[1].block.matrix(spec.cells.frame)[:, 0], spec.cells.frame["z"])
