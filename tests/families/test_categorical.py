"""The family of categories without an order against SciPy's softmax, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError
from hiermod.families.ops import NUMPY
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse

ETAS = np.random.default_rng(4).normal(0.0, 2.0, (3, 50))  # of the second category on
EXACT = special.softmax(np.vstack([np.zeros(50), ETAS]), axis=0)


@pytest.fixture(scope="module")
def family():
    return read_family("categorical").of_categories(("a", "b", "c", "d"))


def arguments(family):
    """The linear predictors of all categories: 0 of the first, the reference."""
    return family.linear(np.zeros(50)), *ETAS


def chosen(values):
    rows = read_rows(parse("y ~ 1"), pd.DataFrame({"y": values}))
    return choose_family(read_family("categorical"), rows.response)


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_densities_and_chances_are_those_of_the_softmax(family, place):
    seen = family.log_density(NUMPY, (float(place),), *arguments(family))
    np.testing.assert_allclose(seen, np.log(EXACT[place - 1]), rtol=1e-12, atol=1e-13)
    below, up_to = family.cdf((float(place),), *arguments(family))
    np.testing.assert_allclose(below, EXACT[: place - 1].sum(axis=0), atol=1e-14)
    np.testing.assert_allclose(up_to, EXACT[:place].sum(axis=0), atol=1e-14)
    assert (up_to <= 1.0).all()


def test_sums_of_weights_are_over_the_chances(family):
    seen = family.weighted([1.0, 0.0, 0.0, 2.5], *arguments(family))
    np.testing.assert_allclose(seen, EXACT[0] + 2.5 * EXACT[3], rtol=1e-12)
    np.testing.assert_allclose(family.expected.value(*arguments(family)), np.array([1, 2, 3, 4]) @ EXACT, rtol=1e-12)


def test_draws_have_the_chances(family):
    drawn = family.draw(np.random.default_rng(1), (40_000,), family.linear(np.zeros(1)), 1.0, *ETAS[:, :1])
    seen = np.array([(drawn == place).mean() for place in (1.0, 2.0, 3.0, 4.0)])
    assert seen.sum() == 1.0
    np.testing.assert_allclose(seen, EXACT[:, 0], atol=4.5 * 0.5 / 200.0)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (["a", "b"] * 3, r"three categories or more; 'y' holds 'a', 'b'\. Of two .* the second: family='bernoulli'"),
        (["a"] * 4, r"holds 'a'\. Nothing varies"),
        ([f"l{place}" for place in range(51)], r"'y' holds 51 categories, and at most 50"),
        ([0.5, 1.0, 2.0, 3.0], r"takes text, a factor or whole numbers; 'y' holds other numbers"),
        (["a b", "a-b", "b", "c", "ab"], r"The categories .*ab.* would have parameters of one name"),
        (["a", "♥", "b"], r"The categories '♥' would have parameters of one name, or of none"),
    ],
)
def test_what_is_no_response_of_categories_is_refused(values, match):
    with pytest.raises(DataError, match=match):
        chosen(values)


def test_fifty_categories_and_three_are_taken():
    assert len(chosen([f"l{place:02}" for place in range(50)])[0].parameters) == 49
    family, notice = chosen([3, 1, 2, 1])
    assert family.auxiliary == ("mu2", "mu3")
    assert "1 is the reference" in notice
    assert family.parameters[1].words == "log odds of 3 against 1"


def test_predictors_are_named_by_letters_and_digits_of_categories():
    assert chosen(["a", "very good", "is_b!"])[0].auxiliary == ("muis_b", "muverygood")
