"""Independent draws of a model of very many groups, whose effects are integrated out and drawn afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from hiermod.engine.layout.problem import GAUSSIAN, Problem, read_problem
from hiermod.engine.layout.units import in_own_unit
from hiermod.errors import SamplingError
from hiermod.marginal.draws import FIRM_BOUND, NotDrawnError, check_tails, draw
from hiermod.marginal.effects import Conditional, GaussianConditional, PatternConditional
from hiermod.marginal.likelihoods import (
    CUMULANTS,
    GaussianLikelihood,
    PatternLikelihood,
    gaussian_likelihood,
    group_sums,
    pattern_likelihood,
)
from hiermod.marginal.mode import Mode, NoModeError, find_mode
from hiermod.marginal.patterns import find_patterns
from hiermod.marginal.surrogate import DEGREES, fit_surrogate
from hiermod.marginal.target import Target
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import QUADRATURE_ERROR
from hiermod.sampling.native import posterior_of
from hiermod.sampling.settings import ChosenEngine, Settings

MARGINAL = 101  # the purpose of its random numbers
LEAST_GROUPS = 1000  # with fewer the posterior is wide, and the sampler quick
MOST_DIMENSIONS, WIDEST = 12, 3
MOST_ENTRIES = 200_000  # of patterns, by which the sampler is quicker
MOST_NUMBERS = 30_000_000  # of a Gaussian model's structures
NODES = (9, 13, 19, 27, 39, 55, 79)
LIGHT = 3e8  # terms, up to which all draws are made by the density itself
CERTIFIED = 200  # draws of a polynomial in the density's place that are compared with it
TRIED = 4000  # draws made beforehand
EDGE = 3.5  # where nodes are checked, in standard deviations
ALLOWED = 2e-5  # error of the log density at the edges
FIRST_SPREAD = 0.5


@dataclass(frozen=True, eq=False)
class ByMarginal:
    """A model with its target, mode and quadrature, ready to be drawn from."""

    target: Target
    mode: Mode
    error: float

    @property
    def engine(self) -> ChosenEngine:
        """No sampler."""
        factor, likelihood = self.target.problem.factors[0], self.target.likelihood
        name = self.target.problem.spec.groups[0].grouping.name
        told = f"the effects of {factor.groups:,} groups of {name} are integrated out"
        if isinstance(likelihood, PatternLikelihood):
            told += f", which have {len(likelihood.patterns.counts):,} patterns of data"
        return ChosenEngine("exact", told)

    @property
    def tune(self) -> None:
        """There is no warm-up."""

    @property
    def target_accept(self) -> None:
        """Nothing is tuned."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Draw once, as `Sampler.run` says."""
        problem, size = self.target.problem, settings.chains * settings.draws
        rng = np.random.default_rng([settings.seed or 0, MARGINAL])
        try:
            points, error = self._points(size, rng)
        except NotDrawnError as found:
            raise SamplingError(
                "The posterior of this model is too far from a normal distribution for independent draws. Say "
                "engine='compiled', which samples it."
            ) from found
        beta, values, _ = self.target.parameters(points)
        draws = np.concatenate([beta, values], axis=1).reshape(settings.chains, settings.draws, -1)
        stats = xr.Dataset(attrs={QUADRATURE_ERROR: self.error + error})
        posterior = posterior_of(problem, draws, effects=False)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats}), False

    def _points(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Draws of the density, and what a polynomial in its place is off by, where there is one."""
        density = self.target.log_density
        if self.target.likelihood.work * size > LIGHT:
            for degree in DEGREES:
                surrogate = fit_surrogate(density, self.mode, degree, rng)
                start = replace(self.mode, value=float(surrogate.log_density(self.mode.point[None])[0]))
                points = draw(surrogate.log_density, start, size, rng)
                tried = points[:CERTIFIED]
                error = density(tried) - surrogate.log_density(tried)
                off = float(np.abs(error - error.mean()).mean())
                if off < ALLOWED:
                    return points, off
        return draw(density, self.mode, size, rng), 0.0


def marginal_sampler(spec: Spec) -> ByMarginal | None:
    """A sampler of a model's marginal density; None where effects are better sampled."""
    if (
        spec.smooths
        or len(spec.cells.groupings) != 1
        or max(grouping.size for grouping in spec.cells.groupings.values()) < LEAST_GROUPS
    ):
        return None
    problem = in_own_unit(read_problem(spec))
    if not _covered(problem):
        return None
    likelihood = _likelihood(problem)
    if likelihood is None:
        return None
    try:
        placed = _placed(Target(problem, likelihood))
        return None if placed is None else _tried(placed)
    except (NoModeError, NotDrawnError, np.linalg.LinAlgError):
        return None


def _tried(placed: ByMarginal) -> ByMarginal:
    """The same, once its tails are looked at and, where that is quick, some draws are made."""
    density = placed.target.log_density
    check_tails(density, placed.mode)
    if placed.target.likelihood.work * TRIED <= LIGHT:
        draw(density, placed.mode, TRIED, np.random.default_rng(MARGINAL), FIRM_BOUND)
    return placed


def _covered(problem: Problem) -> bool:
    dimension = problem.linear + len(problem.hyperparameters)
    if len(problem.factors) != 1 or len(problem.segments) != 1 or problem.by_rows or dimension > MOST_DIMENSIONS:
        return False
    width = problem.factors[0].width
    family = [each.name for each in problem.hyperparameters[problem.auxiliary :]]
    return (problem.kernel == GAUSSIAN and width <= WIDEST and family == ["sigma"]) or (
        problem.kernel in CUMULANTS and width == 1
    )


def _likelihood(problem: Problem) -> GaussianLikelihood | PatternLikelihood | None:
    if problem.kernel == GAUSSIAN:
        return gaussian_likelihood(problem)
    patterns = find_patterns(problem)
    if patterns is None or len(patterns.size) > MOST_ENTRIES:
        return None
    return pattern_likelihood(problem, patterns)


def _placed(target: Target) -> ByMarginal | None:
    """The target with its mode, and quadrature that holds as far as the posterior reaches."""
    likelihood, start = target.likelihood, _start(target.problem)
    if isinstance(likelihood, GaussianLikelihood):
        if likelihood.work > MOST_NUMBERS:
            return None
        return ByMarginal(target, find_mode(lambda _: target.log_density, start), 0.0)
    assert isinstance(likelihood, PatternLikelihood)
    mode = find_mode(lambda point: _with_nodes(target, point, NODES[1]).log_density, start)
    edges = np.concatenate([EDGE * mode.spread.T, -EDGE * mode.spread.T]) + mode.point
    everywhere = np.concatenate([mode.point[None], edges])
    before = None
    for nodes in NODES:
        tried = _with_nodes(target, mode.point, nodes)
        values = tried.log_density(everywhere)
        if before is not None:
            differences = values - before[1]
            error = float(np.abs(differences - differences[0]).max())
            if error < ALLOWED:
                return ByMarginal(before[0], replace(mode, value=float(before[1][0])), error)
        before = tried, values
    return None


def _with_nodes(target: Target, point: np.ndarray, nodes: int) -> Target:
    assert isinstance(target.likelihood, PatternLikelihood)
    beta, values, _ = target.parameters(point[None])
    return target.with_likelihood(target.likelihood.placed(beta[0], target.root(values)[0], nodes))


def _start(problem: Problem) -> np.ndarray:
    """Priors' centres for coefficients, and moderate hyperparameters."""
    centres = [prior.typical for prior in problem.priors]
    line = [0.0 if np.isfinite(each.prior.support[1]) else np.log(FIRST_SPREAD) for each in problem.hyperparameters]
    return np.array([*centres, *line], dtype=float)


def conditional_of(spec: Spec, values: Callable[[str], np.ndarray]) -> Conditional:
    """The distribution of groups' effects given the draws of a model's variables, in the user's units."""
    problem = read_problem(spec)
    blocks = spec.coefficients.blocks
    stated = np.concatenate([_flat(values(block.name)) for block in blocks], axis=1) if blocks else None
    beta = np.zeros((_draws(spec, values), 0)) if stated is None else np.linalg.solve(problem.back, stated.T).T
    root = _root(spec, values)
    if problem.kernel == GAUSSIAN:
        information, sums = group_sums(problem)
        return GaussianConditional(information, sums, beta, root, values("sigma"))
    patterns = find_patterns(problem)
    assert patterns is not None
    return PatternConditional(patterns, problem.kernel, beta, root[:, 0, 0])


def _draws(spec: Spec, values: Callable[[str], np.ndarray]) -> int:
    return len(values(spec.groups[0].effects[0].sd_name))


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _root(spec: Spec, values: Callable[[str], np.ndarray]) -> np.ndarray:
    """Λ of all effects of a group, the terms one after the other; shape ``(draws, width, width)``."""
    width = sum(len(term.row_names) for term in spec.groups)
    root, at = np.zeros((_draws(spec, values), width, width)), 0
    for term in spec.groups:
        own = slice(at, at + len(term.row_names))
        sds = np.hstack([_flat(values(effect.sd_name)) for effect in term.effects])
        none = np.zeros((len(sds), 0))
        matrices = term.correlation_matrices(values(term.correlation_name) if term.correlated else none)
        root[:, own, own] = sds[:, :, None] * np.linalg.cholesky(matrices)
        at = own.stop
    return root
