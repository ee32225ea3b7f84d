"""The log likelihood of all rows, in compiled code; very many are scored by several threads.

Parts and the order of their sums depend on the rows alone, so that results are the same on any number of cores.
"""

from __future__ import annotations

import sys
from typing import Any

import numba
from numba import types

from hiermod.engine.kernels import NJIT, integrated
from hiermod.engine.kernels.likelihood import products_likelihood, score_rows
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, copy, dot, fill
from hiermod.engine.kernels.record import BLOCK, FIELDS, JOB_BYTES, SLOTS, THREAD_ROOM
from hiermod.engine.kernels.views import address_of, addresses, doubles, job_at, problem_at, workspace_at

POSIX = sys.platform != "win32"
ADDRESS = types.intp

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
def log_likelihood(record: Any, work: Any) -> float:
    """Log likelihood up to a constant; writes its derivatives by coefficients, adds those by family parameters."""
    if record.integrated:
        return integrated.log_likelihood(record, work)
    if record.by_products:
        return products_likelihood(record, work)
    size = record.coefficients
    sums, theta = doubles(record.sums), doubles(work.theta)
    copy(doubles(work.by_theta), 0, sums, 0, size)
    result = dot(sums, 0, theta, 0, size)
    if record.parts:
        return result + _in_parts(record, work)
    return result + score_rows(record, work, 0, record.rows)


@numba.njit(**NJIT)
def _in_parts(record: Any, work: Any) -> float:
    """The same by several threads, this one among them."""
    size, extra = record.coefficients, record.hyperparameters - record.auxiliary
    by_theta, by_auxiliary = doubles(work.by_theta), doubles(work.by_auxiliary)
    threads = _threads(record)
    for place in range(threads):
        here = work.jobs + JOB_BYTES * place
        job = job_at(here, 0)
        job.record, job.workspace, job.place, job.started = address_of(record), address_of(work), place, 0
        if place > 0:
            job.started = start_thread(here, 0, record.worker, here) == 0
    for place in range(threads):
        job = job_at(work.jobs, place)
        if not job.started:
            run_job(job)
    for place in range(threads):
        job = job_at(work.jobs, place)
        if job.started:
            join_thread(job.thread, 0)
    result = 0.0
    for part in range(record.parts):
        numbers = doubles(_part(record, work, part))
        result += numbers[0]
        add_scaled(by_auxiliary, 0, numbers, 1, 1.0, extra)
        add_scaled(by_theta, 0, numbers, 1 + extra, 1.0, size)
    return result


@numba.njit(**NJIT)
def _threads(record: Any) -> int:
    return max(1, min(record.threads, record.parts))


@numba.njit(**NJIT)
def _part(record: Any, work: Any, part: int) -> int:
    """Where the results of a part stand: log likelihood, derivatives by the family's parameters and coefficients."""
    return work.parts + 8 * part * (1 + record.hyperparameters - record.auxiliary + record.coefficients)


@numba.njit(**NJIT)
def run_job(job: Any) -> None:
    """Score every part that is one thread's, in a workspace that has the block of rows and the results elsewhere."""
    record, shared = problem_at(job.record, 0), workspace_at(job.workspace, 0)
    size, extra = record.coefficients, record.hyperparameters - record.auxiliary
    room = shared.thread_rooms + 8 * THREAD_ROOM * job.place
    places, shared_places = addresses(room), addresses(job.workspace)
    for field in range(FIELDS):
        places[field] = shared_places[field]
    work = workspace_at(room, 0)
    work.eta, work.row_scores = room + 8 * FIELDS, room + 8 * (FIELDS + BLOCK)
    work.etas, work.scores = room + 8 * (FIELDS + 2 * BLOCK), room + 8 * (FIELDS + (2 + SLOTS) * BLOCK)
    for part in range(job.place, record.parts, _threads(record)):
        numbers = doubles(_part(record, work, part))
        fill(numbers, 0, 0.0, 1 + extra + size)
        work.by_auxiliary, work.by_theta = _part(record, work, part) + 8, _part(record, work, part) + 8 * (1 + extra)
        begin, end = record.rows * part // record.parts, record.rows * (part + 1) // record.parts
        numbers[0] = score_rows(record, work, begin, end)
