"""Which common columns the data cannot tell from others: those that others make up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hiermod.data.cells import Cells
from hiermod.errors import enumerate_names
from hiermod.modeling.design import CommonDesign
from hiermod.modeling.observed import observe

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
    found = find_dependent(lambda place: rows.column(columns[place], common.centres), len(columns))
    empty = [names[one.place] for one in found if not one.others]
    made = [one for one in found if one.others]
    notices = [
        f"{names[one.place]!r} is a combination of {enumerate_names([names[place] for place in one.others], SHOWN)}: "
        "priors alone tell their coefficients apart (R would drop it)"
        for one in made[:SHOWN]
    ]
    if len(made) > SHOWN:
        more = enumerate_names([names[one.place] for one in made[SHOWN:]], SHOWN)
        notices.append(f"{more}: also combinations of other columns")
    if empty:
        notices.append(
            f"{enumerate_names(empty, SHOWN)}: 0 in every row, so that priors alone speak for their coefficients"
        )
    return notices


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
        found = _dependent(np.column_stack([column(place)[rows] for place in range(count)]))
        apart = [_rows_apart(one, column, len(rows)) for one in found]
        more = np.union1d(rows, np.concatenate([rows, *apart]))
        if len(more) == len(rows):
            return found
        rows = more


def _dependent(columns: np.ndarray) -> list[Dependent]:
    """The same for a matrix, by Gram and Schmidt's procedure, done twice as rounding asks."""
    length = np.linalg.norm(columns, axis=0)
    length[length == 0.0] = 1.0
    short = np.linalg.qr(columns / length, mode="r")
    basis = np.zeros((len(short), 0))
    kept: list[int] = []
    found = []
    for place, own in enumerate(short.T):
        rest = own - basis @ (basis.T @ own)
        rest -= basis @ (basis.T @ rest)
        if (norm := np.linalg.norm(rest)) > TOLERANCE:
            basis = np.column_stack([basis, rest / norm])
            kept.append(place)
        else:
            weights = np.linalg.lstsq(short[:, kept], own)[0]
            used = np.flatnonzero(np.abs(weights) > NEGLIGIBLE)
            others = [kept[other] for other in used]
            found.append(Dependent(place, tuple(others), tuple(weights[used] * length[place] / length[others])))
    return found


def _rows_apart(one: Dependent, column: Callable[[int], np.ndarray], limit: int) -> np.ndarray:
    """The rows, at most `limit`, where a column differs most from the combination; none where it differs nowhere."""
    own = column(one.place)
    rest = np.abs(own - sum(weight * column(other) for other, weight in zip(one.others, one.weights, strict=True)))
    if np.linalg.norm(rest) <= NEGLIGIBLE * np.linalg.norm(own):
        return np.zeros(0, dtype=np.int64)
    worst = np.argsort(-rest, kind="stable")[:limit]
    return worst[rest[worst] > 0.0]
