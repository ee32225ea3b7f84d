"""Readers of draws: linear predictors, means and log densities of rows, draw by draw.

A model is read through one protocol, whichever it is: this file alone asks which. Rows are read in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import special

from hiermod.answers.group_effects import (
    Groups,
    GroupsOfRows,
    Reading,
    TermEffects,
    known_codes,
    new_levels,
    same_for_all,
)
from hiermod.answers.log_means import log_means, population_log_means
from hiermod.data.cells.observations import Observations
from hiermod.errors import AnswerError
from hiermod.families.functionals import Functional
from hiermod.families.links import Link
from hiermod.families.record import scaled
from hiermod.modeling.design import offset
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec, Question
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

NODES = 40
MAX_STEP = 0.35
FEW_ABOVE, NEXT_TO_ONE = 0.01, -1e-12  # of a row's draws, whose rates are taken as 1; the logarithm of that
MIN_STEP = 0.02
STEP = 1e-3  # of differences for a derivative
RANGE = 8.3


def population_mean(link: Link, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """``E[link⁻¹(mean + sqrt(variance) Z)]`` for a standard normal Z, elementwise.

    Identity, log and probit have closed forms. The others are integrated by Gauss-Hermite quadrature where the spread
    is moderate, and by the trapezoidal rule, whose error falls exponentially for such integrands, where it is wide.
    """
    if link.name == "identity":
        return mean
    if link.name == "log":
        return link.inverse(mean + variance / 2.0)
    if link.name == "probit":
        return special.ndtr(mean / np.sqrt(1.0 + variance))
    return expectation(link.inverse, mean, np.sqrt(variance))


def expectation(value: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """``E[value(mean + spread Z)]`` for a standard normal Z, elementwise, by quadrature."""
    total = np.zeros_like(mean)
    for node, weight in zip(*_rule(float(spread.max(initial=0.0))), strict=True):
        total += weight * value(mean + spread * node)
    return total


def _rule(widest: float) -> tuple[np.ndarray, np.ndarray]:
    if widest <= 0.5:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return nodes, weights / weights.sum()
    step = max(MIN_STEP, min(0.25, MAX_STEP / widest))
    nodes = np.arange(-np.ceil(RANGE / step), np.ceil(RANGE / step) + 1) * step
    weights = np.exp(-(nodes**2) / 2.0)
    return nodes, weights / weights.sum()


def population_slope(
    link: Link, mean: np.ndarray, variance: np.ndarray, rise: np.ndarray, widening: np.ndarray
) -> np.ndarray:
    """Derivative of `population_mean` where the mean changes by `rise` and the variance by `widening`, elementwise."""
    if link.name == "identity":
        return rise
    if link.name == "log":
        return link.slope(mean + variance / 2.0) * (rise + widening / 2.0)
    if link.name == "probit":
        scale = np.sqrt(1.0 + variance)
        return link.slope(mean / scale) * (rise / scale - mean * widening / (2.0 * scale**3))
    spread = np.sqrt(variance)
    parting = np.divide(widening, 2.0 * spread, out=np.zeros_like(spread), where=spread > 0)
    total = np.zeros_like(mean)
    for node, weight in zip(*_rule(float(spread.max(initial=0.0))), strict=True):
        total += weight * link.slope(mean + spread * node) * (rise + parting * node)
    return total


BLOCK = 100_000  # numbers of a block's array of draws, so that it stays in the processor's cache
CHUNK = 20_000  # rows whose designs are made at once
SMALLEST, LARGEST = np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg  # of rates that were drawn


def per_exposure(spec: ModelSpec) -> bool:
    """Whether answers are per unit of exposure: on a log link, offsets are logarithms of exposures."""
    return bool(spec.formula.offsets) and spec.family.link.name == "log"


class Reader(Protocol):
    """Draws for rows of predictors and groups, shape ``(rows, draws)``."""

    draws: int

    def parameters(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """The linear predictor of each of the family's parameters that has one: ``mu``."""

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """The expected response (a rate, a mean, a count per unit of exposure), or its median."""

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """The mean, or the linear predictor of ``mu``, of some rows after others."""

    @property
    def has_logs(self) -> bool:
        """Whether `log_blocks` knows the logarithms of means."""

    def log_blocks(self, frame: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """Logarithms of the means of some rows after others, shape ``(1, rows, draws)``.

        Of rates those of both chances, shape ``(2, rows, draws)``.
        """

    def shape_exposure(self, frame: pd.DataFrame) -> np.ndarray | None:
        """What multiplies the family's shape in each row; None where nothing does."""

    def log_density(self, response: Any, mu: np.ndarray, exposure: float | None = None) -> np.ndarray:
        """Log density of one response in every draw, given the linear predictor of its row."""

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


def _refuse_unbounded(spec: Spec, terms: Sequence[TermEffects]) -> None:
    """Refuse groups that were never seen where their effects may leave what has a mean."""
    unseen = (Reading.NEW, Reading.POPULATION, Reading.KNOWN_OR_NEW)
    if spec.family.link.is_bounded and any(term.reading in unseen for term in terms):
        refuse_unseen(spec)


def refuse_unseen(spec: Spec) -> None:
    """Refuse a question about unseen groups under a bounded link."""
    what = "a rate above 1" if spec.family.is_rate else "a mean below 0"
    raise AnswerError(
        f"Under the {spec.family.link.name} link the effects of an unseen group would give {what} some probability, so "
        "that nothing is said of groups='new' or 'population', nor of groups left out. Take another link for these."
    )


@dataclass(frozen=True, eq=False)
class Designs:
    """The columns of the common part and of each group term on some rows, and what offsets add to each row."""

    common: np.ndarray
    groups: tuple[np.ndarray, ...]
    offset: np.ndarray | None

    def part(self, rows: slice | np.ndarray) -> Designs:
        """Some of the rows."""
        offsets = None if self.offset is None else self.offset[rows]
        return Designs(self.common[rows], tuple(term[rows] for term in self.groups), offsets)


class LinearReader:
    """Of a hierarchical generalized linear model."""

    def __init__(
        self, posterior: Posterior, spec: Spec, groups: Groups, exposed: bool = False,
        outcome: Functional | None = None,
    ) -> None:  # fmt: skip
        self._spec, self.draws = spec, posterior.size
        self._with_offset = bool(spec.formula.offsets) and (exposed or not per_exposure(spec))
        self._terms = [
            TermEffects(posterior, term, place, groups[term.grouping.name]) for place, term in enumerate(spec.groups)
        ]
        coefficients = [posterior.values(block.name).reshape(self.draws, -1).T for block in spec.common.blocks]
        self._coefficients = np.vstack([np.empty((0, self.draws)), *coefficients])
        self._auxiliary = [posterior.values(name) for name in spec.family.auxiliary]
        _refuse_unbounded(spec, self._terms)
        self._outcome = spec.family.expected if outcome is None else outcome
        link = self._outcome.link
        self._link = None if link is None else link(spec.family.link, *self._auxiliary)
        integrates = any(term.reading is Reading.POPULATION for term in self._terms)
        identity = self._link is not None and self._link.name == "identity"
        self._integrates = integrates and not identity  # effects have the mean 0

    def designs(self, frame: pd.DataFrame) -> Designs:
        """The columns of everything on `frame`."""
        blocks = [block.matrix(frame) for block in self._spec.common.blocks]
        common = np.hstack([np.empty((len(frame), 0)), *blocks])
        offsets = offset(self._spec.formula.offsets, frame) if self._with_offset else None
        return Designs(common, tuple(term.design(frame) for term in self._terms), offsets)

    def parameters(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """The linear predictor; its mean over the population is the typical group's."""
        return {"mu": self._linear(self.designs(frame), self._groups_of(frame))}

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """The mean or median response."""
        return self._mean(self.designs(frame), self._groups_of(frame))

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """The mean or the linear predictor of some rows after others."""
        return self._computed(frame, self._linear if linear else self._mean)

    @property
    def has_logs(self) -> bool:
        """Whether the link is of rates, or of positive means."""
        if self._link is None:
            return False
        return self._link.log_rates is not None or self._link.log_inverse is not None

    def log_blocks(self, frame: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """Logarithms by the linear predictor, exact where means round to 0 or overflow and rates to 1."""
        return self._computed(frame, self._logs)

    def _computed(
        self, frame: pd.DataFrame, compute: Callable[[Designs, Sequence[GroupsOfRows | None]], np.ndarray]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """What is computed of some rows after others; designs are made for many at once."""
        for start in range(0, len(frame), CHUNK):
            chunk = frame.iloc[start : start + CHUNK]
            designs, groups = self.designs(chunk), self._groups_of(chunk)
            for rows in block_slices(len(chunk), self.draws):
                parts = [group and group.part(rows) for group in groups]
                yield slice(start + rows.start, start + rows.stop), compute(designs.part(rows), parts)

    def shape_exposure(self, frame: pd.DataFrame) -> np.ndarray | None:
        """As the spec says."""
        return self._spec.shape_exposure(frame)

    def log_density(self, response: Any, mu: np.ndarray, exposure: float | None = None) -> np.ndarray:
        """Log density of one response; an exposure multiplies the family's shape."""
        return np.asarray(self._spec.family.observation_density(response, mu, scaled(self._auxiliary, exposure)))

    def exact_pull(self) -> None:
        """Not known."""

    def slope(self, frame: pd.DataFrame, change: Designs, linear: bool) -> np.ndarray:
        """Derivative of the mean or the linear predictor, shape ``(rows, draws)``; `change` is that of the designs."""
        groups = self._groups_of(frame)
        rise = self._linear(change, groups)
        if linear:
            return rise
        designs = self.designs(frame)
        predictor = self._with_means(self._linear(designs, groups))
        if self._integrates:
            assert self._link is not None
            variance, spread = self._variance(designs, designs), 2.0 * self._variance(designs, change)
            with np.errstate(over="ignore"):
                return population_slope(self._link, predictor, variance, rise, spread)
        with np.errstate(over="ignore"):
            if self._link is None:
                return self._numeric_slope(predictor, rise)
            return self._link.slope(predictor) * rise

    def _numeric_slope(self, predictor: np.ndarray, rise: np.ndarray) -> np.ndarray:
        """The derivative of an outcome without a link, by differences of fourth order."""
        near, far = (
            self._value(predictor + k * STEP * rise) - self._value(predictor - k * STEP * rise) for k in (1, 2)
        )
        return (8.0 * near - far) / (12.0 * STEP)

    def _groups_of(self, frame: pd.DataFrame) -> list[GroupsOfRows | None]:
        """The groups of rows for each group term; None where they are given no effects."""
        return [term.groups_of(frame) for term in self._terms]

    def _mean(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        predictor = self._with_means(self._linear(designs, groups))
        with np.errstate(over="ignore"):  # a mean above 1.8e308 is infinite
            if self._integrates:
                variance = self._variance(designs, designs)
                if self._link is None:
                    return expectation(self._value, predictor, np.sqrt(variance))
                return population_mean(self._link, predictor, variance)
            return self._value(predictor) if self._link is None else self._link.inverse(predictor)

    def _value(self, predictor: np.ndarray) -> np.ndarray:
        return np.asarray(self._outcome.at(self._spec.family.linear(predictor), *self._auxiliary))

    def _logs(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        predictor = self._with_means(self._linear(designs, groups))
        assert self._link is not None
        if self._integrates:
            return population_log_means(self._link, predictor, self._variance(designs, designs))
        return log_means(self._link, predictor)

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

    def _linear(self, designs: Designs, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        total = designs.common @ self._coefficients
        for term, design, rows in zip(self._terms, designs.groups, groups, strict=True):
            if rows is not None:
                term.add(total, rows, design)
        if designs.offset is not None:
            total += designs.offset[:, None]
        return total

    def _variance(self, first: Designs, second: Designs) -> np.ndarray:
        """Covariance of two designs over the population of the groups that are integrated out."""
        terms = zip(self._terms, first.groups, second.groups, strict=True)
        return np.asarray(
            sum(term.covariance(one, other) for term, one, other in terms if term.reading is Reading.POPULATION)
        )


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

    def parameters(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """Log odds of rates, or logarithms."""
        return {"mu": self._spec.family.link.forward(self.mean(frame))}

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """Rates; of `exposed` rows the expected numbers of events."""
        rates = self._rates(frame)
        return rates * np.exp(offset(self._spec.formula.offsets, frame))[:, None] if self._with_offset else rates

    def blocks(self, frame: pd.DataFrame, linear: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """Rates or log odds of some rows after others."""
        for rows in block_slices(len(frame), self.draws):
            part = frame.iloc[rows]
            yield rows, self.parameters(part)["mu"] if linear else self.mean(part)

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

    def shape_exposure(self, frame: pd.DataFrame) -> None:
        """Nothing does."""

    def log_density(self, response: Any, mu: np.ndarray, exposure: float | None = None) -> np.ndarray:
        """Log density of a response given its group's rate."""
        return np.asarray(self._spec.family.observation_density(response, mu))

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


def predicted(model: Reader, seen: Observations) -> Iterator[tuple[np.ndarray, np.ndarray, float | None]]:
    """The response of each observation in turn, with the linear predictor of its row in every draw.

    And what multiplies the family's shape there.
    """
    first = np.searchsorted(seen.place, np.arange(len(seen.frame) + 1))
    row = 0
    for block in in_blocks(seen.frame, model.draws):
        exposure = model.shape_exposure(block)
        for place, predictor in enumerate(model.parameters(block)["mu"]):
            scale = None if exposure is None else float(exposure[place])
            for response in seen.responses[first[row] : first[row + 1]]:
                yield response, predictor, scale
            row += 1


def exposures_of(spec: ModelSpec, frame: pd.DataFrame) -> np.ndarray | None:
    """What multiplies the family's shape in each row, beside its draws; None where nothing does."""
    exposure = spec.shape_exposure(frame)
    return None if exposure is None else exposure[:, None]


def in_blocks(frame: pd.DataFrame, draws: int) -> Iterator[pd.DataFrame]:
    """Cut a frame so that a block's array of draws stays small."""
    for rows in block_slices(len(frame), draws):
        yield frame.iloc[rows]


def block_slices(rows: int, draws: int) -> Iterator[slice]:
    """Where a table of rows is cut so that a block's array of draws stays small."""
    size = max(1, BLOCK // max(draws, 1))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
