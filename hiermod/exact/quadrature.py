"""Quadrature over a location on the line and a spread from 0 on, the two hyperparameters of pooled rates.

The spread's half line is mapped to ``[0, 1)`` by ``u = c t / (1 - t)`` and cut into panels until a Chebyshev series
stands for the density in each. At each spread the location is integrated by the trapezoid rule in z, with
``x = mode + width · sinh(z)``, which converges exponentially for analytic densities (Trefethen and Weideman 2014, SIAM
Review 56, 385-458). Nothing is cut off: u = 0 is the end of a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special

from hiermod.errors import SamplingError

NODES = 16  # of a panel
STEP = 0.1  # of z, halved where it is not fine enough
TAIL = 38.0  # units of log density below the mode, from which nothing counts
TOLERANCE = 1e-11  # of the whole integral, that a panel may miss
STEP_TOLERANCE = 1e-10  # of the whole integral, that the step may miss: its square for twice the step
NOISE = 8.0 * float(np.finfo(float).eps)  # of the pieces of a log density: what rounding leaves
LEAST_SPREAD, LARGEST_SPREAD, SPREADS = 1e-7, 1e5, 73  # at which the mode is looked for
NARROW, FINER = 4.0, 17  # second difference of the log mass, from which on the grid is refined, and to how many points
PANELS_OF_NARROW = np.array([-40.0, -12.0, -6.0, -3.0, 0.0, 3.0, 6.0, 12.0, 40.0])  # in standard deviations
FIRST_PANELS, MOST_PANELS, SMALLEST_PANEL = 6, 1500, 1e-13
AT_FIRST = 6  # reaches that are tried at once
REACHES = np.array([2.5, 3.25, 4.0, 5.0, 6.0, 8.0, 11.0, 16.0, 25.0, 40.0, 60.0])  # of z
DIFFERENCE = 1e-3  # of x
BLOCK = 400_000  # points at once


class Target(Protocol):
    """The log density of a location x and a spread u."""

    @property
    def start(self) -> float:
        """Where the search for the mode in x begins."""

    def log_density(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The log density by dx du, up to a constant."""

    def size_of_terms(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """How large the terms are that add up to the log density, for their rounding."""


class Integral(Protocol):
    """A posterior of (x, u) by weighted points."""

    @property
    def log_normalizer(self) -> float:
        """The log of the integral of the density."""

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Locations, spreads and weights that stand for the posterior; weights add up to 1."""


@dataclass(frozen=True, eq=False)
class PointMass:
    """A location and a spread that are known."""

    target: Target
    x: float
    u: float

    @property
    def log_normalizer(self) -> float:
        """The log density at the point."""
        x, u, _ = self.nodes()
        return float(self.target.log_density(x, u)[0])

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The point."""
        return np.array([self.x]), np.array([self.u]), np.ones(1)


PLACES = -np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)  # rising
TO_COEFFICIENTS = 2.0 / NODES * np.cos(np.outer(np.arange(NODES), np.arccos(PLACES)))
TO_COEFFICIENTS[0] /= 2.0
INTEGRALS = np.array([1.0 / (1 - k * k) if k % 2 == 0 else 0.0 for k in range(NODES)])  # over a panel of size 1
WEIGHTS = INTEGRALS @ TO_COEFFICIENTS


@dataclass(frozen=True, eq=False)
class Slices:
    """What is known of the location at some spreads: arrays by spread, and the points of each one after the other.

    Parameters
    ----------
    t, u : ndarray
        The spreads, mapped to [0, 1) and as they are.
    mode, width : ndarray
        Of x at each spread; they need not be exact.
    points : ndarray of int
        The number of points at each spread.
    z : ndarray
        The points.
    log_values : ndarray
        The log density by dz dt at the points.
    log_mass : ndarray
        The log of the integral over x at each spread, by dt.
    step : float
        Of z.
    """

    t: np.ndarray
    u: np.ndarray
    mode: np.ndarray
    width: np.ndarray
    points: np.ndarray
    z: np.ndarray
    log_values: np.ndarray
    log_mass: np.ndarray
    step: float

    def location(self) -> np.ndarray:
        """The locations."""
        return np.repeat(self.mode, self.points) + np.repeat(self.width, self.points) * np.sinh(self.z)

    def chosen(self, kept: np.ndarray) -> Slices:
        """Some of the spreads."""
        inside = np.repeat(kept, self.points)
        return Slices(
            self.t[kept], self.u[kept], self.mode[kept], self.width[kept], self.points[kept], self.z[inside],
            self.log_values[inside], self.log_mass[kept], self.step,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Quadrature:
    """The posterior of (x, u).

    Parameters
    ----------
    target : Target
    scale : float
        c of the map ``u = c t / (1 - t)``.
    low, high : ndarray
        The ends of the panels, in order.
    slices : Slices
        At the nodes of the panels, as many as there are panels times `NODES`.
    log_normalizer : float
        The log of the integral of the density.
    error : float
        What the integral may be off by, relative to it.
    """

    target: Target
    scale: float
    low: np.ndarray
    high: np.ndarray
    slices: Slices
    log_normalizer: float
    error: float

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Locations, spreads and weights that stand for the posterior; weights add up to 1."""
        slices = self.slices
        of_spreads = np.outer(self.high - self.low, WEIGHTS).ravel() * slices.step
        weights = np.exp(slices.log_values - self.log_normalizer) * np.repeat(of_spreads, slices.points)
        return slices.location(), np.repeat(slices.u, slices.points), weights / weights.sum()

    def density(self) -> np.ndarray:
        """Coefficients of each panel's Chebyshev series of the density of t, shape ``(panels, NODES)``."""
        values = np.exp(self.slices.log_mass - self.log_normalizer).reshape(-1, NODES)
        return values @ TO_COEFFICIENTS.T

    @property
    def at_zero(self) -> float:
        """The density of the spread at 0 over its largest one."""
        centre = (self.low[:, None] + (PLACES + 1.0) / 2.0 * (self.high - self.low)[:, None]).ravel()
        density = np.exp(self.slices.log_mass - self.slices.log_mass.max()) * (1.0 - centre) ** 2
        first = float(np.polynomial.chebyshev.chebval(-1.0, TO_COEFFICIENTS @ density[:NODES]))
        return max(first, 0.0) / max(float(density.max()), first)

    def below(self, u: float) -> float:
        """The probability of a spread below u."""
        t = u / (u + self.scale)
        at = np.clip(2.0 * (t - self.low) / (self.high - self.low) - 1.0, -1.0, 1.0)
        integral = chebyshev.chebint(self.density(), lbnd=-1.0, axis=1)
        shares = chebyshev.chebval(at, integral.T, tensor=False) * (self.high - self.low) / 2.0
        return float(np.clip(shares.sum(), 0.0, 1.0))


def integrate(target: Target) -> Quadrature:
    """Find the panels, adaptively.

    Raises
    ------
    SamplingError
        If the density cannot be integrated.
    """
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        ridge = _ridge(target)
        scale = ridge.typical
        step, found = STEP, None
        while found is None:
            found = _integrated(target, ridge, scale, step)
            step /= 2.0
    return found


def _integrated(target: Target, ridge: Ridge, scale: float, step: float) -> Quadrature | None:
    """The quadrature with a step of z; None where that is too coarse."""
    low, high = ridge.ends[:-1], ridge.ends[1:]
    done: list[tuple[np.ndarray, np.ndarray, Slices]] = []
    masses, missing, top = 0.0, 0.0, -np.inf
    while len(low):
        slices, coarse = _at_nodes(target, ridge, scale, step, low, high)
        peak = float(slices.log_mass.max())
        if peak > top:
            masses, missing, top = masses * np.exp(top - peak), missing * np.exp(top - peak), peak
        values = np.exp(slices.log_mass - top).reshape(-1, NODES)
        size = high - low
        own, lacking = size * (values @ WEIGHTS), size * np.abs((values @ TO_COEFFICIENTS.T)[:, -3:]).max(axis=1)
        total = masses + float(own.sum())
        if not np.isfinite(total):
            raise SamplingError("The posterior of the pooled rates could not be integrated: its density is not finite.")
        if float((size * (coarse.reshape(-1, NODES) * values).max(axis=1)).sum()) ** 2 > STEP_TOLERANCE * total**2:
            return None
        noise = NOISE * target.size_of_terms(slices.mode, slices.u).reshape(-1, NODES)
        good = (lacking <= TOLERANCE * total) | (size < SMALLEST_PANEL)
        good |= lacking <= size * (noise * values).max(axis=1)
        done.append((low[good], high[good], slices.chosen(np.repeat(good, NODES))))
        masses, missing = masses + float(own[good].sum()), missing + float(lacking[good].sum())
        low, high = low[~good], high[~good]
        middle = (low + high) / 2.0
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        if sum(len(part[0]) for part in done) + len(low) > MOST_PANELS:
            raise SamplingError("The posterior of the pooled rates could not be integrated: it has too many corners.")
    return _joined(target, scale, done, top + float(np.log(masses)), missing / masses)


def _joined(
    target: Target, scale: float, done: Sequence[tuple[np.ndarray, np.ndarray, Slices]], log_total: float, error: float
) -> Quadrature:
    """All panels in order."""
    low, high = (np.concatenate([part[place] for part in done]) for place in (0, 1))
    order = np.argsort(low)
    parts = [part[2] for part in done]
    points = np.concatenate([own.points for own in parts])
    spreads = (order[:, None] * NODES + np.arange(NODES)).ravel()
    begins = np.cumsum(points) - points
    counts = points[spreads]
    inside = np.repeat(begins[spreads] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    by_spread = {
        name: np.concatenate([getattr(own, name) for own in parts])[spreads]
        for name in ("t", "u", "mode", "width", "points", "log_mass")
    }
    by_point = {name: np.concatenate([getattr(own, name) for own in parts])[inside] for name in ("z", "log_values")}
    return Quadrature(
        target, scale, low[order], high[order], Slices(**by_spread, **by_point, step=parts[0].step), log_total, error
    )


@dataclass(frozen=True, eq=False)
class Ridge:
    """The mode of x along a grid of log u, the spread of the largest mass, and the ends of the first panels of t.

    Where the mass is narrow, the grid is finer there, and the panels are as wide as it is.
    """

    log_u: np.ndarray
    mode: np.ndarray
    typical: float
    ends: np.ndarray


def _ridge(target: Target) -> Ridge:
    log_u = np.log(np.geomspace(LEAST_SPREAD, LARGEST_SPREAD, SPREADS))
    mode, log_mass = _profile(target, log_u, np.full(len(log_u), target.start), 60)
    if not np.isfinite(log_mass).any():
        raise SamplingError("The posterior of the pooled rates could not be integrated: its density is not finite.")
    ends, grids, modes = np.linspace(0.0, 1.0, FIRST_PANELS + 1), [log_u], [mode]
    best = int(np.nanargmax(log_mass))
    centre, at = float(log_u[best]), best
    while 0 < at < len(grids[-1]) - 1:
        grid, (before, here, after) = grids[-1], log_mass[at - 1 : at + 2]
        bend, space = 2.0 * here - before - after, float(grid[1] - grid[0])
        centre = float(grid[at])
        if not bend > NARROW:
            if len(grids) > 1:
                centre += 0.5 * space * float((after - before) / bend)
                near = PANELS_OF_NARROW * space / np.sqrt(bend)
                ends = np.concatenate([[0.0], special.expit(near), [1.0]])
            break
        grids.append(np.linspace(grid[at - 1], grid[at + 1], FINER))
        known = np.interp(grids[-1], grid, modes[-1])
        mode, log_mass = _profile(target, grids[-1], known, 10)
        modes.append(mode)
        at = int(np.nanargmax(log_mass))
    points, order = np.unique(np.concatenate(grids), return_index=True)
    return Ridge(points, np.concatenate(modes)[order], float(np.exp(centre)), ends)


def _profile(target: Target, log_u: np.ndarray, start: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The mode of x at each u, and about the log of the mass there by d log u."""
    u = np.exp(log_u)
    mode, width = _conditional(target, u, start, most)
    return mode, target.log_density(mode, u) + np.log(width) + log_u


def _at_nodes(
    target: Target, ridge: Ridge, scale: float, step: float, low: np.ndarray, high: np.ndarray
) -> tuple[Slices, np.ndarray]:
    """The slices at the nodes of panels, and by how much their masses differ from those with twice the step."""
    t = (low[:, None] + (PLACES + 1.0) / 2.0 * (high - low)[:, None]).ravel()
    u = scale * t / (1.0 - t)
    stretch = (u + scale) ** 2 / scale
    mode, width = _conditional(target, u, np.interp(np.log(u), ridge.log_u, ridge.mode), 4)
    peak = target.log_density(mode, u)
    below, above = _reach(target, u, mode, width, peak)
    first, last = -np.ceil(below / step).astype(int), np.ceil(above / step).astype(int)
    points = last - first + 1
    begins = np.cumsum(points) - points
    number = np.arange(points.sum()) - np.repeat(begins - first, points)
    z = number * step
    x = np.repeat(mode, points) + np.repeat(width, points) * np.sinh(z)
    log_values = (
        _in_blocks(target, x, np.repeat(u, points)) + np.log(np.cosh(z)) + np.repeat(np.log(width * stretch), points)
    )
    top = np.maximum.reduceat(log_values, begins)
    values = np.exp(log_values - np.repeat(top, points))
    fine = np.add.reduceat(values, begins)
    coarse = 2.0 * np.add.reduceat(np.where(number % 2 == 0, values, 0.0), begins)
    log_mass = top + np.log(fine * step)
    return Slices(t, u, mode, width, points, z, log_values, log_mass, step), np.abs(coarse / fine - 1.0)


def _in_blocks(target: Target, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    if len(x) <= BLOCK:
        return target.log_density(x, u)
    parts = (slice(start, start + BLOCK) for start in range(0, len(x), BLOCK))
    return np.concatenate([target.log_density(x[part], u[part]) for part in parts])


def _reach(
    target: Target, u: np.ndarray, mode: np.ndarray, width: np.ndarray, peak: np.ndarray
) -> np.ndarray:  # fmt: skip
    """How far z has to go to either side at each spread, until the density is nothing; shape ``(2, spreads)``."""
    reach = np.full((2, len(u)), REACHES[-1])
    side, rest = np.indices(reach.shape).reshape(2, -1)
    for far in (REACHES[:AT_FIRST], REACHES[AT_FIRST:]):
        steps = (2.0 * side - 1.0) * width[rest] * np.sinh(far[:, None])
        log_values = target.log_density((mode[rest] + steps).ravel(), np.tile(u[rest], len(far))).reshape(steps.shape)
        ended = ~(log_values + np.log(np.cosh(far[:, None])) > peak[rest] - TAIL)
        found = ended.any(axis=0)
        reach[side[found], rest[found]] = far[ended.argmax(axis=0)[found]]
        side, rest = side[~found], rest[~found]
        if not len(rest):
            break
    return reach


def _conditional(target: Target, u: np.ndarray, start: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The mode of x at each u, and 1 / sqrt of minus the curvature there: both need be right to some digits alone.

    Newton's method with derivatives by differences, its steps bounded.
    """
    x, curvature = start, np.ones(len(u))
    size = len(u)
    for _ in range(most):
        moved = np.concatenate([x - DIFFERENCE, x, x + DIFFERENCE])
        values = target.log_density(moved, np.tile(u, 3))
        below, here, above = values[:size], values[size : 2 * size], values[2 * size :]
        slope = (above - below) / (2.0 * DIFFERENCE)
        curvature = np.maximum((2.0 * here - above - below) / DIFFERENCE**2, 1e-3)
        move = np.clip(np.nan_to_num(slope / np.maximum(curvature, 0.05)), -1.0, 1.0)
        x = x + move
        if (np.abs(move) * np.sqrt(curvature)).max() < 0.05:
            break
    return x, 1.0 / np.sqrt(curvature)
