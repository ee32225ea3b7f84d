"""Draws from the prior, as a posterior of no data would be: independent, by NumPy, without compiling anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hiermod.errors import SamplingError
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.model_priors import draw, draw_partial_correlations, with_proper_priors
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings, fresh_seed
from hiermod.sampling.variables import DIMS, Variables, cholesky_factors, column_dims, correlations, pair_names

LARGEST = 100_000_000  # numbers of varying effects


def sample_prior(spec: Spec | BetaSpec, draws: Any, seed: int | None) -> Posterior:
    """Draw every parameter from its prior, the effects of groups from their population; one chain.

    Raises
    ------
    ModelError
        If the prior is improper, as that of ``pooling="beta"``, or not known here.
    SamplingError
        If `draws` or `seed` is out of range, or the draws would not fit in memory.
    """
    spec = with_proper_priors(spec, "Draws from the prior")
    settings = Settings(draws, None, 1, None, fresh_seed() if seed is None else seed, None)
    _refuse_large(spec, settings.draws)
    rng = np.random.default_rng([settings.seed or 0, 2000])
    coords: dict[str, Any] = {"chain": [0], "draw": np.arange(settings.draws)}
    found = _common(spec, settings.draws, rng, coords)
    for name in spec.family.auxiliary:
        found[name] = (DIMS, draw(spec.priors[name], rng, settings.draws).T)
    for term in spec.groups:
        found |= _of_group(spec, term, settings.draws, rng, coords)
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(found, coords=coords), "sample_stats": xr.Dataset()})
    return Posterior(spec, tree, settings, diagnose(tree))


def _refuse_large(spec: Spec, draws: int) -> None:
    numbers = draws * sum(term.grouping.size * len(term.row_names) for term in spec.groups)
    if numbers > LARGEST:
        raise SamplingError(
            f"draws={draws:,}: with these groups that is {numbers:,} numbers, more than {LARGEST:,}. "
            f"Ask for at most {max(draws * LARGEST // numbers, 1):,} draws."
        )


def _common(spec: Spec, draws: int, rng: np.random.Generator, coords: dict[str, Any]) -> Variables:
    """Coefficients of the centred design from their priors, mapped to the user's coding."""
    design = spec.common
    if not design.blocks:
        return {}
    centred = np.hstack([draw(spec.priors[block.name], rng, draws) for block in design.blocks])
    values = np.linalg.solve(np.eye(len(design.shift)) + design.shift, centred.T).T
    found: Variables = {}
    for block in design.blocks:
        own = values[None, :, design.slices()[block.name]]
        if block.labels is not None:
            coords[f"{block.name}_dim"] = list(block.labels)
        found[block.name] = (DIMS, own[..., 0]) if block.labels is None else ((*DIMS, f"{block.name}_dim"), own)
    return found


def _of_group(spec: Spec, term: GroupDesign, draws: int, rng: np.random.Generator, coords: dict[str, Any]) -> Variables:
    """A group term's standard deviations, its correlations, and its effects: multivariate normal given both."""
    found: Variables = {}
    size, sds = len(term.row_names), []
    for effect in term.effects:
        sds.append(draw(spec.priors[f"{effect.name}_sigma"], rng, draws))
        dims = column_dims(term, effect.block, coords)
        found[f"{effect.name}_sigma"] = ((*DIMS, *dims), sds[-1][None] if dims else sds[-1].T)
    factor = np.eye(size)[None]
    if term.correlated:
        name = term.correlation_name
        partial = draw_partial_correlations(spec.priors[name][0], size, rng, draws)
        factor = cholesky_factors(partial, size)
        coords[f"{name}_dim"] = pair_names(term)
        found[name] = ((*DIMS, f"{name}_dim"), correlations(partial, size)[None])
    normals = rng.standard_normal((draws, term.grouping.size, size))
    effects = normals @ (np.hstack(sds)[:, :, None] * factor).swapaxes(1, 2)
    return found | _effects(term, effects, coords)


def _effects(term: GroupDesign, effects: np.ndarray, coords: dict[str, Any]) -> Variables:
    dim = f"{term.grouping.name}__factor_dim"
    coords[dim] = [str(label) for label in term.grouping.labels()]
    found: Variables = {}
    at = 0
    for effect in term.effects:
        own = effects[None, :, :, at : at + len(effect.block.columns)]
        dims = column_dims(term, effect.block, coords)
        found[effect.name] = ((*DIMS, dim, *dims), own if dims else own[..., 0])
        at += len(effect.block.columns)
    return found
