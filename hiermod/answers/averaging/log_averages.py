"""Averages by their logarithms, where an average rate rounds to 0 or 1, or an average mean to 0 or infinity.

Ratios and odds of such averages are finite, and which of two is larger is known, where the averages themselves are
equal numbers.
"""

from __future__ import annotations

import numpy as np

from hiermod.answers.averaging.grid import Grid
from hiermod.answers.averaging.query import Query
from hiermod.answers.log_means import Logs
from hiermod.answers.reader import Reader, reader
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

RARE = 1e-6  # rates so near to 0 or 1 leave ratios and odds less than ten digits
EQUAL = 1e-12  # rates so near to 1 may be equal by rounding alone
SMALL, LARGE = 1e-300, 1e300  # of means


def contrast_logs(posterior: Posterior, query: Query, grid: Grid, means: np.ndarray) -> Logs | None:
    """The logarithms of averages, `means` being the averages themselves; None where these are near enough."""
    model = reader(posterior, query.groups, outcome=query.outcome.functional)
    if not model.has_logs:
        return None
    known, is_rate = means[~np.isnan(means)], query.outcome.functional.share
    of_ratios = is_rate and query.question.scale.of_logs is not None
    drawn = of_ratios and posterior.conditional is not None  # all groups' effects would be, for few more digits
    low, high = RARE if of_ratios and not drawn else SMALL, 1.0 - (RARE if of_ratios else EQUAL) if is_rate else LARGE
    rounded = ((known < low) | (known > high)).any()
    return log_averages(model, posterior.spec, grid, query.per) if rounded else None


def log_averages(model: Reader, spec: ModelSpec, grid: Grid, per: float = 1.0) -> Logs:
    """Logarithms of weighted averages within each draw, shape ``(averages, draws)``; NaN for those without rows."""
    sums = np.bincount(grid.cell, grid.weight, len(grid.keys))
    with np.errstate(divide="ignore"):
        log_share = np.log(grid.weight / sums[grid.cell])
    total = np.full((2 if spec.family.is_rate else 1, len(sums), model.draws), -np.inf)
    for rows, logs in model.log_blocks(grid.frame):
        _add(total, grid.cell[rows], logs + log_share[rows, None])
    total[:, sums <= 0.0] = np.nan
    if not spec.family.is_rate:
        return Logs(total[0] + np.log(per))
    return Logs(total[0], total[1])


def _add(total: np.ndarray, cell: np.ndarray, logs: np.ndarray) -> None:
    """Add rows, shape ``(numbers, rows, draws)``, to the logarithms of the sums of their cells."""
    begins = np.flatnonzero(np.diff(cell, prepend=-1))
    cells, lengths = cell[begins], np.diff(begins, append=len(cell))
    top = np.maximum.reduceat(logs, begins, axis=1)
    held = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        part = held + np.log(np.add.reduceat(np.exp(logs - np.repeat(held, lengths, axis=1)), begins, axis=1))
    for place in range(len(cells)):  # a cell's rows stand together, so that mostly each cell comes once
        total[:, cells[place]] = np.logaddexp(total[:, cells[place]], part[:, place])
