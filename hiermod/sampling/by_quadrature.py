"""Independent draws of pooled rates' two hyperparameters, by quadrature: neither a sampler nor a compiler is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hiermod.exact.draws import draw
from hiermod.exact.quadrature import Quadrature, integrate
from hiermod.exact.targets import PooledTarget, target_of
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.pools import HUGE
from hiermod.modeling.protocol import dataset_of
from hiermod.sampling.diagnostics import QUADRATURE_ERROR
from hiermod.sampling.posterior import AT_ZERO
from hiermod.sampling.settings import ChosenEngine, Settings

HYPERPARAMETERS = 100  # the purpose of their random numbers


@dataclass(frozen=True, eq=False)
class ByQuadrature:
    """A pooled model, ready to be drawn from."""

    spec: PooledSpec

    @property
    def engine(self) -> ChosenEngine:
        """No sampler."""
        return ChosenEngine("exact")

    @property
    def tune(self) -> None:
        """There is no warm-up."""

    @property
    def target_accept(self) -> None:
        """Nothing is tuned."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Draw once, as `Sampler.run` says."""
        shape, fixed = (settings.chains, settings.draws), self.spec.hyperprior.fixed
        if fixed is not None:
            return self._of_known(shape, settings.seed or 0, *fixed)
        means, spreads, at_zero, error = [], [], [], 0.0
        for stratum, _ in enumerate(self.spec.stratum_names):
            target, quadrature = integrated(self.spec, stratum)
            rng = np.random.default_rng([settings.seed or 0, HYPERPARAMETERS, stratum])
            x, u = draw(quadrature, settings.chains * settings.draws, rng)
            with np.errstate(over="ignore"):
                means.append(np.minimum(target.mean(x), HUGE).reshape(shape))
            spreads.append(u.reshape(shape))
            at_zero.append(quadrature.at_zero)
            error = max(error, quadrature.error)
        whole = self.spec.strata is None
        values = {name: own[0] if whole else np.stack(own, axis=2) for name, own in ((MEAN, means), (SPREAD, spreads))}
        values |= self.spec.derived(values, settings.seed or 0)
        stats = xr.Dataset(attrs={QUADRATURE_ERROR: error, AT_ZERO: np.array(at_zero)})
        posterior = dataset_of(self.spec.variables(), values)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats}), False

    def _of_known(
        self, shape: tuple[int, int], seed: int, mean: float, size: float
    ) -> tuple[xr.DataTree, bool]:  # fmt: skip
        """Where mean and size are known, rates alone are drawn."""
        whole = shape if self.spec.strata is None else (*shape, self.spec.strata.size)
        known = {MEAN: np.full(whole, mean), SPREAD: np.full(whole, size**-0.5)}
        posterior = dataset_of(self.spec.variables(), known | self.spec.derived(known, seed))
        stats = xr.Dataset(attrs={QUADRATURE_ERROR: 0.0})
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats}), False


def integrated(spec: PooledSpec, stratum: int) -> tuple[PooledTarget, Quadrature]:
    """The posterior density of a stratum's hyperparameters, and its integral."""
    inside = spec.stratum == stratum
    target = target_of(spec.hyperprior, spec.events[inside], spec.exposure[inside])
    return target, integrate(target)
