"""Builds the `pm.Model` of a spec: priors, linear predictor, likelihood of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hiermod.families.record import scaled
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.pools import beta_shapes
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.pymc.likelihood import likelihood
from hiermod.modeling.pymc.parts import (
    coefficient,
    group_effect,
    informed_columns,
    own_coefficients,
    register_correlations,
    register_dims,
    scalar,
)
from hiermod.modeling.pymc.priors import distribution
from hiermod.modeling.pymc.thresholds import thresholds
from hiermod.modeling.spec import Spec

MAX_WRITTEN_OUT = 6
ROOT_HALF = float(np.sqrt(0.5))
INVERSES: dict[str, Callable[[Any], Any]] = {  # of links of parameters beside the mean, in PyTensor
    "log": pt.exp,
    "logit": pt.sigmoid,
    "probit": lambda eta: 0.5 * pt.erfc(-ROOT_HALF * eta),
    "cloglog": lambda eta: -pt.expm1(-pt.exp(eta)),
    "identity": lambda eta: eta,
}


def build_model(spec: ModelSpec, informed: tuple[np.ndarray, ...] | None = None) -> pm.Model:
    """Build the PyMC model of a spec; groups are integer codes, never indicators.

    For a sampler, `informed` tells for each term which columns are registered by the groups' own coefficients; the
    posterior is the same.
    """
    if isinstance(spec, PooledSpec):
        return _pooled(spec)
    assert isinstance(spec, Spec)
    rows = observe(spec.cells)
    with pm.Model(coords={"__obs__": np.arange(len(spec.cells))}) as model:
        for predictor in spec.predictors.values():
            for block in predictor.common.blocks:
                coefficient(spec, block.name)
        varying = _varying_parts(spec, rows, informed)
        eta = {
            name: _common_part(predictor, rows) + varying[name] + rows.offset(predictor.offsets, name)
            for name, predictor in spec.predictors.items()
        }
        own = [
            pt.broadcast_to(INVERSES[spec.predictors[name].link.name](eta[name]), (len(rows),))
            if name in spec.predictors
            else scalar(spec, name)
            for name in (own.name for own in spec.family.single)
        ]
        own = [*thresholds(spec), *own]
        auxiliary = scaled(own, spec.shape_exposure(spec.cells.frame))
        likelihood(spec.formula.response.name, spec.family, rows, eta["mu"], auxiliary)
    return model


def build_for_sampling(spec: ModelSpec) -> pm.Model:
    """The model in the coordinates that suit its data."""
    if isinstance(spec, Spec) and len(spec.predictors) == 1:
        return build_model(spec, informed_columns(spec))
    return build_model(spec)


def _pooled(spec: PooledSpec) -> pm.Model:
    """The model of two parameters (a stratum): beta-binomial or negative binomial totals of the groups."""
    coords = {"__obs__": [str(label) for label in spec.grouping.labels()]}
    dims = None if spec.strata is None else spec.variables()[0].dims
    if dims:
        coords[dims[0]] = spec.stratum_names
    with pm.Model(coords=coords) as model:
        mean, size = _hyperparameters(spec, dims)
        if dims:
            mean, size = mean[spec.stratum], size[spec.stratum]
        observed, name = spec.events.astype(np.int64), spec.formula.response.name
        if spec.pool.name == "beta":
            a, b = beta_shapes(mean, size)
            trials = spec.exposure.astype(np.int64)
            pm.BetaBinomial(name, n=trials, alpha=a, beta=b, observed=observed, dims="__obs__")
        else:
            pm.NegativeBinomial(name, mu=mean * spec.exposure, alpha=size, observed=observed, dims="__obs__")
    return model


def _hyperparameters(spec: PooledSpec, dims: tuple[str, ...] | None) -> tuple[Any, Any]:
    """The mean and the size of the rates' distribution, registered with the spread."""
    hyperprior = spec.hyperprior
    if hyperprior.fixed is not None:
        shape = (len(spec.stratum_names),) if dims else ()
        return np.full(shape, hyperprior.fixed[0]), np.full(shape, hyperprior.fixed[1])
    if hyperprior.shapes is not None:
        a, b = (distribution([prior], key, dims=dims) for key, prior in zip("ab", hyperprior.shapes, strict=True))
        pm.Deterministic(SPREAD, (a + b) ** -0.5, dims=dims)
        return pm.Deterministic(MEAN, a / (a + b), dims=dims), a + b
    if hyperprior.rate is not None:
        mean = distribution([hyperprior.rate], MEAN, dims=dims)
    elif spec.pool.name == "beta":
        mean = pm.Uniform(MEAN, 0.0, 1.0, dims=dims)
    else:
        mean = pm.Deterministic(MEAN, pt.exp(pm.Flat(f"log_{MEAN}", dims=dims)), dims=dims)
    if hyperprior.spread is None:
        return mean, pm.HalfFlat(SPREAD, dims=dims) ** -2
    size = distribution([hyperprior.spread], "size", dims=dims)
    pm.Deterministic(SPREAD, size**-0.5, dims=dims)
    return mean, size


def _common_part(predictor: LinearPredictor, rows: Observed) -> Any:
    """The common terms' part, without a matrix product: compiling one takes seconds."""
    model, blocks = pm.modelcontext(None), predictor.common.blocks
    if not blocks:
        return np.zeros(len(rows))
    if len(blocks) <= MAX_WRITTEN_OUT and not any(block.labels for block in blocks):
        return sum(_times(rows.matrix(block)[:, 0], model[block.name]) for block in blocks)
    matrix = np.hstack([rows.matrix(block) for block in blocks])
    coefficients = pt.concatenate([pt.atleast_1d(model[block.name]) for block in blocks])
    return (matrix * coefficients).sum(axis=1)


def _times(column: np.ndarray, value: Any) -> Any:
    return value if (column == 1.0).all() else column * value


def _varying_parts(spec: Spec, rows: Observed, informed: tuple[np.ndarray, ...] | None) -> dict[str, Any]:
    """What the effects of groups add to each linear predictor."""
    totals: dict[str, Any] = dict.fromkeys(spec.predictors, 0.0)
    shared: set[str] = set()
    for place, term in enumerate(spec.groups):
        codes = rows.codes(term.grouping)
        chosen = informed[place] if informed else np.zeros(0, dtype=bool)
        effects = _own_coefficients(spec, term, chosen, shared) if chosen.any() else _group_effects(spec, term)
        for effect, value in zip(term.effects, effects, strict=True):
            matrix, several = rows.matrix(effect.block), effect.block.labels is not None
            part = (value[codes] * matrix).sum(axis=1) if several else _times(matrix[:, 0], value[codes])
            totals[effect.parameter] = totals[effect.parameter] + part
    return totals


def _group_effects(spec: Spec, term: GroupDesign) -> list[Any]:
    _correlate(spec, term)
    return [group_effect(spec, term, index, _sigma(spec, term, index)) for index in range(len(term.effects))]


def _own_coefficients(spec: Spec, term: GroupDesign, informed: np.ndarray, shared: set[str]) -> list[Any]:
    _correlate(spec, term)
    sigmas = [_sigma(spec, term, index) for index in range(len(term.effects))]
    return own_coefficients(spec, term, informed, sigmas, shared)


def _correlate(spec: Spec, term: GroupDesign) -> None:
    if term.correlated:
        register_correlations(spec, term)


def _sigma(spec: Spec, term: GroupDesign, index: int) -> Any:
    effect = term.effects[index]
    dims = register_dims(spec.variable(effect.sd_name))
    return distribution(spec.priors[effect.sd_name], effect.sd_name, dims=dims)
