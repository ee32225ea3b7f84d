"""Independent draws of a model of very many groups, whose effects are integrated out and drawn afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import GAUSSIAN, Problem, read_problem, stated_map
from hiermod.engine.layout.units import in_own_unit
from hiermod.errors import DataError
from hiermod.marginal.draws import NotDrawnError
from hiermod.marginal.effects import Conditional, GaussianConditional, PatternConditional
from hiermod.marginal.gaussian import gaussian_likelihood, group_sums
from hiermod.marginal.mode import NoModeError
from hiermod.marginal.patterns import find_patterns, rounded
from hiermod.marginal.placement import NODES, Placed, TooManyNodesError, first_place, last_place, place_gaussian
from hiermod.marginal.quadrature import PatternLikelihood, pattern_likelihood
from hiermod.marginal.source import CERTIFIED, TRIED, Source, find_source
from hiermod.marginal.surrogate import degrees, points_needed
from hiermod.marginal.target import Target
from hiermod.modeling.definition import CHANGED
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.by_integration import ByIntegration, sampler_beside
from hiermod.sampling.diagnostics import QUADRATURE_ERROR
from hiermod.sampling.native import posterior_of
from hiermod.sampling.sampled_effects import (
    QUICKER,
    has_few_parameters,
    has_many_groups,
    is_alone,
    seconds_of_sampling,
    why_far,
)
from hiermod.sampling.settings import ChosenEngine, Settings

MARGINAL = 101  # the purpose of its random numbers
MOST_NUMBERS = 30_000_000  # of a Gaussian model's structures
# Measured seconds, by which it is chosen whether effects are integrated out or sampled.
OF_TERM, OF_NODE = 1.5e-9, 4e-9  # an entry at a node; a pattern's node
FINDING = 200  # points that the mode and the nodes take
SAME = 1e-9  # up to rounding


@dataclass(frozen=True, eq=False)
class ByMarginal:
    """A model with the source of its draws, ready to be drawn from."""

    source: Source

    @property
    def engine(self) -> ChosenEngine:
        """No sampler."""
        grouping, likelihood = self.source.target.problem.spec.groups[0].grouping, self.source.target.likelihood
        told = f"the effects of {grouping.groups:,} groups of {grouping.name} are integrated out"
        if isinstance(likelihood, PatternLikelihood) and len(likelihood.patterns.counts) < grouping.groups:
            told += f", which have {len(likelihood.patterns.counts):,} patterns of data"
        return ChosenEngine("exact", told)

    @property
    def tune(self) -> None:
        """There is no warm-up."""

    @property
    def target_accept(self) -> None:
        """Nothing is tuned."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Draw once, as `Sampler.run` says.

        Raises
        ------
        NotDrawnError
            If the density is too far from the proposals; the effects have to be sampled.
        """
        problem, size = self.source.target.problem, settings.chains * settings.draws
        rng = np.random.default_rng([settings.seed or 0, MARGINAL])
        beta, values, _ = self.source.target.parameters(self.source.draw(size, rng))
        draws = np.concatenate([beta, values], axis=1).reshape(settings.chains, settings.draws, -1)
        stats = xr.Dataset(attrs={QUADRATURE_ERROR: self.source.error})
        posterior = posterior_of(problem, draws, effects=False)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats}), False


def marginal_sampler(spec: Spec, announce: Callable[[str], None]) -> ByMarginal | ByIntegration | str:
    """A sampler of a model's marginal density, or why its effects are sampled; empty where groups are few."""
    if not has_many_groups(spec):
        return ""
    if not is_alone(spec):
        return sampler_beside(spec, announce)
    problem = in_own_unit(read_problem(spec))
    if not has_few_parameters(problem):
        return sampler_beside(spec, announce)
    try:
        placed = _placed_gaussian(problem) if problem.kernel == GAUSSIAN else _placed(problem, announce)
        return QUICKER if placed is None else ByMarginal(find_source(placed))
    except (NoModeError, NotDrawnError, TooManyNodesError, np.linalg.LinAlgError):
        return why_far(spec)


def _placed_gaussian(problem: Problem) -> Placed | None:
    likelihood = gaussian_likelihood(problem)
    return None if likelihood.work > MOST_NUMBERS else place_gaussian(Target(problem, likelihood))


def _placed(problem: Problem, announce: Callable[[str], None]) -> Placed | None:
    """The target and its quadrature, unless that would take longer than to sample the effects."""
    likelihood = pattern_likelihood(problem, find_patterns(problem))
    target, width = Target(problem, likelihood), problem.factors[0].width
    if _seconds(target, NODES[0] ** width) > seconds_of_sampling(problem):
        return None
    library(announce)
    first = first_place(target)
    assert isinstance(first.target.likelihood, PatternLikelihood)
    if _seconds(target, first.target.likelihood.nodes) > seconds_of_sampling(problem):
        return None
    return last_place(target, first)


def _seconds(target: Target, nodes: int) -> float:
    """What it takes to integrate the effects out, by what is done at each point and their number."""
    likelihood = target.likelihood
    assert isinstance(likelihood, PatternLikelihood)
    patterns = likelihood.patterns
    point = nodes * (OF_TERM * len(patterns.size) + OF_NODE * len(patterns.counts))
    exact, polynomial = 2 * TRIED, CERTIFIED + points_needed(target.dimension, degrees(target.dimension)[-1])
    return point * (FINDING + min(exact, polynomial))


def conditional_of(spec: Spec, values: Callable[[str], np.ndarray]) -> Conditional:
    """The distribution of groups' effects given the draws of a model's variables, in the user's units."""
    problem = read_problem(spec)
    beta, root = _coefficients(problem, values), _root(problem, values)
    if problem.kernel == GAUSSIAN:
        information, sums = group_sums(problem)
        return GaussianConditional(information, sums, beta, root, values("sigma"))
    likelihood = pattern_likelihood(problem, find_patterns(problem))
    return PatternConditional(likelihood.at(beta.mean(axis=0), root.mean(axis=0)), beta, root)


def _coefficients(problem: Problem, values: Callable[[str], np.ndarray]) -> np.ndarray:
    """Draws of all coefficients before the last factor's effects, shape ``(draws, coefficients)``."""
    names = [block.name for block in problem.spec.coefficients.blocks]
    stated = [_flat(values(name)) for name in names]
    found = np.zeros((len(values(problem.factors[-1].of_groups[0].effects[0].sd_name)), 0))
    if stated:
        found = np.linalg.solve(stated_map(problem), np.concatenate(stated, axis=1).T).T
    for factor in problem.factors[:-1]:
        effects = [_flat_columns(values(own.name)) for term in factor.of_groups for own in term.effects]
        found = np.concatenate([found, *effects], axis=1)
    return found


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _flat_columns(values: np.ndarray) -> np.ndarray:
    """Draws of effects ``(draws, groups, ...)``, those of one column side by side."""
    return _flat(values.reshape(*values.shape[:2], -1).swapaxes(1, 2))


def _root(problem: Problem, values: Callable[[str], np.ndarray]) -> np.ndarray:
    """Λ of all effects of a group of the last factor, the terms one after the other; ``(draws, width, width)``."""
    parts = []
    for term in problem.factors[-1].of_groups:
        sds = np.hstack([_flat(values(effect.sd_name)) for effect in term.effects])
        none = np.zeros((len(sds), 0))
        matrices = term.correlation_matrices(values(term.correlation_name) if term.correlated else none)
        parts.append(sds[:, :, None] * np.linalg.cholesky(matrices))
    root, at = np.zeros((len(parts[0]), problem.factors[-1].width, problem.factors[-1].width)), 0
    for part in parts:
        own = slice(at, at + part.shape[1])
        root[:, own, own] = part
        at = own.stop
    return root


def refuse_other_patterns(known: ModelSpec, read: ModelSpec) -> None:
    """Refuse groups that were read to have other patterns of data than those that are known.

    Raises
    ------
    DataError
        If they have, since the data has changed.
    """
    assert isinstance(known, Spec)
    assert isinstance(read, Spec)
    one, other = (_comparable(read_problem(each)) for each in (known, read))
    if one.shape != other.shape or not np.allclose(one, other, rtol=SAME, atol=SAME):
        raise DataError(CHANGED)


def _comparable(problem: Problem) -> np.ndarray:
    """The numbers of all patterns, in an order of their own."""
    patterns = find_patterns(problem)
    entries = np.column_stack(
        [patterns.pattern_of_entry, patterns.design, patterns.offset, patterns.multipliers, patterns.size]
    )
    order = np.lexsort((entries[:, -1], *map(rounded, entries[:, :-1].T[::-1])))
    return np.concatenate([entries[order].ravel(), patterns.counts, patterns.totals.ravel()])
