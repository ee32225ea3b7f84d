"""What made simulated categories lies in intervals of its posterior as often as these say.

Parameters are drawn from the priors and data from them as `benchmarks.calibration` has it, which shares no code with
hiermod.
"""

import pytest

from benchmarks.calibration.shapes import SHAPES
from tests.calibration.recovery import assert_intervals_of_shape_hold


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["cumulative", "sratio", "cratio", "acat", "categorical"])
def test_intervals_hold_what_made_the_categories(name):
    assert_intervals_of_shape_hold(SHAPES[name], seed=6)
