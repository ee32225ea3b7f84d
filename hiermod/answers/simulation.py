"""New responses drawn from the family, given their expected values."""

from __future__ import annotations

import numpy as np

from hiermod.data.statistics import BinomialCells, CountCells
from hiermod.sampling.posterior import Posterior


def simulate(posterior: Posterior, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Draw a response for each row and draw: successes, counts or values; the same in any process for one run."""
    rng = posterior.generator(1000)
    match posterior.spec.cells.response:
        case BinomialCells():
            return rng.binomial(trials.astype(np.int64)[:, None], mean.clip(0.0, 1.0)).astype(float)
        case CountCells():
            return rng.poisson(mean).astype(float)
    return rng.normal(mean, posterior.values("sigma")[None, :])
