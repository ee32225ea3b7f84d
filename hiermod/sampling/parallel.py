"""Many independent fits, one after the other or wherever `joblib.parallel_config` puts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import joblib

from hiermod.errors import InterruptedSamplingError
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.progress import ProgressLine
from hiermod.sampling.run import choose_sampler, sample
from hiermod.sampling.settings import Settings


def fit_one(spec: ModelSpec, settings: Settings, announce: Callable[[str], None] = lambda _: None) -> Posterior:
    """One fit among many: Ctrl-C keeps no draws of it, but ends them all.

    Raises
    ------
    KeyboardInterrupt
        If the sampling was interrupted.
    """
    sampler = choose_sampler(spec, settings.engine, announce)
    try:
        posterior = sample(spec, sampler, settings, False, announce)
    except InterruptedSamplingError as error:
        raise KeyboardInterrupt from error
    if posterior.interrupted:
        raise KeyboardInterrupt
    return posterior


def each(
    work: Callable[[Any], Any], tasks: Sequence[Any], progress: bool = False, what: str = "fits",
    done: Callable[[int, Any], None] | None = None,
) -> list[Any]:  # fmt: skip
    """The result of `work` for every task, in order.

    Tasks run in this process, unless ``joblib.parallel_config(backend=..., n_jobs=...)`` says otherwise: processes,
    threads, or a cluster of Dask or Ray. With `progress`, a line on stderr counts those done; `done` is called with
    each task's place and result as soon as they are there.
    """
    results: list[Any] = []
    line = ProgressLine() if progress and len(tasks) > 1 else None
    try:
        for result in _results(work, tasks):
            results.append(result)
            if done is not None:
                done(len(results) - 1, result)
            if line is not None:
                line.show(f"{len(results)} of {len(tasks)} {what}")
    finally:
        if line is not None:
            line.close(f"{len(results)} {what}")
    return results


def _results(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
    calls = [joblib.delayed(work)(task) for task in tasks]
    try:
        parallel = joblib.Parallel(return_as="generator")
    except ValueError:  # a backend that gives its results all at once
        parallel = joblib.Parallel()
    yield from parallel(calls)
