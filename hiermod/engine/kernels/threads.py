"""The log likelihood of all rows, in compiled code; very many are scored by several threads.

Parts and the order of their sums depend on the rows alone, so that results are the same on any number of cores.
"""

from __future__ import annotations

import sys

import numba
import numpy as np
from numba import carray, types

from hiermod.engine.kernels.likelihood import products_likelihood, score_rows
from hiermod.engine.kernels.record import (
    BLOCK,
    COEFFICIENTS,
    FAMILY,
    FIELDS,
    GAUSSIAN,
    ROWS,
    SUMS,
    THREADS,
    WORKER,
    doubles,
    pointer,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.vector_ops import add_scaled, copy, dot

PART, MOST_PARTS = 20_000, 8  # rows that are worth a thread, and how many threads there can be
POSIX = sys.platform != "win32"
ADDRESS = types.intp
JOB_FIELDS = 6  # head, coefficients, auxiliary parameters and how many these are, results, first part
Array = np.ndarray

if POSIX:
    start_thread = types.ExternalFunction("pthread_create", types.int32(ADDRESS, ADDRESS, ADDRESS, ADDRESS))
    join_thread = types.ExternalFunction("pthread_join", types.int32(ADDRESS, ADDRESS))
else:

    @numba.njit(**NJIT)
    def start_thread(thread: int, options: int, function: int, argument: int) -> int:
        """No thread is started."""
        return 1

    @numba.njit(**NJIT)
    def join_thread(thread: int, result: int) -> int:
        """There is none."""
        return 0


@numba.njit(**NJIT)
def log_likelihood(
    head: Array, theta: Array, auxiliary: Array, by_theta: Array, slopes: Array, eta: Array, score: Array
) -> float:
    """Log likelihood up to a constant; writes its derivatives by coefficients, adds those by auxiliary parameters.

    `eta` and `score` have room for a block of rows.
    """
    if head[FAMILY] == GAUSSIAN:
        return products_likelihood(head, theta, auxiliary, by_theta, slopes)
    size = head[COEFFICIENTS]
    sums = doubles(head, SUMS, size)
    copy(by_theta, 0, sums, 0, size)
    result = dot(sums, 0, theta, 0, size)
    if head[ROWS] < 2 * PART:
        return result + score_rows(head, theta, auxiliary, 0, head[ROWS], by_theta, slopes, eta, score)
    return result + _in_parts(head, theta, auxiliary, by_theta, slopes)


@numba.njit(**NJIT)
def _in_parts(head: Array, theta: Array, auxiliary: Array, by_theta: Array, slopes: Array) -> float:
    size, extra = head[COEFFICIENTS], len(slopes)
    parts = _parts(head)
    threads = max(1, min(head[THREADS], parts))
    found = np.zeros((parts, 1 + extra + size))
    jobs, names, started = np.empty((threads, JOB_FIELDS), np.int64), np.zeros(threads, np.int64), np.zeros(threads)
    for own in range(threads):
        jobs[own, 0], jobs[own, 1] = head.ctypes.data, theta.ctypes.data
        jobs[own, 2], jobs[own, 3] = auxiliary.ctypes.data, extra
        jobs[own, 4], jobs[own, 5] = found.ctypes.data, own
    for own in range(1, threads):
        place, job = names.ctypes.data + 8 * own, jobs.ctypes.data + 8 * JOB_FIELDS * own
        started[own] = start_thread(place, 0, head[WORKER], job) == 0
    for own in range(threads):
        if not started[own]:
            _work(head, theta, auxiliary, found, own, threads)
    for own in range(1, threads):
        if started[own]:
            join_thread(names[own], 0)
    result = 0.0 * jobs[0, 5]  # an array that is used after the threads is not freed before
    for part in range(parts):
        result += found[part, 0]
        for i in range(extra):
            slopes[i] += found[part, 1 + i]
        add_scaled(by_theta, 0, found[part], 1 + extra, 1.0, size)
    return result


@numba.njit(**NJIT)
def _parts(head: Array) -> int:
    return min(MOST_PARTS, head[ROWS] // PART)


@numba.njit(**NJIT)
def _work(head: Array, theta: Array, auxiliary: Array, found: Array, first: int, threads: int) -> None:
    """Score every part that is one thread's: log likelihood, slopes, derivatives by coefficients."""
    parts, extra, eta, score = len(found), len(auxiliary), np.empty(BLOCK), np.empty(BLOCK)
    for part in range(first, parts, threads):
        begin, end = head[ROWS] * part // parts, head[ROWS] * (part + 1) // parts
        row = found[part]
        slopes, by_theta = row[1 : 1 + extra], row[1 + extra :]
        row[0] = score_rows(head, theta, auxiliary, begin, end, by_theta, slopes, eta, score)


@numba.njit(**NJIT)
def run_job(job: Array) -> None:
    """What a thread does."""
    head = carray(pointer(job[0]), (len(FIELDS),), dtype=np.int64)
    parts, size, extra = _parts(head), head[COEFFICIENTS], job[3]
    theta = carray(pointer(job[1]), (size,), dtype=np.float64)
    auxiliary = carray(pointer(job[2]), (extra,), dtype=np.float64)
    found = carray(pointer(job[4]), (parts, 1 + extra + size), dtype=np.float64)
    _work(head, theta, auxiliary, found, job[5], max(1, min(head[THREADS], parts)))
