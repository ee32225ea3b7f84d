"""Nested factors, ``a/b/c``: what the data say of an outer one once those within it are integrated out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse

from hiermod.engine.adapt.mode import Mode
from hiermod.engine.adapt.precision import diagonal_blocks, spread
from hiermod.engine.layout.problem import Problem


def inner_factors(problem: Problem, place: int) -> list[int]:
    """The factors nested in one, each in the one before; none where the largest factor is not among them.

    Of two factors the largest alone can be.
    """
    last = len(problem.factors) - 1
    if place < 0 or last < 2:
        return []
    nesting = problem.nesting
    found = [own for own in range(place + 1, last + 1) if nesting[own, place]]
    chain = all(nesting[inner, outer] for outer, inner in pairwise(found))
    return found if chain and found[-1:] == [last] else []


def outer_factors(problem: Problem, place: int) -> list[int]:
    """The factors before one that it is nested in."""
    return [own for own in range(place) if problem.nesting[place, own]] if len(problem.factors) > 2 else []


def integrated(mode: Mode, inner: list[int], places: np.ndarray) -> sparse.csr_array:
    """The information on the coefficients at `places` once the effects of nested factors are integrated out.

    The innermost first: a group's effects then depend on no other group's of its factor.
    """
    problem = mode.information.problem
    spans = [problem.factors[own].span for own in inner]
    chosen = np.concatenate([places, *(np.arange(span.start, span.stop) for span in spans)])
    left = sparse.csr_array(mode.information.matrix[chosen][:, chosen])
    for own in reversed(inner):
        factor, root = problem.factors[own], mode.roots[own]
        start = left.shape[0] - factor.groups * factor.width
        given = diagonal_blocks(left[start:, start:], factor) + np.linalg.inv(root @ root.T)
        explained = sparse.csr_array(spread(np.linalg.inv(np.linalg.cholesky(given))) @ left[start:, :start])
        left = sparse.csr_array(left[:start, :start] - explained.T @ explained)
    return left
