"""The log likelihood of all data in each draw, from cells, up to a constant."""

from __future__ import annotations

import numpy as np

from hiermod.answers.expectation import BLOCK
from hiermod.answers.observation_density import LARGEST_EXPONENT, log_density
from hiermod.data.statistics import BinomialCells, CountCells, PairCells, RealCells, ValueCells
from hiermod.modeling.observed import Observed, observe
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior


def log_likelihood(posterior: Posterior) -> np.ndarray:
    """Shape ``(draws,)``; sufficient statistics of cells serve, so that the rows need not be known."""
    spec = posterior.spec
    assert isinstance(spec, Spec)
    rows = observe(spec.cells)
    draws = int(np.prod(posterior.shape))
    auxiliary = [posterior.values(name) for name in spec.family.auxiliary]
    predictor = _Predictor(posterior, spec, rows)
    step = max(1, BLOCK // draws)
    total = np.zeros(draws)
    for start in range(0, len(rows), step):
        chosen = slice(start, min(start + step, len(rows)))
        for row, own in enumerate(predictor.of(chosen), start=start):
            total += _row(spec, rows, row, own, auxiliary)
    return total


class _Predictor:
    """The linear predictor of rows of a density; rows of a factor hold what deviates from means."""

    def __init__(self, posterior: Posterior, spec: Spec, rows: Observed) -> None:
        draws = int(np.prod(posterior.shape))
        self._offset = rows.offset(spec.formula)
        self._common = [
            (rows.matrix(block), posterior.values(block.name).reshape(draws, -1)) for block in spec.common.blocks
        ]
        self._varying = [
            (rows.matrix(effect.block), rows.codes(bar.grouping),
             posterior.values(effect.name).reshape(draws, bar.grouping.size, -1))
            for bar in spec.bars for effect in bar.effects
        ]  # fmt: skip
        self._draws = draws

    def of(self, chosen: slice) -> np.ndarray:
        """Of some rows, shape ``(rows, draws)``."""
        total = np.tile(self._offset[chosen, None], (1, self._draws))
        for matrix, coefficients in self._common:
            total += matrix[chosen] @ coefficients.T
        for matrix, codes, effects in self._varying:
            total += np.einsum("rk,srk->rs", matrix[chosen], effects[:, codes[chosen]])
        return total


def _row(spec: Spec, rows: Observed, row: int, predictor: np.ndarray, auxiliary: list[np.ndarray]) -> np.ndarray:
    response, family = spec.cells.response, spec.family
    match response:
        case BinomialCells(successes=successes, trials=trials):
            return log_density(family, np.array([successes[row], trials[row]]), predictor)
        case CountCells(total=total, exposure=exposure):
            return total[row] * predictor - exposure[row] * np.exp(np.minimum(predictor, LARGEST_EXPONENT))
        case ValueCells(value=value, count=count):
            return count[row] * log_density(family, value[row : row + 1], predictor, auxiliary)
        case PairCells(successes=successes, trials=trials, count=count):
            return count[row] * log_density(family, np.array([successes[row], trials[row]]), predictor, auxiliary)
    assert isinstance(response, RealCells)
    (sigma,) = auxiliary
    if row >= len(response.mean):  # a row of the factor of a cell's cross-products, which counts no further response
        return -0.5 * ((rows.response[row - len(response.mean)] - predictor) / sigma) ** 2
    squares = response.count[row] * (response.mean[row] - predictor) ** 2
    if not rows.factor.shape[1]:
        squares = squares + response.within[row]
    return -0.5 * squares / sigma**2 - response.count[row] * np.log(sigma)
