"""Power-scaling: how much a posterior follows its prior and its likelihood (Kallioinen et al. 2024, Stat. Comput. 34).

Prior or likelihood is raised to a power near 1 by importance weights; the sensitivity of a quantity is how fast its
distribution moves, as the cumulative Jensen-Shannon distance per doubling of the power.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats

from hiermod.answers.cell_likelihood import log_likelihood
from hiermod.errors import AnswerError
from hiermod.modeling.prior_density import log_prior
from hiermod.modeling.prior_random import with_proper_priors
from hiermod.sampling.posterior import Posterior

ALPHAS = (0.99, 1.01)
THRESHOLD = 0.05
FEWEST = 100  # draws


def power_scaling(posterior: Posterior, quantities: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row per quantity: its sensitivity to ``prior`` and ``likelihood``, and a ``diagnosis``.

    Parameters
    ----------
    posterior : Posterior
    quantities : mapping of str to numpy.ndarray
        Draws of shape ``(chains, draws)``.

    Raises
    ------
    ModelError
        If the prior is improper, or not known here.
    AnswerError
        If draws are too few.
    """
    spec = with_proper_priors(posterior.spec, "Sensitivity to priors")
    if int(np.prod(posterior.shape)) < FEWEST:
        raise AnswerError(f"Power-scaling needs at least {FEWEST} draws; this fit has {int(np.prod(posterior.shape))}.")
    densities = {"prior": log_prior(spec, posterior.values), "likelihood": log_likelihood(posterior)}
    columns = {}
    for component, density in densities.items():
        lower, upper = (_weights(density.reshape(posterior.shape), alpha) for alpha in ALPHAS)
        columns[component] = [
            float(array_stats.power_scale_sense(draws, lower, upper, *ALPHAS)) for draws in quantities.values()
        ]
    table = pd.DataFrame(columns, index=pd.Index(list(quantities), name="parameter"))
    table["diagnosis"] = [_diagnosis(*row) for row in table.itertuples(index=False)]
    return table


def _weights(density: np.ndarray, alpha: float) -> np.ndarray:
    """Importance weights of raising a density to a power, Pareto-smoothed, which sum to one."""
    if np.ptp(density) == 0.0:
        return np.full(density.shape, 1.0 / density.size)
    logs = array_stats.power_scale_lw(density, alpha=alpha, axis=(0, 1))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _diagnosis(prior: float, likelihood: float) -> str:
    if prior < THRESHOLD:
        return "-"
    return "prior and data disagree" if likelihood >= THRESHOLD else "strong prior or weak data"
