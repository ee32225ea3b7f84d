"""The functions that are called from outside: alone in allocating memory, once a call, and all of 64-bit arguments."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT, density, likelihood, threads
from hiermod.engine.kernels import integrals as integrals_of_groups
from hiermod.engine.kernels.numbers.vector_ops import copy
from hiermod.engine.kernels.record import BLOCK, BY_ROWS, NO_MEMORY, NOT_FINITE
from hiermod.engine.kernels.rows import by_rows
from hiermod.engine.kernels.rows.families import score_block
from hiermod.engine.kernels.views import (
    allocate,
    doubles,
    free,
    integrals_at,
    job_at,
    problem_at,
    room_for,
    segment_at,
    workspace,
)

STEP = 1e-4  # of the numerical derivative of a score by its linear predictor


@numba.njit(**NJIT)
def log_density(dimension: Any, point: Any, gradient: Any, value: Any, memory: Any) -> int:
    """Write the log density and its gradient at a point."""
    record = problem_at(memory, 0)
    room = room_for(record)
    if room == 0:
        return NO_MEMORY
    z, slope = doubles(point), doubles(gradient)
    total = density.log_density(record, workspace(record, room), z, slope)
    free(room)
    doubles(value)[0] = total
    finite = np.isfinite(total)
    for k in range(dimension):
        finite = finite and np.isfinite(slope[k])
    return 0 if finite else NOT_FINITE


@numba.njit(**NJIT)
def expand(dimension: Any, size: Any, point: Any, out: Any, memory: Any) -> int:
    """Write coefficients of the centred design, effects, and hyperparameters."""
    record = problem_at(memory, 0)
    room = room_for(record)
    if room == 0:
        return NO_MEMORY
    work, written, count = workspace(record, room), doubles(out), record.coefficients
    density.coefficients(record, work, doubles(point))
    copy(written, 0, doubles(work.theta), 0, count)
    copy(written, count, doubles(work.x), 0, record.hyperparameters)
    free(room)
    return 0


@numba.njit(**NJIT)
def curvature(coefficients: Any, auxiliary: Any, score: Any, weight: Any, memory: Any) -> int:
    """Write each row's score by its linear predictor, and minus the derivative of that.

    Of rows with several slots these are scores by each linear predictor, shape ``(slots, rows)``, and minus their
    derivatives by each, ``(slots, slots, rows)``.
    """
    record = problem_at(memory, 0)
    room = room_for(record)
    if room == 0:
        return NO_MEMORY
    work, count, extra = workspace(record, room), record.coefficients, record.hyperparameters - record.auxiliary
    copy(doubles(work.theta), 0, doubles(coefficients), 0, count)
    copy(doubles(work.auxiliary), 0, doubles(auxiliary), 0, extra)
    scores, weights = doubles(score), doubles(weight)
    eta, predictor, here = doubles(work.eta), doubles(work.predictor), doubles(work.row_scores)
    for place in range(record.segments):
        segment = segment_at(record.segment_table, place)
        for start in range(segment.first, segment.last, BLOCK):
            rows = min(BLOCK, segment.last - start)
            if segment.kernel >= BY_ROWS:
                _curvature_by_slots(segment.kernel, record, work, start, rows, score, weight)
                continue
            likelihood.linear_predictor(record, work, start, rows)
            copy(predictor, 0, eta, 0, rows)
            score_block(segment.kernel, record, work, start, rows)
            copy(scores, start, here, 0, rows)
            for i in range(rows):
                eta[i] = predictor[i] + STEP
            score_block(segment.kernel, record, work, start, rows)
            copy(weights, start, here, 0, rows)
            for i in range(rows):
                eta[i] = predictor[i] - STEP
            score_block(segment.kernel, record, work, start, rows)
            for i in range(rows):
                weights[start + i] = (here[i] - weights[start + i]) / (2.0 * STEP)
    free(room)
    return 0


@numba.njit(**NJIT)
def _curvature_by_slots(
    kernel: int, record: Any, work: Any, start: int, rows: int, score: int, weight: int
) -> None:  # fmt: skip
    etas, here, size = doubles(work.etas), doubles(work.scores), record.rows
    slots = record.parameters + 1
    scores, weights = doubles(score), doubles(weight)
    by_rows.linear_predictors(kernel, record, work, start, rows)
    by_rows.score(kernel, record, work, start, rows)
    for slot in range(slots):
        copy(scores, slot * size + start, here, slot * BLOCK, rows)
    for along in range(record.parameters + 1):
        for sign in (1.0, -1.0):
            by_rows.linear_predictors(kernel, record, work, start, rows)
            for i in range(rows):
                etas[along * BLOCK + i] += sign * STEP
            by_rows.score(kernel, record, work, start, rows)
            for slot in range(slots):
                at = (slot * slots + along) * size + start
                for i in range(rows):
                    weights[at + i] -= sign * here[slot * BLOCK + i] / (2.0 * STEP)


@numba.njit(**NJIT)
def worker(argument: Any) -> int:
    """What a thread starts with."""
    threads.run_job(job_at(argument, 0))
    return 0


@numba.njit(**NJIT)
def integrals(points: Any, beta: Any, root: Any, out: Any, memory: Any) -> int:
    """Write the log likelihood of groups, their effects integrated out, at points.

    Coefficients have shape ``(points, columns)``, the Λ of effects ``(points, width, width)``.
    """
    record = integrals_at(memory, 0)
    room = allocate(8 * integrals_of_groups.room_size(record))
    if room == 0:
        return NO_MEMORY
    integrals_of_groups.log_likelihoods(record, room, points, beta, root, out)
    free(room)
    return 0


@numba.njit(**NJIT)
def conditionals(
    pattern: Any, points: Any, beta: Any, root: Any, centre: Any, z: Any, settings: Any, out: Any, memory: Any
) -> int:  # fmt: skip
    """Write the log of the density of a group's normals over that of proposals, at points with a proposal each.

    `settings` are how much wider proposals are than the pattern's spread, and their degrees of freedom.
    """
    record = integrals_at(memory, 0)
    width, values, given = record.width, doubles(out), doubles(settings)
    room = allocate(8 * integrals_of_groups.room_size(record))
    if room == 0:
        return NO_MEMORY
    for place in range(points):
        own, scale, at = beta + 8 * place * record.columns, root + 8 * place * width * width, 8 * place * width
        values[place] = integrals_of_groups.log_ratio(
            record, room, pattern, own, scale, centre + at, z + at, given[0], given[1]
        )
    free(room)
    return 0
