"""One run of nutpie's NUTS on a PyMC model; an interrupted run keeps what it has."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

from hiermod.engine.nutpie_core import RATE, under_way, wait_for
from hiermod.errors import InterruptedSamplingError, SamplingError, panics_as_errors
from hiermod.sampling.ending import held_back
from hiermod.sampling.progress import ChainProgress
from hiermod.sampling.settings import ChosenEngine, Settings, longest_run

COMMA = "‚"  # U+201A
FLAGS = {"cxx": "", "mode": "FAST_COMPILE", "numba__fastmath": False}


@dataclass(frozen=True, eq=False)
class Compiled:
    """A model compiled for nutpie, and its own names of dimensions."""

    program: Any
    engine: ChosenEngine
    dims: dict[str, str] = field(default_factory=dict)
    tune: int = 1000
    target_accept: float = 0.95

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once, as `Sampler.run` says."""
        import nutpie

        sampler, seen = None, ChainProgress() if progress else None
        try:
            with panics_as_errors(), held_back():
                sampler = nutpie.sample(
                    self.program, draws=settings.draws, tune=settings.tune, chains=settings.chains,
                    cores=settings.cores, seed=settings.seed, target_accept=settings.target_accept,
                    progress_bar=False, save_warmup=False, blocking=False, progress_callback=seen, progress_rate=RATE,
                )  # fmt: skip
            with warnings.catch_warnings():
                # ArviZ takes a run with more chains than draws for one with both swapped.
                warnings.filterwarnings("ignore", message="Found chain dimension", category=UserWarning)
                with under_way(), panics_as_errors():
                    draws = _waited(sampler, seen.show if seen else None)
                return self._kept(draws, settings, interrupted=False), False
        except KeyboardInterrupt:
            if sampler is None:
                raise
            return self._kept(_stopped(sampler), settings, interrupted=True), True
        except RuntimeError as error:
            raise SamplingError(
                f"The sampler stopped: {error}. Look at the priors (model.prior_summary()) and the scale of the "
                "predictors."
            ) from error
        finally:
            if seen is not None:
                seen.close()

    def _kept(self, tree: xr.DataTree, settings: Settings, interrupted: bool) -> xr.DataTree:
        """The draws under the model's names of dimensions; of an interrupted run those that are complete."""
        kept = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
        present = {plain: dim for plain, dim in self.dims.items() if plain in kept["posterior"].dims}
        kept["posterior"] = kept["posterior"].rename(present)
        draws = settings.draws
        if interrupted:
            chains, draws = _complete(kept["sample_stats"])
            kept = {name: dataset.isel(chain=chains, draw=slice(draws)) for name, dataset in kept.items()}
        if not draws or not kept["posterior"].sizes.get("draw"):
            raise InterruptedSamplingError
        return xr.DataTree.from_dict(kept)


def _stopped(sampler: Any) -> Any:
    """What there is of a run that is stopped; nothing where it gave up meanwhile."""
    try:
        with panics_as_errors():
            return sampler.abort()
    except RuntimeError as error:
        raise InterruptedSamplingError from error


def _waited(sampler: Any, meanwhile: Callable[[], None] | None) -> Any:
    try:
        return wait_for(lambda seconds: sampler.wait(timeout=seconds), meanwhile)
    except SystemExit:
        sampler.abort()
        raise


def compile_model(model: pm.Model, engine: ChosenEngine) -> Compiled:
    """Compile a model; standard normals behind varying effects (``*_offset``) are not kept.

    Starting points are computed without a C compiler: compiling code for one evaluation costs more than it saves.
    Arithmetic keeps its order (no fastmath), so that code just compiled and code from Numba's cache give the same bits.
    """
    import nutpie

    dims = _without_commas(model)
    variables = [variable.name for variable in [*model.free_RVs, *model.deterministics]]
    names = [name for name in variables if not _is_standard_normal(name, model)]
    with pytensor.config.change_flags(**FLAGS), warnings.catch_warnings():
        # PyTensor falls back to several loops where one would be too large; nothing is wrong then.
        warnings.filterwarnings("ignore", message="Loop fusion failed", category=UserWarning)
        with held_back():  # PyTensor and Numba swallow Ctrl-C in places
            program = nutpie.compile_pymc_model(model, var_names=names)
    return Compiled(program, engine, dims)


def _without_commas(model: pm.Model) -> dict[str, str]:
    """Rename the dimensions of a model in whose names nutpie would see several; return their old names."""
    renamed = {dim.replace(",", COMMA): dim for dim in model.coords if "," in dim}
    for plain, dim in renamed.items():
        model.add_coords({plain: model.coords[dim]})
    for variable, names in model.named_vars_to_dims.items():
        model.named_vars_to_dims[variable] = tuple(str(name).replace(",", COMMA) for name in names)
    return renamed


def _is_standard_normal(name: str, model: pm.Model) -> bool:
    """Whether a variable is behind another one; a predictor may be called ``x_offset`` too."""
    return name.endswith("_offset") and name.removesuffix("_offset") in {
        variable.name for variable in model.deterministics
    }


def _complete(stats: xr.Dataset) -> tuple[np.ndarray, int]:
    """The chains and the number of draws that keep most of an interrupted run; shorter chains are padded with NaN."""
    if "logp" not in stats or not stats.sizes.get("draw"):
        return np.arange(0), 0
    return longest_run(np.isfinite(stats["logp"].to_numpy()).sum(axis=1))
