"""Independent draws of a density of few dimensions: proposals of a multivariate t at the mode, by the exact density."""

from __future__ import annotations

import numpy as np

from hiermod.marginal.mode import Density, Mode

FREEDOM = 12.0  # degrees of freedom of the proposals
FIRST_BOUND, LAST_BOUND = 1.5, 30.0  # of the exact over the proposed density, both 1 at the mode
FIRM_BOUND = 10.0  # of what is tried beforehand
TAILS = (2.0, 4.0, 6.0, 8.0, 12.0)  # in standard deviations
MARGIN = 1.05


class NotDrawnError(Exception):
    """The density is too far from the proposals'."""


def draw(
    density: Density, mode: Mode, size: int, rng: np.random.Generator, last: float = LAST_BOUND
) -> np.ndarray:  # fmt: skip
    """Draws of shape ``(size, dimension)``.

    Where a ratio of densities is above the bound, the bound is raised, up to the `last`, and all is drawn anew.

    Raises
    ------
    NotDrawnError
        If proposals and density differ too much.
    """
    bound, found, count = FIRST_BOUND, np.empty((size, len(mode.point))), 0
    while count < size:
        number = int((size - count) * 1.3 * bound) + 16
        z = rng.standard_normal((number, len(mode.point)))
        z *= np.sqrt(FREEDOM / rng.chisquare(FREEDOM, number))[:, None]
        points = mode.point + z @ mode.spread.T
        ratio = _ratio(density, mode, z)
        largest = float(ratio.max())
        if not largest <= bound:
            if not largest * MARGIN < last:
                raise NotDrawnError
            bound, count = MARGIN * largest, 0
            continue
        kept = np.flatnonzero(rng.uniform(size=number) * bound < ratio)[: size - count]
        found[count : count + len(kept)] = points[kept]
        count += len(kept)
    return found


def _ratio(density: Density, mode: Mode, z: np.ndarray) -> np.ndarray:
    """The exact over the proposed density at whitened points, 1 at the mode."""
    proposed = -0.5 * (FREEDOM + len(mode.point)) * np.log1p((z**2).sum(axis=1) / FREEDOM)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.exp(density(mode.point + z @ mode.spread.T) - mode.value - proposed))


def check_tails(density: Density, mode: Mode) -> None:
    """Refuse a density whose tails along the axes are heavier than the proposals can follow.

    Raises
    ------
    NotDrawnError
    """
    steps = np.array([step for far in TAILS for step in (far, -far)])
    z = (steps[:, None, None] * np.eye(len(mode.point))).reshape(-1, len(mode.point))
    if not _ratio(density, mode, z).max() < FIRM_BOUND:
        raise NotDrawnError
