"""Effects of groups: which group each row is in, under each reading of ``groups=``, and what its group terms add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hiermod.choices import GROUPS
from hiermod.data.columns.groupings import Grouping
from hiermod.data.columns.values import as_levels, first_of
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.formula.parser import canonical
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

SMALL = 2**24  # numbers of a group term's draws that are kept a second time, turned


class Reading(Enum):
    """Whose effects rows are given, of one grouping factor."""

    OBSERVED = "observed"
    TYPICAL = "typical"
    NEW = "new"
    POPULATION = "population"
    KNOWN_OR_NEW = "known or new"


Groups = Mapping[str, Reading]  # by grouping factor


def same_for_all(spec: ModelSpec, reading: Reading) -> Groups:
    """One reading of all grouping factors."""
    return dict.fromkeys(spec.cells.groupings, reading)


def read_groups(spec: ModelSpec, groups: Any) -> Groups:
    """Read ``groups=``: a word for all grouping factors, or a mapping of factors to words; others are observed.

    Raises
    ------
    AnswerError
        If there is no such reading, or no such factor.
    """
    if not isinstance(groups, Mapping):
        return same_for_all(spec, _read_word(groups))
    given = {_read_factor(spec, name): _read_word(word) for name, word in groups.items()}
    if len(given) < len(groups):
        raise AnswerError(f"groups={dict(groups)!r}: a grouping factor is named twice.")
    return {**same_for_all(spec, Reading.OBSERVED), **given}


def _read_word(word: Any) -> Reading:
    if not isinstance(word, str) or word not in GROUPS:
        raise AnswerError(
            f"groups={word!r}: 'observed' takes each row's own group, 'typical' effects at zero, 'new' one unseen "
            "group, 'population' the mean over all groups."
        )
    return Reading(word)


def _read_factor(spec: ModelSpec, name: Any) -> str:
    known = spec.cells.groupings
    factor = canonical(name) if isinstance(name, str) else name
    if factor not in known:
        there = f" The factors are {enumerate_names([*known])}." if known else " The model has none."
        raise AnswerError(f"groups: {name!r} is no grouping factor.{did_you_mean(str(name), known)}{there}")
    return str(factor)


def in_words(groups: Any) -> str:
    """``groups=`` for captions: the word for all grouping factors, or one for each that is named."""
    if isinstance(groups, Mapping):
        return ", ".join(f"{name} {word}" for name, word in groups.items()) or Reading.OBSERVED.value
    return str(groups)


@dataclass(frozen=True, eq=False)
class GroupsOfRows:
    """The level of each row of a grouping factor, or -1, -2, … for the first, second, … of those that are `new`."""

    codes: np.ndarray
    new: tuple[str, ...] = ()

    def part(self, rows: slice) -> GroupsOfRows:
        """Some of the rows."""
        return GroupsOfRows(self.codes[rows], self.new)


def groups_of_data(spec: ModelSpec, groups: Groups, frame: pd.DataFrame) -> Groups:
    """How the groups of the rows of `data=` are read.

    New ones are those that rows name: the fitted ones among them keep their effects, the others are drawn. Rows without
    any grouping column are in one unseen group.

    Raises
    ------
    AnswerError
        If groups are to be new and the fitted data had every one of them.
    """
    new = [grouping for name, grouping in spec.cells.groupings.items() if groups[name] is Reading.NEW]
    named = [grouping for grouping in new if not set(grouping.columns).isdisjoint(frame.columns)]
    if not named:
        return groups
    if all((known_codes_or_new(grouping, frame) >= 0).all() for grouping in new):
        columns = dict.fromkeys(name for grouping in named for name in grouping.columns)
        raise AnswerError(
            f"groups='new', but the fitted data had every group of data=. Leave {enumerate_names(columns)} out of "
            "data= for one unseen group, or say groups='observed' for the effects of those that are known."
        )
    return {name: Reading.KNOWN_OR_NEW if reading is Reading.NEW else reading for name, reading in groups.items()}


def known_codes_or_new(grouping: Grouping, frame: pd.DataFrame) -> np.ndarray:
    """The level of each row, -1 where the fitted data did not have it or the rows do not say."""
    if set(grouping.columns) <= set(frame.columns):
        return grouping.codes(frame)
    return np.full(len(frame), -1)


def new_levels(grouping: Grouping, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each new group among the rows: a text that tells it from others, and its rows.

    Rows that do not say all of a crossed factor are told apart by what they say.
    """
    columns = [name for name in grouping.columns if name in frame]
    new = np.flatnonzero(known_codes_or_new(grouping, frame) < 0)
    if not len(new):
        return
    labels = [as_levels(pd.Index(frame[name].iloc[new])) for name in columns]
    texts = np.array(
        [repr(combination) for combination in zip(*labels, strict=True)] if labels else [""] * len(new), dtype=object
    )
    number = pd.factorize(texts)[0]
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number))
    for first, rows in zip(first_of(number), np.split(order, ends[:-1]), strict=True):
        yield str(texts[first]), new[rows]


def known_codes(grouping: Grouping, frame: pd.DataFrame) -> np.ndarray:
    """The level of each row, all of which the fitted data must have had."""
    codes = grouping.codes(frame)
    unseen = codes < 0
    if unseen.any():
        columns = list(grouping.columns)
        combos = frame.loc[unseen, columns].astype(str).agg(":".join, axis=1).unique()
        raise AnswerError(
            f"The fitted data has no {grouping.name} {enumerate_names(combos, 4)}, so there is no observed effect. "
            "Say groups='new' to draw effects for unseen groups, 'typical' or 'population'."
        )
    return codes


class TermEffects:
    """The effects of one group term; `place` tells it from the model's other group terms where groups are drawn.

    Designs have shape ``(rows, columns)``: a term adds to a row its row of the design times its group's effects.
    """

    def __init__(
        self, posterior: Posterior, term: GroupDesign, place: int, reading: Reading = Reading.OBSERVED
    ) -> None:  # fmt: skip
        self._posterior, self._term, self._place, self.reading = posterior, term, place, reading

    def groups_of(self, frame: pd.DataFrame) -> GroupsOfRows | None:
        """The groups of rows; None where they are given no effects.

        Raises
        ------
        AnswerError
            If they are read as observed, and a row's group was not in the fitted data.
        """
        grouping = self._term.grouping
        match self.reading:
            case Reading.TYPICAL | Reading.POPULATION:
                return None
            case Reading.NEW:
                return GroupsOfRows(np.full(len(frame), -1), ("",))
            case Reading.OBSERVED:
                return GroupsOfRows(known_codes(grouping, frame))
        codes, labels = known_codes_or_new(grouping, frame), []
        for place, (label, rows) in enumerate(new_levels(grouping, frame)):
            codes[rows] = -1 - place
            labels.append(label)
        return GroupsOfRows(codes, tuple(labels))

    def design(self, frame: pd.DataFrame, parameter: str = "mu") -> np.ndarray | None:
        """The group term's columns on `frame` in the linear predictor of a parameter; None if it has none there.

        Those of its effects in other predictors are 0.
        """
        effects = self._term.effects
        if all(effect.parameter != parameter for effect in effects):
            return None
        return np.hstack(
            [
                effect.block.matrix(frame) if effect.parameter == parameter
                else np.zeros((len(frame), len(effect.row_names)))
                for effect in effects
            ]
        )  # fmt: skip

    def add(self, total: np.ndarray, groups: GroupsOfRows, design: np.ndarray) -> None:
        """Add each row's group's effect to `total`, shape ``(rows, draws)``.

        That of a group which the fitted data did not have is one joint draw of it per posterior draw.
        """
        known = groups.codes >= 0
        if known.all():
            self._add_known(total, groups.codes, design)
            return
        if known.any():
            part = total[known]
            self._add_known(part, groups.codes[known], design[known])
            total[known] = part
        for place in np.unique(groups.codes[~known]):
            rows = groups.codes == place
            total[rows] += design[rows] @ self._drawn(groups.new[-1 - place]).T

    def covariance(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Covariance over the population of groups of what two designs take of the term, shape ``(rows, draws)``."""
        one, other = (np.einsum("rk,skj->rsj", design, self._factor) for design in (first, second))
        return np.einsum("rsj,rsj->rs", one, other)

    def _add_known(self, total: np.ndarray, codes: np.ndarray, design: np.ndarray) -> None:
        columns, codes = self._columns_of(codes)
        for place, draws in enumerate(columns):
            rows = np.flatnonzero(design[:, place])
            effects = draws[codes[rows]] if self._few_groups else draws[:, codes[rows]].T
            if (design[rows, place] != 1.0).any():
                effects = effects * design[rows, place, None]
            if len(rows) == len(codes):
                total += effects
            else:
                total[rows] += effects

    @property
    def _few_groups(self) -> bool:
        own = self._term.grouping
        return own.standing_for is None and own.size * len(self._term.row_names) * self._posterior.size <= SMALL

    def _columns_of(self, codes: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Draws of each column's effects, of all groups or those that are needed, and where each row's stand."""
        if self._few_groups or not self._posterior.draws_effects(self._term):
            return self._columns, codes
        levels, places = np.unique(codes, return_inverse=True)
        drawn = self._posterior.effects(self._term, levels)
        return [column for effects in drawn for column in np.moveaxis(effects, 2, 0)], places

    @cached_property
    def _columns(self) -> list[np.ndarray]:
        """Draws of each column's effects: ``(groups, draws)`` where groups are few, so that rows are read in one go."""
        columns = [column for effects in self._posterior.effects(self._term) for column in np.moveaxis(effects, 2, 0)]
        return [np.ascontiguousarray(column.T) for column in columns] if self._few_groups else columns

    @cached_property
    def _factor(self) -> np.ndarray:
        return covariance_factor(self._posterior, self._term)

    def _drawn(self, label: str) -> np.ndarray:
        """A group's effects, jointly normal in each draw, shape ``(draws, columns)``; always the same for its label."""
        normals = self._posterior.generator(1 + self._place, label).standard_normal(self._factor.shape[:2])
        return np.einsum("sij,sj->si", self._factor, normals)


def standard_deviations(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a group term's standard deviations, shape ``(draws, columns)``."""
    draws = posterior.size
    return np.hstack([posterior.values(effect.sd_name).reshape(draws, -1) for effect in term.effects])


def correlation_matrices(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a term's correlation matrix, shape ``(draws, columns, columns)``; the identity without correlations."""
    none = np.zeros((posterior.size, 0))
    return term.correlation_matrices(posterior.values(term.correlation_name) if term.correlated else none)


def covariance_factor(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a factor F of a group term's covariance matrix F F', shape ``(draws, columns, columns)``."""
    sds = standard_deviations(posterior, term)
    if not term.correlated:
        return sds[:, :, None] * np.eye(sds.shape[1])
    values, vectors = np.linalg.eigh(correlation_matrices(posterior, term))
    return sds[:, :, None] * vectors * np.sqrt(values.clip(min=0.0))[:, None, :]
