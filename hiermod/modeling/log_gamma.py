"""Quotients of gamma functions whose logarithms keep their digits, however large the arguments are.

In log Γ(x + m) - log Γ(x), the large terms of Stirling's formula are taken off by hand: what is left is of the size of
the answer.
"""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt

from hiermod.modeling.stirling import HALF_LOG_TAU, LARGE, series


def remainder(x: Any) -> Any:
    """R(x), what Stirling's formula lacks; each branch is held where it is finite."""
    small = pt.minimum(x, LARGE)
    near = pt.gammaln(small) - (small - 0.5) * pt.log(small) + small - HALF_LOG_TAU
    return pt.switch(x < LARGE, near, series(pt.maximum(x, LARGE)))


def rise(x: Any, m: Any) -> Any:
    """``log Γ(x + m) - log Γ(x) - m log x`` for x > 0 and m >= 0; it vanishes for large x, and at m = 0."""
    return (x + m - 0.5) * pt.log1p(m / x) - m + remainder(x + m) - remainder(x)
