"""Central intervals of priors hold what SciPy's distributions say."""

import numpy as np
import pytest
from scipy import stats

from hiermod.modeling.prior_quantiles import QUANTILES, central_interval
from hiermod.modeling.priors import Prior

SCIPY = {
    "Normal": ((0.3, 1.5), stats.norm(0.3, 1.5)),
    "StudentT": ((3.0, 0.2, 2.0), stats.t(3.0, 0.2, 2.0)),
    "Cauchy": ((0.1, 2.0), stats.cauchy(0.1, 2.0)),
    "Laplace": ((0.5, 2.0), stats.laplace(0.5, 2.0)),
    "Logistic": ((1.0, 0.7), stats.logistic(1.0, 0.7)),
    "Uniform": ((-2.0, 5.0), stats.uniform(-2.0, 7.0)),
    "HalfNormal": ((2.0,), stats.halfnorm(scale=2.0)),
    "HalfCauchy": ((2.0,), stats.halfcauchy(scale=2.0)),
    "Exponential": ((0.4,), stats.expon(scale=2.5)),
    "Gamma": ((2.0, 0.1), stats.gamma(2.0, scale=10.0)),
    "InverseGamma": ((0.4, 0.3), stats.invgamma(0.4, scale=0.3)),
    "LogNormal": ((0.2, 0.8), stats.lognorm(0.8, scale=np.exp(0.2))),
}


@pytest.mark.parametrize("name", SCIPY)
def test_central_intervals_are_scipys(name):
    arguments, expected = SCIPY[name]
    np.testing.assert_allclose(central_interval(Prior(name, arguments), 0.9), expected.ppf([0.05, 0.95]), rtol=1e-9)


def test_a_half_t_has_half_of_a_t():
    low, high = central_interval(Prior("HalfStudentT", (3.0, 2.0)), 0.8)
    np.testing.assert_allclose(stats.t.cdf([low / 2.0, high / 2.0], 3.0), [0.55, 0.95])
    assert set(SCIPY) | {"HalfStudentT"} == set(QUANTILES)
