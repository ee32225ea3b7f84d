"""What compiled code sees of memory: arrays and records at addresses, and the room that an evaluation has for itself.

An address becomes an array of so many numbers by `doubles` and `integers`, a matrix by `matrix`, and a record, or one
of a table, by the functions below.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.record import FIELDS, INTEGRALS, JOB, LINE, MOMENTS, RECORD, TABLES, WORKSPACE

allocate = types.ExternalFunction("malloc", types.intp(types.uintp))
free = types.ExternalFunction("free", types.void(types.intp))


def _view(kind: Any) -> Any:
    """What makes an address and a size an array."""

    @intrinsic
    def view(typingctx: Any, address: Any, size: Any) -> Any:
        array = types.Array(kind, 1, "C")

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            out = context.make_array(array)(context, builder)
            data = builder.inttoptr(arguments[0], out.data.type)
            width = context.get_abi_sizeof(context.get_data_type(kind))
            populate_array(out, data, [arguments[1]], [ir.Constant(arguments[1].type, width)], width, None)
            return out._getvalue()

        return array(types.int64, types.int64), codegen

    return view


def _row(kind: np.dtype[np.void]) -> Any:
    """What makes the address of a table, and a place in it, a record."""
    record = numba.from_dtype(kind)

    @intrinsic
    def row(typingctx: Any, address: Any, place: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], ir.Constant(arguments[1].type, kind.itemsize))
            return builder.inttoptr(builder.add(arguments[0], offset), context.get_value_type(record))

        return record(types.int64, types.int64), codegen

    return row


doubles, integers, addresses = _view(types.float64), _view(types.int32), _view(types.int64)
problem_at, workspace_at, job_at, integrals_at, moments_at = (
    _row(kind) for kind in (RECORD, WORKSPACE, JOB, INTEGRALS, MOMENTS)
)
(
    segment_at,
    parameter_at,
    factor_at,
    term_at,
    shrinkage_at,
    full_at,
    hyperparameter_at,
    prior_at,
    common_at,
    monotonic_at,
    threshold_at,
) = map(_row, TABLES.values())


@intrinsic
def matrix(typingctx: Any, address: Any, size: Any) -> Any:
    """A square matrix of doubles at an address."""
    array = types.Array(types.float64, 2, "C")

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        out = context.make_array(array)(context, builder)
        data, size = builder.inttoptr(arguments[0], out.data.type), arguments[1]
        eight = ir.Constant(size.type, 8)
        populate_array(out, data, [size, size], [builder.mul(size, eight), eight], 8, None)
        return out._getvalue()

    return array(types.int64, types.int64), codegen


@intrinsic
def address_of(typingctx: Any, record: Any) -> Any:
    """Where a record stands."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.int64(record), codegen


@numba.njit(**NJIT)
def workspace(record: Any, room: int) -> Any:
    """Where the arrays of one evaluation stand, itself at the beginning of `room`, as allocated by `room_for`."""
    start = (room + LINE - 1) // LINE * LINE
    places, arrays = integers(record.workspace_places, FIELDS), addresses(start, FIELDS)
    for field in range(FIELDS):
        arrays[field] = start + 8 * places[field]
    return workspace_at(start, 0)


@numba.njit(**NJIT)
def room_for(record: Any) -> int:
    """Memory for an evaluation, which its caller frees; 0 where there is none."""
    return allocate(8 * record.workspace + LINE)
