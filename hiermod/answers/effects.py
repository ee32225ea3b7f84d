"""Arms compared: `effect`, `prob_beats`, `pairwise`, `best`. Every arm averages over the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import decisions
from hiermod.answers.answer import Answer, Question, check_prob, interval, with_coords
from hiermod.answers.expectation import averages
from hiermod.answers.grid import arm_levels, cell_grid, check_column, check_columns
from hiermod.answers.measure import measure_of
from hiermod.answers.rows import base_rows, with_column
from hiermod.answers.varying import check_groups
from hiermod.data.levels import Level
from hiermod.errors import AnswerError, did_you_mean
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

SCALES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "difference": lambda treated, control: treated - control,
    "ratio": lambda treated, control: treated / control,
    "lift": lambda treated, control: treated / control - 1.0,
    "odds_ratio": lambda treated, control: treated / (1.0 - treated) / (control / (1.0 - control)),
    "link": lambda treated, control: treated - control,
}
BY_MEDIAN = ("ratio", "lift", "odds_ratio")


@dataclass(frozen=True, eq=False)
class Arms:
    """Draws of every arm in every `by` cell, shape ``(cells, arms, draws)``."""

    draws: np.ndarray
    levels: tuple[Level, ...]
    keys: pd.DataFrame
    by: tuple[str, ...]


def compare_arms(
    posterior: Posterior, variable: str, by: Any, data: Any, weights: str | None, groups: str, scale: str = "response"
) -> Arms:
    """Set `variable` to each level in turn for all rows of each `by` cell, and average within each draw."""
    spec = posterior.spec
    variable = check_column(spec, variable, "variable")
    names = check_columns(spec, by)
    check_groups(groups)
    _check_differs(spec, variable, groups)
    if variable in names:
        raise AnswerError(f"{variable!r} is the variable whose levels are compared; it cannot stand in by= too.")
    levels = arm_levels(spec, variable)
    base = base_rows(spec, data, weights, names, groups, setting=(variable,))
    grid = cell_grid(spec, base, names, (variable,))
    draws = averages(posterior, groups, grid.frame, grid.weight, grid.cell, len(grid.keys), scale)
    keys = grid.keys.iloc[:: len(levels)][list(names)].reset_index(drop=True)
    return Arms(draws.reshape(len(keys), len(levels), -1), levels, keys, names)


def _check_differs(spec: Spec | BetaSpec, variable: str, groups: str) -> None:
    """Refuse to compare groups where ``groups=`` takes their differences away; 0.5 would be no answer."""
    formula = spec.formula
    if groups != "observed" and variable not in (*formula.variables(), *formula.predictor_columns()):
        raise AnswerError(
            f"groups={groups!r} leaves out what is special to each {variable}, so its levels do not differ. "
            "They are compared with groups='observed'."
        )


def effect(
    posterior: Posterior, variable: str, by: Any, control: Any, scale: str, groups: str, data: Any,
    weights: str | None, rope: Any, goal: str, prob: float,
) -> Answer:  # fmt: skip
    """A contrast of each other arm with the control, in each `by` cell."""
    _check_scale(posterior, scale)
    decisions.check_goal(goal), check_prob(prob)
    bounds = _check_rope(rope)
    arms = compare_arms(posterior, variable, by, data, weights, groups)
    place = control_place(arms.levels, variable, control)
    others = [index for index in range(len(arms.levels)) if index != place]
    scaled = compare_arms(posterior, variable, by, data, weights, groups, "link") if scale == "link" else arms
    contrast = SCALES[scale](scaled.draws[:, others], scaled.draws[:, place : place + 1])
    flat = contrast.reshape(-1, contrast.shape[-1])
    treated, base = arms.draws[:, others], arms.draws[:, place : place + 1]
    labels = [f"{arms.levels[index]} vs {arms.levels[place]}" for index in others]
    keys = arms.keys.loc[arms.keys.index.repeat(len(others))].reset_index(drop=True)
    keys = keys.assign(contrast=labels * len(arms.keys))
    sign = decisions.check_goal(goal)
    table = keys.assign(
        **interval(flat, prob, median=scale in BY_MEDIAN),
        prob_beats=decisions.wins(treated, base, sign).mean(axis=-1).ravel(),
        expected_loss=decisions.losses(treated, base, sign).mean(axis=-1).ravel(),
    )
    if bounds is not None:
        table = table.assign(prob_rope=((flat >= bounds[0]) & (flat <= bounds[1])).mean(axis=1))
    control_name, measure = str(arms.levels[place]), measure_of(posterior.spec)
    question = Question("effect", arms.by, groups, prob, variable, control_name, scale, measure)
    return Answer(with_coords(flat, keys, posterior.shape, scale), table, question)


def prob_beats_table(posterior: Posterior, variable: str, by: Any, control: Any, groups: str, data: Any,
                     weights: str | None, goal: str) -> pd.DataFrame:  # fmt: skip
    """P(level beats control): a row per `by` cell, a column per other level."""
    sign = decisions.check_goal(goal)
    arms = compare_arms(posterior, variable, by, data, weights, groups)
    place = control_place(arms.levels, variable, control)
    others = [index for index in range(len(arms.levels)) if index != place]
    beats = decisions.wins(arms.draws[:, others], arms.draws[:, place : place + 1], sign).mean(axis=-1)
    columns = pd.Index([arms.levels[index] for index in others], name=variable)
    return pd.DataFrame(beats, index=_cell_index(arms), columns=columns)


def pairwise(posterior: Posterior, variable: str, by: Any, groups: str, data: Any, weights: str | None,
             goal: str) -> pd.DataFrame:  # fmt: skip
    """P(row beats column) of all arms; the diagonal is empty (NaN)."""
    sign = decisions.check_goal(goal)
    arms = compare_arms(posterior, variable, by, data, weights, groups)
    count = len(arms.levels)
    tables = np.full((len(arms.keys), count, count), np.nan)
    for row in range(count):
        for column in range(count):
            if row != column:
                tables[:, row, column] = decisions.wins(arms.draws[:, row], arms.draws[:, column], sign).mean(axis=-1)
    columns = pd.Index(arms.levels, name=variable)
    return pd.DataFrame(tables.reshape(-1, count), index=_arm_index(arms, variable), columns=columns)


def best(posterior: Posterior, variable: str, by: Any, groups: str, data: Any, weights: str | None,
         goal: str) -> pd.DataFrame:  # fmt: skip
    """P(best), expected loss and expected rank of each arm."""
    decisions.check_goal(goal)
    arms = compare_arms(posterior, variable, by, data, weights, groups)
    measures = {
        "prob_best": decisions.prob_best,
        "expected_loss": decisions.expected_loss,
        "expected_rank": decisions.expected_rank,
    }
    columns = {
        name: np.concatenate([measure(cell, 0, goal=goal) for cell in arms.draws]) for name, measure in measures.items()
    }
    return pd.DataFrame(columns, index=_arm_index(arms, variable))


def control_place(levels: tuple[Level, ...], variable: str, control: Any) -> int:
    """Where the control stands among the levels: the first, or the one asked for."""
    if control is None:
        return 0
    for place, level in enumerate(levels):
        if level == control or str(level) == str(control):
            return place
    raise AnswerError(f"{variable!r} has no level {control!r} to be the control.{did_you_mean(str(control), levels)}")


def _cell_index(arms: Arms) -> pd.Index:
    if not arms.by:
        return pd.Index(["all"])
    if len(arms.by) == 1:
        return pd.Index(arms.keys[arms.by[0]], name=arms.by[0])
    return pd.MultiIndex.from_frame(arms.keys)


def _arm_index(arms: Arms, variable: str) -> pd.Index:
    if not arms.by:
        return pd.Index(arms.levels, name=variable)
    repeated = arms.keys.loc[arms.keys.index.repeat(len(arms.levels))].reset_index(drop=True)
    return pd.MultiIndex.from_frame(with_column(repeated, variable, list(arms.levels) * len(arms.keys)))


def _check_scale(posterior: Posterior, scale: str) -> None:
    if scale not in SCALES:
        raise AnswerError(f"scale={scale!r}.{did_you_mean(str(scale), SCALES)}")
    if scale == "odds_ratio" and not posterior.spec.family.is_rate:
        raise AnswerError(f"scale='odds_ratio' needs rates; family {posterior.spec.family} has none. Say 'difference'.")


def _check_rope(rope: Any) -> tuple[float, float] | None:
    if rope is None:
        return None
    try:
        low, high = (float(bound) for bound in rope)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not low < high:
        raise AnswerError(f"rope={rope!r}: a pair (low, high) on the scale of the contrast, such as (-0.01, 0.01).")
    return low, high
