"""Groups that data tell nothing apart, found where the data is: one of each pattern comes to Python, and their number.

Under a canonical link a group's effects depend on how many trials it has at each row of the design, and on sums of its
responses. So two group-bys are enough: one counts each group's rows by kind, kinds being the rows but for their group;
the other one groups these by sizes and sums. Both are whole numbers that are compared as such: no two patterns are ever
taken for one. A pattern's rows stand under the name of its first group, counted over all of its groups.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.columns.groupings import MANY_GROUPS, text_notices
from hiermod.data.columns.measured import measured_response
from hiermod.data.columns.predictors import NOTHING, EngineVariables
from hiermod.data.columns.responses import SingleRows, TrialsRows
from hiermod.data.columns.texts import AGGREGATED, MARKERS
from hiermod.data.columns.values import missing_rows, number_rows
from hiermod.data.pushdown.expressions import is_present
from hiermod.data.pushdown.sums import safe_names
from hiermod.data.pushdown.tally import COUNT, PREFIX, Tally
from hiermod.data.sources.frames import Selected
from hiermod.errors import DataError
from hiermod.formula.nodes import INTERCEPT, Formula

Frame = nw.LazyFrame[Any]
MOST_KINDS = 64  # of rows that groups are compared by
OF_COUNT = 0.4  # of the room of a number here, what an engine takes to count a kind of rows of a group
MOST_UNUSED = 4  # times as many, those with missing values among them
FIRST, GROUPS, ABSENT, KIND = (f"{PREFIX}{name}" for name in ("first", "groups", "absent", "kind"))
NUMBER, ROWS = f"{PREFIX}number ", f"{PREFIX}rows of kind "


@dataclass(frozen=True, eq=False)
class Found:
    """Counted rows in which one group stands for all with its pattern, and how many groups each of these stands for.

    `places` are those of groups that stand for themselves, among all groups in their order.
    """

    frame: pd.DataFrame
    count: np.ndarray
    standing_for: Mapping[Any, int]
    places: Mapping[Any, int]

    def tally(self, columns: Sequence[str], made: EngineVariables = NOTHING, rows: pd.DataFrame | None = None) -> Tally:
        """The same as counted rows of some columns; `rows` are the data's one by one, where these are in memory."""
        frame = self.frame[list(columns)].set_axis(pd.Index(self.count, name=AGGREGATED))
        return Tally(frame, self.count, made, rows=rows, standing_for=self.standing_for, places=self.places)


@dataclass(frozen=True, eq=False)
class Kinds:
    """The distinct rows but for their group.

    Parameters
    ----------
    frame : DataFrame
    count : ndarray
        How many rows are of each kind.
    absent : ndarray of bool
        Whether they have no group.
    complete : ndarray of int
        The kinds without missing values.
    used : ndarray of int
        The kinds that groups are compared by: complete ones of some weight.
    content : ndarray, shape (numbers, used)
        What a row of each adds to the numbers of its group's pattern.
    """

    frame: pd.DataFrame
    count: np.ndarray
    absent: np.ndarray
    complete: np.ndarray
    used: np.ndarray
    content: np.ndarray


def sharing_factor(formula: Formula) -> str | None:
    """The only grouping column of a formula, if its groups may share patterns of data."""
    one = len(formula.grouping_columns) == 1 and not (formula.further or formula.bounds or formula.measured)
    if not one or any(term.by or term.covariances for term in formula.all_groups):
        return None
    (group,) = formula.grouping_columns
    elsewhere = {*formula.predictor_columns, *formula.response.columns, formula.weights}
    apart = not {*formula.response.columns, formula.weights} & {*formula.predictor_columns}
    return group if group not in elsewhere and apart else None


def find_patterns(
    formula: Formula, selected: Selected, columns: Mapping[str, nw.Expr], sample: pd.DataFrame, room: float,
    named: Sequence[Any] = (),
) -> Found | None:  # fmt: skip
    """Find the patterns of the groups of a lazy frame; None where groups are few, or hardly any share one.

    Parameters
    ----------
    columns : mapping by name
        What the formula reads.
    sample : DataFrame
        Some rows, by which it is told beforehand that kinds are too many.
    room : float
        So many numbers may come here.
    named : sequence
        Groups that stand for themselves; None is found where one of them has no rows.
    """
    group = sharing_factor(formula)
    assert isinstance(selected.frame, nw.LazyFrame)
    if group is None or not _may_share(formula, selected.frame, columns, sample, group):
        return None
    keys, names = safe_names(columns)
    made = selected.frame.select(**keys)
    (column,) = (key for key, name in names.items() if name == group)
    others = [key for key in keys if key != column]
    groups = int(made.select(nw.col(column).n_unique()).collect().item())
    if groups < MANY_GROUPS or _has_markers(made, column):
        return None
    table = _read_kinds(selected, made, column, others)
    if table is None:
        return None
    frame, count = table[others].rename(columns=names), table[COUNT].to_numpy(dtype=np.int64)
    kinds = used_kinds(formula, frame, count, table[ABSENT].to_numpy(dtype=bool))
    if kinds is None or groups * len(kinds.used) * OF_COUNT > room:
        return None
    by_group = _by_group(made, column, kinds, table[others])
    most = min(groups // 2, int(room / (2 * len(kinds.used) + len(kinds.content))))
    patterns = _read_patterns(selected, by_group, column, named, most)
    if patterns is None:
        return None
    rows = patterns[[f"{ROWS}{place}" for place in range(len(kinds.used))]].to_numpy(dtype=np.int64)
    if (rows.sum(axis=0) != kinds.count[kinds.used]).any():  # an engine sees values otherwise, or rows came meanwhile
        return None
    frame, count = assembled(patterns[FIRST], rows, kinds, group)
    standing_for = dict(zip(patterns[FIRST].tolist(), patterns[GROUPS].tolist(), strict=True))
    return Found(frame, count, standing_for, _places(by_group, column, sorted(named)) if named else {})


def _may_share(
    formula: Formula, frame: Frame, columns: Mapping[str, nw.Expr], sample: pd.DataFrame, group: str
) -> bool:
    """Whether kinds of rows may be few, and columns can be compared with their values."""
    schema = frame.collect_schema()
    plain = [name for name in columns if name in schema and name != group]
    types = [schema[name] for name in plain]
    if not all(dtype.is_integer() or dtype.is_float() or dtype in (nw.Boolean, nw.String) for dtype in types):
        return False
    if schema[group] == nw.String:
        if text_notices(group, sample[group].dropna()):
            return False
    elif not schema[group].is_integer():
        return False
    return len(sample[plain].drop_duplicates()) <= MOST_UNUSED * MOST_KINDS


def _has_markers(made: Frame, column: str) -> bool:
    """Whether names of groups may mean missing values, of which much is to be said."""
    if made.collect_schema()[column] != nw.String:
        return False
    marked = nw.col(column).str.strip_chars().str.to_lowercase().is_in(sorted(MARKERS))
    return len(made.filter(marked).head(1).collect()) > 0


def _read_kinds(selected: Selected, made: Frame, column: str, names: Sequence[str]) -> pd.DataFrame | None:
    """Count the kinds of rows; None where they are too many."""
    marked = made.with_columns(nw.col(column).is_null().alias(ABSENT))
    counted = marked.group_by(*names, ABSENT).agg(nw.len().cast(nw.Int64()).alias(COUNT))
    found = counted.head(MOST_UNUSED * MOST_KINDS + 1).collect()
    if len(found) > MOST_UNUSED * MOST_KINDS:
        return None
    return selected.to_pandas(found.sort(*names, ABSENT))


def used_kinds(formula: Formula, frame: pd.DataFrame, count: np.ndarray, absent: np.ndarray) -> Kinds | None:
    """What kinds of rows say of their groups; None where they are too many, or responses no whole numbers."""
    complete = np.flatnonzero(~absent & ~missing_rows(frame))
    responses = _numbers(formula, frame.iloc[complete])
    if responses is None:
        return None
    size, total = (part[responses[0] > 0] for part in responses)
    used = complete[responses[0] > 0]
    if not 0 < len(used) <= MOST_KINDS:
        return None
    return Kinds(frame, count, absent, complete, used, _content(formula, frame.iloc[used], size, total))


def _numbers(formula: Formula, kinds: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Trials or exposure of a row of each kind, and its successes or count; None where these are no whole numbers."""
    if not len(kinds):
        return None
    try:
        response = measured_response(formula, kinds)
    except DataError:  # all rows are read then, and tell of it
        return None
    if isinstance(response, TrialsRows):
        numbers = response.weight, response.successes * response.times
    elif type(response) is SingleRows and response.kind != "level":
        numbers = response.times, response.values * response.times
    elif type(response) is SingleRows and len(response.levels) == 2:
        numbers = response.times, (response.values == response.values.max()) * response.times
    else:
        return None
    whole = all((part >= 0).all() and (part == np.round(part)).all() and part.max() < 2**31 for part in numbers)
    return (numbers[0].astype(np.int64), numbers[1].astype(np.int64)) if whole else None


def _content(formula: Formula, kinds: pd.DataFrame, size: np.ndarray, total: np.ndarray) -> np.ndarray:
    """What a row of each kind adds to the numbers of its group's pattern, shape ``(numbers, kinds)``."""
    design = [name for name in kinds if name not in formula.response.columns and name != formula.weights]
    row = number_rows(kinds[design].astype("category")) if design else np.zeros(len(kinds), dtype=np.int64)
    rows = (row == np.arange(row.max() + 1)[:, None]).astype(np.int64)
    intercepts = all(tuple(term.terms) == (INTERCEPT,) for term in formula.all_groups)
    return np.concatenate([rows * size, total[None] if intercepts else rows * total])


def _numbered(columns: Sequence[str], kinds: pd.DataFrame) -> tuple[nw.Expr, np.ndarray]:
    """A number of each complete row, made of the places of its values, and the numbers that kinds have."""
    expression, numbers, stride = nw.lit(0), np.zeros(len(kinds), dtype=np.int64), 1
    for name in columns:
        places, values = pd.factorize(kinds[name])
        for place, value in enumerate(values):
            plain = value.item() if isinstance(value, np.generic) else value
            if place:
                expression = expression + (nw.col(name) == plain).cast(nw.Int64()) * (place * stride)
        numbers, stride = numbers + stride * places, stride * max(len(values), 1)
    return expression, numbers


def _by_group(made: Frame, column: str, kinds: Kinds, table: pd.DataFrame) -> Frame:
    """Each group that has rows of any kind: how many of each, and the numbers of its pattern."""
    number, of_kinds = _numbered([*table.columns], table.iloc[kinds.complete])
    complete = made.filter(*(is_present(made, name) for name in made.collect_schema().names()))
    numbered = complete.select(nw.col(column), number.alias(KIND))
    rows = [f"{ROWS}{place}" for place in range(len(kinds.used))]
    own = zip(rows, of_kinds[np.isin(kinds.complete, kinds.used)].tolist(), strict=True)
    ones = {name: (nw.col(KIND) == number).cast(nw.Int64()) for name, number in own}
    counted = numbered.select(nw.col(column), **ones).group_by(column).agg(nw.col(name).sum() for name in rows)
    numbers = {f"{NUMBER}{place}": _combined(own, rows) for place, own in enumerate(kinds.content.tolist())}
    present = functools.reduce(operator.add, (nw.col(name) for name in rows)) > 0  # others have rows without weight
    return counted.select(nw.col(column), *(nw.col(name) for name in rows), **numbers).filter(present)


def _read_patterns(
    selected: Selected, by_group: Frame, column: str, named: Sequence[Any], most: int
) -> pd.DataFrame | None:  # fmt: skip
    """The patterns, not more than `most`, in the order of their first groups, and then those that are `named`."""
    is_named = nw.col(column).is_in(list(named))
    found = _shared(by_group.filter(~is_named) if named else by_group, column).head(most + 1).collect()
    if not 1 < len(found) <= most:
        return None
    patterns = selected.to_pandas(found.sort(FIRST))
    if not named:
        return patterns
    single = selected.to_pandas(_shared(by_group.filter(is_named), column, each=True).collect())
    return pd.concat([patterns, single], ignore_index=True) if len(single) == len(named) else None


def _shared(by_group: Frame, column: str, each: bool = False) -> Frame:
    """The first group of each pattern, or `each` group, how many there are, and their rows of each kind."""
    names = by_group.collect_schema().names()
    rows = [name for name in names if name.startswith(ROWS)]
    keys = [FIRST] if each else [name for name in names if name.startswith(NUMBER)]
    named = by_group.with_columns(nw.col(column).alias(FIRST))
    first = [] if each else [nw.col(FIRST).min()]
    found = named.group_by(*keys).agg(
        *first, nw.len().cast(nw.Int64()).alias(GROUPS), *(nw.col(name).sum() for name in rows)
    )
    return found.select(FIRST, GROUPS, *(nw.col(name).cast(nw.Int64()) for name in rows))


def _places(by_group: Frame, column: str, named: Sequence[Any]) -> dict[Any, int]:
    """The place of each of some groups, in order, among all."""
    at_least = functools.reduce(operator.add, ((nw.col(column) >= name).cast(nw.Int64()) for name in named))
    counted = by_group.select(at_least.alias(GROUPS)).group_by(GROUPS).agg(nw.len().cast(nw.Int64()).alias(COUNT))
    found = counted.collect()
    between = np.bincount(found[GROUPS].to_numpy(), found[COUNT].to_numpy(), len(named) + 1).astype(np.int64)
    return dict(zip(named, np.cumsum(between)[:-1].tolist(), strict=True))


def _combined(factors: Sequence[int], rows: Sequence[str]) -> nw.Expr:
    """A sum of products."""
    parts = [nw.col(name) * factor for name, factor in zip(rows, factors, strict=True) if factor]
    total = functools.reduce(operator.add, parts) if parts else nw.col(rows[0]) * 0
    return total.cast(nw.Int64())


def assembled(
    names: pd.Series, rows: np.ndarray, kinds: Kinds, group: str
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """The rows of each pattern under its first group, and those that are no group's under the first of all, or none."""
    pattern, kind = np.nonzero(rows)
    unused = np.setdiff1d(np.arange(len(kinds.count)), kinds.used)
    of_unused = names.iloc[np.zeros(len(unused), dtype=np.int64)].mask(kinds.absent[unused])
    frame = kinds.frame.iloc[np.concatenate([kinds.used[kind], unused])].reset_index(drop=True)
    frame[group] = pd.concat([names.iloc[pattern], of_unused]).to_numpy(dtype=object)
    frame[group] = frame[group].astype(names.dtype)
    return frame, np.concatenate([rows[pattern, kind], kinds.count[unused]])
