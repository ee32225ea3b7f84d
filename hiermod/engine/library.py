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
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiermod.version import __version__

SOURCES = Path(__file__).parent
SECONDS = "about half a minute"
FOLDER = "HIERMOD_CACHE_DIR"
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

    found = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        found.update(path.name.encode() + path.read_bytes())
    stamp = os.stat(SOURCES / "callbacks.py")  # Numba looks at these two
    parts = [numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.machine(), str(SOURCES),
             binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(), stamp.st_mtime_ns]  # fmt: skip
    found.update(repr(parts).encode())
    return found.hexdigest()[:16]


def places() -> Iterator[Path]:
    """Folders that may hold compiled code, the preferred one first."""
    if os.environ.get(FOLDER):
        yield Path(os.environ[FOLDER])
        return
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path(os.path.expanduser("~")) / ".cache"
    yield home / "hiermod"
    yield Path(tempfile.gettempdir()) / f"hiermod-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def library(announce: Callable[[str], None] | None = None) -> Library:
    """The compiled functions of this process; the first call on a machine compiles them, and says so before."""
    with LOCK:
        if not LOADED:
            LOADED.append(_load(announce or (lambda _: None)))
    return LOADED[0]


def _load(announce: Callable[[str], None]) -> Library:
    name = f"engine-{__version__}-{key()}"
    for place in places():
        if (place / name).is_dir():
            return Library(_compiled_in(place / name), place / name)
    announce(f"compiling the engine, once on this machine ({SECONDS})")
    for place in places():
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            own = Path(tempfile.mkdtemp(prefix="building-", dir=place))
        except OSError:
            continue
        try:
            functions = _compiled_in(own)
            return Library(functions, _moved(own, place / name))
        finally:
            shutil.rmtree(own, ignore_errors=True)
    announce("no folder for compiled code can be written: set HIERMOD_CACHE_DIR, or each process compiles anew")
    return Library(_compiled_in(None), None)


def _moved(own: Path, target: Path) -> Path:
    """Put a finished folder in its place; where another process was faster, its code is as good."""
    try:
        os.rename(own, target)
    except OSError:
        if not target.is_dir():
            raise
    return target


def _compiled_in(folder: Path | None) -> Mapping[str, Any]:
    """Compile, or load what the folder holds; Numba takes the folder from its configuration."""
    import numba

    from hiermod.engine.callbacks import compile_all

    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder) if folder else before
    try:
        return compile_all(cache=folder is not None)
    finally:
        numba.config.CACHE_DIR = before
