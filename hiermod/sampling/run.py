"""From spec to posterior: sample, look, and sample again where there is trouble, at most twice."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import xarray as xr

from hiermod.errors import SamplingError
from hiermod.modeling.identifiability import refuse_exact
from hiermod.modeling.pooled import MEAN, SPREAD, BetaSpec, build_beta_model, draw_rates
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import MIN_ESS, Diagnostics, diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings, fresh_seed

if TYPE_CHECKING:
    import pymc as pm

LARGE = 100_000_000  # draws of one variable, 800 MB in double precision
MAX_RERUNS = 2
RAISED_TARGETS = (0.99, 0.998)
DRAWS_OF_A_DIVERGENCE = 2000  # one in so many weighs as much as the largest R-hat that passes


def build_pymc(spec: Spec | BetaSpec) -> pm.Model:
    """The PyMC model of any spec."""
    from hiermod.modeling.pymc.model import build_model

    return build_beta_model(spec) if isinstance(spec, BetaSpec) else build_model(spec)


class Sampler(Protocol):
    """Something that samples a model: what its variables are called, its defaults, and one run of it."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that it reports."""

    @property
    def tune(self) -> int:
        """Warm-up of each chain, unless the user set it."""

    @property
    def target_accept(self) -> float:
        """The first target, unless the user set it."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once; return the draws and whether the run was interrupted."""


def build_for_sampling(spec: Spec | BetaSpec) -> pm.Model:
    """The PyMC model in the coordinates that suit its data; its posterior is that of `build_pymc`."""
    from hiermod.modeling.pymc.geometry import informed_columns
    from hiermod.modeling.pymc.model import build_model

    return build_beta_model(spec) if isinstance(spec, BetaSpec) else build_model(spec, informed_columns(spec))


def sample(spec: Spec | BetaSpec, sampler: Sampler, settings: Settings, progress: bool = True) -> Posterior:
    """Sample the posterior of a model.

    On divergences the run is repeated with a higher ``target_accept`` (unless the user set one), on R-hat > 1.01 or an
    effective sample size under 400 with more draws, at most twice; each is said in a notice.

    Raises
    ------
    SamplingError
        If there are no draws to keep.
    DataError
        If predictors make up a real response exactly: there is no posterior.
    """
    if isinstance(spec, Spec):
        refuse_exact(spec)
    current = replace(
        settings,
        tune=settings.tune or sampler.tune,
        seed=settings.seed if settings.seed is not None else fresh_seed(),
        target_accept=settings.target_accept or sampler.target_accept,
    )
    notices: list[str] = []
    runs: list[Posterior] = []
    interrupted = False
    for attempt in range(MAX_RERUNS + 1):
        try:
            found, interrupted = _run_once(spec, sampler, current, progress)
        except (SamplingError, KeyboardInterrupt) as error:
            if not runs:
                raise
            interrupted = was_interrupted(error)
            notices += [] if interrupted else [f"the rerun failed, so that the run before is kept: {error}"]
            break
        runs.append(found)
        if interrupted or attempt == MAX_RERUNS:
            break
        planned = _replanned(settings, current, found.diagnostics, attempt)
        if planned is None:
            break
        notices.append(_rerun_notice(found.diagnostics, current, planned))
        current = planned
    give_back()
    best = min(reversed(runs), key=_severity)
    return replace(best, notices=(*notices, *_kept_notices(best, runs, interrupted), *_remaining(best, settings)))


def _run_once(spec: Spec | BetaSpec, sampler: Sampler, settings: Settings, progress: bool) -> tuple[Posterior, bool]:
    """One run, measured, and whether Ctrl-C ended it; what was drawn before Ctrl-C is heard is not lost."""
    tree, interrupted = sampler.run(settings, progress)
    tree = _finish(spec, tree, sampler, settings)
    try:
        seen = diagnose(tree)
    except KeyboardInterrupt:
        seen, interrupted = diagnose(tree), True
    return Posterior(spec, tree, settings, seen), interrupted


def _kept_notices(best: Posterior, runs: Sequence[Posterior], interrupted: bool) -> list[str]:
    """Which run is kept, where that is not a whole one or not the last."""
    chains, draws = best.shape
    if interrupted:
        return [f"interrupted: {draws:,} draws of {chains} chains are kept"]
    if best is runs[-1]:
        return []
    place = next(place for place, run in enumerate(runs, start=1) if run is best)
    return [f"kept run {place} of {len(runs)}, {draws:,} draws of each chain: later ones were worse"]


def _replanned(asked: Settings, used: Settings, seen: Diagnostics, attempt: int) -> Settings | None:
    """The next run's settings, or None where this run is good or nothing could help."""
    changed = used
    if seen.divergences and asked.target_accept is None:
        changed = replace(changed, target_accept=RAISED_TARGETS[attempt], tune=math.ceil(1.5 * (used.tune or 1)))
    enough_asked = asked.draws * asked.chains >= MIN_ESS
    if not seen.converged and enough_asked:
        lowest = min(seen.ess_bulk, seen.ess_tail)
        factor = min(4, max(2, math.ceil(1.5 * MIN_ESS / max(lowest, 1.0)))) if lowest < MIN_ESS else 2
        changed = replace(changed, draws=factor * used.draws, tune=2 * (used.tune or 1))
    return None if changed == used else changed


def _rerun_notice(seen: Diagnostics, used: Settings, planned: Settings) -> str:
    why = _counted(seen.divergences) if seen.divergences else ""
    if not seen.converged:
        figures = f"R-hat {seen.rhat:.3f}, ESS {min(seen.ess_bulk, seen.ess_tail):.0f}"
        why = f"{why}, {figures}" if why else figures
    how = []
    if planned.target_accept != used.target_accept:
        how.append(f"target_accept {planned.target_accept}")
    if planned.draws != used.draws:
        how.append(f"{planned.draws} draws")
    return f"sampled again with {' and '.join(how)} ({why})"


def _counted(divergences: int) -> str:
    return f"{divergences} divergence{'s' * (divergences != 1)}"


def _severity(run: Posterior) -> float:
    """How many times a run's worst figure is what is let pass; infinite where one is not known."""
    seen, (chains, draws) = run.diagnostics, run.shape
    figures = [
        (seen.rhat - 1.0) / (seen.max_rhat - 1.0), MIN_ESS / seen.ess_bulk, MIN_ESS / seen.ess_tail,
        seen.divergences / (chains * draws) * DRAWS_OF_A_DIVERGENCE,
    ]  # fmt: skip
    return max(figures) if np.isfinite(figures).all() else math.inf


def _remaining(kept: Posterior, asked: Settings) -> list[str]:
    seen = kept.diagnostics
    if seen.clean:
        return []
    advice = "see fit.check() for what to do"
    if seen.divergences:
        stuck = " (target_accept is the one you set)" if asked.target_accept is not None else ""
        return [f"{_counted(seen.divergences)} remain{'s' * (seen.divergences == 1)}{stuck}: {advice}"]
    return [f"not converged: R-hat {seen.rhat:.3f}, ESS {min(seen.ess_bulk, seen.ess_tail):.0f}: {advice}"]


def _finish(spec: Spec | BetaSpec, tree: xr.DataTree, sampler: Sampler, settings: Settings) -> xr.DataTree:
    """Put variables in the model's order; draw what is known exactly given the sampled parameters."""
    posterior = tree["posterior"].to_dataset()
    posterior = posterior[[name for name in sampler.variables if name in posterior]]
    if isinstance(spec, BetaSpec):
        posterior = _with_rates(spec, posterior, settings)
    else:
        posterior = posterior[_ordered(spec, list(posterior.data_vars))]
    posterior = posterior.map(_kept_precision, keep_attrs=True)
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": tree["sample_stats"].to_dataset()})


def _kept_precision(values: xr.DataArray) -> xr.DataArray:
    """Single precision for very many draws: its seven digits are more than draws tell, and take half the room."""
    return values.astype(np.float32) if values.size > LARGE else values


def _with_rates(spec: BetaSpec, posterior: xr.Dataset, settings: Settings) -> xr.Dataset:
    rng = np.random.default_rng([settings.seed or 0, 0])
    rates = draw_rates(spec, posterior[MEAN].to_numpy(), posterior[SPREAD].to_numpy(), rng)
    dim = f"{spec.grouping.name}__factor_dim"
    labels = [str(label) for label in spec.grouping.labels()]
    return posterior.assign({spec.rate_name: (("chain", "draw", dim), rates)}).assign_coords({dim: labels})


def _ordered(spec: Spec, names: list[object]) -> list[str]:
    """Common coefficients as in the formula, the family's parameters, then sds, correlations and effects of terms."""
    order = [block.name for block in spec.common.blocks] + [*spec.family.auxiliary]
    for term in spec.groups:
        order += [f"{effect.name}_sigma" for effect in term.effects] + [term.correlation_name]
        order += [effect.name for effect in term.effects]
    return [name for name in order if name in names]


def give_back() -> None:
    """Return what is freed to the system, where the C library would keep it (glibc; elsewhere nothing is done).

    glibc holds an arena for each thread, and the threads of a sampler are new in every run: one arena after the other
    would keep the room of a run's draws. The source is the manual page malloc_trim(3).
    """
    trim = _trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))


@cache
def _trim() -> Callable[[ctypes.c_size_t], int] | None:
    try:
        found: Callable[[ctypes.c_size_t], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS have no such function; on Windows None is no library
        return None
    return found


NOTHING_KEPT = "The run was interrupted during warm-up, before any draw. Nothing could be kept."


def was_interrupted(error: BaseException) -> bool:
    """Whether an error says that Ctrl-C ended a run, and left nothing."""
    return isinstance(error, KeyboardInterrupt) or str(error) == NOTHING_KEPT


def longest_run(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """The chains, and how many draws of each, that keep most of a run whose chains have these lengths."""
    longest_first = np.argsort(-lengths, kind="stable")
    kept = lengths[longest_first] * np.arange(1, len(lengths) + 1)
    size = int(np.argmax(kept)) + 1 if len(kept) else 0
    return np.sort(longest_first[:size]), int(lengths[longest_first[size - 1]]) if size else 0
