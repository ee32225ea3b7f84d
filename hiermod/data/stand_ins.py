"""Weighted rows in place of those that an engine has aggregated: a Gaussian likelihood cannot tell them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.data.moments import Moments
from hiermod.data.statistics import MomentCells, RealCells


def stand_ins(frame: pd.DataFrame, response: RealCells) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with the counts, means and cross-products of cells: their predictors, and ``cell``, ``value``, ``times``.

    With R a factor of a cell's cross-products, R'R = C, of k rows r, and n its count, the 2k rows ``mean ± a r`` that
    count n / 2k each have the mean and C if ``a² = k / n``.
    """
    if isinstance(response, MomentCells):
        factor, mean = response.moments.factor, np.column_stack([response.moments.mean, response.mean])
    else:
        factor, mean = np.sqrt(response.within)[:, None, None], response.mean[:, None]
    cells, k, width = factor.shape
    steps = factor * np.sqrt(k / response.count)[:, None, None]
    values = np.concatenate([mean[:, None] + steps, mean[:, None] - steps], axis=1).reshape(-1, width)
    cell = np.repeat(np.arange(cells), 2 * k)
    rows = frame.iloc[cell].reset_index(drop=True)
    if isinstance(response, MomentCells):
        own = Moments(response.moments.features, response.moments.centres, values[:, :-1], np.empty(0))
        rows = rows.assign(**own.columns())
    times = response.count[cell] / (2 * k)
    return rows, pd.DataFrame({"cell": cell, "value": values[:, -1], "times": times})
