"""The functions that densities are written in, of NumPy's arrays here and of PyTensor's in `modeling.pymc.ops`.

They are right where means overflow or round to 0, and where a parameter is so large that the family is its limit:
Poisson, normal or binomial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

Function = Callable[..., Any]
HALF_LOG_TAU = 0.5 * float(np.log(2.0 * np.pi))
LARGEST_EXPONENT = 300.0  # beyond, a density is nothing; so far, its logarithm times any count can still be squared
SMALLEST_CHANCE = 1e-300  # whose logarithm stands for those of smaller ones
LARGE = 20.0  # from here on, the terms of Stirling's series below leave out less than 2e-15
TERMS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)


@dataclass(frozen=True)
class Ops:
    """Elementwise functions; `const` makes a number a double, which PyTensor would take for a single."""

    const: Function
    log: Function
    exp: Function
    log1p: Function
    expm1: Function
    gammaln: Function
    softplus: Function
    log_ndtr: Function
    erfcx: Function
    gammainc: Function
    gammaincc: Function
    betainc: Function
    cos: Function
    sin: Function
    arctan2: Function
    log_i0: Function
    log_choose: Function
    where: Function
    minimum: Function
    maximum: Function
    clip: Function


def _softplus(x: Any) -> Any:
    return -special.log_expit(-x)


def _log_choose(trials: Any, successes: Any) -> Any:
    """Logarithm of the binomial coefficient; exactly 0 where there is one way."""
    ways = -np.log1p(trials) - special.betaln(trials - successes + 1.0, successes + 1.0)
    return np.where((successes == 0.0) | (successes == trials), 0.0, ways)


def _log_i0(x: Any) -> Any:
    """The logarithm of the modified Bessel function of order 0."""
    return np.log(special.i0e(x)) + np.abs(x)


NUMPY = Ops(
    const=float, log=np.log, exp=np.exp, log1p=np.log1p, expm1=np.expm1, gammaln=special.gammaln, softplus=_softplus,
    log_ndtr=special.log_ndtr, erfcx=special.erfcx, gammainc=special.gammainc, gammaincc=special.gammaincc,
    betainc=special.betainc, cos=np.cos, sin=np.sin, arctan2=np.arctan2, log_i0=_log_i0, log_choose=_log_choose,
    where=np.where, minimum=np.minimum, maximum=np.maximum, clip=np.clip,
)  # fmt: skip


def bounded_exp(ops: Ops, x: Any) -> Any:
    """The exponential, held where a density is nothing."""
    return ops.exp(ops.minimum(x, LARGEST_EXPONENT))


def remainder(ops: Ops, x: Any) -> Any:
    """R(x) in Stirling's formula, ``log Γ(x) = (x - 1/2) log x - x + log(2π)/2 + R(x)``.

    From `LARGE` on it is R's series; each branch is held where it is finite.
    """
    small, large = ops.minimum(x, LARGE), ops.maximum(x, LARGE)
    near = ops.gammaln(small) - (small - 0.5) * ops.log(small) + small - HALF_LOG_TAU
    square = 1.0 / large**2
    total: Any = TERMS[-1]
    for term in TERMS[-2::-1]:
        total = total * square + term
    return ops.where(x < LARGE, near, total / large)


def rise(ops: Ops, x: Any, m: Any) -> Any:
    """``log Γ(x + m) - log Γ(x) - m log x`` for x > 0 and m >= 0; it vanishes for large x, and at m = 0."""
    return (x + m - 0.5) * ops.log1p(m / x) - m + remainder(ops, x + m) - remainder(ops, x)
