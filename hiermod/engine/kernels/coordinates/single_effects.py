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
    plain = doubles(work.roots + 8 * factor.root)[0]
    scaled = doubles(work.scaled_roots + 8 * factor.root)[0]
    information, u = doubles(record.information), doubles(work.theta)
    lower, product = doubles(work.lower), doubles(work.product)
    w, score = doubles(work.w), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals, terms = doubles(work.normals), doubles(work.terms)
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
    plain = doubles(work.roots + 8 * factor.root)[0]
    scaled = doubles(work.scaled_roots + 8 * factor.root)[0]
    by_plain, by_scaled = matrix(work.by_root, 1), matrix(work.by_scaled_root, 1)
    lower, product = doubles(work.lower), doubles(work.product)
    by_u, score = doubles(work.by_theta), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals, by_w = doubles(work.normals), doubles(work.by_w)
    by_score = doubles(work.by_score)
    inner, solved = doubles(work.inner), doubles(work.solved)
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
    for g in range(count):
        product[at + g] = information[at + g] * scaled
        square = 1.0 + product[at + g] * scaled
        terms[g] = -0.5 * log(square)
        lower[at + g] = math.sqrt(square)


@numba.njit(**NJIT)
def _shift(
    score: Array, at: int, scaled: float, lower: Array, lower_at: int, w: Array, w_at: int, explained: Array,
    shifted: Array, count: int,
) -> None:  # fmt: skip
    for g in range(count):
        explained[at + g] = score[at + g] * scaled / lower[lower_at + g]
        shifted[at + g] = explained[at + g] + w[w_at + g]


@numba.njit(**NJIT)
def _effects(
    shifted: Array, at: int, lower: Array, lower_at: int, plain: float, normals: Array, u: Array, u_at: int,
    count: int,
) -> None:  # fmt: skip
    for g in range(count):
        normals[at + g] = shifted[at + g] / lower[lower_at + g]
        u[u_at + g] = normals[at + g] * plain


@numba.njit(**NJIT)
def _by_coordinates(
    normals: Array, at: int, by_u: Array, u_at: int, plain: float, lower: Array, lower_at: int, by_w: Array,
    w_at: int, solved: Array, count: int,
) -> None:  # fmt: skip
    for g in range(count):
        by_w[w_at + g] = (by_u[u_at + g] * plain - normals[at + g]) / lower[lower_at + g]
        solved[g] = by_w[w_at + g] / lower[lower_at + g]


@numba.njit(**NJIT)
def _times(x: Array, scale: float, out: Array, at: int, count: int) -> None:
    for g in range(count):
        out[at + g] = x[g] * scale


@numba.njit(**NJIT)
def _by_information(
    shifted: Array, explained: Array, at: int, by_w: Array, w_at: int, lower: Array, lower_at: int, inner: Array,
    count: int,
) -> None:  # fmt: skip
    for g in range(count):
        slope, root = by_w[w_at + g], lower[lower_at + g]
        half = -0.5 - 0.5 * shifted[at + g] * slope - 0.5 * slope * explained[at + g]
        inner[g] = half / root / root
