"""Central intervals of priors hold what SciPy's distributions say."""

import numpy as np
import pytest

from hiermod.modeling.prior_quantiles import QUANTILES, central_interval
from hiermod.priors.reading import Prior
from tests.truth import SCIPY


@pytest.mark.parametrize("name", SCIPY)
def test_central_intervals_are_scipys(name):
    arguments, expected = SCIPY[name]
    np.testing.assert_allclose(central_interval(Prior(name, arguments), 0.9), expected.ppf([0.05, 0.95]), rtol=1e-9)


def test_every_prior_has_quantiles():
    assert set(SCIPY) == set(QUANTILES)
