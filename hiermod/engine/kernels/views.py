"""What compiled code sees of memory: numbers and records at addresses, and the room that an evaluation has for itself.

An address becomes a run of numbers by `doubles` and `integers`, a matrix by `matrix`, and a record, or one of a table,
by the functions below. A run knows no length, and its places are not negative: an index is an addition, nothing more.
"""

from __future__ import annotations

import operator
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel.models import PointerModel, StructModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.record import FIELDS, INTEGRALS, JOB, LINE, MOMENTS, RECORD, TABLES, WORKSPACE

allocate = types.ExternalFunction("malloc", types.intp(types.uintp))
free = types.ExternalFunction("free", types.void(types.intp))


class Run(types.Type):
    """Numbers of one kind, one after the other."""

    index = types.intp

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Run({dtype})")


class Square(types.Type):
    """A square matrix of doubles, row after row."""

    dtype, index = types.float64, types.UniTuple(types.intp, 2)

    def __init__(self) -> None:
        super().__init__(name="Square")


@register_model(Square)
class _SquareModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("data", types.CPointer(kind.dtype)), ("size", types.int64)])


register_model(Run)(PointerModel)


@infer_global(operator.getitem)
class _Item(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        view, _ = args
        return signature(view.dtype, view, view.index) if isinstance(view, Run | Square) else None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        view, _, _ = args
        return signature(types.none, view, view.index, view.dtype) if isinstance(view, Run | Square) else None


@lower_builtin(operator.getitem, Run, types.Integer)
@lower_builtin(operator.getitem, Square, types.UniTuple)
def _load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.load(_place(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Run, types.Integer, types.Any)
@lower_builtin(operator.setitem, Square, types.UniTuple, types.Any)
def _store(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    builder.store(arguments[2], _place(context, builder, signature, arguments))


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The address of an item."""
    view, index = arguments[:2]
    if isinstance(signature.args[0], Run):
        return builder.gep(view, [index], inbounds=True)
    row, column = (builder.extract_value(index, place) for place in range(2))
    before = builder.mul(row, builder.extract_value(view, 1))
    return builder.gep(builder.extract_value(view, 0), [builder.add(before, column)], inbounds=True)


def _run(kind: Any) -> Any:
    """What makes an address a run of numbers."""
    run = Run(kind)

    @intrinsic
    def view(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(run))

        return run(types.int64), codegen

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


doubles, integers, addresses = _run(types.float64), _run(types.int32), _run(types.int64)
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
    square = Square()

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(square)
        data = builder.inttoptr(arguments[0], kind.elements[0])
        return builder.insert_value(builder.insert_value(ir.Constant(kind, ir.Undefined), data, 0), arguments[1], 1)

    return square(types.int64, types.int64), codegen


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
    places, arrays = integers(record.workspace_places), addresses(start)
    for field in range(FIELDS):
        arrays[field] = start + 8 * places[field]
    return workspace_at(start, 0)


@numba.njit(**NJIT)
def room_for(record: Any) -> int:
    """Memory for an evaluation, which its caller frees; 0 where there is none."""
    return allocate(8 * record.workspace + LINE)
