"""Where the posterior of the hyperparameters is, and quadrature that holds as far as it reaches.

Of very many patterns a sample of the groups says where to start, how many nodes are needed, and so what it will cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hiermod.engine.layout.problem import Problem
from hiermod.marginal.mode import Mode, find_mode
from hiermod.marginal.quadrature import PatternLikelihood
from hiermod.marginal.target import Target

NODES = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80)  # a dimension
FIRST_NODES = (12, 8, 8)  # by effects a group
EDGE = 3.5  # where nodes are checked, in standard deviations
ALLOWED = 2e-5  # error of the log density at the edges, over all groups
FIRST_SPREAD = 0.5
MANY_ENTRIES, SAMPLED = 100_000, 4000  # from so many entries on, so many groups make a start


@dataclass(frozen=True, eq=False)
class Placed:
    """A target with its mode, and the error of its log density at the posterior's edges, relative to the mode."""

    target: Target
    mode: Mode
    error: float = 0.0


class TooManyNodesError(Exception):
    """No number of nodes integrates the effects exactly enough."""


def place_gaussian(target: Target) -> Placed:
    """The mode of a target in closed form.

    Raises
    ------
    NoModeError
    """
    target, mode = _softened(target, find_mode(lambda _: target.log_density, _start(target.problem)))
    return Placed(target, mode)


def _softened(target: Target, mode: Mode) -> tuple[Target, Mode]:
    """The target with knees, and its mode."""
    soft, point, spread = target.softened(mode)
    return soft, _mode_from(soft, point, spread)


def _mode_from(target: Target, point: np.ndarray, spread: np.ndarray) -> Mode:
    return find_mode(lambda _: target.log_density, point, spread)


def first_place(target: Target) -> Placed:
    """The mode by a sample of the groups, or by all where these are few, with as many nodes as all need.

    Raises
    ------
    NoModeError
    TooManyNodesError
    """
    likelihood = target.likelihood
    assert isinstance(likelihood, PatternLikelihood)
    groups = likelihood.patterns.counts.sum()
    if len(likelihood.patterns.size) > MANY_ENTRIES:
        likelihood = likelihood.sample(SAMPLED)
    share = groups / likelihood.patterns.counts.sum()
    sample = target.with_likelihood(likelihood).with_nodes(FIRST_NODES[likelihood.patterns.totals.shape[1] - 1])
    mode = find_mode(lambda point: sample.placed_at(point).log_density, _start(target.problem))
    sample, mode = _softened(sample.placed_at(mode.point), mode)
    narrow = replace(mode, spread=mode.spread / np.sqrt(share))
    return _enough(sample.placed_at(mode.point), narrow, NODES, ALLOWED / share)


def last_place(target: Target, first: Placed) -> Placed:
    """The mode of all groups, from where a sample put it.

    Raises
    ------
    NoModeError
    TooManyNodesError
    """
    assert isinstance(first.target.likelihood, PatternLikelihood)
    assert isinstance(target.likelihood, PatternLikelihood)
    if first.target.likelihood.patterns is target.likelihood.patterns:
        return first
    nodes, mode = first.target.likelihood.nodes_of_dimension, first.mode
    target = replace(target, knees=first.target.knees)
    for _ in range(2):
        placed = target.placed_at(mode.point).with_nodes(nodes)
        mode = _mode_from(placed, mode.point, mode.spread)
    return _enough(placed, mode, NODES[NODES.index(nodes) :], ALLOWED)


def _enough(target: Target, mode: Mode, numbers: tuple[int, ...], allowed: float) -> Placed:
    """The target with the first number of nodes that the next one hardly changes, as far as the posterior reaches."""
    edges = EDGE * np.concatenate([np.zeros((1, len(mode.point))), mode.spread.T, -mode.spread.T]) + mode.point
    before: tuple[Target, np.ndarray] | None = None
    for number in numbers:
        tried = target.with_nodes(number)
        values = tried.log_density(edges)
        if before is not None:
            differences = values - before[1]
            error = float(np.abs(differences - differences[0]).max())
            if error < allowed:
                return Placed(before[0], replace(mode, value=float(before[1][0])), error)
        before = tried, values
    raise TooManyNodesError


def _start(problem: Problem) -> np.ndarray:
    """Priors' centres for coefficients, and moderate hyperparameters."""
    centres = [prior.typical for prior in problem.priors]
    line = [0.0 if np.isfinite(each.prior.support[1]) else np.log(FIRST_SPREAD) for each in problem.hyperparameters]
    return np.array([*centres, *line], dtype=float)
