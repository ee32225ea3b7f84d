"""`interaction`: how an effect differs between the levels of another variable (a difference of differences)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.contrasts import pair_arms
from hiermod.answers.averaging.query import Arguments, read_interaction
from hiermod.answers.draws import wins
from hiermod.answers.estimands.effects import compared
from hiermod.data.columns.values import as_levels
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

ROUNDING = 1e-13
COMPUTED = ("contrast", "between", "estimate", "lower", "upper", "prob_beats", "prob_exceeds")


def interaction(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts, between the levels of `across`, of the contrasts of `variable`, in each `by` cell."""
    query = read_interaction(posterior.spec, arguments)
    check_results(query.cells, COMPUTED)
    effects, question, scale = compared(posterior, query), query.question, query.question.scale
    *by, across = query.cells
    labels = effects.pairing.labels
    size = float(np.abs(effects.arms.draws).max()) if scale.additive else 1.0
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
    return make_answer(draws, rows, posterior.shape, question, scale.name, columns=columns)


def _settled(result: np.ndarray, null: float | None, size: float) -> np.ndarray:
    """Contrasts that differ from none by rounding alone are ties."""
    assert null is not None
    return np.where(np.abs(result - null) <= ROUNDING * size, null, result)


def _cells(keys: pd.DataFrame, by: list[str]) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each `by` cell, in order."""
    return list(keys.groupby(by, sort=False, observed=True, dropna=False)) if by else [((), keys)]
