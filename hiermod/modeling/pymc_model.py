"""Builds the `pm.Model` of a spec: priors, linear predictor, likelihood of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hiermod.modeling.design import VaryingBar
from hiermod.modeling.likelihood import observe
from hiermod.modeling.pymc_parts import coefficient, column_dims, distribution, register_correlations, scaled_effect
from hiermod.modeling.spec import Spec

MAX_SUMMED_COLUMNS = 12


def build_model(spec: Spec) -> pm.Model:
    """Build the PyMC model of a spec; groups are integer codes, never indicators."""
    with pm.Model(coords={"__obs__": np.arange(len(spec.cells))}) as model:
        for block in spec.common.blocks:
            coefficient(block.name, spec.common, spec.priors.coefficients)
        eta = _common_part(spec) + _varying_part(spec)
        sigma = distribution(spec.priors.residual, "sigma") if spec.priors.residual else None
        observe(spec.formula.response.name, spec.family, spec.cells.response, eta, sigma)
    return model


def _common_part(spec: Spec) -> Any:
    model = pm.modelcontext(None)
    total: Any = np.zeros(len(spec.cells))
    for block in spec.common.blocks:
        matrix = block.matrix(spec.cells.frame)
        total = total + _product(matrix, model[block.name], block.labels is not None)
    return total


def _product(matrix: np.ndarray, value: Any, is_vector: bool) -> Any:
    """A block's part of the linear predictor; few columns are added up: compiling a matrix product takes seconds."""
    if not is_vector:
        return value if (matrix == 1.0).all() else matrix[:, 0] * value
    if matrix.shape[1] > MAX_SUMMED_COLUMNS:
        return pt.dot(matrix, value)
    return sum((matrix[:, k] * value[k] for k in range(1, matrix.shape[1])), matrix[:, 0] * value[0])


def _varying_part(spec: Spec) -> Any:
    total: Any = 0.0
    for bar in spec.bars:
        codes = bar.grouping.codes(spec.cells.frame)
        for index, value in enumerate(_bar_effects(spec, bar)):
            matrix = bar.effects[index].block.matrix(spec.cells.frame)
            own = value[codes]
            if bar.effects[index].block.labels is not None:
                total = total + (own * matrix).sum(axis=1)
            else:
                total = total + (own if (matrix == 1.0).all() else own * matrix[:, 0])
    return total


def _bar_effects(spec: Spec, bar: VaryingBar) -> list[Any]:
    if bar.correlated:
        register_correlations(bar, spec.priors.correlations[bar.correlation_name])
    effects = []
    for index, effect in enumerate(bar.effects):
        dims = column_dims(bar, effect.block) or None
        sigma = distribution(spec.priors.sds[effect.name], f"{effect.name}_sigma", dims=dims)
        effects.append(scaled_effect(bar, index, sigma))
    return effects
