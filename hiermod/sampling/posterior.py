"""`Posterior`: draws with the spec they belong to, and how they were made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hiermod.modeling.design import GroupDesign
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import Diagnostics
from hiermod.sampling.settings import Settings


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of a model.

    Parameters
    ----------
    spec : Spec or BetaSpec
        The model.
    tree : xarray.DataTree
        Groups ``posterior`` and ``sample_stats``, dims ``chain, draw``.
    settings : Settings
        Of the run that is kept; its seed repeats it.
    diagnostics : Diagnostics
    notices : tuple of str
        What happened on the way.
    """

    spec: Spec | BetaSpec
    tree: xr.DataTree
    settings: Settings
    diagnostics: Diagnostics
    notices: tuple[str, ...] = ()

    @property
    def dataset(self) -> xr.Dataset:
        """The posterior group."""
        return self.tree["posterior"].to_dataset()

    @property
    def shape(self) -> tuple[int, int]:
        """Chains and draws."""
        sizes = self.tree["posterior"].sizes
        return sizes["chain"], sizes["draw"]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the run early; the draws until then are kept."""
        return any(notice.startswith("interrupted") for notice in self.notices)

    def values(self, name: str) -> np.ndarray:
        """Draws of one variable, chains one after the other: shape ``(draws, *shape of the variable)``."""
        values = self.tree["posterior"][name].to_numpy()
        return values.reshape(-1, *values.shape[2:])

    def effects(self, term: GroupDesign, levels: np.ndarray | None = None) -> list[np.ndarray]:
        """Draws of a group term's effects, of all levels or some: each of shape ``(draws, levels, columns)``."""
        draws = [
            self.values(effect.name).reshape(-1, term.grouping.size, len(effect.row_names)) for effect in term.effects
        ]
        return draws if levels is None else [own[:, levels] for own in draws]

    def generator(self, purpose: int, label: str = "") -> np.random.Generator:
        """A random generator that is always the same for this run, purpose and label, in any process."""
        own = hashlib.blake2b(label.encode(), digest_size=16).digest() if label else b""
        return np.random.default_rng([self.settings.seed or 0, purpose, *own])
