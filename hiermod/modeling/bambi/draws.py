"""Draws and priors of somebody else's Bambi model, under this package's names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.errors import ModelError, enumerate_names
from hiermod.formula.nodes import INTERCEPT
from hiermod.modeling.bambi.importing import Taken, common_terms, varying_term
from hiermod.modeling.coding import Block
from hiermod.modeling.spec import Spec
from hiermod.modeling.variables import Variable, dataset_of


def variables(model: Any, taken: Taken, posterior: xr.Dataset) -> xr.Dataset:
    """Bambi's draws under the names, dims and labels of a spec."""
    spec, sizes, common = taken.spec, taken.sizes, common_terms(model)
    found: dict[str, np.ndarray] = {}
    for block in spec.common.blocks:
        values = _named(posterior, _called(common[block.term]), spec.variable(block.name).shape)
        found[block.name] = values / _per_column(sizes[block.name], block)
    for group in spec.groups:
        for effect in group.effects:
            term, size = varying_term(model, group, effect), _per_column(sizes[effect.name], effect.block)
            sds = _named(posterior, f"{_called(term)}_sigma", spec.variable(effect.sd_name).shape)
            found[effect.sd_name] = sds / np.abs(size)
            found[effect.name] = _effects(posterior, term, spec.variable(effect.name)) / size
    for name in spec.family.auxiliary:
        found[name] = _auxiliary(model, posterior, name)
    return dataset_of(spec.variables(), found)


def _per_column(sizes: np.ndarray, block: Block) -> Any:
    return sizes if block.labels else float(sizes[0])


def _called(term: Any) -> str:
    return str(term.alias or term.name)


def _named(posterior: xr.Dataset, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A variable's draws, shape ``(chain, draw, *shape)``; a dim of size 1 is dropped where there should be none."""
    if name not in posterior:
        raise ModelError(
            f"The draws have no variable {name!r}, which this Bambi model has. They have: "
            f"{enumerate_names(posterior.data_vars)}."
        )
    values = posterior[name].transpose("chain", "draw", ...).to_numpy()
    wanted = (*values.shape[:2], *shape)
    if values.size != np.prod(wanted):
        raise ModelError(f"The variable {name!r} has {values.shape[2:]} numbers in each draw; the model {wanted[2:]}.")
    return np.asarray(values.reshape(wanted))


def _effects(posterior: xr.Dataset, term: Any, variable: Variable) -> np.ndarray:
    """Effects of the groups that occur, in this package's order; formulae has all pairs of crossed groups."""
    name, labels = _called(term), [str(label) for label in term.groups]
    values = _named(posterior, name, (len(labels), *variable.shape[1:]))
    for dim in posterior[name].dims:
        if str(dim).endswith("__factor_dim") and dim in posterior.coords:
            labels = [str(label) for label in posterior[dim].to_numpy()]
    return values[:, :, [labels.index(label) for label in variable.labels[0]]]


def _auxiliary(model: Any, posterior: xr.Dataset, name: str) -> np.ndarray:
    """The family's own parameter: sampled, or a number that was given for it."""
    prior = model.parameters[name].prior
    if hasattr(prior, "args"):
        return _named(posterior, str(model.parameters[name].alias or name), ())
    return np.full((posterior.sizes["chain"], posterior.sizes["draw"]), float(prior))


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
