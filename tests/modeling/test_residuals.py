"""Responses of which predictors leave nothing: their density has no bound as sigma falls to zero."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.errors import DataError

RNG = np.random.default_rng(3)
ROWS = pd.DataFrame(
    {"x": RNG.normal(size=24), "z": RNG.normal(size=24), "arm": list("ABC") * 8, "g": list("uvwxyz") * 4}
)
OWN = ROWS["g"].map(dict(zip("uvwxyz", RNG.normal(size=6), strict=True)))
EXACT = {
    "1e3 + 2 * x ~ x + z": (1e3 + 2 * ROWS.x, "y ~ x + z", "The response 'y' is a combination of 'x'"),
    "arms": (ROWS.arm.map({"A": 1.0, "B": 2.0, "C": 7.0}), "y ~ arm", r"is a combination of 'arm\[B\]', 'arm\[C\]'"),
    "no intercept": (3 * ROWS.x, "y ~ 0 + x", "is a combination of 'x'"),
    "offset": (3 * ROWS.x + 1, "y ~ z + offset(3 * x)", "The response 'y' is constant"),
    "groups": (OWN, "y ~ z + (1 | g)", "Within the levels of 'g', the response 'y' is constant"),
    "both": (
        OWN - ROWS.x,
        "y ~ x + z + (1 + x | g)",
        "Within the levels of 'g', the response 'y' is a combination of 'x'",
    ),
}


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("family", ["gaussian", "student"])
@pytest.mark.parametrize(("response", "formula", "complaint"), EXACT.values(), ids=EXACT)
def test_nothing_is_left(response, formula, complaint, family, compress):
    refused = spec_of(formula, ROWS.assign(y=response), family, compress=compress)
    with pytest.raises(DataError, match=f"{complaint}.*nothing is left whose spread sigma could be"):
        refused.refuse_exact()
    shaken = response + 1e-5 * RNG.normal(size=len(ROWS))
    spec_of(formula, ROWS.assign(y=shaken), family, compress=compress).refuse_exact()


@pytest.mark.parametrize(("formula", "rows"), [("y ~ x", 2), ("y ~ x + z", 3), ("y ~ (1 | id)", 24)])
def test_as_many_coefficients_as_rows_leave_a_proper_posterior(formula, rows):
    few = ROWS.assign(y=ROWS.x - ROWS.z, id=np.arange(24))[:rows]
    spec_of(formula, few, "gaussian").refuse_exact()


def test_one_row_of_few_that_is_counted_twice_is_refused():
    few = ROWS.assign(y=ROWS.x - ROWS.z, w=2)[:3]
    with pytest.raises(DataError, match="nothing is left"):
        spec_of("y | weights(w) ~ x + z", few, "gaussian").refuse_exact()


def test_a_small_spread_far_from_zero_is_one():
    spec_of("y ~ x + (1 | g)", ROWS.assign(y=1e6 + 0.01 * ROWS.z), "gaussian").refuse_exact()


@pytest.mark.parametrize("family", ["gaussian", "student"])
def test_fits_are_refused_before_sampling(family):
    with pytest.raises(DataError, match="The response 'y' is a combination of 'x'"):
        hm.fit("y ~ x", ROWS.assign(y=2 * ROWS.x), family, progress=False)


def test_counts_and_positive_numbers_have_no_sigma():
    spec_of("y ~ arm", ROWS.assign(y=ROWS.arm.map({"A": 1, "B": 2, "C": 3})), "poisson").refuse_exact()
