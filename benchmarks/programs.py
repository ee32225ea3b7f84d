"""Runs one program on one job in a process of its own, with a time limit, and gathers what it took."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from draws import judge, of_r
from jobs import CHAINS, DRAWS, FAST, IN_R, JOBS, TUNE, Job

HERE = Path(__file__).parent
ANSWERED = "ANSWERED"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ENVIRONMENT = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(HERE.parent), "MPLBACKEND": "Agg"}


class LeftOutError(Exception):
    """A program failed or ran out of time; says why."""


@dataclass(frozen=True)
class Run:
    """Seconds until the answer stood on the screen, and what the process said of itself afterwards."""

    answered: float
    figures: dict[str, Any]


def measure(peer: str, name: str, folder: Path, repeat: int, limit: float) -> dict[str, Any]:
    """All figures of a program on a job.

    A session comes first, so that compiled code is in the caches of every program when fresh processes are timed. Where
    a program keeps none (R's), or is slow, its session's own first answer is that of a fresh process.
    """
    times = repeat if peer in FAST else 1
    session = run(peer, name, folder, times, limit)
    fresh = [session.answered]
    if peer not in IN_R or peer in FAST:
        fresh = [run(peer, name, folder, 0, limit).answered for _ in range(times)]
    own = session.figures
    seconds = statistics.median(own["seconds"])
    found = {"fresh": statistics.median(fresh), "first": own["first"], "seconds": seconds, "fits": times, "raw": own}
    if peer == "lme4":
        return found
    if peer in IN_R:
        path = folder / "draws.bin"
        own |= {key: [value] for key, value in judge(of_r(path, CHAINS, DRAWS)).items()}
        path.unlink()
    ess = statistics.median(own["ess"])
    worst = {key: max(own[key]) for key in ("rhat", "divergences", "parameters")}
    return found | worst | {"sampling": own["sampling"], "ess": ess, "ess_per_second": ess / seconds}


def run(peer: str, name: str, folder: Path, again: int, limit: float) -> Run:
    """One process; what it writes is kept in the job's folder. It and its children end with the time limit."""
    log = folder / f"{peer}{'' if again else '.fresh'}.log"
    start = time.perf_counter()
    with log.open("w") as errors:
        process = subprocess.Popen(
            command(peer, name, folder, again), stdout=subprocess.PIPE, stderr=errors, text=True,
            env=ENVIRONMENT, start_new_session=True,
        )  # fmt: skip
        clock = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        clock.start()
        answered, last = None, ""
        try:
            for line in process.stdout or ():
                errors.write(line)
                if line.strip() == ANSWERED:
                    answered = time.perf_counter() - start
                last = line.strip() or last
            code = process.wait()
        finally:
            clock.cancel()
    if time.perf_counter() - start >= limit:
        raise LeftOutError(f"no result within {limit:.0f} s")
    if code or answered is None:
        raise LeftOutError(f"failed, see {log}")
    return Run(answered, json.loads(last) if last != ANSWERED else {})


def command(peer: str, name: str, folder: Path, again: int) -> list[str]:
    cores = str(count_cores())
    if peer not in IN_R:
        return [
            sys.executable,
            "-W",
            "ignore",
            str(HERE / "python_peers.py"),
            peer,
            name,
            str(folder),
            str(again),
            cores,
        ]
    job: Job = JOBS[name]
    numbers = (again, cores, CHAINS, DRAWS, TUNE)
    text = (job.outcome(peer), " + ".join(("1", *job.common)), job.bars(peer), job.family,
            "; ".join(job.formulas(peer)[1:]))  # fmt: skip
    return ["Rscript", "--vanilla", str(HERE / "r_peers.R"), peer, str(folder), *text, *map(str, numbers)]


def count_cores() -> int:
    """How many chains run at once: never more than there are."""
    return min(CHAINS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1))


def in_r() -> dict[str, str]:
    """The R programs that are installed, with their versions; empty without R."""
    if shutil.which("Rscript") is None:
        return {}
    code = f"for (p in c({', '.join(map(repr, IN_R))})) if (nzchar(system.file(package = p))) " + (
        'cat(p, as.character(packageVersion(p)), "\\n")'
    )
    found = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in found.splitlines())
