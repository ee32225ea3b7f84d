"""How a problem stands in memory for compiled code: one block of sizes and addresses."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from hiermod.engine.kernels.special import NJIT

(
    LOGIT, PROBIT, CLOGLOG, POISSON, NEGBINOMIAL, STUDENT_T, GAMMA_LOG, BETA_LOGIT, BETA_PROBIT, BETA_CLOGLOG,
    GAUSSIAN, ONE_TRIAL,
) = range(12)  # fmt: skip
FAMILIES = {  # codes by a family's kernel and link
    ("trials", "logit"): LOGIT, ("trials", "probit"): PROBIT, ("trials", "cloglog"): CLOGLOG,
    ("poisson", "log"): POISSON, ("negbinomial", "log"): NEGBINOMIAL, ("student", "identity"): STUDENT_T,
    ("gamma", "log"): GAMMA_LOG, ("beta_binomial", "logit"): BETA_LOGIT, ("beta_binomial", "probit"): BETA_PROBIT,
    ("beta_binomial", "cloglog"): BETA_CLOGLOG, ("gaussian", "identity"): GAUSSIAN,
}  # fmt: skip
CANONICAL = (LOGIT, ONE_TRIAL, POISSON)  # the log likelihood has Σ response · linear predictor
LOG, INTERVAL, SOFT = range(3)  # how single parameters come from the line
PRIORS = (
    "normal", "student", "laplace", "logistic", "uniform", "exponential", "gamma", "inverse_gamma", "log_normal",
    "beta",
)  # fmt: skip
NORMAL, STUDENT, LAPLACE, LOGISTIC, UNIFORM, EXPONENTIAL, GAMMA, INVERSE_GAMMA, LOG_NORMAL, BETA = range(len(PRIORS))


SIZES = (
    "rows", "common", "linear", "coefficients", "scalars", "factors", "family", "auxiliary", "rank", "products",
    "threads", "worker", "offsets", "sorted", "together",
)  # fmt: skip
DOUBLES = (
    "design", "offset", "response", "size", "count", "multipliers", "information", "score", "coupling", "reference",
    "full_coupling", "linear_map", "directions", "stretch", "scalar_arguments", "scalar_centre", "scalar_map",
    "coefficient_arguments", "product_values", "product_score", "product_point", "product_numbers", "common_numbers",
    "common_spread", "scale", "sums", "together_information", "together_numbers",
)  # fmt: skip
INTEGERS = (
    "factor_table", "bar_table", "codes", "plain_columns", "plain_multipliers", "coupling_rows", "coupling_columns",
    "scalar_kinds", "coefficient_kinds", "product_rows", "product_columns", "group_ends", "full_table", "full_columns",
)  # fmt: skip
FIELDS = (*SIZES, *DOUBLES, *INTEGERS)
(
    ROWS, COMMON, LINEAR, COEFFICIENTS, SCALARS, FACTORS, FAMILY, AUXILIARY, RANK, PRODUCTS, THREADS, WORKER,
    OFFSETS, SORTED, TOGETHER,
    DESIGN, OFFSET, RESPONSE, SIZE, COUNT, MULTIPLIERS, INFORMATION, SCORE, COUPLING, REFERENCE,
    FULL_COUPLING, LINEAR_MAP, DIRECTIONS, STRETCH, SCALAR_ARGUMENTS, SCALAR_CENTRE, SCALAR_MAP,
    COEFFICIENT_ARGUMENTS,
    PRODUCT_VALUES, PRODUCT_SCORE, PRODUCT_POINT, PRODUCT_NUMBERS, COMMON_NUMBERS, COMMON_SPREAD, SCALE, SUMS,
    TOGETHER_INFORMATION, TOGETHER_NUMBERS,
    FACTOR_TABLE, BAR_TABLE, CODES, PLAIN_COLUMNS, PLAIN_MULTIPLIERS, COUPLING_ROWS, COUPLING_COLUMNS,
    SCALAR_KINDS, COEFFICIENT_KINDS, PRODUCT_ROWS, PRODUCT_COLUMNS, GROUP_ENDS, FULL_TABLE, FULL_COLUMNS,
) = range(len(FIELDS))  # fmt: skip
# Columns of the table of factors and of that of bars.
GROUPS, WIDTH, START, FIRST_BAR, BARS, FIRST_MULTIPLIER, INFORMATION_AT, SCORE_AT = range(8)
BAR_COLUMNS, BAR_FIRST, BAR_SDS, BAR_PARTIAL = range(4)
FACTOR_FIELDS, BAR_FIELDS = 8, 4
BLOCK = 256  # rows that are scored at once


@intrinsic
def pointer(typingctx: Any, address: Any) -> Any:
    """An address as a pointer."""
    from numba.core import cgutils

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


@numba.njit(**NJIT)
def doubles(head: np.ndarray, place: int, size: int) -> np.ndarray:
    """A view of doubles behind an address."""
    return carray(pointer(head[place]), (size,), dtype=np.float64)


@numba.njit(**NJIT)
def integers(head: np.ndarray, place: int, size: int) -> np.ndarray:
    """A view of 32-bit integers behind an address."""
    return carray(pointer(head[place]), (size,), dtype=np.int32)


@numba.njit(**NJIT)
def size_together(head: np.ndarray) -> int:
    """How many coefficients are sampled jointly: those of the first factors, with the common ones."""
    if head[TOGETHER] == 0:
        return 0
    size = head[LINEAR]
    table = integers(head, FACTOR_TABLE, head[TOGETHER] * FACTOR_FIELDS)
    for factor in range(head[TOGETHER]):
        size += table[factor * FACTOR_FIELDS + GROUPS] * table[factor * FACTOR_FIELDS + WIDTH]
    return size
