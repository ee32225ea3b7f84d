"""Expected response, linear predictor and slope of rows, draw by draw, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from hiermod.answers.group_effects import KNOWN_OR_NEW, GroupsOfRows, TermEffects, groups_of, known_codes, new_levels
from hiermod.answers.population import population_mean, population_slope
from hiermod.families.links import LINKS, Link
from hiermod.modeling.design import offset
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

BLOCK = 100_000  # numbers of a block's array of draws, so that it stays in the processor's cache
CHUNK = 20_000  # rows whose designs are made at once


def per_exposure(spec: ModelSpec) -> bool:
    """Whether answers are per unit of exposure: on a log link, offsets are logarithms of exposures."""
    return bool(spec.formula.offsets) and spec.family.link.name == "log"


class Reader(Protocol):
    """Draws for rows of predictors and groups, shape ``(rows, draws)``."""

    link: Link

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """The expected response (a rate, a mean, a count per unit of exposure)."""
        ...

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """The linear predictor, on the link scale."""
        ...

    def blocks(self, frame: pd.DataFrame, scale: str) -> Iterator[tuple[slice, np.ndarray]]:
        """The response, or with ``scale="link"`` the predictor, of some rows after others."""
        ...


@dataclass(frozen=True, eq=False)
class Designs:
    """The columns of the common part and of each group term on some rows, and what offsets add to each row."""

    common: np.ndarray
    groups: tuple[np.ndarray, ...]
    offset: np.ndarray | None

    def part(self, rows: slice) -> Designs:
        """Some of the rows."""
        own = None if self.offset is None else self.offset[rows]
        return Designs(self.common[rows], tuple(term[rows] for term in self.groups), own)


def reader(posterior: Posterior, groups: str, exposed: bool = False, outcome: str = "mean") -> Reader:
    """The mean or median response under a model, with one reading of ``groups=``.

    On a log link it is per unit of exposure, unless rows are `exposed`: then their offsets count.
    """
    if isinstance(posterior.spec, PooledSpec):
        return PooledReader(posterior, posterior.spec, groups)
    assert isinstance(posterior.spec, Spec)
    return LinearReader(posterior, posterior.spec, groups, exposed, outcome)


class LinearReader:
    """Of a hierarchical generalized linear model."""

    def __init__(
        self, posterior: Posterior, spec: Spec, groups: str, exposed: bool = False, outcome: str = "mean"
    ) -> None:
        self._spec, self._groups = spec, groups
        self._with_offset = bool(spec.formula.offsets) and (exposed or not per_exposure(spec))
        self._group_terms = [TermEffects(posterior, term, place) for place, term in enumerate(spec.groups)]
        self._draws = posterior.size
        own = [posterior.values(block.name).reshape(self._draws, -1).T for block in spec.common.blocks]
        self._coefficients = np.vstack([np.empty((0, self._draws)), *own])
        self.link = spec.family.outcome_link(outcome, [posterior.values(name) for name in spec.family.auxiliary])

    def designs(self, frame: pd.DataFrame) -> Designs:
        """The columns of everything on `frame`."""
        blocks = [block.matrix(frame) for block in self._spec.common.blocks]
        common = np.hstack([np.empty((len(frame), 0)), *blocks])
        own = offset(self._spec.formula.offsets, frame) if self._with_offset else None
        return Designs(common, tuple(term.design(frame) for term in self._group_terms), own)

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """Expected response, shape ``(rows, draws)``."""
        return self._response(self.designs(frame), self._groups_of(frame))

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """Linear predictor, shape ``(rows, draws)``; its mean over the population is the typical group's."""
        return self._linear(self.designs(frame), self._groups_of(frame))

    def blocks(self, frame: pd.DataFrame, scale: str) -> Iterator[tuple[slice, np.ndarray]]:
        """The response or predictor of some rows after others; designs are made for many at once."""
        compute = self._linear if scale == "link" else self._response
        for start in range(0, len(frame), CHUNK):
            chunk = frame.iloc[start : start + CHUNK]
            designs, groups = self.designs(chunk), self._groups_of(chunk)
            for rows in block_slices(len(chunk), self._draws):
                own = [group.part(rows) for group in groups]
                yield slice(start + rows.start, start + rows.stop), compute(designs.part(rows), own)

    def slope(self, frame: pd.DataFrame, change: Designs, scale: str) -> np.ndarray:
        """Derivative of the response or predictor, shape ``(rows, draws)``; `change` is that of the designs."""
        groups = self._groups_of(frame)
        rise = self._linear(change, groups)
        if scale == "link":
            return rise
        designs = self.designs(frame)
        linear = self._linear(designs, groups)
        if self._groups == "population" and self._group_terms:
            variance, spread = self._variance(designs, designs), 2.0 * self._variance(designs, change)
            return population_slope(self.link, linear, variance, rise, spread)
        return self.link.slope(linear) * rise

    def _groups_of(self, frame: pd.DataFrame) -> list[GroupsOfRows]:
        """The groups of rows for each group term, where ``groups=`` gives them effects; else nothing."""
        return [groups_of(term.grouping, frame, self._groups) for term in self._spec.groups] if self._varies else []

    @property
    def _varies(self) -> bool:
        return self._groups not in ("typical", "population")

    def _response(self, designs: Designs, groups: Sequence[GroupsOfRows]) -> np.ndarray:
        linear = self._linear(designs, groups)
        if self._groups == "population" and self._group_terms:
            return population_mean(self.link, linear, self._variance(designs, designs))
        return self.link.inverse(linear)

    def _linear(self, designs: Designs, groups: Sequence[GroupsOfRows]) -> np.ndarray:
        total = designs.common @ self._coefficients
        if self._varies:
            for term, design, own in zip(self._group_terms, designs.groups, groups, strict=True):
                term.add(total, own, design)
        if designs.offset is not None:
            total += designs.offset[:, None]
        return total

    def _variance(self, first: Designs, second: Designs) -> np.ndarray:
        own = zip(self._group_terms, first.groups, second.groups, strict=True)
        return np.asarray(sum(term.covariance(one, other) for term, one, other in own))


class PooledReader:
    """Of rates from one Beta(a, b): typical and population are its mean, new is a draw from it."""

    def __init__(self, posterior: Posterior, spec: PooledSpec, groups: str) -> None:
        self._posterior, self._spec, self._groups = posterior, spec, groups
        self.link = LINKS["logit"]

    def mean(self, frame: pd.DataFrame) -> np.ndarray:
        """Rates, shape ``(rows, draws)``."""
        if self._groups == "observed":
            return self._rates(known_codes(self._spec.grouping, frame))
        if self._groups == KNOWN_OR_NEW:
            rates = self._rates(self._spec.grouping.codes(frame))
            for label, rows in new_levels(self._spec.grouping, frame):
                rates[rows] = self._drawn(label)
            return rates
        mean = self._drawn("") if self._groups == "new" else self._posterior.values(MEAN)
        return np.tile(mean, (len(frame), 1))

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """Log odds of the rates, shape ``(rows, draws)``."""
        return self.link.forward(self.mean(frame))

    def blocks(self, frame: pd.DataFrame, scale: str) -> Iterator[tuple[slice, np.ndarray]]:
        """Rates or log odds of some rows after others."""
        compute = self.predictor if scale == "link" else self.mean
        for rows in block_slices(len(frame), self._posterior.size):
            yield rows, compute(frame.iloc[rows])

    def _rates(self, codes: np.ndarray) -> np.ndarray:
        return self._posterior.values(self._spec.rate_name)[:, codes].T

    def _drawn(self, label: str) -> np.ndarray:
        mean, size = self._posterior.values(MEAN), self._posterior.values(SPREAD) ** -2
        return self._posterior.generator(1, label).beta(mean * size, (1.0 - mean) * size)


def in_blocks(frame: pd.DataFrame, draws: int) -> Iterator[pd.DataFrame]:
    """Cut a frame so that a block's array of draws stays small."""
    for rows in block_slices(len(frame), draws):
        yield frame.iloc[rows]


def block_slices(rows: int, draws: int) -> Iterator[slice]:
    """Where a table of rows is cut so that a block's array of draws stays small."""
    size = max(1, BLOCK // max(draws, 1))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
