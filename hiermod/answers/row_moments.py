"""Means and variances over the rows of the data, draw by draw, from cells and in blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from hiermod.data.cells.observations import Observations, observations
from hiermod.modeling.protocol import ModelSpec

NOTHING = np.zeros(1)


@dataclass
class RowMoments:
    """The weighted mean and variance of many rows, each with a number in every draw, which come in blocks."""

    weight: float = 0.0
    mean: np.ndarray = field(default_factory=lambda: NOTHING)
    squares: np.ndarray = field(default_factory=lambda: NOTHING)

    def add(self, values: np.ndarray, weight: np.ndarray) -> None:
        """Take rows of shape ``(rows, draws)`` with their weights (Chan, Golub and LeVeque 1983)."""
        added = float(weight.sum())
        if not added:
            return
        mean = weight @ values / added
        total = self.weight + added
        shift = mean - self.mean
        self.squares = self.squares + weight @ (values - mean) ** 2 + shift**2 * (self.weight * added / total)
        self.mean = self.mean + shift * (added / total)
        self.weight = total

    @property
    def variance(self) -> np.ndarray:
        """Divided by the weight less one, as that of a sample."""
        return self.squares / (self.weight - 1.0)


def trials_of_observations(seen: Observations) -> np.ndarray:
    """How many trials each distinct observation has; 1 where responses have none."""
    return seen.responses[:, 1] if seen.responses.shape[1] == 2 else np.ones(len(seen))


def weighted_observations(spec: ModelSpec) -> tuple[pd.DataFrame, np.ndarray]:
    """The predictors of distinct rows, and how many rows, or trials, are equal to each."""
    seen = observations(spec.cells)
    weight = np.bincount(seen.place, seen.times * trials_of_observations(seen), len(seen.frame))
    return seen.frame, weight
