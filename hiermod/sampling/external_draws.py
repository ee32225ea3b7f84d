"""Draws that somebody else made, taken as a posterior of a spec."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hiermod.errors import SamplingError, enumerate_names
from hiermod.modeling.pooled import MEAN, SPREAD, BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings


def posterior_from_draws(spec: Spec | BetaSpec, draws: Any) -> Posterior:
    """Check that every parameter is there in its shape, and keep the draws as they are."""
    posterior = draws["posterior"].to_dataset() if isinstance(draws, xr.DataTree) else draws
    if not isinstance(posterior, xr.Dataset) or not {"chain", "draw"} <= set(posterior.dims):
        raise SamplingError(
            "The draws must be an xarray DataTree with a posterior, or a Dataset with dims chain and draw."
        )
    for name, shape in expected_shapes(spec).items():
        if name not in posterior:
            raise SamplingError(
                f"The draws have no variable {name!r}. They have: {', '.join(map(str, posterior.data_vars))}."
            )
        found = posterior[name].transpose("chain", "draw", ...).shape[2:]
        if found != shape:
            raise SamplingError(f"The variable {name!r} has shape {found} in each draw; the model needs {shape}.")
    kept = _in_model_order(spec, posterior[list(expected_shapes(spec))].transpose("chain", "draw", ...))
    has_stats = isinstance(draws, xr.DataTree) and "sample_stats" in draws.children
    stats = draws["sample_stats"].to_dataset() if has_stats else xr.Dataset()
    tree = xr.DataTree.from_dict({"posterior": kept, "sample_stats": stats})
    settings = Settings(kept.sizes["draw"], None, kept.sizes["chain"], None, 0, None)
    return Posterior(spec, tree, settings, diagnose(tree))


def _in_model_order(spec: Spec | BetaSpec, posterior: xr.Dataset) -> xr.Dataset:
    """Put labelled dimensions in the model's order; labels that the model does not have are refused."""
    for dim, labels in expected_labels(spec).items():
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


def expected_labels(spec: Spec | BetaSpec) -> dict[str, list[str]]:
    """The labels of the dimensions of a spec's parameters."""
    groupings = [spec.grouping] if isinstance(spec, BetaSpec) else [term.grouping for term in spec.groups]
    labels = {f"{grouping.name}__factor_dim": [str(label) for label in grouping.labels()] for grouping in groupings}
    if not isinstance(spec, BetaSpec):
        labels |= {f"{block.name}_dim": list(block.labels) for block in spec.common.blocks if block.labels}
    return labels


def expected_shapes(spec: Spec | BetaSpec) -> dict[str, tuple[int, ...]]:
    """The parameters of a spec with their shapes in one draw."""
    if isinstance(spec, BetaSpec):
        return {MEAN: (), SPREAD: (), spec.rate_name: (spec.grouping.size,)}
    shapes: dict[str, tuple[int, ...]] = {}
    for block in spec.common.blocks:
        shapes[block.name] = () if block.labels is None else (len(block.columns),)
    shapes |= dict.fromkeys(spec.family.auxiliary, ())
    for term in spec.groups:
        for effect in term.effects:
            own = () if effect.block.labels is None else (len(effect.block.columns),)
            shapes[f"{effect.name}_sigma"] = own
            shapes[effect.name] = (term.grouping.size, *own)
        if term.correlated:
            shapes[term.correlation_name] = (len(term.pairs()),)
    return {name: tuple(int(size) for size in np.atleast_1d(shape)) if shape else () for name, shape in shapes.items()}
