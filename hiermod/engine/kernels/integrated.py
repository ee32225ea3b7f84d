"""The log likelihood of a problem in which the effects of one factor are integrated out, with its gradient.

The factor stands in the table of factors after the last, and has no coefficients; its standard deviations and
correlations are hyperparameters like others. Rows are the entries of the patterns of its groups, lane by lane.
"""

from __future__ import annotations

from typing import Any

import numba

from hiermod.engine.kernels import NJIT, integrals, moments
from hiermod.engine.kernels.coordinates.covariance import factor_root, factor_root_back
from hiermod.engine.kernels.likelihood import linear_predictor, scatter
from hiermod.engine.kernels.numbers.vector_ops import copy, dot, fill
from hiermod.engine.kernels.record import BLOCK, BY_NODES
from hiermod.engine.kernels.views import doubles, factor_at, integrals_at, moments_at


@numba.njit(**NJIT)
def log_likelihood(record: Any, work: Any) -> float:
    """Log likelihood; writes its derivatives by coefficients, adds those by hyperparameters."""
    factor = factor_at(record.factor_table, record.factors)
    factor_root(record, factor, work)
    fill(doubles(work.by_root), 0, 0.0, factor.width * factor.width)
    root = work.roots + 8 * factor.root
    result = _by_nodes(record, work, root) if record.integrated == BY_NODES else _in_closed_form(record, work, root)
    factor_root_back(record, factor, work)
    return result


@numba.njit(**NJIT)
def _by_nodes(record: Any, work: Any, root: int) -> float:
    """By quadrature: entries' linear predictors, then the integrals, then the way back."""
    inner, rows, size = integrals_at(record.integrals, 0), record.rows, record.coefficients
    theta, sums, by_theta = doubles(work.theta), doubles(record.sums), doubles(work.by_theta)
    eta, here = doubles(work.eta), doubles(work.row_scores)
    copy(by_theta, 0, sums, 0, size)
    result = dot(sums, 0, theta, 0, size)
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        linear_predictor(record, work, start, count)
        copy(doubles(work.predictors), start, eta, 0, count)
    for block in range(inner.blocks):
        result += integrals.scored(
            inner, work.integral_room, root, work.by_root, block, work.predictors, work.predictor_scores
        )
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        copy(here, 0, doubles(work.predictor_scores), start, count)
        scatter(record, work, start, count)
    return result


@numba.njit(**NJIT)
def _in_closed_form(record: Any, work: Any, root: int) -> float:
    """Of a Gaussian model."""
    theta, by_theta = doubles(work.theta), doubles(work.by_theta)
    sigma, by_sigma = doubles(work.auxiliary), doubles(work.by_auxiliary)
    value, slope = moments.log_likelihood(
        moments_at(record.integrals, 0), work.integral_room, root, work.by_root, theta, by_theta, sigma[0]
    )
    by_sigma[0] += slope
    return value
