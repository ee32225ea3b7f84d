"""Which columns of grouping factors can be set for rows of every group, and which select rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hiermod.answers.averaging.rows import AnySpec
from hiermod.data.columns.predictors import Grouping


def can_be_set(spec: AnySpec, name: str, groups: str) -> bool:
    """Whether the rows of every group can be set to each level of a column.

    They cannot where it is a grouping factor; nor, with observed effects, where it is a part of a crossed one, such as
    ``country:arm``, of which the data lack a combination.
    """
    factors = _factors(spec, name)
    if any(len(grouping.columns) == 1 for grouping in factors):
        return False
    return groups != "observed" or not any(_lacks(grouping, name) for grouping in factors)


def is_partly_crossed(spec: AnySpec, name: str, by: Sequence[str]) -> bool:
    """Whether `by` averages over groups of which some, but not all, occur with several levels of a column."""
    crossed = [grouping for grouping in _factors(spec, name) if not set(grouping.columns) <= set(by)]
    return any(_lacks(grouping, name) and grouping.size > _others(grouping, name) for grouping in crossed)


def _factors(spec: AnySpec, name: str) -> list[Grouping]:
    return [grouping for grouping in spec.cells.groupings.values() if name in grouping.columns]


def _lacks(grouping: Grouping, name: str) -> bool:
    return grouping.size < _others(grouping, name) * len(grouping.columns[name])


def _others(grouping: Grouping, name: str) -> int:
    """How many groups there would be without a column."""
    rest = [place for place, column in enumerate(grouping.columns) if column != name]
    return len(np.unique(grouping.combinations[:, rest], axis=0))
