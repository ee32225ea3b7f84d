"""From rows to cells: groups rows that agree in all that the linear predictor sees, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hiermod.data.cells.kept import Fingerprint, own_rows
from hiermod.data.cells.rows import Rows, read_rows
from hiermod.data.cells.statistics import REDUCERS, ResponseCells, reduce_moments, reduce_tallies
from hiermod.data.cells.table import Cells, Source
from hiermod.data.columns.bounds import BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.moments import Averaging, averaging_over
from hiermod.data.columns.predictors import Factor
from hiermod.data.columns.responses import MomentRows, ResponseRows, SingleRows, TallyRows, TrialsRows
from hiermod.data.columns.values import Level, count_distinct, hardly_repeats, has_many, number_and_first, once
from hiermod.data.pushdown.tally import PREFIX
from hiermod.formula.nodes import Formula


class Likelihood(Protocol):
    """What cells must know of a family."""

    @property
    def statistic(self) -> str:
        """Which statistics of a cell are sufficient for it."""


def read_cells[F: Likelihood, *Said](
    formula: Formula, data: Any, choose: Callable[[ResponseRows], tuple[F, *Said]], *, na: str, compressed: bool,
    real: bool | None, complete: tuple[str, ...] = (), patterns: Callable[[F], bool] | None = None,
    named: tuple[Level, ...] = (),
) -> tuple[Cells, tuple[F, *Said], tuple[str, ...]]:  # fmt: skip
    """Read the rows that a formula uses, and compress them as the family that `choose` finds for the response needs.

    Rows that lack a value in one of the other columns `complete` are left out, too. Where `patterns` are said to be
    enough for the family, one of very many groups may stand for all with its pattern of data; `named` ones do not.

    Returns
    -------
    cells : Cells
    chosen : tuple
        What `choose` gave: the family, and what is said of it.
    notices : tuple of str
        What is to be told of the rows.
    """
    rows = read_rows(formula, data, na, compressed, real, complete, None if patterns is None else named)
    chosen = choose(rows.response)
    shared = any(grouping.standing_for is not None for grouping in rows.groupings.values())
    if shared and patterns is not None and not patterns(chosen[0]):
        rows = read_rows(formula, data, na, compressed, real, complete)
        chosen = choose(rows.response)
    return compress(rows, chosen[0].statistic, compressed), chosen, rows.notices


def compress(rows: Rows, statistic: str, enabled: bool = True) -> Cells:
    """Group rows into cells.

    Parameters
    ----------
    rows : Rows
        What `read_rows` gave.
    statistic : {"trials", "count", "real", "values", "pairs", "categories", "bounds", "precision", "errors"}
        Which sufficient statistics the family needs. Cells of real responses average over numeric predictors of many
        values, where that pays, and hold their cross-products. Those of values, and of pairs of successes and trials,
        hold rows that are equal in the response too.
    enabled : bool
        False keeps each row as a cell of its own.
    """
    averaging = _averaging(rows, statistic, enabled)
    key = pd.concat([_key(rows, averaging), _seen_of(rows.response, statistic)], axis=1)
    alone = not enabled or hardly_repeats(key)
    cell, first = (np.arange(len(rows.frame)),) * 2 if alone else number_and_first(key)
    count = len(first)
    frame, settled = rows.frame.drop(columns=list(averaging.names)), _settled(rows.sources, cell, first)
    frame = pd.concat([frame, settled], axis=1)
    chosen = frame.iloc[first].copy() if len(first) == len(frame) else frame.iloc[first]  # all may come without a copy
    frame = _widened(chosen.reset_index(drop=True))
    response = own_rows(rows.response)
    source = _light(rows, response, frame, cell)
    if statistic in ("trials", "pairs") and isinstance(response, SingleRows):
        response = TrialsRows(response.values, once(len(response.values)), response.times)
    reduced: ResponseCells
    if averaging.features and isinstance(response, SingleRows):
        names = list(averaging.names)
        numbers = pd.DataFrame(rows.frame[names].to_numpy(dtype=float, copy=True), columns=names)
        reduced = moments = reduce_moments(response, cell, count, averaging.features, numbers)
        frame = pd.concat([frame, pd.DataFrame(moments.moments.columns())], axis=1)
    elif isinstance(response, TallyRows):
        reduced, whose = reduce_tallies(response, cell, count)
        frame = frame.iloc[whose].reset_index(drop=True)
    else:
        reduced = REDUCERS[statistic](response, cell, count)
    variables, behind = rows.variables, _behind(rows, averaging, settled.columns, cell)
    return Cells(frame, reduced, variables.predictors, rows.groupings, variables.recipes, source, behind)


def _widened(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers of cells in whatever memory they came, as 64 bits, with which can be calculated."""
    narrow = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, np.dtype) and dtype.kind in "iu"]
    return frame.astype(dict.fromkeys(narrow, np.int64))


def _light(rows: Rows, response: ResponseRows, frame: pd.DataFrame, cell: np.ndarray) -> Source:
    """Where rows come from, without what cells know of them."""
    printed = rows.source.print_of
    assert isinstance(printed, Fingerprint)
    return replace(rows.source, print_of=printed.by_cells(frame, response, cell))


def _seen_of(response: ResponseRows, statistic: str) -> pd.DataFrame:
    """What rows of one cell share of the response: all of it where a family has no statistics for sums."""
    if statistic not in ("values", "pairs", "categories", "bounds", "errors") or isinstance(response, TallyRows):
        return pd.DataFrame(index=pd.RangeIndex(len(response.times)))
    if isinstance(response, TrialsRows):
        return pd.DataFrame({f"{PREFIX}successes": response.successes, f"{PREFIX}trials": response.trials})
    parts = response.parts if isinstance(response, BoundedRows | MeasuredRows) else {"value": response.values}
    return pd.DataFrame({f"{PREFIX}{name}": part for name, part in parts.items()})


def _averaging(rows: Rows, statistic: str, enabled: bool) -> Averaging:
    if statistic != "real" or not enabled:
        return Averaging()
    variables = candidates(rows)
    averaging = averaging_over(rows.formula.terms, rows.variables.predictors, variables)
    if isinstance(rows.response, MomentRows) or not variables:
        return averaging
    plain = count_distinct(rows.frame)
    averaged = count_distinct(rows.frame.drop(columns=list(averaging.names)))
    return averaging if pays(plain, averaged, len(averaging.features)) else Averaging()


def candidates(rows: Rows) -> tuple[str, ...]:
    """The variables that an engine has averaged; of rows in memory, the numbers of many values.

    What is made of several columns is left alone, so that each of these can still be set in questions; and what a
    registered function makes, so that a stored fit can tell whether it is still the same.
    """
    if isinstance(rows.response, MomentRows):
        return rows.variables.averaged
    predictors, recipes = rows.variables.predictors, rows.variables.recipes
    fixed = {name for name, recipe in recipes.items() if len(recipe.sources) > 1 or recipe.registered}
    return tuple(
        name
        for name in rows.formula.variables
        if not isinstance(predictors[name], Factor)
        and name not in fixed
        and name not in rows.formula.grouping_columns
        and name not in rows.formula.of_further
        and has_many(rows.frame[predictors[name].columns[0]])
    )


def pays(plain: int, averaged: int, features: int) -> bool:
    """Whether so many averaged cells with moments of features hold at most half of what plain cells do."""
    return 2 * averaged * _numbers(features) <= plain * _numbers(0)


def _numbers(features: int) -> int:
    """How many numbers a cell holds: a count, means, and cross-products."""
    return 1 + (features + 1) + (features + 1) * (features + 2) // 2


def _key(rows: Rows, averaging: Averaging) -> pd.DataFrame:
    """What rows of one cell share: the variables, and the columns behind numeric ones, so that these can be set.

    Columns behind factors that a formula makes (``cut(age, 3)``), behind offsets, and behind variables over which the
    cell averages may differ within it.
    """
    predictors, recipes = rows.variables.predictors, rows.variables.recipes
    free = (*averaging.variables, *rows.formula.all_offsets)
    numeric = [name for name in recipes if not isinstance(predictors[name], Factor) and name not in free]
    behind = {source for name in numeric for source in recipes[name].sources}
    variables = rows.frame.drop(columns=list(averaging.names))
    return pd.concat([variables, rows.sources[[name for name in rows.sources if name in behind]]], axis=1)


def _behind(rows: Rows, averaging: Averaging, settled: pd.Index, cell: np.ndarray) -> pd.DataFrame:
    """The columns behind averaged ones, a row of the data each, in the order of cells; none where rows are not kept."""
    if isinstance(rows.response, MomentRows):
        return pd.DataFrame()
    recipes = rows.variables.recipes
    names = {source for name in averaging.variables if name in recipes for source in recipes[name].sources}
    names -= {*settled, *averaging.names, *rows.frame}
    kept = [name for name in rows.sources if name in names and is_numeric_dtype(rows.sources[name])]
    if not kept:
        return pd.DataFrame(index=pd.RangeIndex(len(cell)))
    return rows.sources[kept].iloc[np.argsort(cell, kind="stable")].reset_index(drop=True)


def _settled(sources: pd.DataFrame, cell: np.ndarray, first: np.ndarray) -> pd.DataFrame:
    """The columns that have one value in each cell, so that questions can be asked by them."""
    same = []
    for name in sources.columns:
        column = sources[name]
        values = column.cat.codes.to_numpy() if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
        if (values == values[first[cell]]).all():
            same.append(name)
    return sources[same]
