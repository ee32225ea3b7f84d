"""Reads and checks the response, and its exact sufficient statistics per cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.frames import check_finite
from hiermod.data.levels import Level, as_levels, kind_of
from hiermod.errors import DataError, enumerate_names
from hiermod.formula.expressions import Arithmetic, Expression, columns, evaluate
from hiermod.formula.nodes import Response, SingleResponse, TrialsResponse

SUCCESSES = ("yes", "y", "true", "t", "success", "1", "positive", "won", "converted", "alive")
MAX_MAPPED = 4
LARGEST = 2.0**53  # counts up to here are exact
ROUNDING = 1e-12  # relative; a count may come as proportion times trials, as in p(rate * n, n)


@dataclass(frozen=True, eq=False)
class TrialsRows:
    """Successes out of trials, a pair a row."""

    successes: np.ndarray
    trials: np.ndarray


@dataclass(frozen=True, eq=False)
class SingleRows:
    """One number a row, and what kind of numbers they are: ``bool``, ``int`` or ``float``."""

    name: str
    values: np.ndarray
    kind: str

    @property
    def binary(self) -> bool:
        """Whether only 0 and 1 occur."""
        return bool(np.isin(self.values, (0.0, 1.0)).all())

    @property
    def whole(self) -> bool:
        """Whether only whole numbers from 0 on occur."""
        return bool(((self.values >= 0) & (self.values == np.round(self.values))).all())


ResponseRows = TrialsRows | SingleRows


def read_response(response: Response, frame: pd.DataFrame) -> ResponseRows:
    """Read the response of rows without missing values.

    Raises
    ------
    DataError
        On text, infinity, negative or fractional counts, and more successes than trials.
    """
    if isinstance(response, SingleResponse):
        return _read_single(response.column, frame[response.column])
    successes = read_counts(response.successes, frame)
    trials = read_counts(response.trials, frame)
    above = np.flatnonzero(successes > trials)
    if len(above):
        first = above[0]
        raise DataError(
            f"More successes than trials in {len(above)} rows: row {frame.index[first]} has {response.successes} = "
            f"{successes[first]:g} and {response.trials} = {trials[first]:g}. {_swap_hint(response)}"
        )
    return TrialsRows(successes, trials)


def _swap_hint(response: TrialsResponse) -> str:
    if isinstance(response.trials, Arithmetic):
        return "Then the failures are negative: correct the data."
    return f"If {response.trials} counts failures, write cbind({response.successes}, {response.trials})."


def _read_single(name: str, values: pd.Series) -> SingleRows:
    kind = kind_of(values)
    if kind in ("date", "mixed"):
        raise DataError(f"The response {name!r} holds {kind} values; numbers, or 0/1 or booleans, can be modelled.")
    if kind == "text" or isinstance(values.dtype, pd.CategoricalDtype):
        levels = as_levels(pd.Index(pd.unique(values)).sort_values())
        raise DataError(
            f"The response {name!r} holds {_named(kind)} ({enumerate_names(levels, 4)}). Say which one is a success, "
            f"and missing values stay missing: {_mapping(name, levels)}"
        )
    numbers = values.to_numpy(dtype=float)
    check_finite(name, numbers, values.index)
    return SingleRows(name, numbers, kind)


def _mapping(name: str, levels: tuple[Level, ...]) -> str:
    """How to make 0/1 of levels; a level that sounds like a success is taken for one, else the last."""
    success = next((level for level in levels if str(level).casefold() in SUCCESSES), levels[-1])
    if len(levels) > MAX_MAPPED:
        return f"data[{name!r}].map({{{success!r}: 1, ...}}), with 0 for each level that is none."
    return f"data[{name!r}] = data[{name!r}].map({ {level: int(level == success) for level in levels} })."


def _named(kind: str) -> str:
    return "text" if kind == "text" else "categories"


def read_counts(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """The counts that an expression of columns without missing values gives, a float a row; else a DataError."""
    for name in columns(expression):
        if kind_of(frame[name]) not in ("int", "float", "bool"):
            raise DataError(f"The response column {name!r} holds {kind_of(frame[name])}, not counts.")
    with np.errstate(divide="ignore", invalid="ignore"):
        values = evaluate(expression, lambda name: frame[name].to_numpy(dtype=float))
    counts = np.broadcast_to(np.asarray(values, dtype=float), (len(frame),)).copy()
    check_finite(str(expression), counts, frame.index)
    whole = np.round(counts)
    counts = np.where(np.abs(counts - whole) <= ROUNDING * np.abs(whole), whole, counts)
    wrongs = ((counts < 0, "negative"), (counts != whole, "fractional"), (counts > LARGEST, "too large to be exact"))
    for wrong, what in wrongs:
        if wrong.any():
            first = np.flatnonzero(wrong)[0]
            raise DataError(
                f"Counts are whole numbers from 0 on; {str(expression)!r} is {what} in {wrong.sum()} rows "
                f"(row {frame.index[first]}: {counts[first]:g})."
            )
    return counts


@dataclass(frozen=True, eq=False)
class BinomialCells:
    """Successes and trials of each cell; the rows' own pairs are kept in cell order."""

    successes: np.ndarray
    trials: np.ndarray
    row_successes: np.ndarray
    row_trials: np.ndarray
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

    @property
    def weight(self) -> np.ndarray:
        """Number of rows of each cell."""
        return self.count

    @property
    def rows(self) -> np.ndarray:
        """Number of rows of each cell."""
        return self.count.astype(np.int64)

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"count": self.count.astype(np.int64), "mean": self.mean, "sum_of_squares": self.within}


ResponseCells = BinomialCells | CountCells | RealCells


def reduce_trials(rows: TrialsRows, cell: np.ndarray, count: int) -> BinomialCells:
    """Sum successes and trials over each cell."""
    order = np.argsort(cell, kind="stable")
    return BinomialCells(
        np.bincount(cell, rows.successes, count),
        np.bincount(cell, rows.trials, count),
        rows.successes[order],
        rows.trials[order],
        np.bincount(cell, minlength=count),
    )


def reduce_counts(rows: SingleRows, cell: np.ndarray, count: int) -> CountCells:
    """Sum counts over each cell; the exposure is the number of rows."""
    order = np.argsort(cell, kind="stable")
    size = np.bincount(cell, minlength=count)
    return CountCells(np.bincount(cell, rows.values, count), size.astype(float), rows.values[order], size)


def reduce_reals(rows: SingleRows, cell: np.ndarray, count: int) -> RealCells:
    """Mean and centred sum of squares of each cell, centred twice so that a large mean costs no digits."""
    size = np.bincount(cell, minlength=count).astype(float)
    shift = rows.values.mean()
    mean = np.bincount(cell, rows.values - shift, count) / size
    residual = rows.values - shift - mean[cell]
    mean += np.bincount(cell, residual, count) / size
    residual = rows.values - shift - mean[cell]
    within = np.bincount(cell, residual**2, count) - np.bincount(cell, residual, count) ** 2 / size
    return RealCells(mean + shift, size, within.clip(min=0), rows.values[np.argsort(cell, kind="stable")])
