"""Independent draws of a density of few dimensions: proposals of a split t at the mode, by the exact density.

A split t has scales of its own to both sides of the mode along each axis (Geweke 1989, Econometrica 57, 1317-1339), so
that it follows skewed densities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hiermod.marginal.mode import Density, Mode

FREEDOM = 6.0  # degrees of freedom of the proposals
FIRST_BOUND, LAST_BOUND = 1.5, 30.0  # of the exact over the proposed density, both 1 at the mode
CLOSE_BOUND = 1.1  # the first one between a density and one near it
FIRM_BOUND = 10.0  # of what is tried beforehand, and between a density and one near it
TAILS = (2.0, 4.0, 6.0, 8.0, 12.0)  # in standard deviations
LEAST_SCALE, LARGEST_SCALE = 0.7, 4.0
MARGIN = 1.05


class NotDrawnError(Exception):
    """The density is too far from the proposals'."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """Where proposals come from: whitened at the mode, along each axis with scales, shape ``(2, dimension)``.

    The first ones are of the positive side.
    """

    mode: Mode
    scales: np.ndarray

    def whitened(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Proposals in whitened coordinates; a side is as likely as it is wide, which makes the density continuous."""
        shape = (number, len(self.mode.point))
        z = np.abs(rng.standard_normal(shape)) * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, number))[:, None]
        up = rng.uniform(size=shape) * self.scales.sum(axis=0) < self.scales[0]
        return np.asarray(np.where(up, z * self.scales[0], -z * self.scales[1]))

    def points(self, z: np.ndarray) -> np.ndarray:
        """Points of whitened ones."""
        return np.asarray(self.mode.point + z @ self.mode.spread.T)

    def ratio_of(self, values: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The exact over the proposed density at whitened points, 1 at the mode, by logarithms of the exact one."""
        scaled = np.where(z > 0.0, z / self.scales[0], z / self.scales[1])
        proposed = -0.5 * (FREEDOM + z.shape[1]) * np.log1p((scaled**2).sum(axis=1) / FREEDOM)
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.exp(values - self.mode.value - proposed))

    def with_value(self, value: float) -> Proposal:
        """The same for a density with another value at the mode."""
        return replace(self, mode=replace(self.mode, value=value))


def find_proposal(density: Density, mode: Mode) -> Proposal:
    """A proposal that is as wide as the density along the axes.

    Raises
    ------
    NotDrawnError
        If the density's tails there are heavier than proposals can follow.
    """
    steps = np.array([step for far in TAILS for step in (far, -far)])
    size = len(mode.point)
    z = (steps[:, None, None] * np.eye(size)).reshape(-1, size)
    values = density(mode.point + z @ mode.spread.T)
    with np.errstate(over="ignore"):
        falls = np.maximum(mode.value - values, 1e-3)
        squares = (z**2).sum(axis=1) / (FREEDOM * np.expm1(2.0 * falls / (FREEDOM + size)))
    scales = np.sqrt(squares).reshape(len(TAILS), 2, size).max(axis=0)
    proposal = Proposal(mode, np.clip(scales, LEAST_SCALE, LARGEST_SCALE))
    if not proposal.ratio_of(values, z).max() < FIRM_BOUND:
        raise NotDrawnError
    return proposal


def draw(
    density: Density, proposal: Proposal, size: int, rng: np.random.Generator, last: float = LAST_BOUND
) -> np.ndarray:  # fmt: skip
    """Draws of shape ``(size, dimension)``.

    Raises
    ------
    NotDrawnError
        If proposals and density differ too much: if the bound on the ratio of densities would be above the `last`.
    """

    def proposed(number: int) -> tuple[np.ndarray, np.ndarray]:
        z = proposal.whitened(number, rng)
        points = proposal.points(z)
        return points, proposal.ratio_of(density(points), z)

    return _accepted(proposed, size, FIRST_BOUND, last, rng)


def refined(
    density: Density, near: Density, proposal: Proposal, size: int, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """Draws of a density, proposed by one that is `near` it, whose draws come from the proposal.

    Raises
    ------
    NotDrawnError
        If they differ too much.
    """
    level = float((density(proposal.mode.point[None]) - proposal.mode.value)[0])

    def proposed(number: int) -> tuple[np.ndarray, np.ndarray]:
        points = draw(near, proposal, number, rng)
        return points, np.exp(density(points) - near(points) - level)

    return _accepted(proposed, size, CLOSE_BOUND, FIRM_BOUND, rng)


def _accepted(
    proposed: Callable[[int], tuple[np.ndarray, np.ndarray]], size: int, bound: float, last: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """So many of the proposals, each with the chance that its ratio of densities has of the bound on them.

    Where a ratio is above the bound, that is raised, and the proposals so far are chosen from by the new one.
    """
    number, tried, found = int(size * 1.3 * bound) + 16, 0, list[np.ndarray]()
    while True:
        points, ratio = proposed(number)
        own = [points, ratio, rng.uniform(size=number)]
        found = [np.concatenate(pair) for pair in zip(found, own, strict=True)] if found else own
        tried, largest = tried + number, float(ratio.max())
        if not largest <= bound:
            if not largest * MARGIN < last:
                raise NotDrawnError
            bound = MARGIN * largest
        found = [each[found[2] * bound < found[1]] for each in found]
        count = len(found[0])
        if count >= size:
            return np.asarray(found[0][:size])
        number = int(1.1 * (size - count) * tried / max(count, 1)) + 16
