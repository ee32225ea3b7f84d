"""The log likelihood of a Gaussian model with the effects of groups integrated out, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from hiermod.engine.layout.problem import Factor, Problem, columns_of
from hiermod.marginal.patterns import joint_ids

CHUNK = 2_000_000  # numbers that are worked on at once
POINTS, BLOCK = 16, 16_384  # points, and numbers of an array, that are worked on at once


@dataclass(frozen=True, eq=False)
class GaussianLikelihood:
    """In closed form, from the sums of groups, taken together where these share their information on effects.

    A group is y = Xβ + Zu with residual standard deviation sigma; v are its sums Z'W(y, X), and (1, -β) makes
    Z'W(y - Xβ) of them. Groups with the same information, a structure, enter by the sum of their v v', and so by as few
    vectors as have this sum.

    Parameters
    ----------
    information : ndarray, shape (1 + pairs, structures)
        Ones, and the lower triangle of Z'WZ by structure.
    counts : ndarray, shape (structures,)
        How many groups have each.
    vectors : ndarray, shape (slots, width * (columns + 1), structures)
    totals : ndarray, shape (columns + 1, columns + 1)
        (y, X)'W(y, X).
    """

    information: np.ndarray
    counts: np.ndarray
    vectors: np.ndarray
    totals: np.ndarray
    squares: float
    observations: float

    @property
    def work(self) -> int:
        """Numbers of all structures."""
        return int(self.vectors.size + self.information.size)

    def log_likelihood(self, beta: np.ndarray, root: np.ndarray, auxiliary: np.ndarray) -> np.ndarray:
        """At points, shape ``(points,)``; sigma is the only parameter of the family."""
        return np.concatenate(
            [self._some(beta[at : at + POINTS], root[at : at + POINTS], auxiliary[at : at + POINTS, 0])
             for at in range(0, len(beta), POINTS)]
        )  # fmt: skip

    def _some(self, beta: np.ndarray, root: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Entries of matrices are arrays of points by structures, as many at once as a processor holds near itself."""
        rest = np.concatenate([np.ones((len(beta), 1)), -beta], axis=1)
        size, width = root.shape[:2]
        of_precision = _precision_map(root, sigma).reshape(-1, len(self.information))
        of_scores = np.einsum("bki,bx->ibkx", root, rest).reshape(width * size, -1)
        log_volume, explained, step = np.zeros(size), np.zeros(size), max(1, BLOCK // size)
        for at in range(0, len(self.counts), step):
            own = slice(at, at + step)
            entries = (of_precision @ self.information[:, own]).reshape(len(self.information) - 1, size, -1)
            diagonal, lower = _decomposed(entries, width)
            log_volume += np.log(math.prod(diagonal)) @ self.counts[own]
            for vectors in self.vectors:
                scores = (of_scores @ vectors[:, own]).reshape(width, size, -1)
                explained += _explained(diagonal, lower, scores)
        squares = np.einsum("bx,xy,by->b", rest, self.totals, rest) + self.squares
        return np.asarray(
            0.5 * (explained / sigma**2 - squares) / sigma**2
            - 0.5 * log_volume - self.observations * np.log(sigma)
        )  # fmt: skip


def _pairs(width: int) -> list[tuple[int, int]]:
    """Places of a lower triangle, in the order of its entries."""
    return [(i, j) for i in range(width) for j in range(i + 1)]


def _precision_map(root: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """From ones and the lower triangle of M to that of I + Λ'MΛ / sigma²; shape ``(pairs, points, 1 + pairs)``."""
    width = root.shape[1]
    pairs, found = _pairs(width), []
    for i, j in pairs:
        of_entries = [
            root[:, k, i] * root[:, m, j] + (root[:, m, i] * root[:, k, j] if k != m else 0.0) for k, m in pairs
        ]
        found.append(np.column_stack([np.full(len(root), float(i == j)), *of_entries / sigma**2]))
    return np.stack(found)


Rows = list[np.ndarray]
Lower = dict[tuple[int, int], np.ndarray]


def _decomposed(entries: np.ndarray, width: int) -> tuple[Rows, Lower]:
    """D, and L below its diagonal of ones, of matrices LDL' given by their lower triangles."""
    given = dict(zip(_pairs(width), entries, strict=True))
    diagonal: Rows = []
    lower: Lower = {}
    for j in range(width):
        left = given[j, j]
        for k in range(j):
            left = left - lower[j, k] ** 2 * diagonal[k]
        diagonal.append(left)
        for i in range(j + 1, width):
            below = given[i, j]
            for k in range(j):
                below = below - lower[i, k] * lower[j, k] * diagonal[k]
            lower[i, j] = below / left
    return diagonal, lower


def _explained(diagonal: Rows, lower: Lower, scores: np.ndarray) -> np.ndarray:
    """Sums of s'(LDL')^-1 s over structures, shape ``(points,)``."""
    solved: Rows = []
    total = np.zeros(scores.shape[1])
    for i, score in enumerate(scores):
        for k in range(i):
            score = score - lower[i, k] * solved[k]
        solved.append(score)
        total += np.einsum("bs,bs->b", score, score / diagonal[i])
    return total


def posterior_precision(information: np.ndarray, root: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """I + Λ'Z'WZΛ / sigma², the precision of o, shape ``(points, structures, width, width)``."""
    turned = np.einsum("bki,skl,blj->bsij", root, information, root, optimize=True)
    return np.asarray(np.eye(root.shape[1]) + turned / (sigma**2)[:, None, None, None])


def group_sums(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Z'WZ, shape ``(groups, width, width)``, and Z'W(y, X), shape ``(groups, width, columns + 1)``."""
    factor, (dense, others) = problem.factors[-1], _columns(problem)

    def summed(numbers: np.ndarray, codes: np.ndarray | int = 0, size: int = 1) -> np.ndarray:
        places = factor.codes.astype(np.int64) * size + codes
        return np.bincount(places, problem.size * numbers, minlength=factor.groups * size).reshape(-1, size)

    information = [[summed(one * other)[:, 0] for other in factor.multipliers] for one in factor.multipliers]
    sums = [
        np.hstack([
            *(summed(one * column) for column in dense),
            *(summed(one * column, own.codes, own.groups) for own in others for column in own.multipliers),
        ])
        for one in factor.multipliers
    ]  # fmt: skip
    return np.moveaxis(np.array(information), 2, 0), np.stack(sums, axis=1)


def _columns(problem: Problem) -> tuple[np.ndarray, tuple[Factor, ...]]:
    """The response and the columns of the design before the last factor's: dense ones, and factors of several groups.

    Smooths and sets of slopes, of one group each, come first.
    """
    *factors, _ = problem.factors
    single = next((place for place, own in enumerate(factors) if own.groups > 1), len(factors))
    rows = [problem.response - problem.offset, *problem.design]
    rows += [column for own in factors[:single] for column in own.multipliers]
    return np.array(rows), tuple(factors[single:])


def _totals(problem: Problem) -> np.ndarray:
    """(y, F)'W(y, F)."""
    dense, others = _columns(problem)
    weighted = dense * problem.size
    found = weighted @ dense.T
    if not others:
        return np.asarray(found)
    columns = sparse.csr_array(sparse.hstack([columns_of(own) for own in others], format="csr"))
    across = (columns.T @ weighted.T).T
    inner = (columns.T @ (columns * problem.size[:, None])).toarray()
    return np.block([[found, across], [across.T, inner]])


def gaussian_likelihood(problem: Problem) -> GaussianLikelihood:
    """The likelihood of a problem."""
    information, sums = group_sums(problem)
    vectors = sums.reshape(len(sums), -1)
    structure = joint_ids(list(information.reshape(len(information), -1).T))
    counts = np.bincount(structure).astype(float)
    if len(counts) * vectors.shape[1] < len(vectors):
        order = np.argsort(structure, kind="stable")
        starts = np.flatnonzero(np.diff(structure[order], prepend=-1))
        products = np.add.reduceat(vectors[order, :, None] * vectors[order, None, :], starts)
        slots, information = _roots(products), information[order[starts]]
    else:
        counts, slots = np.ones(len(vectors)), vectors.T[None]
    entries = np.stack([np.ones(len(counts)), *(information[:, i, j] for i, j in _pairs(information.shape[1]))])
    return GaussianLikelihood(
        entries, counts, np.ascontiguousarray(slots), _totals(problem), problem.squares, problem.observations
    )


def _roots(products: np.ndarray) -> np.ndarray:
    """Vectors whose v v' add up to each matrix, shape ``(slots, size, matrices)``."""
    values, directions = np.linalg.eigh(products)
    return np.asarray((directions * np.sqrt(np.maximum(values, 0.0))[:, None, :]).transpose(2, 1, 0))
