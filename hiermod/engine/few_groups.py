"""Which coefficients are sampled jointly, and what the data say of them."""

from __future__ import annotations

import numpy as np

from hiermod.engine.blocks import spread
from hiermod.engine.dense import stride_of
from hiermod.engine.problem import Problem
from hiermod.engine.program import Program
from hiermod.engine.reference import Reference, common_prior, covariance_root

FEW = 16  # groups: their mean takes the place of the intercept and of other factors' means
MOST = 120  # coefficients, whose Cholesky factor each step takes


def factors_together(problem: Problem) -> int:
    """How many factors, from the first on, have few groups; a factor alone needs none of it."""
    size, count = problem.linear, 0
    for factor in problem.factors:
        size += factor.groups * factor.width
        if factor.groups > FEW or size > MOST:
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
