"""`Family`: all that the other rooms know of a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.data.columns.values import row_name
from hiermod.families.links import Link
from hiermod.families.ops import NUMPY, Function
from hiermod.priors.distributions import Prior

Chances = tuple[np.ndarray, np.ndarray]


class Linear(NamedTuple):
    """A parameter by its linear predictor and link, which keep their digits where it rounds to 0 or overflows."""

    eta: Any
    link: Link


@dataclass(frozen=True)
class ResponseScale:
    """Location and spread of the response on the link scale, from which default priors take their numbers.

    `unit` is the sd of the response on an identity link, 1 on the others; coefficients get `factor` times it.
    """

    location: float
    unit: float
    factor: float


def overdispersion(_: ResponseScale) -> Prior:
    """The default prior of shapes and precisions, brms's for the shape of a negative binomial.

    It keeps off 0, and its tail, as x^-1.4, lets the data go to the Poisson or binomial limit.
    """
    return Prior("InverseGamma", (0.4, 0.3))


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family beside its mean; it is positive.

    Parameters
    ----------
    name : str
    words : str
        What it is, for the table of families.
    scale : str
        What its numbers measure, for the table of priors.
    default_prior : callable
        From the scale of the response.
    """

    name: str
    words: str
    scale: str
    default_prior: Callable[[ResponseScale], Prior]


def own_link(link: Link, *_: Any) -> Link:
    """The link itself: mu is what is asked for."""
    return link


def unchanged(values: Any) -> Any:
    """The values themselves."""
    return values


def always(*_: Any) -> bool:
    """The posterior mean exists whatever the priors."""
    return True


@dataclass(frozen=True)
class Family:
    """A family with one of its links; every function is one of a module.

    Parameters
    ----------
    name : str
    links : tuple of str
        Those that it can have, the usual one first.
    link : Link
        Of mu, the parameter that the terms add up to.
    kind : str
        What the response is: successes, a count, a number, or a number above 0.
    parameters : tuple of Parameter
        Those beside mu, in the order in which the functions take them.
    statistic : str
        The sufficient statistics of a cell: ``trials``, ``count`` or ``real``; ``values`` and ``pairs`` where equal
        responses are all that can be counted.
    check : callable
        ``(name, response)``: refuses a response that the family does not take.
    log_density : callable
        ``(ops, response, mu, *parameters)``, with all constants; the response is ``(value,)`` or
        ``(successes, trials)``, mu is `Linear`.
    cdf : callable
        ``(response, mu, *parameters)`` on NumPy arrays: the chances of less, and of at most as much.
    mean_link, median_link : callable
        ``(link, *parameters)``: the link between the mean, or the median, and the linear predictor, given the
        parameters; None where the median is no such function of it.
    has_posterior_mean : callable
        ``(outcome, priors, averaged)``: whether the mean or median of the response has a posterior mean under these
        priors of the parameters, and if it is `averaged` over a population of groups.
    transform : callable
        From responses to the scale of the linear predictor under an identity link.
    information_power : float
        By which power of the first parameter the information on the linear predictor grows.
    variance : callable
        ``(mean, *parameters)``, of one trial where there are trials.
    draw : callable
        ``(rng, shape, mean, trials, *parameters)``: new responses.
    kernel : str, optional
        The compiled engine's name for it, which with the link has a code there; None leaves the family to PyMC.
    bambi : str, optional
        Bambi's name; None if it has no such family.
    response, words : str
        Which responses it is for; what its parameters make of them, where that needs saying.
    latex : str
        The distribution of row i.
    location : str
        What the terms add up to, where the link's words do not say it.
    """

    name: str
    links: tuple[str, ...]
    link: Link
    kind: Literal["rate", "count", "real", "positive"]
    parameters: tuple[Parameter, ...]
    statistic: str
    check: Callable[[str, ResponseRows], None]
    log_density: Function
    cdf: Callable[..., Chances]
    variance: Function
    draw: Function
    kernel: str | None
    bambi: str | None
    response: str
    latex: str
    words: str = ""
    location: str = ""
    mean_link: Callable[..., Link] = own_link
    median_link: Callable[..., Link] | None = None
    has_posterior_mean: Callable[[str, Mapping[str, tuple[Prior, ...]], bool], bool] = always
    transform: Callable[[Any], Any] = unchanged
    information_power: float = 0.0

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """The names of its parameters beside the mean, all of them positive."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def scaled(self) -> bool:
        """Whether it has the scale `sigma` of a residual."""
        return "sigma" in self.auxiliary

    @property
    def counts(self) -> bool:
        """Whether the response is a count."""
        return self.kind == "count"

    @property
    def is_rate(self) -> bool:
        """Whether the expected response is a rate of successes."""
        return self.kind == "rate"

    def linear(self, eta: Any) -> Linear:
        """The parameter mu by its linear predictor."""
        return Linear(eta, self.link)

    def mean(self, eta: Any, *parameters: Any) -> Any:
        """The expected response by the linear predictor, on NumPy arrays; of rates, that of one trial."""
        return self.outcome_link("mean", parameters).inverse(eta)

    def outcome_link(self, outcome: str, parameters: Sequence[Any]) -> Link:
        """The link between an outcome, ``mean`` or ``median``, and the linear predictor."""
        link = self.median_link if outcome == "median" else self.mean_link
        assert link is not None
        return link(self.link, *parameters)

    def observation_density(self, response: Any, eta: Any, parameters: Sequence[Any] = ()) -> Any:
        """Log density of one observation, ``(value,)`` or ``(successes, trials)``, in every draw.

        `eta` holds draws of its linear predictor, `parameters` those of the others in the family's order.
        """
        return self.log_density(NUMPY, response, self.linear(eta), *parameters)

    def draw_responses(
        self, mean: np.ndarray, trials: Any, parameters: Sequence[Any], rng: np.random.Generator, shape: Any = None
    ) -> np.ndarray:
        """Draw successes, counts or values, given their means.

        Parameters
        ----------
        mean : numpy.ndarray
            Expected responses; of rates, those of one trial.
        trials : numpy.ndarray
            How many trials each response has, where it has any. It and `parameters` broadcast against `mean`.
        parameters : sequence
            Those beside the mean, in the family's order.
        rng : numpy.random.Generator
        shape : tuple of int, optional
            Of what is drawn; that of `mean` and the parameters without it.
        """
        shape = np.broadcast_shapes(np.shape(mean), *map(np.shape, parameters)) if shape is None else shape
        return np.asarray(self.draw(rng, shape, mean, trials, *parameters))

    def __str__(self) -> str:
        return self.name if self.link.name == self.links[0] else f"{self.name}({self.link.name})"


def first_wrong(response: SingleRows, wrong: np.ndarray) -> str:
    """The first wrong value, and where it stands."""
    place = int(wrong[0])
    where = f" ({row_name(response.index, place)})" if len(response.index) else ""
    return f"{response.values[place]:g}{where}"
