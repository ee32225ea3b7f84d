"""Room for one evaluation of a density, cut from a single allocation: many cost more than small models do."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from hiermod.engine.effects import LANES
from hiermod.engine.head import (
    COEFFICIENTS,
    COMMON,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    FACTORS,
    GROUPS,
    LINEAR,
    SCALARS,
    WIDTH,
    integers,
)
from hiermod.engine.special import NJIT

Array = np.ndarray


class Workspace(NamedTuple):
    """Arrays of one evaluation.

    Of all coefficients: `theta`, `by_theta`. Of coordinates: `w`, `by_w`. Of single parameters: `values` on the line,
    `x`, `slopes`, `by_value`, `by_x`. Of common ones: `along`, `spread`. Of effects: `given`, `shifted`, `own`,
    `normals`, `by_score`. Of groups' matrices: `lower`, `product`. Of lanes: `inner`, `back`, `terms`.
    """

    theta: Array
    by_theta: Array
    w: Array
    by_w: Array
    values: Array
    x: Array
    slopes: Array
    by_value: Array
    by_x: Array
    along: Array
    spread: Array
    given: Array
    shifted: Array
    own: Array
    normals: Array
    by_score: Array
    lower: Array
    product: Array
    inner: Array
    back: Array
    terms: Array


@numba.njit(**NJIT)
def workspace(head: Array) -> Workspace:
    """Allocate; `by_x` is zero, the rest is not set."""
    common, linear, size, count = head[COMMON], head[LINEAR], head[COEFFICIENTS], head[SCALARS]
    own, effects, matrices, width = size - common + linear, size - common, 0, 0
    table = integers(head, FACTOR_TABLE, head[FACTORS] * FACTOR_FIELDS)
    for factor in range(head[FACTORS]):
        d = table[factor * FACTOR_FIELDS + WIDTH]
        matrices += table[factor * FACTOR_FIELDS + GROUPS] * d * d
        width = max(width, d)
    all_ = np.empty(
        2 * (size + own + matrices) + 5 * (count + effects) + 3 * linear + (width * width + width + 1) * LANES
    )
    a = 2 * size
    b = a + 2 * own
    c = b + 5 * count
    d = c + 3 * linear
    e = d + 5 * effects
    f = e + 2 * matrices
    g = f + width * width * LANES
    h = g + width * LANES
    all_[b + 4 * count : c] = 0.0
    return Workspace(
        all_[:size], all_[size:a], all_[a : a + own], all_[a + own : b],
        all_[b : b + count], all_[b + count : b + 2 * count], all_[b + 2 * count : b + 3 * count],
        all_[b + 3 * count : b + 4 * count], all_[b + 4 * count : c],
        all_[c : c + linear], all_[c + linear : d],
        all_[d : d + effects], all_[d + effects : d + 2 * effects], all_[d + 2 * effects : d + 3 * effects],
        all_[d + 3 * effects : d + 4 * effects], all_[d + 4 * effects : e],
        all_[e : e + matrices], all_[e + matrices : f], all_[f:g], all_[g:h], all_[h:],
    )  # fmt: skip
