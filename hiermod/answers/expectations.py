"""Means over the population of groups: of outcomes whose linear predictors are normal, one or several jointly.

The mean over one linear predictor has a closed form for some links. Several are integrated one after the other, each
given those before it, which stays normal; the last one by its closed form where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from hiermod.families.links import Link

NODES = 40
MAX_STEP = 0.35
MIN_STEP = 0.02
RANGE = 8.3
COARSE = 0.6  # step of the outer ones of several integrals; of smooth functions it leaves errors under 1e-10
Predictors = Mapping[str, np.ndarray]  # linear predictors by parameter, of shape (rows, draws)


def population_mean(link: Link, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """``E[link⁻¹(mean + sqrt(variance) Z)]`` for a standard normal Z, elementwise.

    Identity, log and probit have closed forms. The others are integrated by Gauss-Hermite quadrature where the spread
    is moderate, and by the trapezoidal rule, whose error falls exponentially for such integrands, where it is wide.
    """
    if link.name == "identity":
        return link.inverse(mean)
    if link.name == "log":
        return link.inverse(mean + variance / 2.0)
    if link.name == "probit":
        return special.ndtr(mean / np.sqrt(1.0 + variance))
    return expectation(link.inverse, mean, np.sqrt(variance))


def expectation(value: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """``E[value(mean + spread Z)]`` for a standard normal Z, elementwise, by quadrature."""
    total = np.zeros_like(mean)
    for node, weight in zip(*_rule(float(spread.max(initial=0.0))), strict=True):
        total += weight * value(mean + spread * node)
    return total


def _rule(widest: float) -> tuple[np.ndarray, np.ndarray]:
    if widest <= 0.5:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return nodes, weights / weights.sum()
    return _trapezoidal(max(MIN_STEP, min(0.25, MAX_STEP / widest)))


def _trapezoidal(step: float) -> tuple[np.ndarray, np.ndarray]:
    nodes = np.arange(-np.ceil(RANGE / step), np.ceil(RANGE / step) + 1) * step
    weights = np.exp(-(nodes**2) / 2.0)
    return nodes, weights / weights.sum()


def population_slope(
    link: Link, mean: np.ndarray, variance: np.ndarray, rise: np.ndarray, widening: np.ndarray
) -> np.ndarray:
    """Derivative of `population_mean` where the mean changes by `rise` and the variance by `widening`, elementwise."""
    if link.name == "identity":
        return rise
    if link.name == "log":
        return link.slope(mean + variance / 2.0) * (rise + widening / 2.0)
    if link.name == "probit":
        scale = np.sqrt(1.0 + variance)
        return link.slope(mean / scale) * (rise / scale - mean * widening / (2.0 * scale**3))
    spread = np.sqrt(variance)
    parting = np.divide(widening, 2.0 * spread, out=np.zeros_like(spread), where=spread > 0)
    total = np.zeros_like(mean)
    for node, weight in zip(*_rule(float(spread.max(initial=0.0))), strict=True):
        total += weight * link.slope(mean + spread * node) * (rise + parting * node)
    return total


@dataclass(frozen=True, eq=False)
class Population:
    """The linear predictors of rows, in each draw jointly normal over the population of groups.

    Parameters
    ----------
    mean : mapping of str to ndarray, shape (rows, draws)
        By parameter.
    covariance : mapping of (str, str) to ndarray, shape (rows, draws)
        Of each pair of those that vary, in both orders; those that are independent may be missing.
    """

    mean: Predictors
    covariance: Mapping[tuple[str, str], np.ndarray]

    @property
    def varying(self) -> tuple[str, ...]:
        """The parameters whose linear predictor varies between groups."""
        return tuple(dict.fromkeys(name for name, _ in self.covariance))

    def at(self, places: np.ndarray) -> Population:
        """The same at some places of the arrays, laid out in one line."""
        mean = {name: np.broadcast_to(values, self.shape).ravel()[places] for name, values in self.mean.items()}
        covariance = {
            pair: np.broadcast_to(values, self.shape).ravel()[places] for pair, values in self.covariance.items()
        }
        return Population(mean, covariance)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the arrays."""
        return np.broadcast_shapes(*(values.shape for values in self.mean.values()))

    def given(self, name: str) -> tuple[Mapping[str, np.ndarray], Population]:
        """How the others rise with a standard normal behind one predictor, and what they are like given that."""
        spread = np.sqrt(self.covariance[name, name])
        rises = {
            other: np.divide(self.covariance[name, other], spread, out=np.zeros_like(spread), where=spread > 0.0)
            for other in self.varying
            if (name, other) in self.covariance
        }
        rest = {
            (one, other): values - rises[one] * rises[other] if one in rises and other in rises else values
            for (one, other), values in self.covariance.items()
            if name not in (one, other)
        }
        for one, other in rest:
            if one == other:
                rest[one, other] = np.maximum(rest[one, other], 0.0)
        return rises, Population(self.mean, rest)


Inner = Callable[[Population], np.ndarray]
Rule = Callable[[float], tuple[np.ndarray, np.ndarray]]  # nodes and weights, by the largest standard deviation


def averaged(
    population: Population, names: Sequence[str], inner: Inner, alone: bool = False, step: float = 0.0
) -> np.ndarray:
    """The mean over the predictors `names`, in turn, of what `inner` makes of a population in which they are known.

    `alone` says that `inner` integrates nothing by itself, so that the last one is integrated as finely as one alone,
    or with a `step` in standard deviations.
    """
    rule = (lambda _: _trapezoidal(step)) if step else _rule if alone else None
    return _over(population, names, inner, rule, lambda total, values, weight: total + weight * values, 0.0)


def log_averaged(population: Population, names: Sequence[str], inner: Inner, alone: bool = False) -> np.ndarray:
    """`averaged` of what `inner` has the logarithm of, as a logarithm."""

    def add(total: np.ndarray | float, values: np.ndarray, weight: float) -> np.ndarray:
        return np.logaddexp(total, values + np.log(weight))

    return _over(population, names, inner, _rule if alone else None, add, -np.inf)


def _over(
    population: Population, names: Sequence[str], inner: Inner, last: Rule | None,
    add: Callable[[np.ndarray | float, np.ndarray, float], np.ndarray], start: float,
) -> np.ndarray:  # fmt: skip
    if not names:
        return inner(population)
    if len(names) > MOST_NESTED:
        return _over_points(population, names, inner, add, start)
    first, rest = names[0], names[1:]
    rises, left = population.given(first)
    widest = float(np.sqrt(population.covariance[first, first]).max(initial=0.0))
    nodes, weights = _trapezoidal(COARSE / max(1.0, widest)) if last is None or rest else last(widest)
    total: np.ndarray | float = start
    for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
        mean = {**left.mean, **{name: left.mean[name] + node * rise for name, rise in rises.items()}}
        total = add(total, _over(Population(mean, left.covariance), rest, inner, last, add, start), weight)
    return np.asarray(total)


MOST_NESTED = 2  # predictors that are integrated one inside the other
POINTS = 7  # twos, whose product is how many points stand for a normal of more dimensions; as many mirror them


def _over_points(
    population: Population, names: Sequence[str], inner: Inner,
    add: Callable[[np.ndarray | float, np.ndarray, float], np.ndarray], start: float,
) -> np.ndarray:  # fmt: skip
    """The same over many predictors by points of Sobol's sequence, always the same ones, and their mirror images.

    What is odd in a predictor adds up to nothing exactly; of a chance, the error is next to a thousandth.
    """
    from scipy.stats import qmc

    steps, left = [], population
    for name in names:
        rises, left = left.given(name)
        steps.append(rises)
    total: np.ndarray | float = start
    points = special.ndtri(qmc.Sobol(len(names), rng=np.random.default_rng(5)).random_base2(POINTS))
    for point in np.concatenate([points, -points]):
        mean = dict(population.mean)
        for z, rises in zip(point.tolist(), steps, strict=True):
            mean |= {name: mean[name] + z * rise for name, rise in rises.items()}
        total = add(total, inner(Population(mean, left.covariance)), 0.5**POINTS / 2.0)
    return np.asarray(total)
