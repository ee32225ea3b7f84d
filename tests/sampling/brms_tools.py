"""Posteriors of brms that `tests/reference` stores, and draws of the same held beside them."""

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from tests.truth import REFERENCE

FAR = 4.0  # Monte Carlo standard errors


def stored(folder, name):
    """A row per variable, as brms names it: mean, sd, and their Monte Carlo standard errors."""
    return pd.read_csv(REFERENCE / folder / f"{name}.csv").set_index("variable")


def assert_same_moments(draws, row, what):
    """Mean and standard deviation of draws, shape ``(chain, draw)``, are a stored row's."""
    for method, value in (("mean", draws.mean()), ("sd", draws.std(ddof=1))):
        own = float(array_stats.mcse(draws, method=method, chain_axis=0, draw_axis=1))
        error = np.hypot(own, row[f"mcse_{method}"])
        assert abs(value - row[method]) < FAR * error, f"{what}, {method}: {value} and {row[method]}"
        assert error < 0.05 * row["sd"], what
