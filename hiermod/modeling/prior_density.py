"""Log densities of priors up to constants, by NumPy, in the parametrisation that each prior is stated in.

That is the centred design for coefficients, the standard deviations themselves, and the correlation matrix for LKJ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hiermod.modeling.spec import Spec
from hiermod.priors.reading import Prior

Values = Callable[[str], np.ndarray]
DENSITIES: dict[str, Callable[..., np.ndarray]] = {
    "Normal": lambda x, mu, sigma: -0.5 * ((x - mu) / sigma) ** 2,
    "StudentT": lambda x, nu, mu, sigma: -0.5 * (nu + 1.0) * np.log1p(((x - mu) / sigma) ** 2 / nu),
    "Cauchy": lambda x, alpha, beta: -np.log1p(((x - alpha) / beta) ** 2),
    "Laplace": lambda x, mu, b: -np.abs(x - mu) / b,
    "Logistic": lambda x, mu, s: -np.abs(x - mu) / s - 2.0 * np.log1p(np.exp(-np.abs(x - mu) / s)),
    "Uniform": lambda x, lower, upper: np.zeros_like(x),
    "HalfNormal": lambda x, sigma: -0.5 * (x / sigma) ** 2,
    "HalfStudentT": lambda x, nu, sigma: -0.5 * (nu + 1.0) * np.log1p((x / sigma) ** 2 / nu),
    "HalfCauchy": lambda x, beta: -np.log1p((x / beta) ** 2),
    "Exponential": lambda x, lam: -lam * x,
    "Gamma": lambda x, alpha, beta: (alpha - 1.0) * np.log(x) - beta * x,
    "InverseGamma": lambda x, alpha, beta: -(alpha + 1.0) * np.log(x) - beta / x,
    "LogNormal": lambda x, mu, sigma: -np.log(x) - 0.5 * ((np.log(x) - mu) / sigma) ** 2,
}


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
    parts += [_of(prior, values(f"{name}_sigma")) for name, prior in spec.priors.sds.items()]
    parts += [_of(prior, values(name)) for name, prior in spec.priors.auxiliary.items()]
    for term in spec.groups:
        if term.correlated:
            prior = spec.priors.correlations[term.correlation_name]
            parts.append(_lkj(prior, values(term.correlation_name), term.pairs(), len(term.row_names)))
    return np.asarray(sum(parts[1:], parts[0]))


def _coefficients(spec: Spec, values: Values) -> np.ndarray:
    """Of the coefficients of the centred design, ``c = b + S b``."""
    design = spec.common
    own = np.hstack([_flat(values(block.name)) for block in design.blocks])
    centred = own + own @ design.shift.T
    columns = design.slices()
    return np.sum([_of(prior, centred[:, columns[name]]) for name, prior in spec.priors.coefficients.items()], axis=0)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _of(prior: Prior, values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", over="ignore"):
        return DENSITIES[prior.name](_flat(values), *prior.arguments).sum(axis=1)


def _lkj(prior: Prior, values: np.ndarray, pairs: list[tuple[int, int]], size: int) -> np.ndarray:
    matrices = np.tile(np.eye(size), (len(values), 1, 1))
    for place, (row, column) in enumerate(pairs):
        matrices[:, row, column] = matrices[:, column, row] = values[:, place]
    return (float(prior.arguments[0]) - 1.0) * np.linalg.slogdet(matrices)[1]
