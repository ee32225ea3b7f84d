"""pooling="gamma" as a user meets it: rates of events, what has no mean, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import DataError

SITES = pd.DataFrame({"site": list("abcde"), "y": [3, 4, 10, 0, 22], "e": [1.0, 2.0, 3.0, 0.5, 8.25]})
FORMULA = "y ~ offset(log(e)) + (1 | site)"


@pytest.fixture(scope="module")
def sites():
    return hm.fit(FORMULA, SITES, pooling="gamma", seed=1, progress=False)


def test_a_mean_that_does_not_exist_is_told_by_its_median(sites):
    fixed = sites.summary().fixed
    draws = sites.posterior["rate_mean"].to_numpy()
    assert fixed.loc["rate_mean", "estimate"] == np.median(draws)
    assert np.isnan(fixed.loc["rate_mean", "sd"])
    assert "'rate_mean' are posterior medians" in repr(sites.summary())
    assert np.isfinite(fixed.loc["rate_spread", "sd"])


def test_a_proper_prior_of_the_mean_gives_it_one():
    fit = hm.fit(FORMULA, SITES, pooling="gamma", priors={"rate": "LogNormal(0, 1)"}, seed=1, progress=False)
    assert np.isfinite(fit.summary().fixed["sd"]).all()


@pytest.mark.parametrize("successes", [[3, 0], [0, 4]])
def test_two_groups_with_events_are_needed(successes):
    data = pd.DataFrame({"site": ["a", "b"], "y": successes, "e": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"fewer than 2 groups have events.*Another group with events is needed"):
        hm.fit(FORMULA, data, pooling="gamma", progress=False)


def test_two_groups_with_events_are_enough():
    data = pd.DataFrame({"site": ["a", "b"], "y": [3, 4], "e": [1.0, 2.0]})
    fit = hm.fit(FORMULA, data, pooling="gamma", seed=1, progress=False)
    assert np.isnan(fit.summary().fixed["sd"]).all()
