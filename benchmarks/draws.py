"""How good draws are: one definition for every program, over all parameters, group effects among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

AT_ONCE = 250  # parameters


def judge(draws: np.ndarray) -> dict[str, float]:
    """The smallest bulk ESS and the largest R-hat of draws of shape (chain, draw, parameter)."""
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    parts = [draws[:, :, start : start + AT_ONCE] for start in range(0, draws.shape[2], AT_ONCE)]
    ess = min(float(np.nanmin(array_stats.ess(part, method="bulk", **axes))) for part in parts)
    rhat = max(float(np.nanmax(array_stats.rhat(part, **axes))) for part in parts)
    return {"ess": ess, "rhat": rhat, "parameters": draws.shape[2]}


def of_tree(tree: Any) -> np.ndarray:
    """All variables of an ArviZ tree's posterior as one array (chain, draw, parameter)."""
    posterior = tree["posterior"].to_dataset()
    parts = [values.transpose("chain", "draw", ...).to_numpy() for values in posterior.data_vars.values()]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)


def of_r(path: Path, chains: int, draws: int) -> np.ndarray:
    """The same of what R wrote: the doubles of an array (draw, chain, parameter), its first index running fastest."""
    return np.fromfile(path).reshape(-1, chains, draws).transpose(1, 2, 0)
