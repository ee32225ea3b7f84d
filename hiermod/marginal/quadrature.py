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
SMALL_STEP = 1e-5  # after which the next one would be its square
LONGEST_STEP = 2.0
LANES, VECTOR = (64, 64, 32), 4  # of a block, by effects a group: so many, or a multiple of the other
NEVER = -1000.0  # the linear predictor where a pattern has no entry


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
class Blocks:
    """Where patterns stand: side by side in the lanes of blocks, those with about as many entries together.

    Parameters
    ----------
    lanes : int
        Of each block.
    places : ndarray of int, shape (patterns,)
        Each pattern's lane, those of all blocks counted.
    starts : ndarray of int, shape (blocks + 1,)
        First rows of blocks.
    entries : ndarray of int, shape (entries,)
        Where each entry stands among the lanes of all rows.
    """

    lanes: int
    places: np.ndarray
    starts: np.ndarray
    entries: np.ndarray

    def of_patterns(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of patterns, shape ``(patterns, ...)``, in lanes, which come last; 0 in those that stay empty."""
        found = np.zeros((*numbers.shape[1:], (len(self.starts) - 1) * self.lanes))
        found[..., self.places] = np.moveaxis(numbers, 0, -1)
        return found

    def of_entries(self, numbers: np.ndarray, empty: float = 0.0) -> np.ndarray:
        """The same of entries, in rows and lanes."""
        found = np.full((*numbers.shape[1:], int(self.starts[-1]) * self.lanes), empty)
        found[..., self.entries] = np.moveaxis(numbers, 0, -1)
        return found


def blocks_of(patterns: Patterns) -> Blocks:
    """Put patterns into blocks, those with the most entries first."""
    lengths = np.diff(np.append(patterns.starts, len(patterns.size)))
    number, most = patterns.totals.shape[0], LANES[patterns.totals.shape[1] - 1]
    blocks = -(-number // most)
    lanes = -(-number // (blocks * VECTOR)) * VECTOR
    places = np.empty(number, dtype=np.int64)
    places[np.argsort(-lengths, kind="stable")] = np.arange(number)
    rows = np.zeros(blocks, dtype=np.int64)
    np.maximum.at(rows, places // lanes, lengths)
    starts = np.concatenate([[0], np.cumsum(rows)])
    of_entry = patterns.pattern_of_entry
    row = starts[places // lanes][of_entry] + np.arange(len(of_entry)) - patterns.starts[of_entry]
    return Blocks(lanes, places, starts, row * lanes + (places % lanes)[of_entry])


@dataclass(frozen=True, eq=False)
class PatternLikelihood:
    """A sum over patterns, each integrated with nodes that stay where they are put.

    Nodes stand at a pattern's mode, in units of its standard deviation there, at one point of the hyperparameters;
    they are standard normals o, so that the effects Λ o follow Λ.

    Parameters
    ----------
    patterns : Patterns
    kernel : str
    sums : ndarray, shape (columns,)
        Of responses with the design.
    blocks : Blocks
    memory : Memory
    modes : ndarray, shape (patterns, width)
        Each pattern's most likely normals, where nodes were placed.
    spreads : ndarray, shape (patterns, width, width)
        Factors of their covariance there.
    """

    patterns: Patterns
    kernel: str
    sums: np.ndarray
    blocks: Blocks
    memory: Memory
    modes: np.ndarray
    spreads: np.ndarray

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
        return self._placed(*find_modes(self.patterns, self.kernel, base, root))

    def _placed(self, modes: np.ndarray, spreads: np.ndarray) -> PatternLikelihood:
        volumes = np.log(np.abs(np.diagonal(spreads, axis1=1, axis2=2))).sum(axis=1)
        given = {"modes": modes, "spreads": spreads, "log_volumes": volumes}
        arrays = {name: self.blocks.of_patterns(each) for name, each in given.items()}
        return replace(self, memory=replaced(self.memory, {}, arrays), modes=modes, spreads=spreads)

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
        grid = {name: self.memory.arrays[name] for name in ("grid", "log_weights")}
        made = replace(made, memory=replaced(made.memory, {"nodes": self.nodes}, grid))
        return made._placed(self.modes[pattern : pattern + 1], self.spreads[pattern : pattern + 1])

    def derivatives_of_modes(
        self, pattern: int, beta: np.ndarray, root: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """A pattern's mode where nodes were placed, and its derivatives by coefficients and by Λ, flat."""
        own, mode = self.patterns.some(np.array([pattern])), self.modes[pattern]
        spread, width = self.spreads[pattern], len(mode)
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
        out, place = np.empty(len(z)), int(self.blocks.places[pattern])
        addresses = (each.ctypes.data for each in (*given, out))
        if library().functions["conditionals"](place, len(z), *addresses, self.memory.address) == NO_MEMORY:
            raise MemoryError("There is no memory to draw the effects of groups in.")
        return out


def find_modes(
    own: Patterns, kernel: str, base: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Each pattern's most likely normals, and a factor of their covariance there, by Newton's steps.

    `base` are the entries' linear predictors without effects.
    """
    slopes = LINKS[kernel].slopes
    along = own.multipliers @ root
    normals, group = np.zeros(own.totals.shape), own.pattern_of_entry
    outer = along[:, :, None] * along[:, None, :]
    identity = np.eye(normals.shape[1])
    for _ in range(NEWTON):
        mean, variance = slopes(np.clip(base + (along * normals[group]).sum(axis=1), -500.0, 500.0))
        pull = own.summed((own.size * mean)[:, None] * along)
        precision = identity + own.summed((own.size * variance)[:, None, None] * outer)
        step = _solved(precision, own.totals @ root - pull - normals)
        normals = normals + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max(initial=0.0) < SMALL_STEP:
            break
    return normals, _inverse_root(precision)


def _solved(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Solutions of many small systems, shape ``(systems, size)``; by division where they have one unknown."""
    if vectors.shape[1] == 1:
        return np.asarray(vectors / matrices[:, 0])
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])


def _inverse_root(matrices: np.ndarray) -> np.ndarray:
    """Upper factors of the inverses of many small matrices."""
    if matrices.shape[1] == 1:
        return np.asarray(1.0 / np.sqrt(matrices))
    return np.linalg.inv(np.linalg.cholesky(matrices)).swapaxes(1, 2)


def pattern_likelihood(problem: Problem, patterns: Patterns) -> PatternLikelihood:
    """The likelihood of a problem, its nodes not yet placed."""
    sums = [problem.design @ problem.response]
    sums += [columns_of(factor).T @ problem.response for factor in problem.factors[:-1]]
    return likelihood_of_patterns(patterns, problem.kernel, np.concatenate(sums))


def likelihood_of_patterns(patterns: Patterns, kernel: str, sums: np.ndarray) -> PatternLikelihood:
    """The likelihood of patterns, its nodes not yet placed; `sums` are those of responses with the design."""
    blocks, width = blocks_of(patterns), patterns.totals.shape[1]
    size, rows = blocks.of_entries(patterns.size, empty=1.0), int(blocks.starts[-1])
    counts = {
        "blocks": len(blocks.starts) - 1, "lanes": blocks.lanes, "rows": rows, "entries": len(size),
        "longest": int(np.diff(blocks.starts).max(initial=1)), "columns": patterns.design.shape[1],
        "width": width, "nodes": 1, "kind": LINKS[kernel].code,
        "plain": int(width == 1 and bool((patterns.multipliers == 1.0).all())),
    }  # fmt: skip
    modes, spreads = np.zeros(patterns.totals.shape), np.zeros((*patterns.totals.shape, width))
    arrays = {
        "design": blocks.of_entries(patterns.design), "offset": blocks.of_entries(patterns.offset, empty=NEVER),
        "size": size, "multipliers": blocks.of_entries(patterns.multipliers), "starts": blocks.starts,
        "single": (size.reshape(rows, blocks.lanes) == 1.0).all(axis=1), "counts": blocks.of_patterns(patterns.counts),
        "totals": blocks.of_patterns(patterns.totals), "modes": blocks.of_patterns(modes),
        "spreads": blocks.of_patterns(spreads), "log_volumes": blocks.of_patterns(np.zeros(len(modes))),
        "grid": np.zeros((width, 1)), "log_weights": np.zeros(1),
    }  # fmt: skip
    return PatternLikelihood(patterns, kernel, sums, blocks, lay_out(counts, arrays, INTEGRALS), modes, spreads)
