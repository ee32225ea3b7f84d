"""The one place where arrays become addresses: copied, checked, read-only, and kept alive with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.engine.kernels.record import (
    DOUBLES,
    INTEGERS,
    INTEGRAL_DOUBLES,
    INTEGRAL_INTEGERS,
    LINE,
    MOMENT_DOUBLES,
    RECORD,
    TABLES,
)

OF_DOUBLES, OF_INTEGERS = {*DOUBLES, *INTEGRAL_DOUBLES, *MOMENT_DOUBLES}, {*INTEGERS, *INTEGRAL_INTEGERS}
ARRAYS = {*OF_DOUBLES, *OF_INTEGERS, *TABLES}


@dataclass(frozen=True, eq=False)
class Memory:
    """What compiled code sees: `record` holds counts and addresses; `arrays` owns what stands there."""

    record: np.ndarray
    arrays: Mapping[str, np.ndarray]

    @property
    def address(self) -> int:
        """Where the record stands."""
        return int(self.record.ctypes.data)


def lay_out(
    counts: Mapping[str, int], arrays: Mapping[str, np.ndarray], kind: np.dtype[np.void] = RECORD
) -> Memory:  # fmt: skip
    """Copy arrays to read-only C order, as doubles, 32-bit integers or tables, and write their addresses down.

    They are the fields of a `kind` of record.

    Raises
    ------
    TypeError
        If an array is not of numbers of its kind, or a field is missing or unknown.
    """
    fields = set(kind.names or ())
    wrong = sorted((set(counts) ^ (fields - ARRAYS)) | (set(arrays) ^ (fields & ARRAYS)))
    if wrong:
        raise TypeError(f"Fields are missing or unknown: {', '.join(wrong)}.")
    return _filled(np.zeros(1, dtype=kind), {}, counts, arrays)


def replaced(memory: Memory, counts: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> Memory:
    """The same with some counts and arrays changed; the other arrays are shared."""
    return _filled(memory.record.copy(), memory.arrays, counts, arrays)


def _filled(
    record: np.ndarray, shared: Mapping[str, np.ndarray], counts: Mapping[str, int], arrays: Mapping[str, np.ndarray]
) -> Memory:
    owned = {name: _owned(name, np.asarray(array)) for name, array in arrays.items()}
    for name, number in {**counts, **{name: array.ctypes.data for name, array in owned.items()}}.items():
        record[name] = number
    record.flags.writeable = False
    return Memory(record, {**shared, **owned})


def _owned(name: str, array: np.ndarray) -> np.ndarray:
    """A copy that nobody else has; at least one number long, so that there is an address."""
    kind = TABLES.get(name, np.dtype(np.float64 if name in OF_DOUBLES else np.int32))
    if array.dtype != kind if name in TABLES else array.dtype.kind not in ("fiub" if name in OF_DOUBLES else "iub"):
        raise TypeError(f"{name}: an array of {array.dtype} where {kind} is needed.")
    if name in OF_INTEGERS and array.size and not np.iinfo(np.int32).min <= array.min() <= array.max() <= 2**31 - 1:
        raise TypeError(f"{name}: whole numbers that do not fit into 32 bits.")
    array = array if array.size else np.zeros(1, dtype=kind)
    copy = _at_a_line(array.shape, np.dtype(kind))
    copy[...] = array
    copy.flags.writeable = False
    return copy


def _at_a_line(shape: tuple[int, ...], kind: np.dtype[Any]) -> np.ndarray:
    """An array that begins where the processor fetches: vectors of numbers are else fetched twice, and loops vary."""
    size = math.prod(shape) * kind.itemsize
    room = np.empty(size + LINE, dtype=np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(kind).reshape(shape)
