"""Compiled functions: loaded from a folder of their own, or compiled once and put there.

The folder's name holds hiermod's version and a hash of all that compiled code depends on: the engine's sources, Numba,
llvmlite, NumPy, Python and the processor. So code of another state of the sources is never loaded.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiermod.engine.build.cache import FOLDER, building, is_trusted, is_whole, loadable, places, seal
from hiermod.version import __version__

SOURCES = Path(__file__).parents[1] / "kernels"
SECONDS = "about half a minute"
LOADED: list[Any] = []  # the library of this process
LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class Library:
    """The compiled functions by name, and where they are kept; None where nothing could be written."""

    functions: Mapping[str, Any]
    folder: Path | None


def key() -> str:
    """A hash of all that compiled code depends on."""
    import llvmlite
    import numba
    import numpy as np
    from llvmlite import binding

    from hiermod.engine.kernels.entries import SIGNATURES

    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(SOURCES.rglob("*.py")):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + path.read_bytes())
    entries = {function.__code__.co_filename for _, function in SIGNATURES.values()}
    stamps = [os.stat(path).st_mtime_ns for path in sorted(entries)]  # Numba takes no code of files that are newer
    parts = [numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.machine(), str(SOURCES),
             binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(), stamps]  # fmt: skip
    digest.update(repr(parts).encode())
    return digest.hexdigest()[:16]


def library(announce: Callable[[str], None] | None = None) -> Library:
    """The compiled functions of this process; the first call on a machine compiles them, and says so before."""
    with LOCK:
        if not LOADED:
            LOADED.append(_load(announce or (lambda _: None)))
    return LOADED[0]


def _load(announce: Callable[[str], None]) -> Library:
    name = f"engine-{__version__}-{key()}"
    for place in places():
        folder = place / name
        if is_trusted(place) and is_trusted(folder) and (functions := _stored(folder, announce)):
            return Library(functions, folder)
    announce(f"compiling the engine, once on this machine ({SECONDS})")
    for place in places():
        try:
            with building(place) as fresh:
                functions = _compiled_in(fresh)
                seal(fresh)
                kept = _moved(fresh, place / name)
            if kept is None:
                announce(f"it could not be kept, since {place / name} is not this user's or cannot be replaced")
            return Library(functions, kept)
        except OSError:
            continue
    announce(f"no folder for compiled code can be written: set {FOLDER}, or each process compiles anew")
    return Library(_compiled_in(None), None)


def _stored(folder: Path, announce: Callable[[str], None]) -> Mapping[str, Any] | None:
    """What a folder holds; None, and the folder is dropped, where it is damaged."""
    try:
        if is_whole(folder):
            with loadable(folder) as readable:
                return _compiled_in(readable)
    except OSError:  # it cannot be read, or no copy be made
        return None
    announce(f"the compiled engine in {folder} is damaged and not used")
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _moved(finished: Path, target: Path) -> Path | None:
    """Put a finished folder in its place; where another process was faster, its code is as good."""
    try:
        os.rename(finished, target)
    except OSError:
        return target if is_trusted(target) and is_whole(target) else None
    return target


def _compiled_in(folder: Path | None) -> Mapping[str, Any]:
    """Compile, or load what the folder holds; Numba takes the folder from its configuration.

    What was compiled is loaded from the folder, too, and apart from the code it was made of: next to that, shared
    functions would be taken from there, whose last bits may be others than those of later processes.
    """
    import numba
    from numba.core.registry import CPUTarget

    from hiermod.engine.kernels.entries import SIGNATURES

    cached, apart, before = folder is not None, CPUTarget("cpu"), numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder) if folder else before
    try:
        functions = {name: numba.cfunc(signature, cache=cached)(function)
                     for name, (signature, function) in SIGNATURES.items()}  # fmt: skip
        for function in functions.values():
            if cached and not function.cache_hits:
                function._targetdescr = apart
                function.compile()
    finally:
        numba.config.CACHE_DIR = before
    return functions
