"""Measure calibration: simulate, fit and rank, replication by replication, and hold the ranks against their bands.

    make calibration

Two processes share the work, one core each. What is done stays in build/calibration; after an interruption the same
command continues. The exit code is 1 if a quantity leaves its band or a fit ends in an error.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.calibration.ranks import Replication, replicate
from benchmarks.calibration.shapes import SHAPES
from benchmarks.calibration.store import ROOT, OtherRunError, Store, provenance
from benchmarks.calibration.verdict import Verdict, judge, table

SEED = 20260101
WORKERS = 2
FITS_PER_PROCESS = 100  # compiled code of a model is never given back
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    if chosen.plot:
        from benchmarks.calibration.plot import draw_shape

        for name in chosen.shapes:
            print(draw_shape(name, Store(chosen.folder, name).read(chosen.replications), chosen.folder))
        return 0
    print(f"{dt.date.today()}, Python {platform.python_version()}, {platform.machine()}", flush=True)
    try:
        verdicts = [_measure(name, chosen) for name in chosen.shapes]
    except OtherRunError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\n{table(verdicts)}")
    for verdict in verdicts:
        if not verdict.passed:
            print(f"{verdict.shape}: outside its band: {', '.join(verdict.outside)}", file=sys.stderr)
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.calibration.run", description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="SHAPE")
    parser.add_argument("--replications", type=int, default=500, help="of each shape (500)")
    parser.add_argument("--engine", default="auto", help="of hm.fit (auto)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes, a core each (2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "calibration", help="where ranks are kept")
    parser.add_argument("--fresh", action="store_true", help="forget what the folder holds of these shapes")
    parser.add_argument("--plot", action="store_true", help="draw the stored ranks, and do nothing else")
    return parser


def _measure(name: str, chosen: argparse.Namespace) -> Verdict:
    """Do what is missing of a shape, and judge it."""
    store = Store(chosen.folder, name)
    if chosen.fresh:
        store.clear()
    done = store.open(provenance(SHAPES[name], chosen.seed, chosen.engine))
    missing = [number for number in range(chosen.replications) if number not in done]
    started = time.perf_counter()
    for count, replication in enumerate(_replications(name, missing, chosen), start=1):
        store.append(replication)
        _show(name, count, len(missing), time.perf_counter() - started)
    verdict = judge(name, store.read(chosen.replications))
    state = "inside" if verdict.passed else f"OUTSIDE: {', '.join(verdict.outside)}"
    print(f"{name}: {verdict.replications} replications, {verdict.quantities} quantities, {state}", flush=True)
    return verdict


def _replications(name: str, numbers: Sequence[int], chosen: argparse.Namespace) -> Iterator[Replication]:
    """Replications as they are finished, of fresh processes; the first error ends all."""
    if not numbers:
        return
    os.environ.update(ONE_CORE)
    context = multiprocessing.get_context("spawn")
    work = functools.partial(_one, name, seed=chosen.seed, engine=chosen.engine)
    with context.Pool(min(chosen.workers, len(numbers)), maxtasksperchild=FITS_PER_PROCESS) as pool:
        yield from pool.imap_unordered(work, numbers)


def _one(name: str, number: int, seed: int, engine: str) -> Replication:
    try:
        return replicate(SHAPES[name], number, seed, engine)
    except Exception as error:
        raise RuntimeError(f"{name}, replication {number}, seed {seed}: {type(error).__name__}: {error}") from error


def _show(name: str, count: int, total: int, seconds: float) -> None:
    """Progress on one line of a terminal; elsewhere a line now and then."""
    terminal = sys.stderr.isatty()
    if not terminal and count % 25 and count < total:
        return
    left = seconds / count * (total - count)
    line = f"{name}: {count} of {total}, {seconds / count:.2f} s each, {left / 60:.0f} min left"
    print(f"\r{line}\x1b[K" if terminal else line, end="" if terminal and count < total else "\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
