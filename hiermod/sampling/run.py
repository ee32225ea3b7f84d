"""From spec to posterior: choose an engine, sample, look, and sample again where there is trouble, at most twice."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import xarray as xr

from hiermod.errors import InterruptedSamplingError, ModelError, SamplingError
from hiermod.marginal.draws import NotDrawnError
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec, dataset_of
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import MIN_ESS, Diagnostics, diagnose
from hiermod.sampling.memory import refuse_large
from hiermod.sampling.posterior import EachGroupError, History, Posterior, Rerun, Trouble
from hiermod.sampling.provenance import here
from hiermod.sampling.settings import ChosenEngine, Sampler, Settings, fresh_seed

LARGE = 100_000_000  # draws of one variable, 800 MB in double precision
MAX_RERUNS = 2
RAISED_TARGETS = (0.99, 0.998)
MOST_MORE = 4  # times as many draws as before, in a run that is repeated
DRAWS_OF_A_DIVERGENCE = 2000  # one in so many weighs as much as the largest R-hat that passes


def choose_sampler(spec: ModelSpec, engine: str, announce: Callable[[str], None]) -> Sampler:
    """The sampler of a model; `announce` hears of what takes long beforehand.

    Raises
    ------
    ModelError
        If the compiled engine was asked for and does not cover the model.
    EachGroupError
        If effects of groups have to be sampled that stand for others.
    """
    if engine != "auto" and isinstance(spec, PooledSpec) and spec.hyperprior.fixed is not None:
        raise ModelError(
            f"pooling='none' has no parameters to sample, and engine={engine!r} is a sampler. Leave it out."
        )
    if engine == "pymc":
        return _pymc_sampler(spec, "")
    if isinstance(spec, PooledSpec) and engine == "auto":
        from hiermod.sampling.by_quadrature import ByQuadrature

        return ByQuadrature(spec)
    why = spec.refuses("compiled")
    told = ""
    if isinstance(spec, Spec) and why is None and engine == "auto":
        from hiermod.sampling.by_marginal import marginal_sampler

        marginal = marginal_sampler(spec, announce)
        if not isinstance(marginal, str):
            return marginal
        told = marginal
    return _effects_sampler(spec, engine, announce, told)


def _effects_sampler(spec: ModelSpec, engine: str, announce: Callable[[str], None], told: str = "") -> Sampler:
    """A sampler of all parameters, effects of groups among them; `told` is why these are not integrated out."""
    if spec.cells.by_patterns:
        raise EachGroupError
    why = spec.refuses("compiled")
    if isinstance(spec, Spec) and why is None:
        from hiermod.engine.layout.coverage import refused

        why = refused(spec)
    if isinstance(spec, Spec) and why is None:
        from hiermod.engine.nutpie_core import UnavailableError
        from hiermod.sampling.by_parts import prepare
        from hiermod.sampling.native import Native
        from hiermod.sampling.sampled_effects import reason

        try:
            sampler = prepare(spec, announce)
            return replace(sampler, told=reason(spec, told)) if isinstance(sampler, Native) else sampler
        except UnavailableError as error:
            why = str(error)
    if engine == "compiled":
        raise ModelError(f"The compiled engine cannot take this model: {why}. Say engine='pymc', or leave it out.")
    return _pymc_sampler(spec, why or "")


def _pymc_sampler(spec: ModelSpec, reason: str) -> Sampler:
    if spec.cells.by_patterns:
        raise EachGroupError
    from hiermod.modeling.pymc.model import build_for_sampling
    from hiermod.sampling.nuts import compile_model

    return compile_model(build_for_sampling(spec), ChosenEngine("pymc", reason))


def sample(
    spec: ModelSpec, sampler: Sampler, settings: Settings, progress: bool = True,
    announce: Callable[[str], None] = lambda _: None, replaced: Callable[[Sampler], None] = lambda _: None,
) -> Posterior:  # fmt: skip
    """Sample the posterior of a model; `announce` hears of what takes long beforehand.

    Where independent draws of a model whose effects are integrated out fail, the effects are sampled instead, and
    `replaced` hears of the sampler that does.
    On divergences the run is repeated with a higher ``target_accept`` (unless the user set one), on R-hat > 1.01 or an
    effective sample size under 400 with more draws, at most twice; the posterior's history says so.

    Raises
    ------
    SamplingError
        If the run does not fit in memory, no start is found, or there are no draws to keep.
    DataError
        If predictors make up a real response exactly: there is no posterior.
    EachGroupError
        If effects of groups have to be sampled that stand for others.
    """
    spec.refuse_exact()
    try:
        return _sampled(spec, sampler, settings, progress, announce)
    except NotDrawnError:
        from hiermod.sampling.sampled_effects import why_far

        assert isinstance(spec, Spec)
        other = _effects_sampler(spec, settings.engine, announce, why_far(spec))
        replaced(other)
        announce(str(other.engine))
        return _sampled(spec, other, settings, progress, announce)


def _sampled(
    spec: ModelSpec, sampler: Sampler, settings: Settings, progress: bool, announce: Callable[[str], None]
) -> Posterior:  # fmt: skip
    """Sample by one sampler, as `sample` says."""
    current = replace(
        settings,
        tune=settings.tune or sampler.tune,
        seed=settings.seed if settings.seed is not None else fresh_seed(),
        target_accept=settings.target_accept or sampler.target_accept,
    )
    numbers = _numbers(spec, sampler)
    compiled = sampler.engine.name == "compiled"
    if sampler.tune is not None:
        refuse_large(numbers, current, current.tune or sampler.tune, compiled)
        _tell_cost(spec, sampler, current, current.tune or sampler.tune, numbers, announce)
    best: Posterior | None = None
    reruns: list[Rerun] = []
    kept, failure, interrupted = 0, "", False
    for attempt in range(MAX_RERUNS + 1):
        try:
            if best is not None:
                refuse_large(numbers, current, current.tune or 0, compiled)
            run, interrupted = _run_once(spec, sampler, current, progress)
        except (InterruptedSamplingError, KeyboardInterrupt):
            if best is None:
                raise
            interrupted = True
            break
        except SamplingError as error:
            if best is None:
                raise
            failure = str(error)
            break
        if best is None or _severity(run) <= _severity(best):
            best, kept = run, attempt + 1
        if interrupted or attempt == MAX_RERUNS:
            break
        planned = None if sampler.tune is None else _replanned(settings, current, run.diagnostics, attempt)
        if planned is None:
            break
        reruns.append(_rerun(run.diagnostics, current, planned))
        current = planned
        del run
    if sampler.tune is not None:
        malloc_trim()
    assert best is not None
    history = History(settings, sampler.engine, tuple(reruns), failure, kept, interrupted)
    return replace(best, history=history, origin=here())


def _numbers(spec: ModelSpec, sampler: Sampler) -> int:
    """How many numbers a draw has."""
    if sampler.engine.name != "compiled":
        return sum(math.prod(variable.shape) for variable in spec.variables())
    from hiermod.sampling.by_integration import ByIntegration

    later = sampler.drawn_later if isinstance(sampler, ByIntegration) else frozenset()
    return sum(math.prod(variable.shape) for variable in spec.variables() if variable.name not in later)


def _tell_cost(
    spec: ModelSpec, sampler: Sampler, settings: Settings, tune: int, numbers: int, announce: Callable[[str], None]
) -> None:  # fmt: skip
    """What it takes to sample the effects of very many groups by the compiled engine."""
    from hiermod.sampling.native import Native
    from hiermod.sampling.sampled_effects import cost, has_many_groups

    if isinstance(spec, Spec) and isinstance(sampler, Native) and has_many_groups(spec):
        announce(cost(spec, planned_runs(settings, tune), numbers, sampler.seconds_of_gradient()))


def planned_runs(settings: Settings, tune: int) -> list[tuple[Settings, int]]:
    """A run and those that may follow it, at their longest; the second number is of steps of warm-up."""
    runs = [(settings, tune)]
    for _ in range(MAX_RERUNS):
        before, warm_up = runs[-1]
        runs.append((replace(before, draws=MOST_MORE * before.draws), 2 * warm_up))
    return runs


def _run_once(spec: ModelSpec, sampler: Sampler, settings: Settings, progress: bool) -> tuple[Posterior, bool]:
    """One run, measured, and whether Ctrl-C ended it; what was drawn before Ctrl-C is heard is not lost."""
    tree, interrupted = sampler.run(settings, progress)
    tree = _finish(spec, tree, settings)
    if sampler.tune is None:
        return Posterior(spec, tree, settings, None), interrupted
    try:
        seen = diagnose(tree)
    except KeyboardInterrupt:
        seen, interrupted = diagnose(tree), True
    return Posterior(spec, tree, settings, seen), interrupted


def _replanned(asked: Settings, used: Settings, seen: Diagnostics, attempt: int) -> Settings | None:
    """The next run's settings, or None where this run is good or nothing could help."""
    changed = used
    if seen.divergences and asked.target_accept is None:
        changed = replace(changed, target_accept=RAISED_TARGETS[attempt], tune=math.ceil(1.5 * (used.tune or 1)))
    enough_asked = asked.draws * asked.chains >= MIN_ESS
    if not seen.converged and enough_asked:
        lowest = min(seen.ess_bulk, seen.ess_tail)
        factor = min(MOST_MORE, max(2, math.ceil(1.5 * MIN_ESS / max(lowest, 1.0)))) if lowest < MIN_ESS else 2
        changed = replace(changed, draws=factor * used.draws, tune=2 * (used.tune or 1))
    return None if changed == used else changed


def _rerun(seen: Diagnostics, used: Settings, planned: Settings) -> Rerun:
    target = planned.target_accept if planned.target_accept != used.target_accept else None
    return Rerun(Trouble.of(seen), target, planned.draws if planned.draws != used.draws else None)


def _severity(run: Posterior) -> float:
    """How many times a run's worst figure is what is let pass; infinite where one is not known."""
    seen = run.diagnostics
    figures = [
        (seen.rhat - 1.0) / (seen.max_rhat - 1.0), MIN_ESS / seen.ess_bulk, MIN_ESS / seen.ess_tail,
        seen.divergences / run.size * DRAWS_OF_A_DIVERGENCE,
    ]  # fmt: skip
    return max(figures) if np.isfinite(figures).all() else math.inf


def _finish(spec: ModelSpec, tree: xr.DataTree, settings: Settings) -> xr.DataTree:
    """Put variables in the model's order; draw what is known exactly given the sampled parameters."""
    posterior = tree["posterior"].to_dataset()
    large = any(variable.size > LARGE for variable in posterior.data_vars.values())
    complete = list(posterior) == [variable.name for variable in spec.variables()]
    if complete and not large and set(tree.children) == {"posterior", "sample_stats"}:
        return tree
    posterior = posterior[[variable.name for variable in spec.variables() if variable.name in posterior]]
    values = {str(name): array.values for name, array in posterior.data_vars.items()}
    if derived := spec.derived(values, settings.seed or 0):
        posterior = dataset_of(spec.variables(), values | derived).assign_attrs(posterior.attrs)
    if large or any(values.size > LARGE for values in derived.values()):
        posterior = posterior.map(_kept_precision, keep_attrs=True)
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": tree["sample_stats"].to_dataset()})


def _kept_precision(values: xr.DataArray) -> xr.DataArray:
    """Single precision for very many draws: its seven digits are more than draws tell, and take half the room."""
    return values.astype(np.float32) if values.size > LARGE else values


def malloc_trim() -> None:
    """Return what is freed to the system, where the C library would keep it (glibc; elsewhere nothing is done).

    glibc holds an arena for each thread, and the threads of a sampler are new in every run: one arena after the other
    would keep the room of a run's draws. The source is the manual page malloc_trim(3).
    """
    trim = _library_trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))


@cache
def _library_trim() -> Callable[[ctypes.c_size_t], int] | None:
    try:
        trim: Callable[[ctypes.c_size_t], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS have no such function; on Windows None is no library
        return None
    return trim
