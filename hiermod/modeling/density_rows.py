"""The rows on which a density is computed: the cells, and rows that stand for the spread within them.

A Gaussian likelihood sees rows through their cross-products alone. So where cells average over numeric predictors, the
rows of a cell may be replaced by their mean and by the rows of a factor R of their centred cross-products (R'R is what
the rows give): every linear predictor leaves the same sum of squares on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hiermod.data.cells.statistics import MomentCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.modeling.coding import Block, Column


@dataclass(frozen=True)
class Segment:
    """Rows that enter the likelihood by one kernel: those from `first` up to `last`, which is not among them.

    The kernel ``plain`` is the density of the response as it was observed; compiled code has kernels of families.
    """

    kernel: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Observed:
    """Cells and, below them, the rows of `factor`: ``(cells, rows, features + 1)``, the response last."""

    cells: Cells
    factor: np.ndarray

    def __len__(self) -> int:
        return len(self.cells) + self.response.size

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What the likelihood is made of; together they hold every row once, in order."""
        return (Segment("plain", 0, len(self)),)

    @property
    def response(self) -> np.ndarray:
        """What the rows below the cells hold of the response."""
        return self.factor[:, :, -1].ravel()

    def matrix(self, block: Block) -> np.ndarray:
        """A term's columns, shape ``(rows, columns)``."""
        return np.column_stack([self.column(column, parameter=block.parameter) for column in block.columns])

    def column(
        self, column: Column, centres: Mapping[str, float] | None = None, parameter: str = "mu"
    ) -> np.ndarray:  # fmt: skip
        """One column of the design, shape ``(rows,)``; predictors in `centres` have these taken off.

        In the linear predictor of another parameter than mu, rows below the cells have what their cells have.
        """
        mean, within = self._parts(column, centres or {})
        if parameter != "mu":
            within = np.broadcast_to(mean[:, None], within.shape)
        return np.concatenate([mean, within.ravel()])

    def codes(self, grouping: Grouping) -> np.ndarray:
        """The level of each row."""
        codes = self.cells.codes[grouping.name]
        return np.concatenate([codes, np.repeat(codes, self.factor.shape[1])])

    def offset(self, names: Iterable[str], parameter: str = "mu") -> np.ndarray:
        """The sum of offsets of a linear predictor, shape ``(rows,)``, on the link scale."""
        columns = (self.column(Column((name,)), parameter=parameter) for name in names)
        return np.asarray(sum(columns, np.zeros(len(self))))

    def mean(self, column: Column) -> float:
        """The mean of a column over the data."""
        return float(np.average(self._parts(column, {})[0], weights=self.cells.response.weight))

    def sd(self, column: Column, centres: Mapping[str, float]) -> float:
        """The standard deviation (ddof 0) of a column over the data; predictors in `centres` have these taken off."""
        weight = self.cells.response.weight
        with np.errstate(over="ignore"):
            mean, within = self._parts(column, centres)
            between = (weight * (mean - np.average(mean, weights=weight)) ** 2).sum()
            return float(np.sqrt((between + (within**2).sum()) / weight.sum()))

    def is_binary(self, column: Column, centres: Mapping[str, float]) -> bool:
        """Whether a column holds 0 and 1 alone."""
        mean, within = self._parts(column, centres)
        return bool(np.isin(mean, (0.0, 1.0)).all()) and not within.any()

    def _parts(self, column: Column, centres: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """A column's mean in each cell, and what the rows of `factor` hold of it, ``(cells, rows)``."""
        response = self.cells.response
        averaged = [name for name in column.numerics if isinstance(response, MomentCells)
                    and name in response.moments.names]  # fmt: skip
        if not isinstance(response, MomentCells) or not averaged:
            return column.values(self.cells.frame, centres), np.zeros(self.factor.shape[:2])
        rest = replace(column, numerics=tuple(name for name in column.numerics if name not in averaged))
        outer = rest.values(self.cells.frame, centres)
        within = response.moments.within(averaged, centres, self.factor)
        return outer * response.moments.means_of(averaged, centres), outer[:, None] * within


def observe(cells: Cells) -> Observed:
    """The rows for a density of cells; no more than the cells where these do not average over predictors."""
    moments = cells.response.moments if isinstance(cells.response, MomentCells) else None
    return Observed(cells, np.zeros((len(cells), 0, 1)) if moments is None else moments.factor)
