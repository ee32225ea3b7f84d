"""The kernels as one module of LLVM's bitcode, in a file that says what it was made of.

A wheel brings it, so that Numba need not run at the user's. The file is a line of JSON, then the code, compressed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

SHIPPED = Path(__file__).parent / "engine.bitcode"
SOURCES = Path(__file__).parents[1] / "kernels"
PREFIX = "hiermod_"  # of the names of entries in the module
FRONT_END = [Path(__file__).parent / name for name in ("front_end.py", "parts.py", "shortcuts.py")]


class UnfitError(Exception):
    """Why bitcode is not for these sources, this system or this LLVM."""


@dataclass(frozen=True)
class Origin:
    """What bitcode was made of and for: a hash of sources, and versions of the packages that made it."""

    sources: str
    system: str
    llvm: str
    numba: str


@dataclass(frozen=True)
class Bitcode:
    """A module of LLVM."""

    origin: Origin
    code: bytes

    @property
    def digest(self) -> str:
        """A hash of the code."""
        return hashlib.sha256(self.code).hexdigest()

    def packed(self) -> bytes:
        """What stands in a file."""
        header = json.dumps({**asdict(self.origin), "sha256": self.digest})
        return header.encode() + b"\n" + zlib.compress(self.code, 9)


def unpacked(content: bytes) -> Bitcode:
    """Bitcode from what stands in a file.

    Raises
    ------
    UnfitError
        If it is damaged.
    """
    header, _, code = content.partition(b"\n")
    try:
        fields = json.loads(header)
        digest = fields.pop("sha256")
        bitcode = Bitcode(Origin(**fields), zlib.decompress(code))
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error) as error:
        raise UnfitError("the engine's bitcode is damaged") from error
    if bitcode.digest != digest:
        raise UnfitError("the engine's bitcode is damaged")
    return bitcode


def shipped() -> Bitcode:
    """The bitcode that came with the package, if it is that of the package's sources, and for this system.

    Raises
    ------
    UnfitError
        If there is none, or none that fits.
    """
    try:
        content = SHIPPED.read_bytes()
    except OSError as error:
        raise UnfitError("no bitcode of the engine came with it") from error
    bitcode = unpacked(content)
    if bitcode.origin.sources != sources():
        raise UnfitError("the engine's sources are not those of its bitcode")
    if bitcode.origin.system != system():
        raise UnfitError(f"the engine's bitcode is for {bitcode.origin.system}")
    return bitcode


def sources() -> str:
    """A hash of the kernels, and of how they are lowered."""
    digest = hashlib.sha256(front_end())
    for path in sorted(SOURCES.rglob("*.py")):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def front_end() -> bytes:
    """How kernels are lowered."""
    return b"".join(path.read_bytes() for path in FRONT_END)


def system() -> str:
    """What bitcode depends on: how wide addresses are, which byte comes first, and whether there are POSIX threads."""
    threads = "Windows" if sys.platform == "win32" else "POSIX"
    return f"{threads}, {sys.maxsize.bit_length() + 1} bits, {sys.byteorder} endian"
