"""Averages over very many groups: those that are alike are taken together, and hardly any group's effects are drawn.

Groups are alike that data tell nothing apart but sums, and whose rows enter the averages in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from hiermod.answers.group_effects import Groups, Reading, known_codes
from hiermod.data.columns.values import codable, first_of, number_rows
from hiermod.marginal.effects import Conditional
from hiermod.marginal.patterns import joint_ids, keys_of_groups
from hiermod.sampling.posterior import Posterior

FEW = 256  # groups, up to which the effects of all are drawn: the sum of so many is normal enough


@dataclass(frozen=True, eq=False)
class Kinds:
    """The rows of a table by groups that are alike.

    Parameters
    ----------
    rows : ndarray of int
        Places of the rows of one group of each kind, kind after kind, and within a kind cell after cell.
    kind : ndarray of int, shape of `rows`
    cell : ndarray of int, shape of `rows`
        The average that each row enters.
    share : ndarray, shape of `rows`
        The weight by which it does, where all weights of a cell add up to 1.
    groups : ndarray of int, shape (kinds,)
        Whose effects are its.
    times : ndarray, shape (kinds,)
        How many groups are of each kind.
    kind_of_row : ndarray of int
        Of every row of the table.
    """

    rows: np.ndarray
    kind: np.ndarray
    cell: np.ndarray
    share: np.ndarray
    groups: np.ndarray
    times: np.ndarray
    kind_of_row: np.ndarray

    @cached_property
    def sums(self) -> np.ndarray:
        """Where the rows of one cell and kind begin."""
        return np.flatnonzero((np.diff(self.kind, prepend=-1) != 0) | (np.diff(self.cell, prepend=-1) != 0))

    def some(self, kinds: np.ndarray) -> Kinds:
        """Some of the kinds, in this order."""
        begins = np.flatnonzero(np.diff(self.kind, prepend=-1))
        lengths = np.diff(begins, append=len(self.kind))[kinds]
        starts = np.cumsum(lengths) - lengths
        own = np.repeat(begins[kinds] - starts, lengths) + np.arange(int(lengths.sum()))
        number = np.repeat(np.arange(len(kinds)), lengths)
        return Kinds(
            self.rows[own], number, self.cell[own], self.share[own], self.groups[kinds], self.times[kinds],
            self.kind_of_row,
        )  # fmt: skip


def find_kinds(
    posterior: Posterior, groups: Groups, frame: pd.DataFrame, weight: np.ndarray, cell: np.ndarray, linear: bool
) -> tuple[Kinds, Conditional] | None:
    """The kinds of the groups of a table's rows, each of which enters the average of its cell by its weight.

    With the distribution of the effects of groups that stand for each. None where effects are stored, are not those of
    the groups in the data, or are few.
    """
    if posterior.conditional is None or set(groups.values()) != {Reading.OBSERVED}:
        return None
    grouping, predictors = posterior.drawn_grouping, posterior.spec.cells.predictors
    codes = known_codes(grouping, frame)
    present, group = np.unique(codes, return_inverse=True)
    standing_for = grouping.times[present]
    if standing_for.sum() <= FEW:
        return None
    names = [name for name in frame if name not in grouping.columns or name in predictors]
    columns = [number_rows(pd.DataFrame({name: codable(frame[name])})) for name in names]
    content, lengths = joint_ids([cell, weight / standing_for[group], *columns]), np.bincount(group)
    key = keys_of_groups(content[np.lexsort((content, group))], lengths)
    kind = np.arange(len(present)) if key is None else joint_ids([key, posterior.conditional.kinds(linear)[present]])
    first = first_of(kind)
    chosen = np.zeros(len(present), dtype=bool)
    chosen[first] = True
    rows = np.flatnonzero(chosen[group])
    rows = rows[np.lexsort((cell[rows], kind[group[rows]]))]
    share = weight[rows] / standing_for[group[rows]] / np.bincount(cell, weight)[cell[rows]]
    conditional, standing = posterior.conditional.merged(present, kind)
    times = np.bincount(kind, standing_for)
    return Kinds(rows, kind[group[rows]], cell[rows], share, standing, times, kind[group]), conditional
