"""The posterior densities of two hyperparameters: rates from one Beta, and rates of events from one Gamma.

Coordinates are the logit or logarithm x of the mean, and the spread u: size or shape to the power of -1/2. Groups that
have the same data are counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hiermod.exact.sums import TabulatedSum, distinct_pairs, sum_of_logs, sum_of_rises
from hiermod.modeling.hyperpriors import Hyperprior
from hiermod.priors.distributions import Prior

TINY, HUGE = 1e-300, 1e300
LOG_2 = float(np.log(2.0))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _log_prior(prior: Prior, value: np.ndarray) -> Any:
    return prior.log_density(np.clip(value, TINY, HUGE))


def _log_spread(hyperprior: Hyperprior, u: np.ndarray, log_size: np.ndarray) -> Any:
    """The log density of u: flat, or that of the prior of ``u^-2``."""
    if hyperprior.spread is None:
        return 0.0
    return _log_prior(hyperprior.spread, np.exp(log_size)) + LOG_2 + 1.5 * log_size


def _by_runs(function: TabulatedSum, log_x: np.ndarray) -> np.ndarray:
    """The function of numbers that stand still for many points, computed once for each run of equal ones."""
    begins = np.flatnonzero(np.diff(log_x, prepend=np.nan) != 0.0)
    if 2 * len(begins) > len(log_x):
        return function(log_x)
    return np.repeat(function(log_x[begins]), np.diff(begins, append=len(log_x)))


@dataclass(frozen=True, eq=False)
class BetaTarget:
    """Rates from Beta(a, b) by the logit of the mean a/(a + b), and u = (a + b)^(-1/2)."""

    events: np.ndarray
    exposure: np.ndarray
    times: np.ndarray
    hyperprior: Hyperprior

    @cached_property
    def _sums(self) -> tuple[TabulatedSum, TabulatedSum, TabulatedSum]:
        parts = (self.events, self.exposure - self.events, self.exposure)
        rises, falls, both = (sum_of_rises(part, self.times) for part in parts)
        return rises, falls, both

    @cached_property
    def _totals(self) -> tuple[float, float]:
        """Successes and failures, and those that a Beta prior of the mean adds."""
        prior = self.hyperprior.rate
        more = prior.arguments if prior is not None and prior.name == "Beta" else (1.0, 1.0)
        failures = self.exposure - self.events
        return float(self.times @ self.events) + more[0] - 1.0, float(self.times @ failures) + more[1] - 1.0

    @property
    def start(self) -> float:
        """The logit of the pooled rate, within the bounds of the mean."""
        (successes, failures), (low, high) = self._totals, self.hyperprior.bounds
        rate = max(successes + 1.0, 0.5) / (max(successes + 1.0, 0.5) + max(failures + 1.0, 0.5))
        share = np.clip((rate - low) / (high - low), 1e-9 if (low, high) != (0.0, 1.0) else 0.0, 1.0 - 1e-9)
        return float(np.log(share) - np.log1p(-share))

    def mean(self, x: np.ndarray) -> np.ndarray:
        """The mean of rates at x."""
        return np.exp(self._logs(x)[0])

    def _logs(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logarithms of the mean, of one less it, and of its derivative by x."""
        below, above = -_softplus(-x), -_softplus(x)
        low, high = self.hyperprior.bounds
        if (low, high) == (0.0, 1.0):
            return below, above, below + above
        size = high - low
        mean, rest = low + size * np.exp(below), (1.0 - high) + size * np.exp(above)
        return np.log(mean), np.log(rest), below + above + np.log(size)

    def log_density(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density by dx du, without the binomial coefficients."""
        log_mean, log_rest, log_slope = self._logs(x)
        log_size = -2.0 * np.log(u)
        total = log_slope + _log_spread(self.hyperprior, u, log_size)
        if self.hyperprior.shapes is not None:
            of_a, of_b = self.hyperprior.shapes
            total += _log_prior(of_a, np.exp(log_mean + log_size)) + _log_prior(of_b, np.exp(log_rest + log_size))
            total += 2.5 * log_size + LOG_2
        return np.asarray(sum(self._terms(log_mean, log_rest, log_size), total))

    def log_likelihood(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density of the data, without the binomial coefficients; a Beta prior of the mean is part of it."""
        log_mean, log_rest, _ = self._logs(x)
        return np.asarray(sum(self._terms(log_mean, log_rest, -2.0 * np.log(u)), np.zeros_like(x)))

    def size_of_terms(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """How large the terms of the log density are."""
        log_mean, log_rest, _ = self._logs(x)
        terms = self._terms(log_mean, log_rest, -2.0 * np.log(u))
        return np.asarray(sum((np.abs(term) for term in terms), np.ones_like(x)))

    def _terms(self, log_mean: np.ndarray, log_rest: np.ndarray, log_size: np.ndarray) -> list[np.ndarray]:
        successes, failures = self._totals
        pooled = [successes * log_mean, failures * log_rest]
        if not len(self.times):
            return pooled
        rises, falls, both = self._sums
        return [*pooled, rises(log_mean + log_size), falls(log_rest + log_size), -_by_runs(both, log_size)]


@dataclass(frozen=True, eq=False)
class GammaTarget:
    """Rates of events from Gamma(shape, shape / mean) by the logarithm of the mean, and u = shape^(-1/2)."""

    events: np.ndarray
    exposure: np.ndarray
    times: np.ndarray
    hyperprior: Hyperprior

    @cached_property
    def _sums(self) -> tuple[TabulatedSum, TabulatedSum, TabulatedSum]:
        return (
            sum_of_rises(self.events, self.times),
            sum_of_logs(self.exposure, self.times),
            sum_of_logs(self.exposure, self.times * self.events),
        )

    @cached_property
    def _totals(self) -> tuple[float, float]:
        return float(self.times @ self.events), float(self.times @ self.exposure)

    @property
    def start(self) -> float:
        """The pooled rate, or a typical value of the prior."""
        (low, high), rate = self.hyperprior.bounds, self.hyperprior.rate
        events, exposure = self._totals
        typical = (events + 0.5) / exposure if exposure or rate is None else rate.typical
        if np.isinf(high):
            return float(np.log(typical))
        share = np.clip((typical - low) / (high - low), 1e-9, 1.0 - 1e-9)
        return float(np.log(share) - np.log1p(-share))

    def mean(self, x: np.ndarray) -> np.ndarray:
        """The mean of rates at x."""
        return np.exp(self._logs(x)[0])

    def _logs(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        """The logarithm of the mean, and of its density by x."""
        low, high = self.hyperprior.bounds
        if np.isfinite(high):
            below, above = -_softplus(-x), -_softplus(x)
            return np.log(low + (high - low) * np.exp(below)), below + above + np.log(high - low)
        prior = self.hyperprior.rate
        return x, 0.0 if prior is None else _log_prior(prior, np.exp(x)) + x

    def log_density(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density by dx du, without the terms that are constant.

        With r = mean / shape it is ``Σ rise(shape, y) + Σy log mean - shape Σ log(1 + e r) - Σ y log(1 + e r)``.
        """
        log_mean, log_prior = self._logs(x)
        log_shape = -2.0 * np.log(u)
        total = log_prior + _log_spread(self.hyperprior, u, log_shape) + np.zeros_like(x)
        return np.asarray(sum(self._terms(log_mean, log_shape), total))

    def log_likelihood(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density of the data, without the terms that are constant."""
        return np.asarray(sum(self._terms(self._logs(x)[0], -2.0 * np.log(u)), np.zeros_like(x)))

    def size_of_terms(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """How large the terms of the log density are."""
        terms = self._terms(self._logs(x)[0], -2.0 * np.log(u))
        return np.asarray(sum((np.abs(term) for term in terms), np.ones_like(x)))

    def _terms(self, log_mean: np.ndarray, log_shape: np.ndarray) -> list[np.ndarray]:
        if not len(self.times):
            return []
        rises, logs, weighted = self._sums
        log_ratio = log_mean - log_shape
        return [
            _by_runs(rises, log_shape), self._totals[0] * log_mean, -np.exp(log_shape) * logs(log_ratio),
            -weighted(log_ratio),
        ]  # fmt: skip


PooledTarget = BetaTarget | GammaTarget


def target_of(hyperprior: Hyperprior, events: np.ndarray, exposure: np.ndarray) -> PooledTarget:
    """The density of groups' totals; groups without any data say nothing."""
    seen = exposure > 0.0
    return _kind(hyperprior)(*distinct_pairs(events[seen], exposure[seen]), hyperprior)


def likelihood_of(hyperprior: Hyperprior, events: float, exposure: float) -> PooledTarget:
    """The target whose `log_likelihood` is that of one group alone, without any prior."""
    bounds = {key: prior for key, prior in hyperprior.priors.items() if prior.name == "Uniform"}
    plain = Hyperprior(hyperprior.pool, bounds)
    number, size, times = np.array([[events], [exposure], [1.0]])[:, : int(exposure > 0.0)]
    return _kind(hyperprior)(number, size, times, plain)


def _kind(hyperprior: Hyperprior) -> type[BetaTarget] | type[GammaTarget]:
    return BetaTarget if hyperprior.pool == "beta" else GammaTarget


@dataclass(frozen=True, eq=False)
class ChangedTarget:
    """A target some of whose groups have other data: sums over the many others are those of the whole.

    Parameters
    ----------
    whole : PooledTarget
    before, after : sequence of PooledTarget
        The likelihoods of the groups that change.
    """

    whole: PooledTarget
    before: Sequence[PooledTarget]
    after: Sequence[PooledTarget]

    @property
    def start(self) -> float:
        """That of the whole."""
        return self.whole.start

    def log_density(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density by dx du, without the terms that are constant."""
        total = self.whole.log_density(x, u)
        for old, new in zip(self.before, self.after, strict=True):
            total = total + (new.log_likelihood(x, u) - old.log_likelihood(x, u))
        return total

    def size_of_terms(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """How large the terms of the log density are."""
        return self.whole.size_of_terms(x, u)
