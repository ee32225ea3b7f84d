"""New responses drawn from the family, given their expected values."""

from __future__ import annotations

import numpy as np

from hiermod.modeling.random_responses import draw_responses
from hiermod.sampling.posterior import Posterior


def simulate(posterior: Posterior, mean: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Draw a response for each row and draw: successes, counts or values; the same in any process for one run."""
    family = posterior.spec.family
    auxiliary = [posterior.values(name) for name in family.auxiliary]
    return draw_responses(family, mean, trials[:, None], auxiliary, posterior.generator(1000))
