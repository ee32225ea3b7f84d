"""Independent draws of a density of few dimensions: proposals of a multivariate t at the mode, by the exact density."""

from __future__ import annotations

import numpy as np

from hiermod.marginal.mode import Density, Mode

FREEDOM = 12.0  # degrees of freedom of the proposals
FIRST_BOUND, LAST_BOUND = 1.5, 30.0  # of the exact over the proposed density, both 1 at the mode
MARGIN = 1.05


class NotDrawnError(Exception):
    """The density is too far from the proposals'."""


def draw(density: Density, mode: Mode, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of shape ``(size, dimension)``.

    Where a ratio of densities is above the bound, the bound is raised and all is drawn anew.

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
        proposed = -0.5 * (FREEDOM + len(mode.point)) * np.log1p((z**2).sum(axis=1) / FREEDOM)
        with np.errstate(over="ignore", under="ignore"):
            ratio = np.exp(density(points) - mode.value - proposed)
        largest = float(ratio.max())
        if not largest <= bound:
            if not largest * MARGIN < LAST_BOUND:
                raise NotDrawnError
            bound, count = MARGIN * largest, 0
            continue
        kept = np.flatnonzero(rng.uniform(size=number) * bound < ratio)[: size - count]
        found[count : count + len(kept)] = points[kept]
        count += len(kept)
    return found
