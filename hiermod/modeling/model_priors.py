"""The priors of a whole model: their table, the log density, draws, and the same of another width.

Each prior is taken in the parametrisation that it is stated in: the centred design for coefficients, the standard
deviations themselves, and the correlation matrix for LKJ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hiermod.errors import ModelError
from hiermod.families.record import THRESHOLDS
from hiermod.modeling.monotonic import log_shares
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.modeling.thresholds import threshold_log_prior
from hiermod.priors.distributions import Prior, alike, joined, partial_priors

ROLES = {"coefficients": "coefficient", "standard deviations": "sd"}  # of variables that priors of other widths suit
COLUMNS = ["parameter", "prior", "scale", "stated_at"]
PER_SD = "per_sd"
Values = Callable[[str], np.ndarray]


def prior_summary(spec: ModelSpec) -> pd.DataFrame:
    """A row per parameter: its prior in numbers, the scale it lives on, and where the predictors stand for it.

    Of slopes and their standard deviations ``prior`` is per unit of the column, ``per_sd`` the same per sd of it.
    """
    table, per_sd = pd.DataFrame(spec.prior_rows(), columns=COLUMNS), _per_sd(spec)
    return table.assign(**{PER_SD: [per_sd.get(name, "") for name in table["parameter"]]})


def _per_sd(spec: ModelSpec) -> dict[str, str]:
    """The priors of what a column's standard deviation, not its unit, does; one of 0 and 1 alone counts by its unit."""
    pairs: list[tuple[str, Prior, float]] = []
    together = {name for own in spec.shrunk for name in own.names}
    for predictor in spec.predictors.values() if spec.priors else ():
        common, slices = predictor.common, predictor.common.slices()
        for block in common.blocks:
            if block is not common.intercept and not block.steps:
                scales = common.scales[slices[block.name]].tolist()
                rows = zip(block.row_names(), spec.priors[block.name], scales, strict=True)
                pairs += [row for row in rows if row[0] not in together]
    for term in spec.groups if spec.priors else ():
        priors = [prior for effect in term.effects for prior in spec.priors[effect.sd_name]]
        scales = [float(scale) for effect in term.effects for scale in effect.scales]
        of_slopes = zip(term.sd_keys(), term.row_names, priors, scales, strict=True)
        pairs += [(key, prior, scale) for key, name, prior, scale in of_slopes if name != "Intercept"]
    return {name: prior.scaled(scale).describe() for name, prior, scale in pairs}


def require_proper(spec: ModelSpec, what: str) -> None:
    """Refuse what needs a proper prior of every parameter, where there is none or it is somebody else's."""
    if reason := spec.refuses("prior"):
        raise ModelError(f"{what}: {reason}")


def draw(priors: Sequence[Prior], rng: np.random.Generator, draws: int) -> np.ndarray:
    """Independent draws of the entries of a variable, shape ``(draws, entries)``."""
    if not alike(priors):
        return np.stack([prior.draw(rng, (draws,)) for prior in priors], axis=1)
    distribution, arguments = joined(priors)
    return np.asarray(distribution.draw(rng, (draws, len(priors)), *arguments.values()), dtype=float)


def draw_partial_correlations(prior: Prior, size: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Canonical partial correlations of an LKJ prior, by rows of the lower triangle; shape ``(draws, pairs)``."""
    return 2.0 * draw(partial_priors(prior, size), rng, draws) - 1.0


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


def log_prior(spec: ModelSpec, values: Values) -> np.ndarray:
    """The log density of all that has a prior, shape ``(draws,)``.

    The effects of groups are left out: their distribution is a part of the model, not a prior that could be another.

    Parameters
    ----------
    spec : ModelSpec
    values : callable
        Gives the draws of a variable, shape ``(draws, *shape of the variable)``.
    """
    if isinstance(spec, PooledSpec):
        return (
            spec.hyperprior.log_density(values(MEAN), values(SPREAD) ** -2.0).reshape(len(values(MEAN)), -1).sum(axis=1)
        )
    assert isinstance(spec, Spec)
    parts = [_coefficients(spec, values)] if spec.coefficients.blocks else []
    if spec.family.entries:
        blocks = [_flat(values(block.name)) for block in spec.coefficients.blocks]
        thresholds = values(THRESHOLDS)
        coefficients = np.hstack([np.empty((len(thresholds), 0)), *blocks])
        centred = thresholds - coefficients @ spec.threshold_moves
        parts.append(threshold_log_prior(spec.family, spec.priors[THRESHOLDS], centred))
    together = {name for own in spec.shrunk for name in own.priors}
    for variable in spec.variables():
        if variable.role in ("sd", "family") and variable.name not in together:
            parts.append(_of(spec.priors[variable.name], _flat(values(variable.name))))
    for term in spec.groups:
        if term.correlated:
            (prior,) = spec.priors[term.correlation_name]
            matrices = term.correlation_matrices(values(term.correlation_name))
            parts.append(np.asarray(prior.distribution.log_density(matrices, *prior.arguments)))
    return np.asarray(sum(parts[1:], parts[0]))


def _coefficients(spec: Spec, values: Values) -> np.ndarray:
    """Of the coefficients of the centred design, ``c = b + S b``."""
    design = spec.coefficients
    coefficients = np.hstack([_flat(values(block.name)) for block in design.blocks])
    centred = coefficients + coefficients @ design.shift.T
    parts = [np.zeros(len(coefficients))]
    for own in spec.monotonic:
        parts.append(_of(spec.priors[own.name], _flat(values(own.name))))
        shares = _flat(values(own.shares_name))
        pairs = zip(spec.priors[own.shares_name], own.within, strict=True)
        parts += [log_shares(prior, shares[:, place]) for prior, place in pairs]
    sigma = values("sigma") if "sigma" in spec.scalars else 1.0
    parts += [own.log_prior(values, centred[:, own.places], sigma) for own in spec.shrunk]
    together = {place for own in spec.shrunk for place in own.places}
    for block in design.blocks:
        span = design.slices()[block.name]
        free = [] if block.steps else block.free.tolist()  # wiggles are, as effects of groups, a part of the model
        alone = [column for column in free if span.start + column not in together]
        if alone:
            parts.append(_of([spec.priors[block.name][column] for column in alone], centred[:, span][:, alone]))
    return np.sum(parts, axis=0)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _of(priors: Sequence[Prior], values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", over="ignore"):
        if not alike(priors):
            return np.sum([prior.log_density(values[:, place]) for place, prior in enumerate(priors)], axis=0)
        distribution, arguments = joined(priors)
        return distribution.log_density(values, *arguments.values()).sum(axis=1)


def kinds(spec: ModelSpec) -> list[str]:
    """The kinds of priors that may have other widths: of coefficients and sds, or of pooled rates' hyperparameters."""
    if isinstance(spec, PooledSpec):
        return list(spec.hyperprior.priors)
    roles = {variable.role for variable in spec.variables()}
    return [kind for kind, role in ROLES.items() if role in roles]


def with_width(spec: ModelSpec, kind: str, factor: float) -> ModelSpec:
    """The model with the priors of a kind, one of `kinds`, so many times as wide."""
    if isinstance(spec, PooledSpec):
        return replace(spec, hyperprior=spec.hyperprior.widened(kind, factor))
    assert isinstance(spec, Spec)
    names = [variable.name for variable in spec.variables() if variable.role == ROLES[kind]]
    wide = {name: tuple(prior.widened(factor) for prior in spec.priors[name]) for name in names}
    together = {name: spec.priors[name] for own in spec.shrunk for name in own.priors}
    return replace(spec, priors={**spec.priors, **wide, **together})
