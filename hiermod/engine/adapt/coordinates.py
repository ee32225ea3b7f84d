"""Coordinates in which a posterior is nearly standard normal: chosen at its mode, and true to the density anywhere.

Given the hyperparameters, the effects of the largest factor are measured from their conditional mode in units of
their conditional spread, both of which follow all other coefficients and the covariance (`effects`); those of other
factors likewise, by what the data say once the largest, or all that is nested within, is integrated out; common
coefficients by their marginal spread. Hyperparameters stand on a line where their priors are nearly normal
(`Program.softened`). Long and short directions that remain are found in the curvature at the mode and stretched
(`directions`).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from hiermod.engine.adapt.mode import Mode, common_prior, covariance_roots, find_mode
from hiermod.engine.adapt.nesting import inner_factors, integrated, outer_factors
from hiermod.engine.adapt.precision import diagonal_blocks, precision, spread, wide, without_factor
from hiermod.engine.kernels.plain import stride_of
from hiermod.engine.kernels.record import TABLES
from hiermod.engine.layout.arrays import coupling_arrays, products_at
from hiermod.engine.layout.problem import Problem
from hiermod.engine.layout.program import Program
from hiermod.modeling.bounded import coefficients_inside

FEW_FOR_MEANS = 50  # groups, up to which their mean follows a standard deviation that they hardly inform
TWICE = 2.0
LEAST_SHARE = 0.01  # of a variance, that stays when standard deviations vanish


def common_arrays(mode: Mode) -> dict[str, np.ndarray]:
    """The arrays of `hiermod.engine.kernels.coordinates.common_coefficients` at a mode.

    A marginal posterior precision is the prior's p and 1/V of the data; V grows with the squared standard deviations of
    groups' effects, which is found by doubling each.
    """
    problem = mode.information.problem
    linear, count = problem.linear, len(mode.hyperparameters)
    if not linear:
        return {}
    table, slopes = np.zeros(linear, TABLES["common_table"]), np.zeros((linear, count))
    estimates = mode.theta[:linear]
    table["variance"], table["estimate"] = 1.0, estimates
    covariance = _covariance(mode, mode.hyperparameters)
    root = np.linalg.cholesky(covariance)
    prior = common_prior(problem, mode.theta)[1][:linear]
    centres = np.array([each.typical for each in problem.priors])
    places = _followed(mode)
    if places:
        variance = _by_data(covariance, prior)
        for place in places:
            hyperparameters = mode.hyperparameters.copy()
            hyperparameters[place] *= TWICE
            more = _by_data(_covariance(mode, hyperparameters), prior) - variance
            slopes[:, place] = np.maximum(more, 0.0) / ((TWICE**2 - 1.0) * mode.hyperparameters[place] ** 2)
        grown = slopes @ mode.hyperparameters**2
        slopes *= np.minimum(1.0, (1.0 - LEAST_SHARE) * variance / np.maximum(grown, 1e-300))[:, None]
        share = 1.0 / (1.0 + prior * variance)
        table["variance"], table["precision"] = variance - slopes @ mode.hyperparameters**2, prior
        table["centre"], table["estimate"] = centres, centres + (estimates - centres) / share
        root = root / np.sqrt(variance * share)[:, None]
    return {"linear_map": root, "common_table": table, "common_spread": slopes}


def _followed(mode: Mode) -> list[int]:
    """The standard deviations of factors with few groups."""
    few = [factor for factor in mode.information.problem.factors if factor.groups <= FEW_FOR_MEANS]
    terms = [term for factor in few for term in factor.plain]
    return [term.sds + place for term in terms for place in range(term.columns if term.step else 1)]


def _covariance(mode: Mode, hyperparameters: np.ndarray) -> np.ndarray:
    """The covariance of the common coefficients once all effects are integrated out, shape ``(linear, linear)``."""
    problem = mode.information.problem
    given = mode.precision
    if hyperparameters is not mode.hyperparameters:
        roots = covariance_roots(problem, hyperparameters)
        given = precision(mode.information, common_prior(problem, mode.theta)[1], roots)
    return np.linalg.inv(given.of_common()[: problem.linear, : problem.linear])


def _by_data(covariance: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The variance of each coefficient as far as the data and the other priors go."""
    whole = 1.0 / np.diag(covariance)
    return 1.0 / np.maximum(whole - prior, 1e-6 * whole)


FEW_SAMPLED_JOINTLY = 16  # groups: their mean takes the place of the intercept and of other factors' means
MOST, MOST_OF_SETS = 120, 300  # coefficients, whose Cholesky factor each step takes; more where sets of slopes need it
FEW_LEFT = 8  # rows beyond the common coefficients, up to which the spread of these follows that of the residuals


def joint_factors(problem: Problem) -> int:
    """How many factors, from the first on, have few groups; a factor alone needs none of it, but a set of slopes."""
    size, count, few = problem.linear, 0, FEW_SAMPLED_JOINTLY if problem.integrated is None else MOST
    sets = any(factor.of_set for factor in problem.factors)
    for factor in problem.factors:
        size += factor.groups * factor.width
        if factor.groups > few or size > (MOST_OF_SETS if sets else MOST):
            break
        count += 1
    return count if len(problem.factors) > 1 or sets or problem.integrated is not None else 0


def information_power(problem: Problem) -> float:
    """By which power of the family's first parameter the information grows; 0 where parameters differ between rows."""
    if problem.integrated is not None:
        return 0.0
    several = len([name for name in problem.spec.predictors if name in problem.parameters]) > 1
    return 0.0 if several or "mu" not in problem.parameters else problem.spec.family.information_power


def follow_residuals(problem: Problem) -> bool:
    """Whether common coefficients take nearly all rows: how well they are known hangs on a spread hardly known."""
    rows = problem.observations or float(problem.size.sum())
    power = information_power(problem)
    return bool(power) and 0 < problem.linear <= MOST and rows - problem.common <= FEW_LEFT


def with_joint_block(program: Program, mode: Mode) -> Program:
    """The program with common coefficients and effects of few groups sampled jointly, where that is of use.

    The data's information is that with the effects of the largest factor integrated out, if that is not among them.
    """
    problem, theta = program.problem, mode.theta
    count = joint_factors(problem)
    if not count and not follow_residuals(problem):
        return program
    linear, stop = problem.linear, problem.factors[count - 1].span.stop if count else problem.common
    places = np.concatenate([np.arange(linear), np.arange(problem.common, stop)])
    matrix = mode.information.matrix
    information = matrix[places][:, places].toarray()
    inner = inner_factors(problem, count - 1)
    if count and len(inner) > 1:
        information = integrated(mode, inner, places).toarray()
    elif count < len(problem.factors):
        last = problem.factors[-1]
        explained = (
            spread(np.linalg.inv(np.linalg.cholesky(mode.given_others(-1)))) @ matrix[last.span, :][:, places]
        ).toarray()
        information = information - explained.T @ explained
    pull, precision = (part[:linear] for part in common_prior(problem, theta))
    unit = 1.0 / np.sqrt(precision + np.diag(information)[:linear])
    score = information @ theta[places] + mode.information.score[places]
    numbers = np.concatenate([score, pull + precision * theta[:linear], precision * unit**2, unit])
    padded = np.zeros((len(places), stride_of(len(places))))
    padded[:, : len(places)] = information
    return program.jointly(count, padded.ravel(), numbers)


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
    hyperparameters = problem.typical
    theta = np.zeros(problem.coefficients)
    theta[: problem.linear] = [prior.typical for prior in problem.priors]
    for hyperparameter, value in zip(problem.hyperparameters, hyperparameters, strict=True):
        if hyperparameter.coefficient >= 0:
            theta[hyperparameter.coefficient] = value
    for own in problem.monotonic:
        theta[own.first : own.first + own.steps] = own.coefficients(hyperparameters)
    theta = _inside(problem, theta)
    moved = program
    for _ in range(ROUNDS):
        program = program.integrated_at(theta, hyperparameters)
        mode = find_mode(program, theta, hyperparameters)
        moved = _around(program, mode)
        before = program.unconstrained(hyperparameters)
        values = _held(program, _settle(moved, before))
        moved = moved.moved(hyperparameter_centre=values)
        theta, hyperparameters = moved.expand(np.zeros(problem.dimension))
        if np.abs(values - before).max(initial=0.0) < SETTLED:
            break
    values, program = program.unconstrained(hyperparameters), program.integrated_at(theta, hyperparameters)
    moved = _around(program, find_mode(program, theta, hyperparameters))
    moved = moved.moved(hyperparameter_map=_hyperparameter_map(moved, values), hyperparameter_centre=values)
    return _stretched(moved)


def _held(program: Program, values: np.ndarray) -> np.ndarray:
    """Hyperparameters, but that sds of effects on other parameters than mu are not above what priors think typical.

    Where the mean has effects of the same groups, a group with few rows is met exactly, and the density at the mode
    rises without an end with the spread of `sigma` between groups, though the posterior's mass is not there.
    """
    problem, ends = program.problem, program.unconstrained(program.problem.typical)
    for factor in problem.factors:
        for own in factor.plain:
            beside = np.flatnonzero(factor.slots[own.first : own.first + own.columns])
            places = own.sds + (beside if own.step else beside[:1])
            values[places] = np.minimum(values[places], ends[places])
    return values


def _inside(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """The coefficients, moved so far that all rows have a mean, where a link leaves some linear predictors without."""
    link, free = problem.spec.family.link, np.flatnonzero(problem.common_slots == 0)
    if not link.is_bounded or not len(free):
        return theta
    offset = problem.offset.ravel()[: len(problem.response)]
    found = coefficients_inside(problem.design[free].T, offset, link, theta[free])
    theta[free] = theta[free] if found is None else found
    return theta


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
        **({} if joint or follow_residuals(problem) else common_arrays(mode)), **coupling_arrays(links), **products,
    )  # fmt: skip
    return with_joint_block(moved, mode)


def _informed(mode: Mode, place: int) -> tuple[np.ndarray, sparse.csr_array]:
    """What the data say of a factor's effects, by groups, and how that depends on coefficients before them.

    Of the largest, given all others; of another, with the largest integrated out, given the common coefficients and
    the factors with few groups that are sampled with these. Where factors are nested, given those that it is nested in,
    too, with all those within it integrated out.
    """
    information, problem = mode.information, mode.information.problem
    factor, last = problem.factors[place], problem.factors[-1]
    if factor is last:
        link = information.matrix[last.span, : last.start]
        return information.groups[place], wide(link, problem.coefficients)
    followed = sorted({*range(joint_factors(problem)), *outer_factors(problem, place)})
    spans = [slice(0, problem.common), *(problem.factors[own].span for own in followed)]
    known = np.concatenate([np.arange(span.start, span.stop) for span in spans])
    if inner := inner_factors(problem, place):
        places = np.concatenate([known, np.arange(factor.span.start, factor.span.stop)])
        own = integrated(mode, inner, places)[len(known) :]
        blocks, link = diagonal_blocks(sparse.csr_array(own[:, len(known) :]), factor), own[:, : len(known)]
    else:
        blocks, link = without_factor(information.matrix, factor, last, mode.given_others(-1), known)
    numbers = sparse.coo_array(link)
    where, shape = (numbers.coords[0], known[numbers.coords[1]]), (link.shape[0], problem.coefficients)
    return blocks, sparse.csr_array((numbers.data, where), shape=shape)


def _uninformed(mode: Mode, place: int) -> tuple[np.ndarray, sparse.csr_array]:
    """The same of a factor whose effects are sampled jointly with others, where it plays no part."""
    factor = mode.information.problem.factors[place]
    link = sparse.csr_array((factor.groups * factor.width, mode.information.problem.coefficients))
    return np.zeros((factor.groups, factor.width, factor.width)), link


def _scale(mode: Mode) -> np.ndarray:
    """The family's parameter with which the data's information grows, and half the power by which it does."""
    problem = mode.information.problem
    power = information_power(problem) / 2.0
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
