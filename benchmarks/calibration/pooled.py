"""Pooled rates: hyperparameters from their priors, rates from one Beta or Gamma, and data, without hiermod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.priors import draw
from benchmarks.calibration.questions import Question
from benchmarks.calibration.simulate import Bar, Values

MEAN, SPREAD = "rate_mean", "rate_spread"


@dataclass(frozen=True, eq=False)
class Pooled:
    """Rates of the groups of a design, with a column of trials, or of exposure."""

    pool: str
    group: str
    size: str
    priors: dict[str, str]
    design: pd.DataFrame

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The rates, as effects of groups are named."""
        return (Bar(self.group, ("rate",)),)

    @property
    def rates(self) -> str:
        """The name of the rates in a posterior."""
        return f"rate|{self.group}"

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """The mean and the spread from their priors, and the rates of the groups."""
        if "a" in self.priors:
            a, b = (draw(self.priors[name], rng) for name in "ab")
            mean, size = a / (a + b), a + b
        else:
            mean, size = draw(self.priors["rate"], rng), draw(self.priors[self.size], rng)
        rates = self.of_population(mean, size, rng, len(self.design))
        return {MEAN: np.array([mean]), SPREAD: np.array([size**-0.5]), self.rates: rates[None]}

    def of_population(self, mean: Any, size: Any, rng: np.random.Generator, count: int) -> np.ndarray:
        """Rates of so many groups."""
        if self.pool == "beta":
            return np.asarray(rng.beta(mean * size, (1.0 - mean) * size, count))
        return np.asarray(rng.gamma(size, mean / size, count))

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``."""
        (rates,) = values[self.rates]
        size = self.design["e" if self.pool == "gamma" else "trials"].to_numpy()
        drawn = rng.binomial(size, rates) if self.pool == "beta" else rng.poisson(size * rates)
        return self.design.assign(y=drawn)

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        y, rates = frame["y"].to_numpy(), values[self.rates]
        if self.pool == "beta":
            return np.asarray(stats.binom.logpmf(y, frame["trials"].to_numpy(), rates).sum(axis=1))
        return np.asarray(stats.poisson.logpmf(y, frame["e"].to_numpy() * rates).sum(axis=1))


def new_rate() -> Question:
    """The rate of a group that is not in the data."""

    def answer(model: Any, values: Values, rng: np.random.Generator) -> np.ndarray:
        return np.asarray(model.of_population(values[MEAN], values[SPREAD] ** -2.0, rng, 1))

    return Question("rate of a new group", lambda fit: fit.rates(groups="new").draws, answer)


def contrast(group: str) -> Question:
    """The rate of the second group less that of the first."""

    def answer(model: Any, values: Values, _: np.random.Generator) -> np.ndarray:
        (rates,) = values[model.rates]
        return np.array([rates[1] - rates[0]])

    return Question("contrast of two groups", lambda fit: fit.effect(group).draws[..., :1], answer)
