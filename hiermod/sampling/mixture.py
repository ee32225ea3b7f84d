"""Mixtures of posteriors: the draws of several fits, as many of each, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from hiermod.sampling.diagnostics import QUADRATURE_ERROR, Diagnostics
from hiermod.sampling.posterior import AT_ZERO, Posterior


def mixture(posteriors: Sequence[Posterior]) -> Posterior:
    """The mixture, in which posteriors of the same parameters have equal weights: the chains of each in turn.

    Where numbers of draws differ, each gives as many as the shortest has, evenly spread.
    """
    chains = {posterior.shape[0] for posterior in posteriors}
    if len(chains) == 1:
        shape = (chains.pop(), min(posterior.shape[1] for posterior in posteriors))
    else:
        shape = (1, min(posterior.size for posterior in posteriors))
    parts = tuple(_evenly(posterior, shape) for posterior in posteriors)
    first = parts[0]
    datasets = [part.dataset.drop_vars(["chain", "draw"], errors="ignore") for part in parts]
    shared = [name for name in datasets[0] if all(name in each for each in datasets)]  # effects of all, or of none
    joined = xr.concat(
        [each[shared] for each in datasets],
        "chain",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="override",
    )
    joined = joined.assign_coords(chain=np.arange(joined.sizes["chain"]), draw=np.arange(joined.sizes["draw"]))
    stats = xr.Dataset(attrs=_largest([posterior.tree["sample_stats"].attrs for posterior in posteriors]))
    settings = replace(first.settings, draws=shape[1], chains=joined.sizes["chain"], tune=None)
    return Posterior(
        first.spec, xr.DataTree.from_dict({"posterior": joined, "sample_stats": stats}), settings,
        _worst([posterior.diagnostics for posterior in posteriors]), parts=parts,
    )  # fmt: skip


def _largest(attributes: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    """What the integrals behind independent draws are known by, of the run that has the largest."""
    return {
        name: np.max([own[name] for own in attributes], axis=0)
        for name in (QUADRATURE_ERROR, AT_ZERO)
        if all(name in own for own in attributes)
    }


def _evenly(posterior: Posterior, shape: tuple[int, int]) -> Posterior:
    """So many draws of each chain, or of all chains as one, evenly spread."""
    if posterior.shape == shape:
        return posterior
    dataset, (chains, size) = posterior.dataset, shape
    if chains != posterior.shape[0]:
        dataset = _as_one_chain(dataset)
    places = np.linspace(0, dataset.sizes["draw"] - 1, size).astype(np.int64)
    groups = {
        "posterior": dataset.isel(draw=places),
        "sample_stats": xr.Dataset(attrs=posterior.tree["sample_stats"].attrs),
    }
    return replace(posterior, tree=xr.DataTree.from_dict(groups))


def _as_one_chain(dataset: xr.Dataset) -> xr.Dataset:
    arrays = {}
    for name, array in dataset.data_vars.items():
        values = array.transpose("chain", "draw", ...)
        arrays[name] = (values.dims, values.to_numpy().reshape(1, -1, *values.shape[2:]))
    coords = {name: coord for name, coord in dataset.coords.items() if name not in ("chain", "draw")}
    return xr.Dataset(arrays, coords=coords)


def _worst(seen: Sequence[Diagnostics]) -> Diagnostics:
    """Each figure of the run that has the worst, since convergence is a matter of the chains of one run."""
    rhat = max(seen, key=lambda one: one.rhat)
    bulk, tail = min(seen, key=lambda one: one.ess_bulk), min(seen, key=lambda one: one.ess_tail)
    return Diagnostics(
        rhat.rhat, rhat.rhat_of, bulk.ess_bulk, bulk.ess_bulk_of, tail.ess_tail, tail.ess_tail_of,
        sum(one.divergences for one in seen), min(one.ebfmi for one in seen), sum(one.max_depth_hits for one in seen),
        rhat.judged,
    )  # fmt: skip
