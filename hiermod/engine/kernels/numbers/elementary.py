"""Exponential and logarithm without branches, so that LLVM vectorises the loops they stand in.

Range reduction and the logarithm's polynomial as in fdlibm (Sun Microsystems 1993); the exponential's interpolates
(e^r - 1 - r) / r² at Chebyshev's points of ±log(2)/2, to 2e-17. Both are in Estrin's order, whose short chains keep
processors busy. The exponent is added by integer arithmetic on the bits, which AVX2 has, unlike a conversion of doubles
to integers.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types
from numba.extending import intrinsic

from hiermod.engine.kernels import NJIT

INLINE = {**NJIT, "forceinline": True}
ROUND = 6755399441055744.0  # 1.5 · 2^52: adding it rounds to a whole number, held by the lowest bits
ONE_BITS = 1023 << 52
LOWEST, HIGHEST = -708.0, 709.0
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@intrinsic
def _bits(typingctx: Any, value: Any) -> Any:
    from llvmlite import ir

    return types.int64(types.float64), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.IntType(64))


@intrinsic
def _double(typingctx: Any, bits: Any) -> Any:
    from llvmlite import ir

    return types.float64(types.int64), lambda ctx, builder, sig, args: builder.bitcast(args[0], ir.DoubleType())


@numba.njit(**INLINE)
def exp(x: float) -> float:
    """Exponential; beyond ±708 that of ±708, relative error below 3e-16."""
    x = min(max(x, LOWEST), HIGHEST)
    shifted = x * 1.4426950408889634 + ROUND
    whole = shifted - ROUND
    r = (x - whole * 6.93147180369123816490e-1) - whole * 1.90821492927058770002e-10
    r2 = r * r
    r4 = r2 * r2
    low = (5.000000000000001e-01 + r * 1.6666666666666669e-01) + r2 * (
        4.166666666662413e-02 + r * 8.333333333330062e-03
    )
    middle = (1.3888888917213717e-03 + r * 1.9841269863053618e-04) + r2 * (
        2.4801521295954376e-05 + r * 2.7557268459997064e-06
    )
    high = 2.7620088445409746e-07 + r * 2.510038549551032e-08
    p = 1.0 + (r + r2 * (low + r4 * (middle + r4 * high)))
    return p * _double((_bits(shifted) << 52) + ONE_BITS)


@numba.njit(**INLINE)
def log(x: float) -> float:
    """Natural logarithm of a positive normal number, relative error below 3e-16."""
    bits = _bits(x) - SQRT_HALF_BITS
    exponent = bits >> 52
    f = _double((bits & 0x000FFFFFFFFFFFFF) + SQRT_HALF_BITS) - 1.0
    k = _double(exponent + 0x4338000000000000) - ROUND
    return _log_of(f, k)


@numba.njit(**INLINE)
def log1p(x: float) -> float:
    """Logarithm of 1 + x for x in [0, 1]."""
    upper = x > 0.41421356237309515
    f = 0.5 * (x - 1.0) if upper else x
    return _log_of(f, 1.0 if upper else 0.0)


@numba.njit(**INLINE)
def _log_of(f: float, k: float) -> float:
    """Logarithm of 2^k (1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    low = (6.666666666666735130e-01 + z * 3.999999999940941908e-01) + z2 * (
        2.857142874366239149e-01 + z * 2.222219843214978396e-01
    )
    high = (1.818357216161805012e-01 + z * 1.531383769920937332e-01) + z2 * 1.479819860511658591e-01
    p = low + z2 * z2 * high
    half = 0.5 * f * f
    return k * 6.93147180369123816490e-01 - ((half - (s * (half + z * p) + k * 1.90821492927058770002e-10)) - f)
