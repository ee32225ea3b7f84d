"""A real response in a unit near its standard deviation, so that draws do not depend on the one it was measured in.

The unit is a power of two: dividing by it is exact, and a response times a power of two has the same draws times it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import compress

import numpy as np

from hiermod.engine.layout.problem import Problem
from hiermod.modeling.prior_choice import response_scale


def in_own_unit(problem: Problem) -> Problem:
    """The same model of the response divided by a power of two, which the problem keeps as its unit.

    Nothing changes where the response has no unit, or a prior cannot be stated in another one.
    """
    spec = problem.spec
    if not spec.family.has_unit:
        return problem
    spread = response_scale(spec.family, spec.cells, np.zeros(len(spec.cells))).unit
    unit = 2.0 ** math.frexp(spread)[1]
    scaled = _scaled(problem)
    if any(each.prior.distribution.support == "unit" for each in compress(problem.hyperparameters, scaled)):
        return problem
    hyperparameters = tuple(
        replace(each, prior=each.prior.scaled(1.0 / unit)) if own else each
        for each, own in zip(problem.hyperparameters, scaled, strict=True)
    )
    priors = tuple(prior.scaled(1.0 / unit) for prior in problem.priors)
    return replace(
        problem, unit=unit, priors=priors, hyperparameters=hyperparameters,
        response=problem.response / unit, offset=problem.offset / unit, squares=problem.squares / unit**2,
    )  # fmt: skip


def units(problem: Problem) -> np.ndarray:
    """What each coefficient and hyperparameter is measured in, shape ``(coefficients + hyperparameters,)``."""
    return np.where([*[True] * problem.coefficients, *_scaled(problem)], problem.unit, 1.0)


def _scaled(problem: Problem) -> list[bool]:
    """Which hyperparameters have the response's unit: all but partial correlations and the family's shapes."""
    partial = {f"{term.correlation_name}_offset" for term in problem.spec.groups if term.correlated}
    shapes = {name for name in problem.spec.family.auxiliary if name != "sigma"}
    return [each.name not in partial | shapes for each in problem.hyperparameters]
