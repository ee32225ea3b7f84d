"""Functions that Numba has lowered, kept for the next state of the sources.

A function is lowered again where the file that it stands in, or one that this imports, has changed. It is known by its
name, the types of its arguments and a hash of these files; versions are no part of this, since the folder that keeps
parts is named for them. What is kept are pickles: only parts from a folder that can be trusted are read.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import pickle
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "hiermod.engine.kernels"
SOURCES = Path(__file__).parents[1] / "kernels"


class Key(NamedTuple):
    """What a lowered function is known by."""

    module: str
    function: str
    arguments: str
    files: str


class Kept(NamedTuple):
    """One function's module of LLVM, and the hashes of those that it calls."""

    code: bytes
    calls: tuple[str, ...]


class Parts:
    """What was lowered before, what was lowered now, and which functions took part."""

    def __init__(self, content: bytes) -> None:
        functions, libraries = pickle.loads(zlib.decompress(content)) if content else ({}, {})
        self._functions: dict[Key, bytes] = {key: of for key, of in functions.items() if _is_current(key)}
        self._kept: dict[str, Kept] = libraries
        self._loaded: dict[str, Any] = {}

    def attach(self) -> None:
        """Let each function of the kernels look here before it is lowered."""
        from numba.core.caching import NullCache
        from numba.core.dispatcher import Dispatcher

        parts = self

        class Cache(NullCache):
            """Of one function, as Numba asks for it."""

            def __init__(self, function: Any) -> None:
                self._function = function

            def load_overload(self, sig: Any, target_context: Any) -> Any:
                return parts._load(_key(self._function, sig), target_context)

            def save_overload(self, sig: Any, cres: Any) -> None:
                parts._save(_key(self._function, sig), cres)

        modules = {name: module for name, module in sys.modules.items() if name.startswith(f"{PACKAGE}.")}
        held: list[Any] = [each for module in modules.values() for each in vars(module).values()]
        for each in held:
            if isinstance(each, Dispatcher) and each.py_func.__module__ in modules:
                each._cache = Cache(each.py_func)  # type: ignore[attr-defined]

    def packed(self) -> bytes:
        """All that is true of the sources as they are."""
        reached: dict[str, Kept] = {}
        for content in self._functions.values():
            self._reach(pickle.loads(content)[0], reached)
        return zlib.compress(pickle.dumps((self._functions, reached)), 1)

    def _reach(self, digest: str, reached: dict[str, Kept]) -> None:
        if digest not in reached:
            reached[digest] = self._kept[digest]
            for other in self._kept[digest].calls:
                self._reach(other, reached)

    def _load(self, key: Key, context: Any) -> Any:
        from numba.core.compiler import CompileResult
        from numba.core.environment import Environment

        if key not in self._functions:
            return None
        digest, content = pickle.loads(self._functions[key])
        described, signature = pickle.loads(content)
        environment, library = Environment.from_fndesc(described), self._library(digest, context)
        return CompileResult._rebuild(context, library, described, environment, signature, False, (), "", (), ())

    def _library(self, digest: str, context: Any) -> Any:
        if digest not in self._loaded:
            kept = self._kept[digest]
            library = self._loaded[digest] = context.codegen().create_library(digest)
            library.code, library.digest = kept.code, digest
            library._linking_libraries = [self._library(other, context) for other in kept.calls]
            library._finalized = True
        return self._loaded[digest]

    def _save(self, key: Key, result: Any) -> None:
        from numba.core import serialize

        described = result.fndesc
        described.typemap = described.calltypes = None  # of use to Numba's optimisations of arrays alone
        self._keep(result.library)
        content = serialize.dumps((described, result.signature))
        self._functions[key] = pickle.dumps((result.library.digest, content))

    def _keep(self, library: Any) -> None:
        if library.digest not in self._loaded:
            self._loaded[library.digest] = library
            calls = tuple(dict.fromkeys(other.digest for other in library._linking_libraries))
            self._kept[library.digest] = Kept(library.code, calls)
            for other in library._linking_libraries:
                self._keep(other)


def _is_current(key: Key) -> bool:
    return _path(key.module).exists() and key.files == files(key.module)


def _key(function: Any, signature: Any) -> Key:
    from numba.core.sigutils import normalize_signature

    arguments, _ = normalize_signature(signature)
    return Key(function.__module__, function.__qualname__, str(arguments), files(function.__module__))


@functools.cache
def files(module: str) -> str:
    """A hash of a module's file and of all files of the kernels that it imports, directly or not."""
    digest = hashlib.sha256()
    for path in sorted(depends_on(_path(module))):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def depends_on(path: Path) -> set[Path]:
    """A file of the kernels and those that it imports, directly or not, with what stands for their folders."""
    found, waiting = set(SOURCES.rglob("__init__.py")), [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += imports(here)
    return found


@functools.cache
def imports(path: Path) -> tuple[Path, ...]:
    """Files of the kernels that a file imports, in functions, too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    paths = [_path(name) for name in names if name.startswith(f"{PACKAGE}.")]
    return tuple(each for each in paths if each.exists())


def _path(module: str) -> Path:
    return SOURCES.joinpath(*module.removeprefix(f"{PACKAGE}.").split(".")).with_suffix(".py")
