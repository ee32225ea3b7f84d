"""Thin plate regression splines of one column, mgcv's ``s(x)`` (Wood 2003, J. R. Statist. Soc. B 65, 95-114).

The first column of the basis is a straight line, which is not penalised; the others, the wiggles, are scaled so that
independent standard normal coefficients have mgcv's penalty as their prior. All are centred, and the wiggles have no
straight line in them, over the fitted rows. Beyond these the curve goes on as a straight line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hiermod.errors import DataError

State = dict[str, Any]
MOST_NODES = 500  # distinct values that a basis is made of; of more, so many quantiles
LEAST, USUAL = 3, 10


def learn_smooth(x: np.ndarray, weight: np.ndarray, by: Any = None, k: Any = USUAL, bs: Any = "tp") -> State:
    """Learn the basis from values and how often each counts.

    Raises
    ------
    DataError
        If there are fewer distinct values than the basis has columns, or another basis is asked for.
    """
    if by is not None:
        raise DataError(f"s(): by={by!r} is no column; curves by a column are not there. The nearest is s(x) + x:f.")
    if str(bs).strip("'\"") != "tp":
        raise DataError(f"s(): bs={bs!r} is not there. bs='tp', the thin plate spline, is the usual one.")
    if isinstance(k, bool) or k != int(k) or not LEAST <= k <= 100:
        raise DataError(f"s(): k is a whole number from {LEAST} to 100, not {k!r}.")
    k, values = int(k), np.unique(x)
    if len(values) < k:
        fit = f"s(x, k={len(values)})" if len(values) >= LEAST else "the column itself, or factor() of it"
        raise DataError(
            f"s(): a basis of k = {k} needs as many distinct values, and there are {len(values)}. Write {fit}."
        )
    centre, scale = float(np.average(x, weights=weight)), float(values[-1] - values[0])
    nodes = values if len(values) <= MOST_NODES else np.quantile(values, np.linspace(0.0, 1.0, MOST_NODES))
    nodes = (nodes - centre) / scale
    weights = _penalised(nodes, k)
    state: State = {"centre": centre, "scale": scale, "nodes": nodes.tolist(), "weights": weights.tolist(),
                    "line": np.zeros((2, weights.shape[1])).tolist(), "spread": 1.0}  # fmt: skip
    made = apply_smooth(x, state)
    share = weight / weight.sum()
    line = np.column_stack([np.ones(len(x)), made[:, 0]])
    fitted = np.linalg.lstsq(line * np.sqrt(share)[:, None], made[:, 1:] * np.sqrt(share)[:, None], rcond=None)[0]
    wiggles = made[:, 1:] - line @ fitted
    size = float(np.sqrt(share @ (wiggles**2).sum(axis=1)))
    spread = float(np.sqrt(share @ made[:, 0] ** 2))
    return {**state, "weights": (weights / size).tolist(), "line": (-fitted / size).tolist(), "spread": spread}


def _penalised(nodes: np.ndarray, k: int) -> np.ndarray:
    """Weights of the radial functions at the nodes in each of k - 2 columns whose penalty is the sum of squares.

    The k eigenvectors of the radial functions with the largest eigenvalues span the basis; a curve of finite bending
    energy has coefficients without a straight line.
    """
    radial = np.abs(nodes[:, None] - nodes) ** 3
    values, vectors = np.linalg.eigh(radial)
    chosen = np.argsort(-np.abs(values))[:k]
    values, vectors = values[chosen], vectors[:, chosen]
    straight = vectors.T @ np.column_stack([np.ones(len(nodes)), nodes])
    free = np.linalg.qr(straight, mode="complete")[0][:, 2:]
    energy = free.T @ (values[:, None] * free)
    size, turned = np.linalg.eigh(0.5 * (energy + energy.T))
    return np.asarray(vectors @ free @ turned / np.sqrt(np.abs(size)))


def apply_smooth(x: np.ndarray, state: State) -> np.ndarray:
    """The basis, shape ``(rows, k - 1)``."""
    at = (x - state["centre"]) / state["scale"]
    radial = np.abs(at[:, None] - np.array(state["nodes"])) ** 3
    wiggles = radial @ np.array(state["weights"])
    wiggles = wiggles + np.column_stack([np.ones(len(at)), at]) @ np.array(state["line"])
    return np.column_stack([at / state["spread"], wiggles])
