"""Scores of several models on the same rows: by leave-one-out, by folds, by groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.answers.scoring.alignment import Aligned, column_of_table
from hiermod.answers.scoring.cross_validation import (
    Fold,
    Members,
    folds_of,
    leave_groups_out,
    members,
    score_fold,
    spread_out,
)
from hiermod.answers.scoring.held_out import Runs, expected
from hiermod.answers.scoring.leave_one_out import leave_one_out
from hiermod.data.cells.observations import Observations, part
from hiermod.errors import AnswerError, DataError
from hiermod.modeling.pooled import BetaSpec, with_totals
from hiermod.sampling.posterior import Posterior

Posteriors = Mapping[str, Posterior]


@dataclass(frozen=True, eq=False)
class Scores:
    """What each model expects of each unit that was left out.

    Parameters
    ----------
    method : {"loo", "kfold", "logo"}
    units : {"rows", "groups"}
    names : tuple of str
    elpd : ndarray, shape (models, units)
    times : ndarray
        How many rows each unit stands for; 1 for groups.
    clusters : ndarray, optional
        The group of each unit: units of one group are not independent, so that standard errors are over groups.
    p : ndarray
        Effective number of parameters of each model.
    unreliable, refits : tuple of int
        Distinct rows, or groups, of each model whose score is not reliable, and that were left out by a fit.
    troubled : tuple of int
        How many fits of each model, its own included, have divergences or have not converged.
    labels : pandas.DataFrame
        A row per unit.
    details : tuple of pandas.DataFrame
        Of each model and unit, how the score was found: ``pareto_k, refitted``.
    """

    method: str
    units: str
    names: tuple[str, ...]
    elpd: np.ndarray
    times: np.ndarray
    clusters: np.ndarray | None
    p: np.ndarray
    unreliable: tuple[int, ...]
    refits: tuple[int, ...]
    troubled: tuple[int, ...]
    labels: pd.DataFrame
    details: tuple[pd.DataFrame, ...] = ()

    @property
    def independent(self) -> int:
        """How many independent units there are: rows, or groups."""
        return int(self.times.sum()) if self.clusters is None else int(self.clusters.max()) + 1

    def total(self, values: np.ndarray) -> tuple[float, float]:
        """The sum over rows of what each unit holds, and its standard error (variance with ddof 0)."""
        sums, times = values, self.times
        if self.clusters is not None:
            sums = np.bincount(self.clusters, self.times * values)
            times = np.ones(len(sums))
        total = float(times @ sums)
        return total, float(np.sqrt(times @ (sums - total / times.sum()) ** 2))


def by_leave_one_out(posteriors: Posteriors, aligned: Aligned, max_refits: int, runs: Runs) -> Scores:
    """Each row left out, by importance sampling or by a fit."""
    found = [
        leave_one_out(posterior, max_refits, runs, seen)
        for posterior, seen in zip(posteriors.values(), aligned.seen, strict=True)
    ]
    elpd = [own.pointwise["elpd"].to_numpy()[place] for own, place in zip(found, aligned.places, strict=True)]
    return Scores(
        "loo", "rows", tuple(posteriors), np.array(elpd), aligned.times, None, np.array([own.p for own in found]),
        tuple(len(own.unreliable) for own in found), tuple(own.refits for own in found),
        _troubled(posteriors, [own.troubled for own in found]), aligned.labels(),
        tuple(
            own.pointwise[["pareto_k", "refitted"]].iloc[place].reset_index(drop=True)
            for own, place in zip(found, aligned.places, strict=True)
        ),
    )  # fmt: skip


def by_folds(
    posteriors: Posteriors, aligned: Aligned, shares: np.ndarray, clusters: np.ndarray | None, runs: Runs
) -> Scores:
    """Folds left out, the same for all models; `shares` says how many of each joint row are in which fold."""
    tasks: list[Fold] = []
    own_shares = []
    for posterior, seen, place in zip(posteriors.values(), aligned.seen, aligned.places, strict=True):
        own = np.zeros((len(seen), shares.shape[1]), dtype=np.int64)
        np.add.at(own, place, shares)
        own_shares.append(own)
        tasks += folds_of(posterior, seen, own)
    done = runs.each(score_fold, tasks, "fold", "folds")
    scores = [score for score, _ in done]
    row, fold = np.nonzero(shares)
    times, count = shares[row, fold], shares.shape[1]
    elpd, p, troubled = [], [], []
    for number, (posterior, own) in enumerate(zip(posteriors.values(), own_shares, strict=True)):
        own_folds = slice(number * count, (number + 1) * count)
        troubled.append(sum(not clean for _, clean in done[own_folds]))
        spread = spread_out(scores[own_folds], own)
        elpd.append(spread[aligned.places[number][row], fold])
        p.append(expected(posterior, aligned.seen[number]) @ aligned.seen[number].times - elpd[-1] @ times)
    labels = aligned.labels().take(row).reset_index(drop=True).assign(fold=fold)
    none = (0,) * len(posteriors)
    return Scores(
        "kfold", "rows", tuple(posteriors), np.array(elpd), times, None if clusters is None else clusters[row],
        np.array(p), none, none, _troubled(posteriors, troubled), labels,
    )  # fmt: skip


def by_groups(
    posteriors: Posteriors, aligned: Aligned, groups: tuple[np.ndarray, Sequence[str], str], score: str,
    max_refits: int, runs: Runs,
) -> Scores:  # fmt: skip
    """Groups left out, scored jointly or row by row; `groups` are each joint row's code, labels, and a name."""
    codes, names, title = groups
    if len(names) < 2:
        raise AnswerError(
            f"There is one group of {title} only, {names[0]!r}: without it, there is nothing to fit. Leave out groups "
            "of another column, or folds (method='kfold')."
        )
    found, elpd = [], []
    rows = np.argsort(codes, kind="stable")  # the joint rows, group by group
    for posterior, seen, place in zip(posteriors.values(), aligned.seen, aligned.places, strict=True):
        own = members(codes, aligned.times, place, len(names))
        _refuse_improper(posterior, seen, dict(zip(names, own, strict=True)), title)
        scores = leave_groups_out(posterior, seen, own, score == "rows", max_refits, runs)
        found.append(scores)
        if score == "joint":
            elpd.append(scores.joint)
            continue
        each_row = np.empty(len(rows))
        for code, group in enumerate(own):
            inside = codes == code
            each_row[inside] = scores.rows[code][np.searchsorted(group.places, place[inside])]
        elpd.append(each_row)
    joint, column = score == "joint", column_of_table(title)
    labels = pd.DataFrame({column: list(names), "rows": np.rint(np.bincount(codes, aligned.times)).astype(np.int64)})
    if not joint:
        labels = aligned.labels().assign(**{column: np.array(names, dtype=object)[codes]})
    return Scores(
        "logo", "groups" if joint else "rows", tuple(posteriors), np.array(elpd),
        np.ones(len(names)) if joint else aligned.times, None if joint else codes,
        np.array([own.p for own in found]),
        tuple(int(own.unreliable.sum()) for own in found), tuple(int(own.refitted.sum()) for own in found),
        _troubled(posteriors, [own.troubled for own in found]), labels,
        tuple(own.details() if joint else own.details().iloc[codes].reset_index(drop=True) for own in found),
    )  # fmt: skip


def _refuse_improper(posterior: Posterior, seen: Observations, groups: Mapping[str, Members], title: str) -> None:
    """Refuse where some group is all that makes a posterior proper."""
    spec = posterior.spec
    if not isinstance(spec, BetaSpec):
        return
    telling = np.flatnonzero((spec.successes > 0) & (spec.successes < spec.trials))
    levels = spec.grouping.codes(seen.frame)[seen.place]
    for name, group in groups.items():
        if np.isin(telling, levels[group.places]).all():
            times = seen.times.copy()
            times[group.places] -= group.times
            try:
                with_totals(spec, part(spec.cells, seen, times))
            except DataError as error:
                raise AnswerError(f"The group {name!r} of {title} cannot be left out. {error}") from error


def _troubled(posteriors: Posteriors, of_refits: Sequence[int]) -> tuple[int, ...]:
    own = [not posterior.diagnostics.clean for posterior in posteriors.values()]
    return tuple(int(first) + rest for first, rest in zip(own, of_refits, strict=True))
