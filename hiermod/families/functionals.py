"""`Functional`: a number that a distribution has, such as its mean, a quantile or a chance, by its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.families.links import Link

Value = Callable[..., Any]
Chances = Callable[[Any], Any]


@dataclass(frozen=True)
class Functional:
    """A number that the distribution of a response has, computed from its family's parameters.

    Parameters
    ----------
    name : str
        What a question calls it: ``mean``, ``zero``, ``q90``, ``>30``.
    label : str
        What it is of a response, whose name goes where ``{}`` stands.
    value : callable, optional
        ``(mu, *parameters)``: its value in each row and draw. ``mu.eta`` holds the linear predictor and ``mu.link`` its
        link; parameters are numbers of each draw, or of each row and draw. Not needed with `link`.
    link : callable, optional
        ``(link, *parameters)``: where it is a function of one linear predictor once the parameters are given, the link
        between both, `link` being that parameter's own. It gives closed forms of averages over groups, and logarithms.
    log_value : callable, optional
        ``(mu, *parameters)``: its logarithm, for ratios where it rounds to 0 or overflows.
    of : str
        The parameter whose linear predictor `link` is of.
    uses : tuple of str, optional
        The parameters on which it depends; all of them without it.
    share : bool
        Whether it is a chance, which answers show in percent.
    per_unit : bool
        Whether that of a thousand units is a thousand times as large.
    bounded : bool
        Whether it lies between two numbers, so that it has a posterior mean under any priors.
    at_most : callable, optional
        ``(number, mu, *parameters)`` on NumPy arrays: the chance of at most a number. Of quantiles of counts, which are
        whole numbers: over a population of groups they are not averaged, but those of its responses together.
    chance : float
        Of such a quantile.
    weights : tuple of float
        Of categories, what each counts in it.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.Functional("zero", "chance that {} is 0", value=lambda mu: np.exp(-np.exp(mu.eta)), share=True).name
    'zero'
    """

    name: str
    label: str
    value: Value | None = None
    link: Callable[..., Link] | None = None
    log_value: Value | None = None
    of: str = "mu"
    uses: tuple[str, ...] | None = None
    share: bool = False
    per_unit: bool = False
    bounded: bool = False
    at_most: Callable[..., Any] | None = None
    chance: float = 0.5
    weights: tuple[float, ...] = ()

    def needs(self, parameter: str) -> bool:
        """Whether it depends on a parameter.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("student").expected.needs("sigma")
        False
        """
        return self.uses is None or parameter in self.uses

    @property
    def of_averages(self) -> bool:
        """Whether the linear predictor of rows with averaged numbers tells the average, where its link is the identity.

        Numbers are averaged under no other link.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("gaussian").expected.of_averages
        True
        """
        return not self.needs("mu") or (self.link is not None and self.uses == ("mu",))

    def at(self, mu: Any, *parameters: Any) -> Any:
        """Its value.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> family = read_family("poisson")
        >>> float(family.expected.at(family.linear(0.0)))
        1.0
        """
        if self.value is not None:
            return self.value(mu, *parameters)
        assert self.link is not None
        return self.link(mu.link, *parameters).inverse(mu.eta)


def inverted(chance: float, at_most: Chances, density: Chances, value_of: Chances, shape: tuple[int, ...]) -> Any:
    """The value at which a continuous distribution function reaches `chance`, elementwise.

    It is sought in ``t``, of which `value_of` makes the response: by Newton's steps, and by halves of a bracket where
    these leave it. `density` is that of t.
    """
    low, high = np.full(shape, -1.0), np.full(shape, 1.0)
    for end, outside in ((low, lambda t: at_most(t) > chance), (high, lambda t: at_most(t) < chance)):
        while (wrong := outside(end) & (np.abs(end) < FARTHEST)).any():
            end[wrong] *= 2.0
    t = (low + high) / 2.0
    for _ in range(MOST_STEPS):
        missing = at_most(t) - chance
        low, high = np.where(missing < 0.0, t, low), np.where(missing > 0.0, t, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = t - missing / density(t)
        new = np.where((step > low) & (step < high), step, (low + high) / 2.0)
        new = np.where(missing == 0.0, t, new)
        if (np.abs(new - t) <= CLOSE * np.maximum(np.abs(new), 1.0)).all():
            break
        t = new
    return value_of(new)


FARTHEST, MOST_STEPS, CLOSE = 600.0, 200, 1e-13


def smallest_count(chance: float, at_most: Chances, start: np.ndarray) -> np.ndarray:
    """The smallest whole number from 0 on that is exceeded with at most ``1 - chance``, elementwise."""
    low, high = np.full(start.shape, -1.0), np.ceil(np.clip(start, 1.0, LARGEST_START))
    while (short := at_most(high) < chance).any():
        low = np.where(short, high, low)
        high = np.where(short, 2.0 * high, high)
    while (open_ := high - low > 1.0).any():
        middle = np.floor((low + high) / 2.0)
        if not (open_ & (middle > low) & (middle < high)).any():
            break  # beyond 2^53 whole numbers are further apart than 1
        reached = at_most(middle) >= chance
        low, high = np.where(open_ & ~reached, middle, low), np.where(open_ & reached, middle, high)
    return high


LARGEST_START = 1e300
