"""Log likelihoods with the effects of groups integrated out, at many points of the hyperparameters at once.

Effects are ``u = Λ o`` with standard normals o and the Cholesky factor Λ of their covariance. Points have shape
``(points, ...)``: coefficients ``(points, columns)``, Λ ``(points, width, width)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import logsumexp

from hiermod.engine.layout.problem import Problem
from hiermod.marginal.patterns import Patterns, joint_ids

NEWTON = 40
SMALL_STEP = 1e-10
CHUNK = 2_000_000  # numbers that are worked on at once


class Likelihood(Protocol):
    """A log likelihood of coefficients, Λ and the family's parameters, up to a constant."""

    def log_likelihood(self, beta: np.ndarray, root: np.ndarray, auxiliary: np.ndarray) -> np.ndarray:
        """At points; shape ``(points,)``."""

    @property
    def work(self) -> int:
        """How many terms are computed at a point."""


def softplus(eta: np.ndarray) -> np.ndarray:
    """The logarithm of 1 + exp(eta)."""
    return np.asarray(np.maximum(eta, 0.0) + np.log1p(np.exp(-np.abs(eta))))


def _logistic(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    small = np.exp(-np.abs(eta))
    rate = np.where(eta >= 0.0, 1.0, small) / (1.0 + small)
    return rate, rate * (1.0 - rate)


def _exponential(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = np.exp(eta)
    return mean, mean


# By kernel: the cumulant function b of a canonical link, and its first two derivatives.
CUMULANTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[..., tuple[np.ndarray, np.ndarray]]]] = {
    "trials_logit": (softplus, _logistic),
    "one_trial_logit": (softplus, _logistic),
    "poisson_log": (np.exp, _exponential),
}


@dataclass(frozen=True, eq=False)
class PatternLikelihood:
    """Under a canonical link: Gauss-Hermite quadrature for each pattern, with nodes that stay where they are put.

    Nodes are placed at a pattern's mode, in units of its standard deviation there, at one point of the
    hyperparameters; they are standard normals o, so that u = Λ o follows Λ.
    """

    patterns: Patterns
    kernel: str
    sums: np.ndarray  # of responses with the design
    nodes: np.ndarray  # shape (patterns, nodes, width)
    log_weights: np.ndarray  # shape (patterns, nodes)

    @property
    def work(self) -> int:
        """Entries times nodes."""
        return len(self.patterns.size) * self.nodes.shape[1]

    def placed(self, beta: np.ndarray, root: np.ndarray, nodes: int) -> PatternLikelihood:
        """The same with so many nodes a dimension, placed at one point."""
        mode, spread = self._modes(beta, root)
        width = mode.shape[1]
        x, weights = hermegauss(nodes)
        grid = np.array(list(product(x, repeat=width)))
        log_weight = np.array([np.log(part).sum() for part in product(weights, repeat=width)])
        placed = mode[:, None, :] + np.einsum("pij,kj->pki", spread, grid)
        log_volume = np.log(np.abs(np.diagonal(spread, axis1=1, axis2=2))).sum(axis=1)
        log_ratio = 0.5 * (grid**2).sum(axis=1) - 0.5 * (placed**2).sum(axis=2) - 0.5 * width * np.log(2.0 * np.pi)
        return replace(self, nodes=placed, log_weights=log_weight + log_ratio + log_volume[:, None])

    def log_likelihood(self, beta: np.ndarray, root: np.ndarray, auxiliary: np.ndarray) -> np.ndarray:
        """At points, shape ``(points,)``."""
        step = max(1, CHUNK // self.work)
        parts = [self._some(beta[at : at + step], root[at : at + step]) for at in range(0, len(beta), step)]
        return np.concatenate(parts)

    def _some(self, beta: np.ndarray, root: np.ndarray) -> np.ndarray:
        own = self.patterns
        cumulant, _ = CUMULANTS[self.kernel]
        effects = np.einsum("bij,pkj->bpki", root, self.nodes)
        eta = (beta @ own.design.T + own.offset)[:, :, None]
        eta = eta + np.einsum("bekj,ej->bek", effects[:, own.pattern_of_entry], own.multipliers)
        terms = np.add.reduceat(own.size[:, None] * cumulant(eta), own.starts, axis=1)
        inner = np.einsum("bpkj,pj->bpk", effects, own.totals) - terms + self.log_weights
        return np.asarray(beta @ self.sums + logsumexp(inner, axis=2) @ own.counts)

    def _modes(self, beta: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each pattern's most likely normals, and a factor of their covariance there, by Newton's steps."""
        own = self.patterns
        _, slopes = CUMULANTS[self.kernel]
        base, along = beta @ own.design.T + own.offset, own.multipliers @ root
        normals, group = np.zeros(own.totals.shape), own.pattern_of_entry
        identity = np.eye(normals.shape[1])
        for _ in range(NEWTON):
            mean, variance = slopes(np.clip(base + (along * normals[group]).sum(axis=1), -500.0, 500.0))
            pull = np.add.reduceat((own.size * mean)[:, None] * along, own.starts)
            outer = along[:, :, None] * along[:, None, :]
            precision = identity + np.add.reduceat((own.size * variance)[:, None, None] * outer, own.starts)
            step = np.linalg.solve(precision, (own.totals @ root - pull - normals)[..., None])[..., 0]
            normals = normals + np.clip(step, -2.0, 2.0)
            if np.abs(step).max(initial=0.0) < SMALL_STEP:
                break
        return normals, np.linalg.inv(np.linalg.cholesky(precision)).swapaxes(1, 2)


def pattern_likelihood(problem: Problem, patterns: Patterns) -> PatternLikelihood:
    """The likelihood of a problem, its nodes not yet placed."""
    width = patterns.totals.shape[1]
    nodes, log_weights = np.zeros((len(patterns.counts), 1, width)), np.zeros((len(patterns.counts), 1))
    return PatternLikelihood(patterns, problem.kernel, problem.design @ problem.response, nodes, log_weights)


@dataclass(frozen=True, eq=False)
class GaussianLikelihood:
    """In closed form, from the sums of groups that share their information on effects.

    A group is y = Xβ + Zu with residual standard deviation sigma; v are its sums Z'W(y, X), and (1, -β) makes
    Z'W(y - Xβ) of them.
    """

    information: np.ndarray  # Z'WZ by structure, shape (structures, width, width)
    counts: np.ndarray  # of groups, shape (structures,)
    products: np.ndarray  # sums of v v', shape (structures, width, columns + 1, width, columns + 1)
    totals: np.ndarray  # (y, X)'W(y, X)
    squares: float
    observations: float

    @property
    def work(self) -> int:
        """Numbers of all structures."""
        return int(self.products.size)

    def log_likelihood(self, beta: np.ndarray, root: np.ndarray, auxiliary: np.ndarray) -> np.ndarray:
        """At points, shape ``(points,)``; sigma is the only parameter of the family."""
        step = max(1, CHUNK // self.work)
        return np.concatenate(
            [self._some(beta[at : at + step], root[at : at + step], auxiliary[at : at + step, 0])
             for at in range(0, len(beta), step)]
        )  # fmt: skip

    def _some(self, beta: np.ndarray, root: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Entries of matrices are arrays of points by structures: there are few entries, and very many structures."""
        rest = np.concatenate([np.ones((len(beta), 1)), -beta], axis=1)
        outer = (rest[:, :, None] * rest[:, None, :]).reshape(len(beta), -1).T
        width, variance = root.shape[1], (sigma**2)[:, None]
        pairs = [(i, j) for i in range(width) for j in range(i + 1)]
        scores = {(i, j): (self.products[:, i, :, j, :].reshape(len(self.products), -1) @ outer).T for i, j in pairs}
        information = {(i, j): self.information[:, i, j] for i, j in pairs}
        precision, turned = (_turned(entries, root) for entries in (information, scores))
        lower = _cholesky({(i, j): float(i == j) + precision[i, j] / variance for i, j in pairs}, width)
        log_volume = 2.0 * sum(np.log(lower[i, i]) @ self.counts for i in range(width))
        explained = _explained(lower, turned, width).sum(axis=1)
        squares = np.einsum("bx,xy,by->b", rest, self.totals, rest) + self.squares
        return np.asarray(
            0.5 * (explained / variance[:, 0] - squares) / variance[:, 0]
            - 0.5 * log_volume - self.observations * np.log(sigma)
        )  # fmt: skip


Entries = dict[tuple[int, int], np.ndarray]


def _turned(entries: Entries, root: np.ndarray) -> Entries:
    """The lower triangle of Λ'MΛ of symmetric matrices M."""
    width = root.shape[1]
    found: Entries = {}
    for i, j in entries:
        found[i, j] = np.zeros(1)
        for k in range(i, width):
            for m in range(j, width):
                found[i, j] = found[i, j] + (root[:, k, i] * root[:, m, j])[:, None] * entries[max(k, m), min(k, m)]
    return found


def _cholesky(entries: Entries, width: int) -> Entries:
    lower: Entries = {}
    for j in range(width):
        for i in range(j, width):
            left = entries[i, j]
            for k in range(j):
                left = left - lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(left) if i == j else left / lower[j, j]
    return lower


def _explained(lower: Entries, entries: Entries, width: int) -> np.ndarray:
    """The trace of (LL')^-1 M, by the rows of L^-1."""
    inverse: Entries = {}
    total = np.zeros(1)
    for i in range(width):
        inverse[i, i] = 1.0 / lower[i, i]
        for j in range(i):
            inverse[i, j] = -inverse[i, i] * sum(lower[i, k] * inverse[k, j] for k in range(j, i))
        for j in range(i + 1):
            total = total + inverse[i, j] ** 2 * entries[j, j]
            for k in range(j):
                total = total + 2.0 * inverse[i, j] * inverse[i, k] * entries[j, k]
    return total


def posterior_precision(information: np.ndarray, root: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """I + Λ'Z'WZΛ / sigma², the precision of o, shape ``(points, structures, width, width)``."""
    turned = np.einsum("bki,skl,blj->bsij", root, information, root, optimize=True)
    return np.asarray(np.eye(root.shape[1]) + turned / (sigma**2)[:, None, None, None])


def group_sums(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Z'WZ, shape ``(groups, width, width)``, and Z'W(y, X), shape ``(groups, width, columns + 1)``."""
    factor = problem.factors[0]
    columns = np.vstack([problem.response - problem.offset, problem.design])

    def summed(numbers: np.ndarray) -> np.ndarray:
        return np.bincount(factor.codes, problem.size * numbers, minlength=factor.groups)

    information = [[summed(one * other) for other in factor.multipliers] for one in factor.multipliers]
    sums = [[summed(one * column) for column in columns] for one in factor.multipliers]
    return np.moveaxis(np.array(information), 2, 0), np.moveaxis(np.array(sums), 2, 0)


def gaussian_likelihood(problem: Problem) -> GaussianLikelihood:
    """The likelihood of a problem."""
    information, sums = group_sums(problem)
    structure = joint_ids(list(information.reshape(len(information), -1).T))
    order = np.argsort(structure, kind="stable")
    starts = np.flatnonzero(np.diff(structure[order], prepend=-1))
    products = np.add.reduceat(np.einsum("gix,gjy->gixjy", sums[order], sums[order]), starts)
    columns = np.vstack([problem.response - problem.offset, problem.design])
    totals = (columns * problem.size) @ columns.T
    counts = np.bincount(structure).astype(float)
    return GaussianLikelihood(
        information[order[starts]], counts, products, totals, problem.squares, problem.observations
    )
