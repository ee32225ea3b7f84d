"""Draws that somebody else made: what they must hold to be those of a model's posterior."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from hiermod.errors import SamplingError, enumerate_names
from hiermod.modeling.pooled import SPREAD, PooledSpec
from hiermod.modeling.protocol import DIMS, ModelSpec, Variable
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings

CLOSE = 1e-6  # by which a number may be beyond the end of its range, as in single precision


def posterior_from_draws(spec: ModelSpec, draws: Any) -> Posterior:
    """Check that every parameter is there in its shape, with numbers that it can take, and keep the draws.

    Raises
    ------
    SamplingError
        With the variable, the first number that is wrong, and where it stands.
    """
    nested = isinstance(draws, xr.DataTree) and "posterior" in draws.children
    posterior = draws["posterior"].to_dataset() if nested else draws
    if not isinstance(posterior, xr.Dataset) or not {"chain", "draw"} <= set(posterior.dims):
        raise SamplingError(
            "The draws must be an xarray DataTree with a posterior, or a Dataset with dims chain and draw."
        )
    variables = spec.variables()
    kept = xr.Dataset({variable.name: _by_name(posterior, variable) for variable in variables}, attrs=posterior.attrs)
    kept = _in_model_order(variables, kept)
    if not kept.sizes["chain"] * kept.sizes["draw"]:
        raise SamplingError("The draws are of no chain, or a chain has no draw.")
    for variable in variables:
        _refuse_impossible(kept[variable.name], *_range(spec, variable))
    has_stats = isinstance(draws, xr.DataTree) and "sample_stats" in draws.children
    stats = draws["sample_stats"].to_dataset() if has_stats else xr.Dataset()
    tree = xr.DataTree.from_dict({"posterior": kept, "sample_stats": stats})
    settings = Settings(kept.sizes["draw"], None, kept.sizes["chain"], None, 0, None)
    return Posterior(spec, tree, settings, diagnose(tree))


def _by_name(posterior: xr.Dataset, variable: Variable) -> xr.DataArray:
    """A variable's draws with its dims in the model's order; several dims are told apart by their names alone."""
    if variable.name not in posterior:
        raise SamplingError(
            f"The draws have no variable {variable.name!r}. They have: {', '.join(map(str, posterior.data_vars))}."
        )
    values = posterior[variable.name]
    absent = [dim for dim in DIMS if dim not in values.dims]
    if absent:
        raise SamplingError(f"The variable {variable.name!r} of the draws has no dim {' and no dim '.join(absent)}.")
    if values.dtype.kind not in "iuf":
        raise SamplingError(
            f"The variable {variable.name!r} of the draws is of type {values.dtype}; real numbers are needed, as in "
            f"draws[{variable.name!r}].{'real' if values.dtype.kind == 'c' else 'astype(float)'}."
        )
    dims = [str(dim) for dim in values.dims if dim not in DIMS]
    if sorted(dims) == sorted(variable.dims):
        dims = list(variable.dims)
    elif len(dims) > 1:
        raise SamplingError(
            f"The variable {variable.name!r} has the dims {', '.join(dims)}; the model's are "
            f"{', '.join(variable.dims) or 'none'}. Give the draws' dims these names with draws.rename()."
        )
    values = values.transpose(*DIMS, *dims)
    if values.shape[2:] != variable.shape:
        raise SamplingError(
            f"The variable {variable.name!r} has shape {values.shape[2:]} in each draw; the model needs "
            f"{variable.shape}."
        )
    return values if values.dtype.kind == "f" else values.astype(float)


def _in_model_order(variables: Iterable[Variable], posterior: xr.Dataset) -> xr.Dataset:
    """Put labelled dimensions in the model's order; labels that the model does not have are refused."""
    expected = {dim: list(own) for each in variables for dim, own in zip(each.dims, each.labels, strict=True)}
    for dim, labels in expected.items():
        if dim not in posterior.coords:
            continue
        found = [str(label) for label in posterior[dim].to_numpy()]
        if sorted(found) != sorted(labels):
            raise SamplingError(
                f"The draws' dimension {dim!r} is labelled {enumerate_names(found, 6)}; the model has "
                f"{enumerate_names(labels, 6)}."
            )
        posterior = posterior.isel({dim: [found.index(label) for label in labels]})
    return posterior


RANGES = {"positive": (0.0, math.inf), "unit": (0.0, 1.0), "real": (-math.inf, math.inf)}


def _range(spec: ModelSpec, variable: Variable) -> tuple[float, float]:
    """Between which numbers a variable lies."""
    if isinstance(spec, PooledSpec) and variable.name != SPREAD:
        return 0.0, 1.0 if spec.family.is_rate else math.inf
    if variable.role == "family" and variable.name in spec.family.auxiliary:
        return RANGES[spec.family.parameter(variable.name).support]
    if variable.role in ("sd", "family") or isinstance(spec, PooledSpec):
        return 0.0, math.inf
    if variable.role == "share":
        return 0.0, 1.0
    return (-1.0, 1.0) if variable.role == "correlation" else (-math.inf, math.inf)


def _refuse_impossible(values: xr.DataArray, low: float, high: float) -> None:
    """Refuse draws that are NaN, infinite, or out of their range."""
    numbers = values.to_numpy()
    known = np.isfinite(numbers)
    wrong = ~known | (numbers < low - CLOSE * abs(low)) | (numbers > high + CLOSE)
    if not wrong.any():
        return
    first = tuple(int(place[0]) for place in np.nonzero(wrong))
    places = zip(values.dims, first, strict=True)
    where = ", ".join(f"{dim} {values[dim].to_numpy()[at] if dim in values.coords else at}" for dim, at in places)
    bounds = f"lies from {low:g} to {high:g}" if high < math.inf else f"is not below {low:g}"
    expected = f"{values.name!r} {bounds}" if known[first] else "a finite number is needed"
    raise SamplingError(
        f"{int(wrong.sum()):,} of {wrong.size:,} draws of {values.name!r} cannot be: the first is {numbers[first]:.6g} "
        f"({where}), and {expected}. Look at the run that made them; leave a draw out of all variables with "
        "draws.isel(draw=...)."
    )
