"""What memory the machine has left, for those who know what they are about to take."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hiermod.errors import HiermodError

NUMBER = 8  # bytes
ALLOWED = 0.9  # share of what is left
GROUPS = Path("/sys/fs/cgroup")
LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def available_memory() -> float:
    """Bytes that this process may still take, by the machine, its control group and its own limit; infinite at most."""
    left = [float("inf")]
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        left.append(1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")))
    for most, used in LIMITS:
        with contextlib.suppress(OSError, ValueError):
            left.append(float((GROUPS / most).read_text()) - float((GROUPS / used).read_text()))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            left.append(limit - float(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize())
    return max(min(left), 0.0)


def room() -> float:
    """Bytes that may be taken at once: most of what is left."""
    return ALLOWED * available_memory()


def size_text(number: float) -> str:
    """Bytes in words."""
    return f"{number / 1e9:,.1f} GB" if number >= 1e8 else f"{number / 1e6:,.1f} MB"


def refuse_beyond(need: float, what: str, remedy: str, error: type[HiermodError]) -> None:
    """Refuse what does not fit in memory.

    Parameters
    ----------
    need : float
        Bytes.
    what : str
        Takes them: the beginning of a sentence.
    remedy : str
        The end of it.
    error : type
        What is raised.

    Raises
    ------
    HiermodError
        Of that type, with what is needed and what there is.
    """
    if need > (left := room()):
        raise error(f"{what} take {size_text(need)} of memory, and {size_text(left)} can be had: {remedy}.")
