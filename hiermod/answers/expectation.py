"""Expected response and linear predictor of rows, draw by draw, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from hiermod.answers.integration import population_mean
from hiermod.answers.rows import per_exposure
from hiermod.answers.varying import check_groups, known_codes, new_effect, observed_effect, population_variance
from hiermod.modeling.beta_pooling import MEAN, SPREAD, BetaSpec
from hiermod.modeling.design import offset
from hiermod.modeling.links import LINKS, Link
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

BLOCK = 1_000_000


class Expectation(Protocol):
    """Draws for rows of predictors and groups, shape ``(rows, draws)``."""

    link: Link

    def response(self, frame: pd.DataFrame) -> np.ndarray:
        """The expected response (a rate, a mean, a count per unit of exposure)."""
        ...

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """The linear predictor, on the link scale."""
        ...


def expectation(posterior: Posterior, groups: str, exposed: bool = False) -> Expectation:
    """The expectation under a model, with one reading of ``groups=``.

    On a log link it is per unit of exposure, unless rows are `exposed`: then their offsets count.
    """
    check_groups(groups)
    if isinstance(posterior.spec, BetaSpec):
        return BetaExpectation(posterior, posterior.spec, groups)
    return LinearExpectation(posterior, posterior.spec, groups, exposed)


class LinearExpectation:
    """Of a hierarchical generalized linear model."""

    def __init__(self, posterior: Posterior, spec: Spec, groups: str, exposed: bool) -> None:
        self._posterior, self._spec, self._groups = posterior, spec, groups
        self._with_offset = exposed or not per_exposure(spec)
        self.link = spec.family.link

    def response(self, frame: pd.DataFrame) -> np.ndarray:
        """Expected response, shape ``(rows, draws)``."""
        if self._groups == "population" and self._spec.bars:
            variance = sum(population_variance(self._posterior, bar, frame) for bar in self._spec.bars)
            return population_mean(self.link, self._common(frame), np.asarray(variance))
        return self.link.inverse(self.predictor(frame))

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """Linear predictor, shape ``(rows, draws)``; its mean over the population is the typical group's."""
        total = self._common(frame)
        for place, bar in enumerate(self._spec.bars):
            if self._groups == "observed":
                total += observed_effect(self._posterior, bar, frame)
            elif self._groups == "new":
                total += new_effect(self._posterior, bar, place, frame)
        return total

    def _common(self, frame: pd.DataFrame) -> np.ndarray:
        draws = int(np.prod(self._posterior.shape))
        total = np.zeros((len(frame), draws))
        for block in self._spec.common.blocks:
            total += block.matrix(frame) @ self._posterior.values(block.name).reshape(draws, -1).T
        if self._with_offset:
            total += offset(self._spec.formula, frame)[:, None]
        return total


class BetaExpectation:
    """Of rates from one Beta(a, b): typical and population are its mean, new is a draw from it."""

    def __init__(self, posterior: Posterior, spec: BetaSpec, groups: str) -> None:
        self._posterior, self._spec, self._groups = posterior, spec, groups
        self.link = LINKS["logit"]

    def response(self, frame: pd.DataFrame) -> np.ndarray:
        """Rates, shape ``(rows, draws)``."""
        if self._groups == "observed":
            return self._posterior.values(self._spec.rate_name)[:, known_codes(self._spec.grouping, frame)].T
        mean = self._posterior.values(MEAN)
        if self._groups == "new":
            size = self._posterior.values(SPREAD) ** -2
            mean = self._posterior.generator(1).beta(mean * size, (1.0 - mean) * size)
        return np.tile(mean, (len(frame), 1))

    def predictor(self, frame: pd.DataFrame) -> np.ndarray:
        """Log odds of the rates, shape ``(rows, draws)``."""
        return self.link.forward(self.response(frame))


def in_blocks(frame: pd.DataFrame, draws: int) -> Iterator[pd.DataFrame]:
    """Cut a frame so that a block's array of draws stays small."""
    size = max(1, BLOCK // max(draws, 1))
    for start in range(0, len(frame), size):
        yield frame.iloc[start : start + size]


def averages(
    posterior: Posterior, groups: str, frame: pd.DataFrame, weight: np.ndarray, cell: np.ndarray, count: int,
    scale: str = "response",
) -> np.ndarray:  # fmt: skip
    """Weighted averages over rows within each draw, shape ``(count, draws)``; `cell` says which one a row enters."""
    model = expectation(posterior, groups)
    draws = int(np.prod(posterior.shape))
    share = weight / np.bincount(cell, weight, count)[cell]
    to_cells = sparse.csr_array((share, (cell, np.arange(len(frame)))), shape=(count, len(frame))).tocsc()
    total = np.zeros((count, draws))
    place = 0
    for block in in_blocks(frame, draws):
        values = model.response(block) if scale == "response" else model.predictor(block)
        total += to_cells[:, place : place + len(block)] @ values
        place += len(block)
    return total
