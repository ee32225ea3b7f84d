"""The joint with nutpie's compiled core, the one place that knows its parts; pinned, and held by a test.

The core is loaded without nutpie's Python modules, whose imports (plotting among them) take longer than most fits.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from hiermod.engine.draw_store import DrawStore, of_run
from hiermod.engine.layout.program import Program
from hiermod.errors import panics_as_errors

CORE = "nutpie._lib"
DRAWS, NUMBER = "draws", "number"
KEPT = ("diverging", "energy", "logp", "n_steps", "step_size", "depth", "maxdepth_reached")
TRAJECTORY = "ExactNormal"  # moves along a standard normal exactly, and steps along the rest of the density
LONGEST_STEP = 1.2  # a quarter turn forgets where it came from, half a turn only mirrors it
RATE = 250  # milliseconds between reports of progress
SECOND = 1.0  # between looks at it
LONGEST_STOP = 5.0  # seconds
TASKS, IDLE = "/proc/self/task", "tokio"
PARTS = (
    "PyNutsSettings.Diag", "PyNutsSettings.update_settings", "PyVariable.new_variables", "LogpFunc", "ExpandFunc",
    "PyMcModel", "PySampler.from_pymc", "PySampler.wait", "PySampler.abort", "PySampler.take_results",
    "ProgressType.none", "PyStorage.arrow",
)  # fmt: skip
Report = Callable[[list[Any]], None]


class UnavailableError(Exception):
    """nutpie's core is not what this file knows."""


@dataclass(frozen=True, eq=False)
class Run:
    """What came back: `draws` has shape ``(chain, draw, expanded)``, each of `stats` ``(chain, draw)``.

    Chains may be of different lengths after an interruption: `lengths` holds how many draws each has.
    """

    draws: np.ndarray
    stats: dict[str, np.ndarray]
    lengths: np.ndarray


def core() -> Any:
    """Nutpie's extension module; shared with nutpie itself, whichever is loaded first."""
    if CORE in sys.modules:
        return sys.modules[CORE]
    package = importlib.util.find_spec("nutpie")
    for folder in (package.submodule_search_locations if package else None) or ():
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder) / f"_lib{suffix}"
            if path.exists():
                spec = importlib.util.spec_from_file_location(CORE, path)
                assert spec is not None
                assert spec.loader is not None
                module = importlib.util.module_from_spec(spec)
                sys.modules[CORE] = module
                spec.loader.exec_module(module)
                return module
    return _imported()


def _imported() -> Any:
    try:
        return importlib.import_module(CORE)
    except ImportError as error:
        raise UnavailableError(f"nutpie's core cannot be loaded: {error}") from error


def check() -> None:
    """Check that the parts that are used are there.

    Raises
    ------
    UnavailableError
        Naming the first part that is not.
    """
    lib = core()
    for name in PARTS:
        part: Any = lib
        for piece in _pieces(name):
            part = getattr(part, piece, None)
        if part is None:
            raise UnavailableError(f"nutpie {getattr(lib, '__version__', '')} has no {name}")


@functools.cache
def _pieces(name: str) -> tuple[str, ...]:
    """The names in a dotted one, made once: Python keeps those that attributes are looked up by."""
    return tuple(name.split("."))


@dataclass(frozen=True, eq=False)
class Chains:
    """Chains that are under way, on threads that were not there before them."""

    sampler: Any
    expanded: int
    threads: frozenset[str]
    store: DrawStore | None = None

    def wait(self, meanwhile: Callable[[], None] | None = None) -> Run:
        """Wait for the last draw; Ctrl-C is heard. `meanwhile` is called about once a second, in this thread.

        A chain that fails ends the others; they have stopped when the error is raised.
        """
        with under_way():
            try:
                with panics_as_errors():
                    wait_for(self.sampler.wait, meanwhile)
            except (RuntimeError, SystemExit):
                self.stop()
                raise
        return self._collected()

    def abort(self) -> Run:
        """Stop, and take what is there; nothing where a chain failed meanwhile."""
        self.stop()
        try:
            return self._collected()
        except RuntimeError:
            return Run(np.empty((0, 0, self.expanded)), {}, np.array([], dtype=int))

    def _collected(self) -> Run:
        with panics_as_errors():
            results = self.sampler.take_results()
        return _collected(results, self.expanded, self.store)

    def stop(self) -> None:
        """Stop, and wait until no thread of them is left: one that outlives the interpreter ends the process."""
        with contextlib.suppress(RuntimeError), panics_as_errors():
            self.sampler.abort()
        end = time.monotonic() + LONGEST_STOP
        while _threads() - self.threads and time.monotonic() < end:
            time.sleep(0.01)


UNDER_WAY: set[int] = set()
ENDING = threading.Event()


@contextlib.contextmanager
def under_way() -> Iterator[None]:
    """While this thread waits for chains: the interpreter ends after it has stopped them."""
    UNDER_WAY.add(threading.get_ident())
    try:
        yield
    finally:
        UNDER_WAY.discard(threading.get_ident())


@atexit.register
def _stop_all() -> None:
    """Have threads that do not keep the interpreter from ending stop their chains, for these end the process else."""
    ENDING.set()
    end = time.monotonic() + LONGEST_STOP
    while UNDER_WAY and time.monotonic() < end:
        time.sleep(0.01)


def _threads() -> frozenset[str]:
    """The threads of this process that do not only wait for work, where the system tells of them."""
    found = set()
    with contextlib.suppress(OSError):  # a thread may end meanwhile; systems other than Linux have no such folder
        for thread in os.listdir(TASKS):
            with contextlib.suppress(OSError), open(f"{TASKS}/{thread}/comm") as name:
                found |= set() if name.read().startswith(IDLE) else {thread}
    return frozenset(found)


def wait_for(wait: Callable[[float | None], Any], meanwhile: Callable[[], None] | None) -> Any:
    """What ``wait(seconds)`` of a sampler gives in the end; in between, `meanwhile` is called about once a second.

    Raises
    ------
    SystemExit
        If the interpreter ends.
    """
    while not ENDING.is_set():
        try:
            return wait(SECOND)
        except TimeoutError:
            if meanwhile is not None:
                meanwhile()
    raise SystemExit


def start(
    program: Program, draws: int, tune: int, chains: int, cores: int | None, seed: int, target_accept: float,
    starting_point: Callable[[int], np.ndarray], report: Report | None = None,
) -> Chains:  # fmt: skip
    """Start chains of NUTS on a program; `starting_point` gets a seed for each chain."""
    lib = core()
    size, expanded = program.problem.dimension, program.expanded
    settings = lib.PyNutsSettings.Diag(seed)
    settings.update({"num_draws": draws, "num_tune": tune, "num_chains": chains, "target_accept": target_accept})
    settings.update_settings(_with_trajectory(settings.as_dict()["settings"]))
    cores = cores or available_cores()
    program = program.threaded(max(1, cores // chains))
    memory, store = program.memory.address, of_run(program, draws, tune, chains)
    width, address = (1, store.address) if store else (expanded, program.compiled["expand"].address)
    sizes = {NUMBER: width}
    variables = lib.PyVariable.new_variables([DRAWS], ["float64"], [(width,)], sizes, {DRAWS: (NUMBER,)})
    log_density = lib.LogpFunc(program.compiled["log_density"].address, memory, program)
    expand = lib.ExpandFunc(size, width, address, memory, store or program)
    model = lib.PyMcModel(log_density, expand, variables, size, sizes, {}, starting_point, None)
    threads = _threads()
    sampler = lib.PySampler.from_pymc(
        settings, min(chains, cores), model, lib.ProgressType.none(), report, RATE,
        lib.PyStorage.arrow(),
    )  # fmt: skip
    return Chains(sampler, expanded, threads, store)


def _with_trajectory(settings: dict[str, Any]) -> dict[str, Any]:
    """Nutpie's settings with our trajectory, and its step kept from turning points into their mirror images."""
    changed = json.loads(json.dumps({**settings, "trajectory_kind": TRAJECTORY}))
    changed["adapt_options"]["step_size_settings"]["adapt_options"]["dual_average"]["max_step_size"] = LONGEST_STEP
    return changed


def _collected(trace: Any, expanded: int, store: DrawStore | None) -> Run:
    """The draws without their warm-up; what the sampler holds of a chain is given back as soon as it is copied."""
    batches, statistics = trace.get_arrow_trace()
    del trace
    stats, kept = [], []
    for batch, numbers in zip(batches, statistics, strict=True):
        warm = int(np.sum(_column(numbers, "tuning")))
        rows = min(batch.num_rows, numbers.num_rows)
        stats.append({name: _column(numbers, name)[warm:rows] for name in KEPT if name in numbers.column_names})
        kept.append(slice(warm, rows))
    lengths = [own.stop - own.start for own in kept]
    longest = max(lengths, default=0)
    batches.reverse()
    parts = (_part(batches.pop(), own) for own in kept)
    if store is not None:
        draws = store.collected([part.ravel() for part in parts])
    else:
        draws = np.empty((len(kept), longest, expanded))
        for chain, part in enumerate(parts):
            draws[chain, : len(part)] = part
            draws[chain, len(part) :] = np.nan
            del part
    names = stats[0] if stats else ()
    return Run(draws, {name: _padded([chain[name] for chain in stats], longest) for name in names}, np.array(lengths))


def _part(batch: Any, own: slice) -> np.ndarray:
    """What the sampler holds of the draws of a chain, shape ``(draw, number)``."""
    numbers = pyarrow.array(batch.column(DRAWS)).slice(own.start, own.stop - own.start)
    flat = np.asarray(numbers.flatten().to_numpy(zero_copy_only=False))
    return flat.reshape(own.stop - own.start, -1) if len(flat) else np.empty((0, 1))


def _column(batch: Any, name: str) -> np.ndarray:
    return np.asarray(pyarrow.array(batch.column(name)).to_numpy(zero_copy_only=False))


def _padded(parts: list[np.ndarray], longest: int) -> np.ndarray:
    out = np.zeros((len(parts), longest), dtype=parts[0].dtype)
    for chain, part in enumerate(parts):
        out[chain, : len(part)] = part
    return out


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
