"""Whether anything is left of a response whose spread a family's own parameter could be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import numpy as np

from hiermod.data.cells.statistics import (
    BinomialCells,
    BoundedCells,
    CountCells,
    ErrorCells,
    MeasuredCells,
    MomentCells,
    RealCells,
    ValueCells,
)
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import DataError, enumerate_names
from hiermod.families.record import Family
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.dependence import find_dependent, is_sparse
from hiermod.modeling.design import CommonDesign, GroupDesign
from hiermod.modeling.smooths import curves, smooths_of

SHOWN = 3
FEW_LEVELS = 64  # of a grouping factor, whose indicators stand beside the columns


def dependence_notices(common: CommonDesign, cells: Cells) -> list[str]:
    """Say which common columns others make up, or are 0 in every row: priors alone speak for them."""
    rows = observe(cells)
    names = [name for block in common.blocks for name in block.row_names()]
    columns = [column for block in common.blocks for column in block.columns]
    dependent = find_dependent(lambda place: rows.column(columns[place], common.centres), len(columns))
    curved = [(curve, {one.place for one in dependent} & set(curve.wiggles.tolist()))
              for curve in curves(smooths_of(common.blocks))]  # fmt: skip
    penalised = {place for _, places in curved for place in places}
    dependent = [one for one in dependent if one.place not in penalised]
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
    return notices + [
        f"{curve.name}: the data tell {len(curve.wiggles) - len(places)} of its {len(curve.wiggles)} wiggles; the "
        "prior alone shapes the others"
        for curve, places in curved
        if places
    ]


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


MOST_TO_COUNT = 2000  # rows up to which the rank of common terms is looked at
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
    columns = [column for block in common.blocks for column in block.columns]
    dependent = find_dependent(lambda place: seen.column(columns[place], {}), len(columns))
    return len(columns) - len(dependent) == rows


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
    cells = cells.above_zero() if family.zeros else cells
    rows = observe(cells)
    columns = [column for block in blocks for column in block.columns]
    target = _response(formula, family, rows)

    def column(place: int) -> np.ndarray:
        return rows.column(columns[place], common.centres) if place < len(columns) else target

    constant = any(block.spans_constant for block in blocks)
    factors = [term.grouping for term in groups if INTERCEPT in [effect.block.term for effect in term.effects]]
    for grouping in (None, *factors):
        levels = int(constant) if grouping is None else grouping.size
        beside, made = _beside_levels(column, rows, grouping, levels)
        dependent = find_dependent(made, beside + len(columns) + 1)
        rank = beside + len(columns) + 1 - len(dependent) + (0 if beside else levels)
        if dependent and dependent[-1].place == beside + len(columns) and rank < cells.response.weight.sum():
            names = [name for block in blocks for name in block.row_names()]
            others = [place - beside for place in dependent[-1].others if place >= beside]
            _refuse(formula.response.name, grouping, [names[place] for place in others])


def _may_be_exact(cells: Cells) -> bool:
    """Whether equal rows have equal responses."""
    response = cells.response
    if isinstance(response, BoundedCells):
        return False
    if isinstance(response, RealCells) and not isinstance(response, MomentCells):
        return not response.within.any()
    if isinstance(response, MeasuredCells):
        return not isinstance(response, ErrorCells) and not response.within.any()
    return isinstance(response, RealCells | ValueCells)


def _response(formula: Formula, family: Family, rows: Observed) -> np.ndarray:
    response = np.concatenate([family.transform(rows.cells.response.mean), rows.response])
    if not formula.offsets:
        return response
    target = response - rows.offset(formula.offsets)
    for equal in (target[0], 0.0):
        target[np.abs(target - equal) <= ROUNDING * np.abs(response).max()] = equal
    return target


def _beside_levels(
    column: Columns, rows: Observed, grouping: Grouping | None, levels: int
) -> tuple[int, Columns]:  # fmt: skip
    """Columns that span, with the levels of a grouping factor, what the given ones do; how many of them are levels.

    Indicators of few levels come first. Columns that are hardly ever 0, and all beside many levels, have their means
    within each level taken off, so that they are judged by what they say beyond these.
    """
    if not levels:
        return 0, column
    cells = len(rows.cells)
    codes = np.zeros(cells, dtype=np.int64) if grouping is None else rows.cells.codes[grouping.name]
    count = np.bincount(codes).clip(min=1)
    beside = levels if levels <= FEW_LEVELS else 0

    def made(place: int) -> np.ndarray:
        if place < beside:
            return np.concatenate([(codes == place).astype(float), np.zeros(len(rows) - cells)])
        values = column(place - beside)
        if beside and is_sparse(values):
            return values
        means, within = values[:cells] - values[0], values[cells:]  # exact for equal ones, however far from 0
        rest = means - (np.bincount(codes, means) / count)[codes]
        rest[np.abs(rest) <= ROUNDING * np.abs(means).max()] = 0.0
        return np.concatenate([rest, within])

    return beside, made


def _refuse(response: str, grouping: Grouping | None, others: list[str]) -> NoReturn:
    where = "The" if grouping is None else f"Within the levels of {grouping.name!r}, the"
    what = f"a combination of {enumerate_names(others, SHOWN)}" if others else "constant"
    raise DataError(
        f"{where} response {response!r} is {what}: nothing is left whose spread sigma could be. "
        f"Leave out what the response was made of{', or take one row of each level' if grouping else ''}."
    )
