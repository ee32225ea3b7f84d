"""Bases that stand for Gaussian processes, as Bambi has them: ``hsgp(x, m=20, c=1.5)``.

They are eigenfunctions of the Laplacian on an interval around the data (Solin and Särkkä 2020, Statistics and Computing
30, 419-446). hiermod fits none; it reads them for models and draws that are Bambi's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hiermod.data.columns.factors import apply_factor, as_leveled, learn_factor
from hiermod.errors import DataError

State = dict[str, Any]


def learn_process(
    x: np.ndarray, weight: np.ndarray, m: Any, c: Any = None, by: Any = None, scale: Any = True, **half: Any,
) -> State:  # fmt: skip
    """Learn where the data are and how wide, for each level of ``by=``; of options, only ``L`` is left in `half`."""
    if (c is None) == (half.get("L") is None):
        raise DataError("hsgp(): one of c=, by how much wider than the data, and L=, half the width, is needed.")
    levels = {} if by is None else learn_factor("by", as_leveled("by", by))
    codes = np.zeros(len(x), dtype=int) if by is None else apply_factor("by", by, levels).codes
    unit = float(np.ptp(x)) if scale else 1.0
    means, middles, halves = [], [], []
    for code in range(len(levels.get("levels", [None]))):
        own, mean = x[codes == code], float(np.average(x[codes == code], weights=weight[codes == code]))
        means.append(mean)
        middles.append((own.max() + own.min() - 2.0 * mean) / (2.0 * unit))
        halves.append(float(half["L"]) if c is None else float(c) * float(np.abs(own - mean).max()))
    return {"m": int(m), "unit": unit, "by": levels,
            "means": means, "middles": middles, "halves": halves}  # fmt: skip


def apply_process(x: np.ndarray, state: State, by: Any = None) -> np.ndarray:
    """The basis, shape ``(rows, levels * columns)``."""
    codes = np.zeros(len(x), dtype=int) if by is None else apply_factor("by", by, state["by"]).codes
    frequency = np.arange(1, state["m"] + 1)
    parts = []
    for code, (mean, middle, half) in enumerate(zip(state["means"], state["middles"], state["halves"], strict=True)):
        at = (x - mean) / state["unit"] - middle + half
        waves = np.sin(np.pi * frequency * at[:, None] / (2.0 * half)) / np.sqrt(half)
        parts.append(np.where((codes == code)[:, None], waves, 0.0))
    return np.hstack(parts)


def process_labels(state: State) -> tuple[str, ...]:
    """What the columns are called: 1, 2, ..., or with levels ``A, 1``."""
    numbers = range(1, state["m"] + 1)
    if not state["by"]:
        return tuple(map(str, numbers))
    return tuple(f"{level}, {number}" for level in state["by"]["labels"] for number in numbers)
