"""Whether anything is left of a response whose spread a family's own parameter could be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from hiermod.data.cells import Cells
from hiermod.data.predictors import Grouping
from hiermod.data.statistics import BinomialCells, CountCells, MomentCells, RealCells, ValueCells
from hiermod.errors import DataError, enumerate_names
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.dependence import SHOWN, find_dependent
from hiermod.modeling.design import VaryingBar
from hiermod.modeling.families import Family
from hiermod.modeling.observed import Observed, observe

if TYPE_CHECKING:
    from hiermod.modeling.spec import Spec

ROUNDING = 1e-12  # of the largest number, what a difference leaves of equal ones
Columns = Callable[[int], np.ndarray]


def residual_notices(family: Family, bars: Sequence[VaryingBar], cells: Cells) -> list[str]:
    """Say which bars have an effect for every row, where the family has a spread of its own (lme4 checks the same)."""
    if not family.auxiliary or isinstance(cells.response, BinomialCells | CountCells):
        return []
    rows = int(cells.response.count.sum())
    return [
        f"{bar.grouping.name!r}: {bar.grouping.size * len(bar.row_names):,} varying effects for {rows:,} rows, so that "
        f"priors alone tell their spread from {' and '.join(family.auxiliary)}"
        for bar in bars
        if bar.grouping.size * len(bar.row_names) >= rows
    ]


def refuse_exact(spec: Spec) -> None:
    """Refuse a response of which common columns, or these within the levels of one grouping factor, leave nothing.

    With more rows than the rank of what makes the response up, its density has no bound as `sigma` falls to zero, and
    no proper prior makes a posterior of it.

    Raises
    ------
    DataError
        If there is no residual whose spread `sigma` could be.
    """
    cells, blocks = spec.cells, spec.common.blocks
    if not spec.family.scaled or not _may_be_exact(cells):
        return
    rows = observe(cells)
    columns = [column for block in blocks for column in block.columns]
    target = _response(spec.formula, rows)

    def column(place: int) -> np.ndarray:
        return rows.column(columns[place], spec.common.centres) if place < len(columns) else target

    constant = any(block.spans_constant for block in blocks)
    factors = [bar.grouping for bar in spec.bars if INTERCEPT in [effect.block.term for effect in bar.effects]]
    for grouping in (None, *factors):
        levels = int(constant) if grouping is None else grouping.size
        found = find_dependent(_less_means(column, rows, grouping) if levels else column, len(columns) + 1)
        rank = len(columns) + 1 - len(found) + levels
        if found and found[-1].place == len(columns) and rank < cells.response.weight.sum():
            names = [name for block in blocks for name in block.row_names()]
            _refuse(spec.formula.response.name, grouping, [names[place] for place in found[-1].others])


def _may_be_exact(cells: Cells) -> bool:
    """Whether equal rows have equal responses."""
    response = cells.response
    if isinstance(response, RealCells) and not isinstance(response, MomentCells):
        return not response.within.any()
    return isinstance(response, RealCells | ValueCells)


def _response(formula: Formula, rows: Observed) -> np.ndarray:
    response = np.concatenate([rows.cells.response.mean, rows.response])
    target = response - rows.offset(formula)
    target[np.abs(target) <= ROUNDING * np.abs(response).max()] = 0.0
    return target


def _less_means(column: Columns, rows: Observed, grouping: Grouping | None) -> Columns:
    """Columns less their means within each level of a grouping factor, or over all rows."""
    cells = len(rows.cells)
    codes = np.zeros(cells, dtype=np.int64) if grouping is None else grouping.codes(rows.cells.frame)
    count = np.bincount(codes).clip(min=1)

    def less_means(place: int) -> np.ndarray:
        own = column(place)
        means, within = own[:cells], own[cells:]
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
