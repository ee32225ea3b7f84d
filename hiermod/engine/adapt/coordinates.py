"""Coordinates in which a posterior is nearly standard normal: chosen at its mode, and true to the density anywhere.

Given the hyperparameters, the effects of the largest factor are measured from their conditional mode in units of
their conditional spread, both of which follow all other coefficients and the covariance (`effects`); those of other
factors likewise, by what the data say once the largest is integrated out; common coefficients by their marginal spread.
Hyperparameters stand on a line where their priors are nearly normal (`Program.softened`). Long and short
directions that remain are found in the curvature at the mode and stretched (`directions`).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from hiermod.engine.adapt.common_coordinates import common_arrays, joint_factors, with_joint_block
from hiermod.engine.adapt.mode import Mode, find_mode
from hiermod.engine.adapt.precision import wide, without_factor
from hiermod.engine.layout.arrays import coupling_arrays, products_at
from hiermod.engine.layout.program import Program

ROUNDS, MOST_STEPS = 6, 12
LONGEST = 2.0  # step of a hyperparameter on the line
LEAST_CURVATURE = 0.25
SETTLED = 0.1  # of a hyperparameter on the line
STEP = 1e-4
DENSE_UP_TO = 300
MOST_DIRECTIONS = 24
WORTH = 1.3  # a direction's standard deviation, or one over it, from which it is stretched


def whiten(program: Program) -> Program:
    """Find the mode and choose coordinates there; zero is near the mode, one is about a standard deviation."""
    problem, program = program.problem, program.softened()
    hyperparameters = np.array([each.prior.typical for each in problem.hyperparameters])
    theta = np.zeros(problem.coefficients)
    theta[: problem.linear] = [prior.typical for prior in problem.priors]
    for hyperparameter, value in zip(problem.hyperparameters, hyperparameters, strict=True):
        if hyperparameter.coefficient >= 0:
            theta[hyperparameter.coefficient] = value
    moved = program
    for _ in range(ROUNDS):
        mode = find_mode(program, theta, hyperparameters)
        moved = _around(program, mode)
        before = program.unconstrained(hyperparameters)
        values = _settle(moved, before)
        moved = moved.moved(hyperparameter_centre=values)
        theta, hyperparameters = moved.expand(np.zeros(problem.dimension))
        if np.abs(values - before).max(initial=0.0) < SETTLED:
            break
    values = program.unconstrained(hyperparameters)
    moved = _around(program, find_mode(program, theta, hyperparameters))
    moved = moved.moved(hyperparameter_map=_hyperparameter_map(moved, values), hyperparameter_centre=values)
    return _stretched(moved)


def _around(program: Program, mode: Mode) -> Program:
    """Coordinates of common coefficients and effects at a mode."""
    problem, theta = program.problem, mode.theta
    joint = joint_factors(problem)
    areas, scores, links = [np.zeros(0)], [np.zeros(0)], []
    for place, factor in enumerate(problem.factors):
        blocks, link = _informed(mode, place) if place >= joint else _uninformed(mode, place)
        effects = theta[factor.span].reshape(factor.width, factor.groups)
        score = mode.information.score[factor.span].reshape(factor.width, factor.groups)
        scores.append((score + np.einsum("gij,jg->ig", blocks, effects)).ravel())
        areas.append(blocks.transpose(1, 2, 0).ravel())
        links.append(link)
    products = products_at(problem, theta) if problem.is_gaussian else {}
    moved = program.moved(
        information=np.concatenate(areas), score=np.concatenate(scores), mode=theta, scale=_scale(mode),
        **({} if joint else common_arrays(mode)), **coupling_arrays(links), **products,
    )  # fmt: skip
    return with_joint_block(moved, mode)


def _informed(mode: Mode, place: int) -> tuple[np.ndarray, sparse.csr_array]:
    """What the data say of a factor's effects, by groups, and how that depends on coefficients before them.

    Of the largest, given all others; of another, given the common coefficients, with the largest integrated out.
    """
    information, problem = mode.information, mode.information.problem
    factor, last = problem.factors[place], problem.factors[-1]
    if factor is last:
        link = information.matrix[last.span, : last.start]
        return information.groups[place], wide(link, problem.coefficients)
    blocks, link = without_factor(information.matrix, factor, last, mode.given_others(-1), problem.common)
    return blocks, wide(link, problem.coefficients)


def _uninformed(mode: Mode, place: int) -> tuple[np.ndarray, sparse.csr_array]:
    """The same of a factor whose effects are sampled jointly with others, where it plays no part."""
    factor = mode.information.problem.factors[place]
    link = sparse.csr_array((factor.groups * factor.width, mode.information.problem.coefficients))
    return np.zeros((factor.groups, factor.width, factor.width)), link


def _scale(mode: Mode) -> np.ndarray:
    """The family's parameter with which the data's information grows, and half the power by which it does."""
    problem = mode.information.problem
    power = problem.spec.family.information_power / 2.0
    return np.array([mode.hyperparameters[problem.auxiliary] if power else 1.0, power])


def _settle(program: Program, values: np.ndarray) -> np.ndarray:
    """The most likely hyperparameters where all else follows them, by Newton's steps."""
    if not len(values):
        return values
    here, slope = _along_hyperparameters(program, values)
    for _ in range(MOST_STEPS):
        eigenvalues, vectors = np.linalg.eigh(_hyperparameter_curvature(program, values))
        step = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(eigenvalues), LEAST_CURVATURE))
        step *= LONGEST / max(LONGEST, np.abs(step).max())
        while True:
            there, slope_there = _along_hyperparameters(program, values + step)
            if there > here - 1e-9 or np.abs(step).max() < 1e-3:
                break
            step *= 0.5
        if not there > here - 1e-9:
            break
        values, here, slope = values + step, there, slope_there
        if np.abs(step).max() < 0.2 * SETTLED:
            break
    return values


def _along_hyperparameters(program: Program, values: np.ndarray) -> tuple[float, np.ndarray]:
    z = np.concatenate([np.zeros(program.problem.dimension - len(values)), values])
    value, gradient = program.log_density(z)
    good = np.isfinite(value) and np.isfinite(gradient).all()
    return (value, gradient[-len(values) :]) if good else (-np.inf, np.zeros(len(values)))


def _hyperparameter_curvature(program: Program, values: np.ndarray) -> np.ndarray:
    """Minus the Hessian by the hyperparameters."""
    columns = [
        _along_hyperparameters(program, values - step)[1] - _along_hyperparameters(program, values + step)[1]
        for step in STEP * np.eye(len(values))
    ]
    curvature = np.column_stack(columns) / (2.0 * STEP)
    return 0.5 * (curvature + curvature.T)


def _hessian(program: Program, directions: np.ndarray) -> np.ndarray:
    """Minus the Hessian at zero times each column of `directions`."""
    columns = [program.log_density(-STEP * column)[1] - program.log_density(STEP * column)[1]
               for column in directions.T]  # fmt: skip
    return np.column_stack(columns) / (2.0 * STEP)


def _hyperparameter_map(program: Program, values: np.ndarray) -> np.ndarray:
    """A root of the hyperparameters' covariance, by the curvature; none is taken for very wide."""
    if not len(values):
        return np.zeros((0, 0))
    eigenvalues, vectors = np.linalg.eigh(_hyperparameter_curvature(program, values))
    return vectors / np.sqrt(np.clip(eigenvalues, LEAST_CURVATURE, None))


def _stretched(program: Program) -> Program:
    """Stretch the long and short directions that remain."""
    size = program.problem.dimension - len(program.problem.hyperparameters)
    if not size:
        return program
    pad = np.zeros(program.problem.dimension)

    def times(vector: np.ndarray) -> np.ndarray:
        pad[:size] = vector.ravel()
        return _hessian(program, pad[:, None])[:size, 0]

    if size <= DENSE_UP_TO:
        matrix = _hessian(program, np.eye(program.problem.dimension)[:, :size])[:size]
        values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    else:
        operator = LinearOperator((size, size), matvec=times, dtype=float)
        start = np.random.default_rng(0).normal(size=size)
        try:
            values, vectors = eigsh(operator, k=MOST_DIRECTIONS, which="BE", tol=0.05, v0=start, maxiter=4)
        except ArpackNoConvergence as error:
            values, vectors = error.eigenvalues, error.eigenvectors
    worth = np.abs(np.log(np.clip(values, 1e-4, None))) > 2.0 * np.log(WORTH)
    worth &= values > 0.0
    values, vectors = values[worth], vectors[:, worth]
    return program.moved(directions=vectors.T.ravel(), stretch=values**-0.5 - 1.0)
