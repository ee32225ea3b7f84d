"""Groups that the fitted data did not have: which rows are in one, and the effect that each is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.columns.levels import as_levels
from hiermod.data.columns.numbering import first_of
from hiermod.data.columns.predictors import Grouping
from hiermod.errors import AnswerError, enumerate_names

KNOWN_OR_NEW = "known or new"


@dataclass(frozen=True, eq=False)
class GroupsOfRows:
    """The level of each row of a grouping factor, or -1, -2, … for the first, second, … of those that are `new`."""

    codes: np.ndarray
    new: tuple[str, ...] = ()

    def part(self, rows: slice) -> GroupsOfRows:
        """Some of the rows."""
        return GroupsOfRows(self.codes[rows], self.new)


def groups_of(grouping: Grouping, frame: pd.DataFrame, groups: str) -> GroupsOfRows:
    """The groups of rows, as ``groups=`` reads them: ``observed``, ``new`` or known or new.

    Raises
    ------
    AnswerError
        If ``groups="observed"`` and a row's group was not in the fitted data.
    """
    if groups == "new":
        return GroupsOfRows(np.full(len(frame), -1), ("",))
    if groups == "observed":
        return GroupsOfRows(known_codes(grouping, frame))
    codes, labels = known_codes_or_new(grouping, frame), []
    for place, (label, rows) in enumerate(new_levels(grouping, frame)):
        codes[rows] = -1 - place
        labels.append(label)
    return GroupsOfRows(codes, tuple(labels))


def whose(groupings: Mapping[str, Grouping], groups: str, frame: pd.DataFrame) -> str:
    """What ``groups=`` means for the rows of `data=`.

    With ``"new"``, rows whose groups are named are in those: the fitted ones that are known keep their effects, the
    others are drawn. Rows without any grouping column are in one unseen group.

    Raises
    ------
    AnswerError
        If ``groups="new"`` and the fitted data had every group of the rows.
    """
    named = [grouping for grouping in groupings.values() if not set(grouping.columns).isdisjoint(frame.columns)]
    if groups != "new" or not named:
        return groups
    if all((known_codes_or_new(grouping, frame) >= 0).all() for grouping in groupings.values()):
        columns = dict.fromkeys(name for grouping in named for name in grouping.columns)
        raise AnswerError(
            f"groups='new', but the fitted data had every group of data=. Leave {enumerate_names(columns)} out of "
            "data= for one unseen group, or say groups='observed' for the effects of those that are known."
        )
    return KNOWN_OR_NEW


def known_codes_or_new(grouping: Grouping, frame: pd.DataFrame) -> np.ndarray:
    """The level of each row, -1 where the fitted data did not have it or the rows do not say."""
    if set(grouping.columns) <= set(frame.columns):
        return grouping.codes(frame)
    return np.full(len(frame), -1)


def new_levels(grouping: Grouping, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each new group among the rows: a text that tells it from others, and its rows.

    Rows that do not say all of a crossed factor are told apart by what they say.
    """
    columns = [name for name in grouping.columns if name in frame]
    new = np.flatnonzero(known_codes_or_new(grouping, frame) < 0)
    if not len(new):
        return
    labels = [as_levels(pd.Index(frame[name].iloc[new])) for name in columns]
    texts = np.array([repr(own) for own in zip(*labels, strict=True)] if labels else [""] * len(new), dtype=object)
    number = pd.factorize(texts)[0]
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number))
    for first, own in zip(first_of(number), np.split(order, ends[:-1]), strict=True):
        yield str(texts[first]), new[own]


def known_codes(grouping: Grouping, frame: pd.DataFrame) -> np.ndarray:
    """The level of each row, all of which the fitted data must have had."""
    codes = grouping.codes(frame)
    unseen = codes < 0
    if unseen.any():
        columns = list(grouping.columns)
        combos = frame.loc[unseen, columns].astype(str).agg(":".join, axis=1).unique()
        raise AnswerError(
            f"The fitted data has no {grouping.name} {enumerate_names(combos, 4)}, so there is no observed effect. "
            "Say groups='new' to draw effects for unseen groups, 'typical' or 'population'."
        )
    return codes
