"""What memory a run takes and the machine has left: a run that does not fit is refused before it starts."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hiermod.errors import SamplingError
from hiermod.sampling.settings import Settings

NUMBER = 8  # bytes
STATISTICS = 12  # numbers that the sampler keeps beside each draw
ALLOWED = 0.9  # share of what is left
GROUPS = Path("/sys/fs/cgroup")
LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def available_memory() -> float:
    """Bytes that this process may still take, by the machine and by its control group; infinite where not known."""
    left = [float("inf")]
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        left.append(1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")))
    for most, used in LIMITS:
        with contextlib.suppress(OSError, ValueError):
            left.append(float((GROUPS / most).read_text()) - float((GROUPS / used).read_text()))
    return max(min(left), 0.0)


def bytes_of_run(numbers: int, settings: Settings, tune: int) -> int:
    """Bytes that so many numbers of each draw take: warm-up and draws in the sampler, and the draws put in order."""
    sampled = settings.chains * (settings.draws + tune) * (numbers + STATISTICS)
    return NUMBER * (sampled + 2 * settings.chains * settings.draws * numbers)


def refuse_large(numbers: int, settings: Settings, tune: int) -> None:
    """Refuse a run that does not fit in memory.

    Raises
    ------
    SamplingError
        With what it needs, what there is, and how many draws fit.
    """
    need, left = bytes_of_run(numbers, settings, tune), ALLOWED * available_memory()
    if need <= left:
        return
    fixed = bytes_of_run(numbers, Settings(1, chains=settings.chains), tune)
    each = (need - fixed) / max(settings.draws - 1, 1)
    fitting = int((left - fixed) / each) if left > fixed else 0
    remedy = f"draws={fitting} would fit" if fitting >= 1 else "fewer groups or chains are needed"
    raise SamplingError(
        f"{settings.chains} chains of {settings.draws:,} draws of {numbers:,} numbers take {_size(need)} of memory, "
        f"and {_size(left)} can be had: {remedy}."
    )


def _size(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e8 else f"{number / 1e6:,.1f} MB"
