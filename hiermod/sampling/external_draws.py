"""Draws that somebody else made, taken as a posterior of a spec."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xarray as xr

from hiermod.errors import SamplingError, enumerate_names
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.variables import Variable
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings


def posterior_from_draws(spec: ModelSpec, draws: Any) -> Posterior:
    """Check that every parameter is there in its shape, and keep the draws as they are."""
    posterior = draws["posterior"].to_dataset() if isinstance(draws, xr.DataTree) else draws
    if not isinstance(posterior, xr.Dataset) or not {"chain", "draw"} <= set(posterior.dims):
        raise SamplingError(
            "The draws must be an xarray DataTree with a posterior, or a Dataset with dims chain and draw."
        )
    variables = spec.variables()
    for variable in variables:
        if variable.name not in posterior:
            raise SamplingError(
                f"The draws have no variable {variable.name!r}. They have: {', '.join(map(str, posterior.data_vars))}."
            )
        found = posterior[variable.name].transpose("chain", "draw", ...).shape[2:]
        if found != variable.shape:
            raise SamplingError(
                f"The variable {variable.name!r} has shape {found} in each draw; the model needs {variable.shape}."
            )
    kept = posterior[[variable.name for variable in variables]].transpose("chain", "draw", ...)
    kept = _in_model_order(variables, kept)
    has_stats = isinstance(draws, xr.DataTree) and "sample_stats" in draws.children
    stats = draws["sample_stats"].to_dataset() if has_stats else xr.Dataset()
    tree = xr.DataTree.from_dict({"posterior": kept, "sample_stats": stats})
    settings = Settings(kept.sizes["draw"], None, kept.sizes["chain"], None, 0, None)
    return Posterior(spec, tree, settings, diagnose(tree))


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
