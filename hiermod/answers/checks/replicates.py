"""Replicated data: responses of the rows of the data, drawn anew, for each of some draws of the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.answers.reader import in_blocks, reader
from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

LARGEST = 20_000_000  # responses drawn at once
USUAL, FEWEST = 200, 20  # replicated data sets


@dataclass(frozen=True, eq=False)
class Replicated:
    """What was observed and what was drawn in its place.

    Parameters
    ----------
    frame : pandas.DataFrame
        The predictors and groups of each observation.
    trials : numpy.ndarray, shape (rows,)
        Of each observation, 1 where it has none.
    observed : numpy.ndarray, shape (rows,)
        Successes, counts or values.
    drawn : numpy.ndarray, shape (draws, rows)
        The same of each replicated data set.
    """

    frame: pd.DataFrame
    trials: np.ndarray
    observed: np.ndarray
    drawn: np.ndarray


def replicate_rows(posterior: Posterior, draws: int | None = None) -> Replicated:
    """Draw the response of every row of the data anew; a row of frequency weight 3 is three rows.

    Raises
    ------
    AnswerError
        If the rows are not known here, or are too many.
    """
    cells = posterior.spec.cells
    if not cells.rows_kept:
        raise AnswerError(
            "Rows are drawn anew here, and these were aggregated where the data is: only cells are known. "
            "Fit a sample of the rows that fits in memory."
        )
    response = cells.response
    times = response.row_times.astype(np.int64)
    rows = int(times.sum())
    count = _count(posterior, draws, rows)
    if rows * count > LARGEST:
        raise AnswerError(
            f"Every row is drawn anew, and {count} draws of {rows:,} rows are more than {LARGEST:,} numbers. Ask for "
            f"fewer draws=, or fit a sample of the rows; of rates, kind='bars' needs cells alone."
        )
    frame, cell = cells.observations()
    if not cells.averaged:
        frame, place = cells.frame, np.repeat(cell, times)
    else:
        place = np.repeat(np.arange(len(frame)), times)
    if isinstance(response, BinomialCells | PairCells):
        observed, trials = np.repeat(response.row_successes, times), np.repeat(response.row_trials, times)
    else:
        observed, trials = np.repeat(response.row_values, times), np.ones(rows)
    drawn = _drawn(posterior, frame, place, trials, count)
    return Replicated(frame.iloc[place].reset_index(drop=True), trials, observed.astype(float), drawn)


def replicate_cells(posterior: Posterior, draws: int | None = None) -> Replicated:
    """Draw the successes of whole cells of trials, which are binomial as well; of other responses, rows."""
    cells = posterior.spec.cells
    if not isinstance(cells.response, BinomialCells):
        return replicate_rows(posterior, draws)
    count = _count(posterior, draws, len(cells))
    place = np.arange(len(cells))
    drawn = _drawn(posterior, cells.frame, place, cells.response.trials, count)
    return Replicated(cells.frame, cells.response.trials, cells.response.successes, drawn)


def thinned(posterior: Posterior, count: int) -> Posterior:
    """A posterior of `count` of its draws, evenly spread over the chains, as one chain."""
    places = np.linspace(0, posterior.size - 1, min(count, posterior.size)).astype(np.int64)
    kept = {}
    for name in posterior.dataset.data_vars:
        values = posterior.values(str(name))[places][None]
        kept[str(name)] = (("chain", "draw", *(f"{name}_{axis}" for axis in range(values.ndim - 2))), values)
    return replace(posterior, tree=xr.DataTree.from_dict({"posterior": xr.Dataset(kept)}))


def _count(posterior: Posterior, draws: Any, rows: int) -> int:
    """How many data sets: those asked for, else as many as fit."""
    total = posterior.size
    if draws is None:
        return min(total, max(FEWEST, min(USUAL, LARGEST // max(rows, 1))))
    if isinstance(draws, bool) or not isinstance(draws, Integral) or not 1 <= int(draws) <= total:
        raise AnswerError(f"draws={draws!r}: a whole number from 1 to {total:,}, the number of draws there are.")
    return int(draws)


def _drawn(posterior: Posterior, frame: pd.DataFrame, place: np.ndarray, trials: np.ndarray, count: int) -> np.ndarray:
    some, family = thinned(posterior, count), posterior.spec.family
    model = reader(some, exposed=True)
    mean = np.concatenate([model.mean(block) for block in in_blocks(frame, count)])[place]
    auxiliary = [some.values(name) for name in family.auxiliary]
    return family.draw_responses(mean, trials[:, None], auxiliary, posterior.generator(1001)).T
