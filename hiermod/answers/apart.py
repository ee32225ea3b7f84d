"""Groups left out of models each by itself, whose rows cannot be paired since they were left where they are.

A group's joint density is of its rows as a whole, so that nothing needs to be paired but groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hiermod.answers.alignment import Aligned, check_responses
from hiermod.answers.runs import Runs
from hiermod.answers.scores import Scores, by_groups
from hiermod.data.observations import observations
from hiermod.errors import AnswerError, enumerate_names
from hiermod.sampling.posterior import Posterior


def groups_apart(
    posteriors: Mapping[str, Posterior], columns: Sequence[str], title: str, max_refits: int, runs: Runs
) -> Scores:
    """Scores of whole groups, which are the same for all models.

    Raises
    ------
    AnswerError
        If a model's cells lack a column of the groups, or models have other groups or rows.
    """
    check_responses({name: posterior.spec for name, posterior in posteriors.items()})
    (first, one), *others = [
        (name, _scores(name, posterior, columns, title, max_refits, runs)) for name, posterior in posteriors.items()
    ]
    for name, other in others:
        if not one.labels.equals(other.labels):
            raise AnswerError(f"{first!r} and {name!r} have other groups of {title}, or other numbers of rows in them.")
    return _joined([one, *(scores for _, scores in others)])


def _joined(found: Sequence[Scores]) -> Scores:
    def of_all(field: str) -> tuple[Any, ...]:
        return tuple(value for own in found for value in getattr(own, field))

    return replace(
        found[0], names=of_all("names"), elpd=np.vstack([own.elpd for own in found]),
        p=np.concatenate([own.p for own in found]), unreliable=of_all("unreliable"), refits=of_all("refits"),
        troubled=of_all("troubled"), details=of_all("details"),
    )  # fmt: skip


def _scores(name: str, posterior: Posterior, columns: Sequence[str], title: str, max_refits: int, runs: Runs) -> Scores:
    seen = observations(posterior.spec.cells)
    if absent := [column for column in columns if column not in seen.frame]:
        raise AnswerError(
            f"The rows of {name!r} were aggregated where the data is, and its cells have no column {absent[0]!r}. "
            f"Leave out groups of its formula: {enumerate_names(list(posterior.spec.cells.groupings))}."
        )
    frame = seen.frame.iloc[seen.place].reset_index(drop=True)
    aligned = Aligned(frame, seen.responses, seen.times, (seen,), (np.arange(len(seen)),))
    groups = (*aligned.groups(columns), title)
    return by_groups({name: posterior}, aligned, groups, "joint", max_refits, runs)
