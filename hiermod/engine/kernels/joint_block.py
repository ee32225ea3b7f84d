"""Common coefficients and effects of factors with few groups from independent coordinates, in compiled code.

The means of few groups' effects, of each factor, and the intercept take each other's place, the more so the larger the
standard deviations are. So these coefficients θ are sampled jointly. With θ = D u, where D holds the factors' roots Λ
and units of common coefficients, H is the data's information and E the precision of u without data, u has the precision
``A = E + s² D' H D`` and the mean ``A⁻¹ b``, ``b = D' (s² h + q)``. So ``u = L⁻ᵀ (L⁻¹ b + w)`` with
``A = L L'``, at any standard deviations. Gradients go back through L as in Murray (2016, arXiv:1602.07527).
"""

from __future__ import annotations

import numba
import numpy as np

from hiermod.engine.kernels.dense import (
    cholesky,
    solve_lower,
    solve_upper,
    solve_upper_rows,
    stride_of,
    symmetric,
    transpose,
)
from hiermod.engine.kernels.parts import factor_covariance, factor_covariance_back
from hiermod.engine.kernels.record import (
    COMMON,
    FACTOR_FIELDS,
    FACTOR_TABLE,
    GROUPS,
    LINEAR,
    TOGETHER,
    TOGETHER_INFORMATION,
    TOGETHER_NUMBERS,
    WIDTH,
    doubles,
    integers,
    size_together,
)
from hiermod.engine.kernels.special import NJIT
from hiermod.engine.kernels.vector_ops import add_scaled, copy, dot, scale

Array = np.ndarray


@numba.njit(**NJIT)
def together_forward(head: Array, x: Array, s: float, w: Array, theta: Array, room: Array) -> float:
    """Write the coefficients; return the log density of effects with that of the map."""
    size, linear = size_together(head), head[LINEAR]
    stride = stride_of(size)
    area = size * stride
    lower, product, image, u, r, y, roots = _parts(room, size)
    _write_roots(head, x, roots)
    information, numbers = doubles(head, TOGETHER_INFORMATION, area), doubles(head, TOGETHER_NUMBERS, size + 3 * linear)
    copy(product, 0, information, 0, area)
    _columns(head, roots, product, size)
    transpose(product, size)
    copy(image, 0, product, 0, area)
    _columns(head, roots, image, size)
    copy(lower, 0, image, 0, area)
    scale(lower, 0, s * s, area)
    for i in range(size):
        lower[i * stride + i] += numbers[size + linear + i] if i < linear else 1.0
        y[i] = s * s * numbers[i] + (numbers[size + i] if i < linear else 0.0)
    _transposed(head, roots, y)
    total = -cholesky(lower, size)
    solve_lower(lower, size, y)
    for i in range(size):
        r[i] = y[i] + w[i]
        u[i] = r[i]
    solve_upper(lower, size, u)
    for i in range(linear, size):
        total -= 0.5 * u[i] * u[i]
    _write(head, roots, u, theta)
    return total


@numba.njit(**NJIT)
def together_back(
    head: Array, x: Array, s: float, by_theta: Array, by_w: Array, by_x: Array, squares: Array, room: Array
) -> float:
    """Write the derivative by `w`, add that by single parameters, and return that by s."""
    size, linear = size_together(head), head[LINEAR]
    stride = stride_of(size)
    lower, product, image, u, r, y, roots = _parts(room, size)
    numbers = doubles(head, TOGETHER_NUMBERS, size + 3 * linear)
    slope, by_r, by_b, by_a = np.empty(size), np.empty(size), np.empty(size), np.zeros(size * stride)
    copy(slope, 0, by_theta, 0, linear)
    copy(slope, linear, by_theta, head[COMMON], size - linear)
    copy(by_r, 0, slope, 0, size)
    _transposed(head, roots, by_r)
    for i in range(linear, size):
        by_r[i] -= u[i]
    solve_lower(lower, size, by_r)
    copy(by_w, 0, by_r, 0, size)
    for i in range(size):
        for j in range(i):
            by_a[i * stride + j] = -(r[i] * by_r[j] + by_r[i] * y[j])
        by_a[i * stride + i] = -0.5 * (by_r[i] * (r[i] + y[i]) + 1.0)
    copy(by_b, 0, by_r, 0, size)
    solve_upper(lower, size, by_b)
    solve_upper_rows(lower, size, by_a)
    transpose(by_a, size)
    solve_upper_rows(lower, size, by_a)
    symmetric(by_a, size)
    _by_roots(head, x, s, slope, by_b, by_a, by_x, squares, roots, product, u, numbers)
    by_s = dot(image, 0, by_a, 0, size * stride)
    copy(slope, 0, numbers, 0, size)
    _transposed(head, roots, slope)
    return 2.0 * s * (by_s + dot(slope, 0, by_b, 0, size))


@numba.njit(**NJIT)
def _parts(room: Array, size: int) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """What the way back needs: L, D'H, D'HD, u, r = L⁻¹ b + w, y = L⁻¹ b, and the factors' Λ."""
    a = size * stride_of(size)
    b = 3 * a
    return (
        room[:a], room[a : 2 * a], room[2 * a : b], room[b : b + size], room[b + size : b + 2 * size],
        room[b + 2 * size : b + 3 * size], room[b + 3 * size :],
    )  # fmt: skip


@numba.njit(**NJIT)
def _factor(head: Array, roots: Array, factor: int) -> tuple[int, int, int, Array]:
    """A factor's number of groups, its width, where its effects stand in u, and its Λ."""
    table = integers(head, FACTOR_TABLE, head[TOGETHER] * FACTOR_FIELDS)
    at, first = head[LINEAR], 0
    for before in range(factor):
        width = table[before * FACTOR_FIELDS + WIDTH]
        at, first = at + table[before * FACTOR_FIELDS + GROUPS] * width, first + width * width
    groups, d = table[factor * FACTOR_FIELDS + GROUPS], table[factor * FACTOR_FIELDS + WIDTH]
    return groups, d, at, roots[first : first + d * d].reshape(d, d)


@numba.njit(**NJIT)
def _write_roots(head: Array, x: Array, roots: Array) -> None:
    for factor in range(head[TOGETHER]):
        _, _, _, lam = _factor(head, roots, factor)
        factor_covariance(head, factor, x, lam)


@numba.njit(**NJIT)
def _by_roots(
    head: Array, x: Array, s: float, slope: Array, by_b: Array, by_a: Array, by_x: Array, squares: Array,
    roots: Array, product: Array, u: Array, numbers: Array,
) -> None:  # fmt: skip
    """Add the derivatives by single parameters through each Λ."""
    stride = stride_of(len(slope))
    for factor in range(head[TOGETHER]):
        groups, d, at, lam = _factor(head, roots, factor)
        by_lam = squares[: d * d].reshape(d, d)
        for i in range(d):
            for j in range(i + 1):
                total = 0.0
                for g in range(groups):
                    row, column = at + i * groups + g, at + j * groups + g
                    through = dot(product, row * stride, by_a, column * stride, stride)
                    total += slope[row] * u[column] + s * s * (2.0 * through + numbers[row] * by_b[column])
                by_lam[i, j] = total
            for j in range(i + 1, d):
                by_lam[i, j] = 0.0
        factor_covariance_back(head, factor, x, lam, by_lam, by_x)


@numba.njit(**NJIT)
def _columns(head: Array, roots: Array, matrix: Array, size: int) -> None:
    """Multiply a matrix, column after column, by D from the right."""
    linear, stride = head[LINEAR], stride_of(size)
    numbers = doubles(head, TOGETHER_NUMBERS, size + 3 * linear)
    for i in range(linear):
        scale(matrix, i * stride, numbers[size + 2 * linear + i], stride)
    for factor in range(head[TOGETHER]):
        groups, d, at, lam = _factor(head, roots, factor)
        for i in range(d):
            for g in range(groups):
                own = (at + i * groups + g) * stride
                scale(matrix, own, lam[i, i], stride)
                for j in range(i + 1, d):
                    add_scaled(matrix, own, matrix, (at + j * groups + g) * stride, lam[j, i], stride)


@numba.njit(**NJIT)
def _transposed(head: Array, roots: Array, vector: Array) -> None:
    """Multiply a vector by D'."""
    linear, size = head[LINEAR], size_together(head)
    numbers = doubles(head, TOGETHER_NUMBERS, size + 3 * linear)
    for i in range(linear):
        vector[i] *= numbers[size + 2 * linear + i]
    for factor in range(head[TOGETHER]):
        groups, d, at, lam = _factor(head, roots, factor)
        for i in range(d):
            scale(vector, at + i * groups, lam[i, i], groups)
            for j in range(i + 1, d):
                add_scaled(vector, at + i * groups, vector, at + j * groups, lam[j, i], groups)


@numba.njit(**NJIT)
def _write(head: Array, roots: Array, u: Array, theta: Array) -> None:
    """θ = D u."""
    linear, size = head[LINEAR], len(u)
    shift = head[COMMON] - linear
    numbers = doubles(head, TOGETHER_NUMBERS, size + 3 * linear)
    for i in range(linear):
        theta[i] = numbers[size + 2 * linear + i] * u[i]
    for factor in range(head[TOGETHER]):
        groups, d, at, lam = _factor(head, roots, factor)
        for i in range(d):
            for g in range(groups):
                total = 0.0
                for j in range(i + 1):
                    total += lam[i, j] * u[at + j * groups + g]
                theta[shift + at + i * groups + g] = total
