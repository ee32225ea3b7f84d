"""`rates` and `predict`: expected responses per cell or per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question, check_prob, check_threshold, interval, measure_of, with_coords
from hiermod.answers.averaging.columns import can_be_set, check_results, is_partly_crossed, levels_of
from hiermod.answers.averaging.grid import averages, cell_grid
from hiermod.answers.averaging.query import Arguments, read_scope
from hiermod.answers.averaging.rows import base_rows, new_rows, trials_of
from hiermod.answers.draws import wins
from hiermod.answers.group_effects import check_groups, whose
from hiermod.answers.outcome import Outcome, read_outcome
from hiermod.answers.reader import reader
from hiermod.choices import KINDS
from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.errors import AnswerError
from hiermod.formula.nodes import TrialsResponse
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ROW = "row_number"
COMPUTED = ("estimate", "lower", "upper", "prob_exceeds")


def rates(posterior: Posterior, arguments: Arguments) -> Answer:
    """Expected response per `by` cell, averaged over its rows within each draw."""
    spec = posterior.spec
    asked, limit = read_scope(spec, arguments), check_threshold(arguments.threshold)
    prob, groups = check_prob(arguments.prob), arguments.groups
    check_results(asked.by, COMPUTED)
    settings = {
        name: asked.settings.get(name) or levels_of(spec, name)
        for name in asked.by
        if name in asked.settings or _is_set(spec, name, groups)
    }
    base = base_rows(spec, arguments.data, arguments.weights, asked.by, groups, (*settings, *asked.set_columns))
    grid = cell_grid(spec, base, asked, settings)
    outcome = read_outcome(spec, arguments.outcome, groups)
    draws = averages(
        posterior, base.groups, grid.frame, grid.weight, grid.cell, len(grid.keys), outcome=outcome.name
    )  # fmt: skip
    table = grid.keys.assign(**interval(draws, prob, median=not outcome.has_mean))
    if limit is not None:
        table = table.assign(prob_exceeds=wins(draws, limit, 1).mean(axis=1))
    question = Question("rates", asked.by, groups, prob, measure=measure_of(spec, outcome.name), remark=outcome.remark)
    return Answer(with_coords(draws, grid.keys, posterior.shape, "rate"), table, question)


def _is_set(spec: ModelSpec, name: str, groups: str) -> bool:
    """Whether all rows are set to each level of a column that is asked by: where it is in common terms."""
    return name in spec.formula.common_columns and can_be_set(spec, name, groups)


def own_rows_notices(spec: ModelSpec, question: Question) -> list[str]:
    """Say which levels are averaged over their own rows alone, since some groups lack some of them."""
    common, by = spec.formula.common_columns, question.by
    return [
        f"the levels of {name!r} are averaged over their own rows each, since some groups lack some of them; "
        f"fit.effect({name!r}, groups=...) compares them over the same rows"
        for name in by
        if question.groups == "observed" and name in common and is_partly_crossed(spec, name, by)
    ]


def predict(posterior: Posterior, arguments: Arguments, kind: str) -> Answer:
    """Predictions for each row of `data`: the mean, the linear predictor, or new responses."""
    data, groups, prob = arguments.data, arguments.groups, arguments.prob
    if kind not in KINDS:
        raise AnswerError(f"kind={kind!r}: 'mean', 'link' or 'response'.")
    check_groups(groups), check_prob(prob)
    spec = posterior.spec
    frame = _fitted_rows(spec) if data is None else new_rows(spec, data, (), groups, exposed=True)
    reading = groups if data is None else whose(spec.cells.groupings, groups, frame)
    outcome = Outcome() if kind == "link" else read_outcome(spec, arguments.outcome, groups)
    draws = _row_draws(posterior, frame, kind, reading, "mean" if kind == "response" else outcome.name)
    if kind == "response":
        draws = _simulated(posterior, draws, _trials(posterior, data, len(frame)))
    keys = pd.DataFrame({ROW: np.arange(len(frame))})
    shown = frame.drop(columns=_made(spec)).reset_index(drop=True)
    table = pd.concat([keys, shown], axis=1).assign(**interval(draws, prob, median=not outcome.has_mean))
    return Answer(
        with_coords(draws, keys, posterior.shape, kind),
        table,
        Question(
            "predict", (), groups, prob, scale=kind, measure=measure_of(spec, outcome.name), remark=outcome.remark
        ),
    )


def _fitted_rows(spec: ModelSpec) -> pd.DataFrame:
    """The cells; where these average over predictors, the rows behind them if they are known."""
    cells = spec.cells
    return cells.observations()[0] if cells.averaged and cells.rows_kept else cells.frame


def _made(spec: ModelSpec) -> list[str]:
    """The columns that functions made: rows are shown by the columns behind them."""
    return [name for recipe in spec.cells.recipes for name in spec.cells.predictors[recipe].columns]


def _row_draws(posterior: Posterior, frame: pd.DataFrame, kind: str, groups: str, outcome: str) -> np.ndarray:
    draws = np.empty((len(frame), posterior.size))
    for rows, values in reader(posterior, groups, exposed=True, outcome=outcome).blocks(frame, kind):
        draws[rows] = values
    return draws


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
