"""A thousand fits of one structure on new data in one process: how long each takes, and whether memory grows.

    python benchmarks/refit.py

Ends with 1 if after the last fit 1 MB more is in use than after the two hundredth, as the C library counts it, or the
process holds more by --allow MB. The first two hundred meet what later ones use again: threads, caches of Python's.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
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
SETTLED = 200  # fits after which memory should not grow
ALLOWED_IN_USE = 1.0  # MB; Python's cache of attributes, which holds at most 4,096, fills meanwhile


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refits", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--allow", type=float, default=5.0, help="MB")
    chosen = parser.parse_args()
    fit, seconds, memory, held = None, [], {}, {}
    for count in range(1, chosen.refits + 1):
        start = time.perf_counter()
        fit = refit(fit, count, chosen.draws)
        seconds.append(time.perf_counter() - start)
        if count in (1, SETTLED, chosen.refits):
            gc.collect()
            held[count], memory[count] = resident(), in_use()
            print(f"{count} fits: the last took {seconds[-1]:.3f} s, {held[count]:,.0f} MB", file=sys.stderr)
    print(f"{FORMULA}, 20 variants, 4 chains of {chosen.draws} draws, new data each time")
    print(f"first {seconds[0]:.3f} s, median {statistics.median(seconds):.3f} s, ", end="")
    print(f"median of the last hundred {statistics.median(seconds[-100:]):.3f} s")
    for what, numbers in (("in use", memory), ("held", held)):
        print(
            f"memory {what}: " + ", ".join(f"{number:,.2f} MB after {count} fits" for count, number in numbers.items())
        )
    grown, growth = (numbers[chosen.refits] - numbers.get(SETTLED, numbers[1]) for numbers in (memory, held))
    return int(grown > ALLOWED_IN_USE or growth > chosen.allow)


def refit(fit: hm.Fit | None, seed: int, draws: int) -> hm.Fit:
    """Fit a new set of the same shape, through `Fit.update` where there is one."""
    import hiermod as hm

    frame = variants(seed=seed)
    if fit is None or not hasattr(fit, "update"):
        return hm.fit(FORMULA, frame, "binomial", draws=draws, seed=seed, progress=False)
    return fit.update(data=frame, seed=seed, progress=False)


class MallInfo(ctypes.Structure):
    """What glibc's `mallinfo2` returns; `uordblks` are the bytes of all arenas that are in use."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]  # fmt: skip


def in_use() -> float:
    """MB that are allocated and not freed, as glibc counts them; elsewhere what the process holds."""
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        return resident()
    count = ctypes.CDLL(None).mallinfo2
    count.restype = MallInfo
    found = count()
    return float(found.uordblks + found.hblkhd) / 2**20


def resident() -> float:
    """MB that this process holds now; where the system does not say so, the most that it has held."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    sys.exit(main())
