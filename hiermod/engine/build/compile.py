"""The compiled functions of a process: loaded from the cache, or made by the shortest way and put there.

The shortest way is from bitcode that came with the package: LLVM optimises it for the processor at hand, in seconds.
Where that does not fit (edited sources, another system, an older LLVM), Numba lowers the sources to bitcode first.
Functions whose files are as they were in an earlier state are not lowered again. Where Numba's inner parts are not the
known ones, it compiles function by function. What was passed over is said.

Each result has a folder, whose name holds hiermod's version and a hash of all that the result depends on. So code of
another state of the sources, of packages or of the processor is never loaded.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from hiermod.engine.build import back_end, bitcode, cfuncs, front_end
from hiermod.engine.build.bitcode import Bitcode, UnfitError
from hiermod.engine.build.cache import FOLDER, building, is_trusted, is_whole, places, seal
from hiermod.engine.kernels.record import ENTRIES
from hiermod.version import __version__

OBJECT, LOWERED, BY_FUNCTION = "engine", "bitcode", "functions"  # kinds of folders
FILE = "code"  # in a folder of the first two
PARTS = "parts"  # in one of the second: lowered functions, for the next state of the sources
SECONDS = {OBJECT: "a few seconds", LOWERED: "about ten seconds", BY_FUNCTION: "about half a minute"}
LOADED: list[Library] = []  # the library of this process
LOCK = threading.Lock()
Announce = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Function:
    """A compiled function, whose arguments are whole numbers and addresses."""

    address: int
    arguments: int

    @cached_property
    def _callable(self) -> Callable[..., int]:
        return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * self.arguments)(self.address)

    def __call__(self, *arguments: int) -> int:
        """Call it; Python's lock is released meanwhile."""
        return self._callable(*arguments)


@dataclass(frozen=True, eq=False)
class Library:
    """The compiled functions by name, where they are kept (None where nothing could be written), and their memory."""

    functions: Mapping[str, Function]
    folder: Path | None
    memory: Any


def library(announce: Announce | None = None) -> Library:
    """The compiled functions of this process; the first call on a machine compiles them, and says so before."""
    with LOCK:
        if not LOADED:
            LOADED.append(_load(announce or (lambda _: None)))
    return LOADED[0]


def _load(announce: Announce) -> Library:
    try:
        return _from_bitcode(bitcode.shipped(), announce)
    except UnfitError as error:
        return _from_sources(str(error), announce)


def _from_bitcode(code: Bitcode, announce: Announce) -> Library:
    """The functions of bitcode, emitted for this processor."""
    processor = back_end.this_processor()
    name = _name(OBJECT, code.digest, _hash(back_end), back_end.versions(), processor)
    if stored := _stored(name, announce):
        folder, content = stored
        try:
            return _library(back_end.loaded(content), folder)
        except UnfitError:
            _drop(folder, announce)
    announce(f"compiling the engine for this processor, once on this machine ({SECONDS[OBJECT]})")
    content = back_end.emitted(code, processor)
    functions = back_end.loaded(content)
    return _library(functions, _keep(name, lambda folder: (folder / FILE).write_bytes(content), announce))


def _from_sources(why: str, announce: Announce) -> Library:
    """The functions of the sources, lowered by Numba to bitcode, or else compiled by it one by one."""
    states = lowering()
    lowered = f"{states}-{bitcode.sources()[:16]}"
    by_function = _name(BY_FUNCTION, lowered, _hash(cfuncs), platform.machine(), str(bitcode.SOURCES),
                        back_end.this_processor(), cfuncs.stamps())  # fmt: skip
    try:
        if stored := _stored(lowered, announce):
            return _from_bitcode(bitcode.unpacked(stored[1]), announce)
        if functions := _stored_functions(by_function, announce):
            return functions
        announce(f"{why}: lowering its sources, once on this machine ({SECONDS[LOWERED]})")
        code, parts = front_end.lowered(_parts(states))
        _keep(lowered, lambda folder: _write(folder, code, parts), lambda _: None)
        return _from_bitcode(code, announce)
    except UnfitError as error:
        if functions := _stored_functions(by_function, announce):
            return functions
        announce(f"{error}: compiling the engine by function, once on this machine ({SECONDS[BY_FUNCTION]})")
    made: list[tuple[Mapping[str, int], Any]] = []
    kept = _keep(by_function, lambda folder: made.append(cfuncs.compiled_in(folder)), announce)
    return _library(made[-1] if made else cfuncs.compiled_in(None), kept)


def lowering() -> str:
    """A name for all states of the sources that are lowered alike."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("numba", "llvmlite", "numpy")]
    return _name(LOWERED, bitcode.front_end(), bitcode.system(), packages, sys.version)


def parts_beside() -> Path:
    """Where an editable install leaves the parts of its bitcode."""
    return bitcode.SHIPPED.with_name(f"{lowering()}.{PARTS}")


def _parts(states: str) -> bytes:
    """Lowered functions of the latest state of the sources that is kept, if any."""
    with suppress(OSError):
        for place in places():
            for folder in sorted(place.glob(f"{states}-*"), key=os.path.getmtime, reverse=True):
                if is_trusted(place) and is_trusted(folder) and is_whole(folder):
                    return (folder / PARTS).read_bytes()
        return parts_beside().read_bytes()
    return b""


def _write(folder: Path, code: Bitcode, parts: bytes) -> None:
    (folder / FILE).write_bytes(code.packed())
    (folder / PARTS).write_bytes(parts)


def _stored_functions(name: str, announce: Announce) -> Library | None:
    """What Numba compiled function by function and kept."""
    for folder in _whole(name, announce):
        try:
            with cfuncs.loadable(folder) as readable:
                return _library(cfuncs.compiled_in(readable), folder)
        except OSError:
            continue
        except Exception:  # an index that is no pickle, or one of something else, ends in any error
            _drop(folder, announce)
    return None


def _library(made: tuple[Mapping[str, int], Any], folder: Path | None) -> Library:
    addresses, memory = made
    functions = {name: Function(addresses[name], count) for name, count in ENTRIES.items()}
    return Library(functions, folder, memory)


def _name(kind: str, *parts: object) -> str:
    """A folder's, which holds a hash of what its content depends on."""
    return f"{kind}-{__version__}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _hash(module: ModuleType) -> str:
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()


def _stored(name: str, announce: Announce) -> tuple[Path, bytes] | None:
    """A folder of this name that can be trusted, and the file in it."""
    for folder in _whole(name, announce):
        with suppress(OSError):  # it cannot be read
            return folder, (folder / FILE).read_bytes()
    return None


def _whole(name: str, announce: Announce) -> Iterator[Path]:
    """Folders of this name that can be trusted; those that are damaged are dropped."""
    for place in places():
        folder = place / name
        if is_trusted(place) and is_trusted(folder):
            if is_whole(folder):
                yield folder
            else:
                _drop(folder, announce)


def _drop(folder: Path, announce: Announce) -> None:
    announce(f"the compiled engine in {folder} is damaged and not used")
    shutil.rmtree(folder, ignore_errors=True)


def _keep(name: str, fill: Callable[[Path], object], announce: Announce) -> Path | None:
    """Put what fills a folder in the first place that can be written; where it is then, if anywhere."""
    for place in places():
        try:
            with building(place) as fresh:
                fill(fresh)
                seal(fresh, name)
                kept = _moved(fresh, place / name)
        except OSError:
            continue
        if kept is None:
            announce(f"it could not be kept, since {place / name} is not this user's or cannot be replaced")
        return kept
    announce(f"no folder for compiled code can be written: set {FOLDER}, or each process compiles anew")
    return None


def _moved(finished: Path, target: Path) -> Path | None:
    """Put a finished folder in its place; where another process was faster, its code is as good."""
    try:
        os.rename(finished, target)
    except OSError:
        return target if is_trusted(target) and is_whole(target) else None
    return target
