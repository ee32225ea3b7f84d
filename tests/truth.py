"""Compares draws with exact numbers, by their Monte Carlo error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import arviz_stats as azs
import numpy as np
import pandas as pd
from scipy import stats

REFERENCE = Path(__file__).parent / "reference"
QUADRATURE = pd.read_csv(REFERENCE / "quadrature.csv", keep_default_na=False).set_index(["model", "quantity", "group"])[
    "value"
]


@dataclass(frozen=True)
class HalfT:
    """The positive half of a t distribution, which SciPy lacks."""

    df: float
    scale: float

    def ppf(self, p):
        return self.scale * stats.t(self.df).ppf(0.5 + np.asarray(p) / 2.0)

    def logpdf(self, x):
        return np.log(2.0) + stats.t(self.df, 0.0, self.scale).logpdf(x)


SCIPY = {  # numbers of each prior, and the distribution that it then is
    "Normal": ((0.3, 1.5), stats.norm(0.3, 1.5)),
    "StudentT": ((3.0, 0.2, 2.0), stats.t(3.0, 0.2, 2.0)),
    "Cauchy": ((0.1, 2.0), stats.cauchy(0.1, 2.0)),
    "Laplace": ((0.5, 2.0), stats.laplace(0.5, 2.0)),
    "Logistic": ((1.0, 0.7), stats.logistic(1.0, 0.7)),
    "Uniform": ((-2.0, 5.0), stats.uniform(-2.0, 7.0)),
    "HalfNormal": ((2.0,), stats.halfnorm(scale=2.0)),
    "HalfStudentT": ((4.0, 2.0), HalfT(4.0, 2.0)),
    "HalfCauchy": ((2.0,), stats.halfcauchy(scale=2.0)),
    "Exponential": ((0.4,), stats.expon(scale=2.5)),
    "Gamma": ((2.0, 0.1), stats.gamma(2.0, scale=10.0)),
    "InverseGamma": ((0.4, 0.3), stats.invgamma(0.4, scale=0.3)),
    "LogNormal": ((0.2, 0.8), stats.lognorm(0.8, scale=np.exp(0.2))),
}


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
