"""The random variables of a model, each made in one place for hiermod's own PyMC model and for Bambi's.

Names follow Bambi's: ``Intercept``, ``treated``, ``1|country`` with ``1|country_sigma`` and ``1|country_offset``.
Correlations of a group term are its canonical partial correlations, each a scaled Beta, which together are LKJ
(Lewandowski, Kurowicka and Joe 2009, section 2); the effects follow from standard normals through the Cholesky factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.spec import Spec
from hiermod.modeling.variables import Variable
from hiermod.priors.distributions import Prior, joined, partial_priors


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


def distribution(priors: Sequence[Prior], name: str, shift: Any = None, **options: Any) -> Any:
    """Register a random variable, the entries of which have these priors, their location less `shift`.

    Numbers are doubles: PyTensor takes a plain 3.0 for a single, and computes 1 / 3.0 in single precision.
    """
    record, arguments = joined(priors)
    inputs: dict[str, Any] = {key: np.asarray(argument, dtype=np.float64) for key, argument in arguments.items()}
    if shift is not None:
        inputs[record.parameters[-2]] = inputs[record.parameters[-2]] - shift
        options["default_transform"] = AboutLocation()
    return getattr(pm, record.name)(name, **inputs, **options)


def coefficient(spec: Spec, name: str) -> Any:
    """Register a coefficient in the user's coding, and first those that its prior is conditional on.

    Its prior is stated for the centred design; in the user's coding that is a shift of its location by the
    coefficients of higher terms, and it is sampled as its distance from there.
    """
    model = pm.modelcontext(None)
    if name in model.named_vars:
        return model[name]
    block = next(block for block in spec.common.blocks if block.name == name)
    dims = register_dims(spec.variable(name))
    return distribution(spec.priors[name], name, _shift(spec, block), dims=dims)


def _shift(spec: Spec, block: Block) -> Any:
    common, slices = spec.common, spec.common.slices()
    rows = common.shift[slices[block.name]]
    parts = []
    for other in common.blocks:
        weights = rows[:, slices[other.name]]
        if not np.any(weights):
            continue
        value = coefficient(spec, other.name)
        vector = pt.dot(weights, value) if other.labels else weights[:, 0] * value
        parts.append(vector if block.labels else vector[0])
    return sum(parts[1:], parts[0]) if parts else None


def register_dims(variable: Variable) -> tuple[str, ...] | None:
    """Register the dims of a variable with their labels; None for a single number."""
    model = pm.modelcontext(None)
    labelled = zip(variable.dims, variable.labels, strict=True)
    model.add_coords({dim: list(labels) for dim, labels in labelled if dim not in model.coords})
    return variable.dims or None


def group_effect(spec: Spec, term: GroupDesign, index: int, sigma: Any) -> Any:
    """Register and return the `index`-th effect of a group term, shape ``(levels,)`` or ``(levels, columns)``.

    It is `sigma` times standard normals, which it registers; in a correlated term they are mixed with those of the
    effects before it, which must be registered already.
    """
    effect = term.effects[index]
    dims = register_dims(spec.variable(effect.name))
    offset = pm.Normal(f"{effect.name}_offset", 0.0, 1.0, dims=dims)
    if not term.correlated:
        return pm.Deterministic(effect.name, offset * sigma, dims=dims)
    standard = _paired(term, index) if _is_pair(term) else _mixed(term, index)
    return pm.Deterministic(effect.name, sigma * standard, dims=dims)


def _is_pair(term: GroupDesign) -> bool:
    """Whether a group term has two effects of one column: the usual case, written out since it compiles faster so."""
    return len(term.effects) == 2 and len(term.row_names) == 2


def _paired(term: GroupDesign, index: int) -> Any:
    model = pm.modelcontext(None)
    first = model[f"{term.effects[0].name}_offset"]
    if index == 0:
        return first
    correlation = _partial_correlations(term)[0]
    return correlation * first + pt.sqrt(1.0 - correlation**2) * model[f"{term.effects[1].name}_offset"]


def _mixed(term: GroupDesign, index: int) -> Any:
    start = sum(len(other.block.columns) for other in term.effects[:index])
    stop = start + len(term.effects[index].block.columns)
    rows = cholesky_factor(term)[start:stop, :stop]
    standard = (_offsets(term, index)[:, None, :] * rows[None, :, :]).sum(axis=2)
    return standard[:, 0] if term.effects[index].block.labels is None else standard


def _offsets(term: GroupDesign, index: int) -> Any:
    """The standard normals of a group term's effects up to `index`, shape ``(levels, columns)``."""
    model = pm.modelcontext(None)
    parts = [
        model[f"{effect.name}_offset"] if effect.block.labels else model[f"{effect.name}_offset"][:, None]
        for effect in term.effects[: index + 1]
    ]
    return pt.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def register_correlations(spec: Spec, term: GroupDesign) -> None:
    """Register a group term's correlations: their partial ones as Betas on (0, 1), and themselves by name."""
    name = term.correlation_name
    if name in pm.modelcontext(None).named_vars:
        return
    partial = partial_priors(spec.priors[name][0], len(term.row_names))
    shape, dims = np.array([prior.arguments[0] for prior in partial]), register_dims(spec.variable(name))
    pm.Beta(f"{name}_offset", shape, shape, dims=dims)
    pm.Deterministic(name, _correlations(term), dims=dims)


def _partial_correlations(term: GroupDesign) -> Any:
    return 2.0 * pm.modelcontext(None)[f"{term.correlation_name}_offset"] - 1.0


def _correlations(term: GroupDesign) -> Any:
    if len(term.pairs()) == 1:
        return _partial_correlations(term)
    factor = cholesky_factor(term)
    rows, columns = np.transpose(term.pairs())
    return (factor[rows] * factor[columns]).sum(axis=1)


def cholesky_factor(term: GroupDesign) -> Any:
    """The lower Cholesky factor of a term's correlation matrix, from its partial correlations P below the diagonal.

    Its entries are ``L[i, j] = P[i, j] · Π_{k<j} sqrt(1 − P[i, k]²)`` with ones on the diagonal of P.
    """
    size = len(term.row_names)
    rows, columns = np.transpose(term.pairs())
    below = pt.zeros((size, size))[rows, columns].set(_partial_correlations(term))
    before = np.triu(np.ones((size, size)), 1)  # before[k, j] is 1 where k < j
    remaining = (0.5 * pt.log1p(-(below**2))[:, :, None] * before[None, :, :]).sum(axis=1)
    return (below + np.eye(size)) * pt.exp(remaining)
