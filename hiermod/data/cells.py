"""`Cells`: the exactly compressed table that a model sees, with everything learnt about its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.predictors import Grouping, Predictor
from hiermod.data.recipes import Recipe
from hiermod.data.statistics import BinomialCells, ResponseCells


@dataclass(frozen=True)
class Source:
    """Where the cells come from: rows used, rows left out and why, and a fingerprint of the rows used."""

    rows: int
    missing: int
    without_trials: int
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows that share every value the linear predictor sees, as one cell each.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row per cell: its variables (numbers, or categoricals with fixed level order), grouping columns, and those
        columns behind functions that have one value in each cell.
    response : BinomialCells, CountCells or RealCells
        The sufficient statistics of each cell.
    predictors, groupings : mappings by name
        How each variable and grouping factor is understood.
    recipes : mapping by name
        How variables that are no plain columns are made.
    source : Source
        The rows behind the cells.
    """

    frame: pd.DataFrame
    response: ResponseCells
    predictors: Mapping[str, Predictor]
    groupings: Mapping[str, Grouping]
    recipes: Mapping[str, Recipe]
    source: Source

    def __len__(self) -> int:
        return len(self.frame)

    def table(self) -> pd.DataFrame:
        """The cells as a plain frame: columns, then statistics (``mean_`` where a column has the name ``mean``)."""
        statistics = pd.DataFrame(self.response.table(), index=self.frame.index)
        taken = {name: f"{name}_" for name in statistics if name in self.frame}
        return pd.concat([self.frame, statistics.rename(columns=taken)], axis=1)

    def as_rows(self) -> tuple[pd.DataFrame, dict[str, object]]:
        """The rows behind the cells, in cell order, each as often as it counts, and their responses by name.

        Successes of bernoulli rows come first within a cell; other responses keep their order.
        """
        times = self.response.row_times.astype(np.int64)
        cells = np.repeat(np.repeat(np.arange(len(self)), self.response.rows), times)
        frame = self.frame.iloc[cells].reset_index(drop=True)
        if isinstance(self.response, BinomialCells):
            pairs = {"successes": self.response.row_successes, "trials": self.response.row_trials}
            return frame, {name: np.repeat(values, times) for name, values in pairs.items()}
        return frame, {"values": np.repeat(self.response.row_values, times)}
