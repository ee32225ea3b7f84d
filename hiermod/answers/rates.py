"""`rates` and `predict`: expected responses per cell or per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question, check_prob, interval, with_coords
from hiermod.answers.expectation import averages, expectation, in_blocks
from hiermod.answers.grid import cell_grid, check_columns
from hiermod.answers.measure import measure_of
from hiermod.answers.rows import base_rows, new_rows, trials_of
from hiermod.answers.simulation import simulate
from hiermod.answers.varying import check_groups
from hiermod.data.statistics import BinomialCells, PairCells
from hiermod.errors import AnswerError
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

KINDS = ("mean", "link", "response")
ROW = "row_number"


def rates(posterior: Posterior, by: Any, data: Any, weights: str | None, groups: str, prob: float) -> Answer:
    """Expected response per `by` cell, averaged over its rows within each draw."""
    spec, names = posterior.spec, check_columns(posterior.spec, by)
    check_groups(groups), check_prob(prob)
    selecting = spec.formula.grouping_columns()
    setting = tuple(name for name in names if name in spec.formula.common_columns() and name not in selecting)
    base = base_rows(spec, data, weights, names, groups, setting)
    grid = cell_grid(spec, base, names, setting)
    draws = averages(posterior, groups, grid.frame, grid.weight, grid.cell, len(grid.keys))
    table = grid.keys.assign(**interval(draws, prob))
    return Answer(
        with_coords(draws, grid.keys, posterior.shape, "rate"),
        table,
        Question("rates", names, groups, prob, measure=measure_of(spec)),
    )


def predict(posterior: Posterior, data: Any, kind: str, groups: str, prob: float) -> Answer:
    """Predictions for each row of `data`: the mean, the linear predictor, or new responses."""
    if kind not in KINDS:
        raise AnswerError(f"kind={kind!r}: 'mean', 'link' or 'response'.")
    check_groups(groups), check_prob(prob)
    spec = posterior.spec
    frame = _fitted_rows(spec) if data is None else new_rows(spec, data, (), groups, exposed=True)
    draws = _row_draws(posterior, frame, kind, groups)
    if kind == "response":
        draws = simulate(posterior, draws, _trials(posterior, data, len(frame)))
    keys = pd.DataFrame({ROW: np.arange(len(frame))})
    shown = frame.drop(columns=_made(spec)).reset_index(drop=True)
    table = pd.concat([keys, shown], axis=1).assign(**interval(draws, prob))
    return Answer(
        with_coords(draws, keys, posterior.shape, kind),
        table,
        Question("predict", (), groups, prob, scale=kind, measure=measure_of(posterior.spec)),
    )


def _fitted_rows(spec: Spec | BetaSpec) -> pd.DataFrame:
    """The cells; where these average over predictors, the rows behind them if they are known."""
    cells = spec.cells
    return cells.observations()[0] if cells.averaged and cells.rows_kept else cells.frame


def _made(spec: Spec | BetaSpec) -> list[str]:
    """The columns that functions made: rows are shown by the columns behind them."""
    return [name for recipe in spec.cells.recipes for name in spec.cells.predictors[recipe].columns]


def _row_draws(posterior: Posterior, frame: pd.DataFrame, kind: str, groups: str) -> np.ndarray:
    model = expectation(posterior, groups, exposed=True)
    blocks = in_blocks(frame, int(np.prod(posterior.shape)))
    parts = [model.predictor(block) if kind == "link" else model.response(block) for block in blocks]
    return np.concatenate(parts)


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
