"""Where chains start: scattered around the mode, in coordinates in which one unit is about a standard deviation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hiermod.engine.program import Program

SCATTER = 0.5
TRIES = 20


def starting_points(program: Program) -> Callable[[int], np.ndarray]:
    """A function from a chain's seed to its starting point; nearer to the mode where the density is not finite."""
    size = program.problem.dimension

    def point(seed: int | None = None) -> np.ndarray:
        rng = np.random.default_rng(seed)
        z = rng.normal(0.0, SCATTER, size)
        for _ in range(TRIES):
            value, gradient = program.log_density(z)
            if np.isfinite(value) and np.isfinite(gradient).all() and gradient.all():
                break
            z = 0.5 * z + rng.normal(0.0, 1e-3, size)
        return z

    return point
