"""CPU time of one gradient by how the kernels are compiled: LLVM's settings, and an earlier state of this repository.

    python benchmarks/kernels.py --before REF

Each contender is a process of its own, held on one core. They take turns, model by model, and the least time of many
turns is shown, in microseconds and as a share of the first one's. Gradients are those that chains ask for, in the
coordinates chosen at the mode. Those of --before are compared with the first contender's at points of public
coordinates.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
JOBS = ("country", "verbagg", "insteval", "poisson")
SECONDS = 0.02  # of a turn
POINTS = 50
SETTINGS: dict[str, dict[str, Any]] = {
    "O3, no unrolling, threshold 45 (chosen)": {},
    "unrolling": {"unrolling": True},
    "no interleaving": {"interleaving": False},
    "threshold 225 (LLVM's)": {"inlining": 225},
    "threshold 100": {"inlining": 100},
    "threshold 20": {"inlining": 20},
    "O2": {"level": 2},
    "O1": {"level": 1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--before", metavar="REF", help="an earlier state of this repository")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="settings that have one of these words in their name")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work(json.loads(chosen.worker))
        return
    with tempfile.TemporaryDirectory(prefix="hiermod-kernels-") as folder:
        first, *others = SETTINGS
        names = [first, *(name for name in others if chosen.only is None or any(word in name for word in chosen.only))]
        contenders = [Contender(name, {"settings": SETTINGS[name]}, ROOT) for name in names]
        if chosen.before:
            contenders.append(Contender("before", {}, tree(Path(folder) / "before", chosen.before)))
        compare(contenders, chosen.turns)


class Contender:
    """A process that evaluates gradients when it is asked to."""

    def __init__(self, name: str, task: dict[str, Any], imported: Path) -> None:
        self.name = name
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", json.dumps(task)],
            env=kept | {"PYTHONPATH": str(imported)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.emitted = self.ask("compile", 0)

    def ask(self, what: str, calls: int) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, calls, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def tree(folder: Path, ref: str) -> Path:
    folder.mkdir()
    packed = subprocess.run(["git", "archive", ref, "hiermod"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)
    return folder


def compare(contenders: list[Contender], turns: int) -> None:
    times: dict[tuple[str, str], list[float]] = {}
    for job in JOBS:
        calls = max(1, int(SECONDS / contenders[0].ask(job, 3)))
        for turn in range(turns):
            for each in contenders if turn % 2 else contenders[::-1]:
                times.setdefault((each.name, job), []).append(each.ask(job, calls))
    least = {key: min(values) for key, values in times.items()}
    first = contenders[0]
    print(f"| | emitted in, s | {' | '.join(f'{job}, µs' for job in JOBS)} | {' | '.join(JOBS)} | mean |")
    print("|" + "---|" * (2 * len(JOBS) + 3))
    for each in contenders:
        ratios = [least[each.name, job] / least[first.name, job] for job in JOBS]
        shown = [f"{1e6 * least[each.name, job]:.1f}" for job in JOBS]
        emitted = "" if each.emitted is None else f"{each.emitted:.2f}"
        mean = sum(ratios) / len(ratios)
        print(
            f"| {each.name} | {emitted} | {' | '.join(shown)} | {' | '.join(f'{r:.3f}' for r in ratios)} | {mean:.3f} |"
        )
    for each in contenders[1:]:
        if each.name == "before":
            print("\nlargest |difference| / (1 + max |gradient|):")
            for job in JOBS:
                print(f"{job}: {apart(first.ask(f'gradients-{job}', 0), each.ask(f'gradients-{job}', 0)):.1e}")


def apart(ours: list[list[float]], theirs: list[list[float]]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return max(
        max(abs(a - b) for a, b in zip(one, other, strict=True)) / (1 + max(map(abs, other))) for one, other in pairs
    )


def work(task: dict[str, Any]) -> None:
    """Answer what is asked, a line for a line."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    functions, programs, emitted = None, {}, None
    for line in sys.stdin:
        what, calls = line.split()
        if functions is None:
            functions, emitted = compiled(task.get("settings"))
        job = what.removeprefix("gradients-")
        if job in JOBS and job not in programs:
            with contextlib.redirect_stderr(io.StringIO()):  # notices
                programs[job] = program(job, functions)
        if what == "compile":
            answer: Any = emitted
        elif what == job:
            answer = seconds(programs[job][1], int(calls))
        else:
            answer = list(gradients(programs[job][0]))
        print(json.dumps(answer), flush=True)


def compiled(settings: dict[str, Any] | None) -> tuple[Any, float | None]:
    """The compiled functions, and CPU seconds of LLVM; without settings those of the state that is imported."""
    from hiermod.engine.build import compile as state

    if settings == "by function":
        from hiermod.engine.build import cfuncs
        from hiermod.engine.kernels.record import ENTRIES

        addresses, memory = cfuncs.compiled_in(None)
        KEPT.append(memory)
        return {name: state.Function(addresses[name], count) for name, count in ENTRIES.items()}, None
    if settings is None:
        return state.library(lambda text: print(text, file=sys.stderr)).functions, None
    from dataclasses import replace

    from hiermod.engine.build import back_end, bitcode
    from hiermod.engine.kernels.record import ENTRIES

    state.library()
    try:
        code = bitcode.shipped()
    except bitcode.UnfitError:
        _, content = state._stored(f"{state.lowering()}-{bitcode.sources()[:16]}", print)
        code = bitcode.unpacked(content)
    start = time.process_time()
    content = back_end.emitted(code, back_end.this_processor(), replace(back_end.CHOSEN, **settings))
    emitted = time.process_time() - start
    addresses, memory = back_end.loaded(content)
    functions = {name: state.Function(addresses[name], count) for name, count in ENTRIES.items()}
    KEPT.append(memory)
    return functions, emitted


KEPT: list[Any] = []  # compiled code, as long as the process lives


def program(job: str, functions: Any) -> tuple[Any, Any]:
    """A job's density in public coordinates, and in those that chains move in."""
    import numpy as np
    import pandas as pd

    import hiermod as hm
    from hiermod.engine.adapt.coordinates import whiten
    from hiermod.engine.layout.problem import read_problem
    from hiermod.engine.layout.program import public_coordinates

    if job == "poisson":
        rng = np.random.default_rng(5)
        g, x = np.repeat(np.arange(200), 25), rng.normal(size=5000)
        frame = pd.DataFrame({"y": rng.poisson(np.exp(0.5 + 0.3 * x + 0.4 * rng.normal(size=200)[g])), "x": x, "g": g})
        model = hm.model("y ~ x + (1 | g)", frame, "poisson")
    else:
        from jobs import JOBS as OF_PEERS
        from sets import SIMULATIONS, shipped

        frame = SIMULATIONS[job]() if job in SIMULATIONS else shipped(job)
        model = hm.model(OF_PEERS[job].formula(), frame, OF_PEERS[job].family)
    public = public_coordinates(read_problem(model._defined.spec), functions)
    return public, whiten(public)


def _address(function: Any) -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(function.address)


def seconds(whitened: Any, calls: int) -> float:
    """CPU seconds of one gradient."""
    import numpy as np

    size = whitened.problem.dimension
    point, gradient, value = 0.5 * np.random.default_rng(1).normal(size=size), np.empty(size), np.empty(1)
    log_density = _address(whitened.compiled["log_density"])
    arguments = size, point.ctypes.data, gradient.ctypes.data, value.ctypes.data, whitened.memory.address
    start = time.process_time()
    for _ in range(calls):
        log_density(*arguments)
    return (time.process_time() - start) / calls


def gradients(public: Any) -> Iterator[list[float]]:
    """At points of public coordinates."""
    import numpy as np

    rng = np.random.default_rng(2)
    for _ in range(POINTS):
        yield public.log_density(0.3 * rng.normal(size=public.problem.dimension))[1].tolist()


if __name__ == "__main__":
    main()
