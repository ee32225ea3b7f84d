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
from hiermod.modeling.pooled import MEAN, SPREAD, BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.priors.distributions import Prior, joined, partial_priors

ROLES = {"coefficients": "coefficient", "standard deviations": "sd"}  # of variables that priors of other widths suit
COLUMNS = ["parameter", "prior", "scale", "stated_at"]
Values = Callable[[str], np.ndarray]


def prior_summary(spec: Spec | BetaSpec) -> pd.DataFrame:
    """A row per parameter: its prior in numbers, the scale it lives on, and where the predictors stand for it."""
    rows = _beta_rows(spec) if isinstance(spec, BetaSpec) else _rows(spec)
    return pd.DataFrame(rows, columns=COLUMNS)


def _beta_rows(spec: BetaSpec) -> list[tuple[str, str, str, str]]:
    return [
        (MEAN, "Uniform(0, 1)", "response", "a / (a + b)"),
        (SPREAD, "Flat above 0", "response", "(a + b)^(-1/2); together p(a, b) ∝ (a + b)^(-5/2)"),
        (spec.rate_name, "Beta(a, b)", "response", "each group's rate"),
    ]


def _rows(spec: Spec) -> list[tuple[str, str, str, str]]:
    link = spec.family.link.name
    at = ", ".join(f"{name} = {centre:.4g}" for name, centre in spec.common.centres.items())
    shifted = spec.common.shift.any(axis=1)
    rows = []
    for block in spec.common.blocks:
        moved = shifted[spec.common.slices()[block.name]]
        for name, prior, where in zip(block.row_names(), spec.priors[block.name], moved, strict=True):
            rows.append((name, prior.describe(), link, at if where else ""))
    for term in spec.groups:
        priors = [prior for effect in term.effects for prior in spec.priors[effect.sd_name]]
        rows += [(key, prior.describe(), link, "") for key, prior in zip(term.sd_keys(), priors, strict=True)]
        if term.correlated:
            (prior,) = spec.priors[term.correlation_name]
            rows.append((f"cor({term.grouping.name})", prior.describe(), "correlation", ", ".join(term.row_names)))
    for parameter in spec.family.parameters:
        rows.append((parameter.name, spec.priors[parameter.name][0].describe(), parameter.scale, ""))
    return rows


def with_proper_priors(spec: Spec | BetaSpec, what: str) -> Spec:
    """The spec, if it has a proper prior of every parameter.

    Raises
    ------
    ModelError
        If it is one of ``pooling="beta"``, or its priors are somebody else's.
    """
    if isinstance(spec, BetaSpec):
        raise ModelError(
            f"{what}: pooling='beta' has the improper hyperprior p(a, b) ∝ (a + b)^(-5/2), which is no distribution. "
            "Use pooling='normal', whose priors are proper."
        )
    if not spec.priors:
        raise ModelError(
            f"{what}: this model's priors are Bambi's, and not known here. Fit the formula with hiermod.fit() for "
            "hiermod's own model, or use bambi's prior_predictive()."
        )
    return spec


def draw(priors: Sequence[Prior], rng: np.random.Generator, draws: int) -> np.ndarray:
    """Independent draws of the entries of a variable, shape ``(draws, entries)``."""
    distribution, arguments = joined(priors)
    return np.asarray(distribution.draw(rng, (draws, len(priors)), *arguments.values()), dtype=float)


def draw_partial_correlations(prior: Prior, size: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Canonical partial correlations of an LKJ prior, by rows of the lower triangle; shape ``(draws, pairs)``."""
    return 2.0 * draw(partial_priors(prior, size), rng, draws) - 1.0


def log_prior(spec: Spec, values: Values) -> np.ndarray:
    """The log density of all that has a prior, shape ``(draws,)``.

    The effects of groups are left out: their distribution is a part of the model, not a prior that could be another.

    Parameters
    ----------
    spec : Spec
    values : callable
        Gives the draws of a variable, shape ``(draws, *shape of the variable)``.
    """
    parts = [_coefficients(spec, values)] if spec.common.blocks else []
    for variable in spec.variables():
        if variable.role in ("sd", "family"):
            parts.append(_of(spec.priors[variable.name], _flat(values(variable.name))))
    for term in spec.groups:
        if term.correlated:
            (prior,) = spec.priors[term.correlation_name]
            matrices = term.correlation_matrices(values(term.correlation_name))
            parts.append(np.asarray(prior.distribution.log_density(matrices, *prior.arguments)))
    return np.asarray(sum(parts[1:], parts[0]))


def _coefficients(spec: Spec, values: Values) -> np.ndarray:
    """Of the coefficients of the centred design, ``c = b + S b``."""
    design = spec.common
    own = np.hstack([_flat(values(block.name)) for block in design.blocks])
    centred = own + own @ design.shift.T
    return np.sum([_of(spec.priors[name], centred[:, place]) for name, place in design.slices().items()], axis=0)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _of(priors: Sequence[Prior], values: np.ndarray) -> np.ndarray:
    distribution, arguments = joined(priors)
    with np.errstate(divide="ignore", over="ignore"):
        return distribution.log_density(values, *arguments.values()).sum(axis=1)


def with_width(spec: Spec, role: str, factor: float) -> Spec:
    """The model with the priors of all variables of a role, one of `ROLES`, so many times as wide."""
    names = [variable.name for variable in spec.variables() if variable.role == role]
    wide = {name: tuple(prior.widened(factor) for prior in spec.priors[name]) for name in names}
    return replace(spec, priors={**spec.priors, **wide})
