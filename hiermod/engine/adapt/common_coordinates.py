"""How common coefficients spread about the mode, and how that follows the standard deviations of groups' effects."""

from __future__ import annotations

import numpy as np

from hiermod.engine.adapt.mode import Mode, common_prior, covariance_roots
from hiermod.engine.adapt.precision import precision, spread
from hiermod.engine.kernels.plain import stride_of
from hiermod.engine.kernels.record import TABLES
from hiermod.engine.layout.problem import Problem
from hiermod.engine.layout.program import Program

FEW_FOR_MEANS = 50  # groups, up to which their mean follows a standard deviation that they hardly inform
TWICE = 2.0
LEAST_SHARE = 0.01  # of a variance, that stays when standard deviations vanish


def common_arrays(mode: Mode) -> dict[str, np.ndarray]:
    """The arrays of `hiermod.engine.kernels.common_coefficients` at a mode.

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
    return [term.sds + column for factor in few for term in factor.terms for column in range(term.columns)]


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
MOST = 120  # coefficients, whose Cholesky factor each step takes


def joint_factors(problem: Problem) -> int:
    """How many factors, from the first on, have few groups; a factor alone needs none of it."""
    size, count = problem.linear, 0
    for factor in problem.factors:
        size += factor.groups * factor.width
        if factor.groups > FEW_SAMPLED_JOINTLY or size > MOST:
            break
        count += 1
    return count if len(problem.factors) > 1 else 0


def with_joint_block(program: Program, mode: Mode) -> Program:
    """The program with common coefficients and effects of few groups sampled jointly, where there are other factors.

    The data's information is that with the effects of the largest factor integrated out, if that is not among them.
    """
    problem, theta = program.problem, mode.theta
    count = joint_factors(problem)
    if not count:
        return program
    linear, stop = problem.linear, problem.factors[count - 1].span.stop
    places = np.concatenate([np.arange(linear), np.arange(problem.common, stop)])
    matrix = mode.information.matrix
    information = matrix[places][:, places].toarray()
    if count < len(problem.factors):
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
