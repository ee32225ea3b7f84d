"""Links under which some linear predictors have no mean: coefficients with which every row of the data has one."""

from __future__ import annotations

import numpy as np

from hiermod.data.cells.table import Cells
from hiermod.errors import DataError
from hiermod.families.links import Link
from hiermod.formula.nodes import Formula
from hiermod.modeling.density_rows import observe
from hiermod.modeling.design import LinearPredictor

MARGIN = 0.5  # of the typical distance from the bound, that every row has where that is possible
LEAST = 1e-6  # the same, from which rows are told from the bound
PULL = 1e-3  # of the distance from typical coefficients, over that from the bound


def coefficients_inside(design: np.ndarray, offset: np.ndarray, link: Link, typical: np.ndarray) -> np.ndarray | None:
    """Coefficients near typical ones with which all rows have a mean, by linear programming; None if there are none.

    Parameters
    ----------
    design : ndarray, shape (rows, columns)
    offset : ndarray, shape (rows,)
    """
    from scipy import optimize

    rows = design @ typical + offset
    if link.inside(rows).all():
        return typical
    low, high = link.bounds
    sign, bound = (1.0, low) if np.isfinite(low) else (-1.0, high)
    distance = sign * (rows - bound)  # has to be above 0 once changed
    unit = float(np.median(np.abs(distance))) or 1.0
    size, columns = np.maximum(np.abs(design).max(axis=0, initial=0.0), 1e-300), design.shape[1]
    away = sign * design / size
    cost = np.concatenate([np.full(2 * columns, PULL), [-1.0]])  # what is added, what is taken off, the margin
    found = optimize.linprog(
        cost, A_ub=np.hstack([-away, away, np.ones((len(rows), 1))]), b_ub=distance / unit,
        bounds=[(0.0, None)] * (2 * columns) + [(None, MARGIN)], method="highs",
    )  # fmt: skip
    if found.x is None or found.x[-1] <= LEAST:
        return None
    return np.asarray(typical + unit * (found.x[:columns] - found.x[columns : 2 * columns]) / size)


def refuse_without_mean(formula: Formula, link: Link, predictor: LinearPredictor, cells: Cells) -> None:
    """Refuse a formula whose coefficients can give no mean to all rows, whatever they are.

    Raises
    ------
    DataError
    """
    rows = observe(cells)
    blocks = predictor.common.blocks
    design = np.hstack([np.zeros((len(rows), 0)), *(rows.matrix(block) for block in blocks)])
    if coefficients_inside(design, rows.offset(predictor.offsets), link, np.zeros(design.shape[1])) is None:
        low, high = link.bounds
        where = f"above {low:g}" if np.isfinite(low) else f"below {high:g}"
        raise DataError(
            f"Under the {link.name} link the linear predictor of each row has to be {where}, and no coefficients of "
            f"the common terms of {formula} make it so in all rows. Add an intercept, or take another link."
        )
