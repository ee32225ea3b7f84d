"""Effects of groups that have one each, from independent coordinates and back, in compiled code.

What `effects` does for any number of effects, in fewer passes over the groups and with the same result to the bit. A
pass touches at most five arrays: for more the compiler does not ask whether they overlap, and does not vectorise.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import log
from hiermod.engine.kernels.numbers.vector_ops import add_product, dot, total
from hiermod.engine.kernels.record import LANES
from hiermod.engine.kernels.views import doubles, matrix

Array = np.ndarray


@numba.njit(**NJIT)
def forward(record: Any, factor: Any, work: Any) -> float:
    """As `effects.forward`."""
    plain = doubles(work.roots + 8 * factor.root, 1)[0]
    scaled = doubles(work.scaled_roots + 8 * factor.root, 1)[0]
    information, u = doubles(record.information, record.matrices), doubles(work.theta, record.coefficients)
    lower, product = doubles(work.lower, record.matrices), doubles(work.product, record.matrices)
    w, score = doubles(work.w, record.coefficients), doubles(work.effects_score, record.coefficients)
    shifted, explained = doubles(work.shifted, record.coefficients), doubles(work.explained, record.coefficients)
    normals, terms = doubles(work.normals, record.coefficients), doubles(work.terms, LANES)
    result = 0.0
    for start in range(0, factor.groups, LANES):
        m = min(factor.groups - start, LANES)
        a, v = factor.information + start, factor.effects + start
        _roots(information, a, scaled, product, lower, terms, m)
        _shift(score, v, scaled, lower, a, w, factor.coordinate + start, explained, shifted, m)
        _effects(shifted, v, lower, a, plain, normals, u, factor.start + start, m)
        add_product(terms, 0, normals, v, normals, v, -0.5, m)
        result += total(terms, 0, m)
    return result


@numba.njit(**NJIT)
def back(record: Any, factor: Any, work: Any) -> None:
    """As `effects.back`."""
    plain = doubles(work.roots + 8 * factor.root, 1)[0]
    scaled = doubles(work.scaled_roots + 8 * factor.root, 1)[0]
    by_plain, by_scaled = matrix(work.by_root, 1), matrix(work.by_scaled_root, 1)
    lower, product = doubles(work.lower, record.matrices), doubles(work.product, record.matrices)
    by_u, score = doubles(work.by_theta, record.coefficients), doubles(work.effects_score, record.coefficients)
    shifted, explained = doubles(work.shifted, record.coefficients), doubles(work.explained, record.coefficients)
    normals, by_w = doubles(work.normals, record.coefficients), doubles(work.by_w, record.coefficients)
    by_score = doubles(work.by_score, record.coefficients)
    inner, solved = doubles(work.inner, LANES), doubles(work.solved, LANES)
    for start in range(0, factor.groups, LANES):
        m = min(factor.groups - start, LANES)
        a, v = factor.information + start, factor.effects + start
        iw, iu = factor.coordinate + start, factor.start + start
        _by_coordinates(normals, v, by_u, iu, plain, lower, a, by_w, iw, solved, m)
        _times(solved, scaled, by_score, start, m)
        _by_information(shifted, explained, v, by_w, iw, lower, a, inner, m)
        by_plain[0, 0] += dot(by_u, iu, normals, v, m)
        by_scaled[0, 0] += dot(score, v, solved, 0, m) + 2.0 * dot(product, a, inner, 0, m)


@numba.njit(**NJIT)
def _roots(
    information: Array, at: int, scaled: float, product: Array, lower: Array, terms: Array, count: int
) -> None:  # fmt: skip
    first = np.uint64(at)
    for g in range(np.uint64(count)):
        product[first + g] = information[first + g] * scaled
        square = 1.0 + product[first + g] * scaled
        terms[g] = -0.5 * log(square)
        lower[first + g] = math.sqrt(square)


@numba.njit(**NJIT)
def _shift(
    score: Array, at: int, scaled: float, lower: Array, lower_at: int, w: Array, w_at: int, explained: Array,
    shifted: Array, count: int,
) -> None:  # fmt: skip
    first, below, along = np.uint64(at), np.uint64(lower_at), np.uint64(w_at)
    for g in range(np.uint64(count)):
        explained[first + g] = score[first + g] * scaled / lower[below + g]
        shifted[first + g] = explained[first + g] + w[along + g]


@numba.njit(**NJIT)
def _effects(
    shifted: Array, at: int, lower: Array, lower_at: int, plain: float, normals: Array, u: Array, u_at: int,
    count: int,
) -> None:  # fmt: skip
    first, below, effect = np.uint64(at), np.uint64(lower_at), np.uint64(u_at)
    for g in range(np.uint64(count)):
        normals[first + g] = shifted[first + g] / lower[below + g]
        u[effect + g] = normals[first + g] * plain


@numba.njit(**NJIT)
def _by_coordinates(
    normals: Array, at: int, by_u: Array, u_at: int, plain: float, lower: Array, lower_at: int, by_w: Array,
    w_at: int, solved: Array, count: int,
) -> None:  # fmt: skip
    first, effect, below, along = np.uint64(at), np.uint64(u_at), np.uint64(lower_at), np.uint64(w_at)
    for g in range(np.uint64(count)):
        by_w[along + g] = (by_u[effect + g] * plain - normals[first + g]) / lower[below + g]
        solved[g] = by_w[along + g] / lower[below + g]


@numba.njit(**NJIT)
def _times(x: Array, scale: float, out: Array, at: int, count: int) -> None:
    first = np.uint64(at)
    for g in range(np.uint64(count)):
        out[first + g] = x[g] * scale


@numba.njit(**NJIT)
def _by_information(
    shifted: Array, explained: Array, at: int, by_w: Array, w_at: int, lower: Array, lower_at: int, inner: Array,
    count: int,
) -> None:  # fmt: skip
    first, along, below = np.uint64(at), np.uint64(w_at), np.uint64(lower_at)
    for g in range(np.uint64(count)):
        slope, root = by_w[along + g], lower[below + g]
        half = -0.5 - 0.5 * shifted[first + g] * slope - 0.5 * slope * explained[first + g]
        inner[g] = half / root / root
