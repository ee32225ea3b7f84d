"""Draws of linear predictors: those of a model's parameters on some rows, and how they vary over the groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.answers.expectations import Population
from hiermod.answers.group_effects import Groups, GroupsOfRows, Reading, TermEffects
from hiermod.modeling.design import LinearPredictor, offset
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of a linear predictor on some rows: of its common part and of each group term, and its offset.

    A group term without an effect in it has None; the columns of its effects in other predictors are 0.
    """

    common: np.ndarray
    groups: tuple[np.ndarray | None, ...]
    offset: np.ndarray | None

    def part(self, rows: slice | np.ndarray) -> Design:
        """Some of the rows."""
        offsets = None if self.offset is None else self.offset[rows]
        return Design(self.common[rows], tuple(None if term is None else term[rows] for term in self.groups), offsets)

    def moved(self, change: Design, by: np.ndarray) -> Design:
        """Moved along a change, by a number for each row."""
        step = by[:, None]
        terms = zip(self.groups, change.groups, strict=True)
        groups = tuple(None if one is None or other is None else one + step * other for one, other in terms)
        offsets = self.offset if change.offset is None or self.offset is None else self.offset + by * change.offset
        return Design(self.common + step * change.common, groups, offsets)


@dataclass(frozen=True, eq=False)
class Designs:
    """The designs of several linear predictors on the same rows, and what multiplies the family's shape there."""

    predictors: Mapping[str, Design]
    exposure: np.ndarray | None = None

    def part(self, rows: slice | np.ndarray) -> Designs:
        """Some of the rows."""
        exposure = None if self.exposure is None else self.exposure[rows]
        return Designs({name: design.part(rows) for name, design in self.predictors.items()}, exposure)

    def moved(self, change: Designs, by: np.ndarray) -> Designs:
        """Moved along a change, by a number for each row."""
        moved = {name: design.moved(change.predictors[name], by) for name, design in self.predictors.items()}
        return Designs(moved, self.exposure)


class LinearPredictors:
    """The linear predictors of some of a model's parameters, read under every draw."""

    def __init__(
        self, posterior: Posterior, spec: Spec, groups: Groups, names: Collection[str], with_offset: bool
    ) -> None:  # fmt: skip
        self._spec, self.draws, self._with_offset = spec, posterior.size, with_offset
        self.names = tuple(name for name in spec.predictors if name in names)
        self._terms = [
            TermEffects(posterior, term, place, groups[term.grouping.name]) for place, term in enumerate(spec.groups)
        ]
        self._coefficients = {name: self._read(posterior, spec.predictors[name]) for name in self.names}

    def _read(self, posterior: Posterior, predictor: LinearPredictor) -> np.ndarray:
        drawn = [posterior.values(block.name).reshape(self.draws, -1).T for block in predictor.common.blocks]
        return np.vstack([np.empty((0, self.draws)), *drawn])

    def designs(self, frame: pd.DataFrame, scaled: bool = True) -> Designs:
        """The columns of everything on `frame`; with what multiplies the shape there, if that is `scaled`."""
        exposure = self._spec.shape_exposure(frame) if scaled else None
        column = None if exposure is None else exposure[:, None]
        return Designs({name: self._design(name, frame) for name in self.names}, column)

    def _design(self, name: str, frame: pd.DataFrame) -> Design:
        predictor = self._spec.predictors[name]
        blocks = [block.matrix(frame) for block in predictor.common.blocks]
        common = np.hstack([np.empty((len(frame), 0)), *blocks])
        counted = bool(predictor.offsets) and (self._with_offset or name != "mu")
        offsets = offset(predictor.offsets, frame) if counted else None
        return Design(common, tuple(term.design(frame, name) for term in self._terms), offsets)

    def groups_of(self, frame: pd.DataFrame) -> list[GroupsOfRows | None]:
        """The groups of rows for each group term; None where they are given no effects."""
        return [term.groups_of(frame) for term in self._terms]

    def linear(self, name: str, design: Design, groups: Sequence[GroupsOfRows | None]) -> np.ndarray:
        """One linear predictor, shape ``(rows, draws)``; that of the typical group where groups are integrated out."""
        total = design.common @ self._coefficients[name]
        for term, columns, rows in zip(self._terms, design.groups, groups, strict=True):
            if rows is not None and columns is not None:
                term.add(total, rows, columns)
        if design.offset is not None:
            total += design.offset[:, None]
        return total

    def population(self, designs: Designs, groups: Sequence[GroupsOfRows | None], varying: bool) -> Population:
        """All of them, with their covariance over the groups that are integrated out, unless it is left out."""
        mean = {name: self.linear(name, designs.predictors[name], groups) for name in self.names}
        covariance: dict[tuple[str, str], np.ndarray] = {}
        for one in self.names if varying else ():
            for other in self.names:
                found = self.covariance(designs.predictors[one], designs.predictors[other])
                if found is not None:
                    covariance[one, other] = found
        return Population(mean, covariance)

    def covariance(self, first: Design, second: Design) -> np.ndarray | None:
        """Covariance of two designs over the population of the groups that are integrated out; None without any."""
        found = [
            term.covariance(one, other)
            for term, one, other in zip(self._terms, first.groups, second.groups, strict=True)
            if term.reading is Reading.POPULATION and one is not None and other is not None
        ]
        return np.asarray(sum(found)) if found else None

    @property
    def reads_unseen(self) -> bool:
        """Whether effects of groups that were never seen play a part."""
        unseen = (Reading.NEW, Reading.POPULATION, Reading.KNOWN_OR_NEW)
        return any(term.reading in unseen for term in self._terms)

    @property
    def integrates(self) -> bool:
        """Whether groups of any term are integrated out."""
        return any(term.reading is Reading.POPULATION for term in self._terms)
