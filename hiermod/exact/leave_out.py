"""The posterior of pooled rates without some data, integrated anew: weights of another grid would miss its tails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from hiermod.exact.quadrature import Integral, PointMass, Target, integrate
from hiermod.exact.targets import ChangedTarget, PooledTarget, likelihood_of, target_of
from hiermod.modeling.hyperpriors import Hyperprior

FEW = 300  # distinct groups, up to which sums over them are made anew

Pattern = tuple[float, float]  # events and exposure of a group
Changes = Sequence[tuple[Pattern, Pattern]]  # of groups, before and after


def integral_of(hyperprior: Hyperprior, target: Target) -> Integral:
    """The posterior of the hyperparameters, which may be known."""
    if hyperprior.fixed is None:
        return integrate(target)
    mean, size = hyperprior.fixed
    return PointMass(target, float(special.logit(mean)), size**-0.5)


@dataclass(frozen=True, eq=False)
class LeavingOut:
    """The groups of one stratum, of which some data are left out.

    Parameters
    ----------
    hyperprior : Hyperprior
    events, exposure : ndarray, shape (groups,)
    """

    hyperprior: Hyperprior
    events: np.ndarray
    exposure: np.ndarray

    @cached_property
    def target(self) -> PooledTarget:
        """The density of all data."""
        return target_of(self.hyperprior, self.events, self.exposure)

    @cached_property
    def whole(self) -> Integral:
        """The posterior of all data."""
        return integral_of(self.hyperprior, self.target)

    @cached_property
    def _known(self) -> dict[tuple[tuple[Pattern, Pattern], ...], float]:
        return {}

    def log_density(self) -> float:
        """The log density of all data under a proper hyperprior, without what depends on these alone."""
        fixed = self.hyperprior.fixed
        if fixed is None:
            return self.whole.log_normalizer + sum(prior.log_constant for prior in self.hyperprior.priors.values())
        x, u, _ = self.whole.nodes()
        return float(self.target.log_likelihood(x, u)[0])

    def log_score(self, changes: Changes) -> float:
        """The log density of what leaves, given what remains, without what depends on these data alone.

        It is the difference of the logarithms of two integrals, equal for groups that have equal data.
        """
        key = tuple(sorted(changes))
        if key not in self._known:
            self._known[key] = self.whole.log_normalizer - self.without(key).log_normalizer
        return self._known[key]

    def without(self, changes: Changes) -> Integral:
        """The posterior of what remains."""
        return integral_of(self.hyperprior, self._changed(changes))

    def log_expected(self, posterior: Integral, changes: Changes) -> float:
        """The log of the expected density of data added to groups, under a posterior that knows what was before."""
        x, u, weights = posterior.nodes()
        kept = weights > 0.0
        x, u, density = x[kept], u[kept], np.zeros(int(kept.sum()))
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            for before, after in changes:
                density += self._likelihood(after).log_likelihood(x, u) - self._likelihood(before).log_likelihood(x, u)
        return float(special.logsumexp(density + np.log(weights[kept])))

    def _likelihood(self, pattern: Pattern) -> PooledTarget:
        return likelihood_of(self.hyperprior, *pattern)

    def _changed(self, changes: Changes) -> Target:
        target = self.target
        if len(target.times) > FEW:
            before, after = zip(*changes, strict=True)
            return ChangedTarget(target, [*map(self._likelihood, before)], [*map(self._likelihood, after)])
        pairs = zip(target.events.tolist(), target.exposure.tolist(), strict=True)
        counts = dict(zip(pairs, target.times.tolist(), strict=True))
        for before, after in changes:
            counts[before] -= 1.0
            counts[after] = counts.get(after, 0.0) + 1.0
        kept = [(*pair, times) for pair, times in counts.items() if times > 0.0 and pair[1] > 0.0]
        events, exposure, times = np.array(kept).reshape(-1, 3).T
        return type(target)(events, exposure, times, self.hyperprior)
