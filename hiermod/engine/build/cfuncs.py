"""Kernels compiled by Numba function by function, which needs none of its inner parts, but far longer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def stamps() -> list[int]:
    """When the files of entries were written: Numba takes no code of files that are newer."""
    return [os.stat(Path(__file__).parents[1] / "kernels" / "entries.py").st_mtime_ns]


def compiled_in(folder: Path | None) -> tuple[Mapping[str, int], Any]:
    """Addresses of compiled functions, or of those that the folder holds, and what keeps them in memory.

    Numba takes the folder from its configuration. What was compiled is loaded from the folder, too, and apart from the
    code it was made of: next to that, shared functions would be taken from there, whose last bits may be others than
    those of later processes.
    """
    import numba
    from numba import types
    from numba.core.registry import CPUTarget

    from hiermod.engine.kernels import NJIT, entries
    from hiermod.engine.kernels.record import ENTRIES

    cached, apart, before = folder is not None, CPUTarget("cpu"), numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder) if folder else before
    try:
        functions = {
            name: numba.cfunc(types.int64(*[types.int64] * count), cache=cached, **NJIT)(getattr(entries, name).py_func)
            for name, count in ENTRIES.items()
        }
        for function in functions.values():
            if cached and not function.cache_hits:
                function._targetdescr = apart
                function.compile()
    finally:
        numba.config.CACHE_DIR = before
    return {name: function.address for name, function in functions.items()}, functions


@contextmanager
def loadable(folder: Path) -> Iterator[Path]:
    """The folder, or a copy where it cannot be written: Numba loads from folders alone that it can write to."""
    if os.access(folder, os.W_OK):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hiermod-") as copy:
        yield Path(shutil.copytree(folder, Path(copy) / folder.name))
