"""A problem and its coordinates in memory, with functions to ask it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from hiermod.engine.kernels.coupling import coupling_arrays
from hiermod.engine.kernels.hyperparameters import ARGUMENTS, FIELDS, inverse_soft
from hiermod.engine.kernels.record import CANONICAL, FACTOR_FIELDS, GAUSSIAN, INTERVAL, LOG, NORMAL, PRIORS, SOFT
from hiermod.engine.layout.memory import Memory, lay_out, replaced, resized
from hiermod.engine.layout.problem import Problem, Scalar
from hiermod.priors.distributions import Prior


@dataclass(frozen=True, eq=False)
class Program:
    """A problem in memory."""

    problem: Problem
    memory: Memory
    compiled: Mapping[str, Any]

    def log_density(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density (up to a constant) and gradient at a point of the sampler's coordinates."""
        z, gradient, value = np.ascontiguousarray(z, dtype=float), np.empty(len(z)), np.empty(1)
        self.compiled["log_density"].ctypes(len(z), _double(z), _double(gradient), _double(value), self.memory.address)
        return float(value[0]), gradient

    def expand(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (of the centred design, then effects) and single parameters at a point."""
        z, out = np.ascontiguousarray(z, dtype=float), np.empty(self.expanded)
        self.compiled["expand"].ctypes(len(z), len(out), _double(z), _double(out), self.memory.address)
        return out[: self.problem.coefficients], out[self.problem.coefficients :]

    def free(self, scalars: np.ndarray) -> np.ndarray:
        """Single parameters on the line, each as its transform says."""
        count = len(self.problem.scalars)
        kinds = self.memory.arrays["scalar_kinds"][: FIELDS * count].reshape(-1, FIELDS)
        numbers = self.memory.arrays["scalar_arguments"][: ARGUMENTS * count].reshape(-1, ARGUMENTS)
        with np.errstate(all="ignore"):
            logit = np.log(scalars - numbers[:, 3]) - np.log(numbers[:, 4] - scalars)
            found = np.where(kinds[:, 0] == INTERVAL, logit, np.log(scalars))
        is_soft = kinds[:, 0] == SOFT
        found[is_soft] = inverse_soft(scalars[is_soft] / numbers[is_soft, 1])
        return found

    def softened(self) -> Program:
        """The same with the parameters of half-normal priors on a line where these are nearly normal."""
        kinds = self.memory.arrays["scalar_kinds"][: FIELDS * len(self.problem.scalars)].reshape(-1, FIELDS).copy()
        kinds[kinds[:, 1] == NORMAL, 0] = SOFT
        return self.moved(scalar_kinds=kinds.ravel())

    def curvature(self, theta: np.ndarray, auxiliary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each row's score by its linear predictor, and minus the derivative of that."""
        problem, rows = self.problem, len(self.problem.response)
        if problem.family == GAUSSIAN:
            weight = problem.size / auxiliary[0] ** 2
            return weight * (problem.response - problem.offset - problem.matrix @ theta), weight
        score, weight = np.empty(rows), np.empty(rows)
        theta, extra = np.ascontiguousarray(theta, dtype=float), np.ones(2)
        extra[: len(auxiliary)] = auxiliary
        self.compiled["curvature"].ctypes(
            _double(theta), _double(extra), _double(score), _double(weight), self.memory.address
        )
        return (score + problem.response if problem.family in CANONICAL else score), weight

    @property
    def expanded(self) -> int:
        """How many numbers `expand` gives."""
        return self.problem.coefficients + len(self.problem.scalars)

    def moved(self, **arrays: np.ndarray) -> Program:
        """The same problem in other coordinates."""
        return Program(self.problem, replaced(self.memory, **arrays), self.compiled)

    def jointly(self, factors: int, information: np.ndarray, numbers: np.ndarray) -> Program:
        """The same, the common coefficients and the effects of so many first factors of which are sampled jointly."""
        moved = replaced(self.memory, together_information=information, together_numbers=numbers)
        return Program(self.problem, resized(moved, together=factors), self.compiled)

    def threaded(self, threads: int) -> Program:
        """The same, very many rows of which are scored by so many threads; results stay what they are."""
        return Program(self.problem, resized(self.memory, threads=threads), self.compiled)


def _double(array: np.ndarray) -> Any:
    """A pointer to the first number, valid while the caller holds the array; `data_as` would leave a cycle."""
    return ctypes.byref(ctypes.c_double.from_address(array.ctypes.data))


def public_coordinates(problem: Problem, compiled: Mapping[str, Any]) -> Program:
    """The problem in the coordinates of the public model: non-centred, and nothing linked to anything."""
    effects = problem.coefficients - problem.common
    areas = sum(factor.groups * factor.width**2 for factor in problem.factors)
    size = len(problem.scalars)
    sizes = {
        "rows": len(problem.response), "common": problem.common, "linear": problem.linear,
        "coefficients": problem.coefficients, "scalars": size, "factors": len(problem.factors),
        "family": problem.family, "auxiliary": problem.auxiliary, "rank": 0, "products": 0,
        "threads": 1, "worker": compiled["worker"].address, "offsets": int(problem.offset.any()),
        "sorted": int(len(problem.group_ends) > 0), "together": 0,
    }  # fmt: skip
    apart = [sparse.csr_array((factor.groups * factor.width, problem.coefficients)) for factor in problem.factors]
    arrays = {
        "information": np.zeros(areas), "score": np.zeros(effects),
        "reference": np.zeros(problem.coefficients), "linear_map": np.eye(problem.linear),
        "directions": np.zeros(0), "stretch": np.zeros(0), "scalar_centre": np.zeros(size),
        "scalar_map": np.eye(size), "common_numbers": np.tile([1.0, 0.0, 0.0, 0.0], problem.linear),
        "common_spread": np.zeros(problem.linear * size), "scale": np.array([1.0, 0.0]),
        "together_information": np.zeros(0), "together_numbers": np.zeros(0),
        **coupling_arrays(apart), **_rows(problem), **_tables(problem), **_priors(problem),
    }  # fmt: skip
    products = _products(problem)
    sizes["products"] = len(products["product_values"])
    return Program(problem, lay_out(sizes, {**arrays, **products}), compiled)


def _rows(problem: Problem) -> dict[str, np.ndarray]:
    multipliers = [numbers for factor in problem.factors for numbers in factor.multipliers]
    codes_ = [factor.codes for factor in problem.factors]
    plain = (problem.design == 1.0).all(axis=1) if problem.common else np.zeros(0)
    canonical = problem.family in CANONICAL
    sums = problem.matrix.T @ problem.response if canonical else np.zeros(problem.coefficients)
    return {
        "sums": sums, "group_ends": problem.group_ends, "design": problem.design, "offset": problem.offset,
        "response": problem.response, "size": problem.size, "count": problem.count,
        "multipliers": np.array(multipliers, dtype=float),
        "codes": np.array(codes_, dtype=int), "plain_columns": plain.astype(int),
        "plain_multipliers": np.array([(numbers == 1.0).all() for numbers in multipliers], dtype=int),
    }  # fmt: skip


def _tables(problem: Problem) -> dict[str, np.ndarray]:
    factors: list[list[int]] = []
    bars: list[list[int]] = []
    multiplier, area, effect = 0, 0, 0
    for factor in problem.factors:
        factors.append([factor.groups, factor.width, factor.start, len(bars), len(factor.bars), multiplier, area,
                        effect])  # fmt: skip
        bars += [[own.columns, own.first, own.sds, own.partial] for own in factor.bars]
        multiplier += factor.width
        area += factor.groups * factor.width**2
        effect += factor.groups * factor.width
    table = np.array(factors, dtype=int).reshape(-1, FACTOR_FIELDS)
    return {"factor_table": table, "bar_table": np.array(bars, dtype=int)}


def _priors(problem: Problem) -> dict[str, np.ndarray]:
    scalars = [_scalar(scalar) for scalar in problem.scalars]
    return {
        "scalar_kinds": np.array([kinds for kinds, _ in scalars], dtype=int),
        "scalar_arguments": np.array([numbers for _, numbers in scalars], dtype=float),
        "coefficient_kinds": np.array([_kind(prior) for prior in problem.priors], dtype=int),
        "coefficient_arguments": np.array([prior.standard()[1:] for prior in problem.priors], dtype=float),
    }


def _kind(prior: Prior) -> int:
    return PRIORS.index(prior.standard()[0])


def _scalar(scalar: Scalar) -> tuple[list[int], list[float]]:
    prior, numbers = scalar.prior, scalar.prior.standard()[1:]
    transform = INTERVAL if prior.distribution.support in ("interval", "unit") else LOG
    bounds = numbers[:2] if prior.distribution.support == "interval" else (0.0, 1.0)
    return [transform, _kind(prior), scalar.coefficient], [*numbers, *bounds]


def _products(problem: Problem) -> dict[str, np.ndarray]:
    """F'F, F'(y − Fp) and the squares left at p = 0 for a Gaussian family, else nothing."""
    size = problem.coefficients
    if problem.family != GAUSSIAN:
        none = {name: np.zeros(0) for name in ("product_values", "product_score", "product_point", "product_numbers")}
        return {**none, "product_rows": np.zeros(0, dtype=int), "product_columns": np.zeros(0, dtype=int)}
    upper = _with_diagonal(sparse.triu(gram(problem), format="coo"))
    return {
        "product_values": upper.data, "product_rows": upper.indptr.astype(int),
        "product_columns": upper.indices.astype(int), **products_at(problem, np.zeros(size)),
    }  # fmt: skip


def _with_diagonal(upper: sparse.coo_array) -> sparse.csr_array:
    """An upper triangle that holds every entry of its diagonal, also where that is zero."""
    places = np.arange(upper.shape[0])
    rows, columns = (np.concatenate([own, places]) for own in upper.coords)
    values = np.concatenate([upper.data, np.zeros(len(places))])
    result = sparse.csr_array(sparse.coo_array((values, (rows, columns)), shape=upper.shape))
    result.sort_indices()
    return result


def products_at(problem: Problem, point: np.ndarray) -> dict[str, np.ndarray]:
    """What a Gaussian likelihood holds at a point: F'(y − Fp), p, and the squares left with the observations."""
    matrix = problem.matrix
    left = problem.response - problem.offset - matrix @ point
    squares = problem.squares + float(problem.size @ left**2)
    return {
        "product_score": matrix.T @ (problem.size * left), "product_point": point,
        "product_numbers": np.array([squares, problem.observations]),
    }  # fmt: skip


def gram(problem: Problem, weight: np.ndarray | None = None) -> sparse.csr_array:
    """F'WF, shape ``(coefficients, coefficients)``; W is the size of rows by default."""
    matrix = problem.matrix
    weight = problem.size if weight is None else weight
    return sparse.csr_array(matrix.T @ (matrix * weight[:, None]).tocsr())


SCATTER = 0.5
TRIES = 20


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
