"""Stirling's formula: log Γ(x) = (x - 1/2) log x - x + log(2π)/2 + R(x), and R's series for large x."""

from __future__ import annotations

from typing import Any

import numpy as np

HALF_LOG_TAU = 0.5 * float(np.log(2.0 * np.pi))
LARGE = 20.0  # from here on, the terms of R below leave out less than 2e-15
TERMS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)


def series(x: Any) -> Any:
    """R(x) for x from `LARGE` on, of an array or what stands for one."""
    square = 1.0 / x**2
    total: Any = TERMS[-1]
    for term in TERMS[-2::-1]:
        total = total * square + term
    return total / x
