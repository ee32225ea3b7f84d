"""The precision matrix of a problem's coefficients, by blocks: few common ones, and small blocks of each group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from hiermod.engine.layout.problem import Factor, Problem

MOST_STEPS = 200
CLOSE = 1e-8
RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class Information:
    """What the data say of the coefficients near a point: minus the Hessian of the log likelihood, and its gradient.

    ``matrix`` is sparse, shape ``(coefficients, coefficients)``; effects of a factor's column stand together, so that
    a factor's groups are the diagonals of its blocks.
    """

    problem: Problem
    matrix: sparse.csr_array
    score: np.ndarray

    @cached_property
    def groups(self) -> tuple[np.ndarray, ...]:
        """Of each factor, the groups' blocks, shape ``(groups, width, width)``."""
        return tuple(diagonal_blocks(self.matrix[factor.span, factor.span], factor) for factor in self.problem.factors)


def diagonal_blocks(matrix: sparse.csr_array, factor: Factor) -> np.ndarray:
    """The groups' blocks of a factor's matrix, shape ``(groups, width, width)``."""
    groups, width = factor.groups, factor.width
    blocks = np.empty((groups, width, width))
    for i in range(width):
        rows = matrix[i * groups : (i + 1) * groups]
        for j in range(width):
            blocks[:, i, j] = rows[:, j * groups : (j + 1) * groups].diagonal()
    return blocks


def spread(blocks: np.ndarray) -> sparse.csr_array:
    """A matrix with these blocks, shape ``(groups, width, width)``, in the order of a factor's effects."""
    size = blocks.shape[0] * blocks.shape[1]
    return sparse.csr_array((blocks.ravel(), places(blocks)), shape=(size, size))


def places(blocks: np.ndarray, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns where the numbers of blocks stand in a matrix of effects from `start` on."""
    groups, width, _ = blocks.shape
    at = start + np.arange(width)[None, :] * groups + np.arange(groups)[:, None]
    rows, columns = (np.broadcast_to(part, blocks.shape).ravel() for part in (at[:, :, None], at[:, None, :]))
    return rows, columns


def without_factor(
    matrix: sparse.csr_array, rest: Factor, last: Factor, given: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, sparse.csr_array]:
    """The groups' blocks of one factor, and its part with known coefficients, once another is integrated out.

    Parameters
    ----------
    known : ndarray of int
        Where these coefficients stand.
    given : ndarray, shape (groups of last, width, width)
        The precision of the effects of `last`, given all other coefficients.
    """
    root = spread(np.linalg.inv(np.linalg.cholesky(given)))
    explained = sparse.csc_array(root @ matrix[last.span, rest.span])
    groups, width = rest.groups, rest.width
    blocks = diagonal_blocks(matrix[rest.span, rest.span], rest)
    for i in range(width):
        first = explained[:, i * groups : (i + 1) * groups]
        for j in range(width):
            second = explained[:, j * groups : (j + 1) * groups]
            blocks[:, i, j] -= first.multiply(second).sum(axis=0)
    across = root @ matrix[last.span][:, known]
    return blocks, sparse.csr_array(matrix[rest.span][:, known] - explained.T @ across)


def wide(matrix: sparse.csr_array, columns: int) -> sparse.csr_array:
    """The matrix with columns of zeros added at the end."""
    rows = matrix.shape[0]
    return sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(rows, columns))


@dataclass(frozen=True, eq=False)
class Precision:
    """The posterior precision of all coefficients at given covariances of effects and priors of the common ones."""

    matrix: sparse.csr_array
    common: np.ndarray
    groups: tuple[np.ndarray, ...]
    problem: Problem

    def solve(self, right: np.ndarray, common: bool = True) -> np.ndarray:
        """Solve for one right side by conjugate gradients; without the common coefficients, these are held."""
        first = 0 if common else self.problem.common
        matrix = self.matrix[first:, first:]
        x, residual = np.zeros(len(right)), right.copy()
        y = self._near(residual, first)
        direction, product = y, residual @ y
        bound = CLOSE**2 * product
        for _ in range(MOST_STEPS):
            if not product > bound:
                break
            along = matrix @ direction
            step = product / (direction @ along)
            x += step * direction
            residual -= step * along
            y = self._near(residual, first)
            product, before = residual @ y, product
            direction = y + (product / before) * direction
        return x

    def _near(self, right: np.ndarray, first: int) -> np.ndarray:
        """Solve with the blocks of groups and of common coefficients alone."""
        out = np.empty_like(right)
        if not first:
            out[: self.problem.common] = self.common @ right[: self.problem.common]
        for factor, inverse in zip(self.problem.factors, self.groups, strict=True):
            span = slice(factor.span.start - first, factor.span.stop - first)
            part = right[span].reshape(factor.width, factor.groups)
            out[span] = np.einsum("gij,jg->ig", inverse, part).ravel()
        return out

    def of_common(self) -> np.ndarray:
        """The precision of the common coefficients once all effects are integrated out."""
        count = self.problem.common
        inner = self.matrix[:count, :count].toarray()
        across = self.matrix[count:, :count].toarray()
        solved = [self.solve(across[:, j], common=False) for j in range(count)]
        schur = inner - across.T @ np.column_stack(solved) if solved and len(across) else inner
        return 0.5 * (schur + schur.T)


def precision(information: Information, prior: np.ndarray, roots: tuple[np.ndarray, ...]) -> Precision:
    """Add the priors to what the data say.

    Parameters
    ----------
    prior : ndarray, shape (common,)
        The precision of the common coefficients' priors.
    roots : tuple of ndarray, each (width, width)
        Cholesky factors of the covariances of each factor's effects.
    """
    problem, count = information.problem, information.problem.common
    values, rows, columns = [prior], [np.arange(count)], [np.arange(count)]
    inverses = []
    for factor, blocks, root in zip(problem.factors, information.groups, roots, strict=True):
        given = np.broadcast_to(np.linalg.inv(root @ root.T), blocks.shape)
        inverses.append(np.linalg.inv(blocks + given))
        down, across = places(given, factor.start)
        values, rows, columns = [*values, given.ravel()], [*rows, down], [*columns, across]
    where = np.concatenate(rows), np.concatenate(columns)
    matrix = information.matrix + sparse.csr_array((np.concatenate(values), where), shape=information.matrix.shape)
    common = matrix[:count, :count].toarray()
    return Precision(matrix, np.linalg.inv(common + RIDGE * np.diag(np.diag(common))), tuple(inverses), problem)
