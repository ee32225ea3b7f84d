"""The functions that are compiled ahead, each with one signature: alone in allocating memory, once a call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types

from hiermod.engine.kernels import density, likelihood, threads
from hiermod.engine.kernels.families import score_block
from hiermod.engine.kernels.record import BLOCK, doubles, job_at, keep, problem_at, segment_at, workspace
from hiermod.engine.kernels.vector_ops import copy

POINTER, ADDRESS = types.CPointer(types.double), types.int64
LOG_DENSITY = types.int64(types.uint64, POINTER, POINTER, POINTER, ADDRESS)
EXPAND = types.int64(types.uint64, types.uint64, POINTER, POINTER, ADDRESS)
CURVATURE = types.int64(POINTER, POINTER, POINTER, POINTER, ADDRESS)
WORK = types.int64(ADDRESS)
NOT_FINITE = 4  # nutpie takes a positive code for a point to turn back from
STEP = 1e-4  # of the numerical derivative of a score by its linear predictor


def log_density(dimension: Any, point: Any, gradient: Any, value: Any, memory: Any) -> int:
    """Write the log density and its gradient at a point."""
    record = problem_at(memory, 0)
    room = np.empty(record.workspace)
    z, slope = carray(point, (dimension,)), carray(gradient, (dimension,))
    total = density.log_density(record, workspace(record, room), z, slope)
    keep(room)
    carray(value, (1,))[0] = total
    finite = np.isfinite(total)
    for k in range(dimension):
        finite = finite and np.isfinite(slope[k])
    return 0 if finite else NOT_FINITE


def expand(dimension: Any, size: Any, point: Any, out: Any, memory: Any) -> int:
    """Write coefficients of the centred design, effects, and hyperparameters."""
    record = problem_at(memory, 0)
    room = np.empty(record.workspace)
    work, written, count = workspace(record, room), carray(out, (size,)), record.coefficients
    density.coefficients(record, work, carray(point, (dimension,)))
    copy(written, 0, doubles(work.theta, count), 0, count)
    copy(written, count, doubles(work.x, record.hyperparameters), 0, record.hyperparameters)
    keep(room)
    return 0


def curvature(coefficients: Any, auxiliary: Any, score: Any, weight: Any, memory: Any) -> int:
    """Write each row's score by its linear predictor, and minus the derivative of that."""
    record = problem_at(memory, 0)
    room = np.empty(record.workspace)
    work, count, extra = workspace(record, room), record.coefficients, record.hyperparameters - record.auxiliary
    copy(doubles(work.theta, count), 0, carray(coefficients, (count,)), 0, count)
    copy(doubles(work.auxiliary, extra), 0, carray(auxiliary, (extra,)), 0, extra)
    scores, weights = carray(score, (record.rows,)), carray(weight, (record.rows,))
    eta, predictor, here = doubles(work.eta, BLOCK), doubles(work.predictor, BLOCK), doubles(work.row_scores, BLOCK)
    for place in range(record.segments):
        segment = segment_at(record.segment_table, place)
        for start in range(segment.first, segment.last, BLOCK):
            rows = min(BLOCK, segment.last - start)
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
    keep(room)
    return 0


def worker(argument: Any) -> int:
    """What a thread starts with."""
    threads.run_job(job_at(argument, 0))
    return 0


SIGNATURES = {"log_density": (LOG_DENSITY, log_density), "expand": (EXPAND, expand),
              "curvature": (CURVATURE, curvature), "worker": (WORK, worker)}  # fmt: skip
