"""A problem and its coordinates in memory, with functions to ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hiermod.engine.build.compile import Function
from hiermod.engine.kernels.plain import term_root
from hiermod.engine.kernels.record import ABOVE, NO_MEMORY, PRIOR_KERNELS, SOFT
from hiermod.engine.layout.arrays import canonical, joint_arrays, public_arrays, unconstrained
from hiermod.engine.layout.integration import Integration
from hiermod.engine.layout.memory import Memory, lay_out, replaced
from hiermod.engine.layout.problem import Problem

SCATTER = 0.5
TRIES = 20


@dataclass(frozen=True, eq=False)
class Program:
    """A problem in memory."""

    problem: Problem
    memory: Memory
    compiled: Mapping[str, Function]
    integration: Integration | None = None

    def log_density(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density (up to a constant) and gradient at a point of the sampler's coordinates."""
        z, gradient, value = np.ascontiguousarray(z, dtype=float), np.empty(len(z)), np.empty(1)
        self._call("log_density", len(z), z, gradient, value)
        return float(value[0]), gradient

    def expand(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (of the centred design, then effects) and hyperparameters at a point."""
        z, out = np.ascontiguousarray(z, dtype=float), np.empty(self.expanded)
        self._call("expand", len(z), len(out), z, out)
        return out[: self.problem.coefficients], out[self.problem.coefficients :]

    def curvature(self, theta: np.ndarray, auxiliary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each row's score by its linear predictor, and minus the derivative of that.

        Of several linear predictors the scores have the shape ``(slots, rows)``, their derivatives by each linear
        predictor ``(slots, slots, rows)``.
        """
        problem, rows = self.problem, len(self.problem.response)
        if problem.by_rows:
            slots = len(problem.spec.family.single) + 1
            scores, weights = np.zeros((slots, rows)), np.zeros((slots, slots, rows))
            theta, auxiliary = (np.ascontiguousarray(part, dtype=float) for part in (theta, auxiliary))
            self._call("curvature", theta, auxiliary, scores, weights)
            return scores, weights
        if problem.is_gaussian:
            weight = problem.size / auxiliary[0] ** 2
            return weight * (problem.response - problem.offset - problem.matrix @ theta), weight
        score, weight = np.empty(rows), np.empty(rows)
        theta, auxiliary = (np.ascontiguousarray(part, dtype=float) for part in (theta, auxiliary))
        self._call("curvature", theta, auxiliary, score, weight)
        return np.where(canonical(problem), score + problem.response, score), weight

    def _call(self, name: str, *arguments: int | np.ndarray) -> None:
        numbers = [each if isinstance(each, int) else each.ctypes.data for each in arguments]
        if self.compiled[name](*numbers, self.memory.address) == NO_MEMORY:
            raise MemoryError("There is no memory to evaluate the model's density in.")

    def unconstrained(self, hyperparameters: np.ndarray) -> np.ndarray:
        """Hyperparameters on the line, each as its transform says."""
        order, first = self.problem.thresholds, self.problem.auxiliary
        if order is not None:
            own = slice(first, first + order.count - 1)
            hyperparameters = hyperparameters.copy()
            hyperparameters[own] = order.between(hyperparameters[own])
        return unconstrained(self._hyperparameter_table, hyperparameters)

    def softened(self) -> Program:
        """The same with the parameters of half-normal priors on a line where these are nearly normal."""
        table = self._hyperparameter_table.copy()
        half = (table["kernel"] == PRIOR_KERNELS["normal"]) & (table["a"] == 0.0) & (table["power"] == 1.0)
        table["transform"][half & (table["transform"] == ABOVE) & (table["low"] == 0.0)] = SOFT
        return self.moved(hyperparameter_table=table)

    @property
    def _hyperparameter_table(self) -> np.ndarray:
        return self.memory.arrays["hyperparameter_table"][: len(self.problem.hyperparameters)]

    @property
    def expanded(self) -> int:
        """How many numbers `expand` gives."""
        return self.problem.coefficients + len(self.problem.hyperparameters)

    def moved(self, **arrays: np.ndarray) -> Program:
        """The same problem in other coordinates."""
        counts = {"rank": np.size(arrays["stretch"])} if "stretch" in arrays else {}
        return self._replaced(counts, arrays)

    def shifted(self, rise: np.ndarray) -> Program:
        """The same with numbers added to the linear predictor of mu in each row; of rows that are scored one by one."""
        offset = self.problem.offset.reshape(-1, len(rise)).copy()
        offset[0] += rise
        return self._replaced({"has_offset": 1}, {"offset": offset})

    def jointly(self, factors: int, information: np.ndarray, numbers: np.ndarray) -> Program:
        """The same, the common coefficients and the effects of so many first factors of which are sampled jointly."""
        counts, arrays = joint_arrays(self.problem, factors, 0 if self.integration is None else self.integration.room)
        return self._replaced(counts, {**arrays, "joint_information": information, "joint_numbers": numbers})

    def threaded(self, threads: int) -> Program:
        """The same, very many rows of which are scored by so many threads; results stay what they are."""
        return self._replaced({"threads": threads}, {})

    def _replaced(self, counts: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> Program:
        return replace(self, memory=replaced(self.memory, counts, arrays))

    def integrated_at(self, theta: np.ndarray, hyperparameters: np.ndarray) -> Program:
        """The same, effects that are integrated out being so as is best near a point."""
        if self.integration is None:
            return self
        return self.with_integration(self.integration.at(*self.without_effects(theta, hyperparameters)))

    def without_effects(self, theta: np.ndarray, hyperparameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear predictors of rows without the effects that are integrated out, and the Λ of these."""
        problem, factor = self.problem, self.problem.integrated
        assert factor is not None
        root = np.zeros((factor.width, factor.width))
        for term in factor.plain:
            term_root(hyperparameters, term, root)
        return problem.matrix @ theta + problem.offset, root

    def with_integration(self, integration: Integration) -> Program:
        """The same, effects being integrated out in this way."""
        assert self.integration is not None
        workspace = int(self.memory.record["workspace"][0]) - self.integration.room + integration.room
        moved = self._replaced({"integrals": integration.memory.address, "workspace": workspace}, {})
        return replace(moved, integration=integration)


def public_coordinates(problem: Problem, compiled: Mapping[str, Function]) -> Program:
    """The problem in the coordinates of the public model: non-centred, and nothing linked to anything."""
    counts, arrays = public_arrays(problem)
    memory = lay_out({**counts, "worker": compiled["worker"].address}, arrays)
    return Program(problem, memory, compiled, problem.integration)


def starting_points(program: Program) -> Callable[[int], np.ndarray]:
    """A function from a chain's seed to its starting point; nearer to the mode where the density is not finite."""
    size = program.problem.dimension

    def point(seed: int | None = None) -> np.ndarray:
        rng = np.random.default_rng(seed)
        z = rng.normal(0.0, SCATTER, size)
        for _ in range(TRIES):
            value, gradient = program.log_density(z)
            if np.isfinite(value) and np.isfinite(gradient).all() and gradient.all():
                break
            z = 0.5 * z + rng.normal(0.0, 1e-3, size)
        return z

    return point
