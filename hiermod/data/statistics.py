"""The exact sufficient statistics of a response in each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hiermod.data.responses import SingleRows, TrialsRows


@dataclass(frozen=True, eq=False)
class BinomialCells:
    """Successes and trials of each cell; the rows' own pairs, and how often they count, are kept in cell order."""

    successes: np.ndarray
    trials: np.ndarray
    row_successes: np.ndarray
    row_trials: np.ndarray
    row_times: np.ndarray
    rows: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Trials of each cell."""
        return self.trials

    @property
    def mean(self) -> np.ndarray:
        """Raw success rate of each cell."""
        return self.successes / self.trials

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"successes": self.successes.astype(np.int64), "trials": self.trials.astype(np.int64)}


@dataclass(frozen=True, eq=False)
class CountCells:
    """Sum and exposure (number of rows) of each cell; the rows' own counts are kept in cell order."""

    total: np.ndarray
    exposure: np.ndarray
    row_values: np.ndarray
    row_times: np.ndarray
    rows: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Exposure of each cell."""
        return self.exposure

    @property
    def mean(self) -> np.ndarray:
        """Raw rate of each cell."""
        return self.total / self.exposure

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"total": self.total.astype(np.int64), "exposure": self.exposure.astype(np.int64)}


@dataclass(frozen=True, eq=False)
class RealCells:
    """Mean, count and centred sum of squares of each cell; the rows' own values are kept in cell order."""

    mean: np.ndarray
    count: np.ndarray
    within: np.ndarray
    row_values: np.ndarray
    row_times: np.ndarray
    rows: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Number of rows that each cell stands for."""
        return self.count

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"count": self.count.astype(np.int64), "mean": self.mean, "sum_of_squares": self.within}


ResponseCells = BinomialCells | CountCells | RealCells


def reduce_trials(rows: TrialsRows, cell: np.ndarray, count: int) -> BinomialCells:
    """Sum successes and trials over each cell."""
    order = np.argsort(cell, kind="stable")
    return BinomialCells(
        np.bincount(cell, rows.successes * rows.times, count),
        np.bincount(cell, rows.trials * rows.times, count),
        rows.successes[order], rows.trials[order], rows.times[order], np.bincount(cell, minlength=count),
    )  # fmt: skip


def reduce_counts(rows: SingleRows, cell: np.ndarray, count: int) -> CountCells:
    """Sum counts over each cell; the exposure is the number of rows."""
    order = np.argsort(cell, kind="stable")
    total, exposure = np.bincount(cell, rows.values * rows.times, count), np.bincount(cell, rows.times, count)
    return CountCells(total, exposure, rows.values[order], rows.times[order], np.bincount(cell, minlength=count))


def reduce_reals(rows: SingleRows, cell: np.ndarray, count: int) -> RealCells:
    """Mean and centred sum of squares of each cell, centred twice so that a large mean costs no digits."""
    times, order = rows.times, np.argsort(cell, kind="stable")
    size = np.bincount(cell, times, count)
    shift = np.average(rows.values, weights=times)
    mean = np.bincount(cell, times * (rows.values - shift), count) / size
    residual = rows.values - shift - mean[cell]
    mean += np.bincount(cell, times * residual, count) / size
    residual = rows.values - shift - mean[cell]
    within = np.bincount(cell, times * residual**2, count) - np.bincount(cell, times * residual, count) ** 2 / size
    return RealCells(
        mean + shift, size, within.clip(min=0), rows.values[order], times[order], np.bincount(cell, minlength=count)
    )
