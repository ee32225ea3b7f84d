"""Sampling a model of which the largest factor's effects are integrated out, and drawn when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.sparse.linalg import ArpackError

from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.adapt.mode import covariance_roots, public_point
from hiermod.engine.build.compile import library
from hiermod.engine.layout.coverage import refused
from hiermod.engine.layout.problem import Problem, read_problem
from hiermod.engine.layout.program import Program, public_coordinates
from hiermod.engine.layout.units import in_own_unit
from hiermod.errors import SamplingError
from hiermod.marginal.integration import ByNodes, integrated_problem, numbers_of_conditional
from hiermod.marginal.patterns import grouping_of
from hiermod.marginal.placement import ALLOWED, EDGE, FIRST_NODES, NODES, TooManyNodesError
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import INTEGRATION_ERROR
from hiermod.sampling.native import Native, refuse_no_start, seconds_of_gradient
from hiermod.sampling.sampled_effects import FEW_NODES, QUICKER, seconds_of_sampling, why_beside
from hiermod.sampling.settings import ChosenEngine, Settings

AXES, POINTS, WIDER = 12, 16, 1.2  # at which nodes are compared: ends of axes, and normal ones
JUDGED = 40  # draws at which they are compared once more
MAX_ERROR = 1e-3  # of the log density between draws, from which on there are more nodes
SEED = 103
GRADIENTS = 26_000.0  # of a run, measured
MOST_NUMBERS = 30_000_000  # that the distribution of effects given all else takes


@dataclass(frozen=True, eq=False)
class ByIntegration:
    """A program whose largest factor's effects are integrated out, ready to be sampled.

    Parameters
    ----------
    native : Native
    public : Program
        The same in the coordinates of the public model.
    error : float
        What the log density is off by at the posterior's edges, relative to the mode.
    """

    native: Native
    public: Program
    error: float

    @property
    def engine(self) -> ChosenEngine:
        """The compiled one."""
        return ChosenEngine("compiled", self.native.told)

    @property
    def tune(self) -> int:
        """Warm-up of each chain."""
        return self.native.tune

    @property
    def target_accept(self) -> float:
        """As `Native.target_accept` says."""
        return self.native.target_accept

    @property
    def drawn_later(self) -> frozenset[str]:
        """Variables that the draws do not have."""
        factor = self.public.problem.integrated
        assert factor is not None
        return frozenset(effect.name for term in factor.of_groups for effect in term.effects)

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once, as `Sampler.run` says; once more with more nodes where draws are beyond what these can tell."""
        current = self
        while True:
            refuse_no_start(current.native.program)
            result, interrupted = current.native.sampled(settings, progress)
            error = max(current.error, current._error_at(result.draws))
            more = current._with_more_nodes() if error > MAX_ERROR and not interrupted else None
            if more is None:
                break
            current = more
        tree = current.native.tree(result)
        stats = tree["sample_stats"].to_dataset().assign_attrs({INTEGRATION_ERROR: error})
        return xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset(), "sample_stats": stats}), interrupted

    def _error_at(self, draws: np.ndarray) -> float:
        """What the log density of draws is off by, relative to their mean, as far as more nodes tell."""
        own = self.public.integration
        if not isinstance(own, ByNodes) or (number := _next(own)) is None:
            return 0.0
        problem, flat = self.public.problem, draws.reshape(-1, draws.shape[2])
        hyperparameters = flat[:, problem.coefficients :]
        extremes = [*hyperparameters.argmin(axis=0), *hyperparameters.argmax(axis=0)]
        places = np.unique([*extremes, *np.linspace(0, len(flat) - 1, JUDGED).astype(int)])
        finer = self.public.with_integration(own.with_nodes(number))
        differences = []
        for row in flat[places]:
            theta, values = row[: problem.coefficients], row[problem.coefficients :]
            point = public_point(self.public, theta, values, covariance_roots(problem, values))
            differences.append(finer.log_density(point)[0] - self.public.log_density(point)[0])
        return float(np.abs(np.array(differences) - np.mean(differences)).max())

    def _with_more_nodes(self) -> ByIntegration | None:
        own = self.public.integration
        if not isinstance(own, ByNodes) or (number := _next(own)) is None:
            return None
        finer = own.with_nodes(number)
        native = replace(self.native, program=self.native.program.with_integration(finer))
        return ByIntegration(native, self.public.with_integration(finer), 0.0)


def _next(own: ByNodes) -> int | None:
    place = NODES.index(own.likelihood.nodes_of_dimension) + 1
    return NODES[place] if place < len(NODES) else None


def sampler_beside(spec: Spec, announce: Callable[[str], None]) -> ByIntegration | str:
    """A sampler of all but the effects of the largest factor, or why these are sampled, too."""
    if why := refused(spec):
        return why
    problem = in_own_unit(read_problem(spec))
    return why_beside(spec, problem) or integrated(problem, announce, seconds_of_sampling(problem) / GRADIENTS)


def integrated(problem: Problem, announce: Callable[[str], None], most: float = math.inf) -> ByIntegration | str:
    """A problem without the effects of its last factor, ready to be sampled, or why it is not.

    `most` are the seconds that a gradient may take, above which it is quicker to sample the effects.
    """
    reduced = integrated_problem(problem)
    assert reduced.integrated is not None
    if numbers_of_conditional(reduced) > MOST_NUMBERS:
        return "what data say of them takes too much memory beside so many other coefficients"
    if isinstance(own := reduced.integration, ByNodes):
        reduced = replace(reduced, integration=own.with_nodes(FIRST_NODES[reduced.integrated.width - 1]))
    public = public_coordinates(reduced, library(announce).functions)
    if seconds_of_gradient(public) > most:
        return QUICKER
    try:
        with np.errstate(all="ignore"):
            program, error = with_enough_nodes(whiten(public))
            refuse_no_start(program)
    except (np.linalg.LinAlgError, ArithmeticError, ArpackError, SamplingError, TooManyNodesError):
        return FEW_NODES
    if seconds_of_gradient(program) > most:
        return QUICKER
    assert program.integration is not None
    public = public.softened().with_integration(program.integration)
    return ByIntegration(Native(program, _told(program)), public, error)


def _told(program: Program) -> str:
    assert program.problem.integrated is not None
    grouping, own = grouping_of(program.problem.integrated), program.integration
    told = f"the effects of {grouping.groups:,} groups of {grouping.name} are integrated out"
    if isinstance(own, ByNodes) and len(own.likelihood.patterns.counts) < grouping.groups:
        told += f", which have {len(own.likelihood.patterns.counts):,} patterns of data"
    return f"{told}; all else is sampled"


def with_enough_nodes(program: Program) -> tuple[Program, float]:
    """The program with the first number of nodes that the next one hardly changes as far as the posterior reaches.

    Raises
    ------
    TooManyNodesError
    """
    own, before = program.integration, None
    if not isinstance(own, ByNodes):
        return program, 0.0
    points = _edges(program)
    for number in NODES[NODES.index(own.likelihood.nodes_of_dimension) :]:
        tried = program.with_integration(own.with_nodes(number))
        values = np.array([tried.log_density(z)[0] for z in points])
        if before is not None:
            differences = values - before[1]
            error = float(np.abs(differences - differences[0]).max())
            if error < ALLOWED:
                return before[0], error
        before = tried, values
    raise TooManyNodesError


def _edges(program: Program) -> np.ndarray:
    """The mode, ends of the axes of hyperparameters and of some coefficients, and points that are scattered about."""
    problem, size = program.problem, program.problem.dimension
    axes = np.eye(size)
    of_hyperparameters, of_common = axes[size - len(problem.hyperparameters) :], axes[: problem.linear]
    ends = EDGE * np.concatenate([of_hyperparameters[:AXES], of_common[:AXES]])
    scattered = WIDER * np.random.default_rng(SEED).normal(size=(POINTS, size))
    return np.concatenate([np.zeros((1, size)), ends, -ends, scattered])
