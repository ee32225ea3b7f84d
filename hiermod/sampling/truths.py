"""True values for simulations: drawn from a spec's priors, or given by name."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from hiermod.errors import PriorError, did_you_mean, enumerate_names
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.model_priors import correlations, draw, draw_partial_correlations
from hiermod.modeling.protocol import Values, dataset_of, split
from hiermod.modeling.spec import Spec
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import Support, fitted, read_prior
from hiermod.sampling.external_draws import posterior_from_draws
from hiermod.sampling.posterior import Posterior

Truth = Mapping[str, float | str]


def true_values(spec: Spec, truth: Truth, draws: int, rng: np.random.Generator) -> Posterior:
    """Draws of all parameters in one chain: `truth` gives numbers or priors by name, the spec's priors the others.

    Names are those of `prior_summary`, for terms of several columns ``period[2]``; effects of groups are drawn from
    their normal, given standard deviations and correlations. A given coefficient is in the user's coding.

    Raises
    ------
    PriorError
        If a name is unknown, a value is neither number nor prior; or a parameter is not given whose default prior
        depends on data that are not there.
    """
    names = _parameters(spec)
    for name in truth:
        if name not in names:
            raise PriorError(f"truth= names {name!r}, which is no parameter.{did_you_mean(name, names)}")
    missing = [name for name in names if name not in truth and not name.startswith("cor(")]
    if missing and not spec.family.is_rate:
        raise PriorError(
            f"Default priors of family {spec.family} come from the data, and there are none yet. Give these in truth=, "
            f"as numbers or priors: {enumerate_names(missing)}."
        )
    found: Values = _common(spec, truth, draws, rng)
    for own in (spec.family.parameter(name) for name in spec.scalars):
        found[own.name] = _one(own.name, spec.priors[own.name][0], truth, own.support, draws, rng)
    for term in spec.groups:
        found |= _of_group(spec, term, truth, draws, rng)
    chain = {name: values[None] for name, values in found.items()}
    return posterior_from_draws(spec, dataset_of(spec.variables(), chain))


def _parameters(spec: Spec) -> list[str]:
    names = [name for block in spec.coefficients.blocks for name in block.row_names()] + list(spec.scalars)
    for term in spec.groups:
        names += term.sd_keys() + (term.correlation_keys() if term.correlated else [])
    return names


def _random(prior: Prior, draws: int, rng: np.random.Generator) -> np.ndarray:
    return draw((prior,), rng, draws)[:, 0]


def _one(name: str, prior: Prior, truth: Truth, support: Support, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of one parameter: the number that is given, or the prior that is given, or its own prior."""
    if name not in truth:
        return _random(prior, draws, rng)
    given: Any = truth[name]
    if isinstance(given, str):
        return _random(fitted(name, read_prior(name, given), support)[0], draws, rng)
    if isinstance(given, bool) or not isinstance(given, Real) or not np.isfinite(float(given)):
        raise PriorError(f"truth= gives {given!r} for {name!r}: a number, or a prior such as 'Normal(0, 0.2)'.")
    if support == "positive" and float(given) < 0.0:
        raise PriorError(f"truth= gives {given!r} for {name!r}, which cannot be negative: give 0 or more.")
    if support == "unit" and not 0.0 <= float(given) <= 1.0:
        raise PriorError(f"truth= gives {given!r} for {name!r}, which is between 0 and 1.")
    return np.full(draws, float(given))


def _common(spec: Spec, truth: Truth, draws: int, rng: np.random.Generator) -> Values:
    """Coefficients: from priors of the centred design, mapped to the user's coding, but for those that are given."""
    blocks = spec.coefficients.blocks
    if not blocks:
        return {}
    rows = [row for block in blocks for row in zip(block.row_names(), spec.priors[block.name], strict=True)]
    centred = np.stack([_random(prior, draws, rng) for _, prior in rows])
    values = np.linalg.solve(np.eye(len(rows)) + spec.coefficients.shift, centred)
    for place, (name, prior) in enumerate(rows):
        if name in truth:
            values[place] = _one(name, prior, truth, "real", draws, rng)
    return split(values.T, blocks, [block.name for block in blocks])


def _of_group(spec: Spec, term: GroupDesign, truth: Truth, draws: int, rng: np.random.Generator) -> Values:
    size, priors = len(term.row_names), [prior for effect in term.effects for prior in spec.priors[effect.sd_name]]
    keyed = zip(term.sd_keys(), priors, strict=True)
    sds = np.stack([_one(key, prior, truth, "positive", draws, rng) for key, prior in keyed], axis=1)
    found = split(sds, term.blocks, [effect.sd_name for effect in term.effects])
    if term.correlated:
        found[term.correlation_name] = _correlations(spec, term, truth, draws, rng)
    values, vectors = np.linalg.eigh(term.correlation_matrices(found.get(term.correlation_name, np.zeros((draws, 0)))))
    if (values < -1e-9).any():
        raise PriorError(f"truth= gives correlations of {term.grouping.name!r} that cannot be together.")
    factor = sds[:, :, None] * vectors * np.sqrt(values.clip(min=0.0))[:, None, :]
    effects = rng.standard_normal((draws, term.grouping.size, size)) @ factor.swapaxes(1, 2)
    return found | split(effects, term.blocks, [effect.name for effect in term.effects])


def _correlations(spec: Spec, term: GroupDesign, truth: Truth, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Correlations from their LKJ prior, but for those that are given."""
    size = len(term.row_names)
    found = correlations(draw_partial_correlations(spec.priors[term.correlation_name][0], size, rng, draws), size)
    for place, key in enumerate(term.correlation_keys()):
        given = truth.get(key)
        if given is not None:
            if isinstance(given, str | bool) or not -1.0 <= float(given) <= 1.0:
                raise PriorError(f"truth= gives {given!r} for {key!r}: a number from -1 to 1.")
            found[:, place] = float(given)
    return found
