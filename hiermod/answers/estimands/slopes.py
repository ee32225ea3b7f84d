"""`slopes`: how the expected response changes with a number; how a design changes with it, row by row."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.curves import curve_of
from hiermod.answers.averaging.estimable import estimable_designs
from hiermod.answers.averaging.grid import Averaging, Grid, cell_grid
from hiermod.answers.averaging.query import Arguments, read_slope
from hiermod.answers.averaging.rows import Base, with_column
from hiermod.answers.draws import wins
from hiermod.answers.mixed import answer_of_each
from hiermod.answers.predictors import Design, Designs
from hiermod.answers.reader import LinearReader, block_slices, linear_spec, per_exposure
from hiermod.data.columns.functions import Recipe
from hiermod.data.columns.values import Leveled
from hiermod.errors import AnswerError, DataError, enumerate_names
from hiermod.modeling.coding import Block, Column
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

ROUNDS = 4  # halvings of a step
SHRUNK = (1.0, 2.0**-5, 2.0**-10, 2.0**-15)  # knots of a spline, and kinks, stand outside small steps
ERROR = 1e-6  # what a derivative may be wrong by, beside its size and that of the variable in units of the column
Changes = Mapping[str, np.ndarray]


def variable_changes(spec: ModelSpec, base: Base, name: str) -> dict[str, np.ndarray]:
    """The derivative of each numeric column of the model with respect to the column `name`, a number for each row.

    That of the column itself is one. What functions make of it is differentiated by central differences, extrapolated
    to a step of zero and checked against each other.

    Raises
    ------
    AnswerError
        If two extrapolations differ, as at a kink, or rows do not have the column's own values.
    """
    changes = {name: np.ones(len(base.frame))}
    for variable, recipe in spec.cells.recipes.items():
        if variable == name or name not in recipe.sources:
            continue
        absent = [source for source in recipe.sources if source not in base.frame or source in base.averaged]
        if absent or variable in base.averaged:
            raise AnswerError(
                f"{variable} follows from {enumerate_names(recipe.sources)}, and {(absent or [name])[0]!r} differs "
                "within cells. Fit with compress=False, or give rows with data=."
            )
        columns = spec.cells.predictors[variable].columns
        changes.update(zip(columns, _differentiated(recipe, base.frame, name).T.copy(), strict=True))
    return changes


def _differentiated(recipe: Recipe, frame: pd.DataFrame, name: str) -> np.ndarray:
    """The derivative of what a recipe makes, shape ``(rows, columns)``."""
    x = frame[name].to_numpy(dtype=float)
    spread = float(x.std()) or max(abs(float(x[0])), 1.0)
    size = np.where(x == 0.0, spread, np.minimum(np.abs(x), spread))
    best, error = None, np.full(0, np.inf)
    for shrunk, unit in itertools.product(SHRUNK, (np.full(len(x), spread / 8.0), size / 8.0)):
        if best is not None and (error <= ERROR).all():
            break
        try:
            slopes, wrong = _extrapolated(recipe, frame, name, x, unit, shrunk)
        except DataError:  # a step left the range of a function
            continue
        if best is None:
            best, error = slopes, wrong
        else:
            better = (wrong < error)[:, None]
            best, error = np.where(better, slopes, best), np.minimum(wrong, error)
    if best is None or (error > ERROR).any():
        row = 0 if best is None else int(error.argmax())
        raise AnswerError(
            f"{recipe.name} has no derivative that can be trusted where {name} is {x[row]:g}. "
            f"Compare values: fit.rates({{{name!r}: [...]}})."
        )
    return best


def _extrapolated(
    recipe: Recipe, frame: pd.DataFrame, name: str, x: np.ndarray, unit: np.ndarray, shrunk: float
) -> tuple[np.ndarray, np.ndarray]:
    """Central differences of halved steps, extrapolated to none (Richardson), and how far the last two are apart.

    The first step is a part, `shrunk`, of the unit in which changes are measured.
    """
    table: list[np.ndarray] = []
    best, error = np.empty(0), np.empty(0)
    middle, gaps = _made(recipe, with_column(frame, name, x)), []
    for turn in range(ROUNDS + 1):
        width = unit * shrunk / 2.0**turn
        high, low = (_made(recipe, with_column(frame, name, x + sign * width)) for sign in (1.0, -1.0))
        column = [(high - low) / (2.0 * width)[:, None]]
        gaps.append(np.abs(high - 2.0 * middle + low) / width[:, None])
        for order, former in enumerate(table, start=1):
            column.append(column[-1] + (column[-1] - former) / (4.0**order - 1.0))
        if turn:
            scale = np.abs(column[-1]) + np.abs(high).max(axis=1, keepdims=True) / unit[:, None]
            wrong = np.divide(
                np.abs(column[-1] - table[-1]), scale, out=np.zeros_like(scale), where=scale > 0
            ).max(axis=1)  # fmt: skip
            if turn == 1:
                best, error = column[-1], wrong
            else:
                best = np.where((wrong <= error)[:, None], column[-1], best)
                error = np.minimum(wrong, error)
        table = column
    # The slopes to both sides meet as steps shrink, but for a kink.
    kinked = (gaps[-1] > 0.5 * gaps[0]) & (gaps[-1] > ERROR * scale)
    return best, np.where(kinked.any(axis=1), np.inf, error)


def _made(recipe: Recipe, frame: pd.DataFrame) -> np.ndarray:
    value = recipe.apply(frame)
    assert not isinstance(value, Leveled)
    return value.reshape(len(frame), -1)


def changed_designs(spec: Spec, frame: pd.DataFrame, changes: Changes, names: Iterable[str]) -> Designs:
    """The derivatives of all design columns on `frame`, of the linear predictors of some parameters."""
    return Designs({name: _changed_design(spec, name, frame, changes) for name in names})


def _changed_design(spec: Spec, name: str, frame: pd.DataFrame, changes: Changes) -> Design:
    predictor = spec.predictors[name]
    common = [_changed_block(block, frame, changes) for block in predictor.common.blocks]
    groups = tuple(_changed_term(term, name, frame, changes) for term in spec.groups)
    counted = name != "mu" or not per_exposure(spec)
    moved = sum((changes[each] for each in predictor.offsets if each in changes), np.zeros(len(frame)))
    return Design(np.hstack([np.empty((len(frame), 0)), *common]), groups, np.asarray(moved) if counted else None)


def _changed_term(term: GroupDesign, name: str, frame: pd.DataFrame, changes: Changes) -> np.ndarray | None:
    if all(effect.parameter != name for effect in term.effects):
        return None
    none = {effect.name: np.zeros((len(frame), len(effect.row_names))) for effect in term.effects}
    return np.hstack(
        [_changed_block(effect.block, frame, changes) if effect.parameter == name else none[effect.name]
         for effect in term.effects]
    )  # fmt: skip


def _changed_block(block: Block, frame: pd.DataFrame, changes: Changes) -> np.ndarray:
    return np.column_stack([_changed(column, frame, changes) for column in block.columns])


def _changed(column: Column, frame: pd.DataFrame, changes: Changes) -> np.ndarray:
    """The product rule: each changing number of a column in turn, times the rest of the column."""
    total = np.zeros(len(frame))
    for place, name in enumerate(column.numerics):
        if name in changes:
            rest = Column(column.numerics[:place] + column.numerics[place + 1 :], column.levels, column.contrasts)
            total += changes[name] * rest.values(frame, {})
    return total


COMPUTED = ("estimate", "lower", "upper", "prob_beats", "prob_exceeds")


@answer_of_each
def slopes(posterior: Posterior, arguments: Arguments) -> Answer:
    """The average derivative of the expected response with respect to a numeric column, in each `by` cell."""
    spec = linear_spec(posterior.spec, "slopes")
    query = read_slope(spec, arguments)
    check_results(query.cells, COMPUTED)
    grid, question = cell_grid(posterior, query), query.question
    rows = Base(grid.frame, grid.weight, query.rows.averaged)
    changes = variable_changes(spec, rows, str(question.variable))
    model = LinearReader(posterior, spec, query.groups, outcome=query.outcome.functional)
    change = changed_designs(spec, grid.frame, changes, model.names)
    grid, change, left = _estimable(posterior, spec, grid, change)
    average = Averaging(grid.weight, grid.cell, len(grid.keys), posterior.size)
    for part in block_slices(len(grid.frame), average.draws):
        average.add(part, model.slope(grid.frame.iloc[part], change.part(part), question.scale.linear))
    draws = average.total if question.scale.linear else average.total * query.per
    columns = {"prob_beats": wins(draws, 0.0, question.sign).mean(axis=1)}
    return make_answer(
        draws, grid.keys, posterior.shape, question, "slope", columns=columns, notices=(*grid.notices, *left),
        curve=curve_of(spec, query),
    )  # fmt: skip


def _estimable(posterior: Posterior, spec: Spec, grid: Grid, change: Designs) -> tuple[Grid, Designs, list[str]]:
    """The rows with a slope that the data speak for, and what to say of the others.

    A row may be one that was fitted, and its slope not: where the column has one value among rows of its kind.
    """
    if not posterior.informed:
        return grid, change, []
    commons = {name: design.common for name, design in change.predictors.items()}
    known = estimable_designs(spec, commons, len(grid.frame))
    if known.all():
        return grid, change, []
    share = float(grid.weight[~known].sum() / grid.weight.sum())
    notice = (
        f"rows with {share:.0%} of the weight leave the averages: the data say nothing about their slopes, since the "
        "column has one value among rows of their kind"
    )
    kept = replace(
        grid, frame=grid.frame[known].reset_index(drop=True), weight=grid.weight[known], cell=grid.cell[known]
    )
    return kept, change.part(known), [notice]
