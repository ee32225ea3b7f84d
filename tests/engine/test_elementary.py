"""The engine's exponential and logarithms beside decimal arithmetic of forty digits."""

from decimal import Decimal, localcontext

import numba
import numpy as np
import pytest

from hiermod.engine.kernels.numbers.elementary import exp, log, log1p

CASES = {
    "exp": (exp, Decimal.exp, [(-700.0, 700.0), (-1.0, 1.0), (-1e-8, 1e-8)]),
    "log": (log, Decimal.ln, [(0.5, 2.0), (1e-300, 1e-290), (1.0, 1e300), (1.0 - 1e-8, 1.0 + 1e-8)]),
    "log1p": (log1p, lambda x: (1 + x).ln(), [(0.0, 1.0), (0.414, 0.415), (0.0, 1e-12)]),
}


def of_each(function, x):
    """Values of a function that is inlined where it is called."""

    @numba.njit
    def loop(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    out = np.empty(len(x))
    loop(x, out)
    return out


@pytest.mark.parametrize("name", CASES)
def test_relative_error_is_that_of_rounding(name):
    function, exact, spans = CASES[name]
    x = np.concatenate([np.random.default_rng(1).uniform(low, high, 500) for low, high in spans])
    found = of_each(function, x)
    with localcontext() as context:
        context.prec = 40
        for value, at in zip(found.tolist(), x.tolist(), strict=True):
            truth = exact(Decimal(at))
            assert abs(Decimal(value) - truth) <= abs(truth) * Decimal("3e-16"), at


def test_the_exponential_stays_finite_far_out():
    found = of_each(exp, np.array([-1e6, 0.0, 1e6]))
    np.testing.assert_allclose(found, np.exp([-708.0, 0.0, 709.0]), rtol=1e-15)
