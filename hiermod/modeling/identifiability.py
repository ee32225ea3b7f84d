"""Whether anything is left of a response whose spread a family's own parameter could be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from hiermod.data.cells.statistics import BinomialCells, CountCells, MomentCells, RealCells, ValueCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import DataError, enumerate_names
from hiermod.families.record import Family
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.design import CommonDesign, GroupDesign

FEW_ROWS = 4096
TOLERANCE = 1e-7  # of a column's length, as R's qr() has it
NEGLIGIBLE = 1e-6  # weights of columns of length 1, and what rounding leaves of a combination
SHOWN = 3


@dataclass(frozen=True)
class Dependent:
    """A column and the earlier ones that make it up, with their weights; none where it is 0 in every row."""

    place: int
    others: tuple[int, ...]
    weights: tuple[float, ...]


def dependence_notices(common: CommonDesign, cells: Cells) -> list[str]:
    """Say which common columns others make up, or are 0 in every row: priors alone speak for them."""
    rows = observe(cells)
    names = [name for block in common.blocks for name in block.row_names()]
    columns = [column for block in common.blocks for column in block.columns]
    dependent = find_dependent(lambda place: rows.column(columns[place], common.centres), len(columns))
    empty = [names[one.place] for one in dependent if not one.others]
    combinations = [one for one in dependent if one.others]
    notices = [
        f"{names[one.place]!r} is a combination of {enumerate_names([names[place] for place in one.others], SHOWN)}: "
        "priors alone tell their coefficients apart (R would drop it)"
        for one in combinations[:SHOWN]
    ]
    if len(combinations) > SHOWN:
        others = [names[one.place] for one in combinations[SHOWN:]]
        notices.append(f"{enumerate_names(others, SHOWN)}: also combinations of other columns")
    if empty:
        notices.append(
            f"{enumerate_names(empty, SHOWN)}: 0 in every row, so that priors alone speak for their coefficients"
        )
    return notices


def unseen_directions(common: CommonDesign, cells: Cells) -> np.ndarray:
    """A basis of the combinations of coefficients about which the data say nothing, shape ``(columns, directions)``.

    Coefficients are those of the user's coding; a row whose design is orthogonal to all directions is estimable.
    """
    rows = observe(cells)
    columns = [column for block in common.blocks for column in block.columns]
    if not find_dependent(lambda place: rows.column(columns[place], common.centres), len(columns)):
        return np.zeros((len(columns), 0))
    dependent = find_dependent(lambda place: rows.column(columns[place]), len(columns))
    basis = np.zeros((len(columns), len(dependent)))
    for place, one in enumerate(dependent):
        basis[one.place, place] = 1.0
        basis[list(one.others), place] = -np.array(one.weights)
    return basis


def find_dependent(column: Callable[[int], np.ndarray], count: int) -> list[Dependent]:
    """Which of `count` columns are combinations of those before them.

    A few rows are enough to show that a column is none. What they leave is held against all rows, and those that
    differ most join the few.
    """
    if not count:
        return []
    size = len(column(0))
    rows = np.arange(0, size, max(size // FEW_ROWS, 1))
    while True:
        dependent = _dependent(np.column_stack([column(place)[rows] for place in range(count)]))
        apart = [_rows_apart(one, column, len(rows)) for one in dependent]
        more = np.union1d(rows, np.concatenate([rows, *apart]))
        if len(more) == len(rows):
            return dependent
        rows = more


def _dependent(columns: np.ndarray) -> list[Dependent]:
    """The same for a matrix, by Gram and Schmidt's procedure, done twice as rounding asks."""
    length = np.linalg.norm(columns, axis=0)
    length[length == 0.0] = 1.0
    short = np.linalg.qr(columns / length, mode="r")
    basis = np.zeros((len(short), 0))
    kept: list[int] = []
    dependent = []
    for place, vector in enumerate(short.T):
        rest = vector - basis @ (basis.T @ vector)
        rest -= basis @ (basis.T @ rest)
        if (norm := np.linalg.norm(rest)) > TOLERANCE:
            basis = np.column_stack([basis, rest / norm])
            kept.append(place)
        else:
            weights = np.linalg.lstsq(short[:, kept], vector)[0]
            used = np.flatnonzero(np.abs(weights) > NEGLIGIBLE)
            others = [kept[other] for other in used]
            dependent.append(Dependent(place, tuple(others), tuple(weights[used] * length[place] / length[others])))
    return dependent


def _rows_apart(one: Dependent, column: Callable[[int], np.ndarray], limit: int) -> np.ndarray:
    """The rows, at most `limit`, where a column differs most from the combination; none where it differs nowhere."""
    values = column(one.place)
    rest = np.abs(values - sum(weight * column(other) for other, weight in zip(one.others, one.weights, strict=True)))
    if np.linalg.norm(rest) <= NEGLIGIBLE * np.linalg.norm(values):
        return np.zeros(0, dtype=np.int64)
    worst = np.argsort(-rest, kind="stable")[:limit]
    return worst[rest[worst] > 0.0]


MOST_TO_COUNT = 2000  # rows up to which the rank of all terms together is looked at
ROUNDING = 1e-12  # of the largest number, what a difference leaves of equal ones
Columns = Callable[[int], np.ndarray]


def residual_notices(
    family: Family, common: CommonDesign, terms: Sequence[GroupDesign], cells: Cells
) -> list[str]:  # fmt: skip
    """Say which terms can fit every row, where the family has a spread of its own (lme4 checks groups' terms)."""
    if not family.auxiliary or isinstance(cells.response, BinomialCells | CountCells):
        return []
    rows = int(cells.response.count.sum())
    notices = [
        f"{term.grouping.name!r}: {term.grouping.size * len(term.row_names):,} varying effects for {rows:,} rows, "
        f"so that priors alone tell their spread from {' and '.join(family.auxiliary)}"
        for term in terms
        if term.grouping.size * len(term.row_names) >= rows
    ]
    if _fits_every_row(common, cells, rows):
        notices.append(
            f"common terms can fit each of the {rows:,} rows exactly, whatever the response: priors alone tell how "
            f"much of it is {' and '.join(family.auxiliary)}"
        )
    return notices


def _fits_every_row(common: CommonDesign, cells: Cells, rows: int) -> bool:
    """Whether common coefficients can give any response at all."""
    if not rows <= min(MOST_TO_COUNT, sum(len(block.columns) for block in common.blocks)):
        return False
    seen = observe(cells)
    matrix = np.hstack([seen.matrix(block) for block in common.blocks])
    length = np.linalg.norm(matrix, axis=0)
    return int(np.linalg.matrix_rank(matrix / np.where(length > 0.0, length, 1.0), tol=TOLERANCE)) == rows


def refuse_exact(
    formula: Formula, family: Family, cells: Cells, common: CommonDesign, groups: Sequence[GroupDesign]
) -> None:
    """Refuse a response of which common columns, or these within the levels of one grouping factor, leave nothing.

    With more rows than the rank of what makes the response up, its density has no bound as `sigma` falls to zero, and
    no proper prior makes a posterior of it.

    Raises
    ------
    DataError
        If there is no residual whose spread `sigma` could be.
    """
    blocks = common.blocks
    if not family.scaled or not _may_be_exact(cells):
        return
    rows = observe(cells)
    columns = [column for block in blocks for column in block.columns]
    target = _response(formula, family, rows)

    def column(place: int) -> np.ndarray:
        return rows.column(columns[place], common.centres) if place < len(columns) else target

    constant = any(block.spans_constant for block in blocks)
    factors = [term.grouping for term in groups if INTERCEPT in [effect.block.term for effect in term.effects]]
    for grouping in (None, *factors):
        levels = int(constant) if grouping is None else grouping.size
        dependent = find_dependent(_less_means(column, rows, grouping) if levels else column, len(columns) + 1)
        rank = len(columns) + 1 - len(dependent) + levels
        if dependent and dependent[-1].place == len(columns) and rank < cells.response.weight.sum():
            names = [name for block in blocks for name in block.row_names()]
            _refuse(formula.response.name, grouping, [names[place] for place in dependent[-1].others])


def _may_be_exact(cells: Cells) -> bool:
    """Whether equal rows have equal responses."""
    response = cells.response
    if isinstance(response, RealCells) and not isinstance(response, MomentCells):
        return not response.within.any()
    return isinstance(response, RealCells | ValueCells)


def _response(formula: Formula, family: Family, rows: Observed) -> np.ndarray:
    response = np.concatenate([family.transform(rows.cells.response.mean), rows.response])
    target = response - rows.offset(formula.offsets)
    target[np.abs(target) <= ROUNDING * np.abs(response).max()] = 0.0
    return target


def _less_means(column: Columns, rows: Observed, grouping: Grouping | None) -> Columns:
    """Columns less their means within each level of a grouping factor, or over all rows."""
    cells = len(rows.cells)
    codes = np.zeros(cells, dtype=np.int64) if grouping is None else rows.cells.codes[grouping.name]
    count = np.bincount(codes).clip(min=1)

    def less_means(place: int) -> np.ndarray:
        values = column(place)
        means, within = values[:cells], values[cells:]
        rest = means - (np.bincount(codes, means) / count)[codes]
        rest[np.abs(rest) <= ROUNDING * np.abs(means).max()] = 0.0
        return np.concatenate([rest, within])

    return less_means


def _refuse(response: str, grouping: Grouping | None, others: list[str]) -> NoReturn:
    where = "The" if grouping is None else f"Within the levels of {grouping.name!r}, the"
    what = f"a combination of {enumerate_names(others, SHOWN)}" if others else "constant"
    raise DataError(
        f"{where} response {response!r} is {what}: nothing is left whose spread sigma could be. "
        f"Leave out what the response was made of{', or take one row of each level' if grouping else ''}."
    )
