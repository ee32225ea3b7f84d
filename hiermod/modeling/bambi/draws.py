"""Draws and priors of somebody else's Bambi model, under this package's names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.errors import ModelError, enumerate_names
from hiermod.formula.nodes import INTERCEPT
from hiermod.modeling.bambi.importing import Taken, common_terms, varying_term
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.spec import Spec


def variables(model: Any, taken: Taken, posterior: xr.Dataset) -> xr.Dataset:
    """Bambi's draws under the names, dims and labels of a spec."""
    spec, sizes, found = taken.spec, taken.sizes, {}
    common = common_terms(model)
    for block in spec.common.blocks:
        dims = (f"{block.name}_dim",) if block.labels else ()
        values = _named(posterior, _called(common[block.term]), dims, len(block.columns))
        found[block.name] = values / _shaped(sizes[block.name], dims)
    for group in spec.groups:
        for effect in group.effects:
            term, size = varying_term(model, group, effect), sizes[effect.name]
            dims = (f"{effect.name}__expr_dim",) if effect.block.labels else ()
            sigma = _named(posterior, f"{_called(term)}_sigma", dims, len(effect.block.columns))
            found[f"{effect.name}_sigma"] = sigma / np.abs(_shaped(size, dims))
            found[effect.name] = _effects(posterior, term, group, dims, len(size)) / _shaped(size, dims)
    for name in spec.family.auxiliary:
        found[name] = _auxiliary(model, posterior, name)
    return xr.Dataset(found)


def _shaped(sizes: np.ndarray, dims: tuple[str, ...]) -> Any:
    return xr.DataArray(sizes, dims=dims) if dims else float(sizes[0])


def _called(term: Any) -> str:
    return str(term.alias or term.name)


def _named(posterior: xr.Dataset, name: str, dims: tuple[str, ...], *sizes: int) -> xr.DataArray:
    """A variable with its own dims in place of Bambi's; a dim of size 1 is dropped where there should be none."""
    if name not in posterior:
        raise ModelError(
            f"The draws have no variable {name!r}, which this Bambi model has. They have: "
            f"{enumerate_names(posterior.data_vars)}."
        )
    values = posterior[name].transpose("chain", "draw", ...).to_numpy()
    wanted = (*values.shape[:2], *(sizes if dims else ()))
    if values.size != np.prod(wanted):
        raise ModelError(f"The variable {name!r} has {values.shape[2:]} numbers in each draw; the model {wanted[2:]}.")
    return xr.DataArray(values.reshape(wanted), dims=("chain", "draw", *dims))


def _effects(posterior: xr.Dataset, term: Any, group: GroupDesign, dims: tuple[str, ...], columns: int) -> xr.DataArray:
    """Effects of the groups that occur, in this package's order; formulae has all pairs of crossed groups."""
    name, dim = _called(term), f"{group.grouping.name}__factor_dim"
    labels = [str(label) for label in term.groups]
    values = _named(posterior, name, (dim, *dims), len(labels), *((columns,) if dims else ()))
    for own in posterior[name].dims:
        if str(own).endswith("__factor_dim") and own in posterior.coords:
            labels = [str(label) for label in posterior[own].to_numpy()]
    places = [labels.index(str(label)) for label in group.grouping.labels()]
    return values.isel({dim: places}).assign_coords({dim: [labels[place] for place in places]})


def _auxiliary(model: Any, posterior: xr.Dataset, name: str) -> xr.DataArray:
    """The family's own parameter: sampled, or a number that was given for it."""
    prior = model.parameters[name].prior
    if hasattr(prior, "args"):
        return _named(posterior, str(model.parameters[name].alias or name), ())
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    return xr.DataArray(np.full(shape, float(prior)), dims=("chain", "draw"))


def prior_table(model: Any, spec: Spec) -> pd.DataFrame:
    """Bambi's own priors, in the columns of `Model.prior_summary`."""
    if not model.built:
        model.build()
    link = spec.family.link.name
    at = "predictors at their means" if model.center_predictors and len(spec.common.blocks) > 1 else ""
    common = common_terms(model)
    rows = [
        (block.name, str(common[block.term].prior), link, at if block.name == "Intercept" else "")
        for block in spec.common.blocks
    ]
    for group in spec.groups:
        for effect in group.effects:
            shown = "1" if effect.block.term == INTERCEPT else effect.block.term.name
            sigma = varying_term(model, group, effect).prior.args["sigma"]
            rows.append((f"sd({shown}|{group.grouping.name})", str(sigma), link, ""))
    rows += [(name, str(model.parameters[name].prior), "", "") for name in spec.family.auxiliary]
    return pd.DataFrame(rows, columns=["parameter", "prior", "scale", "stated_at"])
