"""A thousand fits of one structure on new data in one process: how long each takes, and whether memory grows.

    python benchmarks/refit.py

Ends with 1 if the process holds more memory after the last fit than after the hundredth, by more than --allow MB.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sets import variants

if TYPE_CHECKING:
    import hiermod as hm

FORMULA = "successes/trials ~ (1 | variant)"
SETTLED = 100  # fits after which memory should not grow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refits", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--allow", type=float, default=10.0, help="MB")
    chosen = parser.parse_args()
    fit, seconds, memory = None, [], {}
    for count in range(1, chosen.refits + 1):
        start = time.perf_counter()
        fit = refit(fit, count, chosen.draws)
        seconds.append(time.perf_counter() - start)
        if count in (1, SETTLED, chosen.refits):
            memory[count] = resident()
            print(f"{count} fits: the last took {seconds[-1]:.3f} s, {memory[count]:,.0f} MB", file=sys.stderr)
    print(f"{FORMULA}, 20 variants, 4 chains of {chosen.draws} draws, new data each time")
    print(f"first {seconds[0]:.3f} s, median {statistics.median(seconds):.3f} s, ", end="")
    print(f"median of the last hundred {statistics.median(seconds[-100:]):.3f} s")
    print("memory: " + ", ".join(f"{megabytes:,.0f} MB after {count} fits" for count, megabytes in memory.items()))
    return int(memory[chosen.refits] - memory.get(SETTLED, memory[1]) > chosen.allow)


def refit(fit: hm.Fit | None, seed: int, draws: int) -> hm.Fit:
    """Fit a new set of the same shape, through `Fit.update` where there is one."""
    import hiermod as hm

    frame = variants(seed=seed)
    if fit is None or not hasattr(fit, "update"):
        return hm.fit(FORMULA, frame, "binomial", draws=draws, seed=seed, progress=False)
    return fit.update(data=frame, seed=seed, progress=False)


def resident() -> float:
    """MB that this process holds now; where the system does not say so, the most that it has held."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    sys.exit(main())
