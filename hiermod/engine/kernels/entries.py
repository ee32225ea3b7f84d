"""The functions that are compiled ahead, each with one signature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types

from hiermod.engine.kernels import density, likelihood, threads
from hiermod.engine.kernels.families import score_block
from hiermod.engine.kernels.record import BLOCK, COEFFICIENTS, COUNT, FAMILY, FIELDS, RESPONSE, ROWS, SIZE, doubles

POINTER = types.CPointer(types.double)
LOG_DENSITY = types.int64(types.uint64, POINTER, POINTER, POINTER, types.voidptr)
EXPAND = types.int64(types.uint64, types.uint64, POINTER, POINTER, types.voidptr)
CURVATURE = types.int64(POINTER, POINTER, POINTER, POINTER, types.voidptr)
WORK = types.int64(types.voidptr)
LENGTH = len(FIELDS)
NOT_FINITE = 4  # nutpie takes a positive code for a point to turn back from
STEP = 1e-4  # of the numerical derivative of a score by its linear predictor


def log_density(dimension: Any, point: Any, gradient: Any, value: Any, memory: Any) -> int:
    """Write the log density and its gradient at a point."""
    head = carray(memory, (LENGTH,), dtype=np.int64)
    z, slope = carray(point, (dimension,)), carray(gradient, (dimension,))
    total = density.log_density(head, z, slope)
    carray(value, (1,))[0] = total
    finite = np.isfinite(total)
    for k in range(dimension):
        finite = finite and np.isfinite(slope[k])
    return 0 if finite else NOT_FINITE


def expand(dimension: Any, size: Any, point: Any, out: Any, memory: Any) -> int:
    """Write coefficients of the centred design, effects, and single parameters."""
    head = carray(memory, (LENGTH,), dtype=np.int64)
    written = carray(out, (size,))
    count = head[COEFFICIENTS]
    density.expand(head, carray(point, (dimension,)), written[:count], written[count:])
    return 0


def curvature(coefficients: Any, auxiliary: Any, score: Any, weight: Any, memory: Any) -> int:
    """Write each row's score by its linear predictor, and minus the derivative of that."""
    head = carray(memory, (LENGTH,), dtype=np.int64)
    rows, family = head[ROWS], head[FAMILY]
    theta, extra = carray(coefficients, (head[COEFFICIENTS],)), carray(auxiliary, (2,))
    scores, weights = carray(score, (rows,)), carray(weight, (rows,))
    response, size, count = doubles(head, RESPONSE, rows), doubles(head, SIZE, rows), doubles(head, COUNT, rows)
    eta, moved, slopes = np.empty(BLOCK), np.empty(BLOCK), np.zeros(2)
    here, above, below = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, rows, BLOCK):
        own = min(BLOCK, rows - start)
        likelihood.linear_predictor(head, theta, start, own, eta)
        moved[:own] = eta[:own]
        score_block(family, moved, response, size, count, start, own, extra, here, slopes)
        moved[:own] = eta[:own] + STEP
        score_block(family, moved, response, size, count, start, own, extra, above, slopes)
        moved[:own] = eta[:own] - STEP
        score_block(family, moved, response, size, count, start, own, extra, below, slopes)
        for i in range(own):
            scores[start + i] = here[i]
            weights[start + i] = (below[i] - above[i]) / (2.0 * STEP)
    return 0


def worker(argument: Any) -> int:
    """What a thread starts with."""
    threads.run_job(carray(argument, (threads.JOB_FIELDS,), dtype=np.int64))
    return 0


SIGNATURES = {"log_density": (LOG_DENSITY, log_density), "expand": (EXPAND, expand),
              "curvature": (CURVATURE, curvature), "worker": (WORK, worker)}  # fmt: skip
