"""The log likelihood under a canonical link with the effects of groups integrated out, by Gauss-Hermite quadrature.

Effects are ``u = Λ o`` with standard normals o and the Cholesky factor Λ of their covariance. Points of the
hyperparameters have shape ``(points, ...)``: coefficients ``(points, columns)``, Λ ``(points, width, width)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from hiermod.engine.build.compile import library
from hiermod.engine.kernels.record import EXPONENTIAL, INTEGRALS, LOGISTIC, NO_MEMORY
from hiermod.engine.layout.memory import Memory, lay_out, replaced
from hiermod.engine.layout.problem import Problem, columns_of
from hiermod.marginal.patterns import Patterns

NEWTON = 40
SMALL_STEP = 1e-10
LONGEST_STEP = 2.0


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


@dataclass(frozen=True)
class Canonical:
    """A canonical link: its code in kernels, its cumulant function b, and the first two derivatives of that."""

    code: int
    cumulant: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


LINKS = {
    "trials_logit": Canonical(LOGISTIC, softplus, _logistic),
    "one_trial_logit": Canonical(LOGISTIC, softplus, _logistic),
    "poisson_log": Canonical(EXPONENTIAL, np.exp, _exponential),
}  # by kernel


@dataclass(frozen=True, eq=False)
class PatternLikelihood:
    """A sum over patterns, each integrated with nodes that stay where they are put.

    Nodes stand at a pattern's mode, in units of its standard deviation there, at one point of the hyperparameters;
    they are standard normals o, so that the effects Λ o follow Λ.
    """

    patterns: Patterns
    kernel: str
    sums: np.ndarray  # of responses with the design
    memory: Memory

    @property
    def work(self) -> int:
        """Entries times nodes, what a point costs."""
        return len(self.patterns.size) * self.nodes

    @property
    def nodes(self) -> int:
        """Of each pattern."""
        return int(self.memory.record["nodes"][0])

    @property
    def nodes_of_dimension(self) -> int:
        """The root of that."""
        return round(self.nodes ** (1.0 / self.patterns.totals.shape[1]))

    def sample(self, groups: int) -> PatternLikelihood:
        """The likelihood of so many groups at most; `sums` are in proportion, which does for a start."""
        some = self.patterns.sample(groups)
        share = some.counts.sum() / self.patterns.counts.sum()
        return likelihood_of_patterns(some, self.kernel, share * self.sums)

    def at(self, beta: np.ndarray, root: np.ndarray) -> PatternLikelihood:
        """The same, nodes standing where one point puts them."""
        return self.at_predictors(self.patterns.design @ beta + self.patterns.offset, root)

    def at_predictors(self, base: np.ndarray, root: np.ndarray) -> PatternLikelihood:
        """The same, given the entries' linear predictors without effects."""
        mode, spread = find_modes(self.patterns, self.kernel, base, root)
        volume = np.log(np.abs(np.diagonal(spread, axis1=1, axis2=2))).sum(axis=1)
        arrays = {"modes": mode, "spreads": spread, "log_volumes": volume}
        return replace(self, memory=replaced(self.memory, {}, arrays))

    def with_nodes(self, number: int) -> PatternLikelihood:
        """The same with so many nodes a dimension."""
        width = self.patterns.totals.shape[1]
        x, weights = hermegauss(number)
        grid = np.array(list(product(x, repeat=width)))
        log_weight = np.array([np.log(part).sum() for part in product(weights, repeat=width)])
        log_weight += 0.5 * (grid**2).sum(axis=1) - 0.5 * width * np.log(2.0 * np.pi)
        arrays = {"grid": grid.T, "log_weights": log_weight}
        return replace(self, memory=replaced(self.memory, {"nodes": len(grid)}, arrays))

    def log_likelihood(self, beta: np.ndarray, root: np.ndarray, auxiliary: np.ndarray) -> np.ndarray:
        """At points, shape ``(points,)``."""
        beta, root = np.ascontiguousarray(beta, dtype=float), np.ascontiguousarray(root, dtype=float)
        out = np.empty(len(beta))
        addresses = (each.ctypes.data for each in (beta, root, out))
        if library().functions["integrals"](len(beta), *addresses, self.memory.address) == NO_MEMORY:
            raise MemoryError("There is no memory to integrate the effects of groups in.")
        return np.asarray(beta @ self.sums + out)

    def alone(self, pattern: int) -> PatternLikelihood:
        """The likelihood of one group of a pattern, without what stands outside the integral."""
        own = self.patterns.some(np.array([pattern]))
        made = likelihood_of_patterns(replace(own, counts=np.ones(1)), self.kernel, np.zeros(len(self.sums)))
        placed = {name: self.memory.arrays[name][pattern : pattern + 1] for name in ("modes", "spreads", "log_volumes")}
        grid = {name: self.memory.arrays[name] for name in ("grid", "log_weights")}
        return replace(made, memory=replaced(made.memory, {"nodes": self.nodes}, placed | grid))

    def spread_of(self, pattern: int) -> np.ndarray:
        """A factor of the covariance of a pattern's normals at its mode, shape ``(width, width)``."""
        return np.asarray(self.memory.arrays["spreads"][pattern])

    def derivatives_of_modes(
        self, pattern: int, beta: np.ndarray, root: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """A pattern's mode where nodes were placed, and its derivatives by coefficients and by Λ, flat."""
        own, mode = self.patterns.some(np.array([pattern])), self.memory.arrays["modes"][pattern]
        spread, width = self.spread_of(pattern), len(mode)
        mean, variance = LINKS[self.kernel].slopes(own.design @ beta + own.offset + own.multipliers @ root @ mode)
        rest = own.totals[0] - (own.size * mean) @ own.multipliers
        weighted = (own.size * variance)[:, None] * own.multipliers
        by_beta = -root.T @ (weighted.T @ own.design)
        by_root = np.einsum("kj,i->kij", np.eye(width), rest)
        by_root = by_root - np.einsum("ki,j->kij", root.T @ (weighted.T @ own.multipliers), mode)
        covariance = spread @ spread.T
        return mode, covariance @ by_beta, covariance @ by_root.reshape(width, -1)

    def log_ratio(
        self, pattern: int, beta: np.ndarray, root: np.ndarray, centre: np.ndarray, z: np.ndarray,
        wider: float, freedom: float,
    ) -> np.ndarray:  # fmt: skip
        """The log of the density of a group's normals over that of a multivariate t, at points with a proposal each.

        A proposal is its centre, shape ``(points, width)``, and `wider` times the pattern's spread times z.
        """
        given = [np.ascontiguousarray(each, dtype=float) for each in (beta, root, centre, z, [wider, freedom])]
        out = np.empty(len(z))
        addresses = (each.ctypes.data for each in (*given, out))
        if library().functions["conditionals"](pattern, len(z), *addresses, self.memory.address) == NO_MEMORY:
            raise MemoryError("There is no memory to draw the effects of groups in.")
        return out


def find_modes(
    own: Patterns, kernel: str, base: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Each pattern's most likely normals, and a factor of their covariance there, by Newton's steps."""
    slopes = LINKS[kernel].slopes
    along = own.multipliers @ root
    normals, group = np.zeros(own.totals.shape), own.pattern_of_entry
    outer = along[:, :, None] * along[:, None, :]
    identity = np.eye(normals.shape[1])
    for _ in range(NEWTON):
        mean, variance = slopes(np.clip(base + (along * normals[group]).sum(axis=1), -500.0, 500.0))
        pull = own.summed((own.size * mean)[:, None] * along)
        precision = identity + own.summed((own.size * variance)[:, None, None] * outer)
        step = np.linalg.solve(precision, (own.totals @ root - pull - normals)[..., None])[..., 0]
        normals = normals + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max(initial=0.0) < SMALL_STEP:
            break
    return normals, np.linalg.inv(np.linalg.cholesky(precision)).swapaxes(1, 2)


def pattern_likelihood(problem: Problem, patterns: Patterns) -> PatternLikelihood:
    """The likelihood of a problem, its nodes not yet placed."""
    sums = [problem.design @ problem.response]
    sums += [columns_of(factor).T @ problem.response for factor in problem.factors[:-1]]
    return likelihood_of_patterns(patterns, problem.kernel, np.concatenate(sums))


def likelihood_of_patterns(patterns: Patterns, kernel: str, sums: np.ndarray) -> PatternLikelihood:
    """The likelihood of patterns, its nodes not yet placed; `sums` are those of responses with the design."""
    entries, columns = patterns.design.shape
    number, width = patterns.totals.shape
    ends = np.append(patterns.starts, entries)
    counts = {
        "patterns": number, "entries": entries, "longest": int(np.diff(ends).max(initial=1)), "columns": columns,
        "width": width, "nodes": 1, "kind": LINKS[kernel].code,
        "plain": int(width == 1 and bool((patterns.multipliers == 1.0).all())),
    }  # fmt: skip
    arrays = {
        "design": patterns.design.T, "offset": patterns.offset, "size": patterns.size,
        "multipliers": patterns.multipliers.T, "counts": patterns.counts, "totals": patterns.totals, "starts": ends,
        "modes": np.zeros((number, width)), "spreads": np.zeros((number, width, width)),
        "log_volumes": np.zeros(number), "grid": np.zeros((width, 1)), "log_weights": np.zeros(1),
    }  # fmt: skip
    return PatternLikelihood(patterns, kernel, sums, lay_out(counts, arrays, INTEGRALS))
