"""`Posterior`: its size, the effects of groups, and what it says of how it was made."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.errors import SamplingError
from hiermod.sampling.posterior import Trouble

QUICK = {"seed": 1, "draws": 30, "tune": 60, "chains": 2, "progress": False}


def test_effects_of_a_group_term_come_one_array_an_effect():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"y": rng.normal(size=90), "x": rng.normal(size=90), "f": list("pqr") * 30, "g": [*"aabbc"] * 18}
    )
    posterior = hm.fit("y ~ x + (1 + x + f | g)", frame, **QUICK).sampled_posterior
    (term,) = posterior.spec.groups
    intercept, slope, levels = posterior.effects(term)
    assert posterior.size == 60
    assert (intercept.shape, slope.shape, levels.shape) == ((60, 3, 1), (60, 3, 1), (60, 3, 2))
    np.testing.assert_array_equal(intercept[:, :, 0], posterior.values("1|g"))
    np.testing.assert_array_equal(levels, posterior.values("f|g"))


def test_draws_from_elsewhere_have_no_history():
    model = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"))
    sampled = model.fit(**QUICK).sampled_posterior
    taken = model.with_draws(sampled.tree).sampled_posterior
    assert sampled.history is not None
    assert (taken.history, taken.notices, taken.interrupted) == (None, (), False)
    assert taken.asked == taken.settings


def test_notices_follow_the_history():
    sampled = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), **QUICK).sampled_posterior
    interrupted = dataclasses.replace(sampled, history=dataclasses.replace(sampled.history, interrupted=True))
    assert interrupted.interrupted
    assert interrupted.run_notices[len(sampled.history.reruns)] == "interrupted: 30 draws of 2 chains are kept"
    assert interrupted.notices == ("engine: compiled", *interrupted.run_notices)


def test_trouble_in_words():
    assert str(Trouble(1)) == "1 divergence"
    assert str(Trouble(0, 1.0261, 87.4)) == "R-hat 1.026, ESS 87"
    assert str(Trouble(3, 1.0261, 87.4)) == "3 divergences, R-hat 1.026, ESS 87"


def test_draws_are_taken_by_the_names_of_their_dims():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"y": rng.normal(size=40), "f": ["a", "b", "c", "b"] * 10, "g": np.repeat(["u", "v", "w", "x"], 10)}
    )
    model = hm.model("y ~ f + (f | g)", data)
    variables = model._defined.spec.variables()
    shapes = {one.name: (("chain", "draw", *one.dims), rng.uniform(0, 0.3, (2, 5, *one.shape))) for one in variables}
    draws = xr.Dataset(
        shapes, coords={dim: list(own) for one in variables for dim, own in zip(one.dims, one.labels, strict=True)}
    )
    turned = draws.transpose("f__expr_dim", "g__factor_dim", "draw", ..., "chain").isel(f__expr_dim=[1, 0])
    expected, seen = (model.with_draws(one).predict(data).draws for one in (draws, turned))
    np.testing.assert_array_equal(seen, expected)
    with pytest.raises(SamplingError, match="has the dims a, b; the model's are g__factor_dim, f__expr_dim"):
        model.with_draws(draws.rename(g__factor_dim="a", f__expr_dim="b"))
