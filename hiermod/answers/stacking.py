"""Stacking weights of predictive distributions (Yao, Vehtari, Simpson and Gelman 2018)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, minimize


def stacking_weights(elpd: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Weights that sum to one and maximise the log score of the mixture of the models.

    The optimiser, where it starts and where it stops are ArviZ's, so that the weights are.

    Parameters
    ----------
    elpd : ndarray, shape (models, units)
        Log predictive densities, the models in falling order of their sums.
    times : ndarray
        How often each unit counts.
    """
    models = len(elpd)
    if models == 1:
        return np.ones(1)
    density = np.exp(elpd - elpd.max(axis=0)).T

    def loss(weights: np.ndarray) -> float:
        return -float(times @ np.log(density @ weights))

    def gradient(weights: np.ndarray) -> np.ndarray:
        return -(times / (density @ weights)) @ density

    bounds, one = Bounds(np.zeros(models), np.ones(models)), LinearConstraint(np.ones(models), 1.0, 1.0)
    found = minimize(loss, np.full(models, 1.0 / models), jac=gradient, bounds=bounds, constraints=one)
    return np.asarray(found.x)
