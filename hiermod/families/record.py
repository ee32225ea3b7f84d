"""`Family`: all that the other rooms know of a family."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows
from hiermod.data.columns.texts import row_name
from hiermod.data.columns.values import Level, scores_of
from hiermod.errors import AnswerError, ModelError, did_you_mean
from hiermod.families.functionals import Functional
from hiermod.families.links import IDENTITY, LINKS, Link, link_of
from hiermod.families.names import LINKS as FAMILY_LINKS
from hiermod.families.names import RATE_LINKS
from hiermod.families.ops import NUMPY, Function
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import fitted, read_prior

Chances = tuple[np.ndarray, np.ndarray]
ParameterSupport = Literal["positive", "unit", "real"]


class Linear(NamedTuple):
    """A parameter by its linear predictor and link, which keep their digits where it rounds to 0 or overflows."""

    eta: Any
    link: Link


@dataclass(frozen=True)
class ResponseScale:
    """Location and spread of the response on the link scale, from which default priors take their numbers.

    `unit` is the sd of the response on an identity link, the inverse of its mean on an inverse one, 1 on the others;
    coefficients get `factor` times it. `smallest` is the smallest response; `spread` the sd of the response itself
    where `unit` is not.
    """

    location: float
    unit: float
    factor: float
    smallest: float = 1.0
    spread: float = 0.0


def overdispersion(_: ResponseScale) -> Prior:
    """The default prior of shapes and precisions, brms's for the shape of a negative binomial.

    It keeps off 0, and its tail, as x^-1.4, lets the data go to the Poisson or binomial limit.
    """
    return Prior("InverseGamma", (0.4, 0.3))


PRIORS: Mapping[str, Any] = {  # by support, where a record gives none
    "positive": overdispersion, "unit": "Beta(1, 1)", "real": "StudentT(3, 0, 1)",
}  # fmt: skip
SUPPORT_LINKS = {"positive": ("log",), "unit": RATE_LINKS, "real": ("identity",)}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family beside its mean.

    Parameters
    ----------
    name : str
        As priors and tables call it.
    words : str
        What it is, for the table of families.
    scale : str
        What its numbers measure, for the table of priors.
    default_prior : str or callable, optional
        A prior as text, such as ``"Gamma(2, 0.1)"``, or a function of the scale of the response. Without it the one of
        the support: brms's of a shape, ``Beta(1, 1)``, or ``StudentT(3, 0, 1)``.
    unbounded : bool
        Whether the data may not speak against ever larger values, with which the family tends to another one, so that
        it has a posterior mean only if it has one under its prior.
    support : {"positive", "unit", "real"}
        Where its values lie: above 0, between 0 and 1, or anywhere.
    links : tuple of str, optional
        Those that a linear predictor of it can have, the usual one first: ``log`` of a positive parameter, ``logit``,
        ``probit`` and ``cloglog`` of one between 0 and 1, and ``identity``, where the record gives none.
    variable : str, optional
        The variable of the posterior that it is an entry of, as a threshold is.
    below_response : bool
        Whether it is below every response, so that priors end at the smallest one; such a parameter has no predictor.
    estimate : callable, optional
        A value near it by the scale of the response: where the prior of a linear predictor's intercept stands. Without
        it that is the median of the default prior.
    link : str, optional
        That of its linear predictor: the usual one, unless a user asks for another.
    anchored : bool
        Whether its linear predictor has no intercept: other parameters stand for it.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.Parameter("phi", "shape", default_prior="Gamma(2, 0.1)").name
    'phi'
    >>> hm.Parameter("zi", "share of further zeros", support="unit").links
    ('logit', 'probit', 'cloglog')
    """

    name: str
    words: str = ""
    scale: str = ""
    default_prior: str | Callable[[ResponseScale], Prior] = ""
    unbounded: bool = False
    support: ParameterSupport = "positive"
    links: tuple[str, ...] = ()
    variable: str = ""
    below_response: bool = False
    estimate: Callable[[ResponseScale], float] | None = None
    link: str = ""
    anchored: bool = False

    def __post_init__(self) -> None:
        if self.support not in SUPPORT_LINKS:
            raise ModelError(
                f"Parameter {self.name!r}: support={self.support!r}.{did_you_mean(str(self.support), SUPPORT_LINKS)}"
            )
        usual = () if self.below_response else SUPPORT_LINKS[self.support]
        object.__setattr__(self, "links", tuple(self.links) or usual)
        object.__setattr__(self, "default_prior", self.default_prior or PRIORS[self.support])
        wrong = [name for name in self.links if name not in SUPPORT_LINKS[self.support]]
        if wrong:
            raise ModelError(
                f"Parameter {self.name!r}: a parameter of support {self.support!r} has no link {wrong[0]!r}."
                f"{did_you_mean(str(wrong[0]), SUPPORT_LINKS[self.support])}"
            )

    @property
    def chosen_link(self) -> str:
        """The link of its linear predictor.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.Parameter("phi", "shape").chosen_link
        'log'
        """
        return self.link or self.links[0]

    def typical(self, scale: ResponseScale) -> float:
        """A value near it: where the prior of its linear predictor's intercept stands.

        Examples
        --------
        >>> import hiermod as hm
        >>> from hiermod.families.record import ResponseScale
        >>> scale = ResponseScale(location=0.0, unit=1.0, factor=1.0)
        >>> hm.Parameter("phi", "shape", default_prior="Normal(3, 1)", support="real").typical(scale)
        3.0
        """
        if self.estimate is not None:
            return self.estimate(scale)
        return float(self.usual_prior(scale).quantile(np.array(0.5)))

    def usual_prior(self, scale: ResponseScale) -> Prior:
        """Its prior where the user gives none.

        Examples
        --------
        >>> import hiermod as hm
        >>> from hiermod.families.record import ResponseScale
        >>> scale = ResponseScale(location=0.0, unit=1.0, factor=1.0)
        >>> str(hm.Parameter("phi", "shape", default_prior="Gamma(2, 0.1)").usual_prior(scale))
        'Gamma(2, 0.1)'
        """
        if callable(self.default_prior):
            return self.default_prior(scale)
        return fitted(self.name, read_prior(self.name, self.default_prior), self.support)[0]


@dataclass(frozen=True)
class Thresholds:
    """What stands between ordered categories: a threshold above each but the last.

    Parameters
    ----------
    increasing : bool
        Whether each has to be above the one before.
    log_prior : callable
        ``(ops, link, size, thresholds)``: their log density up to a constant where chances of categories, at a linear
        predictor of 0, have the density of Dirichlet(size, ..., size).
    of_chances : callable
        ``(link, chances)``: thresholds that give these chances there, arrays of shape ``(..., categories)``.
    latex : str
        What thresholds and linear predictor make of chances, the link standing as ``F``.
    """

    increasing: bool
    log_prior: Function
    of_chances: Function
    latex: str


@dataclass(frozen=True)
class Addition:
    """A parameter that a family has only where a formula gives it a linear predictor, and the family that has it.

    With `several` there is one for each threshold, by the name and a number: ``cs1``, ``cs2``.
    """

    parameter: Parameter
    added: Callable[[Family], Family]
    several: bool = False

    def names(self, family: Family) -> tuple[str, ...]:
        """The names of what it adds to a family of known categories."""
        name = self.parameter.name
        return tuple(f"{name}{place}" for place, _ in enumerate(family.entries, 1)) if self.several else (name,)

    def is_in(self, family: Family) -> bool:
        """Whether a family has it."""
        return bool(names := self.names(family)) and names[0] in family.auxiliary


THRESHOLDS = "Intercept"  # their variable of the posterior


def row_variance(kind: str, error: Any, *parameters: Any) -> Any:
    """The variance of a response with a known error about its mean, as `hiermod.families.measured` says."""
    if kind == "known":
        return error**2
    (sigma,) = parameters
    return sigma**2 + error**2 if kind == "added" else (sigma * error) ** 2


def own_link(link: Link, *_: Any) -> Link:
    """The link itself: mu is what is asked for."""
    return link


def unchanged(values: Any) -> Any:
    """The values themselves."""
    return values


def always(*_: Any) -> bool:
    """The posterior mean exists whatever the priors."""
    return True


def scaled(parameters: Sequence[Any], exposure: Any) -> list[Any]:
    """A family's parameters, the first of which, its shape, an exposure multiplies; None leaves them as they are."""
    return list(parameters) if exposure is None else [exposure * parameters[0], *parameters[1:]]


UNSAID = replace(IDENTITY, name="")  # the usual one
STATISTICS = {"rate": "pairs", "count": "values", "real": "values", "positive": "values", "unit": "values",
              "ordered": "categories", "category": "categories"}  # fmt: skip
WITHOUT = {
    "variance": "a function (mean, *parameters)",
    "correlation": "a function (*parameters)",
    "draw": "a function (rng, shape, mean, trials, *parameters)",
}


@dataclass(frozen=True)
class Family:
    """A family with one of its links.

    The first four fields make a family; what the others leave out is done without, or refused where it is asked for.

    Parameters
    ----------
    name : str
        In small letters.
    kind : {"rate", "count", "real", "positive", "unit", "ordered", "category"}
        What the response is: successes out of trials, a count, a number, a number above 0, one between 0 and 1, or a
        category, among ordered ones or others (not for families from outside).
    links : tuple of str
        Those that it can have, the usual one first: ``identity``, ``log``, ``logit``, ``probit``, ``cloglog``.
    log_density : callable
        ``(ops, response, mu, *parameters)``: the log density of each row with all its constants. It is written in the
        functions of `ops`, which are NumPy's or PyTensor's, and in ``+ - * / **``; numbers that a function of `ops`
        takes are written ``ops.const(3.0)``. The response is ``(value,)`` or ``(successes, trials)``; ``mu.eta`` is the
        linear predictor, ``mu.link`` its link, and ``mu.link.log_rates(ops, mu.eta)`` gives the logarithms of mu and of
        1 - mu under a link of rates.
    parameters : tuple of Parameter
        Those beside mu, in the order in which the functions take them.
    draw : callable, optional
        ``(rng, shape, mean, trials, *parameters)``: new responses, an array of `shape`.
    variance : callable, optional
        ``(mean, *parameters)``, of one trial where there are trials; for `r2`, `icc` and Pearson residuals.
    correlation : callable, optional
        ``(*parameters)``: of two trials of a row; for Pearson residuals of several trials. Without it, the variance of
        several trials is that of new responses.
    cdf : callable, optional
        ``(response, mu, *parameters)`` on NumPy arrays: the chances of less, and of at most as much. Without it they
        are counted in new responses.
    log_tails : callable, optional
        ``(ops, response, mu, *parameters)``: the logarithms of the chances of at most as much as a response, and of
        more, of families whose responses may be censored.
    limited_mean : callable, optional
        ``(horizon, mu, *parameters)`` on NumPy arrays: the mean of the response or the horizon, whichever is less.
    mean_link, median_link : callable, optional
        ``(link, *parameters)``: the link between the mean, or the median, and the linear predictor, given the
        parameters. The mean is mu without it; the median is the quantile, if that is known.
    quantile : callable, optional
        ``(chance, mu, *parameters)``: the quantile at a chance, in closed form. Without it the cdf is inverted, on
        arrays of responses; of counts, to the smallest number that is exceeded with at most the rest of the chance.
    outcomes : tuple of Functional
        What else of a response ``outcome=`` may ask, by a word for each; one named ``mean`` or ``median`` goes before
        the links.
    link : Link, optional
        Of mu, the parameter that the terms add up to: the usual one, unless a user asks for another.
    statistic : str, optional
        The sufficient statistics of a cell: ``trials``, ``count`` or ``real``; ``values`` and ``pairs``, as it is
        without it, where equal responses are all that can be counted.
    check : callable, optional
        ``(name, response)``: refuses a response that the family does not take; without it, one that is not of its kind.
    has_posterior_mean : callable
        ``(outcome, priors, averaged)``: whether an outcome, by its name such as ``mean`` or ``q90``, has a posterior
        mean under these priors of the parameters, and if it is `averaged` over a population of groups. Chances have
        one, and are not asked for.
    explosive : tuple of str
        The parameters by whose linear predictor the logarithm of the mean, and of upper quantiles, grows exponentially:
        over groups that differ in one, these have no mean.
    transform : callable
        From responses to the scale of the linear predictor under an identity link.
    information_power : float
        By which power of the first parameter the information on the linear predictor grows.
    rated : {"", "mean", "shape"}
        What else an exposure ``y | rate(t)`` multiplies than the mean: nothing (``mean``), or the first parameter too;
        without it, such formulas are refused.
    zeros : {"", "inflated", "hurdle"}
        Whether zeros have a part of their own, the last parameter being its share: beside those of the other part, or
        alone. Default priors of the other part are then centred at what is above 0.
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
    errors : str
        How well responses are known, where a formula says so: ``known``, by standard errors alone; ``added``, by these
        beside a residual; ``weighted``, by weights of precision. The response then is ``(value, error)``.
    base : Family, optional
        Of responses that are censored or truncated, the family of those that are not; hiermod sets it.
    interval : callable, optional
        The chances between which such a response has its own; hiermod sets it.
    thresholds : Thresholds, optional
        Of ordered categories, whose thresholds are the first of `parameters` once `categories` are known.
    weighted : callable, optional
        Of ordered categories, ``(weights, link, *parameters)``: the link between the linear predictor and a weighted
        sum of their chances; of others, ``(weights, mu, *parameters)``: that sum.
    per_category : callable, optional
        ``(categories)``: the parameters of categories without an order, each with a linear predictor.
    categories : tuple
        Those of a response, in order.
    additions : tuple of Addition
        Parameters that it has only where a formula gives them a linear predictor.
    fixed : tuple of (str, float)
        Parameters that are fixed to a number, and no more among `parameters`; hiermod sets it.

    Examples
    --------
    >>> import hiermod as hm
    >>> def exponential(ops, response, mu):
    ...     return -mu.eta - response[0] * ops.exp(-mu.eta)
    >>> str(hm.Family(name="exponential", kind="positive", links=("log",), log_density=exponential))
    'exponential'
    """

    name: str
    kind: Literal["rate", "count", "real", "positive", "unit", "ordered", "category"]
    links: tuple[str, ...]
    log_density: Function
    parameters: tuple[Parameter, ...] = ()
    draw: Function | None = None
    variance: Function | None = None
    correlation: Function | None = None
    cdf: Callable[..., Chances] | None = None
    log_tails: Function | None = None
    limited_mean: Function | None = None
    mean_link: Callable[..., Link] = own_link
    median_link: Callable[..., Link] | None = None
    quantile: Function | None = None
    outcomes: tuple[Functional, ...] = ()
    link: Link = UNSAID
    statistic: str = ""
    check: Callable[[str, ResponseRows], None] | None = None
    has_posterior_mean: Callable[[str, Mapping[str, tuple[Prior, ...]], bool], bool] = always
    explosive: tuple[str, ...] = ()
    transform: Callable[[Any], Any] = unchanged
    information_power: float = 0.0
    rated: Literal["", "mean", "shape"] = ""
    zeros: Literal["", "inflated", "hurdle"] = ""
    kernel: str | None = None
    bambi: str | None = None
    response: str = ""
    latex: str = ""
    words: str = ""
    location: str = ""
    errors: Literal["", "known", "added", "weighted"] = ""
    base: Family | None = None
    interval: Callable[..., Chances] | None = None
    thresholds: Thresholds | None = None
    weighted: Callable[..., Any] | None = None
    per_category: Callable[[tuple[Level, ...]], tuple[Parameter, ...]] | None = None
    categories: tuple[Level, ...] = ()
    additions: tuple[Addition, ...] = ()
    fixed: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in STATISTICS:
            raise ModelError(f"Family {self.name!r}: kind={self.kind!r}.{did_you_mean(str(self.kind), STATISTICS)}")
        if not isinstance(self.links, tuple) or not self.links:
            raise ModelError(f"Family {self.name!r}: links={self.links!r}: a tuple of names, such as ('log',).")
        for name in self.links:
            if name not in LINKS:
                raise ModelError(f"Family {self.name!r} has no link {name!r}.{did_you_mean(str(name), LINKS)}")
        if not isinstance(self.parameters, tuple) or not all(isinstance(own, Parameter) for own in self.parameters):
            raise ModelError(
                f"Family {self.name!r}: parameters={self.parameters!r}: a tuple of hm.Parameter('phi', 'what it is')."
            )
        if self.link is UNSAID:
            object.__setattr__(self, "link", link_of(self.links[0], self.kind))
        usual = {
            "statistic": STATISTICS[self.kind],
            "latex": rf"\operatorname{{{self.name}}}({', '.join([r'\mu_i', *self.auxiliary])})",
        }  # fmt: skip
        for field, value in usual.items():
            if not getattr(self, field):
                object.__setattr__(self, field, value)

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """The names of its parameters beside the mean.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("negbinomial").auxiliary
        ('alpha',)
        """
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def entries(self) -> tuple[Parameter, ...]:
        """The thresholds: entries of one variable.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> [own.name for own in read_family("cumulative").of_categories(("low", "mid", "high")).entries]
        ['Intercept[1]', 'Intercept[2]']
        """
        return tuple(parameter for parameter in self.parameters if parameter.variable)

    @property
    def single(self) -> tuple[Parameter, ...]:
        """The parameters that are variables by themselves.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> [own.name for own in read_family("student").single]
        ['sigma', 'nu']
        """
        return tuple(parameter for parameter in self.parameters if not parameter.variable)

    @property
    def scores(self) -> tuple[float, ...]:
        """What each category counts in a mean score.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("cumulative").of_categories(("low", "mid", "high")).scores
        (1.0, 2.0, 3.0)
        """
        return scores_of(self.categories)

    def of_categories(self, categories: tuple[Level, ...]) -> Family:
        """The family of a response of these categories, with their parameters; others are unchanged.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("cumulative").of_categories(("low", "mid", "high")).auxiliary
        ('Intercept[1]', 'Intercept[2]')
        """
        if self.per_category is not None:
            return replace(self, categories=categories, parameters=self.per_category(categories))
        if self.thresholds is None:
            return self
        places = range(1, len(categories))
        own = [Parameter(f"{THRESHOLDS}[{place}]", support="real", variable=THRESHOLDS) for place in places]
        known = replace(self, categories=categories, parameters=(*own, *self.single))
        assert self.weighted is not None
        return replace(known, mean_link=partial(self.weighted, known.scores))

    def with_parameters(self, names: Collection[str]) -> Family:
        """The family with those of its additional parameters that are named.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("cumulative").with_parameters(["disc"]).auxiliary
        ('disc',)
        """
        family = self
        for addition in self.additions:
            if addition.parameter.name in names and not addition.is_in(family):
                family = addition.added(family)
        return family

    @property
    def added(self) -> tuple[str, ...]:
        """The additional parameters that it has.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("cumulative").with_parameters(["disc"]).added
        ('disc',)
        """
        return tuple(own.parameter.name for own in self.additions if own.is_in(self))

    @property
    def specific(self) -> tuple[str, ...]:
        """The parameters that move a threshold each, in their order; none but of ordered categories with ``cs()``.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("acat").of_categories(("low", "mid", "high")).with_parameters(["cs"]).specific
        ('cs1', 'cs2')
        """
        return next((own.names(self) for own in self.additions if own.several and own.is_in(self)), ())

    @property
    def scaled(self) -> bool:
        """Whether it has the scale `sigma` of a residual about the linear predictor.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("gaussian").scaled
        True
        """
        return "sigma" in self.auxiliary and self.link.name == "identity"

    @property
    def has_unit(self) -> bool:
        """Whether a response in another unit has the same posterior in that unit.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("gaussian").has_unit, read_family("poisson").has_unit
        (True, False)
        """
        return self.scaled and self.kind == "real" and not self.errors

    @property
    def counts(self) -> bool:
        """Whether the response is a count.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("poisson").counts
        True
        """
        return self.kind == "count"

    @property
    def paired(self) -> bool:
        """Whether densities take two numbers of a response: successes and trials, or a value and its error.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("binomial").paired, read_family("poisson").paired
        (True, False)
        """
        return self.is_rate or bool(self.errors)

    @property
    def measure(self) -> str:
        """What its densities are of: only those with respect to one measure can be compared.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("poisson").measure
        'probabilities of counts'
        """
        match self.kind:
            case "rate":
                return "probabilities of successes"
            case "count":
                return "probabilities of counts"
            case "ordered" | "category":
                return "probabilities of categories"
        return "densities of numbers above 0, and the probability of 0" if self.zeros else "densities of numbers"

    @property
    def is_rate(self) -> bool:
        """Whether the expected response is a rate of successes.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("binomial").is_rate
        True
        """
        return self.kind == "rate"

    @property
    def behind_bar(self) -> str:
        """The parameter that stands behind a bar in betareg's and pscl's ``y ~ x | z``; empty where there is none.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("beta").behind_bar, read_family("zero_inflated_poisson").behind_bar
        ('phi', 'zi')
        """
        if self.zeros:
            return self.auxiliary[-1]
        return "phi" if self.kind == "unit" and "phi" in self.auxiliary else ""

    def linked(self, name: str) -> Family:
        """The family with another of its links; sums are sufficient for a real response on an identity link alone.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> str(read_family("bernoulli").linked("probit"))
        'bernoulli(probit)'
        """
        statistic = "values" if self.statistic == "real" and name != "identity" else self.statistic
        counted = name == "identity" and self.kind == "count"  # whose exposures are no offsets
        return replace(
            self, link=link_of(name, self.kind), statistic="values" if counted else statistic,
            rated="" if counted else self.rated, bambi=None if counted else self.bambi,
        )  # fmt: skip

    def parameter(self, name: str) -> Parameter:
        """One of its parameters beside the mean.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("student").parameter("nu").support
        'positive'
        """
        return next(parameter for parameter in self.parameters if parameter.name == name)

    def linear(self, eta: Any) -> Linear:
        """The parameter mu by its linear predictor.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("poisson").linear(0.5).link.name
        'log'
        """
        return Linear(eta, self.link)

    def mean(self, eta: Any, *parameters: Any) -> Any:
        """The expected response by the linear predictor, on NumPy arrays; of rates, that of one trial.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> float(read_family("bernoulli").mean(0.0))
        0.5
        """
        return self.expected.at(self.linear(eta), *parameters)

    @cached_property
    def expected(self) -> Functional:
        """The mean of the response, as a function of the parameters.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> read_family("poisson").expected.label
        'mean {}'
        """
        stated = next((functional for functional in self.outcomes if functional.name == "mean"), None)
        uses = ("mu",) if self.mean_link is own_link else None
        own = Functional("mean", "mean {}", link=self.mean_link, uses=uses, share=self.is_rate, per_unit=True)
        return own if stated is None else stated

    def drawn_by(self, eta: Any, *parameters: Any) -> Any:
        """What `draw_responses` takes: the mean, or of categories the linear predictor itself.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> float(read_family("poisson").drawn_by(0.0))
        1.0
        """
        return eta if self.statistic == "categories" else self.mean(eta, *parameters)

    def require(self, what: str) -> Function:
        """One of its functions that a family may be without: ``variance``, ``correlation`` or ``draw``.

        Raises
        ------
        AnswerError
            If it is without this one.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> float(read_family("bernoulli").require("variance")(0.5))
        0.25
        """
        function: Function | None = getattr(self, what)
        if function is None and self.errors:
            raise AnswerError(
                f"Rows have errors of their own, so that there is no one {what} of the response, which this asks for."
            )
        if function is None and self.categories:
            raise AnswerError(
                f"This asks for the {what} of a response, and the categories of the family {self.name} have none. Ask "
                "for the chance of a category, outcome=, or compare models by loo()."
            )
        if function is None and self.name in FAMILY_LINKS:
            raise AnswerError(
                f"Responses of the family {self.name} may have no {what}, which this asks for. fit.loo() says how well "
                "the model predicts, and outcome='q90' asks for a quantile."
            )
        if function is None:
            raise AnswerError(
                f"The family {self.name} has no {what}, which this asks for. Give its record {what}=, {WITHOUT[what]}, "
                "register it with replace=True, and fit again."
            )
        return function

    def chances(
        self, response: Any, mean: Any, eta: Any, parameters: Sequence[Any], rng: np.random.Generator
    ) -> Chances:
        """The chances of less than a response, and of at most as much, in every draw.

        Of a family without a distribution function, each draw has one new response, which is less or is not.

        Examples
        --------
        >>> import numpy as np
        >>> from hiermod.families.registry import read_family
        >>> less, most = read_family("poisson").chances((2,), 1.0, 0.0, (), np.random.default_rng(1))
        >>> round(float(less), 3), round(float(most), 3)
        (0.736, 0.92)
        """
        if self.interval is not None:
            return self.interval(response, self.linear(eta), *parameters)
        if self.cdf is not None:
            return self.cdf(response, self.linear(eta), *parameters)
        trials = response[1] if self.is_rate else 1.0
        drawn = self.draw_responses(mean, np.asarray(trials), parameters, rng)
        return (drawn < response[0]).astype(float), (drawn <= response[0]).astype(float)

    def response_variance(
        self, mean: np.ndarray, trials: np.ndarray, parameters: Sequence[Any], rng: np.random.Generator
    ) -> np.ndarray:
        """The variance of responses around their means, in every draw; of trials, that of the share of successes.

        Of a family without a function for it, the squared distance of a new response, which it is on average.

        Examples
        --------
        >>> import numpy as np
        >>> from hiermod.families.registry import read_family
        >>> rng = np.random.default_rng(1)
        >>> read_family("poisson").response_variance(np.array([2.0]), np.array([1.0]), (), rng)
        array([2.])
        """
        if self.errors:
            return np.asarray(row_variance(self.errors, trials, *parameters)) * np.ones_like(mean)
        several = bool((trials > 1.0).any())
        if self.variance is not None and (self.correlation is not None or not several):
            together = (trials - 1.0) * self.require("correlation")(*parameters) if several else 0.0
            return np.asarray(self.variance(mean, *parameters) * (1.0 + together) / trials)
        if self.draw is None:
            self.require("correlation" if self.variance is not None else "variance")
        return np.asarray((self.draw_responses(mean, trials, parameters, rng) / trials - mean) ** 2)

    def observation_density(self, response: Any, eta: Any, parameters: Sequence[Any] = ()) -> Any:
        """Log density of one observation in every draw.

        It is ``(value,)``, ``(successes, trials)``, or the counts of each category. `eta` holds draws of its linear
        predictor, `parameters` those of the others in the family's order.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> round(float(read_family("poisson").observation_density((2.0,), 0.0)), 3)
        -1.693
        """
        if self.categories and len(response) > 1:
            return self._tallied(np.asarray(response), eta, parameters)
        return self.log_density(NUMPY, response, self.linear(eta), *parameters)

    def _tallied(self, counts: np.ndarray, eta: Any, parameters: Sequence[Any]) -> Any:
        """Of counts of each category: multinomial."""
        total = special.gammaln(counts.sum() + 1.0) - special.gammaln(counts + 1.0).sum()
        for place in np.flatnonzero(counts):
            total = total + counts[place] * self.log_density(
                NUMPY, (place + 1.0,), self.linear(eta), *parameters
            )  # fmt: skip
        return total

    def draw_responses(
        self, mean: np.ndarray, trials: Any, parameters: Sequence[Any], rng: np.random.Generator, shape: Any = None
    ) -> np.ndarray:
        """Draw successes, counts or values, given their means.

        Parameters
        ----------
        mean : numpy.ndarray
            Expected responses; of rates, those of one trial; of categories, their linear predictors.
        trials : numpy.ndarray
            How many trials each response has, where it has any. It and `parameters` broadcast against `mean`.
        parameters : sequence
            Those beside the mean, in the family's order.
        rng : numpy.random.Generator
        shape : tuple of int, optional
            Of what is drawn; that of `mean` and the parameters without it.

        Examples
        --------
        >>> import numpy as np
        >>> from hiermod.families.registry import read_family
        >>> rng = np.random.default_rng(1)
        >>> read_family("poisson").draw_responses(np.array([2.0, 300.0]), 1.0, (), rng).shape
        (2,)
        """
        shape = np.broadcast_shapes(np.shape(mean), *map(np.shape, parameters)) if shape is None else shape
        where = self.linear(mean) if self.statistic == "categories" else mean
        return np.asarray(self.require("draw")(rng, shape, where, trials, *parameters))

    def with_parameter_link(self, name: str, link: str) -> Family:
        """The same with another link of the linear predictor of a parameter beside the mean.

        Raises
        ------
        ModelError
            If it has no such link.

        Examples
        --------
        >>> from hiermod.families.registry import read_family
        >>> str(read_family("zero_inflated_poisson").with_parameter_link("zi", "probit"))
        'zero_inflated_poisson(zi=probit)'
        """
        links = self.parameter(name).links
        if link not in links:
            raise ModelError(f"{name!r} of the family {self.name} has no link {link!r}.{did_you_mean(link, links)}")
        link = "" if link == links[0] else link
        changed = (replace(own, link=link) if own.name == name else own for own in self.parameters)
        return replace(self, parameters=tuple(changed))

    def __str__(self) -> str:
        links = [] if self.link.name == self.links[0] else [self.link.name]
        links += [f"{own.name}={own.link}" for own in self.parameters if own.link]
        links += [f"{name}={str(value).removesuffix('.0')}" for name, value in self.fixed]
        return f"{self.name}({', '.join(links)})" if links else self.name


def first_wrong(response: SingleRows, wrong: np.ndarray) -> str:
    """The first wrong value, and where it stands."""
    place = int(wrong[0])
    where = f" ({row_name(response.index, place)})" if len(response.index) else ""
    return f"{response.values[place]:g}{where}"
