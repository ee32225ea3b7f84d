"""A point near the posterior's mode, at which a problem is linear and quadratic enough to choose coordinates by."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from hiermod.engine.adapt.precision import Information, Precision, precision
from hiermod.engine.kernels.plain import shrunk_root, term_root
from hiermod.engine.layout.arrays import gram, slot_matrices
from hiermod.engine.layout.problem import Problem
from hiermod.engine.layout.program import Program

MOST_STEPS = 25
HELD = 1e12  # precision of what does not move
CLOSE = 1e-3
MOST_AVERAGED, CLOSE_AVERAGED = 6, 1e-2
FEW_ROWS = 15  # of a group
NODES, SHARES = (-math.sqrt(3.0), 0.0, math.sqrt(3.0)), (1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0)
LEAST_LINK, MOST_LINK = 0.1, 0.9  # of two linear predictors' curvatures, that between them
LEAST_WEIGHT = 1e-3  # of a row's curvature, over the mean of all: the t distribution's is negative far out


@dataclass(frozen=True, eq=False)
class Mode:
    """Coefficients of the centred design with effects (`theta`), hyperparameters, and what the data say there."""

    theta: np.ndarray
    hyperparameters: np.ndarray
    roots: tuple[np.ndarray, ...]
    information: Information
    precision: Precision

    def given_others(self, place: int) -> np.ndarray:
        """The precision of a factor's effects given all other coefficients, shape ``(groups, width, width)``."""
        return self.information.groups[place] + np.linalg.inv(self.roots[place] @ self.roots[place].T)


def covariance_roots(problem: Problem, hyperparameters: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each factor, the lower Cholesky factor of the covariance of a group's effects, shape ``(width, width)``."""
    roots = tuple(np.zeros((factor.width, factor.width)) for factor in problem.factors)
    for factor, root in zip(problem.factors, roots, strict=True):
        for term in factor.plain:
            term_root(hyperparameters, term, root)
        if own := factor.of_set:
            shrunk_root(hyperparameters, own, root)
    return roots


def find_mode(program: Program, theta: np.ndarray, hyperparameters: np.ndarray) -> Mode:
    """Climb to the mode of the coefficients given the hyperparameters, by Newton's steps, halved where needed."""
    problem = program.problem
    roots = covariance_roots(problem, hyperparameters)
    height = _height(program, theta, hyperparameters, roots)
    for _ in range(MOST_STEPS):
        mode = _expand_around(program, theta, hyperparameters, roots)
        step = mode.precision.solve(_gradient(mode))
        gain, size = -np.inf, 2.0
        while not gain > -1e-9 and size > 1e-4:
            size *= 0.5
            gain = _height(program, theta + size * step, hyperparameters, roots) - height
        if not gain > -1e-9:
            return mode
        theta, height = theta + size * step, height + gain
        if gain < CLOSE:
            break
    mode = _expand_around(program, theta, hyperparameters, roots)
    return averaged_mode(program, mode) if tells_twice(problem) else mode


def tells_twice(problem: Problem) -> bool:
    """Whether groups with few rows have effects on mu and on another parameter, of which these rows tell both.

    At their joint mode effects on mu take too much of the rows, and leave too little spread.
    """
    slots = [factor.slots for factor in problem.factors]
    both = any((own == 0).any() for own in slots) and any((own > 0).any() for own in slots)
    if not (problem.by_rows and both):
        return False
    return bool(max(factor.groups for factor in problem.factors) * FEW_ROWS > problem.count.sum())


def averaged_mode(program: Program, mode: Mode) -> Mode:
    """The mode of the effects on other parameters once those on mu are averaged over, by Newton's steps from a mode."""
    for _ in range(MOST_AVERAGED):
        deviation = np.sqrt(variance_of_rows(mode))
        mode = _expand_around(program, mode.theta, mode.hyperparameters, mode.roots, deviation)
        step = np.clip(mode.precision.solve(_gradient(mode)), -1.0, 1.0)
        mode = replace(mode, theta=mode.theta + step)
        if np.abs(step).max(initial=0.0) < CLOSE_AVERAGED:
            break
    return _expand_around(program, mode.theta, mode.hyperparameters, mode.roots, np.sqrt(variance_of_rows(mode)))


def variance_of_rows(mode: Mode) -> np.ndarray:
    """The variance of each row's linear predictor of mu by its groups' effects, given all other coefficients."""
    problem = mode.information.problem
    total = np.zeros(len(problem.response))
    for factor, covariance in zip(problem.factors, mode.precision.groups, strict=True):
        columns = np.flatnonzero(factor.slots == 0)
        if len(columns):
            multipliers = factor.multipliers[columns]
            own = covariance[:, columns][:, :, columns][factor.codes]
            total += np.einsum("ir,rij,jr->r", multipliers, own, multipliers)
    return total


def averaged_curvature(
    program: Program, theta: np.ndarray, auxiliary: np.ndarray, deviation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`Program.curvature` averaged over a normal linear predictor of mu, by Gauss-Hermite quadrature of three nodes."""
    scores, weights = zip(
        *(program.shifted(node * deviation).curvature(theta, auxiliary) for node in NODES), strict=True
    )
    return np.tensordot(SHARES, scores, 1), np.tensordot(SHARES, weights, 1)


def _expand_around(
    program: Program, theta: np.ndarray, hyperparameters: np.ndarray, roots: tuple[np.ndarray, ...],
    deviation: np.ndarray | None = None,
) -> Mode:  # fmt: skip
    problem, auxiliary = program.problem, hyperparameters[program.problem.auxiliary :]
    if program.integration is not None:
        without = program.without_effects(theta, hyperparameters)
        matrix = program.integration.information(problem.matrix, *without, auxiliary)
        information = Information(problem, matrix, _score(program, theta, hyperparameters, roots))
        prior = common_prior(problem, theta)[1]
        return Mode(theta, hyperparameters, roots, information, precision(information, prior, roots))
    if deviation is None:
        score, weight = program.curvature(theta, auxiliary)
    else:
        score, weight = averaged_curvature(program, theta, auxiliary, deviation)
    if problem.by_rows:
        parts = slot_matrices(problem)
        slope = np.sum([part.T @ score[slot] for slot, part in parts.items()], axis=0)
        information = Information(problem, gram(problem, _by_slots(weight, [*parts])), slope)
    else:
        information = Information(problem, gram(problem, _floored(weight)), problem.matrix.T @ score)
    prior = common_prior(problem, theta)[1]
    return Mode(theta, hyperparameters, roots, information, precision(information, prior, roots))


def _floored(weight: np.ndarray) -> np.ndarray:
    """Curvatures of rows, which stay above 0."""
    return np.maximum(weight, LEAST_WEIGHT * max(float(np.mean(np.abs(weight))), 1e-12))


def _by_slots(weight: np.ndarray, slots: list[int]) -> np.ndarray:
    """Curvatures by the linear predictors, shape ``(slots, slots, rows)``: those between two where these tell on them.

    Most families' parameters are orthogonal: what single rows say of two together adds up to nothing.
    """
    kept = np.zeros_like(weight)
    for slot in slots:
        kept[slot, slot] = _floored(weight[slot, slot])
    for slot, along in itertools.combinations(slots, 2):
        both = 0.5 * (weight[slot, along] + weight[along, slot])
        root = np.sqrt(kept[slot, slot] * kept[along, along])
        if abs(both.sum()) > LEAST_LINK * root.sum():
            kept[slot, along] = kept[along, slot] = np.clip(both, -MOST_LINK * root, MOST_LINK * root)
    return kept


def common_prior(problem: Problem, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score of the common coefficients' priors, and the precision of the normals that have the same one.

    Coefficients that a prior bounds are held where they are.
    """
    score, precisions = np.zeros(problem.common), np.full(problem.common, HELD)
    for place, prior in enumerate(problem.priors):
        *shape, centre, scale = (float(np.asarray(argument)) for argument in prior.arguments)
        away = (theta[place] - centre) / scale
        assert prior.distribution.pull is not None
        precisions[place] = prior.distribution.pull(max(abs(away), 1e-3), *shape) / scale**2
        score[place] = -precisions[place] * away * scale
    return score, precisions


def _gradient(mode: Mode) -> np.ndarray:
    problem, theta = mode.information.problem, mode.theta
    slope = mode.information.score.copy()
    slope[: problem.common] += common_prior(problem, theta)[0]
    slope[problem.linear : problem.common] = 0.0
    for factor, root in zip(problem.factors, mode.roots, strict=True):
        effects = theta[factor.span].reshape(factor.width, factor.groups)
        slope[factor.span] -= np.linalg.solve(root @ root.T, effects).ravel()
    return slope


def _height(program: Program, theta: np.ndarray, hyperparameters: np.ndarray, roots: tuple[np.ndarray, ...]) -> float:
    """The log density, up to what does not depend on the coefficients, in public coordinates."""
    value = program.log_density(public_point(program, theta, hyperparameters, roots))[0]
    return value if np.isfinite(value) else -np.inf


def public_point(
    program: Program, theta: np.ndarray, hyperparameters: np.ndarray, roots: tuple[np.ndarray, ...]
) -> np.ndarray:  # fmt: skip
    """Where coefficients and hyperparameters are in public coordinates."""
    problem = program.problem
    parts = [theta[: problem.linear]]
    for factor, root in zip(problem.factors, roots, strict=True):
        parts.append(np.linalg.solve(root, theta[factor.span].reshape(factor.width, factor.groups)).ravel())
    return np.concatenate([*parts, program.unconstrained(hyperparameters)])


def _score(
    program: Program, theta: np.ndarray, hyperparameters: np.ndarray, roots: tuple[np.ndarray, ...]
) -> np.ndarray:  # fmt: skip
    """The score of the coefficients as far as data go, from the density's gradient in public coordinates.

    That of coefficients that are held is not asked for, and 0 here.
    """
    problem = program.problem
    gradient, score = program.log_density(public_point(program, theta, hyperparameters, roots))[1], np.zeros(len(theta))
    score[: problem.linear] = gradient[: problem.linear] - common_prior(problem, theta)[0][: problem.linear]
    at = problem.linear
    for factor, root in zip(problem.factors, roots, strict=True):
        shape, size = (factor.width, factor.groups), factor.width * factor.groups
        by_normals, effects = gradient[at : at + size].reshape(shape), theta[factor.span].reshape(shape)
        of_prior = np.linalg.solve(root, effects)
        score[factor.span] = np.linalg.solve(root.T, by_normals + of_prior).ravel()
        at += size
    return score
