"""A function of formulas is two records: how it is written, and how it is computed."""

from hiermod.data.columns.functions import TRANSFORMS
from hiermod.formula.vocabulary import FUNCTIONS


def test_every_function_that_can_be_written_can_be_computed():
    assert set(TRANSFORMS) == set(FUNCTIONS)
