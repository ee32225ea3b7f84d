"""`interaction`: how an effect differs between the levels of another variable (a difference of differences)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question, check_prob, check_threshold, interval, measure_of, with_coords
from hiermod.answers.averaging.columns import check_columns, check_results
from hiermod.answers.averaging.contrasts import ABSOLUTE, BY_MEDIAN, INTERACTIONS, contrast_name, pair_arms
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.draws import check_goal, wins
from hiermod.answers.estimands.effects import compared
from hiermod.data.columns.values import as_levels
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

ROUNDING = 1e-13
COMPUTED = ("contrast", "between", "estimate", "lower", "upper", "prob_beats", "prob_exceeds")


def interaction(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts, between the levels of `across`, of the contrasts of `variable`, in each `by` cell."""
    sign, limit = check_goal(arguments.goal), check_threshold(arguments.threshold)
    prob, scale = check_prob(arguments.prob), arguments.scale
    inner = _across(arguments.across)
    check_columns(posterior.spec, inner, "across", arguments.data)
    check_columns(posterior.spec, arguments.by, data=arguments.data)
    outer = arguments.by if isinstance(arguments.by, Mapping) else dict.fromkeys(_listed(arguments.by))
    if set(inner) & set(outer):
        raise AnswerError(f"{next(iter(inner))!r} is what the effect is compared across; it cannot stand in by= too.")
    found = compared(posterior, replace(arguments, by={**outer, **inner}))
    *by, name = found.arms.by
    check_results((*by, name), COMPUTED)
    null = 1.0 if scale in ("ratio", "odds_ratio") else 0.0
    cells, contrasts = _cells(found.arms.keys, by), len(found.pairing.labels)
    parts, keys = [], []
    for _, own in cells:
        levels = as_levels(pd.Index(own[name]))
        if len(levels) < 2:
            raise AnswerError(f"Only {name} {levels[0]!r} is there to compare the effect across; two are needed.")
        pairing = pair_arms(arguments.between, levels, name)
        here, there = pairing.sides(found.draws[own.index].swapaxes(0, 1))
        result = INTERACTIONS[scale](here, there)
        result = _settled(result, null, float(np.abs(found.arms.draws).max()) if scale in ABSOLUTE else 1.0)
        if scale in ABSOLUTE:
            result = result * pairing.size[:, None]
        parts.append(result.reshape(-1, result.shape[-1]))
        key = own[by].iloc[[0] * (contrasts * len(pairing.labels))].reset_index(drop=True)
        labels = [label for label in found.pairing.labels for _ in pairing.labels]
        keys.append(key.assign(contrast=labels, between=list(pairing.labels) * contrasts))
    draws, rows = np.concatenate(parts), pd.concat(keys, ignore_index=True)
    outcome = found.arms.outcome
    median = scale in BY_MEDIAN or (scale != "link" and not outcome.has_mean)
    table = rows.assign(**interval(draws, prob, median=median), prob_beats=wins(draws, null, sign).mean(axis=1))
    if limit is not None:
        table = table.assign(prob_exceeds=wins(draws, limit, sign).mean(axis=1))
    question = Question(
        "interaction", tuple(by), arguments.groups, prob, arguments.variable, None, scale,
        measure_of(posterior.spec, outcome.name), contrast_name(arguments.contrast), name, outcome.remark,
    )  # fmt: skip
    return Answer(with_coords(draws, rows, posterior.shape, scale), table, question)


def _settled(result: np.ndarray, null: float, size: float) -> np.ndarray:
    """Contrasts that differ from none by rounding alone are ties."""
    return np.where(np.abs(result - null) <= ROUNDING * size, null, result)


def _across(across: Any) -> dict[str, Any]:
    """One column, by its name or with values."""
    found = dict(across) if isinstance(across, Mapping) else dict.fromkeys(_listed(across))
    if len(found) != 1:
        raise AnswerError(f"across={across!r}: the name of one column, or one with its values, is needed.")
    return found


def _listed(names: Any) -> list[Any]:
    return [] if names is None else list(names) if isinstance(names, list | tuple) else [names]


def _cells(keys: pd.DataFrame, by: list[str]) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each `by` cell, in order."""
    return list(keys.groupby(by, sort=False, observed=True, dropna=False)) if by else [((), keys)]
