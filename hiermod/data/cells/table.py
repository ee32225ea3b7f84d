"""`Cells`: the exactly compressed table that a model sees, with everything learnt about its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.cells.statistics import BinomialCells, MomentCells, PairCells, ResponseCells, ValueCells
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.predictors import Predictor
from hiermod.errors import DataError


@dataclass(frozen=True, eq=False)
class Source:
    """Where the cells come from: rows used, rows left out and why, and what makes a fingerprint of the rows used."""

    rows: int
    missing: int
    without_trials: int
    print_of: Callable[[], str] = field(default=str, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """The same where the rows are the same, in any order; empty of some of the rows of a model."""
        return self.print_of()

    @property
    def _counts(self) -> tuple[int, int, int]:
        return self.rows, self.missing, self.without_trials

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Source):
            return False
        return self._counts == other._counts and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self._counts)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: the fingerprint, and not the rows that it is made of."""
        return {**vars(self), "print_of": partial(str, self.fingerprint)}


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows that share every value the linear predictor sees, as one cell each.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row per cell: its variables (numbers, or categoricals with fixed level order), grouping columns, and those
        columns behind functions that have one value in each cell. `averaged` columns hold means.
    response : BinomialCells, CountCells, RealCells, MomentCells, ValueCells or PairCells
        The sufficient statistics of each cell.
    predictors, groupings : mappings by name
        How each variable and grouping factor is understood.
    recipes : mapping by name
        How variables that are no plain columns are made.
    source : Source
        The rows behind the cells.
    behind : pandas.DataFrame
        Of the rows in memory, in cell order, the numbers that functions made into columns over which cells average.
    """

    frame: pd.DataFrame
    response: ResponseCells
    predictors: Mapping[str, Predictor]
    groupings: Mapping[str, Grouping]
    recipes: Mapping[str, Recipe]
    source: Source
    behind: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def by_patterns(self) -> bool:
        """Whether groups stand for all with their pattern of data, the others being left where they are."""
        return any(grouping.standing_for is not None for grouping in self.groupings.values())

    def size(self) -> str:
        """How many rows in how many cells, or how many patterns of groups, in words."""
        rows = f"{self.source.rows:,} rows"
        if self.by_patterns:
            (own,) = self.groupings.values()
            return f"{rows}, {own.groups:,} groups of {own.name} by {own.size:,} patterns of data"
        return f"{rows} in {len(self):,} cell{'s' * (len(self) > 1)}" if len(self) < self.source.rows else rows

    def table(self) -> pd.DataFrame:
        """The cells as a plain frame: columns, then statistics (``mean_`` where a column has the name ``mean``)."""
        statistics = pd.DataFrame(self.response.table(), index=self.frame.index)
        taken = {name: f"{name}_" for name in statistics if name in self.frame}
        return pd.concat([self.frame, statistics.rename(columns=taken)], axis=1)

    def above_zero(self) -> Cells:
        """The cells of values above 0."""
        response = self.response
        assert isinstance(response, ValueCells)
        keep = response.value > 0.0
        above = ValueCells(response.value[keep], response.count[keep], kept=response.kept.of(keep))
        return replace(self, frame=self.frame[keep].reset_index(drop=True), response=above)

    @cached_property
    def codes(self) -> Mapping[str, np.ndarray]:
        """The level of each cell, by grouping factor."""
        return {name: grouping.codes(self.frame) for name, grouping in self.groupings.items()}

    @property
    def averaged(self) -> tuple[str, ...]:
        """The numeric columns that are means over the rows of a cell, products of several included."""
        return tuple(self.response.moments.columns()) if isinstance(self.response, MomentCells) else ()

    @property
    def differing(self) -> tuple[str, ...]:
        """The numeric columns that differ between the rows of a cell, and are known for each of them."""
        return *self.averaged, *self.behind.columns

    @property
    def rows_kept(self) -> bool:
        """Whether the rows behind the cells are known; an engine that aggregates numbers leaves them where they are."""
        return bool(self.response.rows.any())

    def observations(self) -> tuple[pd.DataFrame, np.ndarray]:
        """The variables of the rows behind the cells, in cell order, and the cell of each; not repeated by weights.

        Raises
        ------
        DataError
            If the rows were left where they are.
        """
        if not self.rows_kept:
            raise DataError(
                "The rows behind these cells were aggregated where the data is, and are not known here. "
                "Give the rows that are needed with data=, or fit a sample of them that fits in memory."
            )
        cell = np.repeat(np.arange(len(self)), self.response.rows)
        frame = self.frame.iloc[cell].reset_index(drop=True)
        if isinstance(self.response, MomentCells):
            columns = dict(zip(self.response.moments.names, self.response.row_columns.T, strict=True))
            frame = pd.concat([frame.drop(columns=list(self.averaged)), pd.DataFrame(columns), self.behind], axis=1)
        return frame, cell

    def as_rows(self) -> tuple[pd.DataFrame, dict[str, object]]:
        """The rows behind the cells, in cell order, each as often as it counts, and their responses by name.

        Successes of bernoulli rows come first within a cell; other responses keep their order.
        """
        times = self.response.row_times.astype(np.int64)
        frame, _ = self.observations()
        frame = frame.iloc[np.repeat(np.arange(len(frame)), times)].reset_index(drop=True)
        if isinstance(self.response, BinomialCells | PairCells):
            pairs = {"successes": self.response.row_successes, "trials": self.response.row_trials}
            return frame, {name: np.repeat(values, times) for name, values in pairs.items()}
        return frame, {"values": np.repeat(self.response.row_values, times)}
