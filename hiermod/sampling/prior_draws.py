"""Draws from the prior, as a posterior of no data would be: independent, by NumPy, without compiling anything."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from hiermod.errors import ModelError, SamplingError
from hiermod.families.record import THRESHOLDS
from hiermod.memory import NUMBER, refuse_beyond, room
from hiermod.modeling import model_priors
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.monotonic import draw_shares
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.protocol import ModelSpec, Values, dataset_of, split
from hiermod.modeling.spec import Spec
from hiermod.modeling.thresholds import draw_thresholds
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings, fresh_seed

COPIES = 3  # of a draw, while effects are made of standard normals


def sample_prior(spec: ModelSpec, draws: Any, seed: int | None) -> Posterior:
    """Draw every parameter from its prior, the effects of groups from their population; one chain.

    Raises
    ------
    ModelError
        If the prior is improper, as that of ``pooling="beta"``, or not known here.
    SamplingError
        If `draws` or `seed` is out of range, or the draws would not fit in memory.
    """
    model_priors.require_proper(spec, "Draws from the prior")
    settings = Settings(draws, None, 1, None, fresh_seed() if seed is None else seed, None)
    rng = np.random.default_rng([settings.seed or 0, 2000])
    if isinstance(spec, PooledSpec):
        return _of_pooled(spec, settings, rng)
    assert isinstance(spec, Spec)
    if spec.family.link.is_bounded:
        raise ModelError(
            f"Draws from the prior: under the {spec.family.link.name} link the data's rows bound the coefficients, "
            "which priors by themselves do not. Draw from the model with another link."
        )
    _refuse_large(spec, settings.draws)
    found = _common(spec, settings.draws, rng)
    if spec.family.entries:
        found[THRESHOLDS] = _thresholds(spec, found, settings.draws, rng)
    for name in (name for name in spec.scalars if name not in found):
        found[name] = model_priors.draw(spec.priors[name], rng, settings.draws)[:, 0]
    for term in spec.groups:
        found |= _of_group(spec, term, settings.draws, rng)
    alone = replace(spec, prior_alone=True)
    return _posterior(alone, {name: values[None] for name, values in found.items()}, settings)


def _posterior(spec: ModelSpec, values: Values, settings: Settings) -> Posterior:
    dataset = dataset_of(spec.variables(), values)
    tree = xr.DataTree.from_dict({"posterior": dataset, "sample_stats": xr.Dataset()})
    return Posterior(spec, tree, settings, diagnose(tree), informed=False)


def _of_pooled(spec: PooledSpec, settings: Settings, rng: np.random.Generator) -> Posterior:
    """Hyperparameters of each stratum, and rates of groups that have no data yet."""
    none = np.zeros(spec.grouping.size)
    spec = replace(spec, events=none, exposure=none)
    shape = (1, settings.draws) if spec.strata is None else (1, settings.draws, spec.strata.size)
    mean, size = spec.hyperprior.draw(rng, shape)
    values = {MEAN: mean, SPREAD: size**-0.5}
    return _posterior(spec, values | spec.derived(values, settings.seed or 0), settings)


def _refuse_large(spec: Spec, draws: int) -> None:
    each = NUMBER * COPIES * sum(math.prod(variable.shape) for variable in spec.variables())
    fitting = int(room() // max(each, 1))
    remedy = f"draws={fitting} would fit" if fitting >= 1 else "fewer groups are needed"
    refuse_beyond(draws * each, f"{draws:,} draws of {each // (NUMBER * COPIES):,} numbers", remedy, SamplingError)


def _common(spec: Spec, draws: int, rng: np.random.Generator) -> Values:
    """Coefficients of the centred design from their priors, mapped to the user's coding."""
    design = spec.coefficients
    if not design.blocks:
        return {}
    centred = np.hstack([model_priors.draw(spec.priors[block.name], rng, draws) for block in design.blocks])
    spreads = {}
    for smooth in spec.smooths:
        sds = model_priors.draw(spec.priors[smooth.sd_name], rng, draws)
        spreads[smooth.sd_name] = sds if smooth.levels else sds[:, 0]
        for curve in smooth.curves:
            centred[:, curve.wiggles] *= sds[:, curve.place, None]
    wholes: Values = {}
    for together in spec.shrunk:
        shared = together.draw(rng, draws)
        if together.by_sigma and "sigma" not in wholes:
            wholes["sigma"] = model_priors.draw(spec.priors["sigma"], rng, draws)[:, 0]
        centred[:, together.places] *= together.spreads(shared.__getitem__, wholes.get("sigma", 1.0))
        wholes |= shared
    for own in spec.monotonic:
        whole = model_priors.draw(spec.priors[own.name], rng, draws)
        shares = draw_shares(spec.priors[own.shares_name], own, rng, draws)
        centred[:, own.first : own.first + shares.shape[1]] = own.of_steps(whole, shares)
        wholes |= {own.name: whole if own.steps.labels else whole[:, 0], own.shares_name: shares}
    values = np.linalg.solve(np.eye(len(design.shift)) + design.shift, centred.T).T
    return split(values, design.blocks, [block.name for block in design.blocks]) | spreads | wholes


def _thresholds(spec: Spec, found: Values, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Thresholds of ordered categories from their prior, mapped to the user's coding."""
    coefficients = [found[block.name].reshape(draws, -1) for block in spec.coefficients.blocks]
    centred = draw_thresholds(spec.family, spec.priors[THRESHOLDS], rng, draws)
    return np.asarray(centred + np.hstack([np.empty((draws, 0)), *coefficients]) @ spec.threshold_moves)


def _of_group(spec: Spec, term: GroupDesign, draws: int, rng: np.random.Generator) -> Values:
    """A group term's standard deviations, its correlations, and its effects: multivariate normal given both."""
    size, blocks = len(term.row_names), term.blocks
    sds = np.hstack([model_priors.draw(spec.priors[effect.sd_name], rng, draws) for effect in term.effects])
    found = split(sds, blocks, [effect.sd_name for effect in term.effects])
    factor = np.eye(size)[None]
    if term.correlated:
        partial = model_priors.draw_partial_correlations(spec.priors[term.correlation_name][0], size, rng, draws)
        factor = model_priors.cholesky_factors(partial, size)
        found[term.correlation_name] = model_priors.correlations(partial, size)
    normals = rng.standard_normal((draws, term.grouping.size, size))
    effects = normals @ (sds[:, :, None] * factor).swapaxes(1, 2)
    return found | split(effects, blocks, [effect.name for effect in term.effects])
