"""Hyperpriors of pooled rates: what a user may say of the two parameters of their Beta or Gamma distribution.

The mean is called ``rate``; ``size`` is a + b of a Beta(a, b), ``shape`` that of a Gamma. A Beta's own ``a`` and ``b``
may have priors instead. What has none is flat: a Beta's mean, the logarithm of a Gamma's, and size or shape to the
power of -1/2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from hiermod.errors import PriorError, did_you_mean
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import is_flat, read_prior

Pool = Literal["beta", "gamma"]
RATE, SIZE, SHAPE, A, B = "rate", "size", "shape", "a", "b"
UNIFORM = (0.5, 2.0)  # mean and size of Beta(1, 1)
KEYS: dict[Pool, tuple[str, ...]] = {"beta": (RATE, SIZE, A, B), "gamma": (RATE, SHAPE)}
EXAMPLES: dict[Pool, str] = {
    "beta": "priors={'rate': 'Beta(2, 8)', 'size': 'LogNormal(3, 1)'}, of the mean a/(a + b) and of a + b, or "
    "{'a': ..., 'b': ...}",
    "gamma": "priors={'rate': 'Gamma(2, 1)', 'shape': 'LogNormal(1, 1)'}, of the mean and of the Gamma's shape",
}


@dataclass(frozen=True)
class Hyperprior:
    """Independent priors of ``rate`` and ``size`` (``shape``), or of ``a`` and ``b``; None is flat.

    Parameters
    ----------
    pool : {"beta", "gamma"}
        The distribution of rates.
    priors : mapping of str to Prior
        By the keys that were given.
    fixed : tuple of float, optional
        Mean and size, where these are known: rates are not pooled.
    """

    pool: Pool
    priors: Mapping[str, Prior]
    fixed: tuple[float, float] | None = None

    @property
    def pooling(self) -> str:
        """What ``pooling=`` calls it."""
        return self.pool if self.fixed is None else "none"

    @property
    def rate(self) -> Prior | None:
        """Of the mean; None is flat, in its logarithm for a Gamma."""
        return self.priors.get(RATE)

    @property
    def spread(self) -> Prior | None:
        """Of a Beta's size or a Gamma's shape; None is flat in its power -1/2."""
        return self.priors.get(SIZE if self.pool == "beta" else SHAPE)

    @property
    def shapes(self) -> tuple[Prior, Prior] | None:
        """Of a and b, where these have priors."""
        return (self.priors[A], self.priors[B]) if A in self.priors else None

    @property
    def proper_rate(self) -> bool:
        """Whether the mean has a distribution."""
        return self.pool == "beta" or self.rate is not None

    @property
    def proper_spread(self) -> bool:
        """Whether size or shape has a distribution."""
        return self.spread is not None or self.shapes is not None or self.fixed is not None

    @property
    def proper(self) -> bool:
        """Whether it is a distribution."""
        return self.proper_rate and self.proper_spread

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which the mean lies."""
        if self.rate is not None and self.rate.name == "Uniform":
            low, high = self.rate.arguments
            return low, high
        return (0.0, 1.0) if self.pool == "beta" else (0.0, float("inf"))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Draws of the mean and of size or shape; the hyperprior must be proper."""
        if self.fixed is not None:
            mean, size = (np.full(shape, own) for own in self.fixed)
            return mean, size
        if self.shapes is not None:
            a, b = (prior.draw(rng, shape) for prior in self.shapes)
            return a / (a + b), a + b
        mean = rng.uniform(size=shape) if self.rate is None else self.rate.draw(rng, shape)
        assert self.spread is not None
        return mean, self.spread.draw(rng, shape)

    def log_density(self, mean: np.ndarray, size: np.ndarray) -> np.ndarray:
        """The log density of what has priors, as these are stated, up to a constant."""
        at = {RATE: mean, SIZE: size, SHAPE: size, A: mean * size, B: (1.0 - mean) * size}
        parts = (prior.log_density(at[key]) for key, prior in self.priors.items())
        return np.asarray(sum(parts, np.zeros_like(mean)))

    def widened(self, key: str, factor: float) -> Hyperprior:
        """The same with one prior so many times as wide, a uniform one about its middle, as far as rates reach."""
        prior = self.priors[key]
        if prior.name != "Uniform":
            prior = prior.widened(factor)
        else:
            middle, half = sum(prior.arguments) / 2.0, factor * (prior.arguments[1] - prior.arguments[0]) / 2.0
            low, high = middle - half, middle + half
            prior = Prior("Uniform", (max(low, 0.0), min(high, 1.0) if self.pool == "beta" else high))
        return replace(self, priors={**self.priors, key: prior})

    def rows(self, names: Iterable[str]) -> list[tuple[str, str, str, str]]:
        """The rows of a prior's table for the mean and the spread."""
        if self.fixed is not None:
            return []
        mean, spread = names
        size = "a + b" if self.pool == "beta" else "the Gamma's shape"
        power = "(a + b)^(-1/2)" if self.pool == "beta" else "shape^(-1/2), the rates' coefficient of variation"
        what = "a / (a + b)" if self.pool == "beta" else "the rates' mean"
        if self.shapes is not None:
            return [
                (name, self.priors[name].describe(), "response", f"of Beta(a, b); {mean} = a / (a + b)")
                for name in (A, B)
            ]
        flat = "Uniform(0, 1)" if self.pool == "beta" else "Flat in its logarithm"
        rate = (mean, flat if self.rate is None else self.rate.describe(), "response", what)
        if self.spread is not None:
            key = SIZE if self.pool == "beta" else SHAPE
            return [rate, (key, self.spread.describe(), "response", f"{size}; {spread} = {key}^(-1/2)")]
        both = "; together p(a, b) ∝ (a + b)^(-5/2)" if self.pool == "beta" and self.rate is None else ""
        return [rate, (spread, "Flat above 0", "response", power + both)]


def read_hyperprior(pooling: str, priors: Mapping[str, Any]) -> Hyperprior:
    """Read a user's hyperprior; of ``pooling="none"`` there is none.

    Raises
    ------
    PriorError
        If a key or a prior does not fit.
    """
    if pooling == "none":
        if priors:
            raise PriorError(
                f"pooling='none' has no prior {next(iter(priors))!r}: each rate is uniform from 0 to 1, whatever the "
                f"others are. Say pooling='beta' with {EXAMPLES['beta']}."
            )
        return Hyperprior("beta", {}, UNIFORM)
    pool: Pool = "gamma" if pooling == "gamma" else "beta"
    for key in priors:
        if key not in KEYS[pool]:
            raise PriorError(
                f"pooling={pool!r} has no prior {key!r}.{did_you_mean(str(key), KEYS[pool])} Say {EXAMPLES[pool]}."
            )
    for key, text in priors.items():
        if is_flat(text):
            raise PriorError(
                f"{key!r}: {text!r} is no distribution. Without {key!r} among the priors it is flat as far as the data "
                f"allow; else say {EXAMPLES[pool]}."
            )
    given = {key: read_prior(key, text) for key, text in priors.items()}
    if given.keys() & {A, B} and given.keys() != {A, B}:
        raise PriorError("Priors of 'a' and 'b' come together, and without 'rate' and 'size', which they imply.")
    for key, prior in given.items():
        _require_fit(pool, key, prior)
    return Hyperprior(pool, given)


def _require_fit(pool: Pool, key: str, prior: Prior) -> None:
    if prior.truncated:
        raise PriorError(
            f"{key!r} of pooling={pool!r} takes no prior that is cut off, as {prior}. Say {EXAMPLES[pool]}."
        )
    if prior.name == "Uniform" and key == RATE:
        low, high = prior.arguments
        if low < 0.0 or (pool == "beta" and high > 1.0):
            raise PriorError(f"'rate' is a prior of a mean of rates, and {prior} gives it values that no rate has.")
        return
    wanted = "unit" if pool == "beta" and key == RATE else "positive"
    if prior.distribution.support != wanted:
        fitting = "Beta(2, 8) or Uniform(0, 1)" if wanted == "unit" else "LogNormal(3, 1) or Gamma(2, 0.1)"
        raise PriorError(f"{key!r} of pooling={pool!r} needs a prior such as {fitting}, not {prior}.")
