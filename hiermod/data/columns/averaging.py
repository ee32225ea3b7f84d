"""Which numeric predictors the cells of a real response average over, instead of having a cell for each value."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.moments import Feature, closed
from hiermod.data.columns.numbering import hardly_repeats, number_rows
from hiermod.data.columns.predictors import Factor, Predictor
from hiermod.formula.nodes import Formula

MAX_LEVELS = 50  # a number of so many values is one that questions can be asked by
SAMPLE = 1000


@dataclass(frozen=True)
class Averaging:
    """Variables over which cells average, and the products of their columns that stand in the linear predictor."""

    variables: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns over which cells average."""
        return tuple(feature[0] for feature in self.features if len(feature) == 1)


def choose_averaging(
    formula: Formula, frame: pd.DataFrame, predictors: dict[str, Predictor], recipes: dict[str, Recipe]
) -> Averaging:
    """Average over numbers of many values, where that at least halves what cells hold.

    What is made of several columns is left alone, so that each of these can still be set in questions; and what a
    registered function makes, so that a stored fit can tell whether it is still the same.
    """
    several = {name for name, recipe in recipes.items() if len(recipe.sources) > 1 or recipe.registered}
    possible = [
        name
        for name in formula.variables
        if not isinstance(predictors[name], Factor)
        and name not in several
        and name not in formula.grouping_columns
        and has_many(frame[predictors[name].columns[0]])
    ]
    chosen = averaging_over(formula, predictors, possible)
    if not possible:
        return chosen
    rest = frame.drop(columns=list(chosen.names))
    plain = len(frame) if hardly_repeats(frame) else int(number_rows(frame).max()) + 1
    averaged = len(frame) if hardly_repeats(rest) else int(number_rows(rest).max(initial=0)) + 1
    return chosen if 2 * averaged * _numbers(len(chosen.features)) <= plain * _numbers(0) else Averaging()


def averaging_over(formula: Formula, predictors: dict[str, Predictor], variables: Collection[str]) -> Averaging:
    """Average over given variables."""
    products: list[tuple[str, ...]] = [(name,) for own in variables for name in predictors[own].columns]
    for term in (*formula.common, *(term for group in formula.groups for term in group.terms)):
        own = [predictors[name].columns for name in term.variables if name in variables]
        products.extend(itertools.product(*own))
    return Averaging(tuple(variables), closed(products))


def has_many(values: pd.Series) -> bool:
    """Whether a numeric column has more values than questions can be asked by."""
    numbers = values.to_numpy()
    return len(np.unique(numbers[:SAMPLE])) > MAX_LEVELS or len(pd.unique(numbers)) > MAX_LEVELS


def _numbers(features: int) -> int:
    """How many numbers a cell holds: a count, means, and cross-products."""
    return 1 + (features + 1) + (features + 1) * (features + 2) // 2
