"""The probability integral transform of each row under the model that has not seen it (LOO-PIT)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.answers.expectation import expectation, in_blocks
from hiermod.answers.importance import log_weights, relative_efficiency
from hiermod.answers.leave_one_out import refuse
from hiermod.answers.observation_density import log_density
from hiermod.answers.observation_distribution import cumulative
from hiermod.data.observations import observations
from hiermod.sampling.posterior import Posterior


def loo_pit(posterior: Posterior) -> pd.DataFrame:
    """A row per distinct observation: ``cell``, its response, ``times, lower, upper, pareto_k``.

    `lower` is P(Y < y) and `upper` P(Y <= y) under the other rows; equal where the response is continuous.
    """
    refuse(posterior)
    spec = posterior.spec
    seen = observations(spec.cells, spec.family.counts)
    efficiency = relative_efficiency(posterior)
    model = expectation(posterior, "observed", exposed=True)
    auxiliary = [posterior.values(name) for name in spec.family.auxiliary]
    responses = seen.table.drop(columns=["cell", "times"]).to_numpy(dtype=float)
    first = np.searchsorted(seen.place, np.arange(len(seen.frame) + 1))
    found, row = np.empty((len(responses), 3)), 0
    for block in in_blocks(seen.frame, int(np.prod(posterior.shape))):
        for predictor in model.predictor(block):
            for place in range(first[row], first[row + 1]):
                density = log_density(spec.family, responses[place], predictor, auxiliary)
                weights, pareto_k = log_weights(density, efficiency)
                chances = cumulative(spec.family, responses[place], predictor, auxiliary)
                found[place] = *(np.clip(np.exp(weights) @ chance, 0.0, 1.0) for chance in chances), pareto_k
            row += 1
    return seen.table.assign(lower=found[:, 0], upper=found[:, 1], pareto_k=found[:, 2])


def histogram(table: pd.DataFrame, bins: int) -> np.ndarray:
    """The share of rows in each of `bins` equal parts of (0, 1).

    An observation of a discrete response is spread evenly over its interval (Czado, Gneiting and Held 2009), so that
    the histogram is flat under the true model and nothing is drawn at random.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    lower, upper = table["lower"].to_numpy(), table["upper"].to_numpy()
    width = np.maximum(upper - lower, 1e-12)
    reached = np.clip((edges[:, None] - lower) / width, 0.0, 1.0)
    reached[-1] = 1.0
    times = table["times"].to_numpy(dtype=float)
    return np.diff(reached, axis=0) @ times / times.sum()
