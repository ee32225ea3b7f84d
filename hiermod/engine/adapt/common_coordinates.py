"""How common coefficients spread about the mode, and how that follows the standard deviations of groups' effects."""

from __future__ import annotations

import numpy as np

from hiermod.engine.adapt.mode import Reference, common_prior, covariance_root
from hiermod.engine.adapt.precision import precision, spread
from hiermod.engine.kernels.dense import stride_of
from hiermod.engine.layout.problem import Problem
from hiermod.engine.layout.program import Program

FEW_FOR_MEANS = 50  # groups, up to which their mean follows a standard deviation that they hardly tell
TWICE = 2.0
LEAST_SHARE = 0.01  # of a variance, that stays when standard deviations vanish


def common_arrays(reference: Reference) -> dict[str, np.ndarray]:
    """The arrays of `hiermod.engine.kernels.common` at a reference.

    A marginal posterior precision is the prior's p and 1/V of the data; V grows with the squared standard deviations of
    groups' effects, which is told by doubling each.
    """
    problem = reference.information.problem
    linear, count = problem.linear, len(reference.scalars)
    if not linear:
        return {"linear_map": np.zeros((0, 0)), "common_numbers": np.zeros(0), "common_spread": np.zeros(0)}
    estimates = reference.theta[:linear]
    covariance = _covariance(reference, reference.scalars)
    root = np.linalg.cholesky(covariance)
    numbers, slopes = np.tile([1.0, 0.0, 0.0, 0.0], (linear, 1)), np.zeros((linear, count))
    numbers[:, 3] = estimates
    prior = common_prior(problem, reference.theta)[1][:linear]
    centres = np.array([each.typical for each in problem.priors])
    places = _followed(reference)
    if places:
        variance = _by_data(covariance, prior)
        for place in places:
            scalars = reference.scalars.copy()
            scalars[place] *= TWICE
            more = _by_data(_covariance(reference, scalars), prior) - variance
            slopes[:, place] = np.maximum(more, 0.0) / ((TWICE**2 - 1.0) * reference.scalars[place] ** 2)
        grown = slopes @ reference.scalars**2
        slopes *= np.minimum(1.0, (1.0 - LEAST_SHARE) * variance / np.maximum(grown, 1e-300))[:, None]
        left = 1.0 / (1.0 + prior * variance)
        numbers = np.column_stack([variance - slopes @ reference.scalars**2, prior, centres,
                                   centres + (estimates - centres) / left])  # fmt: skip
        root = root / np.sqrt(variance * left)[:, None]
    return {"linear_map": root, "common_numbers": numbers, "common_spread": slopes}


def _followed(reference: Reference) -> list[int]:
    """The standard deviations of factors with few groups."""
    few = [factor for factor in reference.information.problem.factors if factor.groups <= FEW_FOR_MEANS]
    return [bar.sds + column for factor in few for bar in factor.bars for column in range(bar.columns)]


def _covariance(reference: Reference, scalars: np.ndarray) -> np.ndarray:
    """The covariance of the common coefficients once all effects are integrated out, shape ``(linear, linear)``."""
    problem = reference.information.problem
    own = reference.precision
    if scalars is not reference.scalars:
        roots = [covariance_root(problem, factor, scalars) for factor in problem.factors]
        prior = common_prior(problem, reference.theta)[1]
        own = precision(reference.information, prior, tuple(root @ root.T for root in roots))
    return np.linalg.inv(own.of_common()[: problem.linear, : problem.linear])


def _by_data(covariance: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The variance of each coefficient as far as the data and the other priors go."""
    told = 1.0 / np.diag(covariance)
    return 1.0 / np.maximum(told - prior, 1e-6 * told)


FEW_SAMPLED_JOINTLY = 16  # groups: their mean takes the place of the intercept and of other factors' means
MOST = 120  # coefficients, whose Cholesky factor each step takes


def factors_together(problem: Problem) -> int:
    """How many factors, from the first on, have few groups; a factor alone needs none of it."""
    size, count = problem.linear, 0
    for factor in problem.factors:
        size += factor.groups * factor.width
        if factor.groups > FEW_SAMPLED_JOINTLY or size > MOST:
            break
        count += 1
    return count if len(problem.factors) > 1 else 0


def sampled_together(program: Program, reference: Reference) -> Program:
    """The program with common coefficients and effects of few groups sampled jointly, where there are other factors.

    The data's information is that with the effects of the largest factor integrated out, if that is not among them.
    """
    problem, theta = program.problem, reference.theta
    count = factors_together(problem)
    if not count:
        return program
    linear, stop = problem.linear, problem.factors[count - 1].span.stop
    places = np.concatenate([np.arange(linear), np.arange(problem.common, stop)])
    matrix = reference.information.matrix
    information = matrix[places][:, places].toarray()
    if count < len(problem.factors):
        last = problem.factors[-1]
        root = covariance_root(problem, last, reference.scalars)
        given = reference.information.groups[-1] + np.linalg.inv(root @ root.T)
        explained = (spread(np.linalg.inv(np.linalg.cholesky(given))) @ matrix[last.span, :][:, places]).toarray()
        information = information - explained.T @ explained
    pull, precision = (part[:linear] for part in common_prior(problem, theta))
    unit = 1.0 / np.sqrt(precision + np.diag(information)[:linear])
    score = information @ theta[places] + reference.information.score[places]
    numbers = np.concatenate([score, pull + precision * theta[:linear], precision * unit**2, unit])
    padded = np.zeros((len(places), stride_of(len(places))))
    padded[:, : len(places)] = information
    return program.jointly(count, padded.ravel(), numbers)
