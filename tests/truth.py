"""Compares draws with exact numbers, by their Monte Carlo error."""

from __future__ import annotations

from pathlib import Path

import arviz_stats as azs
import numpy as np
import pandas as pd

REFERENCE = Path(__file__).parent / "reference"
QUADRATURE = pd.read_csv(REFERENCE / "quadrature.csv", keep_default_na=False).set_index(["model", "quantity", "group"])[
    "value"
]


def exact(model: str, quantity: str, group: str = "") -> float:
    return float(QUADRATURE.loc[(model, quantity, group)])


def effective_size(draws: np.ndarray) -> float:
    """Of draws with shape (chains, draws); their number where they never change."""
    return draws.size if np.ptp(draws) == 0 else float(azs.ess(draws, method="mean"))


def probability_errors(draws: np.ndarray, event: np.ndarray, truth: float) -> float:
    """How many Monte Carlo standard errors a probability is off; sqrt(p(1 - p)/ESS), at least 1/ESS."""
    indicator = event.astype(float)
    size = effective_size(indicator) if np.ptp(indicator) else effective_size(draws)
    return abs(indicator.mean() - truth) / max(np.sqrt(truth * (1 - truth) / size), 1 / size)


def mean_errors(draws: np.ndarray, truth: float) -> float:
    """How many Monte Carlo standard errors a mean is off."""
    return abs(draws.mean() - truth) / (draws.std() / np.sqrt(effective_size(draws)))
