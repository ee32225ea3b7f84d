"""Lets the engine that holds a large lazy frame count its rows: distinct rows, or moments, are all that comes here.

Three ways, of which `gather` takes one:

`Engine.patterns`
    For very many groups whose effects may be integrated out: one group of each pattern of data comes here.
`Engine.tally`
    One group-by of the columns that the formula reads. Distinct rows and their counts come here, and everything else is
    computed on these as on rows in memory.
`Engine.summary`
    For a real response of many values: missing values are counted, means and ranges asked for, then sums of products in
    each combination of the columns that are not averaged. Functions are those of `engine_expressions`.

Before either, the first rows tell which columns have many values. notebooks/how_it_works.md shows the queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.columns.functions import Learned, Leveling, Recipe, learn_from_all, transform_of
from hiermod.data.columns.moments import Moments, averaging_over
from hiermod.data.columns.predictors import Basis, EngineVariables, Numeric, Predictor, at, refuse_numbers_as_levels
from hiermod.data.columns.texts import AGGREGATED, MANY
from hiermod.data.columns.values import EXACT, Level, Values, hardly_repeat, has_many
from hiermod.data.pushdown.expressions import EngineRecipe, NotInEngineError, is_present
from hiermod.data.pushdown.patterns import find_patterns, sharing_factor
from hiermod.data.pushdown.sums import grouped_moments, measure, safe_names
from hiermod.data.pushdown.tally import COUNT, Summary, Tally
from hiermod.data.sources.frames import Selected
from hiermod.errors import DataError
from hiermod.formula.expressions import Call, Column, Expression
from hiermod.formula.nodes import CountsResponse, Formula, SingleResponse, TrialsResponse

Frame = nw.LazyFrame[Any]


class Engine:
    """A large lazy frame of the columns that a formula reads, judged by a sample of its first rows."""

    def __init__(self, formula: Formula, selected: Selected, sample: int, rows: int) -> None:
        assert isinstance(selected.frame, nw.LazyFrame)
        self._formula, self._selected, self._frame, self._rows = formula, selected, selected.frame, rows
        self._schema = self._frame.collect_schema()
        self._sample = selected.to_pandas(self._frame.head(sample).collect())
        self.many = {
            name for name, dtype in self._schema.items() if dtype.is_numeric() and has_many(self._sample[name].dropna())
        }
        self._recipe = EngineRecipe(self._teaching(), formula.weights)

    def _teaching(self) -> Frame:
        """The rows that functions learn from: all, or those with a weight or trials where rows have these."""
        response, weights = self._formula.response, self._formula.weights
        trials = response.trials if isinstance(response, TrialsResponse | CountsResponse) else None
        if trials is None and weights is None:
            return self._frame
        complete = self._frame.filter(*(is_present(self._frame, name) for name in self._schema.names()))
        weighty: list[Expression] = [Column(weights)] if weights else []
        weighty += [trials] if trials is not None and trials.columns else []
        with suppress(NotInEngineError):
            for counted in weighty:
                complete = complete.filter(EngineRecipe(complete, None).columns(counted)[0] > 0.0)
        return complete

    def takes_moments(self, real: bool | None) -> bool:
        """Whether the response is a number of many values; `real` tells what the family says, None if none is asked."""
        response = self._formula.response
        plain = real is not False and isinstance(response, SingleResponse)
        return plain and not self.many.isdisjoint(response.columns)

    def tally(self, room: float) -> Tally | None:
        """Count the distinct rows; None where hardly any are equal, or more than `room` numbers would come here."""
        self._refuse_numbers_as_levels()
        coded, kept = self._keys()
        if hardly_repeat(self._sample[kept], self._rows):
            return None
        keys, names = safe_names({**{name: nw.col(name) for name in kept}, **coded})
        made = self._frame.select(**keys)
        if self._rows * len(names) > room and _groups(made, names) * len(names) > room:
            return None
        groups = made.group_by(*names).agg(_count()).sort(*names).collect().rename(names)
        return self._counted(groups, EngineVariables(self._recipes(coded)))

    def patterns(self, room: float, named: tuple[Level, ...]) -> Tally | None:
        """Count rows by patterns of their groups; None where groups share none, or more than `room` numbers come.

        Groups that are `named` stand for themselves alone.
        """
        if sharing_factor(self._formula) is None:
            return None
        self._refuse_numbers_as_levels()
        coded, kept = self._keys()
        columns = {**{name: nw.col(name) for name in kept}, **coded}
        found = find_patterns(self._formula, self._selected, columns, self._sample, room, named)
        if found is None:
            return None
        return found.tally(list(columns), EngineVariables(self._recipes(coded)))

    def _keys(self) -> tuple[dict[str, nw.Expr], list[str]]:
        """The variables whose levels the engine makes, and the columns that rows are counted by as they are."""
        coded = self._coded()
        kept = self._columns_of([name for name in self._formula.variables if name not in coded])
        return coded, list(dict.fromkeys([*self._formula.response.columns, *kept]))

    def summary(self) -> Tally:
        """Count the combinations of columns that are not averaged; take moments of the response and the other columns.

        Raises
        ------
        NotInEngineError
            If the engine cannot compute one of them.
        """
        self._refuse_numbers_as_levels()
        complete, missing, incomplete, weightless = self._complete()
        response = self._formula.response
        assert isinstance(response, SingleResponse)
        (values,) = self._recipe.columns(response.expression)
        averaged, numbers = self._averaged()
        measured = measure(complete, {**numbers, response.name: values})
        predictors = {name: self._predictor(name, columns, measured) for name, columns in averaged.items()}
        centres = {name: mean for name, (mean, _, _) in measured.items()}
        features = averaging_over(self._formula.terms, predictors, averaged).features
        coded = self._coded()
        plain = [name for name in self._formula.variables if name not in (*coded, *averaged)]
        keys = self._columns_of(plain)
        made = {**numbers, response.name: values}
        by = {**{name: nw.col(name) for name in keys}, **coded}
        groups, mean, cross = grouped_moments(complete, by, made, centres, features, response.name)
        moments = Moments(features, {name: centres[name] for name in numbers}, mean[:, :-1], cross)
        recipes = self._recipes([*coded, *(name for name in averaged if name in self._formula.expressions)])
        whole = self._is_whole(response.name) and measured[response.name][1] >= 0
        summary = Summary(mean[:, -1] + centres[response.name], moments, whole, missing, incomplete, weightless)
        taught = self._taught(plain) if incomplete else {}
        return self._counted(groups, EngineVariables(recipes, predictors, taught), summary)

    def _refuse_numbers_as_levels(self) -> None:
        """Refuse plain predictors of many numbers as text by the sample, before all of them are asked for."""
        for name in self._formula.variables:
            texts = None if name in self._formula.expressions else Values(name, self._sample[name]).texts
            if texts and len(texts.distinct) > MANY:
                with at(self._formula, name):
                    refuse_numbers_as_levels(replace(texts, counts=None, rows=None))

    def _taught(self, variables: list[str]) -> dict[str, Recipe]:
        """What functions of columns of few values learn of all rows that have these, since complete ones come here."""
        recipes: dict[str, Recipe] = {}
        if self._formula.weights is not None:  # rows that are not complete have none
            return recipes
        for name in variables:
            if (expression := self._formula.expressions.get(name)) is None:
                continue
            counted = self._frame.select(*expression.columns).group_by(*expression.columns).agg(_count())
            frame = self._selected.to_pandas(counted.sort(*expression.columns).collect())
            count = frame.pop(COUNT).to_numpy(dtype=float)
            with suppress(DataError):  # what stands in the way is left out with the rows that are not complete
                recipes[name] = learn_from_all(name, expression, frame, np.ones(len(frame), dtype=bool), count)
        return recipes

    def _averaged(self) -> tuple[dict[str, list[str]], dict[str, nw.Expr]]:
        """The numeric variables of many values with the names of their columns, and these columns."""
        averaged: dict[str, list[str]] = {}
        numbers: dict[str, nw.Expr] = {}
        for name in self._formula.variables:
            expression = self._formula.expressions.get(name, Column(name))
            transform = transform_of(expression)
            fixed = (*self._formula.grouping_columns, *self._formula.of_further)
            if not self._of_many(name) or isinstance(transform, Leveling) or name in fixed:
                continue
            with at(self._formula, name):
                made = self._recipe.columns(expression)
            basis = isinstance(transform, Learned) and transform.basis
            names = list(Basis(name, len(made)).columns) if basis else [name]
            averaged[name] = names
            numbers |= dict(zip(names, made, strict=True))
        return averaged, numbers

    def _predictor(self, name: str, columns: list[str], measured: dict[str, tuple[float, float, float]]) -> Predictor:
        for _, lowest, highest in (measured[column] for column in columns):
            if lowest == highest and name not in self._formula.all_offsets:
                raise DataError(f"The predictor {name} is constant ({lowest:g} in every row). Leave it out.")
        if columns != [name]:
            return Basis(name, len(columns))
        largest = max(abs(measured[name][1]), abs(measured[name][2]))
        return Numeric(name, self._is_whole(name) and largest <= EXACT)

    def _coded(self) -> dict[str, nw.Expr]:
        """The variables whose levels the engine makes of columns of many values (``cut``), by their codes."""
        made = {}
        for name in self._formula.variables:
            expression = self._formula.expressions.get(name)
            transform = None if expression is None else transform_of(expression)
            if isinstance(transform, Leveling) and transform.engine is not None and self._of_many(name):
                assert isinstance(expression, Call)
                with at(self._formula, name):
                    made[name] = self._recipe.codes(expression, transform)
        return made

    def _of_many(self, variable: str) -> bool:
        return not self.many.isdisjoint(self._formula.sources[variable])

    def _is_whole(self, name: str) -> bool:
        return name in self._schema and self._schema[name].is_integer()

    def _columns_of(self, variables: list[str]) -> list[str]:
        """The columns behind variables, groups and weights."""
        formula = self._formula
        behind = [name for variable in variables for name in formula.sources[variable]]
        weights = (formula.weights,) if formula.weights else ()
        return list(dict.fromkeys([*behind, *formula.grouping_columns, *weights]))

    def _complete(self) -> tuple[Frame, dict[str, int], int, int]:
        """The rows that count; how many have missing values, by column and in all; how many others have no weight."""
        names = self._schema.names()
        present = {name: is_present(self._frame, name) for name in names}
        counts = [(~some).cast(nw.Int64()).sum().alias(f"n{place}") for place, some in enumerate(present.values())]
        every = nw.all_horizontal(*present.values(), ignore_nulls=False)
        weights = self._formula.weights
        weighty = every if weights is None else every & (self._recipe.columns(Column(weights))[0] != 0.0)
        sums = {"complete": every, "weighty": weighty}
        wanted = [rows.cast(nw.Int64()).sum().alias(name) for name, rows in sums.items()]
        found = self._frame.select(*counts, *wanted).collect()
        complete, counting = int(found["complete"][0]), int(found["weighty"][0] or 0)
        if not complete:
            raise DataError(
                f"Nothing is left: all {self._rows} rows have a missing value in a column that the formula names."
            )
        if not counting:
            raise DataError("Nothing is left: every row has 0 trials, or the weight 0.")
        missing = {name: int(found[f"n{place}"][0]) for place, name in enumerate(names)}
        return self._frame.filter(weighty), missing, self._rows - complete, complete - counting

    def _recipes(self, names: Any) -> dict[str, Recipe]:
        return {name: Recipe(name, self._formula.expressions[name], self._recipe.states) for name in names}

    def _counted(self, groups: nw.DataFrame[Any], made: EngineVariables, summary: Summary | None = None) -> Tally:
        frame = self._selected.to_pandas(groups)
        count = frame.pop(COUNT).to_numpy(dtype=np.int64)
        return Tally(frame.set_axis(pd.Index(count, name=AGGREGATED)), count, made, summary)


def _groups(frame: Frame, names: Iterable[str]) -> int:
    return int(frame.group_by(*names).agg(_count()).select(nw.len()).collect().item())


def _count() -> nw.Expr:
    return nw.len().cast(nw.Int64()).alias(COUNT)
