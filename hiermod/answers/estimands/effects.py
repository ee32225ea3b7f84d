"""Arms compared: `effect`, `prob_beats`, `pairwise`, `best`. Every arm averages over the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import draws
from hiermod.answers.answer import Answer, Question, check_prob, check_threshold, interval, measure_of, with_coords
from hiermod.answers.averaging.columns import arm_levels, check_column, check_results
from hiermod.answers.averaging.contrasts import BY_MEDIAN, Pairing, check_scale, contrast_name, control_place, pair_arms
from hiermod.answers.averaging.grid import averages, cell_grid
from hiermod.answers.averaging.query import Arguments, read_scope
from hiermod.answers.averaging.rows import base_rows, with_column
from hiermod.answers.outcome import Outcome, read_outcome
from hiermod.data.columns.values import Level
from hiermod.errors import AnswerError
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

COMPUTED = ("contrast", "estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope", "prob_exceeds")


@dataclass(frozen=True, eq=False)
class Arms:
    """Draws of every arm in every `by` cell, shape ``(cells, arms, draws)``."""

    draws: np.ndarray
    levels: tuple[Level, ...]
    keys: pd.DataFrame
    by: tuple[str, ...]
    outcome: Outcome


def compare_arms(posterior: Posterior, arguments: Arguments, scale: str = "response") -> Arms:
    """Set `variable` to each level in turn for all rows of each `by` cell, and average within each draw."""
    spec = posterior.spec
    variable = check_column(spec, arguments.variable, "variable")
    asked = read_scope(spec, arguments)
    _check_differs(spec, variable, arguments.groups)
    if variable in (*asked.by, *asked.held):
        raise AnswerError(
            f"{variable!r} is the variable whose levels are compared; it cannot stand in by= too, or at=."
        )
    levels = arm_levels(spec, variable)
    setting = (variable, *asked.set_columns)
    base = base_rows(spec, arguments.data, arguments.weights, asked.by, arguments.groups, setting)
    grid = cell_grid(spec, base, asked, {**asked.settings, variable: levels})
    outcome = read_outcome(spec, arguments.outcome, arguments.groups)
    draws = averages(
        posterior, base.groups, grid.frame, grid.weight, grid.cell, len(grid.keys), scale, outcome.name
    )  # fmt: skip
    keys = grid.keys.iloc[:: len(levels)][list(asked.by)].reset_index(drop=True)
    return Arms(draws.reshape(len(keys), len(levels), -1), levels, keys, asked.by, outcome)


def _check_differs(spec: ModelSpec, variable: str, groups: str) -> None:
    """Refuse to compare groups where ``groups=`` takes their differences away; 0.5 would be no answer."""
    formula = spec.formula
    if groups != "observed" and variable not in (*formula.variables, *formula.predictor_columns):
        raise AnswerError(
            f"groups={groups!r} leaves out what is special to each {variable}, so its levels do not differ. "
            "They are compared with groups='observed'."
        )


@dataclass(frozen=True, eq=False)
class Compared:
    """Arms held against each other, shape ``(cells, contrasts, draws)``: both sides, and the contrast on its scale."""

    arms: Arms
    pairing: Pairing
    treated: np.ndarray
    control: np.ndarray
    draws: np.ndarray

    @property
    def keys(self) -> pd.DataFrame:
        """The `by` columns and the contrast of each row."""
        cells, contrasts, _ = self.draws.shape
        keys = self.arms.keys.loc[self.arms.keys.index.repeat(contrasts)].reset_index(drop=True)
        return keys.assign(contrast=list(self.pairing.labels) * cells)

    def beats(self, sign: int) -> np.ndarray:
        """P(treated beats control) of each row."""
        return draws.wins(self.treated, self.control, sign).mean(axis=-1).ravel()

    def loss(self, sign: int) -> np.ndarray:
        """What choosing the treated over the control is expected to cost, a row each, on the response scale.

        NaN where the outcome has no posterior mean.
        """
        if not self.arms.outcome.has_mean:
            return np.full(self.draws.shape[:2], np.nan).ravel()
        own = draws.losses(self.treated, self.control, sign).mean(axis=-1)
        return (own * self.pairing.size).ravel()


def compared(posterior: Posterior, arguments: Arguments) -> Compared:
    """The contrasts of a variable's arms in each `by` cell."""
    scale = arguments.scale
    check_scale(scale, posterior.spec.family.is_rate, posterior.spec.family)
    arms = compare_arms(posterior, arguments)
    pairing = pair_arms(arguments.contrast, arms.levels, arguments.variable, arguments.control)
    scaled = compare_arms(posterior, arguments, "link") if scale == "link" else arms
    return Compared(arms, pairing, *pairing.sides(arms.draws), pairing.contrast(scaled.draws, scale))


def effect(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts of a variable's arms, each other one with the control if nothing else is said, in each `by` cell."""
    sign, prob, scale = draws.check_goal(arguments.goal), check_prob(arguments.prob), arguments.scale
    bounds, limit = _check_rope(arguments.rope), check_threshold(arguments.threshold)
    found = compared(posterior, arguments)
    check_results(found.arms.by, COMPUTED)
    flat = found.draws.reshape(-1, found.draws.shape[-1])
    outcome = found.arms.outcome
    median = scale in BY_MEDIAN or (scale != "link" and not outcome.has_mean)
    table = found.keys.assign(
        **interval(flat, prob, median=median), prob_beats=found.beats(sign), expected_loss=found.loss(sign)
    )
    if bounds is not None:
        table = table.assign(prob_rope=((flat >= bounds[0]) & (flat <= bounds[1])).mean(axis=1))
    if limit is not None:
        table = table.assign(prob_exceeds=draws.wins(flat, limit, sign).mean(axis=1))
    levels, variable, contrast = found.arms.levels, arguments.variable, arguments.contrast
    name = str(levels[control_place(levels, variable, arguments.control)]) if contrast == "control" else None
    question = Question(
        "effect", found.arms.by, arguments.groups, prob, variable, name, scale,
        measure_of(posterior.spec, outcome.name), contrast_name(contrast), remark=outcome.remark,
    )  # fmt: skip
    return Answer(with_coords(flat, found.keys, posterior.shape, scale), table, question)


def prob_beats_table(posterior: Posterior, arguments: Arguments) -> pd.DataFrame:
    """P(level beats control): a row per `by` cell, a column per other level."""
    sign, variable = draws.check_goal(arguments.goal), arguments.variable
    arms = compare_arms(posterior, arguments)
    place = control_place(arms.levels, variable, arguments.control)
    others = [index for index in range(len(arms.levels)) if index != place]
    beats = draws.wins(arms.draws[:, others], arms.draws[:, place : place + 1], sign).mean(axis=-1)
    columns = pd.Index([arms.levels[index] for index in others], name=variable)
    return pd.DataFrame(beats, index=_cell_index(arms), columns=columns)


def pairwise(posterior: Posterior, arguments: Arguments) -> pd.DataFrame:
    """P(row beats column) of all arms; the diagonal is empty (NaN)."""
    sign, variable = draws.check_goal(arguments.goal), arguments.variable
    arms = compare_arms(posterior, arguments)
    count = len(arms.levels)
    tables = np.full((len(arms.keys), count, count), np.nan)
    for row in range(count):
        for column in range(count):
            if row != column:
                tables[:, row, column] = draws.wins(arms.draws[:, row], arms.draws[:, column], sign).mean(axis=-1)
    columns = pd.Index(arms.levels, name=variable)
    return pd.DataFrame(tables.reshape(-1, count), index=_arm_index(arms, variable), columns=columns)


def best(posterior: Posterior, arguments: Arguments) -> pd.DataFrame:
    """P(best), expected loss and expected rank of each arm."""
    goal, variable = arguments.goal, arguments.variable
    draws.check_goal(goal)
    arms = compare_arms(posterior, arguments)
    measures = {
        "prob_best": draws.prob_best,
        "expected_loss": draws.expected_loss,
        "expected_rank": draws.expected_rank,
    }
    columns = {
        name: np.concatenate([measure(cell, 0, goal=goal) for cell in arms.draws]) for name, measure in measures.items()
    }
    if not arms.outcome.has_mean:
        columns["expected_loss"][:] = np.nan
    return pd.DataFrame(columns, index=_arm_index(arms, variable))


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
