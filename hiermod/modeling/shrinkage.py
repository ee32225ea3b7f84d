"""Sets of slopes with one prior that shrinks them together; what it says stands in `hiermod.priors.sets`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hiermod.modeling.monotonic import sticks
from hiermod.priors.distributions import Prior
from hiermod.priors.sets import HORSESHOE, SetPrior

STANDARD = Prior("Normal", (0.0, 1.0))  # of each slope in units of its standard deviation
Values = Callable[[str], np.ndarray]


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A set of slopes with one prior.

    Parameters
    ----------
    key : str
        By which the prior was given, such as ``slope``.
    prior : SetPrior
    parameter : str
        The one of the family in whose linear predictor they stand.
    places : ndarray of int, shape (slopes,)
        Where they stand among the coefficients of all linear predictors.
    names : tuple of str
        What they are called in tables.
    scales : ndarray, shape (slopes,)
        The standard deviations of their columns, per which the prior is.
    by_sigma : bool
        Whether they are in units of the residual standard deviation.
    """

    key: str
    prior: SetPrior
    parameter: str
    places: np.ndarray
    names: tuple[str, ...]
    scales: np.ndarray
    by_sigma: bool

    @property
    def prefix(self) -> str:
        """What the names of its variables begin with: ``slope``, ``sigma_slope``."""
        return self.key.replace(": ", "_")

    @property
    def is_horseshoe(self) -> bool:
        """Whether it is that, and not R2D2."""
        return self.prior.name == HORSESHOE

    @property
    def shared(self) -> tuple[str, ...]:
        """The variables of one number: ``slope_global`` and ``slope_slab``, or ``slope_R2``."""
        return tuple(f"{self.prefix}_{name}" for name in (("global", "slab") if self.is_horseshoe else ("R2",)))

    @property
    def single(self) -> str:
        """The variable of a number for each slope: ``slope_local``, or the shares ``slope_phi``."""
        return f"{self.prefix}_{'local' if self.is_horseshoe else 'phi'}"

    @cached_property
    def priors(self) -> dict[str, tuple[Prior, ...]]:
        """The priors of these variables; shares have one together."""
        own = {f"{self.prefix}_{name}": prior for name, prior in self.prior.hyperpriors().items()}
        count = len(self.places) if self.is_horseshoe else 1
        return {name: (prior,) * (count if name == self.single else 1) for name, prior in own.items()}

    @property
    def sticks(self) -> tuple[Prior, ...]:
        """The priors of what each share but the last takes of the rest."""
        return sticks(self.priors[self.single][0], len(self.places))

    def spreads(self, values: Values, sigma: np.ndarray | float) -> np.ndarray:
        """Standard deviations of the slopes in the unit of their columns, shape ``(draws, slopes)``."""
        own = values(self.single)
        whole = np.asarray(sigma if self.by_sigma else 1.0)[..., None]
        if self.is_horseshoe:
            share, slab = (values(name)[:, None] for name in self.shared)
            wide = whole * share * own
            return np.asarray(wide / np.sqrt(1.0 + (wide / slab) ** 2) / self.scales)
        explained = values(self.shared[0])[:, None]
        return np.asarray(whole * np.sqrt(explained / (1.0 - explained) * own) / self.scales)

    def log_prior(self, values: Values, slopes: np.ndarray, sigma: np.ndarray | float) -> np.ndarray:
        """The log density of slopes, shape ``(draws, slopes)``, and of what they share, up to a constant."""
        spreads = self.spreads(values, sigma)
        total = (-0.5 * (slopes / spreads) ** 2 - np.log(spreads)).sum(axis=1)
        for name in self.shared:
            total = total + self.priors[name][0].log_density(values(name))
        each = self.priors[self.single][0].log_density(values(self.single))
        return np.asarray(total + (each.sum(axis=1) if self.is_horseshoe else each))

    def draw(self, rng: np.random.Generator, draws: int) -> dict[str, np.ndarray]:
        """Its variables from their priors."""
        found = {name: self.priors[name][0].draw(rng, (draws,)) for name in self.shared}
        if self.is_horseshoe:
            found[self.single] = self.priors[self.single][0].draw(rng, (draws, len(self.places)))
        else:
            (size,) = self.priors[self.single][0].arguments
            found[self.single] = rng.dirichlet(np.full(len(self.places), size), draws)
        return found
