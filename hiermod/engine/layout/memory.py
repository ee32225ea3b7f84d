"""The one place where arrays become addresses: copied, checked, read-only, and kept alive with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hiermod.engine.kernels.record import DOUBLES, FIELDS, INTEGERS, SIZES


@dataclass(frozen=True, eq=False)
class Memory:
    """What compiled code sees: `head` holds sizes and addresses; `arrays` owns what stands there."""

    head: np.ndarray
    arrays: Mapping[str, np.ndarray]

    @property
    def address(self) -> int:
        """Where the head stands."""
        return int(self.head.ctypes.data)


def lay_out(sizes: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> Memory:
    """Copy arrays to read-only C order, as doubles or 32-bit integers, and write their addresses down.

    Raises
    ------
    TypeError
        If an array is not of numbers of its kind, or a field is missing or unknown.
    """
    if set(sizes) != set(SIZES) or set(arrays) != {*DOUBLES, *INTEGERS}:
        wrong = sorted((set(sizes) ^ set(SIZES)) | (set(arrays) ^ {*DOUBLES, *INTEGERS}))
        raise TypeError(f"Fields are missing or unknown: {', '.join(wrong)}.")
    owned = {name: _owned(name, np.asarray(array)) for name, array in arrays.items()}
    head = np.zeros(len(FIELDS), dtype=np.int64)
    for place, name in enumerate(FIELDS):
        head[place] = sizes[name] if name in sizes else owned[name].ctypes.data
    head.flags.writeable = False
    return Memory(head, owned)


def replaced(memory: Memory, **arrays: np.ndarray) -> Memory:
    """The same with some arrays (and the rank of `directions`) changed; the others are shared."""
    owned = {**memory.arrays, **{name: _owned(name, np.asarray(array)) for name, array in arrays.items()}}
    head = memory.head.copy()
    for name in arrays:
        head[FIELDS.index(name)] = owned[name].ctypes.data
    moved = Memory(head, owned)
    return resized(moved, rank=np.size(arrays["stretch"])) if "stretch" in arrays else moved


def resized(memory: Memory, **sizes: int) -> Memory:
    """The same with some numbers of the head changed."""
    head = memory.head.copy()
    for name, size in sizes.items():
        head[FIELDS.index(name)] = size
    head.flags.writeable = False
    return Memory(head, memory.arrays)


def _owned(name: str, array: np.ndarray) -> np.ndarray:
    """A copy of its own; at least one number long, so that there is an address."""
    kind = np.float64 if name in DOUBLES else np.int32
    wanted = "fiub" if kind is np.float64 else "iub"
    if array.dtype.kind not in wanted:
        raise TypeError(f"{name}: an array of {array.dtype} where {np.dtype(kind)} is needed.")
    if kind is np.int32 and array.size and not np.iinfo(np.int32).min <= array.min() <= array.max() <= 2**31 - 1:
        raise TypeError(f"{name}: whole numbers that do not fit into 32 bits.")
    copy = np.array(array if array.size else np.zeros(1), dtype=kind, order="C", copy=True)
    copy.flags.writeable = False
    return copy
