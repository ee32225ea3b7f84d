"""Arms compared over the same rows: `effect`, `interaction`, `prob_beats`, `pairwise`, `best`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import draws
from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.contrasts import Pairing, pair_arms
from hiermod.answers.averaging.grid import averages, cell_grid, means
from hiermod.answers.averaging.query import Arguments, Query, read_effect, read_interaction
from hiermod.answers.averaging.rows import with_column
from hiermod.answers.draws import wins
from hiermod.answers.outcome import Outcome
from hiermod.data.columns.values import Level, as_levels
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

COMPUTED = ("contrast", "estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope", "prob_exceeds")


@dataclass(frozen=True, eq=False)
class Arms:
    """Draws of every arm's mean in every cell, shape ``(cells, arms, draws)``, and of what contrasts are made of.

    That is `scaled`: means, or on the scale of the link linear predictors.
    """

    draws: np.ndarray
    scaled: np.ndarray
    levels: tuple[Level, ...]
    keys: pd.DataFrame
    outcome: Outcome
    notices: tuple[str, ...] = ()


def compare_arms(posterior: Posterior, query: Query) -> Arms:
    """All rows of each cell at each level of the variable in turn, averaged within each draw."""
    grid, count = cell_grid(posterior, query), len(query.levels)
    arms = means(posterior, query, grid)
    scaled = averages(posterior, query.groups, grid, linear=True) if query.question.scale.linear else arms
    keys = grid.keys.iloc[::count][list(query.cells)].reset_index(drop=True)
    shape = (len(keys), count, -1)
    return Arms(arms.reshape(shape), scaled.reshape(shape), query.levels, keys, query.outcome, grid.notices)


@dataclass(frozen=True, eq=False)
class Compared:
    """Arms compared with each other, shape ``(cells, contrasts, draws)``: both sides, and the contrast on its scale."""

    arms: Arms
    pairing: Pairing
    treated: np.ndarray
    control: np.ndarray
    draws: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """The contrasts, shape ``(rows, draws)``."""
        return self.draws.reshape(-1, self.draws.shape[-1])

    @property
    def keys(self) -> pd.DataFrame:
        """The cell and the contrast of each row."""
        cells, contrasts, _ = self.draws.shape
        keys = self.arms.keys.loc[self.arms.keys.index.repeat(contrasts)].reset_index(drop=True)
        return keys.assign(contrast=list(self.pairing.labels) * cells)

    def beats(self, sign: int) -> np.ndarray:
        """P(treated beats control) of each row."""
        return _wins(self.treated, self.control, sign).ravel()

    def loss(self, sign: int) -> np.ndarray:
        """What choosing the treated over the control is expected to cost, a row each, on the response scale.

        NaN where the outcome has no posterior mean.
        """
        if not self.arms.outcome.has_mean:
            return np.full(self.draws.shape[:2], np.nan).ravel()
        loss = draws.losses(self.treated, self.control, sign).mean(axis=-1)
        return (loss * self.pairing.size).ravel()


def compared(posterior: Posterior, query: Query) -> Compared:
    """The contrasts of a variable's arms in each cell."""
    arms, pairing = compare_arms(posterior, query), query.pairing
    assert pairing is not None
    return Compared(arms, pairing, *pairing.sides(arms.draws), pairing.contrast(arms.scaled, query.question.scale))


def effect(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts of a variable's arms, each other one with the control if nothing else is said, in each `by` cell."""
    query = read_effect(posterior.spec, arguments)
    check_results(query.cells, COMPUTED)
    contrasts, question = compared(posterior, query), query.question
    columns = {"prob_beats": contrasts.beats(question.sign), "expected_loss": contrasts.loss(question.sign)}
    return make_answer(
        contrasts.flat, contrasts.keys, posterior.shape, question, question.scale.name, columns=columns,
        notices=contrasts.arms.notices,
    )  # fmt: skip


def _wins(one: np.ndarray, other: np.ndarray, sign: int) -> np.ndarray:
    """P(one beats the other), over the last axis; NaN where either is not estimable."""
    unknown = np.isnan(one).any(axis=-1) | np.isnan(other).any(axis=-1)
    return np.where(unknown, np.nan, wins(one, other, sign).mean(axis=-1))


def prob_beats_table(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(level beats control), a row per `by` cell, a column per other level; and notices."""
    query = read_effect(posterior.spec, arguments)
    arms, place, sign = compare_arms(posterior, query), query.control, query.question.sign
    others = [index for index in range(len(arms.levels)) if index != place]
    beats = _wins(arms.draws[:, others], arms.draws[:, place : place + 1], sign)
    columns = pd.Index([arms.levels[index] for index in others], name=query.question.variable)
    return pd.DataFrame(beats, index=_cell_index(arms), columns=columns), arms.notices


def pairwise(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(row beats column) of all arms, the diagonal empty (NaN); and notices."""
    query = read_effect(posterior.spec, arguments)
    arms, sign, variable = compare_arms(posterior, query), query.question.sign, query.question.variable
    count = len(arms.levels)
    tables = np.full((len(arms.keys), count, count), np.nan)
    for row in range(count):
        for column in range(count):
            if row != column:
                tables[:, row, column] = _wins(arms.draws[:, row], arms.draws[:, column], sign)
    columns = pd.Index(arms.levels, name=variable)
    table = pd.DataFrame(tables.reshape(-1, count), index=_arm_index(arms, variable), columns=columns)
    return table, arms.notices


def best(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(best), expected loss and expected rank of each arm, NaN in cells where one is not estimable; and notices."""
    query = read_effect(posterior.spec, arguments)
    arms = compare_arms(posterior, query)
    values = query.question.sign * arms.draws
    measures = {
        "prob_best": draws.prob_best,
        "expected_loss": draws.expected_loss,
        "expected_rank": draws.expected_rank,
    }
    columns = {
        name: np.concatenate([_of_known(measure, cell) for cell in values]) for name, measure in measures.items()
    }
    if not query.outcome.has_mean:
        columns["expected_loss"][:] = np.nan
    return pd.DataFrame(columns, index=_arm_index(arms, query.question.variable)), arms.notices


def _of_known(measure: Callable[[np.ndarray, int], np.ndarray], cell: np.ndarray) -> np.ndarray:
    """A measure of the arms of a cell, shape ``(arms, draws)``; NaN where one of them is not estimable."""
    return np.full(len(cell), np.nan) if np.isnan(cell).any() else measure(cell, 0)


def _cell_index(arms: Arms) -> pd.Index:
    names = list(arms.keys)
    if not names:
        return pd.Index(["all"])
    return pd.Index(arms.keys[names[0]], name=names[0]) if len(names) == 1 else pd.MultiIndex.from_frame(arms.keys)


def _arm_index(arms: Arms, variable: str | None) -> pd.Index:
    if not len(arms.keys.columns):
        return pd.Index(arms.levels, name=variable)
    assert variable is not None
    repeated = arms.keys.loc[arms.keys.index.repeat(len(arms.levels))].reset_index(drop=True)
    return pd.MultiIndex.from_frame(with_column(repeated, variable, list(arms.levels) * len(arms.keys)))


ROUNDING = 1e-13
OF_INTERACTION = ("contrast", "between", "estimate", "lower", "upper", "prob_beats", "prob_exceeds")


def interaction(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts, between the levels of `across`, of the contrasts of `variable`, in each `by` cell."""
    query = read_interaction(posterior.spec, arguments)
    check_results(query.cells, OF_INTERACTION)
    effects, question, scale = compared(posterior, query), query.question, query.question.scale
    *by, across = query.cells
    labels = effects.pairing.labels
    size = float(np.nanmax(np.abs(effects.arms.draws), initial=0.0)) if scale.additive else 1.0
    parts, keys = [], []
    for _, cell in _cells(effects.arms.keys, by):
        levels = as_levels(pd.Index(cell[across]))
        if len(levels) < 2:
            raise AnswerError(f"Only {across} {levels[0]!r} is there to compare the effect across; two are needed.")
        pairing = pair_arms(arguments.between, levels, across)
        here, there = pairing.sides(effects.draws[cell.index].swapaxes(0, 1))
        result = _settled(scale.interact(here, there), scale.null, size)
        if scale.additive:
            result = result * pairing.size[:, None]
        parts.append(result.reshape(-1, result.shape[-1]))
        key = cell[by].iloc[[0] * (len(labels) * len(pairing.labels))].reset_index(drop=True)
        contrasts = [label for label in labels for _ in pairing.labels]
        keys.append(key.assign(contrast=contrasts, between=list(pairing.labels) * len(labels)))
    draws = np.concatenate(parts)
    columns = {"prob_beats": wins(draws, scale.null, question.sign).mean(axis=1)}
    rows = pd.concat(keys, ignore_index=True)
    columns["prob_beats"][np.isnan(draws).any(axis=1)] = np.nan
    return make_answer(
        draws, rows, posterior.shape, question, scale.name, columns=columns, notices=effects.arms.notices
    )  # fmt: skip


def _settled(result: np.ndarray, null: float | None, size: float) -> np.ndarray:
    """Contrasts that differ from none by rounding alone are ties."""
    assert null is not None
    return np.where(np.abs(result - null) <= ROUNDING * size, null, result)


def _cells(keys: pd.DataFrame, by: list[str]) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each `by` cell, in order."""
    return list(keys.groupby(by, sort=False, observed=True, dropna=False)) if by else [((), keys)]
