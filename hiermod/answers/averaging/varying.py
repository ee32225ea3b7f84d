"""What a group term adds to the linear predictor, under each reading of ``groups=``."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from hiermod.answers.averaging.new_groups import GroupsOfRows
from hiermod.choices import GROUPS
from hiermod.errors import AnswerError
from hiermod.modeling.design import GroupDesign, GroupEffect
from hiermod.sampling.posterior import Posterior

SMALL = 2**24  # numbers of a group term's draws that are kept a second time, turned


def check_groups(groups: str) -> str:
    """Refuse an unknown reading of ``groups=``."""
    if groups not in GROUPS:
        raise AnswerError(
            f"groups={groups!r}: 'observed' takes each row's own group, 'typical' effects at zero, 'new' one unseen "
            "group, 'population' the mean over all groups."
        )
    return groups


class TermEffects:
    """The effects of one group term; `place` tells it from the model's other group terms where groups are drawn.

    Designs have shape ``(rows, columns)``: a term adds to a row its row of the design times its group's effects.
    """

    def __init__(self, posterior: Posterior, term: GroupDesign, place: int) -> None:
        self._posterior, self._term, self._place = posterior, term, place

    def design(self, frame: pd.DataFrame) -> np.ndarray:
        """All columns of the group term on `frame`."""
        return np.hstack([effect.block.matrix(frame) for effect in self._term.effects])

    def add(self, total: np.ndarray, groups: GroupsOfRows, design: np.ndarray) -> None:
        """Add each row's group's effect to `total`, shape ``(rows, draws)``.

        That of a group which the fitted data did not have is one joint draw of it per posterior draw.
        """
        known = groups.codes >= 0
        if known.all():
            self._add_known(total, groups.codes, design)
            return
        if known.any():
            own = total[known]
            self._add_known(own, groups.codes[known], design[known])
            total[known] = own
        for place in np.unique(groups.codes[~known]):
            rows = groups.codes == place
            total[rows] += design[rows] @ self._drawn(groups.new[-1 - place]).T

    def covariance(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Covariance over the population of groups of what two designs take of the term, shape ``(rows, draws)``."""
        one, other = (np.einsum("rk,skj->rsj", design, self._factor) for design in (first, second))
        return np.einsum("rsj,rsj->rs", one, other)

    def _add_known(self, total: np.ndarray, codes: np.ndarray, design: np.ndarray) -> None:
        for place, draws in enumerate(self._columns):
            rows = np.flatnonzero(design[:, place])
            own = draws[codes[rows]] if self._few_groups else draws[:, codes[rows]].T
            if (design[rows, place] != 1.0).any():
                own = own * design[rows, place, None]
            if len(rows) == len(codes):
                total += own
            else:
                total[rows] += own

    @property
    def _few_groups(self) -> bool:
        return self._term.grouping.size * len(self._term.row_names) * int(np.prod(self._posterior.shape)) <= SMALL

    @cached_property
    def _columns(self) -> list[np.ndarray]:
        """Draws of each column's effects: ``(groups, draws)`` where groups are few, so that rows are read in one go."""
        found = [own for effect in self._term.effects for own in self._draws_of(effect)]
        return [np.ascontiguousarray(own.T) for own in found] if self._few_groups else found

    def _draws_of(self, effect: GroupEffect) -> list[np.ndarray]:
        draws = self._posterior.values(effect.name)
        return [draws] if effect.block.labels is None else list(np.moveaxis(draws, 2, 0))

    @cached_property
    def _factor(self) -> np.ndarray:
        return covariance_factor(self._posterior, self._term)

    def _drawn(self, label: str) -> np.ndarray:
        """A group's effects, jointly normal in each draw, shape ``(draws, columns)``; always the same for its label."""
        normals = self._posterior.generator(1 + self._place, label).standard_normal(self._factor.shape[:2])
        return np.einsum("sij,sj->si", self._factor, normals)


def standard_deviations(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a group term's standard deviations, shape ``(draws, columns)``."""
    draws = int(np.prod(posterior.shape))
    return np.hstack([posterior.values(f"{effect.name}_sigma").reshape(draws, -1) for effect in term.effects])


def correlation_matrices(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a term's correlation matrix, shape ``(draws, columns, columns)``; the identity without correlations."""
    size = len(term.row_names)
    matrices = np.tile(np.eye(size), (int(np.prod(posterior.shape)), 1, 1))
    if term.correlated:
        correlations = posterior.values(term.correlation_name)
        for place, (row, column) in enumerate(term.pairs()):
            matrices[:, row, column] = matrices[:, column, row] = correlations[:, place]
    return matrices


def covariance_factor(posterior: Posterior, term: GroupDesign) -> np.ndarray:
    """Draws of a factor F of a group term's covariance matrix F F', shape ``(draws, columns, columns)``."""
    sds = standard_deviations(posterior, term)
    if not term.correlated:
        return sds[:, :, None] * np.eye(sds.shape[1])
    values, vectors = np.linalg.eigh(correlation_matrices(posterior, term))
    return sds[:, :, None] * vectors * np.sqrt(values.clip(min=0.0))[:, None, :]
