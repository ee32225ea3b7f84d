"""Stored fits: NetCDF without pickle. Draws, cells and one JSON text hold everything; answers come out the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hiermod.data.cells.table import Cells
from hiermod.data.columns.predictors import apply_recipe
from hiermod.errors import DataError, StorageError
from hiermod.families.probes import probe_densities, same_density
from hiermod.families.registry import is_built_in, read_family
from hiermod.formula.parser import parse
from hiermod.modeling.definition import Defined, Definition, redefine
from hiermod.sampling import old_format
from hiermod.sampling.diagnostics import Diagnostics
from hiermod.sampling.files import Draft, is_sealed, refuse_foreign_parts, write_sealed
from hiermod.sampling.posterior import History, Posterior, Rerun, Trouble
from hiermod.sampling.provenance import Origin, here
from hiermod.sampling.settings import ChosenEngine, Settings
from hiermod.sampling.stored_cells import cells_from_dataset, cells_to_dataset

FORMAT = 5
UNSEALED = 4  # the same without a seal
LARGE = 16_000_000  # bytes of a variable, from which on it is written in blocks


@dataclass(frozen=True, eq=False)
class StoredFit:
    """What a file holds: the model and its draws."""

    defined: Defined
    posterior: Posterior


def scores_folder(path: str | Path) -> Path:
    """Where scores of the fit in a file are kept."""
    return Path(f"{path}.scores")


def keeping_scores(stored: StoredFit, path: str | Path) -> StoredFit:
    """The fit, whose scores are kept beside its file from now on."""
    return replace(stored, posterior=replace(stored.posterior, scores=scores_folder(path)))


def with_data(stored: StoredFit, defined: Defined) -> StoredFit:
    """A stored fit with the data that it was found to be of, where that names the same parameters in the same order."""
    if defined.held is not None and not stored.defined.by_patterns:
        defined = defined.whole
    if stored.defined.spec.variables() != defined.spec.variables():
        return stored
    return StoredFit(defined, replace(stored.posterior, spec=defined.spec))


def forget_scores(path: str | Path) -> None:
    """Remove the scores of the fit that was in a file before."""
    for old in scores_folder(path).glob("*.npz"):
        old.unlink(missing_ok=True)


def save(stored: StoredFit, path: str | Path) -> None:
    """Write a fit to a NetCDF file; an existing file is replaced only when the new one is complete.

    Raises
    ------
    StorageError
        If no file can be written there.
    """
    defined, posterior = stored.defined, stored.posterior
    cells, description = cells_to_dataset(defined.spec.cells)
    metadata = {
        "format": FORMAT,
        "definition": {**asdict(defined.definition), "priors": _prior_texts(defined.definition)},
        "family": str(defined.spec.family),
        "density": None if is_built_in(defined.spec.family) else probe_densities(defined.spec.family),
        "model_notices": defined.notices,
        "settings": asdict(posterior.settings),
        "diagnostics": asdict(posterior.diagnostics),
        "history": None if posterior.history is None else asdict(posterior.history),
        "cells": description,
        "path": _path_of(defined),
        "versions": dict(posterior.origin.versions or here().versions),
        "platform": posterior.origin.platform,
    }
    groups = {name: node.to_dataset() for name, node in posterior.tree.children.items()}
    tree = xr.DataTree.from_dict({**groups, "hiermod_cells": cells})
    tree.attrs["hiermod"] = json.dumps(metadata, ensure_ascii=False)
    write_sealed(path, lambda draft: _write(tree, draft))


def _write(tree: xr.DataTree, draft: Draft) -> None:
    """Write a tree; large variables of draws follow in blocks, since each would be copied whole else."""
    large = {name: values for name, values in tree["posterior"].data_vars.items() if values.nbytes >= LARGE}
    small = xr.DataTree.from_dict(
        {name: node.to_dataset().drop_vars(large) if name == "posterior" else node.to_dataset()
         for name, node in tree.children.items()}
    )  # fmt: skip
    small.attrs = tree.attrs
    small.to_netcdf(draft, engine="h5netcdf")
    if not large:
        return
    import h5netcdf  # what reads and writes NetCDF is not loaded with hiermod

    with h5netcdf.File(draft, "r+") as file:
        for name, values in large.items():
            target = file["posterior"].create_variable(name, values.dims, values.dtype, fillvalue=np.nan)
            step = max(1, LARGE // (4 * values[0, 0].nbytes))
            for chain in range(values.shape[0]):
                for first in range(0, values.shape[1], step):
                    block = slice(first, first + step)
                    target[chain, block] = values.values[chain, block]


def _path_of(defined: Defined) -> str:
    """Where the rows are whose groups are stored by their patterns alone, if that is a path."""
    if not defined.by_patterns:
        return ""
    return str(Path(defined.data).absolute()) if isinstance(defined.data, str | Path) else defined.path


def load(path: str | Path, data: Any = None) -> StoredFit:
    """Read a fit from a NetCDF file; `data` is what was fitted, which tells groups that are stored by their patterns.

    Raises
    ------
    StorageError
        If there is no such file, or hiermod did not write it.
    """
    path = _existing(path)
    sealed = is_sealed(path)
    try:
        refuse_foreign_parts(path)
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except StorageError:
        raise
    except Exception as error:  # whatever HDF5 and its readers make of a damaged or foreign file
        raise StorageError(f"{str(path)!r} is not a NetCDF file that can be read: {error}") from error
    metadata = _metadata(tree, path)
    if metadata["format"] == FORMAT and not sealed:
        raise StorageError(f"{str(path)!r} is damaged: it was cut off, or changed by another program.")
    try:
        stored = _read(tree, metadata, path)
    except (StorageError, MemoryError):
        raise
    except Exception as error:
        raise StorageError(f"{str(path)!r} was stored by hiermod, but is damaged: {error!r}.") from error
    defined = replace(stored.defined, data=data, path=metadata.get("path", ""))
    return replace(stored, defined=defined)


def _existing(path: str | Path) -> Path:
    try:
        path = Path(path)
        if path.is_file():
            return path
        if path.is_dir():
            raise StorageError(f"{str(path)!r} is a folder; a fit is stored in a file.")
        if path.exists():
            raise StorageError(f"{str(path)!r} is a pipe or a device; a fit is stored in a file.")
    except (TypeError, ValueError, OSError) as error:
        raise StorageError(f"No file can be at {path!r}: {error}.") from error
    raise StorageError(f"There is no file {str(path)!r}.")


def _read(tree: xr.DataTree, metadata: dict[str, Any], path: Path) -> StoredFit:
    definition = Definition(**metadata["definition"])
    formula = parse(definition.formula)
    _refuse_other_family(metadata["family"], metadata.get("density"), path)
    cells = cells_from_dataset(tree["hiermod_cells"].to_dataset(), metadata["cells"], formula)
    _refuse_other_functions(cells)
    defined = redefine(definition, formula, metadata["family"], cells, tuple(metadata["model_notices"]))
    groups = {name: node.to_dataset() for name, node in tree.children.items() if name != "hiermod_cells"}
    posterior = Posterior(
        defined.spec, xr.DataTree.from_dict(groups), Settings(**metadata["settings"]),
        Diagnostics(**metadata["diagnostics"]), _history(metadata["history"]), path,
        scores_folder(path) if scores_folder(path).is_dir() else None,
        origin=Origin(metadata.get("versions", {}), metadata.get("platform", "")),
    )  # fmt: skip
    return StoredFit(defined, posterior)


def _refuse_other_family(text: str, densities: list[float] | None, path: Path) -> None:
    """A family from outside must be registered, and still be the one that the fit was made with."""
    if densities is None:
        return
    try:
        family = read_family(text)
    except DataError as error:
        raise StorageError(
            f"{str(path)!r} holds a fit of the family {text!r} from outside, whose functions are not stored. Register "
            "its record first: hiermod.register_family(record)."
        ) from error
    if not same_density(densities, family):
        raise StorageError(
            f"The family {text!r} has another density now than when {str(path)!r} was stored. Register the record it "
            "was made with: hiermod.register_family(record, replace=True)."
        )


def _history(stored: dict[str, Any] | None) -> History | None:
    if stored is None:
        return None
    reruns = tuple(Rerun(**{**rerun, "trouble": Trouble(**rerun["trouble"])}) for rerun in stored["reruns"])
    parts = {"asked": Settings(**stored["asked"]), "engine": ChosenEngine(**stored["engine"]), "reruns": reruns}
    return History(**{**stored, **parts})


def _refuse_other_functions(cells: Cells) -> None:
    """A function of the user's own must still be the one that the fit was made with."""
    for name, recipe in cells.recipes.items():
        if not recipe.registered or not set(recipe.sources) <= set(cells.frame) - set(cells.averaged):
            continue
        for column, values in apply_recipe(recipe, cells.predictors[name], cells.frame).items():
            if not np.allclose(values, cells.frame[column]):
                raise StorageError(f"{name} gives other values now than when the fit was made: its function changed.")


def difference(stored: StoredFit, defined: Defined, asked: Settings) -> str | None:
    """What keeps a stored fit from standing in for a new one; None if nothing does."""
    old, new = stored.defined, defined
    if str(old.spec.formula) != str(new.spec.formula):
        return "the formula"
    if str(old.spec.family) != str(new.spec.family) or old.definition.pooling != new.definition.pooling:
        return "the family or pooling"
    if old.spec.cells.source != new.spec.cells.source:
        return "the data"
    if _prior_texts(old.definition) != _prior_texts(new.definition):
        return "the priors"
    if old.definition.intercept_at != new.definition.intercept_at:
        return "where the intercept's prior stands"
    if old.definition.compress != new.definition.compress or stored.posterior.asked != asked:
        return "the settings"
    return None


def _prior_texts(definition: Definition) -> dict[str, str]:
    return {key: str(prior) for key, prior in definition.priors.items()}


def _metadata(tree: xr.DataTree, path: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(tree.attrs["hiermod"])
    except (KeyError, ValueError) as error:
        raise StorageError(f"{str(path)!r} is not a fit that hiermod stored.") from error
    if metadata.get("format") == old_format.FORMAT:
        return old_format.upgraded(metadata)
    if metadata.get("format") not in (FORMAT, UNSEALED):
        raise StorageError(
            f"{str(path)!r} has format {metadata.get('format')!r}; this version of hiermod reads formats "
            f"{old_format.FORMAT}, {UNSEALED} and {FORMAT}. It was written by hiermod "
            f"{metadata.get('versions', {}).get('hiermod', 'unknown')}."
        )
    return dict(metadata)
