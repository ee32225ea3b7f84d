"""How far each group's raw rate is pulled towards what the rest of the model says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob, interval
from hiermod.answers.averaging.grid import Grid, averages
from hiermod.answers.averaging.rows import exposure
from hiermod.answers.group_effects import Reading, same_for_all
from hiermod.answers.outcome import read_outcome
from hiermod.answers.reader import linear_spec, per_exposure, reader
from hiermod.data.cells.statistics import MeasuredCells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.formula.nodes import without_slash
from hiermod.modeling.pooled import MOST_STORED, PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.diagnostics import mean_sizes
from hiermod.sampling.posterior import Posterior

AT_ONCE = 512  # groups whose draws are held at once


def shrinkage(posterior: Posterior, group: str | None, prob: float) -> pd.DataFrame:
    """A row per level: ``n, raw, estimate, lower, upper, pull``, on the response scale.

    ``n`` is what rows weigh: how many there are, their trials, or their exposure. Where standard errors of the rows are
    known, raw averages are weighted by precision, and ``se`` is the standard error of each.
    """
    check_prob(prob)
    if reason := posterior.spec.refuses("observed"):
        raise AnswerError(
            f"shrinkage() sets raw means of groups beside what the model says of them, and {reason}. fit.ranef() has "
            "the groups' effects, fit.rates(group) their means."
        )
    grouping = chosen_grouping(posterior.spec, group)
    cells = posterior.spec.cells
    codes = cells.codes[grouping.name]
    weight = cells.response.weight * exposure(posterior.spec, cells.frame)
    n = np.bincount(codes, weight, grouping.size)
    raw = _raw(cells.response, codes, n)
    counted = n if per_exposure(posterior.spec) else n.astype(np.int64)
    levels = pd.DataFrame(index=pd.Index(grouping.labels(), name=grouping.name))
    if isinstance(posterior.spec, PooledSpec) and grouping.size > MOST_STORED:
        of_data = _of_distinct_data(posterior, posterior.spec, prob)
        return pd.DataFrame({"n": counted, "raw": raw, **of_data}, index=levels.index)
    grid = Grid(cells.frame, weight, codes, levels, n, n)
    observed = same_for_all(posterior.spec, Reading.OBSERVED)
    draws = averages(posterior, observed, grid)
    median = not read_outcome(posterior.spec, None, observed).has_mean
    errors = _errors(cells.response, codes, len(n)) if posterior.spec.family.errors == "known" else {}
    table = {"n": counted, "raw": raw, **errors, **interval(draws, prob, median)}
    pull = reader(posterior).exact_pull()
    table["pull"] = _pull(posterior, grouping, grid, raw, table["estimate"], median) if pull is None else pull
    return pd.DataFrame(table, index=levels.index)


def _raw(response: Any, codes: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The average of each group as it is; of responses with known errors, that by precision."""
    measured = isinstance(response, MeasuredCells)
    weight = response.precision if measured else response.weight
    return np.bincount(codes, weight * response.mean, len(n)) / (np.bincount(codes, weight, len(n)) if measured else n)


def _errors(response: Any, codes: np.ndarray, groups: int) -> dict[str, np.ndarray]:
    """The standard error of each group's raw average, where those of the rows are known."""
    return {"se": np.bincount(codes, response.precision, groups) ** -0.5}


def _of_distinct_data(posterior: Posterior, spec: PooledSpec, prob: float) -> dict[str, np.ndarray]:
    """Estimates of very many pooled rates: groups that have the same data share the draws of the first of them."""
    data = np.column_stack([spec.stratum, spec.events, spec.exposure])
    _, first, of_group = np.unique(data, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # groups that stand together are drawn together
    median, found = not spec.has_posterior_mean(spec.family.expected, ["observed"]), []
    for start in range(0, len(order), AT_ONCE):
        own = first[order[start : start + AT_ONCE]]
        mean, size = posterior.population(spec.stratum[own])
        table = interval(posterior.rates(own).T, prob, median)
        found.append({**table, "pull": spec.pool.pull(spec.exposure[own], mean, size).mean(axis=0)})
    place = np.argsort(order)[of_group]
    return {name: np.concatenate([table[name] for table in found])[place] for name in found[0]}


def chosen_grouping(spec: ModelSpec, group: str | None) -> Grouping:
    """The grouping factor that is meant: the one named, or the only one."""
    groupings = spec.cells.groupings
    if not groupings:
        raise AnswerError("The model has no grouping factor, so nothing is pooled. Add a bar such as (1 | g).")
    if group is None:
        if len(groupings) > 1:
            raise AnswerError(
                f"The model has several grouping factors: say group= one of {enumerate_names(groupings)}."
            )
        return next(iter(groupings.values()))
    if without_slash(str(group)) not in groupings:
        raise AnswerError(f"There is no grouping factor {group!r}.{did_you_mean(str(group), groupings)}")
    return groupings[without_slash(str(group))]


def _pull(
    posterior: Posterior, grouping: Grouping, grid: Grid, raw: np.ndarray, estimate: np.ndarray, median: bool
) -> np.ndarray:  # fmt: skip
    spec = linear_spec(posterior.spec, "effects")
    without = replace(
        posterior, spec=replace(spec, groups=tuple(term for term in spec.groups if term.grouping is not grouping))
    )
    pooled = averages(without, same_for_all(spec, Reading.OBSERVED), grid)
    distance = raw - (np.median(pooled, axis=1) if median else pooled.mean(axis=1))
    error = _mean_errors(pooled, distance, posterior.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = (raw - estimate) / distance
    return np.where(np.abs(distance) <= error, np.nan, pull)


def _mean_errors(draws: np.ndarray, distance: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Monte Carlo standard errors of means; 0 where they are unknown, or the distance is far above them."""
    errors = np.zeros(len(draws))
    if shape[1] >= 4:
        near = np.flatnonzero(np.abs(distance) < draws.std(axis=1))
        chosen = draws[near]
        sizes = mean_sizes(np.moveaxis(chosen.reshape(len(near), *shape), 0, 2)) if len(near) else np.ones(0)
        errors[near] = chosen.std(axis=1, ddof=1) / np.sqrt(sizes)
    return np.nan_to_num(errors)
