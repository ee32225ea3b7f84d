"""The draws of single parameters by readable names."""

from __future__ import annotations

from typing import Any

import numpy as np

from hiermod.answers.group_effects import standard_deviations
from hiermod.answers.parameters.estimates import fixef_draws
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean
from hiermod.sampling.posterior import Posterior


def chief_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Common coefficients, sds, correlations, the family's parameters (or Beta's two), shape ``(chains, draws)``."""
    draws = dict(fixef_draws(posterior))
    spec = posterior.spec
    for term in spec.groups:
        draws.update(zip(term.sd_keys(), standard_deviations(posterior, term).T, strict=True))
        if term.correlated:
            draws.update(zip(term.correlation_keys(), posterior.values(term.correlation_name).T, strict=True))
    draws.update({name: posterior.values(name) for name in spec.family.auxiliary})
    return {name: values.reshape(posterior.shape) for name, values in draws.items()}


def named_draws(posterior: Posterior, names: Any) -> dict[str, np.ndarray]:
    """Draws of the parameters asked for, shape ``(chains, draws)``.

    Parameters
    ----------
    names : str or list of str
        Names as in `chief_draws`, variables of the posterior (all their elements), or elements: ``1|country[Canada]``.

    Raises
    ------
    AnswerError
        If there is no such parameter.
    """
    chief = chief_draws(posterior)
    variables = [str(name) for name in posterior.dataset.data_vars]
    draws: dict[str, np.ndarray] = {}
    for name in [names] if isinstance(names, str) else list(names):
        variable = next((known for known in variables if str(name) == known or str(name).startswith(f"{known}[")), None)
        parts = elements(posterior, variable) if variable else {}
        if name in chief:
            draws[name] = chief[name]
        elif name == variable:
            draws.update(parts)
        elif name in parts:
            draws[name] = parts[name]
        else:
            near = did_you_mean(str(name), list(dict.fromkeys([*chief, *variables])))
            raise AnswerError(f"There is no parameter {name!r}.{near}")
    if not draws:
        raise AnswerError("names= is empty: name a parameter, or leave names= out for the chief ones.")
    return draws


def elements(posterior: Posterior, variable: str) -> dict[str, np.ndarray]:
    """Each element of a variable by name, such as ``1|country[Canada]``."""
    array = posterior.dataset[variable].transpose("chain", "draw", ...)
    if array.ndim == 2:
        return {variable: array.to_numpy()}
    labels = next(known.labels for known in posterior.spec.variables() if known.name == variable)
    axes, values = [[level_text(label) for label in axis] for axis in labels], array.to_numpy()
    return {
        f"{variable}[{', '.join(axis[i] for axis, i in zip(axes, index, strict=True))}]": values[(..., *index)]
        for index in np.ndindex(*array.shape[2:])
    }
