"""A point near the posterior's mode, at which a problem is linear and quadratic enough to choose coordinates by."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from hiermod.engine.adapt.precision import Information, Precision, precision
from hiermod.engine.kernels.plain import term_root
from hiermod.engine.layout.arrays import gram, slot_matrices
from hiermod.engine.layout.problem import Problem
from hiermod.engine.layout.program import Program

MOST_STEPS = 25
HELD = 1e12  # precision of what does not move
CLOSE = 1e-3
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
        for term in factor.terms:
            term_root(hyperparameters, term, root)
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
    return _expand_around(program, theta, hyperparameters, roots)


def _expand_around(
    program: Program, theta: np.ndarray, hyperparameters: np.ndarray, roots: tuple[np.ndarray, ...]
) -> Mode:
    problem = program.problem
    score, weight = program.curvature(theta, hyperparameters[problem.auxiliary :])
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
    problem = program.problem
    parts = [theta[: problem.linear]]
    for factor, root in zip(problem.factors, roots, strict=True):
        parts.append(np.linalg.solve(root, theta[factor.span].reshape(factor.width, factor.groups)).ravel())
    value = program.log_density(np.concatenate([*parts, program.unconstrained(hyperparameters)]))[0]
    return value if np.isfinite(value) else -np.inf
