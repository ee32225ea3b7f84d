"""How often the intervals of many fits to simulated data hold the parameters that made the data."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

import hiermod as hm

REPLICATIONS = 200
PROB = 0.9
SETTINGS = {"draws": 200, "chains": 2, "cores": 1, "progress": False}


def coverage(
    formula: str, family: str, simulate: Callable[[np.random.Generator], pd.DataFrame], truth: Mapping[str, float]
) -> pd.DataFrame:
    """Of each parameter, the share of intervals that hold it, and its mean distance from the estimate in sds.

    Parameters
    ----------
    simulate : callable
        A data set of one random generator.
    truth : mapping
        Variables of the posterior, and what they were.
    """
    inside = dict.fromkeys(truth, 0)
    away = dict.fromkeys(truth, 0.0)
    for seed in range(REPLICATIONS):
        fit = hm.fit(formula, simulate(np.random.default_rng([25, seed])), family, seed=seed, **SETTINGS)
        for name, true in truth.items():
            draws = fit.posterior[name].to_numpy().ravel()
            low, high = np.quantile(draws, [(1.0 - PROB) / 2.0, (1.0 + PROB) / 2.0])
            inside[name] += low <= true <= high
            away[name] += (draws.mean() - true) / draws.std()
    return pd.DataFrame({"coverage": inside, "away": away}) / REPLICATIONS


def assert_covered(found: pd.DataFrame) -> None:
    """Within four standard errors of what is claimed; estimates off by no more than a fourth of an sd on average."""
    error = np.sqrt(PROB * (1.0 - PROB) / REPLICATIONS)
    assert (np.abs(found["coverage"] - PROB) < 4.0 * error).all(), found
    assert (np.abs(found["away"]) < 0.25 + 4.0 / np.sqrt(REPLICATIONS)).all(), found
