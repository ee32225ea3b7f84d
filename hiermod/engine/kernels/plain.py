"""Functions that Python calls as they are, and that compiled code has compiled; they need no package."""

from __future__ import annotations

import math
from typing import Any

VECTOR = 8  # numbers, in whole ones of which a column of a dense matrix is worked on
HALF_LOG_TAU = 0.9189385332046727


def stride_of(size: int) -> int:
    """The distance of columns of a dense matrix; what is beyond `size` is zero."""
    return (size + VECTOR - 1) // VECTOR * VECTOR


def log_normal_cdf(x: float) -> tuple[float, float]:
    """Logarithm of the normal distribution function, and its derivative."""
    log_density = -0.5 * x * x - HALF_LOG_TAU
    if x > -5.0:
        cdf = 0.5 * math.erfc(-x * 0.7071067811865476)
        value = math.log1p(-0.5 * math.erfc(x * 0.7071067811865476)) if x > 0.0 else math.log(cdf)
        return value, math.exp(log_density) / cdf
    tail = -x  # the continued fraction of Laplace: density over tail probability
    for term in range(80, 0, -1):
        tail = term / tail - x
    return log_density - math.log(tail), tail


def shrunk_root(x: Any, own: Any, root: Any) -> None:
    """Write the Λ of a set of slopes that have one prior: their standard deviations, along the diagonal.

    `shared`, `slab`, `single` and `sigma` of the set say where these stand in `x`, `kind` is 0 for a horseshoe, whose
    `single` are scales, and 1 for R2D2, whose are sticks of shares.
    """
    whole = x[own.sigma] if own.sigma >= 0 else 1.0
    if own.kind == 0:
        for i in range(own.columns):
            wide = whole * x[own.shared] * x[own.single + i]
            root[i, i] = wide / math.sqrt(1.0 + (wide / x[own.slab]) ** 2)
        return
    rest = x[own.shared] / (1.0 - x[own.shared])
    for i in range(own.columns - 1):
        root[i, i] = whole * math.sqrt(rest * x[own.single + i])
        rest *= 1.0 - x[own.single + i]
    root[own.columns - 1, own.columns - 1] = whole * math.sqrt(rest)


def term_root(x: Any, term: Any, root: Any) -> None:
    """Write the Λ of a group term, from its first row and column on.

    `sds` and `partial` of the term say where its standard deviations stand in `x`, and the offsets in (0, 1) of its
    partial correlations, which is negative where there are none; `step` is 0 where columns share a standard deviation.
    """
    place, first, partial = term.partial, term.first, term.partial
    for i in range(term.columns):
        rest = x[term.sds + i * term.step]
        for j in range(i):
            offset = x[place] if partial >= 0 else 0.5
            root[first + i, first + j] = (2.0 * offset - 1.0) * rest
            rest *= 2.0 * math.sqrt(offset * (1.0 - offset))
            place += 1
        root[first + i, first + i] = rest


def room_of_integrals(lanes: int, width: int, nodes: int, longest: int) -> int:
    """How many numbers of its own an evaluation of integrals by nodes needs."""
    return lanes * ((width + 2) * nodes + 2 * width + 3 + longest)


def room_of_moments(width: int, size: int) -> int:
    """The same in closed form."""
    return 2 * size + width * (4 * width + 3)
