"""Mixtures of a point at 0 and one of SciPy's distributions: zero-inflated families, and hurdles."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

PARTS = {  # of a family's name, SciPy's distribution by the mean parameter, the family's others, and trials
    "poisson": lambda mu, trials: stats.poisson(mu),
    "negbinomial": lambda mu, trials, alpha: stats.nbinom(alpha, alpha / (alpha + mu)),
    "nbinom1": lambda mu, trials, phi: stats.nbinom(mu / phi, 1.0 / (1.0 + phi)),
    "binomial": lambda mu, trials: stats.binom(trials, mu),
    "beta_binomial": lambda mu, trials, kappa: stats.betabinom(trials, mu * kappa, (1.0 - mu) * kappa),
    "gamma": lambda mu, trials, alpha: stats.gamma(alpha, scale=mu / alpha),
    "lognormal": lambda mu, trials, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
}


@dataclass(frozen=True)
class Mixed:
    """What is 0 with a chance, and else of a distribution, from which zeros are cut off where it is a hurdle's."""

    inner: object
    share: np.ndarray
    hurdle: bool
    continuous: bool

    @property
    def cut(self):
        """The chance of a zero that is cut off."""
        return self.inner.cdf(0.0) if self.hurdle and not self.continuous else np.zeros_like(self.share)

    def logpdf(self, value):
        """Of responses, each with parameters of its own."""
        zero, density = np.equal(value, 0.0), self.inner.logpdf if self.continuous else self.inner.logpmf
        point, rest = np.log(self.share), np.log1p(-self.share)
        if self.hurdle:
            return np.where(zero, point, rest + density(np.where(zero, 1.0, value)) - np.log1p(-self.cut))
        return np.logaddexp(np.where(zero, point, -np.inf), rest + density(value))

    def cdf(self, value):
        if value < 0:
            return np.zeros_like(self.share)
        inner = (self.inner.cdf(value) - self.cut) / (1.0 - self.cut)
        return self.share + (1.0 - self.share) * inner

    def mean(self):
        return (1.0 - self.share) * self.inner.mean() / (1.0 - self.cut)

    def var(self):
        second = (1.0 - self.share) * (self.inner.var() + self.inner.mean() ** 2) / (1.0 - self.cut)
        return second - self.mean() ** 2


def mixed(name, mu, parameters, trials):
    """The distribution of a zero-inflated or hurdle family, by its mu."""
    kind, _, base = name.partition("_inflated_") if "_inflated_" in name else name.partition("_")
    *own, share = parameters
    return Mixed(PARTS[base](mu, trials, *own), np.asarray(share), kind == "hurdle", base in ("gamma", "lognormal"))
