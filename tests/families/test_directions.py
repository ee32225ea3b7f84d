"""Directions: chances from -pi on by integrals of the density, and which numbers are directions."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special

from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError
from hiermod.families.ops import NUMPY
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse

FAMILY = read_family("von_mises")


@pytest.mark.parametrize("kappa", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("eta", [-30.0, -0.8, 0.0, 1.5])
def test_chances_are_areas_below_the_density_from_minus_pi_on(eta, kappa):
    mu = FAMILY.linear(np.array([eta]))
    grid = np.linspace(-np.pi, np.pi, 20_001)
    density = np.exp(FAMILY.log_density(NUMPY, (grid,), mu, kappa))
    area = integrate.cumulative_simpson(density, x=grid, initial=0.0)
    assert area[-1] == pytest.approx(1.0, abs=1e-9)
    for place in (0, 3_000, 10_000, 12_345, 20_000):
        below, up_to = FAMILY.cdf((grid[place],), mu, np.array([kappa]))
        assert below == up_to == pytest.approx(area[place], abs=1e-8)
        assert 0.0 <= below <= 1.0


def test_means_that_are_half_a_turn_away_are_the_same_from_either_side():
    """The tangent of half the angle goes to infinity there."""
    at = np.array([-3.0, 0.0, 2.0, np.pi])
    for eta in (-1e40, 1e40):
        seen = FAMILY.log_density(NUMPY, (at,), FAMILY.linear(np.array(eta)), 2.0)
        exact = -2.0 * np.cos(at) - np.log(2.0 * np.pi * special.i0(2.0))
        np.testing.assert_allclose(seen, exact, rtol=1e-12)
        assert abs(FAMILY.mean(np.array(eta), 2.0)) == pytest.approx(np.pi)


def test_the_variance_is_one_minus_the_length_of_the_mean_direction():
    exact = 1.0 - special.iv(1, 2.0) / special.iv(0, 2.0)
    np.testing.assert_allclose(FAMILY.variance(np.array([0.0, 1.0, -3.0]), 2.0), exact, rtol=1e-12)


def test_directions_go_from_minus_pi_to_pi_with_both():
    def chosen(values):
        return choose_family(FAMILY, read_rows(parse("y ~ 1"), pd.DataFrame({"y": values})).response)

    assert chosen([-np.pi, 0.3, np.pi])[0].name == "von_mises"
    for wrong in (3.2, -3.2):
        with pytest.raises(DataError, match=rf"in radians, from -pi to pi; 'y' holds {wrong}.*np.deg2rad"):
            chosen([0.1, wrong, 0.3])
