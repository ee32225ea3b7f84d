"""The mean of a response over the normal population of groups, given mean and variance on the link scale."""

from __future__ import annotations

import numpy as np
from scipy import special

from hiermod.families.links import Link

NODES = 40
MAX_STEP = 0.35
MIN_STEP = 0.02
RANGE = 8.3


def population_mean(link: Link, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """``E[link⁻¹(mean + sqrt(variance) Z)]`` for a standard normal Z, elementwise.

    Identity, log and probit have closed forms. The others are integrated by Gauss-Hermite quadrature where the spread
    is moderate, and by the trapezoidal rule, whose error falls exponentially for such integrands, where it is wide.
    """
    if link.name == "identity":
        return mean
    if link.name == "log":
        return link.inverse(mean + variance / 2.0)
    if link.name == "probit":
        return special.ndtr(mean / np.sqrt(1.0 + variance))
    spread = np.sqrt(variance)
    return _weighted_sum(link, mean, spread, *_rule(float(spread.max(initial=0.0))))


def _rule(widest: float) -> tuple[np.ndarray, np.ndarray]:
    if widest <= 0.5:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return nodes, weights / weights.sum()
    step = max(MIN_STEP, min(0.25, MAX_STEP / widest))
    nodes = np.arange(-np.ceil(RANGE / step), np.ceil(RANGE / step) + 1) * step
    weights = np.exp(-(nodes**2) / 2.0)
    return nodes, weights / weights.sum()


def _weighted_sum(
    link: Link, mean: np.ndarray, spread: np.ndarray, nodes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    total = np.zeros_like(mean)
    for node, weight in zip(nodes, weights, strict=True):
        total += weight * link.inverse(mean + spread * node)
    return total


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
