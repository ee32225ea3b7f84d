"""The draws of single parameters by readable names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hiermod.answers.group_effects import correlation_matrices, standard_deviations
from hiermod.answers.parameters.estimates import fixef_draws
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean
from hiermod.modeling.pooled import BetaSpec
from hiermod.sampling.posterior import Posterior


def chief_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Common coefficients, sds, correlations, the family's parameters (or Beta's two), shape ``(chains, draws)``."""
    draws = dict(fixef_draws(posterior))
    spec = posterior.spec
    for term in () if isinstance(spec, BetaSpec) else spec.groups:
        group, names = term.grouping.name, term.row_names
        sds = standard_deviations(posterior, term)
        draws.update({f"sd({'1' if name == 'Intercept' else name}|{group})": sds[:, k] for k, name in enumerate(names)})
        if term.correlated:
            matrices = correlation_matrices(posterior, term)
            draws.update({f"cor({names[j]}, {names[i]}|{group})": matrices[:, i, j] for i, j in term.pairs()})
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
        variable = next((own for own in variables if str(name) == own or str(name).startswith(f"{own}[")), None)
        found = elements(posterior, variable) if variable else {}
        if name in chief:
            draws[name] = chief[name]
        elif name == variable:
            draws.update(found)
        elif name in found:
            draws[name] = found[name]
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
    known = _labels(posterior, variable)
    axes = [
        known[place] if place < len(known) else [level_text(value) for value in array[dim].to_numpy().tolist()]
        for place, dim in enumerate(array.dims[2:])
    ]
    values = array.to_numpy()
    return {
        f"{variable}[{', '.join(labels[i] for labels, i in zip(axes, index, strict=True))}]": values[(..., *index)]
        for index in np.ndindex(*array.shape[2:])
    }


def _labels(posterior: Posterior, variable: str) -> list[list[str]]:
    """What the axes of a variable hold, by the model: draws made elsewhere may lack coordinates."""
    spec = posterior.spec
    if isinstance(spec, BetaSpec):
        return [_texts(spec.grouping.labels())]
    for block in spec.common.blocks:
        if block.name == variable:
            return [_texts(block.labels or ())]
    for term in spec.groups:
        for effect in term.effects:
            own = [_texts(effect.block.labels)] if effect.block.labels else []
            if variable in (effect.name, f"{effect.name}_sigma"):
                return [_texts(term.grouping.labels()), *own] if variable == effect.name else own
        if variable == term.correlation_name:
            return [[f"{term.row_names[second]}, {term.row_names[first]}" for first, second in term.pairs()]]
    return []


def _texts(levels: Sequence[object]) -> list[str]:
    return [level_text(level) for level in levels]
