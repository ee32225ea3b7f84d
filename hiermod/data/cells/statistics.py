"""The exact sufficient statistics of a response in each cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.cells.kept import Kept
from hiermod.data.columns.bounds import PARTS, BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.moments import Feature, Moments, feature_values, response_moments
from hiermod.data.columns.responses import MomentRows, SingleRows, TallyRows, TrialsRows
from hiermod.data.columns.values import Level, first_of, is_once, scores_of


@dataclass(frozen=True, eq=False, kw_only=True)
class KeptRows:
    """Cells whose rows are known one by one, if there are any here."""

    kept: Kept

    @property
    def row_times(self) -> np.ndarray:
        """How often each row counts."""
        return self.kept.parts["times"]

    @property
    def rows(self) -> np.ndarray:
        """How many rows each cell has; none where they were left where they are."""
        return self.kept.each


class ValuedRows(KeptRows):
    """Cells of rows with a number each."""

    @property
    def row_values(self) -> np.ndarray:
        """The response of each row."""
        return self.kept.parts["values"]


class PairedRows(KeptRows):
    """Cells of rows with successes and trials."""

    @property
    def row_successes(self) -> np.ndarray:
        """The successes of each row."""
        return self.kept.parts["successes"]

    @property
    def row_trials(self) -> np.ndarray:
        """The trials of each row."""
        return self.kept.parts["trials"]


@dataclass(frozen=True, eq=False)
class BinomialCells(PairedRows):
    """Successes and trials of each cell; the rows' own pairs, and how often they count, are kept in cell order."""

    successes: np.ndarray
    trials: np.ndarray

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
class CountCells(ValuedRows):
    """Sum and exposure (number of rows) of each cell; the rows' own counts are kept in cell order."""

    total: np.ndarray
    exposure: np.ndarray

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
class RealCells(ValuedRows):
    """Mean, count and centred sum of squares of each cell; the rows' own values are kept in cell order."""

    mean: np.ndarray
    count: np.ndarray
    within: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Number of rows that each cell stands for."""
        return self.count

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"count": self.count.astype(np.int64), "mean": self.mean, "sum_of_squares": self.within}


@dataclass(frozen=True, eq=False)
class MomentCells(RealCells):
    """Cells that average over numeric predictors as well: `moments` holds their cross-products with the response.

    Where the rows are in memory, `row_columns` has their values of ``moments.names``, shape ``(rows, names)``.
    """

    moments: Moments

    @property
    def row_columns(self) -> np.ndarray:
        """The numbers over which cells average, of each row."""
        return self.kept.parts["columns"]

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``: means of predictors stand among the cell's columns."""
        spread = {
            f"sum_of_squares({'*'.join(feature)})": self.moments.cross[:, place, place]
            for place, feature in enumerate(self.moments.features)
        }
        products = {
            f"sum_of_products({'*'.join(feature)})": self.moments.cross[:, place, -1]
            for place, feature in enumerate(self.moments.features)
        }
        return {**super().table(), **spread, **products}


@dataclass(frozen=True, eq=False)
class ValueCells(ValuedRows):
    """The one value of each cell and how many rows have it; the rows' own values are kept in cell order."""

    value: np.ndarray
    count: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Number of rows that each cell stands for."""
        return self.count

    @property
    def mean(self) -> np.ndarray:
        """The value of each cell."""
        return self.value

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"value": self.value, "count": self.count.astype(np.int64)}


@dataclass(frozen=True, eq=False)
class CategoryCells(ValueCells):
    """The one category of each cell, by its place among `levels` from 1 on, and how many rows are of it."""

    levels: tuple[Level, ...]

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        values = np.empty(len(self.levels), dtype=object)
        values[:] = self.levels
        shown = values[self.value.astype(np.int64) - 1]
        return {"value": shown, "count": self.count.astype(np.int64)}

    @property
    def mean(self) -> np.ndarray:
        """The score of each cell's category."""
        return np.array(scores_of(self.levels))[self.value.astype(np.int64) - 1]

    def per_category(self) -> np.ndarray:
        """How many rows are of each category, shape ``(categories,)``."""
        return np.bincount(self.value.astype(np.int64) - 1, self.count, len(self.levels))


@dataclass(frozen=True, eq=False)
class TallyCells(CategoryCells):
    """Cells of one category each, of rows that have counts of all: those of a row stand one after the other.

    `row_values` are the rows' counts, shape ``(rows, categories)``; a row stands behind the first of its cells.
    """


@dataclass(frozen=True, eq=False)
class PairCells(PairedRows):
    """The one pair of successes and trials of each cell, and how many rows have it; these are kept in cell order."""

    successes: np.ndarray
    trials: np.ndarray
    count: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Trials of all rows of each cell."""
        return self.trials * self.count

    @property
    def mean(self) -> np.ndarray:
        """Raw success rate of each cell."""
        return self.successes / self.trials

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {name: getattr(self, name).astype(np.int64) for name in ("successes", "trials", "count")}


@dataclass(frozen=True, eq=False)
class MeasuredCells(ValuedRows):
    """The mean of each cell by precision, the `error` of that, and the squares about it over those of the errors.

    The rows' own values, errors, and how often they count are kept in cell order.
    """

    mean: np.ndarray
    error: np.ndarray
    count: np.ndarray
    within: np.ndarray

    @property
    def row_errors(self) -> np.ndarray:
        """The error of each row."""
        return self.kept.parts["errors"]

    @property
    def weight(self) -> np.ndarray:
        """Number of rows that each cell stands for."""
        return self.count

    @property
    def precision(self) -> np.ndarray:
        """What the mean of each cell weighs."""
        return self.error**-2.0

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``."""
        return {"count": self.count.astype(np.int64), "mean": self.mean, "error": self.error}


@dataclass(frozen=True, eq=False)
class ErrorCells(MeasuredCells):
    """Cells of rows that are equal in value and error, beside which a residual stands."""

    @property
    def precision(self) -> np.ndarray:
        """What the mean of each cell weighs, but for the residual."""
        return self.count * self.error**-2.0


@dataclass(frozen=True, eq=False)
class BoundedCells(ValueCells):
    """The one value of each cell with its censoring code and bounds, as `BoundedRows` has them; rows in cell order."""

    code: np.ndarray
    upper: np.ndarray
    least: np.ndarray
    most: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The response of each cell, as densities take it."""
        return self.value, self.code, self.upper, self.least, self.most

    @property
    def row_parts(self) -> dict[str, np.ndarray]:
        """The response of each row."""
        names = ("values", "code", "upper", "least", "most")
        return dict(zip(PARTS, (self.kept.parts[name] for name in names), strict=True))

    def table(self) -> dict[str, np.ndarray]:
        """The columns shown by ``fit.cells``: bounds where there are any."""
        shown = {"value": self.value, "censored": self.code.astype(np.int64), "upper": self.upper,
                 "least": self.least, "most": self.most}  # fmt: skip
        plain = {"upper": self.upper == self.value, "least": np.isinf(self.least), "most": np.isinf(self.most)}
        kept = {name: part for name, part in shown.items() if name not in plain or not plain[name].all()}
        return {**kept, "count": self.count.astype(np.int64)}


ResponseCells = BinomialCells | MeasuredCells | CountCells | RealCells | ValueCells | PairCells


def reduce_trials(rows: TrialsRows, cell: np.ndarray, count: int) -> BinomialCells:
    """Sum successes and trials over each cell."""
    successes, trials = (_sums(cell, part * rows.times, count) for part in (rows.successes, rows.trials))
    return BinomialCells(successes, trials, kept=_kept(rows, cell, count))


def reduce_counts(rows: SingleRows, cell: np.ndarray, count: int) -> CountCells:
    """Sum counts over each cell; the exposure is the number of rows."""
    total, exposure = _sums(cell, rows.values * rows.times, count), _sums(cell, rows.times, count)
    return CountCells(total, exposure, kept=_kept(rows, cell, count))


def reduce_reals(rows: SingleRows, cell: np.ndarray, count: int) -> RealCells:
    """Mean and centred sum of squares of each cell; a large mean costs no digits."""
    size = _sums(cell, rows.times, count)
    mean, cross = response_moments([], rows.values, rows.times, cell, size, rows.within)
    return RealCells(mean[:, -1], size, cross[:, -1, -1], kept=_kept(rows, cell, count, size))


def reduce_values(rows: SingleRows, cell: np.ndarray, count: int) -> ValueCells:
    """The value of each cell, whose rows are equal in it."""
    return ValueCells(rows.values[first_of(cell)], _sums(cell, rows.times, count), kept=_kept(rows, cell, count))


def reduce_bounds(rows: BoundedRows, cell: np.ndarray, count: int) -> BoundedCells:
    """The value and the bounds of each cell, whose rows are equal in them."""
    first = first_of(cell)
    parts = {name: getattr(rows, name)[first] for name in ("code", "upper", "least", "most")}
    return BoundedCells(
        value=rows.values[first], count=_sums(cell, rows.times, count), kept=_kept(rows, cell, count), **parts
    )


def reduce_categories(rows: SingleRows, cell: np.ndarray, count: int) -> CategoryCells:
    """The category of each cell, whose rows are equal in it."""
    placed = replace(rows, values=rows.places)
    values = reduce_values(placed, cell, count)
    return CategoryCells(**vars(values), levels=rows.categories)


def reduce_tallies(tallies: TallyRows, cell: np.ndarray, count: int) -> tuple[TallyCells, np.ndarray]:
    """Sum counts over `count` cells of equal predictors.

    Each becomes a cell for each category that occurs there, which go with the numbers of those they are of.
    """
    total = np.stack([np.bincount(cell, own * tallies.times, count) for own in tallies.counts.T], axis=1)
    whose, category = np.nonzero(total)
    order, first = np.argsort(cell, kind="stable"), np.diff(whose, prepend=-1) > 0
    rows = np.where(first, np.bincount(cell, minlength=count)[whose], 0)
    kept = Kept({"values": tallies.counts[order], "times": tallies.times[order]}, None, rows)
    return TallyCells(category + 1.0, total[whose, category], tallies.categories, kept=kept), whose


def reduce_measured(rows: MeasuredRows, cell: np.ndarray, count: int) -> MeasuredCells:
    """Sums weighted by precision over each cell, about its plain mean, so that a large mean costs no digits."""
    precision, times = rows.times * rows.error**-2.0, _sums(cell, rows.times, count)
    total, centre = np.bincount(cell, precision, count), np.bincount(cell, rows.times * rows.values, count) / times
    away = rows.values - centre[cell]
    mean = np.bincount(cell, precision * away, count) / total
    within = np.bincount(cell, precision * (away - mean[cell]) ** 2, count)
    return MeasuredCells(centre + mean, total**-0.5, times, within, kept=_kept(rows, cell, count))


def reduce_errors(rows: MeasuredRows, cell: np.ndarray, count: int) -> ErrorCells:
    """The value and the error of each cell, whose rows are equal in both."""
    first, times, kept = first_of(cell), _sums(cell, rows.times, count), _kept(rows, cell, count)
    return ErrorCells(rows.values[first], rows.error[first], times, np.zeros(count), kept=kept)


def reduce_pairs(rows: TrialsRows, cell: np.ndarray, count: int) -> PairCells:
    """Successes and trials of each cell, whose rows are equal in them."""
    first, times = first_of(cell), _sums(cell, rows.times, count)
    return PairCells(rows.successes[first], rows.trials[first], times, kept=_kept(rows, cell, count))


def reduce_moments(
    rows: SingleRows, cell: np.ndarray, count: int, features: tuple[Feature, ...], columns: pd.DataFrame
) -> MomentCells:
    """Cross-products of `features` and the response in each cell; `columns` holds the rows' numbers."""
    if isinstance(rows, MomentRows):
        features, centres, values = rows.moments.features, rows.moments.centres, list(rows.moments.mean.T)
    else:
        centres = {str(name): _average(columns[name].to_numpy(), rows.times) for name in columns}
        values = feature_values(features, columns, centres)
    size = _sums(cell, rows.times, count)
    mean, cross = response_moments(values, rows.values, rows.times, cell, size, rows.within)
    moments = Moments(features, centres, mean[:, :-1], cross)
    kept = _kept(rows, cell, count, size, columns=columns.to_numpy(dtype=float))
    return MomentCells(mean[:, -1], size, cross[:, -1, -1], moments, kept=kept)


def _average(numbers: np.ndarray, times: np.ndarray) -> float:
    return float(numbers.mean() if is_once(times) else np.average(numbers, weights=times))


def _sums(cell: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    """Sums over cells."""
    return np.bincount(cell, None if is_once(numbers) else numbers, count).astype(float, copy=False)


def _kept(
    rows: TrialsRows | SingleRows, cell: np.ndarray, count: int, size: np.ndarray | None = None, **columns: np.ndarray
) -> Kept:
    """The rows' responses and how often they count, with some columns; none of moments. `size` is that of cells."""
    parts: dict[str, np.ndarray]
    if isinstance(rows, TrialsRows):
        parts = {"successes": rows.successes, "trials": rows.trials}
    elif isinstance(rows, BoundedRows):
        parts = {"values": rows.values, **{name: getattr(rows, name) for name in ("code", "upper", "least", "most")}}
    elif isinstance(rows, MeasuredRows):
        parts = {"values": rows.values, "errors": rows.error}
    else:
        parts = {"values": rows.values}
    parts |= {"times": rows.times, **columns}
    if isinstance(rows, MomentRows):
        return Kept({name: part[:0] for name, part in parts.items()}, None, np.zeros(count, dtype=np.int64))
    each = np.bincount(cell, minlength=count) if size is None or not is_once(rows.times) else size.astype(np.int64)
    return Kept(parts, cell, each)


REDUCERS: dict[str, Callable[..., Any]] = {
    "trials": reduce_trials,
    "count": reduce_counts,
    "real": reduce_reals,
    "values": reduce_values,
    "categories": reduce_categories,
    "pairs": reduce_pairs,
    "precision": reduce_measured,
    "errors": reduce_errors,
    "bounds": reduce_bounds,
}
