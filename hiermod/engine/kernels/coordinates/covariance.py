"""Covariances of effects as Cholesky factors Λ of standard deviations and partial correlations, in compiled code."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT, plain
from hiermod.engine.kernels.numbers.vector_ops import fill
from hiermod.engine.kernels.record import HORSESHOE
from hiermod.engine.kernels.views import doubles, matrix, shrinkage_at, term_at

Array = np.ndarray
term_root = numba.njit(**NJIT)(plain.term_root)
shrunk_root = numba.njit(**NJIT)(plain.shrunk_root)


@numba.njit(**NJIT)
def term_root_back(x: Array, term: Any, root: Array, by_root: Array, by_x: Array) -> None:
    """Add the derivatives by standard deviations and by offsets of partial correlations."""
    place, first, partial, sds = term.partial, term.first, term.partial, term.sds
    for i in range(term.columns):
        later = by_root[first + i, first + i] * root[first + i, first + i]
        for j in range(i - 1, -1, -1):
            part = by_root[first + i, first + j] * root[first + i, first + j]
            if partial >= 0:
                offset = x[place + j]
                rest = x[sds + i * term.step]
                for k in range(j):
                    rest *= 2.0 * math.sqrt(x[place + k] * (1.0 - x[place + k]))
                by_x[place + j] += 2.0 * rest * by_root[first + i, first + j]
                by_x[place + j] -= later * (2.0 * offset - 1.0) / (2.0 * offset * (1.0 - offset))
            later += part
        by_x[sds + i * term.step] += later / x[sds + i * term.step]
        place += i


@numba.njit(**NJIT)
def shrunk_root_back(x: Array, own: Any, root: Array, by_root: Array, by_x: Array) -> None:
    """Add the derivatives by what slopes with one prior share, and by each one's scale or stick."""
    whole, shared = x[own.sigma] if own.sigma >= 0 else 1.0, x[own.shared]
    total, later = 0.0, 0.0  # of derivatives by the logarithm of what all share, and of those of later slopes
    for i in range(own.columns - 1, -1, -1):
        slope = by_root[i, i] * root[i, i]
        if own.kind == HORSESHOE:
            ratio = whole * shared * x[own.single + i] / x[own.slab]
            wide = slope / (1.0 + ratio * ratio)  # by the logarithm of the scale without the slab
            by_x[own.single + i] += wide / x[own.single + i]
            by_x[own.slab] += (slope - wide) / x[own.slab]
            total += wide
            continue
        if i < own.columns - 1:
            stick = x[own.single + i]
            by_x[own.single + i] += 0.5 * (slope / stick - later / (1.0 - stick))
        later += slope
        total += slope
    by_x[own.shared] += total / shared if own.kind == HORSESHOE else 0.5 * total / (shared * (1.0 - shared))
    if own.sigma >= 0:
        by_x[own.sigma] += total / whole


@numba.njit(**NJIT)
def factor_root(record: Any, factor: Any, work: Any) -> None:
    """Write Λ of a factor: those of its group terms, along the diagonal."""
    x, at = doubles(work.x), work.roots + 8 * factor.root
    root = matrix(at, factor.width)
    fill(doubles(at), 0, 0.0, factor.width * factor.width)
    for term in range(factor.first_term, factor.first_term + factor.terms):
        term_root(x, term_at(record.term_table, term), root)
    if factor.shrinkage >= 0:
        shrunk_root(x, shrinkage_at(record.shrinkage_table, factor.shrinkage), root)


@numba.njit(**NJIT)
def factor_root_back(record: Any, factor: Any, work: Any) -> None:
    """Add the derivatives by what Λ is made of, from that by Λ, in `by_root`."""
    x, by_x = doubles(work.x), doubles(work.by_x)
    root, by_root = matrix(work.roots + 8 * factor.root, factor.width), matrix(work.by_root, factor.width)
    for term in range(factor.first_term, factor.first_term + factor.terms):
        term_root_back(x, term_at(record.term_table, term), root, by_root, by_x)
    if factor.shrinkage >= 0:
        shrunk_root_back(x, shrinkage_at(record.shrinkage_table, factor.shrinkage), root, by_root, by_x)
