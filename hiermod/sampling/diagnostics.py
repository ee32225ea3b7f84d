"""Convergence figures of a run: the worst over all parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hiermod.sampling.effective import figures

MAX_RHAT, MAX_RHAT_OF_MANY, FEW = 1.01, 1.02, 50
MIN_ESS = 400.0
MAX_JUDGED = 250
MIN_EBFMI = 0.3


@dataclass(frozen=True)
class Diagnostics:
    """The worst R-hat and effective sample sizes with their parameters, and the sampler's own figures."""

    rhat: float
    rhat_of: str
    ess_bulk: float
    ess_bulk_of: str
    ess_tail: float
    ess_tail_of: str
    divergences: int
    ebfmi: float
    max_depth_hits: int
    judged: int = 1

    @property
    def max_rhat(self) -> float:
        """The largest R-hat of good chains; the largest of many has more noise in it."""
        return MAX_RHAT if self.judged <= FEW else MAX_RHAT_OF_MANY

    @property
    def converged(self) -> bool:
        """Whether R-hat and effective sample sizes call for no other run; what is not known calls for none."""
        return not (self.rhat > self.max_rhat or self.ess_bulk < MIN_ESS or self.ess_tail < MIN_ESS)

    @property
    def clean(self) -> bool:
        """Whether nothing needs another run."""
        return self.converged and self.divergences == 0


def diagnose(tree: xr.DataTree) -> Diagnostics:
    """Measure a run."""
    posterior, stats = representative(tree["posterior"].to_dataset()), tree["sample_stats"].to_dataset()
    names, draws = _flat(posterior)
    seen = figures(draws)
    rhat, rhat_of = _extreme(names, seen.rhat, largest=True)
    bulk, bulk_of = _extreme(names, seen.bulk, largest=False)
    tail, tail_of = _extreme(names, seen.tail, largest=False)
    divergences = int(stats["diverging"].sum()) if "diverging" in stats else 0
    hits = int(stats["maxdepth_reached"].sum()) if "maxdepth_reached" in stats else 0
    return Diagnostics(rhat, rhat_of, bulk, bulk_of, tail, tail_of, divergences, _ebfmi(stats), hits, len(names))


def _flat(posterior: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """The name of each number's variable, and all draws, shape ``(chain, draw, number)``."""
    names, parts = [], []
    for name, values in posterior.data_vars.items():
        own = values.transpose("chain", "draw", ...).to_numpy()
        parts.append(own.reshape(*own.shape[:2], -1))
        names += [str(name)] * parts[-1].shape[2]
    return names, np.concatenate(parts, axis=2)


def _ebfmi(stats: xr.Dataset) -> float:
    """The smallest estimated fraction of missing information about the energy (Betancourt 2016) of all chains."""
    if "energy" not in stats or stats.sizes["draw"] < 2:
        return float("nan")
    energy = stats["energy"].transpose("chain", "draw").to_numpy()
    with np.errstate(all="ignore"):
        return float(np.min((np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)))


def representative(posterior: xr.Dataset) -> xr.Dataset:
    """The parameters that a run is judged by: all, but of more than `MAX_JUDGED` groups some, evenly spread."""
    large = {dim: size for dim, size in posterior.sizes.items() if size > MAX_JUDGED and dim not in ("chain", "draw")}
    places = {dim: np.linspace(0, size - 1, MAX_JUDGED).astype(int) for dim, size in large.items()}
    return posterior.isel(places)


def _extreme(names: list[str], figures_: np.ndarray, largest: bool) -> tuple[float, str]:
    """The worst figure and the parameter that has it; NaN where no figure can be had."""
    finite = np.flatnonzero(np.isfinite(figures_))
    if not len(finite):
        return float("nan"), ""
    own = figures_[finite]
    place = int(finite[own.argmax() if largest else own.argmin()])
    return float(figures_[place]), names[place]
