"""Grids: which rows enter which average, with which variable set to which level; and these averages."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from hiermod.answers.averaging.columns import order_of
from hiermod.answers.averaging.estimable import estimable_rows
from hiermod.answers.averaging.query import Query
from hiermod.answers.averaging.rows import Base, with_column, with_levels
from hiermod.answers.averaging.sums import sums_of_groups
from hiermod.answers.group_effects import Groups
from hiermod.answers.reader import reader
from hiermod.data.columns.levels import encode
from hiermod.data.columns.values import Level, as_levels, codable, first_of, number_rows
from hiermod.errors import AnswerError, DataError, enumerate_names
from hiermod.families.functionals import Functional
from hiermod.memory import NUMBER, refuse_beyond, room
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

COPIES = 3  # of an answer's draws, while its intervals are computed

WORTH_MERGING = 2_000  # rows of a grid, from which on equal ones are looked for beforehand


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows with the average each enters.

    `keys` has a row per average; `rows` and `seen` count the rows or trials of its cell, and those of them that had the
    values to which it sets its rows.
    """

    frame: pd.DataFrame
    weight: np.ndarray
    cell: np.ndarray
    keys: pd.DataFrame
    rows: np.ndarray
    seen: np.ndarray
    notices: tuple[str, ...] = ()


def cell_grid(posterior: Posterior, query: Query) -> Grid:
    """The rows of each cell, set to each level of the columns that are set; the other columns of cells select rows.

    Keys are in the order of levels, the first column slowest. Rows of which the data say nothing at one value of the
    variables leave the averages at all of them, so that these keep one mix.
    """
    spec, rows = posterior.spec, query.rows
    selected, combos = select_cells(rows.frame, query.selecting)
    _refuse_weightless(selected, rows.weight, combos)
    arms = list(itertools.product(*query.settings.values()))
    what = f"{len(arms):,} values, each taken by {len(rows.frame):,} rows,"
    remedy = "name fewer of them, as in {" + ", ".join(f"{name!r}: [...]" for name in query.settings) + "}"
    refuse_beyond(2.0 * NUMBER * len(arms) * len(rows.frame), what, remedy, AnswerError)
    set_to = dict(zip(query.settings, zip(*arms, strict=True), strict=True))
    merged, merged_into = _merged_base(rows, selected, {*query.held, *query.lines, *set_to}, len(arms))
    parts: list[_Part] = []
    left_out = 0.0
    for levels in itertools.product(*query.lines.values()):
        line = dict(zip(query.lines, levels, strict=True))
        chosen = {name: (level,) * len(arms) for name, level in {**query.held, **line}.items()} | set_to
        frame = with_levels(spec, merged, chosen, len(arms))
        known = estimable_rows(posterior, query.groups, frame, chosen, query.outcome.functional.needs)
        kept, left = shared_rows(known, merged_into, merged, len(combos), len(arms))
        left_out = max(left_out, left)
        parts.append(_Part(frame, kept, line))
    by_arm = np.array([np.bincount(selected, own, len(combos)) for own in _seen(rows, set_to, len(arms))])
    grid = _assembled(spec, replace(query, rows=merged), merged_into, combos, parts, set_to, by_arm)
    return replace(grid, notices=_notices(query, grid, left_out, float(rows.size.sum())))


def _merged_base(rows: Base, selected: np.ndarray, set_to: Collection[str], arms: int) -> tuple[Base, np.ndarray]:
    """Rows of a cell that differ only where they are set, as one, and the cell of each."""
    if arms * len(rows.frame) < WORTH_MERGING:
        return rows, selected
    names = [name for name in rows.frame if name not in set_to]
    number = number_rows(pd.DataFrame({"": selected, **{name: codable(rows.frame[name]) for name in names}}))
    first = first_of(number)
    if len(first) == len(number):
        return rows, selected
    weight, counts = np.bincount(number, rows.weight), np.bincount(number, rows.size)
    frame = rows.frame.iloc[first].reset_index(drop=True)
    return replace(rows, frame=frame, weight=weight, counts=counts), selected[first]


@dataclass(frozen=True, eq=False)
class _Part:
    """All rows set to each value in turn, which of them enter averages, shape ``(values, rows)``, and the line."""

    frame: pd.DataFrame
    kept: np.ndarray
    line: dict[str, Level]


def shared_rows(
    known: np.ndarray | None, selected: np.ndarray, rows: Base, cells: int, arms: int
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Which rows enter the average at each value, and how many leave all of them.

    Rows that are known at all values; in a cell without any, at each value those that are known there.
    """
    if known is None:
        return np.ones((arms, len(rows.frame)), dtype=bool), 0.0
    masks = known.reshape(arms, -1)
    at_all = masks.all(axis=0)
    empty = np.bincount(selected, at_all * rows.weight, cells) <= 0
    kept = np.where(empty[selected], masks, at_all)
    return kept, float(rows.size[~kept.any(axis=0)].sum())


def _seen(rows: Base, set_to: Mapping[str, Sequence[Level]], arms: int) -> np.ndarray:
    """How many rows or trials of each row have each of the values themselves; NaN where rows do not say."""
    if not set(set_to) <= set(rows.frame.columns):
        return np.full((arms, len(rows.frame)), np.nan)
    same = np.ones((arms, len(rows.frame)), dtype=bool)
    for name, levels in set_to.items():
        distinct = tuple(dict.fromkeys(levels))
        own, places = encode(rows.frame[name], distinct), {level: place for place, level in enumerate(distinct)}
        same &= own == np.array([places[level] for level in levels])[:, None]
    return np.asarray(rows.size * same)


def _keys(combos: pd.DataFrame, line: Mapping[str, Level], set_to: Mapping[str, Sequence[Level]]) -> pd.DataFrame:
    """The keys of all averages of a line: the combinations, at each value in turn."""
    arms = len(next(iter(set_to.values()), ((),)))
    keys = combos.iloc[np.tile(np.arange(len(combos)), arms)].reset_index(drop=True)
    for name, level in line.items():
        keys = with_column(keys, name, level)
    for name, levels in set_to.items():
        keys = with_column(keys, name, pd.Series([*levels]).iloc[np.repeat(np.arange(arms), len(combos))].array)
    return keys


def _assembled(
    spec: ModelSpec, query: Query, selected: np.ndarray, combos: pd.DataFrame, parts: list[_Part],
    set_to: Mapping[str, Sequence[Level]], seen: np.ndarray,
) -> Grid:  # fmt: skip
    """One table of all parts, its averages in the order of levels; `seen` is by value and combination."""
    rows, count = query.rows, len(combos)
    all_keys = pd.concat([_keys(combos, part.line, set_to) for part in parts], ignore_index=True)
    names = list(dict.fromkeys([*query.cells, *query.settings]))
    orders = {name: query.selected.get(name) or order_of(spec, name, rows.frame) for name in query.selecting}
    order = key_order(all_keys, names, {**query.lines, **query.settings, **orders})
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    kept = np.concatenate([part.kept for part in parts])
    cell = rank[(selected + count * np.arange(len(kept))[:, None])[kept]]
    weight = np.broadcast_to(rows.weight, kept.shape)[kept]
    frames = [part.frame if part.kept.all() else part.frame[part.kept.ravel()] for part in parts]
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)
    size = np.tile(np.bincount(selected, rows.size, count), len(kept))[order]
    seen = np.tile(seen.ravel(), len(parts))[order]
    ordered = all_keys.iloc[order][names].reset_index(drop=True)
    return _merged(Grid(frame, weight, cell, ordered, _whole(size), _whole(seen)))


def _whole(numbers: np.ndarray) -> np.ndarray:
    """Counts as whole numbers, if they are."""
    return numbers.astype(np.int64) if np.array_equal(numbers, np.round(numbers)) else numbers


def _notices(query: Query, grid: Grid, left_out: float, total: float) -> tuple[str, ...]:
    notices = []
    what = enumerate_names([*query.settings, *query.lines, *query.held]) or "their values"
    if left_out:
        notices.append(
            f"{left_out:,.10g} of {total:,.10g} rows or trials leave the averages: the data say nothing about them at "
            f"some values of {what}, and averages at all values are over the same rows"
        )
    empty = int((np.bincount(grid.cell, grid.weight, len(grid.keys)) <= 0).sum())
    if empty:
        notices.append(
            f"{empty} of {len(grid.keys)} combinations are not estimable: no row has such values, nor do the rows that "
            "there are add up to them, so that the prior alone would speak"
        )
    return tuple(notices)


def _refuse_weightless(selected: np.ndarray, weight: np.ndarray, combos: pd.DataFrame) -> None:
    empty = np.flatnonzero(np.bincount(selected, weight, len(combos)) <= 0)
    if len(empty):
        where = ", ".join(f"{name} {value}" for name, value in combos.iloc[empty[0]].items())
        raise DataError(f"All rows of {where or 'data='} have the weight 0, so there is no average. Leave them out.")


def select_cells(frame: pd.DataFrame, names: tuple[str, ...]) -> tuple[np.ndarray, pd.DataFrame]:
    """The number of each row's combination of `names`, and the combinations that occur."""
    if not names:
        return np.zeros(len(frame), dtype=np.int64), pd.DataFrame(index=[0])
    columns = frame[list(names)]
    plain = pd.DataFrame({name: codable(columns[name]) for name in names})
    number = number_rows(plain)
    first = np.unique(number, return_index=True)[1]
    combos = {name: pd.Series([*as_levels(pd.Index(columns[name].iloc[first]))]) for name in names}
    return number, pd.DataFrame(combos)


def key_order(keys: pd.DataFrame, names: list[str], levels: dict[str, tuple[Level, ...]]) -> np.ndarray:
    """The order of keys by their levels, the first column slowest."""
    if not names:
        return np.arange(len(keys))
    codes = {name: encode(keys[name], levels[name]) for name in names}
    return np.lexsort([np.where(codes[name] < 0, len(levels[name]), codes[name]) for name in reversed(names)])


def _merged(grid: Grid) -> Grid:
    """Sum the weights of equal rows of an average, which need not be computed twice; rows of one stand together."""
    if not len(grid.frame):
        return grid
    number = number_rows(pd.DataFrame({"": grid.cell, **{name: codable(grid.frame[name]) for name in grid.frame}}))
    first = np.unique(number, return_index=True)[1]
    weight = np.bincount(number, grid.weight)
    return replace(grid, frame=grid.frame.iloc[first].reset_index(drop=True), weight=weight, cell=grid.cell[first])


def averages(
    posterior: Posterior, groups: Groups, grid: Grid, linear: bool = False, outcome: Functional | None = None
) -> np.ndarray:  # fmt: skip
    """Weighted averages of an outcome (the mean) or linear predictors, in each draw, shape ``(averages, draws)``."""
    is_linear = linear or (
        posterior.spec.family.link.name == "identity" and (outcome is None or outcome.name == "mean")
    )
    rows, added = sums_of_groups(
        posterior, groups, grid.frame, grid.weight, grid.cell, len(grid.keys), is_linear, outcome
    )
    average = Averaging(grid.weight, grid.cell, len(grid.keys), posterior.size)
    frame = grid.frame if added is None else grid.frame.iloc[rows]
    for block, values in reader(posterior, groups, outcome=outcome).blocks(frame, linear):
        average.add(block if added is None else rows[block], values)
    return average.total if added is None else average.total + added


def means(posterior: Posterior, query: Query, grid: Grid) -> np.ndarray:
    """Averages of what a question asks for, in its units.

    Raises
    ------
    AnswerError
        If they do not fit in memory.
    """
    refuse_large(len(grid.keys), posterior.size)
    return query.per * averages(posterior, query.groups, grid, outcome=query.outcome.functional)


def refuse_large(rows: int, draws: int) -> None:
    """Refuse an answer whose draws do not fit in memory: each takes its row's draws, and the table as many again.

    Raises
    ------
    AnswerError
    """
    need, each = NUMBER * COPIES * rows * draws, NUMBER * COPIES * draws
    remedy = f"ask for at most {int(room() // each):,} rows at a time, or of a fit with fewer draws"
    refuse_beyond(need, f"{rows:,} rows of {draws:,} draws", remedy, AnswerError)


class Averaging:
    """Adds blocks of rows up to weighted averages: `total`, shape ``(count, draws)``, NaN for those without rows."""

    def __init__(self, weight: np.ndarray, cell: np.ndarray, count: int, draws: int) -> None:
        refuse_large(count, draws)
        sums = np.bincount(cell, weight, count)
        share = weight / sums[cell]
        self._shares = sparse.csr_array((share, (cell, np.arange(len(cell)))), shape=(count, len(cell))).tocsc()
        self._share, self._cell, self.draws = share, cell, draws
        self.total = np.where(sums[:, None] > 0, np.zeros((count, draws)), np.nan)

    def add(self, rows: slice | np.ndarray, values: np.ndarray) -> None:
        """Add the draws of some rows, shape ``(rows, draws)``."""
        first, last = self._cell[rows].min(), self._cell[rows].max()
        if first == last:
            self.total[first] += self._share[rows] @ values
        else:
            self.total[first : last + 1] += self._shares[:, rows].tocsr()[first : last + 1] @ values
