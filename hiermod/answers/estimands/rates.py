"""`rates` and `predict`: expected responses per cell or per row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.curves import curve_of
from hiermod.answers.averaging.estimable import estimable_rows
from hiermod.answers.averaging.grid import cell_grid, means, refuse_large
from hiermod.answers.averaging.query import Arguments, read_prediction, read_rates
from hiermod.answers.averaging.rows import Base, errors_of, grand_rate, has_raw_means, trials_of
from hiermod.answers.estimands.categories import by_category
from hiermod.answers.mixed import answer_of_each
from hiermod.answers.outcome import read_functional
from hiermod.answers.reader import Reader, others_of, reader
from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.data.columns.values import Level, first_of, number_rows, scores_of
from hiermod.formula.nodes import CountsResponse, TrialsResponse
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ROW = "row_number"
COMPUTED = ("estimate", "lower", "upper", "rows", "seen", "prob_exceeds", "estimable")


@answer_of_each
@by_category
def rates(posterior: Posterior, arguments: Arguments) -> Answer:
    """Expected response per cell, averaged over its rows within each draw, at each value of the variables."""
    spec, query = posterior.spec, read_rates(posterior.spec, arguments)
    check_results((*query.cells, *query.settings), COMPUTED)
    grid, question = cell_grid(posterior, query), query.question
    columns = {"rows": grid.rows, "seen": grid.seen}
    mixed = [name for name in query.selecting if name in spec.formula.common_columns and mixes_differ(query.rows, name)]
    if mixed:
        question = replace(question, remark=f"{question.remark} Rows of each level, as they are.".strip())
    notices = [*query.notices, *grid.notices, *(_of_own_rows(name) for name in mixed if not query.settings)]
    draws = means(posterior, query, grid)
    curve = curve_of(spec, query, arguments.data is None)
    shows_raw = arguments.data is None and query.outcome.name == "mean" and has_raw_means(spec)
    return make_answer(
        draws, grid.keys, posterior.shape, question, "rate", columns=columns, notices=notices, curve=curve,
        grand=query.per * grand_rate(spec) if shows_raw else None,
    )  # fmt: skip


def _of_own_rows(name: str) -> str:
    return (
        f"by={name!r} takes the rows of each level as they are, and what else they hold differs between levels; "
        f"fit.rates({name!r}) compares the levels on the same rows (as by= did before 0.2)"
    )


def mixes_differ(rows: Base, name: str) -> bool:
    """Whether rows with different levels of a column differ in their shares of what else the model sees."""
    others = rows.frame.drop(columns=name)
    level, rest = number_rows(rows.frame[[name]]), number_rows(others) if len(others.columns) else None
    if rest is None:
        return False
    pair = number_rows(pd.DataFrame({"level": level, "rest": rest}))
    first = first_of(pair)
    weight = np.bincount(pair, rows.weight)
    of_level, of_rest = np.bincount(level, rows.weight), np.bincount(rest, rows.weight)
    expected = of_level[level[first]] * of_rest[rest[first]] / rows.weight.sum()
    return len(first) < len(of_level) * len(of_rest) or not np.allclose(weight, expected, rtol=1e-9)


@answer_of_each
@by_category
def predict(posterior: Posterior, arguments: Arguments, fitted: bool = False) -> Answer:
    """Predictions for each row of `data` (each cell without it): the mean, the linear predictor, or new responses.

    Rows of `data` that were `fitted` name no new groups. Means are those of a row's exposure, unless units are given.
    """
    spec = posterior.spec
    query = read_prediction(spec, arguments, fitted)
    frame, scale = query.rows.frame, query.question.scale
    refuse_large(len(frame), posterior.size)
    draws = np.empty((len(frame), posterior.size))
    model = reader(posterior, query.groups, exposed=arguments.per is None, outcome=query.outcome.functional)
    by_predictor = scale.linear or (scale.drawn and bool(spec.family.categories))
    for rows, values in model.blocks(frame, by_predictor):
        draws[rows] = query.per * values
    if scale.drawn:
        draws = _simulated(posterior, model, frame, draws, _trials(posterior, arguments.data, len(frame)))
        if spec.family.categories:
            draws = np.array(read_functional(spec, arguments.outcome).weights)[draws.astype(np.int64) - 1]
    notices, needs = [], query.outcome.functional.needs
    if (known := estimable_rows(posterior, query.groups, frame, needs=needs)) is not None:
        draws[~known] = np.nan
        notices = [f"{int((~known).sum()):,} rows are not estimable: the data say nothing about such a combination"]
    if scale.drawn and spec.family.categories:
        notices += _places(spec.family.categories) if arguments.outcome is None else []
        counted = isinstance(spec.formula.response, CountsResponse)
        notices += ["each row is one trial, whose category is drawn"] if counted else []
    keys = pd.DataFrame({ROW: np.arange(len(frame))})
    shown = pd.concat([keys, frame.drop(columns=_made(spec), errors="ignore").reset_index(drop=True)], axis=1)
    return make_answer(draws, keys, posterior.shape, query.question, scale.name, shown=shown, notices=notices)


def _places(categories: tuple[Level, ...]) -> list[str]:
    """What drawn numbers stand for, where they are no categories themselves."""
    if scores_of(categories) == tuple(categories):
        return []
    listed = ", ".join(f"{place} {level}" for place, level in enumerate(categories, start=1))
    return [f"new responses are the places of categories: {listed}"]


def _made(spec: ModelSpec) -> list[str]:
    """The columns that functions made: rows are shown by the columns behind them."""
    return [name for recipe in spec.cells.recipes for name in spec.cells.predictors[recipe].columns]


def _simulated(
    posterior: Posterior, model: Reader, frame: pd.DataFrame, mean: np.ndarray, trials: np.ndarray
) -> np.ndarray:
    """Draw a response for each row and draw: successes, counts, values or places of categories.

    They are the same in any process for one run.
    """
    own, family = others_of(posterior, model, frame), posterior.spec.family
    return family.draw_responses(mean, trials[:, None], own, posterior.generator(1000))


def _trials(posterior: Posterior, data: Any, rows: int) -> np.ndarray:
    """Trials of each row of `data`, or known errors, where the response has them; else one."""
    response, measured = posterior.spec.formula.response, posterior.spec.formula.measured
    if measured is not None:
        return errors_of(posterior.spec, measured, data)
    if not isinstance(response, TrialsResponse):
        return np.ones(rows)
    if data is not None:
        return trials_of(response, data, rows)
    fitted = posterior.spec.cells.response
    assert isinstance(fitted, BinomialCells | PairCells)
    return fitted.trials
