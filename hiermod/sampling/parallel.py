"""Independent fits, one after the other or wherever `joblib.parallel_config` puts them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import joblib


def each(
    work: Callable[[Any], Any], tasks: Sequence[Any], progress: bool = False, what: str = "fits",
    done: Callable[[int, Any], None] | None = None,
) -> list[Any]:  # fmt: skip
    """The result of `work` for every task, in order.

    Tasks run in this process, unless ``joblib.parallel_config(backend=..., n_jobs=...)`` says otherwise: processes,
    threads, or a cluster of Dask or Ray. With `progress`, a line on stderr counts those done; `done` is told each
    task's place and result as soon as they are there.
    """
    found = []
    try:
        for result in _results(work, tasks):
            found.append(result)
            if done is not None:
                done(len(found) - 1, result)
            if progress and len(tasks) > 1:
                sys.stderr.write(f"\rhiermod: {len(found)} of {len(tasks)} {what}\x1b[K")
                sys.stderr.flush()
    finally:
        if progress and found and len(tasks) > 1:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
    return found


def _results(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
    calls = [joblib.delayed(work)(task) for task in tasks]
    try:
        parallel = joblib.Parallel(return_as="generator")
    except ValueError:  # a backend that gives its results all at once
        parallel = joblib.Parallel()
    yield from parallel(calls)
