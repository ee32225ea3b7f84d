"""Random variables of priors: PyMC's own where their entries share a distribution, else one of entries that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from hiermod.priors.distributions import Prior, alike, joined


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


class EntryByEntry(Transform):
    """Samples each entry on the line that its prior's support asks for; the last input is the entries' location."""

    name = "entry_by_entry"

    def __init__(self, priors: Sequence[Prior]) -> None:
        self.ends = [prior.support for prior in priors]

    def forward(self, value: Any, *inputs: Any) -> Any:
        """To the line."""
        return self._each(_to_line, value - inputs[-1])

    def backward(self, value: Any, *inputs: Any) -> Any:
        """From the line."""
        return self._each(_from_line, value) + inputs[-1]

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """The logarithm of each entry's derivative on the way back."""
        return self._each(_log_slope, value)

    def _each(self, function: Any, value: Any) -> Any:
        return each_entry([lambda x, ends=ends: function(x, *ends) for ends in self.ends], value)


def each_entry(functions: Sequence[Any], value: Any) -> Any:
    """Each entry of a variable by a function of its own; a single number by the only one."""
    if not value.ndim:
        return functions[0](value)
    return pt.stack([function(value[place]) for place, function in enumerate(functions)])


def _to_line(x: Any, low: float, high: float) -> Any:
    if math.isfinite(low) and math.isfinite(high):
        return pt.log(x - low) - pt.log(high - x)
    return x if low == -high else pt.log(x - low) if math.isfinite(low) else pt.log(high - x)


def _from_line(v: Any, low: float, high: float) -> Any:
    if math.isfinite(low) and math.isfinite(high):
        return np.float64(low) + np.float64(high - low) * pt.sigmoid(v)
    return v if low == -high else low + pt.exp(v) if math.isfinite(low) else high - pt.exp(v)


def _log_slope(v: Any, low: float, high: float) -> Any:
    if math.isfinite(low) and math.isfinite(high):
        return np.log(high - low) - pt.softplus(v) - pt.softplus(-v)
    return pt.zeros_like(v) if low == -high else v


def distribution(priors: Sequence[Prior], name: str, shift: Any = None, **options: Any) -> Any:
    """Register a random variable, the entries of which have these priors, their location less `shift`.

    Numbers are doubles: PyTensor takes a plain 3.0 for a single, and computes 1 / 3.0 in single precision.
    """
    if not alike(priors):
        return _of_entries(priors, name, shift, options)
    record, arguments = joined(priors)
    inputs: dict[str, Any] = {key: np.asarray(argument, dtype=np.float64) for key, argument in arguments.items()}
    if shift is not None:
        inputs[record.parameters[-2]] = inputs[record.parameters[-2]] - shift
        options["default_transform"] = AboutLocation()
    return getattr(pm, record.name)(name, **inputs, **options)


def _of_entries(priors: Sequence[Prior], name: str, shift: Any, options: dict[str, Any]) -> Any:
    """A variable whose entries have distributions of their own; sampled about its location where that moves."""
    dims = options.get("dims")
    size = len(priors) if dims else None
    about = np.array([prior.typical if prior.located and shift is not None else 0.0 for prior in priors])
    typical = np.array([prior.typical for prior in priors]) - about
    if not dims:
        about, typical = about[0], typical[0]
    location = about if shift is None else about - shift
    functions = [lambda x, prior=prior, at=at: log_density(prior, x + at)
                 for prior, at in zip(priors, np.atleast_1d(about), strict=True)]  # fmt: skip

    def of_entries(value: Any, at: Any) -> Any:
        return each_entry(functions, value - at)

    def draw(at: Any, rng: Any = None, size: Any = None) -> Any:
        shape = tuple(size or ())
        if not dims:
            return priors[0].draw(rng, shape) - about + at
        return np.stack([prior.draw(rng, shape[:-1]) for prior in priors], axis=-1) - about + at

    def start(_: Any, __: Any, at: Any) -> Any:
        return at + typical

    return pm.CustomDist(
        name, location, logp=of_entries, random=draw, support_point=start, shape=size,
        default_transform=EntryByEntry(priors), **options,
    )  # fmt: skip


def log_density(prior: Prior, x: Any) -> Any:
    """The log density of a number inside the prior's support, by PyMC's density of the whole distribution."""
    record = prior.distribution
    arguments = {key: np.float64(number) for key, number in zip(record.parameters, prior.arguments, strict=True)}
    whole = getattr(pm, record.name).dist(**arguments)
    below, above = prior.chances(*prior.ends)
    density = pm.logp(whole, x if prior.power == 1.0 else x**prior.power) - np.log(above - below)
    if prior.power == 1.0:
        return density
    return density + np.log(abs(prior.power)) + (prior.power - 1.0) * pt.log(x)
