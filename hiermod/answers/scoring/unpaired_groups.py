"""Groups left out of models each by itself, whose rows cannot be paired since they were aggregated by an engine.

A group's joint density is of its rows as a whole, so that nothing needs to be paired but groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hiermod.answers.scoring.alignment import Aligned, check_responses
from hiermod.answers.scoring.held_out import Runs
from hiermod.answers.scoring.matching import Matched
from hiermod.answers.scoring.scores import Groups, Scores, by_groups
from hiermod.data.cells.observations import observations
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
