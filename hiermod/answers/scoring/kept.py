"""Numbers that take long to compute are kept: in memory as long as their model lives, and in a folder on disk."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from hiermod.data.cells.observations import Observations
from hiermod.families.probes import fingerprint
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.files import replacing
from hiermod.sampling.posterior import Posterior

Numbers = tuple[Any, ...]
MEMORY: WeakKeyDictionary[ModelSpec, dict[str, Numbers]] = WeakKeyDictionary()
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass
class Place:
    """Where numbers of a model are kept.

    Parameters
    ----------
    spec : ModelSpec
        As long as it lives, the numbers stay in memory.
    name : str
        What they are of: a text that is the same where they are.
    folder : Path, optional
        Where files are kept because the user asked for it.
    beside : Path, optional
        A folder beside the fit's file, for where no other is asked for. It is made when it is needed, and where it
        cannot be made nothing is kept there.
    read : bool
        Whether the numbers were found in a file.
    """

    spec: ModelSpec
    name: str
    folder: Path | None = None
    beside: Path | None = None
    read: bool = False

    @property
    def path(self) -> Path:
        """The file."""
        return (self.folder or self.beside or Path()) / f"{self.name}.npz"

    def found(self) -> Numbers | None:
        """The numbers, if they are there."""
        known = MEMORY.get(self.spec, {}).get(self.name)
        if known is not None or (self.folder is None and self.beside is None):
            return known
        numbers = _read(self.path)
        if numbers is not None:
            self.read = True
            MEMORY.setdefault(self.spec, {})[self.name] = numbers
        return numbers

    def keep(self, numbers: Numbers) -> str:
        """Keep the numbers; what is to be said where they stay in memory, though the user asked for a folder."""
        MEMORY.setdefault(self.spec, {})[self.name] = numbers
        folder = self.folder or self.beside
        if folder is None:
            return ""
        try:
            if self.folder is None:
                folder.mkdir(exist_ok=True)
            _write(self.path, numbers)
        except OSError as error:
            why = f"scores cannot be kept in {folder}: {error.strerror or error}. They are in memory, and it goes on"
            return "" if self.folder is None else why
        return ""


def _read(path: Path) -> Numbers | None:
    """The numbers of a file; None where there is none, or one that cannot be read, which is then written anew."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return tuple(stored[f"arr_{place}"][()] for place in range(len(stored.files)))
    except DAMAGED:
        return None


def _write(path: Path, numbers: Numbers) -> None:
    """Write a file, which is there only when it is complete."""
    with replacing(path) as file:
        np.savez(file, *map(np.asarray, numbers))


def add_observations(digest: Any, seen: Observations) -> None:
    """Let a digest depend on observations."""
    for table in (seen.frame, seen.table):
        digest.update(repr(list(table)).encode())
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(seen.place).tobytes())


def draws_digest(posterior: Posterior) -> bytes:
    """A digest of all draws, and of the model that they are of."""
    spec = posterior.spec
    model = (type(spec).__name__, str(spec.formula), fingerprint(spec.family), spec.cells.source.fingerprint)
    digest = hashlib.sha256(repr((*model, posterior.shape)).encode())
    for name, values in posterior.dataset.data_vars.items():
        digest.update(str(name).encode())
        digest.update(np.ascontiguousarray(values.to_numpy()))
    return digest.digest()
