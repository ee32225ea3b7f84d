"""Coefficients of the steps of monotonic effects, and the way back of gradients, in compiled code.

Each step but the last takes its stick's part of what the steps before it have left of the whole effect.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.views import doubles, monotonic_at

Array = np.ndarray


@numba.njit(**NJIT)
def forward(record: Any, work: Any) -> None:
    """Write the coefficients of steps."""
    x, theta = doubles(work.x), doubles(work.theta)
    for place in range(record.monotonic):
        own = monotonic_at(record.monotonic_table, place)
        rest = x[own.whole]
        for k in range(own.steps - 1):
            theta[own.first + k] = rest * x[own.sticks + k]
            rest *= 1.0 - x[own.sticks + k]
        theta[own.first + own.steps - 1] = rest


@numba.njit(**NJIT)
def back(record: Any, work: Any) -> None:
    """Add the derivatives by whole effects and by sticks."""
    x, by_x = doubles(work.x), doubles(work.by_x)
    by_theta = doubles(work.by_theta)
    for place in range(record.monotonic):
        own = monotonic_at(record.monotonic_table, place)
        by_rest = by_theta[own.first + own.steps - 1]
        for k in range(own.steps - 2, -1, -1):
            rest = x[own.whole]
            for before in range(k):
                rest *= 1.0 - x[own.sticks + before]
            by_step, part = by_theta[own.first + k], x[own.sticks + k]
            by_x[own.sticks + k] += rest * (by_step - by_rest)
            by_rest = part * by_step + (1.0 - part) * by_rest
        by_x[own.whole] += by_rest
