"""The distinct observations behind cells, and cells of some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from hiermod.data.cells.statistics import (
    REDUCERS,
    BinomialCells,
    BoundedCells,
    CategoryCells,
    CountCells,
    ErrorCells,
    MeasuredCells,
    MomentCells,
    PairCells,
    RealCells,
    ResponseCells,
    TallyCells,
    ValueCells,
    reduce_moments,
    reduce_tallies,
)
from hiermod.data.cells.table import Cells
from hiermod.data.columns.bounds import BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.moments import Moments
from hiermod.data.columns.responses import ResponseRows, SingleRows, TallyRows, TrialsRows

KINDS = {
    BinomialCells: "trials", CountCells: "count", RealCells: "real", ValueCells: "values", PairCells: "pairs",
    CategoryCells: "categories", BoundedCells: "bounds", MeasuredCells: "precision", ErrorCells: "errors",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Observations:
    """Distinct observations: `table` has their ``cell``, response and ``times``, `place` their rows of `frame`."""

    frame: pd.DataFrame
    place: np.ndarray
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @property
    def times(self) -> np.ndarray:
        """How many rows of the data are equal to each."""
        return self.table["times"].to_numpy()

    @cached_property
    def responses(self) -> np.ndarray:
        """The response of each, a row of numbers: a value, a pair, a value and bounds, or counts of categories."""
        return self.table.drop(columns=["cell", "times"]).to_numpy(dtype=float)

    def chosen(self, keep: np.ndarray) -> Observations:
        """Those at the places `keep`, in rising order, with the rows of the frame that they need."""
        rows, place = np.unique(self.place[keep], return_inverse=True)
        return Observations(self.frame.iloc[rows].reset_index(drop=True), place, self.table.iloc[keep])

    def merged(self, number: np.ndarray) -> tuple[Observations, np.ndarray]:
        """One for all that have the same number, and the place of each number among them; -1 where it has none."""
        keep = np.sort(np.unique(number, return_index=True)[1])
        total = np.bincount(number, self.times)
        chosen = self.chosen(keep)
        table = chosen.table.assign(times=total[number[keep]].astype(np.int64)).reset_index(drop=True)
        place = np.full(len(total), -1)
        place[number[keep]] = np.arange(len(keep))
        return Observations(chosen.frame, chosen.place, table), place


@dataclass(frozen=True, eq=False)
class Members:
    """The observations of a group, by their places in rising order, and how many rows of each are the group's."""

    places: np.ndarray
    times: np.ndarray

    def among(self, seen: Observations) -> np.ndarray:
        """How many rows of each of all observations are the group's."""
        times = np.zeros_like(seen.times)
        times[self.places] = self.times
        return times


def observations(cells: Cells, whole: bool = False) -> Observations:
    """The distinct observations behind cells, and the predictors of each; `whole` numbers are shown as such.

    Of rows that were left where they are, weighted ones that stand for them.
    """
    response = cells.response
    if isinstance(response, RealCells) and not cells.rows_kept:
        frame, rows = weighted_rows(cells.frame, response)
        return Observations(frame, np.arange(len(rows)), rows)
    if isinstance(response, BinomialCells | PairCells):
        pairs = {"successes": response.row_successes, "trials": response.row_trials}
        values = {name: numbers.astype(np.int64) for name, numbers in pairs.items()}
    elif isinstance(response, BoundedCells):
        values = response.row_parts
    elif isinstance(response, TallyCells):
        values = dict(zip(counted_columns(response), response.row_values.T.astype(np.int64), strict=True))
    else:
        values = {"value": response.row_values.astype(np.int64) if whole else response.row_values}
    if isinstance(response, MeasuredCells):
        values["error"] = response.row_errors
    rows = pd.DataFrame({"cell": np.repeat(np.arange(len(cells)), response.rows), **values})
    rows["times"] = response.row_times.astype(np.int64)
    if cells.averaged:
        return Observations(cells.observations()[0], np.arange(len(rows)), rows)
    distinct = rows.groupby(["cell", *values], as_index=False).sum()
    return Observations(cells.frame, distinct["cell"].to_numpy(), distinct)


def part(cells: Cells, seen: Observations, times: np.ndarray) -> Cells:
    """Cells of the same observations, each counted `times`; those without any are left out, levels stay.

    Of rows that were left where they are, a cell's are all there or none.
    """
    kept = np.flatnonzero(times > 0)
    if not cells.rows_kept:
        return _some(cells, np.unique(seen.table["cell"].to_numpy()[kept]))
    occurs, cell = np.unique(seen.table["cell"].to_numpy()[kept], return_inverse=True)
    frame, response = cells.frame.iloc[occurs].reset_index(drop=True), cells.response
    rows = _rows(response, seen.responses[kept], times[kept].astype(float))
    reduced: ResponseCells
    if isinstance(response, MomentCells):
        assert isinstance(rows, SingleRows)
        columns = seen.frame.iloc[seen.place[kept]][list(response.moments.names)]
        reduced = moments = reduce_moments(rows, cell, len(occurs), response.moments.features, columns)
        frame = frame.assign(**moments.moments.columns())
    elif isinstance(rows, TallyRows):
        reduced, whose = reduce_tallies(rows, cell, len(occurs))
        frame = frame.iloc[whose].reset_index(drop=True)
    else:
        if isinstance(response, CategoryCells) and isinstance(rows, SingleRows):
            places = rows.values - 1.0
            rows = replace(rows, values=places, kind="level", levels=response.levels, declared=response.levels)
        reduced = REDUCERS[KINDS[type(response)]](rows, cell, len(occurs))
    source = replace(cells.source, rows=int(times.sum()), print_of=str)
    return replace(cells, frame=frame, response=reduced, source=source, behind=pd.DataFrame())


def _some(cells: Cells, keep: np.ndarray) -> Cells:
    """The cells in `keep`, of rows that are not known."""
    response = cells.response
    assert isinstance(response, RealCells)
    changed = {name: getattr(response, name)[keep] for name in ("mean", "count", "within")}
    kept = response.kept.of(np.isin(np.arange(len(cells)), keep))
    if isinstance(response, MomentCells):
        response = replace(response, **changed, kept=kept, moments=response.moments.chosen(keep))
    else:
        response = replace(response, **changed, kept=kept)
    source = replace(cells.source, rows=int(np.rint(response.count.sum())), print_of=str)
    return replace(cells, frame=cells.frame.iloc[keep].reset_index(drop=True), response=response, source=source)


def counted_columns(response: TallyCells) -> list[str]:
    """The categories as names of columns beside ``cell`` and ``times``."""
    return [f"{level}_" if level in ("cell", "times") else str(level) for level in response.levels]


def _rows(cells: ResponseCells, responses: np.ndarray, times: np.ndarray) -> ResponseRows:
    if isinstance(cells, TallyCells):
        return TallyRows("", responses, times, cells.levels)
    if isinstance(cells, MeasuredCells):
        return MeasuredRows("", responses[:, 0], "float", times, error=responses[:, 1])
    if responses.shape[1] == 2:
        return TrialsRows(responses[:, 0], responses[:, 1], times)
    if responses.shape[1] == 5:
        value, code, upper, least, most = responses.T
        return BoundedRows("", value, "float", times, code=code, upper=upper, least=least, most=most)
    return SingleRows("", responses[:, 0], "float", times)


def weighted_rows(frame: pd.DataFrame, response: RealCells) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with the counts, means and cross-products of cells: their predictors, and ``cell``, ``value``, ``times``.

    With R a factor of a cell's cross-products, R'R = C, of k rows r, and n its count, the 2k rows ``mean ± a r`` that
    count n / 2k each have the mean and C if ``a² = k / n``.
    """
    if isinstance(response, MomentCells):
        factor, mean = response.moments.factor, np.column_stack([response.moments.mean, response.mean])
    else:
        factor, mean = np.sqrt(response.within)[:, None, None], response.mean[:, None]
    cells, k, width = factor.shape
    steps = factor * np.sqrt(k / response.count)[:, None, None]
    values = np.concatenate([mean[:, None] + steps, mean[:, None] - steps], axis=1).reshape(-1, width)
    cell = np.repeat(np.arange(cells), 2 * k)
    rows = frame.iloc[cell].reset_index(drop=True)
    if isinstance(response, MomentCells):
        products = Moments(response.moments.features, response.moments.centres, values[:, :-1], np.empty(0))
        rows = rows.assign(**products.columns())
    times = response.count[cell] / (2 * k)
    return rows, pd.DataFrame({"cell": cell, "value": values[:, -1], "times": times})
