"""What made simulated data lies in intervals of monotonic effects, and of shrunk slopes, as often as these say.

Parameters are drawn from the priors and data from them as `benchmarks.calibration` has it, which shares no code with
hiermod.
"""

import pytest

from benchmarks.calibration.shapes import SHAPES
from tests.calibration.recovery import assert_intervals_of_shape_hold


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["monotonic", "horseshoe", "r2d2"])
def test_intervals_hold_what_made_the_slopes(name):
    assert_intervals_of_shape_hold(SHAPES[name], seed=6)
