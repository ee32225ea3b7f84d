"""Draws for other people's Bambi models, and the means that Bambi computes from them."""

import numpy as np
import xarray as xr


def made_up(model, draws=6, seed=1, groups_last=True):
    """Draws of Bambi's variables under its own names, dims and coordinates.

    Bambi's fit puts the dims of groups last, its PyMC model first; who samples that model has them so.
    """
    model.build()
    known, rng, found = model.backend.model, np.random.default_rng(seed), {}
    for variable in [*known.free_RVs, *known.deterministics]:
        dims = tuple(known.named_vars_to_dims.get(variable.name) or ())
        if variable.name.endswith("_offset") or "__obs__" in dims:
            continue
        values = rng.normal(0.0, 0.4, (2, draws, *(len(known.coords[dim]) for dim in dims)))
        positive = variable.name.endswith("_sigma") or variable.name in model.family.likelihood.params
        found[variable.name] = (("chain", "draw", *dims), np.abs(values) + 0.1 if positive else values)
    coords = {"chain": range(2), "draw": range(draws)}
    coords |= {dim: list(known.coords[dim]) for _, (dims, _) in found.items() for dim in dims[2:]}
    posterior = xr.Dataset(found, coords=coords, attrs={"modeling_interface": "bambi"})
    if groups_last:
        posterior = posterior.map(
            lambda values: values.transpose(*sorted(values.dims, key=lambda dim: str(dim).endswith("__factor_dim"))),
            keep_attrs=True,
        )
        posterior.attrs["modeling_interface"] = "bambi"
    return xr.DataTree.from_dict({"posterior": posterior})


def mean(model, idata):
    """Bambi's own, shape ``(rows, draws)``."""
    parent = model.family.likelihood.parent
    predicted = model.predict(idata, kind="response_params", inplace=False)
    return predicted["posterior"][parent].transpose("__obs__", "chain", "draw").to_numpy()
