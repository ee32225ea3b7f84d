"""Scores of several models on the same rows: by leave-one-out, by folds, by groups, paired or each by itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.answers.scoring.alignment import Aligned, Matched, check_responses, column_of_table
from hiermod.answers.scoring.cross_validation import folds_of, leave_groups_out, members
from hiermod.answers.scoring.held_out import Refit, Runs, expected, score
from hiermod.answers.scoring.leave_one_out import leave_one_out, standard_error
from hiermod.data.cells.observations import Observations, observations
from hiermod.errors import AnswerError, enumerate_names
from hiermod.sampling.posterior import Posterior

SAME = 1e-8  # of sums that an engine adds up in any order, relative to their size


def unpaired_groups(
    posteriors: Mapping[str, Posterior], columns: Sequence[str], title: str, max_refits: int, runs: Runs
) -> Scores:
    """Scores of whole groups, which are the same for all models.

    Raises
    ------
    AnswerError
        If a model's cells lack a column of the groups, or models have other groups or rows.
    """
    check_responses({name: posterior.spec for name, posterior in posteriors.items()})
    aligned = {name: _rows_of(name, posterior, columns) for name, posterior in posteriors.items()}
    _check_groups(aligned, columns, title)
    scores = [
        by_groups({name: posteriors[name]}, rows, Groups(*rows.groups(columns), title), True, max_refits, runs)
        for name, rows in aligned.items()
    ]
    return replace(scores[0], models={name: model for each in scores for name, model in each.models.items()})


def _check_groups(aligned: Mapping[str, Aligned], columns: Sequence[str], title: str) -> None:
    """Refuse models of other groups, or of other rows as far as counts, sums and squares of responses tell."""
    (first, one), *others = aligned.items()
    codes, labels = one.groups(columns)
    count, total, square = _sums(one, codes)
    for name, other in others:
        other_codes, other_labels = other.groups(columns)
        if labels != other_labels:
            raise AnswerError(f"{first!r} and {name!r} have other groups of {title}. Fit both to the same rows.")
        counts, totals, squares = _sums(other, other_codes)
        differ = np.abs(count - counts) > SAME * count
        if not differ.any():
            scale = np.sqrt(count[:, None] * square)
            differ = ((np.abs(total - totals) > SAME * scale) | (np.abs(square - squares) > SAME * square)).any(axis=1)
        if differ.any():
            raise AnswerError(
                f"{first!r} and {name!r} were fitted to other rows, which differ in number or response where {title} "
                f"is {labels[int(differ.argmax())]!r}. Fit both to the same rows."
            )


def _sums(aligned: Aligned, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each group, how many rows it has, and the sums of their responses and of the squares of these."""
    powers = [[np.bincount(codes, aligned.times * values**power) for values in aligned.responses.T] for power in (1, 2)]
    return np.bincount(codes, aligned.times), np.column_stack(powers[0]), np.column_stack(powers[1])


def _rows_of(name: str, posterior: Posterior, columns: Sequence[str]) -> Aligned:
    seen = observations(posterior.spec.cells)
    if absent := [column for column in columns if column not in seen.frame]:
        raise AnswerError(
            f"The rows of {name!r} were aggregated where the data is, and its cells have no column {absent[0]!r}. "
            f"Leave out groups of its formula: {enumerate_names(list(posterior.spec.cells.groupings))}."
        )
    frame = seen.frame.iloc[seen.place].reset_index(drop=True)
    return Aligned(frame, seen.responses, seen.times, (Matched(seen, np.arange(len(seen))),))


Posteriors = Mapping[str, Posterior]


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups to leave out: the code of each joint row, a name for each code, and what the groups are called."""

    codes: np.ndarray
    names: Sequence[str]
    title: str


@dataclass(frozen=True, eq=False)
class ModelScores:
    """What one model expects of each unit that was left out.

    Parameters
    ----------
    elpd : ndarray, shape (units,)
    p : float
        Effective number of parameters.
    unreliable, refits : int
        How many distinct rows, or groups, have a score that is not reliable, and were left out by a fit.
    troubled : int
        How many fits, the model's own included, have divergences or have not converged.
    details : pandas.DataFrame, optional
        How each unit's score came about: ``pareto_k, refitted``.
    """

    elpd: np.ndarray
    p: float
    unreliable: int = 0
    refits: int = 0
    troubled: int = 0
    details: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """What each model expects of each unit that was left out.

    Parameters
    ----------
    method : {"loo", "kfold", "logo"}
    units : {"rows", "groups"}
    models : mapping of str to ModelScores
    times : ndarray
        How many rows each unit stands for; 1 for groups.
    clusters : ndarray, optional
        The group of each unit: units of one group are not independent, so that standard errors are over groups.
    labels : pandas.DataFrame
        A row per unit.
    """

    method: str
    units: str
    models: Mapping[str, ModelScores]
    times: np.ndarray
    clusters: np.ndarray | None
    labels: pd.DataFrame

    @property
    def independent(self) -> int:
        """How many independent units there are: rows, or groups.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.compare({"one": fit, "same": fit}).scores.independent
        400
        """
        return int(self.times.sum()) if self.clusters is None else int(self.clusters.max()) + 1

    def total(self, values: np.ndarray) -> tuple[float, float]:
        """The sum over rows of what each unit holds, and its standard error (variance with ddof 0).

        Examples
        --------
        >>> import hiermod as hm
        >>> scores = hm.compare({"one": fit, "same": fit}).scores
        >>> elpd, se = scores.total(scores.models["one"].elpd)
        >>> -300 < elpd < -200
        True
        """
        sums, times = values, self.times
        if self.clusters is not None:
            sums = np.bincount(self.clusters, self.times * values)
            times = np.ones(len(sums))
        return float(times @ sums), standard_error(sums, times)


def by_leave_one_out(posteriors: Posteriors, aligned: Aligned, max_refits: int, runs: Runs) -> Scores:
    """Each row left out, by importance sampling or by a fit."""
    models = {}
    for (name, posterior), rows in zip(posteriors.items(), aligned.models, strict=True):
        loo = leave_one_out(posterior, max_refits, runs, rows.seen)
        pointwise = loo.pointwise.iloc[rows.place].reset_index(drop=True)
        models[name] = ModelScores(
            pointwise["elpd"].to_numpy(), loo.p, len(loo.unreliable), 0 if loo.exact else loo.refits,
            loo.troubled + (0 if loo.exact else _trouble(posterior)),
            pointwise[["pareto_k", "refitted"]],
        )  # fmt: skip
    return Scores("loo", "rows", models, aligned.times, None, aligned.labels())


def by_folds(
    posteriors: Posteriors, aligned: Aligned, shares: np.ndarray, clusters: np.ndarray | None, runs: Runs
) -> Scores:
    """Folds left out, the same for all models; `shares` says how many of each joint row are in which fold."""
    tasks: list[tuple[Refit, Observations]] = []
    shares_of = []  # by model, how many of each of its observations are in which fold
    for posterior, rows in zip(posteriors.values(), aligned.models, strict=True):
        shares_of.append(np.zeros((len(rows.seen), shares.shape[1]), dtype=np.int64))
        np.add.at(shares_of[-1], rows.place, shares)
        tasks += folds_of(posterior, rows.seen, shares_of[-1])
    done = iter(runs.each(score, tasks, "fold", "folds"))
    row, fold = np.nonzero(shares)
    times, models = shares[row, fold], {}
    for (name, posterior), rows, of_model in zip(posteriors.items(), aligned.models, shares_of, strict=True):
        by_fold, troubled = np.full(of_model.shape, np.nan), _trouble(posterior)
        for place, (scores, clean) in enumerate(itertools.islice(done, shares.shape[1])):
            by_fold[of_model[:, place] > 0, place] = scores
            troubled += not clean
        elpd = by_fold[rows.place[row], fold]
        (known,) = runs.once(posterior, "expected", rows.seen, lambda: (expected(posterior, rows.seen),))  # noqa: B023
        p = known @ rows.seen.times - elpd @ times
        models[name] = ModelScores(elpd, float(p), troubled=troubled)
    labels = aligned.labels().take(row).reset_index(drop=True).assign(fold=fold)
    return Scores("kfold", "rows", models, times, None if clusters is None else clusters[row], labels)


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
    models = {}
    for (name, posterior), rows in zip(posteriors.items(), aligned.models, strict=True):
        groups_of = members(codes, aligned.times, rows.place, len(names))
        called = [f"The group {own!r} of {title}" for own in names]
        scores = leave_groups_out(posterior, rows.seen, groups_of, called, not joint, max_refits, runs)
        elpd, details = scores.joint, scores.details()
        if not joint:
            elpd, details = np.empty(len(codes)), details.iloc[codes].reset_index(drop=True)
            for code, group in enumerate(groups_of):
                inside = codes == code
                elpd[inside] = scores.rows[code][np.searchsorted(group.places, rows.place[inside])]
        models[name] = ModelScores(
            elpd, scores.p, int(scores.unreliable.sum()), 0 if scores.exact else int(scores.refitted.sum()),
            scores.troubled + (0 if scores.exact else _trouble(posterior)), details,
        )  # fmt: skip
    column = column_of_table(title)
    if not joint:
        labels = aligned.labels().assign(**{column: np.array(names, dtype=object)[codes]})
        return Scores("logo", "rows", models, aligned.times, codes, labels)
    counts = np.rint(np.bincount(codes, aligned.times)).astype(np.int64)
    labels = pd.DataFrame({column: list(names), "rows": counts})
    return Scores("logo", "groups", models, np.ones(len(names)), None, labels)


def _trouble(posterior: Posterior) -> int:
    return int(not posterior.diagnostics.clean)
