"""From the engine's numbers to the variables of the public model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hiermod.modeling.variables import dataset_of, split

if TYPE_CHECKING:
    from hiermod.engine.layout.problem import Factor, Problem, TermPlace

Values = dict[str, np.ndarray]


def posterior_of(problem: Problem, draws: np.ndarray) -> xr.Dataset:
    """All variables of a posterior.

    Parameters
    ----------
    draws : ndarray, shape (chain, draw, expanded)
        Common coefficients of the centred design, effects, single parameters.
    """
    found = _common(problem, draws)
    hyperparameters = draws[:, :, problem.coefficients :]
    for place, hyperparameter in enumerate(problem.hyperparameters[problem.auxiliary :], start=problem.auxiliary):
        found[hyperparameter.name] = hyperparameters[:, :, place]
    for factor in problem.factors:
        for own in factor.terms:
            found |= _spreads(own, hyperparameters) | _effects(factor, own, draws)
    return dataset_of(problem.spec.variables(), found)


def _common(problem: Problem, draws: np.ndarray) -> Values:
    blocks = problem.spec.common.blocks
    return split(draws[:, :, : problem.common] @ problem.back.T, blocks, [block.name for block in blocks])


def _spreads(own: TermPlace, hyperparameters: np.ndarray) -> Values:
    """Standard deviations of a group term's effects, and its correlations."""
    term, size, names = own.term, own.columns, [effect.sd_name for effect in own.term.effects]
    found = split(hyperparameters[:, :, own.sds : own.sds + size], term.blocks, names)
    if term.correlated:
        partial = 2.0 * hyperparameters[:, :, own.partial : own.partial + len(term.pairs())] - 1.0
        found[term.correlation_name] = correlations(partial, size)
    return found


def correlations(partial: np.ndarray, size: int) -> np.ndarray:
    """Correlations of canonical partial ones, both by rows of the lower triangle; shape ``(..., pairs)``."""
    factor = cholesky_factors(partial, size)
    rows, columns = np.tril_indices(size, -1)
    return np.einsum("...pk,...pk->...p", factor[..., rows, :], factor[..., columns, :])


def cholesky_factors(partial: np.ndarray, size: int) -> np.ndarray:
    """Lower Cholesky factors of correlation matrices, from canonical partial correlations; ``(..., size, size)``."""
    factor = np.zeros((*partial.shape[:-1], size, size))
    rest = np.ones((*partial.shape[:-1], size))
    place = 0
    for row in range(size):
        for column in range(row):
            factor[..., row, column] = partial[..., place] * rest[..., row]
            rest[..., row] *= np.sqrt(1.0 - partial[..., place] ** 2)
            place += 1
        factor[..., row, row] = rest[..., row]
    return factor


def _effects(factor: Factor, own: TermPlace, draws: np.ndarray) -> Values:
    first = factor.start + own.first * factor.groups
    values = draws[:, :, first : first + own.columns * factor.groups]
    by_group = values.reshape(*values.shape[:2], own.columns, factor.groups).swapaxes(2, 3)
    return split(by_group, own.term.blocks, [effect.name for effect in own.term.effects])
