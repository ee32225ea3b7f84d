"""The random variables of a model, each made in one place for hiermod's own PyMC model and for Bambi's.

Names follow Bambi's: ``Intercept``, ``treated``, ``1|country`` with ``1|country_sigma`` and ``1|country_offset``.
Correlations of a bar are its canonical partial correlations, each a scaled Beta, which together are LKJ
(Lewandowski, Kurowicka and Joe 2009, section 2); the effects follow from standard normals through the Cholesky factor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from hiermod.modeling.coding import Block
from hiermod.modeling.design import CommonDesign, VaryingBar
from hiermod.modeling.priors import Prior


class AboutLocation(Transform):
    """Samples a variable as its distance from its prior's location, which may hold other coefficients."""

    name = "about_location"

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Take the location off."""
        return value - inputs[-2]

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Put the location back."""
        return value + inputs[-2]

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """A shift changes no volume."""
        return pt.zeros_like(value)


def distribution(prior: Prior, name: str, **options: Any) -> Any:
    """Register a random variable with this prior."""
    return getattr(pm, prior.name)(name, **{**_doubles(prior), **options})


def _doubles(prior: Prior) -> dict[str, Any]:
    """Its numbers as doubles: PyTensor takes a plain 3.0 for a single, and computes 1 / 3.0 in single precision."""
    return {name: np.asarray(argument, dtype=np.float64) for name, argument in prior.named().items()}


def coefficient(name: str, common: CommonDesign, priors: dict[str, Prior]) -> Any:
    """Register a coefficient in the user's coding, and first those that its prior is conditional on.

    Its prior is stated for the centred design; in the user's coding that is a shift of its location by the
    coefficients of higher terms, and it is sampled as its distance from there.
    """
    model = pm.modelcontext(None)
    if name in model.named_vars:
        return model[name]
    block = next(block for block in common.blocks if block.name == name)
    dims = register_dims(block, f"{name}_dim")
    shift = _shift(block, common, priors)
    if shift is None:
        return distribution(priors[name], name, dims=dims)
    arguments = _doubles(priors[name])
    located = priors[name].distribution.parameters[-2]
    arguments[located] = arguments[located] - shift
    return getattr(pm, priors[name].name)(name, **arguments, dims=dims, default_transform=AboutLocation())


def _shift(block: Block, common: CommonDesign, priors: dict[str, Prior]) -> Any:
    slices = common.slices()
    rows = common.shift[slices[block.name]]
    parts = []
    for other in common.blocks:
        weights = rows[:, slices[other.name]]
        if not np.any(weights):
            continue
        value = coefficient(other.name, common, priors)
        vector = pt.dot(weights, value) if other.labels else weights[:, 0] * value
        parts.append(vector if block.labels else vector[0])
    return sum(parts[1:], parts[0]) if parts else None


def register_dims(block: Block, dim: str) -> tuple[str, ...] | None:
    """Register the dimension of a block of several columns; None for a single number."""
    if block.labels is None:
        return None
    pm.modelcontext(None).add_coords({dim: list(block.labels)})
    return (dim,)


def standard_effects(bar: VaryingBar, index: int) -> list[Any]:
    """The columns of a bar's `index`-th effect in standard units, ``(levels,)`` each, correlated where the bar is.

    Registers the effect's standard normals; those of the effects before it must be registered already.
    """
    own = bar.effects[index]
    _register_offset(bar, index)
    if not bar.correlated:
        return _offset_columns(bar, index)
    start = sum(len(effect.block.columns) for effect in bar.effects[:index])
    offsets = [column for place in range(index + 1) for column in _offset_columns(bar, place)]
    factor = cholesky_factor(bar)
    return [
        sum((factor[row][column] * offsets[column] for column in range(1, row + 1)), factor[row][0] * offsets[0])
        for row in range(start, start + len(own.block.columns))
    ]


def _register_offset(bar: VaryingBar, index: int) -> None:
    effect = bar.effects[index]
    dims = effect_dims(bar, effect.block)
    pm.Normal(f"{effect.name}_offset", 0.0, 1.0, dims=dims)


def effect_dims(bar: VaryingBar, block: Block) -> tuple[str, ...]:
    """Register and return the dims of a varying effect: its group's levels, then its columns."""
    factor_dim = f"{bar.grouping.name}__factor_dim"
    model = pm.modelcontext(None)
    if factor_dim not in model.coords:
        model.add_coords({factor_dim: [str(label) for label in bar.grouping.labels()]})
    return (factor_dim, *column_dims(bar, block))


def column_dims(bar: VaryingBar, block: Block) -> tuple[str, ...]:
    """Register and return the dim of a varying effect's columns, none where it is a single number.

    Bars share a term's dim, but where they code its levels differently: ``(1 + f | g) + (0 + f | h)``.
    """
    if block.labels is None:
        return ()
    model = pm.modelcontext(None)
    dim = f"{block.term.name}__expr_dim"
    if list(model.coords.get(dim, block.labels)) != list(block.labels):
        dim = f"{block.term.name}|{bar.grouping.name}__expr_dim"
    if dim not in model.coords:
        model.add_coords({dim: list(block.labels)})
    return (dim,)


def _offset_columns(bar: VaryingBar, index: int) -> list[Any]:
    effect = bar.effects[index]
    offset = pm.modelcontext(None)[f"{effect.name}_offset"]
    if effect.block.labels is None:
        return [offset]
    return [offset[:, column] for column in range(len(effect.block.columns))]


def scaled_effect(bar: VaryingBar, index: int, sigma: Any) -> Any:
    """Register and return the `index`-th effect of a bar, ``sigma`` times its standard form."""
    effect = bar.effects[index]
    dims = effect_dims(bar, effect.block)
    columns = standard_effects(bar, index)
    if effect.block.labels is None:
        return pm.Deterministic(effect.name, sigma * columns[0], dims=dims)
    stacked = pt.stack([sigma[place] * column for place, column in enumerate(columns)], axis=1)
    return pm.Deterministic(effect.name, stacked, dims=dims)


def cholesky_factor(bar: VaryingBar) -> list[list[Any]]:
    """The lower Cholesky factor of a bar's correlation matrix, row by row, built once a model."""
    partial = _partial_correlations(bar)
    size = len(bar.row_names)
    factor: list[list[Any]] = [[1.0]]
    for row in range(1, size):
        entries: list[Any] = []
        remainder: Any = 1.0
        for column in range(row):
            value = partial[row, column]
            entries.append(value * pt.sqrt(remainder) if column else value)
            remainder = remainder * (1.0 - value**2)
        factor.append([*entries, pt.sqrt(remainder)])
    return factor


def _partial_correlations(bar: VaryingBar) -> dict[tuple[int, int], Any]:
    variable = pm.modelcontext(None)[f"{bar.correlation_name}_offset"]
    return {pair: 2.0 * variable[place] - 1.0 for place, pair in enumerate(bar.pairs())}


def register_correlations(bar: VaryingBar, prior: Prior) -> None:
    """Register a bar's correlations: their partial ones as Betas on (0, 1), and themselves by name."""
    name, model = bar.correlation_name, pm.modelcontext(None)
    if name in model.named_vars:
        return
    size, eta = len(bar.row_names), float(prior.arguments[0])
    shape = np.array([eta + (size - 2 - column) / 2 for _, column in bar.pairs()])
    labels = [f"{bar.row_names[column]}, {bar.row_names[row]}" for row, column in bar.pairs()]
    model.add_coords({f"{name}_dim": labels})
    pm.Beta(f"{name}_offset", shape, shape, dims=f"{name}_dim")
    factor = cholesky_factor(bar)
    products = [sum(factor[row][k] * factor[column][k] for k in range(column + 1)) for row, column in bar.pairs()]
    pm.Deterministic(name, pt.stack(products), dims=f"{name}_dim")
