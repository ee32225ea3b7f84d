"""How a problem stands in memory for compiled code: records of numbers and of addresses, with named fields.

Kernels take them as Numba records. An address becomes an array of so many numbers by `doubles` and `integers`, a matrix
by `matrix`, and a record, or one of a table, by the functions below. Sizes are counts; places count from zero.
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

# Codes of likelihoods, named for a family's kernel and its link, and of priors.
KERNELS = {name: code for code, name in enumerate((
    "trials_logit", "trials_probit", "trials_cloglog", "poisson_log", "negbinomial_log", "student_identity",
    "gamma_log", "beta_binomial_logit", "beta_binomial_probit", "beta_binomial_cloglog", "gaussian_identity",
    "one_trial_logit", "lognormal_identity",
))}  # fmt: skip
PRIOR_KERNELS = {name: code for code, name in enumerate((
    "normal", "student", "laplace", "logistic", "uniform", "exponential", "gamma", "inverse_gamma", "log_normal",
    "beta",
))}  # fmt: skip
LOG, INTERVAL, SOFT = range(3)  # how hyperparameters come from the line
BLOCK = 256  # rows that are scored at once
LANES = 64  # groups that are worked on at once

COUNTS = (
    "rows", "segments", "common", "linear", "coefficients", "hyperparameters", "auxiliary", "factors",
    "joint_factors", "joint_size", "matrices", "rank", "by_products", "has_offset", "is_sorted", "parts", "threads",
    "worker", "workspace",
)  # fmt: skip
DOUBLES = (
    "design", "offset", "response", "size", "count", "multipliers", "sums",  # of rows
    "product_values", "product_score", "product_point", "product_numbers",  # of a Gaussian likelihood
    "information", "score", "mode", "coupling", "full_coupling", "scale",  # of what data say of effects at the mode
    "linear_map", "common_spread", "joint_information", "joint_numbers",  # of coordinates
    "hyperparameter_centre", "hyperparameter_map", "directions", "stretch",
)  # fmt: skip
INTEGERS = (
    "codes", "group_ends", "plain_columns", "plain_multipliers", "product_rows", "product_columns", "coupling_rows",
    "coupling_columns", "full_columns", "workspace_places",
)  # fmt: skip


def _layout(*fields: str, doubles: tuple[str, ...] = ()) -> np.dtype[np.void]:
    """Whole numbers of 64 bits, then doubles."""
    kinds = [*((name, np.int64) for name in fields), *((name, np.float64) for name in doubles)]
    return np.dtype(kinds, align=True)


TABLES = {
    # Which rows a likelihood's kernel scores.
    "segment_table": _layout("kernel", "first", "last"),
    # Where a factor's effects stand among coefficients, among coordinates, and among effects; where its matrices stand
    # among those of groups, and among those of factors.
    "factor_table": _layout(
        "groups", "width", "start", "coordinate", "effects", "information", "root", "first_term", "terms", "multiplier"
    ),
    # A group term's columns within its factor, its hyperparameters, and -1 for `partial` where none are correlated.
    "term_table": _layout("first", "columns", "sds", "partial"),
    # Of the columns of coefficients that most of a factor's effects depend on.
    "full_table": _layout("first", "columns", "values"),
    "hyperparameter_table": _layout("transform", "kernel", "coefficient", doubles=("a", "b", "c", "low", "high")),
    "prior_table": _layout("kernel", doubles=("a", "b", "c")),
    # The variance as far as data go, the prior's precision and centre, and the data's estimate.
    "common_table": _layout(doubles=("variance", "precision", "centre", "estimate")),
}
RECORD = _layout(*COUNTS, *DOUBLES, *INTEGERS, *TABLES)
JOB = _layout("thread", "record", "workspace", "place", "started")
WORKSPACE_ARRAYS = {  # by what they have as many numbers as
    "coefficients": ("theta", "by_theta", "step"),
    "coordinates": ("w", "by_w"),
    "hyperparameters": ("values", "x", "slopes", "by_value", "by_x"),
    "linear": ("along", "spread", "variances"),
    "effects": ("effects_score", "explained", "shifted", "normals", "by_score"),
    "groups' matrices": ("lower", "product"),
    "factors' matrices": ("roots", "scaled_roots"),
    "a factor's matrix": ("by_root", "by_scaled_root"),
    "matrices worked on": ("inner",),
    "effects worked on": ("solved",),
    "groups worked on": ("terms",),
    "joint matrix": ("joint_lower", "joint_product", "joint_image", "joint_by_precision"),
    "joint": ("joint_u", "joint_shifted", "joint_explained", "joint_slope", "joint_by_score"),
    "block": ("eta", "row_scores", "predictor"),
    "jobs": ("jobs",),
    "parts": ("parts",),
    "threads": ("thread_rooms",),
}
WORKSPACE = _layout(*(name for names in WORKSPACE_ARRAYS.values() for name in names), "auxiliary", "by_auxiliary")
FIELDS = len(WORKSPACE.names or ())


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
problem_at, workspace_at, job_at = (_row(kind) for kind in (RECORD, WORKSPACE, JOB))
segment_at, factor_at, term_at, full_at, hyperparameter_at, prior_at, common_at = map(_row, TABLES.values())


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


@intrinsic
def keep(typingctx: Any, array: Any) -> Any:
    """Hold an array until here: its memory is not freed before."""
    return types.int64(array), lambda context, builder, signature, arguments: ir.Constant(ir.IntType(64), 0)


@numba.njit(**NJIT)
def workspace(record: Any, room: np.ndarray) -> Any:
    """Where the arrays of one evaluation stand, itself at the beginning of `room`."""
    start = room.ctypes.data
    places, arrays = integers(record.workspace_places, FIELDS), addresses(start, FIELDS)
    for field in range(FIELDS):
        arrays[field] = start + 8 * places[field]
    return workspace_at(start, 0)
