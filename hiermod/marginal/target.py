"""The posterior density of the hyperparameters, with the effects of groups integrated out, on the whole space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hiermod.engine.layout.problem import Hyperparameter, Problem, SmoothPlace, TermPlace
from hiermod.marginal.gaussian import GaussianLikelihood
from hiermod.marginal.mode import Mode
from hiermod.marginal.quadrature import PatternLikelihood, softplus
from hiermod.modeling.model_priors import cholesky_factors

KNEE = 0.5  # of what the mode is above the lower end
Likelihood = GaussianLikelihood | PatternLikelihood


@dataclass(frozen=True, eq=False)
class Target:
    """A density of points: common coefficients of the centred design, then hyperparameters on the line.

    Those above a lower end are there by their logarithms or, where `knees` are given, in multiples of these by
    log(exp - 1), which hardly changes what is above the knee: so standard deviations are less skew. Of correlated
    effects they are entries of the Cholesky factor of the covariance matrix, which are nearer to normal than
    correlations.
    """

    problem: Problem
    likelihood: Likelihood
    knees: tuple[float, ...] = ()

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
        below = {at for term in own.factors[0].plain if term.partial >= 0 for at in _pairs(term)}
        values, volume = np.empty((len(points), len(own.hyperparameters))), np.zeros(len(points))
        for place, each in enumerate(own.hyperparameters):
            if place in below:
                continue
            knee = self.knees[place] if self.knees else 0.0
            values[:, place], log_slope = _from_line(each, points[:, linear + place], knee)
            volume += log_slope
        for term in own.factors[0].plain:
            if term.partial >= 0:
                volume += _of_factor(term, values, points[:, linear:])
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
        for term in factor.plain:
            sds = values[:, term.sds : term.sds + term.columns]
            own = slice(term.first, term.first + term.columns)
            partial = 2.0 * values[:, list(_pairs(term))] - 1.0 if term.partial >= 0 else None
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

    def softened(self, mode: Mode) -> tuple[Target, np.ndarray, np.ndarray]:
        """The same with knees below the mode, and where mode and spread are then."""
        point, slopes, knees = mode.point.copy(), np.ones(self.dimension), []
        for place, each in enumerate(self.problem.hyperparameters, start=self.problem.linear):
            (low, high), knee = each.prior.support, 0.0
            if np.isfinite(low) and not np.isfinite(high):
                above = np.exp(point[place])
                knee = KNEE * above
                point[place] = knee * np.log(np.expm1(above / knee))
                slopes[place] = above / -np.expm1(-above / knee)
            knees.append(knee)
        return replace(self, knees=tuple(knees)), point, slopes[:, None] * mode.spread

    def placed_at(self, point: np.ndarray) -> Target:
        """The same, nodes standing where one point puts them."""
        assert isinstance(self.likelihood, PatternLikelihood)
        beta, values, _ = self.parameters(point[None])
        return self.with_likelihood(self.likelihood.at(beta[0], self.root(values)[0]))

    def with_nodes(self, number: int) -> Target:
        """The same with so many nodes a dimension."""
        assert isinstance(self.likelihood, PatternLikelihood)
        return self.with_likelihood(self.likelihood.with_nodes(number))


def _pairs(term: TermPlace | SmoothPlace) -> range:
    """Where offsets of partial correlations stand."""
    return range(term.partial, term.partial + term.columns * (term.columns - 1) // 2)


def _of_factor(term: TermPlace | SmoothPlace, values: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Write standard deviations, and offsets of partial correlations, of a Cholesky factor; the log volume of the map.

    Its diagonal is in `values`, where standard deviations will be; the `entries` below are where offsets will be.
    """
    volume, first = np.zeros(len(values)), term.partial
    for row in range(1, term.columns):
        rest = values[:, term.sds + row]
        for place in range(first + row - 1, first - 1, -1):
            whole = np.hypot(rest, entries[:, place])
            values[:, place] = 0.5 + 0.5 * entries[:, place] / whole
            volume += np.log(0.5 * rest / whole**2)
            rest = whole
        values[:, term.sds + row] = rest
        first += row
    return volume


def _from_line(own: Hyperparameter, v: np.ndarray, knee: float) -> tuple[np.ndarray, np.ndarray]:
    """A hyperparameter of numbers on the line, and the logarithm of the slope."""
    low, high = own.prior.support
    if np.isfinite(low) and np.isfinite(high):
        small = np.exp(-np.abs(v))
        rate = np.where(v >= 0.0, 1.0, small) / (1.0 + small)
        return low + (high - low) * rate, np.log(high - low) - np.abs(v) - 2.0 * np.log1p(small)
    if np.isfinite(low):
        return (low + np.exp(v), v) if knee == 0.0 else (low + knee * softplus(v / knee), -softplus(-v / knee))
    if np.isfinite(high):
        return high - np.exp(v), v
    return v, np.zeros(len(v))
