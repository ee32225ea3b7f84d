"""A real response about its mean and in a unit near its standard deviation, so that neither costs digits or steps.

The unit is a power of two: dividing by it is exact, and a response times a power of two has the same draws times it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import compress

import numpy as np

from hiermod.engine.layout.problem import GAUSSIAN, Problem
from hiermod.modeling.prior_choice import response_scale
from hiermod.priors.distributions import Prior

RESPONSE = "response"  # the scale of parameters that are measured as it is


def in_own_unit(problem: Problem) -> Problem:
    """The same model of the response divided by a power of two, and less its mean if the model has an intercept.

    The problem keeps unit and origin. Nothing changes where the response has no unit, or a prior cannot be stated in
    another one.
    """
    spec = problem.spec
    if not spec.family.has_unit:
        return problem
    scale = response_scale(spec.family, spec.cells, np.zeros(len(spec.cells)))
    unit = 2.0 ** math.frexp(scale.unit)[1]
    scaled = _scaled(problem)
    if any(each.prior.distribution.support == "unit" for each in compress(problem.hyperparameters, scaled)):
        return problem
    hyperparameters = tuple(
        replace(each, prior=each.prior.scaled(1.0 / unit)) if own else each
        for each, own in zip(problem.hyperparameters, scaled, strict=True)
    )
    of_mean = problem.common_slots[: problem.linear] == 0
    priors = [prior.scaled(1.0 / unit) if own else prior for prior, own in zip(problem.priors, of_mean, strict=True)]
    level = _level(problem)
    origin = scale.location / unit if len(level) else 0.0
    for place in level:
        priors[place] = _moved(priors[place], -origin)
    return replace(
        problem, unit=unit, origin=origin, priors=tuple(priors), hyperparameters=hyperparameters,
        response=(problem.response - origin * unit * _whole(problem)) / unit, offset=_offset(problem, unit),
        size=problem.size / unit**2 if problem.by_rows and problem.kernel == GAUSSIAN else problem.size,
        squares=problem.squares / unit**2, bounds=(problem.bounds - origin * unit) / unit,
    )  # fmt: skip


def _offset(problem: Problem, unit: float) -> np.ndarray:
    """What offsets add to each linear predictor; the logarithm of a parameter in the unit is less by that of it."""
    if not problem.by_rows:
        return problem.offset / unit
    spec, offset = problem.spec, problem.offset.copy()
    offset[0] /= unit
    for slot, parameter in enumerate(spec.family.single, start=1):
        if parameter.name in spec.predictors and parameter.scale == RESPONSE:
            offset[slot] -= math.log(unit)
    return offset


def in_users_unit(problem: Problem, draws: np.ndarray, effects: bool = True) -> np.ndarray:
    """Draws of coefficients and hyperparameters, shape ``(chain, draw, numbers)``, changed in place.

    Those of groups' effects stand between, unless there are no `effects`.
    """
    draws[:, :, _level(problem)] += problem.origin
    slots = problem.slots if effects else problem.common_slots
    draws *= np.where([*(slots == 0), *_scaled(problem)], problem.unit, 1.0)
    return draws


def _level(problem: Problem) -> np.ndarray:
    """Where the intercept stands, or the levels of a factor in its place; none where one has a bounded prior."""
    common = problem.spec.common  # its columns are the first ones
    if common.intercept is None:
        return np.zeros(0, dtype=int)
    span = common.slices()[common.intercept.name]
    found = np.flatnonzero((problem.order >= span.start) & (problem.order < span.stop))
    return found if (found < problem.linear).all() else found[:0]


def _moved(prior: Prior, step: float) -> Prior:
    *shape, location, scale = prior.arguments
    return replace(prior, arguments=(*shape, location + step, scale))


def _whole(problem: Problem) -> np.ndarray:
    """1 for rows that hold responses, and 0 for those that stand for the spread within cells."""
    return np.where(np.arange(len(problem.response)) < len(problem.spec.cells), 1.0, 0.0)


def _scaled(problem: Problem) -> list[bool]:
    """Which hyperparameters have the response's unit: those of the mean, and of the family those on its scale."""
    own = {parameter.name for parameter in problem.spec.family.parameters if parameter.scale == RESPONSE}
    roles = ("coefficient", "sd", "effect")
    own |= {each.name for each in problem.spec.variables() if each.parameter == "mu" and each.role in roles}
    return [each.name in own for each in problem.hyperparameters]
