"""Scores of several models on the same rows: by leave-one-out, by folds, by groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.answers.scoring.alignment import Aligned, column_of_table
from hiermod.answers.scoring.cross_validation import folds_of, leave_groups_out, members, spread_out
from hiermod.answers.scoring.group_density import Members
from hiermod.answers.scoring.held_out import Refit, Runs, expected, score
from hiermod.answers.scoring.leave_one_out import leave_one_out
from hiermod.data.cells.observations import Observations, part
from hiermod.errors import AnswerError, DataError
from hiermod.modeling.pooled import BetaSpec, with_totals
from hiermod.sampling.posterior import Posterior

Posteriors = Mapping[str, Posterior]


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups to leave out: the code of each joint row, a name for each code, and what the groups are called."""

    codes: np.ndarray
    names: Sequence[str]
    title: str


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
    tasks: list[tuple[Refit, Observations]] = []
    shares_of = []  # by model, how many of each of its observations are in which fold
    for posterior, seen, place in zip(posteriors.values(), aligned.seen, aligned.places, strict=True):
        shares_of.append(np.zeros((len(seen), shares.shape[1]), dtype=np.int64))
        np.add.at(shares_of[-1], place, shares)
        tasks += folds_of(posterior, seen, shares_of[-1])
    done = runs.each(score, tasks, "fold", "folds")
    row, fold = np.nonzero(shares)
    times, count = shares[row, fold], shares.shape[1]
    elpd, p, troubled = [], [], []
    for number, (posterior, seen) in enumerate(zip(posteriors.values(), aligned.seen, strict=True)):
        scores, clean = zip(*done[number * count : (number + 1) * count], strict=True)
        troubled.append(count - sum(clean))
        elpd.append(spread_out(scores, shares_of[number])[aligned.places[number][row], fold])
        p.append(expected(posterior, seen) @ seen.times - elpd[-1] @ times)
    labels = aligned.labels().take(row).reset_index(drop=True).assign(fold=fold)
    none = (0,) * len(posteriors)
    return Scores(
        "kfold", "rows", tuple(posteriors), np.array(elpd), times, None if clusters is None else clusters[row],
        np.array(p), none, none, _troubled(posteriors, troubled), labels,
    )  # fmt: skip


def by_groups(
    posteriors: Posteriors, aligned: Aligned, groups: Groups, joint: bool, max_refits: int, runs: Runs
) -> Scores:
    """Groups left out, scored jointly or row by row."""
    codes, names, title = groups.codes, groups.names, groups.title
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
        scores = leave_groups_out(posterior, seen, own, not joint, max_refits, runs)
        found.append(scores)
        if joint:
            elpd.append(scores.joint)
            continue
        each_row = np.empty(len(rows))
        for code, group in enumerate(own):
            inside = codes == code
            each_row[inside] = scores.rows[code][np.searchsorted(group.places, place[inside])]
        elpd.append(each_row)
    column = column_of_table(title)
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
            try:
                with_totals(spec, part(spec.cells, seen, seen.times - group.among(seen)))
            except DataError as error:
                raise AnswerError(f"The group {name!r} of {title} cannot be left out. {error}") from error


def _troubled(posteriors: Posteriors, of_refits: Sequence[int]) -> tuple[int, ...]:
    own = [not posterior.diagnostics.clean for posterior in posteriors.values()]
    return tuple(int(first) + rest for first, rest in zip(own, of_refits, strict=True))
