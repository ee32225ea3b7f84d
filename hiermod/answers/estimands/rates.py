"""`rates` and `predict`: expected responses per cell or per row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results, is_partly_crossed
from hiermod.answers.averaging.grid import averages, cell_grid
from hiermod.answers.averaging.query import Arguments, Query, read_prediction, read_rates
from hiermod.answers.averaging.rows import trials_of
from hiermod.answers.reader import reader
from hiermod.data.cells.rows import fitted_rows
from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.errors import AnswerError
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ROW = "row_number"
MOST_PREDICTIONS = 500_000_000  # rows times draws, 4 GB
COMPUTED = ("estimate", "lower", "upper", "prob_exceeds")


def rates(posterior: Posterior, arguments: Arguments) -> Answer:
    """Expected response per `by` cell, averaged over its rows within each draw."""
    query = read_rates(posterior.spec, arguments)
    check_results(query.cells, COMPUTED)
    grid = cell_grid(posterior.spec, query)
    draws = averages(posterior, query.groups, grid, outcome=query.outcome.name)
    notices = _notices(posterior.spec, query)
    return make_answer(draws, grid.keys, posterior.shape, query.question, "rate", notices=notices)


def _notices(spec: ModelSpec, query: Query) -> list[str]:
    """Say which levels are averaged over their own rows alone, since some groups lack some of them."""
    return [
        f"the levels of {name!r} are averaged over their own rows each, since some groups lack some of them; "
        f"fit.effect({name!r}, groups=...) compares them over the same rows"
        for name in query.cells
        if name in spec.formula.common_columns and is_partly_crossed(spec, name, query.cells, query.groups)
    ]


def predict(posterior: Posterior, arguments: Arguments) -> Answer:
    """Predictions for each row of `data` (each cell without it): the mean, the linear predictor, or new responses."""
    spec = posterior.spec
    query = read_prediction(spec, arguments)
    frame, scale = query.rows.frame, query.question.scale
    draws = np.empty((len(frame), posterior.size))
    model = reader(posterior, query.groups, exposed=True, outcome=query.outcome.name)
    for rows, values in model.blocks(frame, scale.linear):
        draws[rows] = values
    if scale.drawn:
        draws = _simulated(posterior, draws, _trials(posterior, arguments.data, len(frame)))
    keys = pd.DataFrame({ROW: np.arange(len(frame))})
    shown = pd.concat([keys, frame.drop(columns=_made(spec)).reset_index(drop=True)], axis=1)
    return make_answer(draws, keys, posterior.shape, query.question, scale.name, shown=shown)


def predict_fitted(posterior: Posterior, arguments: Arguments, data: Any, complete: tuple[str, ...]) -> Answer:
    """Predictions for each row of the data that was fitted, under its index; rows that were left out are missing.

    Raises
    ------
    AnswerError
        If the data is not known any more, is not what it was, or has too many rows.
    """
    spec, elsewhere = posterior.spec, "fit.predict_cells() predicts each cell of equal rows once"
    if data is None:
        raise AnswerError(f"The rows of this fit are not known any more: give them, fit.predict(data), or {elsewhere}.")
    if spec.cells.source.rows * posterior.size > MOST_PREDICTIONS:
        raise AnswerError(
            f"{posterior.size:,} draws for each of {spec.cells.source.rows:,} rows are too many to hold: {elsewhere}, "
            "fit.predict(data) some rows."
        )
    raw, used = fitted_rows(spec.formula, data, complete)
    if used.sum() != spec.cells.source.rows:
        raise AnswerError(
            f"The data has changed: {spec.cells.source.rows:,} rows were fitted, of which {used.sum():,} are left. "
            f"Give the rows: fit.predict(data), or {elsewhere}."
        )
    answer = predict(posterior, replace(arguments, data=raw[used].reset_index(drop=True)))
    answer = answer if used.all() else _among_all(answer, raw, used)
    index = data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(len(raw))
    return replace(answer, table=answer.table.set_axis(index, axis=0))


def _among_all(answer: Answer, raw: pd.DataFrame, used: np.ndarray) -> Answer:
    """The answer's rows among all those of the data, the others missing."""
    table = answer.table.set_axis(np.flatnonzero(used), axis=0).reindex(np.arange(len(used)))
    shown = {str(name): raw[name] for name in table if name in raw and name not in COMPUTED}
    table = table.assign(**shown)
    keys = pd.DataFrame({ROW: np.arange(len(used))})
    draws = np.full((*answer.draws.shape[:2], len(used)), np.nan)
    draws[..., used] = answer.draws
    coords = xr.Coordinates.from_pandas_multiindex(pd.MultiIndex.from_frame(keys), "row")
    labelled = xr.DataArray(draws, dims=answer.draws.dims, coords=coords, name=answer.draws.name)
    return replace(answer, draws=labelled, table=table.assign(**keys))


def _made(spec: ModelSpec) -> list[str]:
    """The columns that functions made: rows are shown by the columns behind them."""
    return [name for recipe in spec.cells.recipes for name in spec.cells.predictors[recipe].columns]


def _simulated(posterior: Posterior, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Draw a response for each row and draw: successes, counts or values; the same in any process for one run."""
    family = posterior.spec.family
    auxiliary = [posterior.values(name) for name in family.auxiliary]
    return family.draw_responses(mean, trials[:, None], auxiliary, posterior.generator(1000))


def _trials(posterior: Posterior, data: Any, rows: int) -> np.ndarray:
    """Trials of each row of `data`, where the response has them; else one."""
    response = posterior.spec.formula.response
    if not isinstance(response, TrialsResponse):
        return np.ones(rows)
    if data is not None:
        return trials_of(response, data, rows)
    fitted = posterior.spec.cells.response
    assert isinstance(fitted, BinomialCells | PairCells)
    return fitted.trials
