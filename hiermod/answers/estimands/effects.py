"""Arms compared over the same rows: `effect`, `interaction`, `prob_beats`, `pairwise`, `best`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import draws
from hiermod.answers.answer import Answer, Question, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.contrasts import Pairing, pair_arms
from hiermod.answers.averaging.curves import curve_of
from hiermod.answers.averaging.grid import averages, cell_grid
from hiermod.answers.averaging.log_averages import contrast_logs
from hiermod.answers.averaging.query import Arguments, Query, read_arms, read_effect, read_interaction
from hiermod.answers.averaging.rows import with_column
from hiermod.answers.draws import wins
from hiermod.answers.log_means import Logs
from hiermod.answers.mixed import answer_of_each, table_of_each
from hiermod.answers.outcome import Outcome
from hiermod.answers.scales import Scale, exp, ratio
from hiermod.data.columns.values import Level, as_levels
from hiermod.errors import AnswerError
from hiermod.sampling.diagnostics import mean_sizes
from hiermod.sampling.posterior import Posterior

INDEPENDENT = "independent draws"  # the attribute of a table that says how many its probabilities come from
COMPUTED = ("contrast", "estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope", "prob_exceeds")


@dataclass(frozen=True, eq=False)
class Arms:
    """Draws of every arm's mean in every cell, shape ``(cells, arms, draws)``, and of what contrasts are made of.

    That is `scaled`: means, or on the scale of the link linear predictors; of ratios the `logs` of averages, where
    averages round to what has none. `order` holds numbers in the order of the means, also where these are equal by
    rounding alone.
    """

    draws: np.ndarray
    scaled: np.ndarray
    logs: Logs | None
    levels: tuple[Level, ...]
    keys: pd.DataFrame
    outcome: Outcome
    notices: tuple[str, ...] = ()

    @property
    def order(self) -> np.ndarray:
        """The order of the arms."""
        return self.draws if self.logs is None else self.logs.order


def compare_arms(posterior: Posterior, query: Query) -> Arms:
    """All rows of each cell at each level of the variable in turn, averaged within each draw."""
    grid, count, scale = cell_grid(posterior, query), len(query.levels), query.question.scale
    arms = averages(posterior, query.groups, grid, outcome=query.outcome.functional)
    logs = contrast_logs(posterior, query, grid, arms)
    scaled = arms if scale.of_logs is not None else query.per * arms
    if scale.linear:
        scaled = averages(posterior, query.groups, grid, linear=True)
    keys = grid.keys.iloc[::count][list(query.cells)].reset_index(drop=True)
    shape = (len(keys), count, arms.shape[-1])
    logs = None if logs is None else logs.reshaped(shape)
    return Arms(
        (query.per * arms).reshape(shape), scaled.reshape(shape), logs, query.levels, keys, query.outcome,
        (*query.notices, *grid.notices),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Compared:
    """Arms compared with each other, shape ``(cells, contrasts, draws)``: both sides, and the contrast on its scale.

    `log_ratios` are the logarithms of ratios that were computed by them; `remark` says how many draws have a control
    that is not above 0, where contrasts are relative to it.
    """

    arms: Arms
    pairing: Pairing
    treated: np.ndarray
    control: np.ndarray
    draws: np.ndarray
    log_ratios: np.ndarray | None = None
    remark: str = ""

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
        if self.arms.logs is None:
            return _wins(self.treated, self.control, sign).ravel()
        logs, pairing = self.arms.logs, self.pairing
        return _wins(logs.averaged(pairing.treated).order, logs.averaged(pairing.control).order, sign).ravel()

    def loss(self, sign: int) -> np.ndarray:
        """What choosing the treated over the control is expected to cost, a row each, on the response scale.

        NaN where the outcome has no posterior mean.
        """
        if not self.arms.outcome.has_mean:
            return np.full(self.draws.shape[:2], np.nan).ravel()
        with np.errstate(invalid="ignore"):  # of two means that overflow no loss is known
            loss = draws.losses(self.treated, self.control, sign).mean(axis=-1)
        return (loss * self.pairing.size).ravel()


def compared(posterior: Posterior, query: Query) -> Compared:
    """The contrasts of a variable's arms in each cell."""
    arms, pairing, scale = compare_arms(posterior, query), query.pairing, query.question.scale
    assert pairing is not None
    treated, control = pairing.sides(arms.draws)
    if arms.logs is not None and scale.of_logs is not None:
        log_ratios = pairing.log_contrast(arms.logs, scale)
        return Compared(arms, pairing, treated, control, scale.of_logs(log_ratios), log_ratios)
    if scale.additive and not scale.linear:
        _refuse_endless(treated, control)
    remark = _refuse_negative(query.question, arms, pairing, control) if scale.relative else ""
    return Compared(arms, pairing, treated, control, pairing.contrast(arms.scaled, scale), remark=remark)


def _refuse_endless(treated: np.ndarray, control: np.ndarray) -> None:
    """Refuse the difference of two means that are larger than numbers can be."""
    share = float((np.isinf(treated) & np.isinf(control)).mean(axis=-1).max(initial=0.0))
    if share:
        raise AnswerError(
            f"scale='difference': in {share:.2%} of the draws the means of both arms are above "
            f"{np.finfo(float).max:.2g}, so that their difference is not known. Say scale='ratio' or 'link'."
        )


MOST_NEGATIVE = 0.01  # of the draws of a control


def _refuse_negative(question: Question, arms: Arms, pairing: Pairing, control: np.ndarray) -> str:
    """Refuse what is relative to a control that may well not be above 0; a remark where that is hardly so."""
    share = (control <= 0.0).mean(axis=-1)
    worst = float(share.max(initial=0.0))
    if worst == 0.0:
        return ""
    cell, place = (int(index) for index in np.unravel_index(share.argmax(), share.shape))
    key = arms.keys.iloc[cell] if len(arms.keys.columns) else pd.Series(dtype=object)
    where = "".join(f", {name} {value}" for name, value in key.items())
    found = f"{worst:.2%} of the draws" if worst < 1.0 else "all draws"
    what = f"the {question.measure.name} of the control ({pairing.labels[place]}{where}) is 0 or below in {found}"
    if worst > MOST_NEGATIVE or question.kind == "interaction":
        raise AnswerError(
            f"scale={question.scale.name!r}: {what}, and a {question.scale.name} needs a control above 0: its sign and "
            "size mean nothing else. Say scale='difference', or control= for another level."
        )
    return f"At most, {what}: a {question.scale.name} of such a draw counts as infinite, on the side of the difference."


@answer_of_each
def effect(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts of a variable's arms, each other one with the control if nothing else is said, in each `by` cell."""
    query = read_effect(posterior.spec, arguments)
    check_results(query.cells, COMPUTED)
    contrasts, question = compared(posterior, query), query.question
    question = replace(question, remark=f"{question.remark} {contrasts.remark}".strip())
    columns = {"prob_beats": contrasts.beats(question.sign), "expected_loss": contrasts.loss(question.sign)}
    return make_answer(
        contrasts.flat, contrasts.keys, posterior.shape, question, question.scale.name, columns=columns,
        notices=contrasts.arms.notices, curve=curve_of(posterior.spec, query),
    )  # fmt: skip


def _wins(one: np.ndarray, other: np.ndarray, sign: int) -> np.ndarray:
    """P(one beats the other), over the last axis; NaN where either is not estimable."""
    unknown = np.isnan(one).any(axis=-1) | np.isnan(other).any(axis=-1)
    return np.where(unknown, np.nan, wins(one, other, sign).mean(axis=-1))


@table_of_each
def prob_beats_table(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(level beats control), a row per `by` cell, a column per other level; and notices."""
    query = read_effect(posterior.spec, arguments)
    arms, place, sign = compare_arms(posterior, query), query.control, query.question.sign
    others = [index for index in range(len(arms.levels)) if index != place]
    beats = _wins(arms.order[:, others], arms.order[:, place : place + 1], sign)
    columns = pd.Index([arms.levels[index] for index in others], name=query.question.variable)
    return pd.DataFrame(beats, index=_cell_index(arms), columns=columns), arms.notices


@table_of_each
def pairwise(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(row beats column) of all arms, the diagonal empty (NaN); and notices."""
    query = read_arms(posterior.spec, arguments)
    arms, sign, variable = compare_arms(posterior, query), query.question.sign, query.question.variable
    count, order = len(arms.levels), arms.order
    tables = np.full((len(arms.keys), count, count), np.nan)
    for row in range(count):
        for column in range(count):
            if row != column:
                tables[:, row, column] = _wins(order[:, row], order[:, column], sign)
    columns = pd.Index(arms.levels, name=variable)
    table = pd.DataFrame(tables.reshape(-1, count), index=_arm_index(arms, variable), columns=columns)
    return table, arms.notices


@table_of_each
def best(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """P(best), expected loss and expected rank of each arm, NaN in cells where one is not estimable; and notices."""
    query = read_arms(posterior.spec, arguments)
    arms = compare_arms(posterior, query)
    sign = query.question.sign
    measures = {
        "prob_best": (draws.prob_best, sign * arms.order),
        "expected_loss": (draws.expected_loss, sign * arms.draws),
        "expected_rank": (draws.expected_rank, sign * arms.order),
    }
    columns = {
        name: np.concatenate([_of_known(measure, cell) for cell in values])
        for name, (measure, values) in measures.items()
    }
    if not query.outcome.has_mean:
        columns["expected_loss"][:] = np.nan
    table = pd.DataFrame(columns, index=_arm_index(arms, query.question.variable))
    table.attrs[INDEPENDENT] = _independent(arms.order, posterior.shape)
    return table, arms.notices


def _independent(order: np.ndarray, shape: tuple[int, int]) -> float:
    """How many independent draws those of the arms are worth at least; infinite where they are too few to tell."""
    rows = order.reshape(-1, order.shape[-1])
    rows = rows[np.isfinite(rows).all(axis=1)]
    sizes = mean_sizes(np.moveaxis(rows.reshape(-1, *shape), 0, 2)) if len(rows) else np.array([np.nan])
    return math.inf if np.isnan(sizes).all() else min(float(np.nanmin(sizes)), float(np.prod(shape)))


def _of_known(measure: Callable[[np.ndarray, int], np.ndarray], cell: np.ndarray) -> np.ndarray:
    """A measure of the arms of a cell, shape ``(arms, draws)``; NaN where one of them is not estimable."""
    if np.isnan(cell).any():
        return np.full(len(cell), np.nan)
    with np.errstate(invalid="ignore"):
        return measure(cell, 0)


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


@answer_of_each
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
        pairing = pair_arms(arguments.between, levels, across, argument="between")
        result = _settled(_interacted(effects, pairing, scale, cell.index), scale.null, size)
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


def _interacted(effects: Compared, pairing: Pairing, scale: Scale, cells: pd.Index) -> np.ndarray:
    """The interaction of the contrasts in some cells, of ratios by their logarithms where these are known."""
    if effects.log_ratios is not None and scale.interact is ratio:
        logs = Logs(effects.log_ratios[cells].swapaxes(0, 1))
        return exp(logs.averaged(pairing.treated).mean - logs.averaged(pairing.control).mean)
    here, there = pairing.sides(effects.draws[cells].swapaxes(0, 1))
    if scale.of_logs is not None and (np.isinf(here) & np.isinf(there)).any():
        raise AnswerError(
            f"scale={scale.name!r}: in some draws both effects are larger than numbers can be, and have no difference. "
            "Say scale='ratio' or 'link'."
        )
    return scale.interact(here, there)


def _settled(result: np.ndarray, null: float | None, size: float) -> np.ndarray:
    """Contrasts that differ from none by rounding alone are ties."""
    assert null is not None
    return np.where(np.abs(result - null) <= ROUNDING * size, null, result)


def _cells(keys: pd.DataFrame, by: list[str]) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each `by` cell, in order."""
    return list(keys.groupby(by, sort=False, observed=True, dropna=False)) if by else [((), keys)]
