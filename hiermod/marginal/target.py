"""The posterior density of the hyperparameters, with the effects of groups integrated out, on the whole space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hiermod.engine.layout.problem import Hyperparameter, Problem
from hiermod.marginal.likelihoods import Likelihood
from hiermod.modeling.model_priors import cholesky_factors


@dataclass(frozen=True, eq=False)
class Target:
    """A density of points: common coefficients of the centred design, then hyperparameters on the line."""

    problem: Problem
    likelihood: Likelihood

    @property
    def dimension(self) -> int:
        """How many numbers a point has."""
        return self.problem.linear + len(self.problem.hyperparameters)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Up to a constant, shape ``(points,)``; minus infinity where it is not a number."""
        with np.errstate(all="ignore"):
            beta, values, volume = self.parameters(points)
            total = volume + self._log_prior(points, values)
            total += self.likelihood.log_likelihood(beta, self.root(values), values[:, self.problem.auxiliary :])
        return np.where(np.isnan(total), -np.inf, total)

    def parameters(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients ``(points, columns)``, hyperparameters ``(points, number)``, and the log volume of the map."""
        own, linear = self.problem, self.problem.linear
        values, volume = np.empty((len(points), len(own.hyperparameters))), np.zeros(len(points))
        for place, each in enumerate(own.hyperparameters):
            values[:, place], log_slope = _from_line(each, points[:, linear + place])
            volume += log_slope
        beta = np.empty((len(points), own.common))
        beta[:, :linear] = points[:, :linear]
        for place, each in enumerate(own.hyperparameters):
            if each.coefficient >= 0:
                beta[:, each.coefficient] = values[:, place]
        return beta, values, volume

    def root(self, values: np.ndarray) -> np.ndarray:
        """Λ of the factor's effects, shape ``(points, width, width)``."""
        factor = self.problem.factors[0]
        root = np.zeros((len(values), factor.width, factor.width))
        for term in factor.terms:
            sds = values[:, term.sds : term.sds + term.columns]
            own = slice(term.first, term.first + term.columns)
            pairs = term.columns * (term.columns - 1) // 2 if term.partial >= 0 else 0
            partial = 2.0 * values[:, term.partial : term.partial + pairs] - 1.0 if pairs else None
            inner = np.eye(term.columns) if partial is None else cholesky_factors(partial, term.columns)
            root[:, own, own] = sds[:, :, None] * inner
        return root

    def _log_prior(self, points: np.ndarray, values: np.ndarray) -> np.ndarray:
        own, total = self.problem, np.zeros(len(points))
        for place, prior in enumerate(own.priors):
            total += prior.log_density(points[:, place])
        for place, each in enumerate(own.hyperparameters):
            total += each.prior.log_density(values[:, place])
        return total

    def with_likelihood(self, likelihood: Likelihood) -> Target:
        """The same with another way to compute the likelihood."""
        return replace(self, likelihood=likelihood)


def _from_line(own: Hyperparameter, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A hyperparameter of numbers on the line, and the logarithm of the slope."""
    low, high = own.prior.support
    if np.isfinite(low) and np.isfinite(high):
        small = np.exp(-np.abs(v))
        rate = np.where(v >= 0.0, 1.0, small) / (1.0 + small)
        return low + (high - low) * rate, np.log(high - low) - np.abs(v) - 2.0 * np.log1p(small)
    if np.isfinite(low):
        return low + np.exp(v), v
    if np.isfinite(high):
        return high - np.exp(v), v
    return v, np.zeros(len(v))
