"""Convergence figures of a run: the worst over all parameters."""

from __future__ import annotations

from dataclasses import dataclass

import arviz_stats as azs
import numpy as np
import xarray as xr

MAX_RHAT = 1.01
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

    @property
    def converged(self) -> bool:
        """Whether R-hat and effective sample sizes call for no other run; what is not known calls for none."""
        return not (self.rhat > MAX_RHAT or self.ess_bulk < MIN_ESS or self.ess_tail < MIN_ESS)

    @property
    def clean(self) -> bool:
        """Whether nothing needs another run."""
        return self.converged and self.divergences == 0


def diagnose(tree: xr.DataTree) -> Diagnostics:
    """Measure a run."""
    posterior, stats = representative(tree["posterior"].to_dataset()), tree["sample_stats"].to_dataset()
    with np.errstate(all="ignore"):
        rhat, rhat_of = _extreme(azs.rhat(posterior), largest=True)
        bulk, bulk_of = _extreme(azs.ess(posterior, method="bulk"), largest=False)
        tail, tail_of = _extreme(azs.ess(posterior, method="tail"), largest=False)
        ebfmi = float(np.min(azs.bfmi(tree)["energy"].to_numpy())) if "energy" in stats else float("nan")
    divergences = int(stats["diverging"].sum()) if "diverging" in stats else 0
    hits = int(stats["maxdepth_reached"].sum()) if "maxdepth_reached" in stats else 0
    return Diagnostics(rhat, rhat_of, bulk, bulk_of, tail, tail_of, divergences, ebfmi, hits)


def representative(posterior: xr.Dataset) -> xr.Dataset:
    """The parameters that a run is judged by: all, but of more than `MAX_JUDGED` groups some, evenly spread."""
    large = {dim: size for dim, size in posterior.sizes.items() if size > MAX_JUDGED and dim not in ("chain", "draw")}
    places = {dim: np.linspace(0, size - 1, MAX_JUDGED).astype(int) for dim, size in large.items()}
    return posterior.isel(places)


def _extreme(figures: xr.Dataset, largest: bool) -> tuple[float, str]:
    """The worst figure and the parameter that has it; NaN where no figure can be had."""
    worst, name = float("nan"), ""
    for variable, values in figures.data_vars.items():
        numbers = values.to_numpy().ravel()
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            continue
        own = float(numbers.max() if largest else numbers.min())
        if np.isnan(worst) or (own > worst if largest else own < worst):
            worst, name = own, str(variable)
    return worst, name
