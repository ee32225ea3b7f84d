"""Common coefficients and effects of factors with few groups from independent coordinates, in compiled code.

The means of few groups' effects, of each factor, and the intercept take each other's place, the more so the larger the
standard deviations are. So these coefficients θ are sampled jointly. With θ = D u, where D holds the factors' roots Λ
and units of common coefficients, H is the data's information and E the precision of u without data, u has the precision
``A = E + s² D' H D`` and the mean ``A⁻¹ b``, ``b = D' (s² h + q)``. So ``u = L⁻ᵀ (L⁻¹ b + w)`` with
``A = L L'``, at any standard deviations. Gradients go back through L as in Murray (2016, arXiv:1602.07527).

The workspace keeps what the way back needs: L, D'H, D'HD in `joint_lower`, `joint_product` and `joint_image`, u, L⁻¹ b
and that + w in `joint_u`, `joint_explained` and `joint_shifted`. `joint_numbers` holds h, then of each common
coefficient q, its part of E, and its unit.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.coordinates.covariance import factor_root, factor_root_back
from hiermod.engine.kernels.numbers import dense
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, copy, dot, fill, scale
from hiermod.engine.kernels.views import doubles, factor_at, matrix

Array = np.ndarray


@numba.njit(**NJIT)
def forward(record: Any, work: Any, s: float) -> float:
    """Write the coefficients; return the log density of effects with that of the map."""
    size, linear = record.joint_size, record.linear
    stride = dense.stride_of(size)
    area = size * stride
    lower, product, image = doubles(work.joint_lower), doubles(work.joint_product), _image(record, work)
    u, shifted = doubles(work.joint_u), doubles(work.joint_shifted)
    explained, w = doubles(work.joint_explained), doubles(work.w)
    information, numbers = doubles(record.joint_information), _numbers(record)
    for place in range(record.joint_factors):
        factor_root(record, factor_at(record.factor_table, place), work)
    copy(product, 0, information, 0, area)
    _columns(record, work, product)
    dense.transpose(product, size)
    copy(image, 0, product, 0, area)
    _columns(record, work, image)
    copy(lower, 0, image, 0, area)
    scale(lower, 0, s * s, area)
    for i in range(size):
        lower[i * stride + i] += numbers[size + linear + i] if i < linear else 1.0
        explained[i] = s * s * numbers[i] + (numbers[size + i] if i < linear else 0.0)
    _transposed(record, work, explained)
    total = -dense.cholesky(lower, size)
    dense.solve_lower(lower, size, explained)
    for i in range(size):
        shifted[i] = explained[i] + w[i]
        u[i] = shifted[i]
    dense.solve_upper(lower, size, u)
    for i in range(linear, size):
        total -= 0.5 * u[i] * u[i]
    _write(record, work)
    return total


@numba.njit(**NJIT)
def back(record: Any, work: Any, s: float) -> float:
    """Write the derivative by `w`, add that by hyperparameters, and return that by s."""
    size, linear = record.joint_size, record.linear
    stride = dense.stride_of(size)
    lower, by_a = doubles(work.joint_lower), doubles(work.joint_by_precision)
    u, shifted = doubles(work.joint_u), doubles(work.joint_shifted)
    explained, by_theta = doubles(work.joint_explained), doubles(work.by_theta)
    slope, by_b = doubles(work.joint_slope), doubles(work.joint_by_score)
    by_w = doubles(work.by_w)
    copy(slope, 0, by_theta, 0, linear)
    copy(slope, linear, by_theta, record.common, size - linear)
    copy(by_w, 0, slope, 0, size)
    _transposed(record, work, by_w)
    for i in range(linear, size):
        by_w[i] -= u[i]
    dense.solve_lower(lower, size, by_w)
    fill(by_a, 0, 0.0, size * stride)
    for i in range(size):
        for j in range(i):
            by_a[i * stride + j] = -(shifted[i] * by_w[j] + by_w[i] * explained[j])
        by_a[i * stride + i] = -0.5 * (by_w[i] * (shifted[i] + explained[i]) + 1.0)
    copy(by_b, 0, by_w, 0, size)
    dense.solve_upper(lower, size, by_b)
    dense.solve_upper_rows(lower, size, by_a)
    dense.transpose(by_a, size)
    dense.solve_upper_rows(lower, size, by_a)
    dense.symmetric(by_a, size)
    _by_roots(record, work, s)
    by_s = dot(_image(record, work), 0, by_a, 0, size * stride)
    copy(slope, 0, _numbers(record), 0, size)
    _transposed(record, work, slope)
    return 2.0 * s * (by_s + dot(slope, 0, by_b, 0, size))


@numba.njit(**NJIT)
def _image(record: Any, work: Any) -> Array:
    return doubles(work.joint_image)


@numba.njit(**NJIT)
def _numbers(record: Any) -> Array:
    return doubles(record.joint_numbers)


@numba.njit(**NJIT)
def _by_roots(record: Any, work: Any, s: float) -> None:
    """Add the derivatives by hyperparameters through each Λ."""
    size = record.joint_size
    stride, numbers = dense.stride_of(size), _numbers(record)
    product, by_a = doubles(work.joint_product), doubles(work.joint_by_precision)
    slope, u, by_b = doubles(work.joint_slope), doubles(work.joint_u), doubles(work.joint_by_score)
    for place in range(record.joint_factors):
        factor = factor_at(record.factor_table, place)
        by_root, groups, at = matrix(work.by_root, factor.width), factor.groups, factor.coordinate
        for i in range(factor.width):
            for j in range(i + 1):
                total = 0.0
                for g in range(groups):
                    row, column = at + i * groups + g, at + j * groups + g
                    through = dot(product, row * stride, by_a, column * stride, stride)
                    total += slope[row] * u[column] + s * s * (2.0 * through + numbers[row] * by_b[column])
                by_root[i, j] = total
            for j in range(i + 1, factor.width):
                by_root[i, j] = 0.0
        factor_root_back(record, factor, work)


@numba.njit(**NJIT)
def _columns(record: Any, work: Any, matrix_: Array) -> None:
    """Multiply a matrix, column after column, by D from the right."""
    linear, size = record.linear, record.joint_size
    stride, numbers = dense.stride_of(size), _numbers(record)
    for i in range(linear):
        scale(matrix_, i * stride, numbers[size + 2 * linear + i], stride)
    for place in range(record.joint_factors):
        factor = factor_at(record.factor_table, place)
        root, groups, at = matrix(work.roots + 8 * factor.root, factor.width), factor.groups, factor.coordinate
        for i in range(factor.width):
            for g in range(groups):
                column = (at + i * groups + g) * stride
                scale(matrix_, column, root[i, i], stride)
                for j in range(i + 1, factor.width):
                    add_scaled(matrix_, column, matrix_, (at + j * groups + g) * stride, root[j, i], stride)


@numba.njit(**NJIT)
def _transposed(record: Any, work: Any, vector: Array) -> None:
    """Multiply a vector by D'."""
    linear, size, numbers = record.linear, record.joint_size, _numbers(record)
    for i in range(linear):
        vector[i] *= numbers[size + 2 * linear + i]
    for place in range(record.joint_factors):
        factor = factor_at(record.factor_table, place)
        root, groups, at = matrix(work.roots + 8 * factor.root, factor.width), factor.groups, factor.coordinate
        for i in range(factor.width):
            scale(vector, at + i * groups, root[i, i], groups)
            for j in range(i + 1, factor.width):
                add_scaled(vector, at + i * groups, vector, at + j * groups, root[j, i], groups)


@numba.njit(**NJIT)
def _write(record: Any, work: Any) -> None:
    """θ = D u."""
    linear, size, numbers = record.linear, record.joint_size, _numbers(record)
    theta, u = doubles(work.theta), doubles(work.joint_u)
    for i in range(linear):
        theta[i] = numbers[size + 2 * linear + i] * u[i]
    for place in range(record.joint_factors):
        factor = factor_at(record.factor_table, place)
        root, groups, at = matrix(work.roots + 8 * factor.root, factor.width), factor.groups, factor.coordinate
        for i in range(factor.width):
            for g in range(groups):
                total = 0.0
                for j in range(i + 1):
                    total += root[i, j] * u[at + j * groups + g]
                theta[factor.start + i * groups + g] = total
