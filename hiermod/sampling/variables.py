"""From the engine's numbers to the variables of the public model, under Bambi's names and dims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign

if TYPE_CHECKING:
    from hiermod.engine.layout.problem import Factor, Problem, TermPlace

DIMS = ("chain", "draw")
Variables = dict[str, tuple[tuple[str, ...], np.ndarray]]


def posterior_of(problem: Problem, draws: np.ndarray) -> xr.Dataset:
    """All variables of a posterior.

    Parameters
    ----------
    draws : ndarray, shape (chain, draw, expanded)
        Common coefficients of the centred design, effects, single parameters.
    """
    coords: dict[str, list[str]] = {}
    found: Variables = _common(problem, draws, coords)
    hyperparameters = draws[:, :, problem.coefficients :]
    for place, hyperparameter in enumerate(problem.hyperparameters[problem.auxiliary :], start=problem.auxiliary):
        found[hyperparameter.name] = (DIMS, hyperparameters[:, :, place])
    for term in problem.spec.groups:
        factor, own = next((factor, own) for factor in problem.factors for own in factor.terms if own.term is term)
        found |= _spreads(own, hyperparameters, coords)
        found |= _effects(factor, own, draws, coords)
    places = {name: np.arange(size) for name, size in zip(DIMS, draws.shape[:2], strict=True)}
    return xr.Dataset(found, coords={**places, **coords})


def _common(problem: Problem, draws: np.ndarray, coords: dict[str, list[str]]) -> Variables:
    values = draws[:, :, : problem.common] @ problem.back.T
    found: Variables = {}
    for block in problem.spec.common.blocks:
        own = values[:, :, problem.spec.common.slices()[block.name]]
        if block.labels is None:
            found[block.name] = (DIMS, own[:, :, 0])
        else:
            coords[f"{block.name}_dim"] = list(block.labels)
            found[block.name] = ((*DIMS, f"{block.name}_dim"), own)
    return found


def _spreads(own: TermPlace, hyperparameters: np.ndarray, coords: dict[str, list[str]]) -> Variables:
    """Standard deviations of a group term's effects, and its correlations."""
    found: Variables = {}
    term, at = own.term, own.sds
    for effect in term.effects:
        size = len(effect.block.columns)
        dims, values = column_dims(own.term, effect.block, coords), hyperparameters[:, :, at : at + size]
        found[f"{effect.name}_sigma"] = ((*DIMS, *dims), values if dims else values[:, :, 0])
        at += size
    if term.correlated:
        name = term.correlation_name
        coords[f"{name}_dim"] = pair_names(term)
        partial = 2.0 * hyperparameters[:, :, own.partial : own.partial + len(term.pairs())] - 1.0
        found[name] = ((*DIMS, f"{name}_dim"), correlations(partial, len(term.row_names)))
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


def _effects(factor: Factor, own: TermPlace, draws: np.ndarray, coords: dict[str, list[str]]) -> Variables:
    found: Variables = {}
    dim, at = f"{factor.grouping.name}__factor_dim", own.first
    coords[dim] = [str(label) for label in factor.grouping.labels()]
    for effect in own.term.effects:
        size = len(effect.block.columns)
        first = factor.start + at * factor.groups
        values = draws[:, :, first : first + size * factor.groups]
        dims = column_dims(own.term, effect.block, coords)
        if dims:
            values = values.reshape(*values.shape[:2], size, factor.groups).swapaxes(2, 3)
        found[effect.name] = ((*DIMS, dim, *dims), values)
        at += size
    return found


def column_dims(term: GroupDesign, block: Block, coords: dict[str, list[str]]) -> tuple[str, ...]:
    """The dim of a varying effect's columns, as `hiermod.modeling.pymc.parts` names it."""
    if block.labels is None:
        return ()
    dim = f"{block.term.name}__expr_dim"
    if coords.setdefault(dim, list(block.labels)) != list(block.labels):
        dim = f"{block.term.name}|{term.grouping.name}__expr_dim"
        coords[dim] = list(block.labels)
    return (dim,)


def pair_names(term: GroupDesign) -> list[str]:
    """The labels of a group term's correlations."""
    return [f"{term.row_names[column]}, {term.row_names[row]}" for row, column in term.pairs()]
