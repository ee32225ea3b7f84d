"""Separation: common terms that tell successes from failures, so that the likelihood sets their coefficients no bound.

A direction d separates if ``x·d >= 0`` in rows of successes alone, ``<= 0`` in rows of failures alone and ``= 0`` in
rows that have both, and not everywhere 0; completely if it is nowhere 0. It is looked for by linear programming (Konis
2007, thesis, Oxford; R's detectseparation), with constraints of some rows first; broken ones are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.errors import enumerate_names

TOLERANCE = 1e-7
AT_ONCE, MOST_ROUNDS = 2000, 50  # rows that constraints are made of
MOST_NEARLY = 1000  # cells of a model of which near separation is looked for
FEW = 0.05  # of the rarer outcome, that near separation leaves on the wrong side


@dataclass(frozen=True)
class Separation:
    """How far the common terms tell successes from failures.

    Parameters
    ----------
    kind : {"none", "near", "quasi-complete", "complete"}
    coefficients : tuple of str
        Those that the likelihood lets go to infinity; of near separation those that come near it.
    exceptions : int
        Trials on the wrong side, of near separation.
    only : str
        What all responses are, ``successes`` or ``failures``, if they are alike.
    """

    kind: Literal["none", "near", "quasi-complete", "complete"]
    coefficients: tuple[str, ...] = ()
    exceptions: int = 0
    only: str = ""

    @property
    def words(self) -> str:
        """What was found."""
        named = enumerate_names(list(self.coefficients), 6)
        match self.kind:
            case "none":
                return "none"
            case "near":
                count = f"{self.exceptions:,} trial" + ("s" if self.exceptions != 1 else "")
                return f"near-complete: but for {count}, all successes are told from all failures by {named}"
            case "complete" if self.only:
                return f"complete: all responses are {self.only}"
            case "complete":
                return f"complete: all successes are told from all failures by {named}"
        return f"quasi-complete: some rows have successes alone, or failures alone, without exception, by {named}"


def find_separation(design: np.ndarray, response: Any, names: list[str]) -> Separation:
    """Separation of cells of successes and trials, by their common design."""
    assert isinstance(response, BinomialCells | PairCells)
    successes, failures = response.successes, response.trials - response.successes
    known = (successes + failures) > 0
    scale = np.abs(design).max(axis=0, initial=0.0)
    design = design[known] / np.where(scale > 0.0, scale, 1.0)
    successes, failures = successes[known], failures[known]
    if not len(design) or not design.shape[1]:
        return Separation("none")
    pure = (successes == 0) | (failures == 0)
    free = _null_space(design[~pure])
    if free.shape[1] and pure.any():
        signed = np.where(failures[pure] == 0, 1.0, -1.0)[:, None] * design[pure]
        direction = _separating(signed @ free)
        if direction is not None:
            strict = _strictly_separating(signed @ free) if pure.all() else None
            complete, along = strict is not None, free @ (direction if strict is None else strict)
            moved = tuple(name for name, size in zip(names, along, strict=True) if abs(size) > TOLERANCE)
            only = "" if failures.any() and successes.any() else "failures" if failures.any() else "successes"
            return Separation("complete" if complete else "quasi-complete", moved, only=only)
    times = response.count[known] if isinstance(response, PairCells) else np.ones(len(design))
    return _near(design, successes * times, failures * times, names)


def _null_space(rows: np.ndarray) -> np.ndarray:
    """Directions in which rows are 0, shape ``(columns, directions)``."""
    values, vectors = np.linalg.eigh(rows.T @ rows)
    return np.asarray(vectors[:, values <= TOLERANCE**1.5 * max(float(values.max(initial=0.0)), 1.0)])


def _separating(rows: np.ndarray) -> np.ndarray | None:
    """A direction in which no row is below 0 and some are above, as far as can be; None if there is none."""
    size = np.abs(rows).max(initial=1.0)
    found = _farthest(rows, rows.sum(axis=0) / len(rows))
    return None if found is None or (rows @ found).max() <= TOLERANCE * size else found


def _strictly_separating(rows: np.ndarray) -> np.ndarray | None:
    """A direction in which all rows are above 0, the lowest as far as can be; None if there is none."""
    size = np.abs(rows).max(initial=1.0)
    lifted = np.column_stack([rows, np.full(len(rows), -size)])
    found = _farthest(lifted, np.append(np.zeros(rows.shape[1]), 1.0))
    return None if found is None or found[-1] <= TOLERANCE else found[:-1]


def _farthest(rows: np.ndarray, aim: np.ndarray) -> np.ndarray | None:
    """The direction within a cube that goes farthest to the aim while no row is below 0; None if it goes nowhere.

    Rows that are not looked at yet and are below 0 are added until there are none.
    """
    from scipy import optimize

    size = np.abs(rows).max(initial=1.0)
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), AT_ONCE)).astype(int))
    for _ in range(MOST_ROUNDS):
        found = optimize.linprog(
            -aim / size, A_ub=-rows[chosen] / size, b_ub=np.zeros(len(chosen)), bounds=(-1.0, 1.0), method="highs"
        )
        if found.x is None or -found.fun <= TOLERANCE / len(rows):
            return None
        values = rows @ found.x
        broken = np.flatnonzero(values < -TOLERANCE * size)
        if not len(broken):
            return np.asarray(found.x)
        chosen = np.union1d(chosen, broken[np.argsort(values[broken])[:AT_ONCE]])
    return None


def _near(design: np.ndarray, successes: np.ndarray, failures: np.ndarray, names: list[str]) -> Separation:
    """Separation but for a few trials: those on the wrong side where their distances add up to the least."""
    from scipy import optimize

    rarer = min(float(successes.sum()), float(failures.sum()))
    if FEW * rarer < 1.0 or len(design) > MOST_NEARLY:
        return Separation("none")
    rows = np.vstack([design[successes > 0], -design[failures > 0]])
    weight = np.concatenate([successes[successes > 0], failures[failures > 0]])
    columns, count = design.shape[1], len(rows)
    found = optimize.linprog(
        np.concatenate([np.zeros(columns), weight]), A_ub=-np.hstack([rows, np.eye(count)]), b_ub=-np.ones(count),
        bounds=[(None, None)] * columns + [(0.0, None)] * count, method="highs",
    )  # fmt: skip
    if found.x is None:
        return Separation("none")
    direction = found.x[:columns]
    wrong = float(weight[rows @ direction <= TOLERANCE].sum())
    if wrong > FEW * rarer:
        return Separation("none")
    moved = [name for name, size in zip(names, direction, strict=True) if abs(size) > TOLERANCE]
    return Separation("near", tuple(moved), round(wrong))
