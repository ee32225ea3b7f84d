"""The `pm.Model` of a spec; its random variables are each made in one place, for Bambi's model too.

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
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec, beta_shapes
from hiermod.modeling.protocol import ModelSpec, Variable
from hiermod.modeling.pymc.geometry import informed_columns, own_coefficients
from hiermod.modeling.pymc.likelihood import likelihood
from hiermod.modeling.spec import Spec
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


MAX_WRITTEN_OUT = 6


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
            name: _common_part(predictor, rows) + varying[name] + rows.offset(predictor.offsets)
            for name, predictor in spec.predictors.items()
        }
        auxiliary = [distribution(spec.priors[name], name) for name in spec.family.auxiliary]
        likelihood(spec.formula.response.name, spec.family, rows, eta["mu"], auxiliary)
    return model


def build_for_sampling(spec: ModelSpec) -> pm.Model:
    """The model in the coordinates that suit its data."""
    return build_model(spec, informed_columns(spec) if isinstance(spec, Spec) else None)


def _pooled(spec: PooledSpec) -> pm.Model:
    """The two-parameter model: beta-binomial totals of the groups."""
    with pm.Model(coords={"__obs__": [str(label) for label in spec.grouping.labels()]}) as model:
        a, b = beta_shapes(pm.Uniform(MEAN, 0.0, 1.0), pm.HalfFlat(SPREAD))
        pm.BetaBinomial(
            spec.formula.response.name,
            n=spec.trials.astype(np.int64),
            alpha=a,
            beta=b,
            observed=spec.successes.astype(np.int64),
            dims="__obs__",
        )
    return model


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
