"""What made simulated categories lies in intervals of its posterior as often as these say.

Parameters are drawn from the priors and data from them as `benchmarks.calibration` has it, which shares no code with
hiermod.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from benchmarks.calibration.shapes import SHAPES
from tests.calibration.recovery import DATA_SETS, SETTINGS, assert_calibrated


def errors(name, seed):
    """A row per data set and parameter: ``name``, its ``rank`` among draws as a share, its ``standardised`` error."""
    shape, rng, found = SHAPES[name], np.random.default_rng(seed), []
    while len({number for number, *_ in found}) < DATA_SETS:
        number = rng.integers(2**31)
        truth = shape.model.draw_parameters(rng)
        data = shape.model.simulate_response(truth, rng)
        if name == "categorical" and data["y"].nunique() < 3:
            continue  # a category that does not occur is none without an order
        fit = hm.fit(shape.formula, data, shape.family, priors=shape.model.priors, seed=int(number), **SETTINGS)
        for variable, values in truth.items():
            if not variable.endswith("|g"):  # effects of groups are exchangeable, and many
                draws = fit.posterior[variable].values.reshape(-1, values.size)
                for place, value in enumerate(values.ravel()):
                    own = draws[:, place]
                    found.append(
                        (number, f"{variable}[{place}]", (own < value).mean(), (value - own.mean()) / own.std())
                    )
    return pd.DataFrame(found, columns=["set", "name", "rank", "standardised"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cumulative", "sratio", "categorical"])
def test_intervals_hold_what_made_the_categories(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_calibrated(errors(name, seed=6))
