"""Readers of draws: linear predictors, means and log densities of rows, draw by draw.

A model is read through one protocol, whichever it is: this file alone asks which. Rows are read in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
import pandas as pd

from hiermod.answers.count_quantiles import quantile_of_population
from hiermod.answers.expectations import Population, averaged, log_averaged, population_mean, population_slope
from hiermod.answers.group_effects import Groups, GroupsOfRows, Reading, known_codes, new_levels, same_for_all
from hiermod.answers.log_means import log_means, population_log_means
from hiermod.answers.predictors import Designs, LinearPredictors
from hiermod.data.cells.observations import Observations
from hiermod.data.cells.statistics import TallyCells
from hiermod.errors import AnswerError
from hiermod.families.functionals import Functional
from hiermod.families.links import Link
from hiermod.families.record import scaled
from hiermod.modeling.design import offset
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec, Question
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

FEW_ABOVE, NEXT_TO_ONE = 0.01, -1e-12  # of a row's draws, whose rates are taken as 1; the logarithm of that
STEP = 0.01  # of a linear predictor, in differences for a derivative
BLOCK = 100_000  # numbers of a block's array of draws, so that it stays in the processor's cache
CHUNK = 20_000  # rows whose designs are made at once
SMALLEST, LARGEST = np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg  # of rates that were drawn


def per_exposure(spec: ModelSpec) -> bool:
    """Whether answers are per unit of exposure: on a log link, offsets are logarithms of exposures."""
    return bool(spec.formula.offsets) and spec.family.link.name == "log"


class Reader(Protocol):
    """Draws for rows of predictors and groups, shape ``(rows, draws)``."""

    draws: int

    def at(self, frame: pd.DataFrame) -> Parameters:
        """The parameters of the response's distribution, those of its own exposure."""

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """The outcome: the expected response (a rate, a mean, a count per unit of exposure), or another one."""

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """The outcome, or the linear predictor that it is of, of some rows after others."""

    @property
    def has_logs(self) -> bool:
        """Whether `log_blocks` knows the logarithms of means."""

    def log_blocks(self, frame: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """Logarithms of the means of some rows after others, shape ``(1, rows, draws)``.

        Of rates those of both chances, shape ``(2, rows, draws)``.
        """

    def log_density(self, response: Any, parameters: Parameters) -> np.ndarray:
        """Log density of one response in every draw, given the parameters of its row."""

    def exact_pull(self) -> np.ndarray | None:
        """The weight of the population's mean in that of each group, where the model knows it."""


def reader(
    posterior: Posterior, groups: Groups | None = None, exposed: bool = False, outcome: Functional | None = None
) -> Reader:  # fmt: skip
    """The reader of an outcome's draws; rows have their own groups' effects, unless `groups` differs.

    On a log link means are per unit of exposure, unless rows are `exposed`: then their offsets count.
    """
    whose = same_for_all(posterior.spec, Reading.OBSERVED) if groups is None else groups
    return by_model(
        posterior.spec,
        linear=lambda spec: LinearReader(posterior, spec, whose, exposed, outcome),
        pooled=lambda spec: PooledReader(posterior, spec, whose, exposed, outcome),
    )


def by_model[L, P](spec: ModelSpec, linear: Callable[[Spec], L], pooled: Callable[[PooledSpec], P]) -> L | P:
    """What is made of a model with linear predictors, or else of one of pooled rates."""
    if isinstance(spec, PooledSpec):
        return pooled(spec)
    assert isinstance(spec, Spec)
    return linear(spec)


def linear_spec(spec: ModelSpec, question: Question) -> Spec:
    """A model with linear predictors; another is refused for its own reason."""
    if reason := spec.refuses(question):
        raise AnswerError(reason)
    assert isinstance(spec, Spec)
    return spec


def refuse_unseen(spec: Spec) -> None:
    """Refuse a question about unseen groups under a bounded link."""
    what = "a rate above 1" if spec.family.is_rate else "a mean below 0"
    raise AnswerError(
        f"Under the {spec.family.link.name} link the effects of an unseen group would give {what} some probability, so "
        "that nothing is said of groups='new' or 'population', nor of groups left out. Take another link for these."
    )


@dataclass(frozen=True, eq=False)
class Parameters:
    """A family's parameters on some rows, or on one, in every draw.

    Parameters
    ----------
    mu : ndarray, shape (rows, draws) or (draws,)
        The linear predictor of mu.
    others : tuple of ndarray, shape (draws,) or that of `mu`
        The others, in the family's order; an exposure has multiplied the shape.
    """

    mu: np.ndarray
    others: tuple[np.ndarray, ...]

    def __iter__(self) -> Iterator[Parameters]:
        """Row after row."""
        for place, mu in enumerate(self.mu):
            yield Parameters(mu, tuple(own[place] if np.ndim(own) == 2 else own for own in self.others))


def _of_predictors(spec: Spec, outcome: Functional) -> Functional:
    """An outcome, by its value where it is of a parameter that has no linear predictor."""
    return outcome if outcome.of in spec.predictors else replace(outcome, link=None, of="mu")


class LinearReader:
    """Of a hierarchical generalized linear model."""

    def __init__(
        self, posterior: Posterior, spec: Spec, groups: Groups, exposed: bool = False,
        outcome: Functional | None = None,
    ) -> None:  # fmt: skip
        self._spec, self.draws, self._exposed = spec, posterior.size, exposed
        self._drawn = [posterior.draws_effects(term) for term in spec.groups]
        self._outcome = _of_predictors(spec, spec.family.expected if outcome is None else outcome)
        self._scalars = {name: posterior.values(name) for name in spec.family.auxiliary if name not in spec.predictors}
        with_offset = bool(spec.formula.offsets) and (exposed or not per_exposure(spec))
        needed = [name for name in spec.predictors if self._outcome.needs(name) or name == self._outcome.of]
        self._read = partial(LinearPredictors, posterior, spec, groups, with_offset=with_offset)
        self._own = self._read(names=needed or ["mu"])
        if spec.family.link.is_bounded and self._own.reads_unseen:
            refuse_unseen(spec)
        fixed = self._outcome.link is not None and needed == [self._outcome.of] and not self._scaled
        self._fixed = self._link_of({}, None) if fixed else None
        identity = self._fixed is not None and self._fixed.name == "identity"
        self._varying = self._own.integrates and not identity  # effects have the mean 0

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters whose linear predictors play a part."""
        return self._own.names

    @cached_property
    def _all(self) -> LinearPredictors:
        """All linear predictors."""
        return (
            self._own if len(self._own.names) == len(self._spec.predictors) else self._read(names=self._spec.predictors)
        )

    @property
    def _scaled(self) -> bool:
        """Whether an exposure may multiply a parameter on which the outcome depends."""
        first = self._spec.family.auxiliary[:1]
        return self._exposed and self._spec.formula.rate is not None and any(map(self._outcome.needs, first))

    def at(self, frame: pd.DataFrame) -> Parameters:
        """All parameters; their linear predictors' means over the population are the typical group's."""
        exposure = self._spec.shape_exposure(frame)
        return self.parameters(self.predictors(frame), None if exposure is None else exposure[:, None])

    def predictors(self, frame: pd.DataFrame) -> np.ndarray:
        """All linear predictors, that of mu first, shape ``(predictors, rows, draws)``."""
        designs, groups = self._all.designs(frame, scaled=False), self._all.groups_of(frame)
        return np.stack([self._all.linear(name, design, groups) for name, design in designs.predictors.items()])

    def parameters(self, predictors: np.ndarray, exposure: Any) -> Parameters:
        """The parameters by all linear predictors, shape ``(predictors, ...)``; an exposure multiplies the shape."""
        etas = dict(zip(self._spec.predictors, predictors, strict=True))
        return Parameters(predictors[0], tuple(self._others(etas, exposure)))

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """The outcome, such as the mean response."""
        return self._mean(self._own.designs(frame, self._scaled), self._own.groups_of(frame))

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """The outcome, or the linear predictor that it is of, of some rows after others."""
        return self._computed(frame, self._linear if linear else self._mean)

    @property
    def has_logs(self) -> bool:
        """Whether the link is of rates, or of positive means."""
        if self._outcome.link is None:
            return self._outcome.log_value is not None
        link = self._link_of({name: np.full(1, 0.5) for name in self._own.names}, None)
        return link.log_rates is not None or link.log_inverse is not None

    def log_blocks(self, frame: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """Logarithms by the linear predictor, exact where means round to 0 or overflow and rates to 1."""
        return self._computed(frame, self._logs)

    def _computed(
        self, frame: pd.DataFrame, compute: Callable[[Designs, Sequence[GroupsOfRows | None]], np.ndarray]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """What is computed of some rows after others; designs are made for many at once."""
        for start in range(0, len(frame), CHUNK):
            chunk = frame.iloc[start : start + CHUNK]
            designs, groups = self._own.designs(chunk, self._scaled), self._own.groups_of(chunk)
            for rows in block_slices(len(chunk), self.draws):
                parts = [group and group.part(rows) for group in groups]
                yield slice(start + rows.start, start + rows.stop), compute(designs.part(rows), parts)

    def log_density(self, response: Any, parameters: Parameters) -> np.ndarray:
        """Log density of one response."""
        return np.asarray(self._spec.family.observation_density(response, parameters.mu, parameters.others))

    def exact_pull(self) -> None:
        """Not known."""

    def designs(self, frame: pd.DataFrame) -> Designs:
        """The columns of the linear predictors on which the outcome depends."""
        return self._own.designs(frame, self._scaled)

    def at_effects(
        self, frame: pd.DataFrame, effects: np.ndarray, places: np.ndarray, linear: bool = False
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """The outcome, or mu's linear predictor, of rows at each node of the effects of their groups.

        Effects are of the group terms whose effects are drawn, one after the other, shape ``(nodes, columns, groups,
        draws)``, `places` says which group a row is of; the only linear predictor is that of mu.
        """
        designs, drawn = self._own.designs(frame, self._scaled), self._drawn
        design = designs.predictors["mu"]
        groups = [None if own else rows for own, rows in zip(drawn, self._own.groups_of(frame), strict=True)]
        common = self._own.linear("mu", design, groups)
        terms = zip(drawn, design.groups, strict=True)
        columns = np.hstack([columns for own, columns in terms if own and columns is not None])
        with np.errstate(over="ignore"):
            for own in effects:
                eta = common.copy()
                for multiplier, effect in zip(columns.T, own, strict=True):
                    eta += multiplier[:, None] * effect[places]
                yield eta if linear else self._value(designs.exposure, Population({"mu": eta}, {}))

    def slope(self, frame: pd.DataFrame, change: Designs, linear: bool) -> np.ndarray:
        """Derivative of the outcome or its linear predictor, shape ``(rows, draws)``, along a change of the designs."""
        groups, name = self._own.groups_of(frame), self._outcome.of
        rises = {each: self._own.linear(each, design, groups) for each, design in change.predictors.items()}
        if linear:
            return rises[name]
        designs = self.designs(frame)
        if self._fixed is None:
            return self._numeric_slope(designs, change, groups, rises)
        predictor, rise = self._with_means(self._linear(designs, groups)), rises[name]
        with np.errstate(over="ignore"):
            if self._varying:
                own, other = designs.predictors[name], change.predictors[name]
                variance, spread = (self._own.covariance(own, each) for each in (own, other))
                if variance is not None and spread is not None:
                    return population_slope(self._fixed, predictor, variance, rise, 2.0 * spread)
            return self._fixed.slope(predictor) * rise

    def _numeric_slope(
        self, designs: Designs, change: Designs, groups: Sequence[GroupsOfRows | None], rises: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """By differences of fourth order, along the change of all linear predictors together."""
        steepest = np.max([np.abs(rise).max(axis=1) for rise in rises.values()], axis=0)
        step = np.divide(STEP, steepest, out=np.ones_like(steepest), where=steepest > 0.0)
        near, far = (
            self._mean(designs.moved(change, times * step), groups)
            - self._mean(designs.moved(change, -times * step), groups)
            for times in (1.0, 2.0)
        )
        return (8.0 * near - far) / (12.0 * step[:, None])

    def _linear(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        return self._own.linear(self._outcome.of, designs.predictors[self._outcome.of], groups)

    def _mean(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        population = self._population(designs, groups)
        if self._outcome.at_most is not None and population.varying:
            return self._quantile_of_all(designs.exposure, population)
        with np.errstate(over="ignore"):  # a mean above 1.8e308 is infinite
            inner = partial(self._value, designs.exposure)
            return averaged(population, self._outer(population), inner, alone=self._outcome.link is None)

    def _quantile_of_all(self, exposure: np.ndarray | None, population: Population) -> np.ndarray:
        """A quantile of the counts of all groups together."""
        shape = population.mean["mu"].shape
        scalars = {name: np.broadcast_to(values, shape).ravel() for name, values in self._scalars.items()}
        exposed = None if exposure is None else np.broadcast_to(exposure, shape).ravel()

        def others(known: Population, places: np.ndarray) -> list[Any]:
            own = {name: values[places] for name, values in scalars.items()}
            return self._others(known.mean, None if exposed is None else exposed[places], own)

        linear = self._spec.family.linear
        return quantile_of_population(self._outcome, population, self._outer(population), linear, others)

    def _logs(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        population = self._population(designs, groups)
        inner = partial(self._log_value, designs.exposure)
        return log_averaged(population, self._outer(population), inner, alone=self._outcome.link is None)

    def _population(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> Population:
        found = self._own.population(designs, groups, self._varying)
        if not self._spec.family.link.is_bounded or "mu" not in found.mean:
            return found
        return replace(found, mean={**found.mean, "mu": self._with_means(found.mean["mu"])})

    def _with_means(self, predictor: np.ndarray) -> np.ndarray:
        """Linear predictors, all of which have a mean: those of rows unlike the data's may have none.

        A rate that is above 1 in a few draws is taken as 1 there.
        """
        link = self._spec.family.link
        if link.is_bounded and not (has := link.inside(predictor)).all():
            outside = float((~has).mean(axis=1).max())
            if link.log_rates is not None and outside <= FEW_ABOVE:
                return np.minimum(predictor, NEXT_TO_ONE)
            raise AnswerError(
                f"Under the {link.name} link some linear predictors have no mean, as in {outside:.1%} of the "
                "draws of a row that is asked about: only rows of the data have one for certain. Ask about such rows."
            )
        return predictor

    def _outer(self, population: Population) -> list[str]:
        """The predictors that are integrated numerically: all but the one that a link takes."""
        of = self._outcome.of if self._outcome.link is not None else None
        return [name for name in reversed(population.varying) if name != of]  # mu, the steepest, last

    def _value(self, exposure: np.ndarray | None, population: Population) -> np.ndarray:
        """The outcome where all linear predictors are known but the one that a link takes."""
        etas, of = population.mean, self._outcome.of
        if self._outcome.link is None:
            linear = self._spec.family.linear(etas["mu"])
            value = self._outcome.at(linear, *self._others(etas, exposure))
            return np.broadcast_to(value, etas["mu"].shape)
        link = self._link_of(etas, exposure)
        if (of, of) in population.covariance:
            return population_mean(link, etas[of], population.covariance[of, of])
        return link.inverse(etas[of])

    def _log_value(self, exposure: np.ndarray | None, population: Population) -> np.ndarray:
        """Logarithms of that, shape ``(1, rows, draws)``, or of both chances."""
        etas, of = population.mean, self._outcome.of
        if self._outcome.link is None:
            assert self._outcome.log_value is not None
            linear = self._spec.family.linear(etas["mu"])
            return np.asarray(self._outcome.log_value(linear, *self._others(etas, exposure)))[None]
        link = self._link_of(etas, exposure)
        if (of, of) in population.covariance:
            return population_log_means(link, etas[of], population.covariance[of, of])
        return log_means(link, etas[of])

    def _others(
        self, etas: Mapping[str, np.ndarray], exposure: Any, scalars: Mapping[str, np.ndarray] | None = None
    ) -> list[Any]:
        """The parameters beside mu; those that play no part may be missing, and are NaN."""
        found: list[Any] = []
        scalars = self._scalars if scalars is None else scalars
        for name in self._spec.family.auxiliary:
            if name in scalars:
                found.append(scalars[name])
            else:
                found.append(
                    self._spec.predictors[name].link.inverse(etas[name]) if name in etas else np.float64(np.nan)
                )
        return scaled(found, exposure)

    def _link_of(self, etas: Mapping[str, np.ndarray], exposure: Any) -> Link:
        """The link between the outcome and its linear predictor, given the other parameters."""
        assert self._outcome.link is not None
        return self._outcome.link(self._spec.predictors[self._outcome.of].link, *self._others(etas, exposure))


class PooledReader:
    """Of rates from one distribution: typical and population are its mean, new is a draw from it."""

    def __init__(
        self, posterior: Posterior, spec: PooledSpec, groups: Groups, exposed: bool = False,
        outcome: Functional | None = None,
    ) -> None:  # fmt: skip
        if outcome is not None and outcome.name != "mean":
            raise AnswerError(f"outcome={outcome.name!r}: models of pooled rates answer with rates, their mean, alone.")
        self._posterior, self._spec, self.draws = posterior, spec, posterior.size
        self._reading = groups[spec.grouping.name]
        self._with_offset = exposed and bool(spec.formula.offsets)

    def at(self, frame: pd.DataFrame) -> Parameters:
        """Log odds of rates, or logarithms."""
        return Parameters(self._spec.family.link.forward(self.mean(frame)), ())

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """Rates; of `exposed` rows the expected numbers of events."""
        rates = self._rates(frame)
        return rates * np.exp(offset(self._spec.formula.offsets, frame))[:, None] if self._with_offset else rates

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """Rates or log odds of some rows after others."""
        for rows in block_slices(len(frame), self.draws):
            part = frame.iloc[rows]
            yield rows, self.at(part).mu if linear else self.mean(part)

    @property
    def has_logs(self) -> bool:
        """Rates are positive."""
        return True

    def log_blocks(self, frame: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """Logarithms of rates as they were drawn, of successes not closer to 0 and 1 than numbers can be."""
        success = self._spec.family.is_rate
        for rows in block_slices(len(frame), self.draws):
            rates = np.maximum(self.mean(frame.iloc[rows]), SMALLEST)
            yield rows, np.stack([np.log(rates), np.log1p(-np.minimum(rates, LARGEST))] if success else [np.log(rates)])

    def log_density(self, response: Any, parameters: Parameters) -> np.ndarray:
        """Log density of a response given its group's rate."""
        return np.asarray(self._spec.family.observation_density(response, parameters.mu))

    def exact_pull(self) -> np.ndarray:
        """Of a Beta ``E[(a + b)/(a + b + n)]``, of a Gamma ``E[b/(b + e)]``, b its rate parameter."""
        spec, pulls = self._spec, np.empty(self._spec.grouping.size)
        for rows in block_slices(len(pulls), self._posterior.size):
            mean, size = self._posterior.population(spec.stratum[rows])
            pulls[rows] = spec.pool.pull(spec.exposure[rows], mean, size).mean(axis=0)
        return pulls

    def _rates(self, frame: pd.DataFrame) -> np.ndarray:
        grouping = self._spec.grouping
        if self._reading is Reading.OBSERVED:
            return self._posterior.rates(known_codes(grouping, frame)).T
        if self._reading is Reading.KNOWN_OR_NEW:
            codes = grouping.codes(frame)
            known = codes >= 0
            rates = np.empty((len(frame), self._posterior.size))
            rates[known] = self._posterior.rates(codes[known]).T
            for label, rows in new_levels(grouping, frame):
                rates[rows] = self._of_new(label, frame.iloc[rows])
            return rates
        if self._reading is Reading.NEW:
            return self._of_new("", frame)
        return self._posterior.population(self._stratum(frame))[0].T

    def _stratum(self, frame: pd.DataFrame) -> np.ndarray:
        """The stratum of each row, which must be known."""
        strata = self._spec.strata
        return np.zeros(len(frame), dtype=np.int64) if strata is None else known_codes(strata, frame)

    def _of_new(self, label: str, frame: pd.DataFrame) -> np.ndarray:
        """The rate of an unseen group, which is the same for all its rows in one stratum."""
        stratum = self._stratum(frame)
        present, place = np.unique(stratum, return_inverse=True)
        drawn = [
            self._spec.pool.draw(self._posterior.generator(1, label + str(own or "")), *self._posterior.population(own))
            for own in present.tolist()
        ]
        return np.stack(drawn)[place]


def refuse_tallies(posterior: Posterior, what: str) -> None:
    """Refuse what is of one number a row where each has counts of several categories."""
    if isinstance(posterior.spec.cells.response, TallyCells):
        raise AnswerError(
            f"{what}, and rows of {posterior.spec.formula.response} have counts of several categories. fit.ppc() looks "
            "at the categories; of one category against the others, a binomial model has residuals."
        )


def predicted(model: Reader, seen: Observations) -> Iterator[tuple[np.ndarray, Parameters]]:
    """The response of each observation in turn, with the parameters of its row in every draw."""
    first = np.searchsorted(seen.place, np.arange(len(seen.frame) + 1))
    row = 0
    for block in in_blocks(seen.frame, model.draws):
        for parameters in model.at(block):
            for response in seen.responses[first[row] : first[row + 1]]:
                yield response, parameters
            row += 1


def others_of(posterior: Posterior, model: Reader, frame: pd.DataFrame) -> list[np.ndarray]:
    """The parameters beside mu of many rows: numbers of each draw where no row has its own."""
    spec = posterior.spec
    if spec.shape_exposure(frame) is None and len(spec.predictors) <= 1:
        return [posterior.values(name) for name in spec.family.auxiliary]
    blocks = [model.at(block).others for block in in_blocks(frame, model.draws)]
    return [np.concatenate(own) if np.ndim(own[0]) == 2 else own[0] for own in zip(*blocks, strict=True)]


def in_blocks(frame: pd.DataFrame, draws: int) -> Iterator[pd.DataFrame]:
    """Cut a frame so that a block's array of draws stays small."""
    for rows in block_slices(len(frame), draws):
        yield frame.iloc[rows]


def block_slices(rows: int, draws: int) -> Iterator[slice]:
    """Where a table of rows is cut so that a block's array of draws stays small."""
    size = max(1, BLOCK // max(draws, 1))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
