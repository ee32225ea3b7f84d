"""Curves: what an answer over a number was observed at, so that its picture shows the data beside the line."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.answers.answer import Curve
from hiermod.answers.averaging.query import Query
from hiermod.answers.averaging.rows import exposure, has_raw_means, is_numeric
from hiermod.answers.group_effects import Reading
from hiermod.data.cells.statistics import BinomialCells, CategoryCells, PairCells
from hiermod.data.columns.levels import encode
from hiermod.data.columns.values import number_rows
from hiermod.families.functionals import Functional
from hiermod.modeling.protocol import ModelSpec

FEWEST = 5  # values of a number that make a curve
BINS = 12
RUG = 200
MOST_SERIES = 7


def curve_of(spec: ModelSpec, query: Query, fitted: bool = True) -> Curve | None:
    """The number that an answer is a curve over, if there is one, with raw averages and values of the data.

    Raw averages stand beside means of `fitted` rows with the groups' own effects; other answers have none.
    """
    name = _abscissa(spec, query)
    if name is None:
        return None
    keys = [key for key in dict.fromkeys([*query.cells, *query.settings]) if key != name]
    series = [key for key in keys if key in query.rows.frame]
    rows = _raw_rows(spec, (name, *series), query.outcome.functional)
    if rows is None or name not in rows:
        return Curve(name, pd.DataFrame(), _rug(query.rows.frame, name))
    kept = np.ones(len(rows), dtype=bool)
    for selected, levels in query.selected.items():
        kept &= encode(rows[selected], levels) >= 0 if selected in rows else False
    rows = rows[kept]
    shows_data = (
        query.question.kind == "rates" and fitted and len(series) == len(keys)
        and (query.outcome.name == "mean" or query.outcome.functional.weights)
        and all(reading is Reading.OBSERVED for reading in query.groups.values()) and len(rows)
    )  # fmt: skip
    observed = _binned(rows, name, series, query.per) if shows_data else pd.DataFrame()
    return Curve(name, observed, _rug(rows, name))


def _abscissa(spec: ModelSpec, query: Query) -> str | None:
    """The column set to the most numbers, at least five."""
    many = {
        name: len(levels)
        for name, levels in {**query.settings, **query.lines}.items()
        if len(levels) >= FEWEST and name not in spec.formula.grouping_columns and is_numeric(spec, name)
        and all(isinstance(level, float | int) and not isinstance(level, bool) for level in levels)
    }  # fmt: skip
    return max(many, key=lambda name: many[name]) if many else None


def _raw_rows(spec: ModelSpec, names: tuple[str, ...], functional: Functional) -> pd.DataFrame | None:
    """The columns of fitted rows or cells, with ``total`` and ``size``; None where they are not known here."""
    cells = spec.cells
    response = cells.response
    if not has_raw_means(spec) or not hasattr(response, "mean"):
        return None
    mean = response.mean
    if isinstance(response, CategoryCells) and functional.weights:
        mean = np.array(functional.weights)[response.value.astype(np.int64) - 1]
    if set(names).isdisjoint(cells.differing):
        frame, size = cells.frame, response.weight
        total = size * mean
    elif not cells.rows_kept:
        return None
    else:
        frame, _ = cells.observations()
        size, total = response.row_times, response.row_times
        if isinstance(response, BinomialCells | PairCells):
            size, total = size * response.row_trials, total * response.row_successes
        else:
            total = total * response.row_values
    return frame.assign(**{TOTAL: total, SIZE: size * exposure(spec, frame)})


TOTAL, SIZE = " total", " size"  # names that no column of a formula has


def _binned(rows: pd.DataFrame, name: str, series: list[str], per: float) -> pd.DataFrame:
    """Raw averages of up to 12 bins of a number with equal sizes, for each combination of `series`."""
    number = number_rows(rows[series]) if series else np.zeros(len(rows), dtype=np.int64)
    if number.max(initial=0) >= MOST_SERIES:
        return pd.DataFrame()
    parts = []
    for place in np.unique(number):
        own = rows[number == place]
        x, total, size = (own[column].to_numpy(dtype=float) for column in (name, TOTAL, SIZE))
        edge = _bins(x, size)
        weight = np.bincount(edge, size)
        filled = weight > 0
        part = pd.DataFrame(
            {
                name: np.bincount(edge, size * x)[filled] / weight[filled],
                "raw": per * np.bincount(edge, total)[filled] / weight[filled],
                "size": weight[filled],
            }
        )
        parts.append(part.assign(**{key: own[key].iloc[0] for key in series}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _bins(x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The bin of each value: distinct values where they are few, else quantiles."""
    distinct, place = np.unique(x, return_inverse=True)
    if len(distinct) <= BINS:
        return np.asarray(place)
    weight = np.bincount(place, size)
    middle = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.minimum((middle * BINS).astype(np.int64), BINS - 1)[place]


def _rug(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Up to 200 values of the data, by rank; none where they are not known."""
    if name not in rows:
        return np.empty(0)
    values = np.unique(rows[name].to_numpy(dtype=float))
    if len(values) <= RUG:
        return values
    return np.quantile(values, np.linspace(0.0, 1.0, RUG), method="nearest")
