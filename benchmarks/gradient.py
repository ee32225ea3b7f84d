"""One gradient of a logistic model of a million cells, on one core, beside NumPy's exp and log1p over as many rows.

    python benchmarks/gradient.py

All take turns, so that a machine that slows down does so for all; the shortest time of each is compared, and the median
shown. NumPy writes into arrays that are there already. How fast its exp and log1p are depends on the processor, and so
it is printed which vector instructions NumPy has found.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    import hiermod as hm

FORMULA = "y ~ x + z + (1 | g)"
GROUPS = 1000
BLOCK = 8192  # rows that stay in the processor's cache


def gradient_of(model: hm.Model) -> Callable[[], Any]:
    """What computes the log density of a model and its gradient once, at a point away from zero, as chains do it."""
    import numpy as np

    from hiermod.engine.build.compile import library
    from hiermod.engine.layout.problem import read_problem
    from hiermod.engine.layout.program import public_coordinates

    program = public_coordinates(read_problem(model._defined.spec), library(print).functions)
    size = program.problem.dimension
    point = 0.1 * np.random.default_rng(1).normal(size=size)
    gradient, value = np.empty(size), np.empty(1)
    log_density, memory = program.compiled["log_density"], program.memory.address
    return lambda: log_density(size, point.ctypes.data, gradient.ctypes.data, value.ctypes.data, memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e6, help="cells of the model, no two rows of which are equal")
    parser.add_argument("--repeat", type=int, default=30, help="how often each takes its turn")
    chosen = parser.parse_args()
    on_one_core()
    import numpy as np

    rng = np.random.default_rng(1)
    contenders = {"hiermod, a gradient": gradient_of(logistic_model(rng, int(chosen.rows)))}
    contenders |= of_numpy(rng.normal(-1.0, 1.5, int(chosen.rows)))
    seconds = take_turns(contenders, chosen.repeat)
    print(f"NumPy {np.__version__}, {', '.join(np.show_config(mode='dicts')['SIMD Extensions']['found'])}\n")
    print(table(seconds, int(chosen.rows)))


def on_one_core() -> None:
    """Before NumPy is imported: no library starts threads, and the system keeps this process on one core."""
    os.environ |= dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def logistic_model(rng: np.random.Generator, rows: int) -> hm.Model:
    import numpy as np
    import pandas as pd

    import hiermod as hm

    g, x, z = rng.integers(0, GROUPS, rows), rng.normal(size=rows), rng.normal(size=rows)
    eta = -1.0 + 0.5 * x - 0.3 * z + 0.7 * rng.normal(size=GROUPS)[g]
    y = rng.binomial(1, 1.0 / (1.0 + np.exp(-eta)))
    model = hm.model(FORMULA, pd.DataFrame({"y": y, "x": x, "z": z, "g": g}), "bernoulli")
    assert len(model.cells) == rows
    return model


def of_numpy(eta: np.ndarray) -> dict[str, Callable[[], Any]]:
    """The part of a logistic likelihood that cannot be had for less: one exp and one log1p a row."""
    import numpy as np

    minus, out = -np.abs(eta), np.empty_like(eta)

    def whole() -> None:
        np.log1p(np.exp(minus, out=out), out=out)

    def in_blocks() -> None:
        for start in range(0, len(minus), BLOCK):
            part = out[start : start + BLOCK]
            np.log1p(np.exp(minus[start : start + BLOCK], out=part), out=part)

    return {
        "NumPy, exp and log1p": whole,
        "NumPy, the same in blocks": in_blocks,
        "NumPy, np.log1p(np.exp(-abs(eta)))": lambda: np.log1p(np.exp(-abs(eta))),
    }


def take_turns(contenders: dict[str, Callable[[], Any]], repeat: int) -> dict[str, list[float]]:
    """Seconds of each; the first turn of all is for warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat + 1):
        for name, action in contenders.items():
            start = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - start)
    return {name: times[1:] for name, times in seconds.items()}


def table(seconds: dict[str, list[float]], rows: int) -> str:
    ours = min(next(iter(seconds.values())))
    lines = ["| | shortest, ms | median, ms | shortest, ns a row | hiermod's over it |", "|---|---|---|---|---|"]
    for name, times in seconds.items():
        least, median = min(times), statistics.median(times)
        lines.append(
            f"| {name} | {1e3 * least:.2f} | {1e3 * median:.2f} | {1e9 * least / rows:.2f} | {ours / least:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
