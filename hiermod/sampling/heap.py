"""Freed memory, given back to the system after a run."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Return what is freed to the system, where the C library would keep it (glibc; elsewhere nothing is done).

    glibc holds an arena for each thread, and the threads of a sampler are new in every run: one arena after the other
    would keep the room of a run's draws. The source is the manual page malloc_trim(3).
    """
    trim = _trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))


@cache
def _trim() -> Callable[[ctypes.c_size_t], int] | None:
    try:
        found: Callable[[ctypes.c_size_t], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS have no such function; on Windows None is no library
        return None
    return found
