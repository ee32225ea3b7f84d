"""`rates` and `predict`: expected responses per cell or per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results, is_partly_crossed
from hiermod.answers.averaging.grid import averages, cell_grid
from hiermod.answers.averaging.query import Arguments, Query, read_prediction, read_rates
from hiermod.answers.averaging.rows import trials_of
from hiermod.answers.reader import reader
from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ROW = "row_number"
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
    """Predictions for each row of `data`: the mean, the linear predictor, or new responses."""
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
