"""Every kind of model satisfies one protocol: what is asked of one is asked of the other."""

import inspect
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.errors import DataError
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.protocol import ModelSpec, Question
from hiermod.modeling.spec import Spec

COUNTS = pd.DataFrame({"s": [3, 5, 2, 7], "n": [10, 12, 9, 11], "g": list("abcd"), "x": [0.1, 0.4, -0.3, 0.2]})


@pytest.fixture(params=["normal", "beta"])
def spec(request):
    return hm.model("s/n ~ (1 | g)", COUNTS, pooling=request.param)._defined.spec


def test_the_two_kinds_of_models_have_all_members(spec):
    members = [name for name in vars(ModelSpec) if not name.startswith("_")]
    assert {"formula", "family", "cells", "predictors", "groups", "priors", "variables", "refuses"} <= set(members)
    for name in members:
        found, declared = getattr(spec, name), inspect.getattr_static(ModelSpec, name)
        if not isinstance(declared, property):
            assert list(inspect.signature(found).parameters) == list(inspect.signature(declared).parameters)[1:]


def test_prior_rows_are_those_of_the_table(spec):
    names = [row[0] for row in spec.prior_rows()]
    assert names == (["Intercept", "sd(1|g)"] if isinstance(spec, Spec) else [MEAN, SPREAD, "rate|g"])


def test_a_linear_model_refuses_nothing_and_the_pooled_one_all_that_it_has_not(spec):
    reasons = {question: spec.refuses(question) for question in get_args(Question)}
    assert reasons.pop("observed") is None
    if isinstance(spec, PooledSpec):
        assert all("beta" in reason or "plan()" in reason for reason in reasons.values())
    else:
        assert set(reasons.values()) == {None}


def test_other_cells_of_the_same_groups(spec):
    other = hm.model("s/n ~ (1 | g)", COUNTS.assign(s=[1, 1, 1, 1]))._defined.spec.cells
    moved = spec.with_cells(other)
    assert type(moved) is type(spec)
    assert moved.cells is other
    assert moved.priors == spec.priors
    assert [own.name for own in moved.variables()] == [own.name for own in spec.variables()]
    if isinstance(spec, PooledSpec):
        np.testing.assert_array_equal(moved.events, np.ones(4))


def test_cells_that_leave_no_proper_posterior():
    spec = hm.model("s/n ~ (1 | g)", COUNTS, pooling="beta")._defined.spec
    none = hm.model("s/n ~ (1 | g)", COUNTS.assign(s=0))._defined.spec.cells
    assert spec.improper
    with pytest.raises(DataError, match="no proper posterior"):
        spec.with_cells(none)


def test_what_follows_from_sampled_variables(spec):
    sampled = {MEAN: np.full((2, 5), 0.4), SPREAD: np.full((2, 5), 0.2)}
    derived = spec.derived(sampled, 1)
    names = {own.name for own in spec.variables()}
    assert set(derived) == (set() if isinstance(spec, Spec) else names - set(sampled))
    assert all(values.shape == (2, 5, 4) for values in derived.values())


def test_the_mean_has_the_one_linear_predictor():
    spec = spec_of("s/n ~ x + offset(x) + (1 + x | g)", COUNTS, "binomial(probit)")
    assert list(spec.predictors) == ["mu"]
    predictor = spec.predictors["mu"]
    assert (predictor.parameter, predictor.link.name, predictor.offsets) == ("mu", "probit", ("offset(x)",))
    assert predictor.common is spec.common
    assert {effect.parameter for term in spec.groups for effect in term.effects} == {"mu"}
