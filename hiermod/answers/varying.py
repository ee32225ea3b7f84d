"""What a bar adds to the linear predictor, under each reading of ``groups=``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.data.predictors import Grouping
from hiermod.errors import AnswerError, enumerate_names
from hiermod.modeling.design import VaryingBar
from hiermod.sampling.posterior import Posterior

GROUPS = ("observed", "typical", "new", "population")


def check_groups(groups: str) -> str:
    """Refuse an unknown reading of ``groups=``."""
    if groups not in GROUPS:
        raise AnswerError(
            f"groups={groups!r}: 'observed' takes each row's own group, 'typical' effects at zero, 'new' one unseen "
            "group, 'population' the mean over all groups."
        )
    return groups


def observed_effect(posterior: Posterior, bar: VaryingBar, frame: pd.DataFrame) -> np.ndarray:
    """Each row's own group's effect on the link scale, shape ``(rows, draws)``.

    Raises
    ------
    AnswerError
        If a row's group was not in the fitted data.
    """
    codes = known_codes(bar.grouping, frame)
    total = np.zeros((len(frame), int(np.prod(posterior.shape))))
    for effect in bar.effects:
        draws = posterior.values(effect.name)
        matrix = effect.block.matrix(frame)
        for column in range(matrix.shape[1]):
            own = draws[:, :, column] if effect.block.labels is not None else draws
            total += matrix[:, column, None] * own[:, codes].T
    return total


def known_codes(grouping: Grouping, frame: pd.DataFrame) -> np.ndarray:
    """The level of each row, all of which the fitted data must have had."""
    codes = grouping.codes(frame)
    unseen = codes < 0
    if unseen.any():
        columns = list(grouping.columns)
        combos = frame.loc[unseen, columns].astype(str).agg(":".join, axis=1).unique()
        raise AnswerError(
            f"The fitted data has no {grouping.name} {enumerate_names(combos, 4)}, so there is no observed effect. "
            "Say groups='new' for an unseen group, 'typical' or 'population'."
        )
    return codes


def new_effect(posterior: Posterior, bar: VaryingBar, place: int, frame: pd.DataFrame) -> np.ndarray:
    """The effect of one unseen group, one joint draw of it per posterior draw, shared by all rows."""
    factor = covariance_factor(posterior, bar)
    normals = posterior.generator(1 + place).standard_normal(factor.shape[:2])
    effects = np.einsum("sij,sj->si", factor, normals)
    return bar_matrix(bar, frame) @ effects.T


def population_variance(posterior: Posterior, bar: VaryingBar, frame: pd.DataFrame) -> np.ndarray:
    """Variance over the population of groups of what a bar adds to each row, shape ``(rows, draws)``."""
    spread = np.einsum("rk,skj->rsj", bar_matrix(bar, frame), covariance_factor(posterior, bar))
    return (spread**2).sum(axis=2)


def bar_matrix(bar: VaryingBar, frame: pd.DataFrame) -> np.ndarray:
    """All columns of a bar on `frame`, shape ``(rows, columns)``."""
    return np.hstack([effect.block.matrix(frame) for effect in bar.effects])


def standard_deviations(posterior: Posterior, bar: VaryingBar) -> np.ndarray:
    """Draws of a bar's standard deviations, shape ``(draws, columns)``."""
    draws = int(np.prod(posterior.shape))
    return np.hstack([posterior.values(f"{effect.name}_sigma").reshape(draws, -1) for effect in bar.effects])


def correlation_matrices(posterior: Posterior, bar: VaryingBar) -> np.ndarray:
    """Draws of a bar's correlation matrix, shape ``(draws, columns, columns)``; the identity without correlations."""
    size = len(bar.row_names)
    matrices = np.tile(np.eye(size), (int(np.prod(posterior.shape)), 1, 1))
    if bar.correlated:
        correlations = posterior.values(bar.correlation_name)
        for place, (row, column) in enumerate(bar.pairs()):
            matrices[:, row, column] = matrices[:, column, row] = correlations[:, place]
    return matrices


def covariance_factor(posterior: Posterior, bar: VaryingBar) -> np.ndarray:
    """Draws of a factor F of a bar's covariance matrix F F', shape ``(draws, columns, columns)``."""
    sds = standard_deviations(posterior, bar)
    if not bar.correlated:
        return sds[:, :, None] * np.eye(sds.shape[1])
    values, vectors = np.linalg.eigh(correlation_matrices(posterior, bar))
    return sds[:, :, None] * vectors * np.sqrt(values.clip(min=0.0))[:, None, :]
