"""What a formula of pooled rates may hold: a grouping factor, and columns of it within which rates are pooled."""

from __future__ import annotations

import numpy as np

from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.predictors import Factor
from hiermod.errors import FormulaError, enumerate_names
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.hyperpriors import Hyperprior


def refuse_other_formula(hyperprior: Hyperprior, formula: Formula) -> None:
    """Refuse what is no part of pooled rates, whatever the data.

    Raises
    ------
    FormulaError
        With what can be written instead.
    """
    if len(formula.groups) != 1:
        found = f"{len(formula.groups)} bars" if formula.groups else "no bar"
        raise _error(hyperprior, formula, f"It takes one bar, and here is {found}: {_example(hyperprior)}.")
    if formula.groups[0].terms != (INTERCEPT,):
        group = formula.groups[0].group
        raise _error(hyperprior, formula, f"Rates of groups have no slopes: write (1 | {group}).")
    if formula.offsets and hyperprior.pool == "beta":
        raise _error(hyperprior, formula, "Rates of successes have no exposure: leave offset() out; events by exposure "
                     "are pooled by pooling='gamma'.")  # fmt: skip
    if not formula.common and not formula.intercept:
        raise _error(hyperprior, formula, f"There is no intercept to leave out: {_example(hyperprior)}.")


def read_strata(hyperprior: Hyperprior, formula: Formula, grouping: Grouping, cells: Cells) -> Grouping | None:
    """The combinations of columns within which groups are pooled: those of the common terms, parts of the groups.

    Raises
    ------
    FormulaError
        If terms are not of columns of the crossed grouping factor, or do not tell all their combinations apart.
    """
    if not formula.common:
        return None
    by_term = [
        [_column(hyperprior, formula, grouping, cells, own) for own in term.variables] for term in formula.common
    ]
    columns = list(dict.fromkeys(column for own in by_term for column in own))
    if not any(set(own) == set(columns) for own in by_term):
        remedy = (
            f"Segments do not add up: write {':'.join(columns)}, for each combination of them a distribution of rates."
        )
        raise _error(hyperprior, formula, remedy)
    if len(columns) == len(grouping.columns):
        raise _error(hyperprior, formula, f"{enumerate_names(columns)} are the groups themselves, which are pooled: "
                     f"write (1 | {grouping.name}) alone, or let groups be parts of the segments.")  # fmt: skip
    places = [list(grouping.columns).index(column) for column in columns]
    codes = np.unique(grouping.combinations[:, places], axis=0)
    return Grouping({column: grouping.columns[column] for column in columns}, codes)


def stratum_of_groups(grouping: Grouping, strata: Grouping) -> np.ndarray:
    """The stratum of each group."""
    places = [list(grouping.columns).index(column) for column in strata.columns]
    return np.unique(grouping.combinations[:, places], axis=0, return_inverse=True)[1].reshape(-1)


def _column(hyperprior: Hyperprior, formula: Formula, grouping: Grouping, cells: Cells, variable: str) -> str:
    """The column of the groups that a variable of a common term stands for."""
    recipe = cells.recipes.get(variable)
    sources = (variable,) if recipe is None else recipe.sources
    place = formula.places.get(variable)
    if len(sources) != 1 or sources[0] not in grouping.columns:
        within = ":".join([sources[0], *grouping.columns])
        leveled = len(sources) == 1 and isinstance(cells.predictors.get(variable), Factor)
        pool = f"to pool within its levels write (1 | {within}); " if leveled else ""
        remedy = f"{variable!r} is no part of the groups: {pool}as a predictor it needs pooling='normal'."
        raise _error(hyperprior, formula, remedy, place)
    (column,) = sources
    if len(grouping.columns[column]) > 2 and not isinstance(cells.predictors[variable], Factor):
        message = f"{variable!r} holds numbers, which have a slope. Write factor({variable}) to pool within its levels."
        raise FormulaError(message, formula.text, *(place or (0, len(formula.text))))
    return column


def _example(hyperprior: Hyperprior) -> str:
    left = "s/n" if hyperprior.pool == "beta" else "y"
    return f"{left} ~ (1 | g), or within segments {left} ~ segment + (1 | segment:g)"


def _error(
    hyperprior: Hyperprior, formula: Formula, remedy: str, place: tuple[int, int] | None = None
) -> FormulaError:  # fmt: skip
    start, end = place or (formula.text.find("~") + 1, len(formula.text))
    message = (
        f"pooling={hyperprior.pooling!r} is for the rates of groups alone. {remedy} Other models are those of "
        "pooling='normal'."
    )
    return FormulaError(message, formula.text, start, end)
