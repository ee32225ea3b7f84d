"""The log likelihood of a Gaussian model with groups' effects integrated out, in closed form, with its gradient.

Rows are y = Fθ + Zu + e with u = Λ o. A group's sums Z'W(y, F) times (1, -θ) are Z'W(y - Fθ) = s, its information
Z'WZ is A; then o has the precision P = I + Λ'AΛ / sigma², and the mean P⁻¹ Λ's / sigma². Groups with the same
information, a structure, enter by as few vectors of sums as have their sum of squares.
"""

from __future__ import annotations

import math
from typing import Any

import numba

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, dot
from hiermod.engine.kernels.views import doubles, matrix


@numba.njit(**NJIT)
def log_likelihood(
    record: Any, room: int, root: int, by_root: int, theta: Any, by_theta: Any, sigma: float
) -> tuple[float, float]:  # fmt: skip
    """The value, and its derivative by sigma; writes that by coefficients, and adds that by Λ."""
    size, precision = record.length, sigma**-2.0
    rest, by_rest, numbers = doubles(room), doubles(room + 8 * size), doubles(record.rest)
    moments, here = doubles(record.moments), room + 16 * size
    rest[0], squares = 1.0, numbers[0]
    for i in range(1, size):
        rest[i] = -theta[i - 1]
    for i in range(size):
        along = dot(moments, i * size, rest, 0, size)
        squares += along * rest[i]
        by_rest[i] = -precision * along
    result, by_sigma = -0.5 * squares * precision - numbers[1] * math.log(sigma), squares * precision - numbers[1]
    for structure in range(record.structures):
        value, slope = _structure(record, here, root, by_root, structure, rest, by_rest, precision)
        result += value
        by_sigma += slope
    for i in range(1, size):
        by_theta[i - 1] = -by_rest[i]
    return result, by_sigma / sigma


@numba.njit(**NJIT)
def _structure(
    record: Any, room: int, root: int, by_root: int, structure: int, rest: Any, by_rest: Any, precision: float
) -> tuple[float, float]:  # fmt: skip
    """What groups of one structure add to the value, and to sigma times its derivative by sigma."""
    d, size, area = record.width, record.length, 8 * record.width**2
    lower, out, turned = matrix(root, d), matrix(by_root, d), matrix(room, d)
    inverse, second = matrix(room + 2 * area, d), matrix(room + 3 * area, d)
    count = doubles(record.structure_counts)[structure]
    result = count * _inverse(record, room, root, structure, precision)
    score, pull, normals = (
        doubles(room + 4 * area), doubles(room + 4 * area + 8 * d), doubles(room + 4 * area + 16 * d)
    )  # fmt: skip
    slope = count * d
    for i in range(d):
        for j in range(d):
            second[i, j] = count * inverse[i, j]
    vectors = doubles(record.vectors)
    for slot in range(record.slots):
        at = (structure * record.slots + slot) * d * size
        for i in range(d):
            score[i] = precision * dot(vectors, at + i * size, rest, 0, size)
        for j in range(d):
            pull[j] = 0.0
            for i in range(j, d):
                pull[j] += lower[i, j] * score[i]
        for i in range(d):
            normals[i] = 0.0
            for j in range(d):
                normals[i] += inverse[i, j] * pull[j]
        for i in range(d):
            result += 0.5 * pull[i] * normals[i]
            slope -= pull[i] * normals[i]
            effect = 0.0
            for j in range(d):
                second[i, j] += normals[i] * normals[j]
                if j <= i:
                    out[i, j] += score[i] * normals[j]
                    effect += lower[i, j] * normals[j]
            add_scaled(by_rest, 0, vectors, at + i * size, precision * effect, size)
    for i in range(d):
        slope -= second[i, i]
        for j in range(i + 1):
            for k in range(d):
                out[i, j] -= precision * turned[i, k] * second[k, j]
    return result, slope


@numba.njit(**NJIT)
def _inverse(record: Any, room: int, root: int, structure: int, precision: float) -> float:
    """Write AΛ, and the inverse of P; return the logarithm of its volume."""
    d = record.width
    area, lower = 8 * d * d, matrix(root, d)
    turned, factor, inverse = matrix(room, d), matrix(room + area, d), matrix(room + 2 * area, d)
    own = matrix(record.structure_information + structure * area, d)
    result = 0.0
    for i in range(d):
        for j in range(d):
            turned[i, j] = 0.0
            for k in range(j, d):
                turned[i, j] += own[i, k] * lower[k, j]
    for j in range(d):
        for i in range(j, d):
            left = 1.0 if i == j else 0.0
            for k in range(i, d):
                left += precision * lower[k, i] * turned[k, j]
            for k in range(j):
                left -= factor[i, k] * factor[j, k]
            factor[i, j] = math.sqrt(left) if i == j else left / factor[j, j]
        result -= math.log(factor[j, j])
    for column in range(d):
        for i in range(d):
            left = 1.0 if i == column else 0.0
            for k in range(i):
                left -= factor[i, k] * inverse[k, column]
            inverse[i, column] = left / factor[i, i]
        for i in range(d - 1, -1, -1):
            left = inverse[i, column]
            for k in range(i + 1, d):
                left -= factor[k, i] * inverse[k, column]
            inverse[i, column] = left / factor[i, i]
    return result
