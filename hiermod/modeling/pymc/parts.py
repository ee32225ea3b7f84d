"""The random variables of a model, each made in one place, and the coordinates in which effects of groups are sampled.

Names follow Bambi's: ``Intercept``, ``treated``, ``1|country`` with ``1|country_sigma`` and ``1|country_offset``.
Correlations of a group term are its canonical partial correlations, each a scaled Beta, which together are LKJ
(Lewandowski, Kurowicka and Joe 2009, section 2); the effects follow from standard normals through the Cholesky factor.

Where a group term's groups say little, the standard normals behind its effects are nearly independent of all else: the
non-centred form, which the public model has. Where they say much, the groups' own coefficients are: common coefficient
plus varying effect, along columns that the data tells apart (Papaspiliopoulos, Roberts and Sköld 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hiermod.data.cells.statistics import (
    BinomialCells,
    CountCells,
    MeasuredCells,
    MomentCells,
    PairCells,
    RealCells,
    ValueCells,
)
from hiermod.modeling.coding import Block
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.monotonic import Monotonic, sticks
from hiermod.modeling.protocol import Variable
from hiermod.modeling.pymc.priors import distribution
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth
from hiermod.modeling.spec import Spec
from hiermod.priors.distributions import partial_priors


def coefficient(spec: Spec, name: str) -> Any:
    """Register a coefficient in the user's coding, and first those that its prior is conditional on.

    Its prior is stated for the centred design; in the user's coding that is a shift of its location by the
    coefficients of higher terms, and it is sampled as its distance from there.
    """
    model = pm.modelcontext(None)
    if name in model.named_vars:
        return model[name]
    block = next(block for block in spec.coefficients.blocks if block.name == name)
    dims = register_dims(spec.variable(name))
    if block.wiggles:
        return _smooth(spec, Smooth(block, 0), dims)
    if block.steps:
        return _steps(spec, Monotonic(block, 0), dims)
    if set(block.row_names()) & {own_name for own in spec.shrunk for own_name in own.names}:
        return _in_sets(spec, block, dims)
    return distribution(spec.priors[name], name, _shift(spec, block), dims=dims)


def scalar(spec: Spec, name: str) -> Any:
    """Register a parameter of the family that has one value."""
    model = pm.modelcontext(None)
    return model[name] if name in model.named_vars else distribution(spec.priors[name], name)


def _in_sets(spec: Spec, block: Block, dims: tuple[str, ...] | None) -> Any:
    """Coefficients some of which are in sets that have one prior together; the others have their own."""
    slopes = {name: _slopes(spec, own)[place] for own in spec.shrunk for place, name in enumerate(own.names)}
    alone = [(name, prior) for name, prior in zip(block.row_names(), spec.priors[block.name], strict=True)
             if name not in slopes]  # fmt: skip
    if alone:
        dims_of_others = (f"{block.name}_others_dim",)
        pm.modelcontext(None).add_coords({dims_of_others[0]: [name for name, _ in alone]})
        others = distribution([prior for _, prior in alone], f"{block.name}_others", dims=dims_of_others)
        slopes |= {name: others[place] for place, (name, _) in enumerate(alone)}
    entries = [slopes[name] for name in block.row_names()]
    value = pt.stack(entries) if block.labels else entries[0]
    shift = _shift(spec, block)
    return pm.Deterministic(block.name, value if shift is None else value - shift, dims=dims)


def _slopes(spec: Spec, own: Shrunk) -> Any:
    """The slopes of a set in the centred design: standard normals times their standard deviations."""
    model, name = pm.modelcontext(None), f"{own.prefix}_offset"
    if name not in model.named_vars:
        pm.Normal(name, 0.0, 1.0, shape=len(own.places))
        for shared in own.shared:
            distribution(own.priors[shared], shared)
        _singles(spec, own)
    whole = scalar(spec, "sigma") if own.by_sigma else np.float64(1.0)
    if own.is_horseshoe:
        wide = whole * model[own.shared[0]] * model[own.single]
        spread = wide / pt.sqrt(1.0 + (wide / model[own.shared[1]]) ** 2)
    else:
        explained = model[own.shared[0]]
        spread = whole * pt.sqrt(explained / (1.0 - explained) * model[own.single])
    return model[name] * spread / own.scales


def _singles(spec: Spec, own: Shrunk) -> None:
    """A scale of each slope, or its share by what it takes of the rest."""
    dims = register_dims(spec.variable(own.single))
    if own.is_horseshoe:
        distribution(own.priors[own.single], own.single, dims=dims)
        return
    rest: Any = pt.ones(())
    shares: list[Any] = []
    if own.sticks:
        alpha, beta = np.transpose([prior.arguments for prior in own.sticks])
        offset = pm.Beta(f"{own.single}_offset", alpha, beta, shape=len(own.sticks))
    for place in range(len(own.sticks)):
        shares.append(rest * offset[place])
        rest = rest * (1.0 - offset[place])
    pm.Deterministic(own.single, pt.stack([*shares, rest]), dims=dims)


def _smooth(spec: Spec, smooth: Smooth, dims: tuple[str, ...] | None) -> Any:
    """A smooth's lines, and its wiggles: standard normals times their standard deviation."""
    name, free = smooth.block.name, smooth.free
    order = np.argsort(np.concatenate([free, *(curve.wiggles for curve in smooth.curves)]))
    lines = [distribution([spec.priors[name][place] for place in free], f"{name}_line")] if len(free) else []
    sigma = distribution(spec.priors[smooth.sd_name], smooth.sd_name, dims=register_dims(spec.variable(smooth.sd_name)))
    offset = pm.Normal(f"{name}_offset", 0.0, 1.0, shape=len(order) - len(free))
    if smooth.levels:
        sigma = pt.repeat(sigma, [len(curve.wiggles) for curve in smooth.curves])
    parts = [*map(pt.atleast_1d, lines), sigma * offset]
    return pm.Deterministic(name, pt.concatenate(parts)[order], dims=dims)


def _steps(spec: Spec, own: Monotonic, dims: tuple[str, ...] | None) -> Any:
    """Monotonic effects: the whole ones, and the steps' shares of them by what each takes of the rest."""
    whole = distribution(spec.priors[own.name], own.name, dims=register_dims(spec.variable(own.name)))
    count = own.within.shape[1]
    taken = [prior.arguments for each in spec.priors[own.shares_name] for prior in sticks(each, count)]
    shares: list[Any] = [pt.ones(())] * own.within.size
    if taken:
        alpha, beta = np.transpose(taken)
        offset = pm.Beta(f"{own.shares_name}_offset", alpha, beta, shape=len(taken))
    for effect, places in enumerate(own.within):
        rest: Any = pt.ones(())
        for step, place in enumerate(places[:-1]):
            part = offset[effect * (count - 1) + step]
            shares[place], rest = rest * part, rest * (1.0 - part)
        shares[places[-1]] = rest
    share = pm.Deterministic(own.shares_name, pt.stack(shares), dims=dims)
    value = share * (whole[own.effect_of] if own.steps.labels else whole)
    return pm.Deterministic(own.block.name, value, dims=dims)


def _shift(spec: Spec, block: Block) -> Any:
    common, slices = spec.coefficients, spec.coefficients.slices()
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


STEP = 1e-4  # of a numerical derivative
NEUTRAL = {"positive": 1.0, "unit": 0.5, "real": 0.0}  # values of parameters, by their support
INFORMED = 1.0  # variance between groups over that within, from which a group's own coefficient is sampled
SPREAD = 2.0  # standard errors that are taken off the variance between groups, to be sure of it


def informed_columns(spec: Spec) -> tuple[np.ndarray, ...]:
    """For each group term, which of its columns the groups themselves say more about than the other groups do."""
    return tuple(_information_ratios(spec, term) > INFORMED for term in spec.groups)


def _information_ratios(spec: Spec, term: GroupDesign) -> np.ndarray:
    """For each column of a group term, a low estimate of the variance between groups over the median one within."""
    precision, total, squares = _normal_equations(spec, term)
    groups, columns = total.shape
    ridge = 1e-9 * np.diag(np.diag(precision.mean(axis=0)))
    within = np.linalg.inv(precision + ridge)
    estimates = np.einsum("gij,gj->gi", within, total)
    error = np.einsum("gii->gi", within)
    response = spec.cells.response
    dispersed = isinstance(response, RealCells | ValueCells | PairCells | MeasuredCells)
    if dispersed and spec.family.errors != "known":
        assert not isinstance(response, BinomialCells | CountCells)
        freedom = response.count.sum() - groups * columns
        residual = squares - (estimates * total).sum()
        if isinstance(response, RealCells | MeasuredCells) and not isinstance(response, MomentCells):
            residual += response.within.sum()
        error = error * (residual / freedom if freedom > 0 and residual > 0 else np.inf)
    typical = np.median(error, axis=0)
    if not np.isfinite(typical).all():
        return np.zeros(columns)
    between = (estimates - np.median(estimates, axis=0)) ** 2 - error
    low = np.average(between, axis=0, weights=1.0 / np.maximum(error, typical))
    return low * max(0.0, 1.0 - SPREAD * np.sqrt(2.0 / groups)) / typical


def _normal_equations(spec: Spec, term: GroupDesign) -> tuple[np.ndarray, np.ndarray, float]:
    """Each group's X'WX, X'Wy of a term's columns, and y'Wy in all, by one step of scoring from the mean response."""
    rows = observe(spec.cells)
    matrix = np.hstack([rows.matrix(effect.block) for effect in term.effects])
    weight, working = _working(spec, rows.offset(spec.formula.offsets)[: len(spec.cells)])
    weight = np.concatenate([weight, np.ones(len(rows) - len(weight))])
    working = np.concatenate([working, rows.response - rows.offset(spec.formula.offsets)[len(spec.cells) :]])
    working = working - _common_fit(spec, rows, weight, working)
    codes, size = rows.codes(term.grouping), term.grouping.size
    columns = range(matrix.shape[1])
    total = np.column_stack([np.bincount(codes, weight * matrix[:, column] * working, size) for column in columns])
    precision = np.empty((size, len(columns), len(columns)))
    for one in columns:
        for other in columns:
            precision[:, one, other] = np.bincount(codes, weight * matrix[:, one] * matrix[:, other], size)
    return precision, total, float((weight * working**2).sum())


def _common_fit(spec: Spec, rows: Observed, weight: np.ndarray, working: np.ndarray) -> np.ndarray:
    """What the common terms alone say of the working responses."""
    if not spec.common.blocks:
        return np.zeros(len(rows))
    matrix = np.hstack([rows.matrix(block) for block in spec.common.blocks])
    normal = matrix.T @ (weight[:, None] * matrix)
    return matrix @ np.linalg.lstsq(normal, matrix.T @ (weight * working), rcond=None)[0]


def _working(spec: Spec, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights and responses of the cells on the link scale, as if shapes were 1; dispersion is measured from these."""
    match spec.cells.response:
        case BinomialCells(successes=successes, trials=trials):
            return _working_rates(spec, successes, trials, np.ones(len(trials)), offset)
        case PairCells(successes=successes, trials=trials, count=times):
            return _working_rates(spec, successes, trials, times, offset)
        case CountCells(total=total, exposure=exposure):
            expected = _expected(spec, total, exposure, offset)
            return expected, total / expected - 1.0
        case ValueCells() if spec.family.zeros:
            return _working_above_zero(spec, offset)
        case ValueCells(value=value, count=count) if spec.family.link.name == "log":
            expected = _expected(spec, count * value, count, offset)
            mean = expected / count
            return count * _information(spec, mean, mean), value / mean - 1.0
        case ValueCells(value=value, count=count) if spec.family.link.name == "identity":
            return count, spec.family.transform(value) - offset
        case ValueCells(value=value, count=count):
            mean = np.average(value, weights=count)
            slope = spec.family.link.slope(spec.family.link.forward(mean))
            return count * _information(spec, mean, slope), (value - mean) / slope - offset
        case RealCells(mean=mean, count=count):
            return count, mean - offset
        case MeasuredCells(mean=mean, precision=precision):
            return precision, mean - offset


def _working_above_zero(spec: Spec, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithms of what is above 0, where zeros have a part of their own; zeros have no weight."""
    response = spec.cells.response
    assert isinstance(response, ValueCells)
    above = response.value > 0.0
    logs = np.log(np.where(above, response.value, 1.0)) - offset
    logs -= np.average(logs, weights=response.count * above)
    return np.where(above, response.count, 0.0), np.where(above, logs, 0.0)


def _information(spec: Spec, mean: Any, slope: Any) -> Any:
    """What a row says of its linear predictor where shapes are 1; the same for all if the variance is not known."""
    if spec.family.variance is None:
        return np.ones_like(mean)
    return slope**2 / spec.family.variance(mean, *(NEUTRAL[own.support] for own in spec.family.parameters))


def _working_rates(
    spec: Spec, successes: np.ndarray, trials: np.ndarray, times: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    link, weight = spec.family.link, trials * times
    rate = ((successes * times).sum() + 0.5) / (weight.sum() + 1.0)
    slope = (link.inverse(link.forward(rate) + STEP) - link.inverse(link.forward(rate) - STEP)) / (2.0 * STEP)
    return weight * _information(spec, rate, slope), (successes / trials - rate) / slope - offset


def _expected(spec: Spec, total: np.ndarray, exposure: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """What each cell would sum up to at one rate; counts may all be 0."""
    expected = exposure * np.exp(offset)
    return expected * ((total.sum() + 0.5 * spec.family.counts) / expected.sum())


def own_coefficients(
    spec: Spec, term: GroupDesign, informed: np.ndarray, sigmas: list[Any], shared: set[str]
) -> list[Any]:
    """Register a group term; return its effects, as `group_effect` does.

    Parameters
    ----------
    informed : ndarray of bool, shape (columns,)
        The columns that are registered by the groups' own coefficients; the others are by standard normals.
    sigmas : list
        The standard deviations of each effect.
    shared : set of str
        Common terms whose coefficients are part of some term's own coefficients already; those of this one are added.
    """
    places = [int(place) for place in np.flatnonzero(informed)]
    free = _free_columns(spec, term)
    back = np.linalg.inv(_directions(spec, term, places))
    coefficients = {place: _combined(back[row], [free[other] for other in places]) for row, place in enumerate(places)}
    scales = _columns_of_sigmas(term, sigmas)
    commons = _commons(spec, term, informed, shared)
    factor: Any = cholesky_factor(term) if term.correlated else np.eye(len(term.row_names))
    standard: list[Any] = []
    values: list[Any] = []
    density: Any = 0.0
    for place, scale in enumerate(scales):
        before = (
            sum((factor[place, other] * standard[other] for other in range(place)), 0.0) if term.correlated else 0.0
        )
        rest = factor[place, place]
        if informed[place]:
            values.append(coefficients[place] - commons[place])
            standard.append((values[-1] / scale - before) / rest)
            density = density - 0.5 * (standard[-1] ** 2).sum() - term.grouping.size * pt.log(scale * rest)
        else:
            standard.append(free[place])
            values.append(scale * (before + rest * free[place]))
            density = density - 0.5 * (standard[-1] ** 2).sum()
    pm.Potential(f"{term.correlation_name}_density", density)
    return _registered(spec, term, values)


def _free_columns(spec: Spec, term: GroupDesign) -> list[Any]:
    """Register what is sampled of a group term; a column of shape ``(groups,)`` for each of its columns."""
    columns: list[Any] = []
    for effect in term.effects:
        free = pm.Flat(f"{effect.name}_offset", dims=register_dims(spec.variable(effect.name)))
        several = range(len(effect.block.columns))
        columns += [free[:, place] for place in several] if effect.block.labels else [free]
    return columns


def _columns_of_sigmas(term: GroupDesign, sigmas: list[Any]) -> list[Any]:
    columns: list[Any] = []
    for effect, sigma in zip(term.effects, sigmas, strict=True):
        several = range(len(effect.block.columns))
        columns += [sigma[place] for place in several] if effect.block.labels else [sigma]
    return columns


def _combined(weights: np.ndarray, columns: list[Any]) -> Any:
    return sum(float(weight) * column for weight, column in zip(weights, columns, strict=True) if weight)


def _commons(spec: Spec, term: GroupDesign, informed: np.ndarray, shared: set[str]) -> list[Any]:
    """For each column the common coefficient that is part of the groups' own ones, 0 where there is none.

    It is that of the design in which the predictors that do not vary with the group are centred.
    """
    common, slices = spec.common, spec.common.slices()
    result: list[Any] = []
    shares: dict[int, int] = {}
    for effect in term.effects:
        start, block = len(result), next((each for each in common.blocks if each.name == effect.block.name), None)
        result += [0.0] * len(effect.block.columns)
        chosen = informed[start : len(result)]
        if block is not None and block.columns == effect.block.columns and block.name not in shared and chosen.any():
            shared.add(block.name)
            shares |= {start + place: slices[block.name].start + place for place in range(len(block.columns))}
    values = _coefficients(spec)
    for place, column in shares.items():
        others = [other for other in np.flatnonzero(common.shift[column]) if other not in shares.values()]
        result[place] = values[column] + sum((common.shift[column, other] * values[other] for other in others), 0.0)
    return result


def _coefficients(spec: Spec) -> list[Any]:
    """The common coefficients, one by one."""
    model = pm.modelcontext(None)
    values: list[Any] = []
    for block in spec.common.blocks:
        value = model[block.name]
        values += [value[place] for place in range(len(block.columns))] if block.labels else [value]
    return values


def _directions(spec: Spec, term: GroupDesign, places: list[int]) -> np.ndarray:
    """An upper factor R of the average information, ``R'R``: the data tells ``R c`` of a group's coefficients apart.

    It is scaled so that its diagonal is one.
    """
    precision, _, _ = _normal_equations(spec, term)
    pooled = precision.mean(axis=0)[np.ix_(places, places)]
    factor = np.linalg.cholesky(pooled + 1e-9 * np.diag(np.diag(pooled))).T
    return factor / np.diag(factor)[:, None]


def _registered(spec: Spec, term: GroupDesign, columns: list[Any]) -> list[Any]:
    effects, start = [], 0
    for effect in term.effects:
        stop = start + len(effect.block.columns)
        value = pt.stack(columns[start:stop], axis=1) if effect.block.labels else columns[start]
        effects.append(pm.Deterministic(effect.name, value, dims=register_dims(spec.variable(effect.name))))
        start = stop
    return effects
