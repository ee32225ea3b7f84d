"""`Sampler`: what a compiled engine, or PyMC's, has to offer."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import xarray as xr

from hiermod.sampling.settings import ChosenEngine, Settings


class Sampler(Protocol):
    """Something that samples a model: its defaults, and one run of it."""

    @property
    def engine(self) -> ChosenEngine:
        """What it is."""

    @property
    def tune(self) -> int | None:
        """Warm-up of each chain, unless the user set it; None where there is none."""

    @property
    def target_accept(self) -> float | None:
        """The first target, unless the user set it; None where nothing is tuned."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once; return the draws and whether the run was interrupted.

        Raises
        ------
        InterruptedSamplingError
            If the run was interrupted before any draw.
        SamplingError
            If no chain could start.
        """


def longest_run(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """The chains, and how many draws of each, that keep most of a run whose chains have these lengths."""
    longest_first = np.argsort(-lengths, kind="stable")
    kept = lengths[longest_first] * np.arange(1, len(lengths) + 1)
    size = int(np.argmax(kept)) + 1 if len(kept) else 0
    return np.sort(longest_first[:size]), int(lengths[longest_first[size - 1]]) if size else 0
