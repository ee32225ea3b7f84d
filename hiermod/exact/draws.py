"""Independent draws of a location and a spread: proposals between the nodes of the quadrature, by the exact density.

The spread comes from a fine table of its density, the location from those at the two nearest nodes. What these
interpolations are off by is mended by accepting in proportion to the exact over the proposed density.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev

from hiermod.exact.quadrature import NODES, Quadrature

CELLS = 64  # of a panel's table
FIRST_BOUND, LAST_BOUND = 1.1, 20.0  # of the exact over the proposed density
GRID = np.linspace(-1.0, 1.0, CELLS + 1)
POLYNOMIALS = chebyshev.chebvander(GRID, NODES - 1)


def draw(quadrature: Quadrature, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws of x and u.

    Where a ratio of densities is above the bound, the bound is raised and all is drawn anew.
    """
    proposal, bound = Proposal(quadrature), FIRST_BOUND
    x, u, count = np.empty(size), np.empty(size), 0
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        while count < size:
            number = int((size - count) * 1.25 * bound) + 16
            proposed_x, proposed_u, ratio = proposal.draw(number, rng)
            if (largest := float(ratio.max())) > bound < LAST_BOUND:
                bound, count = min(1.05 * largest, LAST_BOUND), 0
                continue
            kept = np.flatnonzero(rng.uniform(size=number) * bound < ratio)[: size - count]
            x[count : count + len(kept)], u[count : count + len(kept)] = proposed_x[kept], proposed_u[kept]
            count += len(kept)
    return x, u


@dataclass(frozen=True, eq=False)
class Proposal:
    """A density of t and z that is piecewise linear, close to the exact one."""

    quadrature: Quadrature

    def draw(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draws of x and u, and the ratio of the exact density to this one's."""
        quadrature, slices = self.quadrature, self.quadrature.slices
        grid, density, below = self._table
        t, of_t = _inverted(grid, density, below, np.searchsorted(below, rng.uniform(size=size), side="right") - 1, rng)
        right = np.clip(np.searchsorted(slices.t, t), 1, len(slices.t) - 1)
        left = right - 1
        share = np.clip((t - slices.t[left]) / (slices.t[right] - slices.t[left]), 0.0, 1.0)
        node = np.where(rng.uniform(size=size) < share, right, left)
        z = self._drawn_z(node, rng)
        of_z = (1.0 - share) * self._density_of_z(left, z) + share * self._density_of_z(right, z)
        mode, width = (own[left] + share * (own[right] - own[left]) for own in (slices.mode, slices.width))
        u = quadrature.scale * t / (1.0 - t)
        x = mode + width * np.sinh(z)
        stretch = (u + quadrature.scale) ** 2 / quadrature.scale * width * np.cosh(z)
        log_density = quadrature.target.log_density(x, u) - quadrature.log_normalizer
        return x, u, np.nan_to_num(np.exp(log_density + np.log(stretch)) / (of_t * of_z))

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A grid of t, its density there, and the probability below."""
        quadrature = self.quadrature
        size = (quadrature.high - quadrature.low)[:, None]
        grid = quadrature.low[:, None] + (GRID + 1.0) / 2.0 * size
        density = np.maximum(quadrature.density() @ POLYNOMIALS.T, 0.0)
        grid, density = grid.ravel(), density.ravel()
        below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2.0 * np.diff(grid))])
        return grid, density / below[-1], below / below[-1]

    @cached_property
    def _of_nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where each node's points begin, the densities of z there, and the probabilities below, node by node."""
        slices = self.quadrature.slices
        begins = np.cumsum(slices.points) - slices.points
        values = np.exp(slices.log_values - np.repeat(slices.log_mass, slices.points))
        areas = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2.0 * slices.step])
        areas[begins] = 0.0
        below = np.cumsum(areas)
        below -= np.repeat(below[begins], slices.points)
        totals = below[begins + slices.points - 1]
        each = np.repeat(totals, slices.points)
        return begins, values / each, below / each

    def _drawn_z(self, node: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        begins, density, below = self._of_nodes
        slices = self.quadrature.slices
        rising = below + np.repeat(np.arange(len(begins), dtype=float), slices.points)
        cell = np.searchsorted(rising, node + rng.uniform(size=len(node)), side="right") - 1
        cell = np.clip(cell, begins[node], begins[node] + slices.points[node] - 2)
        z, _ = _inverted(slices.z, density, below, cell, rng)
        return z

    def _density_of_z(self, node: np.ndarray, z: np.ndarray) -> np.ndarray:
        begins, density, _ = self._of_nodes
        slices = self.quadrature.slices
        place = (z - slices.z[begins[node]]) / slices.step
        inside = (place >= 0.0) & (place <= slices.points[node] - 1)
        cell = np.clip(place.astype(int), 0, slices.points[node] - 2)
        at = begins[node] + cell
        return np.where(inside, density[at] + (place - cell) * (density[at + 1] - density[at]), 0.0)


def _inverted(
    grid: np.ndarray, density: np.ndarray, below: np.ndarray, cell: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws in given cells of a piecewise linear density, and the density there."""
    cell = np.clip(cell, 0, len(grid) - 2)
    first, last, size = density[cell], density[cell + 1], grid[cell + 1] - grid[cell]
    uniform = rng.uniform(size=len(cell))
    root = np.sqrt(first**2 + uniform * (last**2 - first**2))
    share = uniform * (first + last) / np.maximum(first + root, 1e-300)
    return grid[cell] + np.minimum(share, 1.0) * size, first + np.minimum(share, 1.0) * (last - first)
