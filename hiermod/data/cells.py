"""`Cells`: the exactly compressed table that a model sees, with everything learnt about its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from hiermod.data.predictors import Grouping, Predictor
from hiermod.data.responses import BinomialCells, ResponseCells


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
        A row per cell: its predictors (numbers, or categoricals with fixed level order) and grouping columns.
    response : BinomialCells, CountCells or RealCells
        The sufficient statistics of each cell.
    predictors, groupings : mappings by name
        How each column and grouping factor is understood.
    source : Source
        The rows behind the cells.
    """

    frame: pd.DataFrame
    response: ResponseCells
    predictors: Mapping[str, Predictor]
    groupings: Mapping[str, Grouping]
    source: Source

    def __len__(self) -> int:
        return len(self.frame)

    def table(self) -> pd.DataFrame:
        """The cells as a plain frame: columns, then statistics (``mean_`` where a column has the name ``mean``)."""
        statistics = pd.DataFrame(self.response.table(), index=self.frame.index)
        taken = {name: f"{name}_" for name in statistics if name in self.frame}
        return pd.concat([self.frame, statistics.rename(columns=taken)], axis=1)

    def as_rows(self) -> tuple[pd.DataFrame, dict[str, object]]:
        """The rows behind the cells, in cell order, and their responses by name.

        Successes of bernoulli rows come first within a cell; other responses keep their order.
        """
        frame = self.frame.loc[self.frame.index.repeat(self.response.rows)].reset_index(drop=True)
        if isinstance(self.response, BinomialCells):
            return frame, {"successes": self.response.row_successes, "trials": self.response.row_trials}
        return frame, {"values": self.response.row_values}
