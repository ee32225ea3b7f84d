"""Sampling by the compiled engine: from a spec to chains, and from their numbers to a posterior."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy import sparse
from scipy.sparse.linalg import ArpackError

from hiermod.engine import nutpie_core
from hiermod.engine.adapt.coordinates import follow_residuals, whiten
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import Factor, Problem, ShrunkPlace, SmoothPlace, TermPlace
from hiermod.engine.layout.program import Program, public_coordinates, starting_points
from hiermod.engine.layout.units import in_users_unit
from hiermod.engine.nutpie_core import available_cores
from hiermod.errors import InterruptedSamplingError, SamplingError, panics_as_errors
from hiermod.families.record import THRESHOLDS
from hiermod.modeling.model_priors import correlations
from hiermod.modeling.monotonic import shares_of
from hiermod.modeling.protocol import DIMS, Values, dataset_of, labelled, split
from hiermod.sampling.ending import held_back
from hiermod.sampling.progress import ChainProgress
from hiermod.sampling.settings import ChosenEngine, Settings, longest_run

SMALL = 100  # coordinates, up to which steps are cheap and caution comes first
WARM_UP = 300
STARTS = 8
TIMED = 5  # gradients
MORE, MOST_MORE, MOST_TRIES = 1.3, 30, 5  # draws in place of those that leave rows without a mean, over those asked for
AT_ONCE = 4_000_000  # linear predictors of rows and draws
TARGET, TARGET_OF_SMALL, TARGET_OF_FULL = 0.8, 0.9, 0.98


@dataclass(frozen=True, eq=False)
class Native:
    """A program ready to be sampled, and what there is to say of that."""

    program: Program
    told: str = ""

    @property
    def engine(self) -> ChosenEngine:
        """The compiled one."""
        return ChosenEngine("compiled", self.told)

    @property
    def tune(self) -> int:
        """Warm-up of each chain."""
        return WARM_UP

    @property
    def target_accept(self) -> float:
        """In many coordinates the best one is lower; in few, narrow places want caution more.

        Where common coefficients take nearly all rows, the spread of residuals may be next to nothing.
        """
        if follow_residuals(self.program.problem):
            return TARGET_OF_FULL
        return TARGET_OF_SMALL if self.program.problem.dimension <= SMALL else TARGET

    def seconds_of_gradient(self) -> float:
        """What one takes."""
        return seconds_of_gradient(self.program)

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once, as `Sampler.run` says."""
        refuse_no_start(self.program)
        result, interrupted = self.sampled(settings, progress)
        if self.program.problem.spec.family.link.is_bounded:
            result = self._with_means(result, settings, progress and not interrupted, again=not interrupted)
        return self.tree(result), interrupted

    def _with_means(self, result: nutpie_core.Run, settings: Settings, progress: bool, again: bool) -> nutpie_core.Run:
        """The draws with which all rows have a mean; there are more where others had to be left out.

        Raises
        ------
        SamplingError
            If hardly any are.
        """
        for _ in range(MOST_TRIES):
            inside = inside_draws(self.program.problem, result.draws)
            fewest = int(inside.sum(axis=1).min(initial=settings.draws))
            if fewest >= settings.draws or not again:
                return _chosen(result, inside, min(fewest, settings.draws))
            more = math.ceil(MORE * settings.draws * inside.shape[1] / max(fewest, 1))
            if more > MOST_MORE * settings.draws:
                break
            result, interrupted = self.sampled(replace(settings, draws=more), progress)
            again = not interrupted
        raise SamplingError(
            f"Under the {self.program.problem.spec.family.link.name} link nearly all draws leave some row of the data "
            "without a mean. Take another link."
        )

    def sampled(self, settings: Settings, progress: bool) -> tuple[nutpie_core.Run, bool]:
        """What the sampler gives, and whether it was interrupted."""
        chains, interrupted = None, False
        seen = ChainProgress() if progress else None
        try:
            with panics_as_errors(), held_back():
                chains = nutpie_core.start(
                    self.program, settings.draws, settings.tune or self.tune, settings.chains, settings.cores,
                    settings.seed or 0, settings.target_accept or self.target_accept, starting_points(self.program),
                    seen,
                )  # fmt: skip
            result = chains.wait(seen.show if seen else None)
        except KeyboardInterrupt:
            if chains is None:
                raise
            result, interrupted = chains.abort(), True
        except RuntimeError as error:
            why = str(error).splitlines()[0]
            raise SamplingError(
                f"The sampler stopped: {why}. Look at the priors (model.prior_summary()) and the predictors' scale."
            ) from error
        finally:
            if seen is not None:
                seen.close()
        return _kept(result) if interrupted else result, interrupted

    def tree(self, result: nutpie_core.Run) -> xr.DataTree:
        """The posterior and the sampler's statistics."""
        labels = {dim: np.arange(size) for dim, size in zip(DIMS, result.draws.shape[:2], strict=True)}
        stats = labelled({name: (DIMS, values) for name, values in result.stats.items()}, labels)
        posterior = posterior_of(self.program.problem, result.draws)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})


def seconds_of_gradient(program: Program) -> float:
    """What one takes, the least of a few."""
    point, least = starting_points(program)(0), math.inf
    for _ in range(TIMED):
        start = time.perf_counter()
        program.log_density(point)
        least = min(least, time.perf_counter() - start)
    return least


def inside_draws(problem: Problem, draws: np.ndarray) -> np.ndarray:
    """With which draws of coefficients all rows have a mean, shape ``(chain, draw)``."""
    link, rows = problem.spec.family.link, len(problem.response)
    matrix = problem.matrix @ sparse.diags_array((problem.slots == 0).astype(float))
    flat = draws[:, :, : problem.coefficients].reshape(-1, problem.coefficients)
    offset, inside = problem.offset.ravel()[:rows, None], np.empty(len(flat), dtype=bool)
    step = max(1, AT_ONCE // max(rows, 1))
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        inside[part] = link.inside(matrix @ flat[part].T + offset).all(axis=0)
    return inside.reshape(draws.shape[:2])


def _chosen(result: nutpie_core.Run, inside: np.ndarray, count: int) -> nutpie_core.Run:
    """The first so many of the chosen draws of each chain."""
    places = [np.flatnonzero(chain)[:count] for chain in inside]
    taken = {name: np.stack([chain[at] for chain, at in zip(values, places, strict=True)])
             for name, values in {"": result.draws, **result.stats}.items()}  # fmt: skip
    return nutpie_core.Run(taken.pop(""), taken, np.full(len(places), count))


def refuse_no_start(program: Program) -> None:
    """Refuse a program whose density is not finite at any of a few starting points, before threads look for one.

    Raises
    ------
    SamplingError
    """
    if not _starts(program):
        raise SamplingError(
            "The density of this model is not a finite number where sampling would start. Look at the priors "
            "(model.prior_summary()), the predictors' scale, and offsets: a count's offset is a logarithm."
        )


def _starts(program: Program) -> bool:
    point = starting_points(program)
    return any(np.isfinite(program.log_density(point(seed))[0]) for seed in range(STARTS))


def placed(problem: Problem, announce: Callable[[str], None]) -> Native:
    """A problem in coordinates that are chosen at its mode."""
    with held_back():  # compilers swallow Ctrl-C in places
        functions = library(announce).functions
    public = public_coordinates(problem, functions).threaded(available_cores())
    try:
        with np.errstate(all="ignore"):  # where numbers leave the range of floats, the density below is not finite
            program = whiten(public)
    except (np.linalg.LinAlgError, ArithmeticError, ArpackError) as error:
        why = str(error)
    else:
        if _starts(program):
            return Native(program)
        why = "the density there is not a finite number"
    announce(f"no coordinates could be chosen at the mode ({why}): those of the public model are sampled, slower")
    return Native(public)


def _kept(result: nutpie_core.Run) -> nutpie_core.Run:
    """The chains and the number of draws that keep most of an interrupted run."""
    chains, draws = longest_run(result.lengths)
    if not draws:
        raise InterruptedSamplingError
    stats = {name: values[chains, :draws] for name, values in result.stats.items()}
    return nutpie_core.Run(result.draws[chains, :draws], stats, result.lengths[chains])


def posterior_of(problem: Problem, draws: np.ndarray, effects: bool = True) -> xr.Dataset:
    """All variables of a posterior, or all but the effects of groups.

    Parameters
    ----------
    draws : ndarray, shape (chain, draw, numbers)
        Common coefficients of the centred design, effects if there are any, hyperparameters; put into the user's unit
        in place.
    """
    draws = in_users_unit(problem, draws, effects)
    values = _common(problem, draws)
    blocks = problem.spec.coefficients.blocks
    whole = split(values, blocks, [block.name for block in blocks])
    found = {block.name: whole[block.name] for block in blocks if block.parameter in problem.parameters}
    hyperparameters = draws[:, :, problem.coefficients if effects else problem.common :]
    first = problem.auxiliary
    if (order := problem.thresholds) is not None:
        distances = hyperparameters[:, :, first : first + order.count - 1]
        found[THRESHOLDS] = order.reported(distances, draws[:, :, 0], values)
        first += order.count - 1
    for place, hyperparameter in enumerate(problem.hyperparameters[first:], start=first):
        found[hyperparameter.name] = hyperparameters[:, :, place]
    found |= _monotonic(problem, hyperparameters)
    for factor in problem.every_factor:
        for own in factor.terms:
            if isinstance(own, SmoothPlace):
                continue
            if isinstance(own, ShrunkPlace):
                found |= _of_set(own, hyperparameters)
                continue
            found |= _spreads(own, hyperparameters)
            found |= _effects(factor, own, draws) if effects and factor is not problem.integrated else {}
    found |= _spreads_of_smooths(problem, hyperparameters)
    return dataset_of([each for each in problem.spec.variables() if each.name in found], found)


def _common(problem: Problem, draws: np.ndarray) -> np.ndarray:
    """Coefficients in the user's coding, shape ``(chain, draw, columns)``."""
    values = draws[:, :, : problem.common] @ problem.back.T
    for factor in problem.factors:
        if isinstance(own := factor.terms[0], SmoothPlace):
            values[:, :, own.curve.wiggles] = draws[:, :, factor.span]
        if isinstance(own, ShrunkPlace):
            values += draws[:, :, factor.span] @ own.back.T
    return np.asarray(values)


def _of_set(place: ShrunkPlace, hyperparameters: np.ndarray) -> Values:
    """What slopes with one prior share, and a scale or a share of each."""
    own, columns = place.own, place.columns
    found = {name: hyperparameters[:, :, place.shared + at] for at, name in enumerate(own.shared)}
    singles = hyperparameters[:, :, place.single : place.single + columns]
    found[own.single] = singles if own.is_horseshoe else shares_of(singles[:, :, : columns - 1])
    return found


def _spreads_of_smooths(problem: Problem, hyperparameters: np.ndarray) -> Values:
    """Standard deviations of smooths, one of each curve."""
    places: dict[str, list[int]] = {}
    for factor in problem.factors:
        if isinstance(own := factor.terms[0], SmoothPlace):
            places.setdefault(own.curve.sd_name, []).append(own.sds)
    shaped = {smooth.sd_name: bool(smooth.levels) for smooth in problem.spec.smooths}
    return {name: hyperparameters[:, :, own if shaped[name] else own[0]] for name, own in places.items()}


def _monotonic(problem: Problem, hyperparameters: np.ndarray) -> Values:
    """Whole monotonic effects, and the shares of their steps."""
    found: Values = {}
    for place in problem.monotonic:
        own, shape = place.own, hyperparameters.shape[:2]
        shares = found.setdefault(own.shares_name, np.empty((*shape, own.within.size)))
        shares[:, :, place.columns] = place.shares(hyperparameters)
        whole = hyperparameters[:, :, place.whole, None]
        found[own.name] = np.concatenate([found[own.name], whole], axis=2) if own.name in found else whole
    for own in problem.spec.monotonic:
        found[own.name] = found[own.name] if own.steps.labels else found[own.name][:, :, 0]
    return found


def _spreads(own: TermPlace, hyperparameters: np.ndarray) -> Values:
    """Standard deviations of a group term's effects, and its correlations."""
    term, size, names = own.term, own.columns, [effect.sd_name for effect in own.term.effects]
    found = split(hyperparameters[:, :, own.sds : own.sds + size], term.blocks, names)
    if term.correlated:
        partial = 2.0 * hyperparameters[:, :, own.partial : own.partial + len(term.pairs())] - 1.0
        found[term.correlation_name] = correlations(partial, size)
    return found


def _effects(factor: Factor, own: TermPlace, draws: np.ndarray) -> Values:
    first = factor.start + own.first * factor.groups
    values = draws[:, :, first : first + own.columns * factor.groups]
    by_group = values.reshape(*values.shape[:2], own.columns, factor.groups).swapaxes(2, 3)
    return split(by_group, own.term.blocks, [effect.name for effect in own.term.effects])
