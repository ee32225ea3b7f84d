"""Pareto-smoothed importance sampling from a posterior to one that has not seen something, as ArviZ does it."""

from __future__ import annotations

import numpy as np
from arviz_stats.base.array import array_stats
from scipy import special

from hiermod.sampling.diagnostics import mean_sizes, representative
from hiermod.sampling.posterior import Posterior

EQUAL_RATIOS = 1e-12
LARGEST_K = 0.7


def good_k(draws: int) -> float:
    """The largest Pareto k at which so many draws give a reliable estimate."""
    return float(min(1.0 - 1.0 / np.log10(draws), LARGEST_K))


def relative_efficiency(posterior: Posterior) -> float:
    """Effective draws per draw, averaged over all parameters as ArviZ does; 1 where one chain cannot tell."""
    chains, draws = posterior.shape
    if chains == 1:
        return 1.0
    parameters = representative(posterior.dataset).data_vars.values()
    stacked = [values.transpose("chain", "draw", ...).to_numpy().reshape(chains, draws, -1) for values in parameters]
    return float(mean_sizes(np.concatenate(stacked, axis=2)).mean() / (chains * draws))


def left_out(density: np.ndarray, efficiency: float) -> tuple[float, float, float]:
    """``elpd, p, pareto_k`` of what has this log density in every draw, had the model not seen it."""
    if np.ptp(density) < EQUAL_RATIOS:
        return *_unsmoothed(density), -np.inf
    try:
        with np.errstate(all="ignore"):
            elpd, pareto_k, p = array_stats.loo(density, chain_axis=None, r_eff=efficiency)
    except ValueError:  # the ratios in the tail are equal, as where a chain stood still
        return *_unsmoothed(density), np.nan
    return float(elpd), float(p), float(pareto_k)


def log_weights(density: np.ndarray, efficiency: float) -> tuple[np.ndarray, float]:
    """Logarithms of weights that sum to one, and Pareto k, for draws that have not seen what has this log density."""
    plain = -density - special.logsumexp(-density)
    if np.ptp(density) < EQUAL_RATIOS:
        return plain, -np.inf
    try:
        with np.errstate(all="ignore"):
            weights, pareto_k = array_stats.psislw(density, r_eff=efficiency)
    except ValueError:
        return plain, np.nan
    return np.asarray(weights), float(pareto_k)


def _unsmoothed(density: np.ndarray) -> tuple[float, float]:
    """``elpd, p`` with importance ratios as they are."""
    count = np.log(len(density))
    elpd = float(count - special.logsumexp(-density))
    return elpd, float(special.logsumexp(density) - count - elpd)
