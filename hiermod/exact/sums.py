"""Sums over groups as functions of one positive number, tabulated where they are needed.

The log marginal likelihood of pooled rates is made of functions of one number each, such as
``Σ_i log Γ(a + s_i) - log Γ(a) - s_i log a``. Each is smooth in the number's logarithm, so that a few Chebyshev
polynomials stand for any number of groups: a value costs the same for four groups as for a million.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hiermod.families.ops import NUMPY, rise

WIDTH = 2.0  # of a piece, in units of the logarithm
DEGREE = 20  # the functions are analytic to a distance of π from the line: 20 terms leave 1e-15 of their size
FAR = 40.0  # units of the logarithm, from which on a function is as at its end: what bends it is below 1e-17
MANY, RATIO, NODES = 200, 1.5, 16  # values from which on they are condensed, within which ratio, on how many nodes
TINY = 1e-300
BLOCK = 2_000_000  # numbers of an array that is summed over groups

Function = Callable[[np.ndarray], np.ndarray]
ANGLES = np.pi * (np.arange(DEGREE) + 0.5) / DEGREE
TRANSFORM = 2.0 / DEGREE * np.cos(np.outer(np.arange(DEGREE), ANGLES))
TRANSFORM[0] /= 2.0
CHEBYSHEV = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
TO_SERIES = 2.0 / NODES * np.cos(np.outer(np.arange(NODES), np.pi * (np.arange(NODES) + 0.5) / NODES))
TO_SERIES[0] /= 2.0


@dataclass(frozen=True)
class Ends:
    """How a function of log x goes on outside its table: below it as ``level + slope · log x`` or as ``level · x``."""

    lowest: float
    highest: float
    slope_below: float = 0.0
    proportional_below: bool = False
    slope_above: float = 0.0


class TabulatedSum:
    """A function of log x that is a sum over groups; pieces of it are tabulated when a value in them is needed.

    Parameters
    ----------
    direct : callable
        Maps x, shape ``(k,)``, to the sum, shape ``(k,)``.
    ends : Ends
        Where the table ends, and how the function goes on there.
    """

    def __init__(self, direct: Function, ends: Ends) -> None:
        self._direct, self._ends = direct, ends
        self._rows = np.full(int(np.ceil((ends.highest - ends.lowest) / WIDTH)), -1)
        self._table = np.zeros((DEGREE, 0))

    def __call__(self, log_x: np.ndarray) -> np.ndarray:
        """The sum at each log x."""
        ends = self._ends
        scaled = (np.clip(log_x, ends.lowest, ends.highest) - ends.lowest) / WIDTH
        piece = np.minimum(scaled.astype(np.int64), len(self._rows) - 1)
        rows = self._rows[piece]
        if rows.size and rows.min() < 0:
            self._tabulate(np.unique(piece[rows < 0]))
            rows = self._rows[piece]
        value = _clenshaw(self._table, rows, 2.0 * (scaled - piece) - 1.0)
        below = np.minimum(log_x - ends.lowest, 0.0)
        if ends.proportional_below:
            value *= np.exp(below)
        elif ends.slope_below:
            value += ends.slope_below * below
        return value + ends.slope_above * np.maximum(log_x - ends.highest, 0.0) if ends.slope_above else value

    def _tabulate(self, pieces: np.ndarray) -> None:
        log_x = self._ends.lowest + (pieces[:, None] + 0.5 + np.cos(ANGLES) / 2.0) * WIDTH
        values = self._direct(np.exp(log_x.ravel())).reshape(log_x.shape)
        self._rows[pieces] = self._table.shape[1] + np.arange(len(pieces))
        self._table = np.hstack([self._table, TRANSFORM @ values.T])


def _clenshaw(table: np.ndarray, rows: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Chebyshev series of the columns `rows` of `table` at z."""
    twice = 2.0 * z
    last, before = np.zeros_like(z), np.zeros_like(z)
    for coefficients in table[:0:-1]:
        last, before = twice * last - before + coefficients[rows], last
    return z * last - before + table[0][rows]


def condensed(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Few values with weights that have the sums of many, of functions that are analytic above 0.

    Values within a factor of `RATIO` are replaced by Chebyshev nodes, the weights being those of the polynomial through
    them. The nearest singularity is at 0 or below, five half widths away: the error falls by ten a node.
    """
    if len(values) <= MANY:
        return values, times
    piece = np.floor(np.log(values / values.min()) / np.log(RATIO)).astype(np.int64)
    found = []
    for own in np.unique(piece):
        inside = piece == own
        found.append(
            _on_nodes(values[inside], times[inside]) if inside.sum() > NODES else (values[inside], times[inside])
        )
    new_values, new_times = (np.concatenate(part) for part in zip(*found, strict=True))
    return new_values, new_times


def _on_nodes(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = values.min(), values.max()
    z = (2.0 * values - low - high) / max(high - low, TINY)
    last, this, moments = np.ones_like(z), z, np.empty(NODES)
    moments[:2] = times.sum(), times @ z
    for degree in range(2, NODES):
        last, this = this, 2.0 * z * this - last
        moments[degree] = times @ this
    return 0.5 * (low + high) + 0.5 * (high - low) * CHEBYSHEV, moments @ TO_SERIES


def sum_of_rises(counts: np.ndarray, times: np.ndarray) -> TabulatedSum:
    """``Σ times · rise(x, counts)`` as a function of log x; see `hiermod.families.ops.rise`."""
    counts, times = distinct(counts, times)
    highest = 2.0 * float(np.log(counts.max(initial=1.0))) + float(np.log1p(times.sum())) + FAR
    ends = Ends(-FAR, highest, slope_below=-float(times @ (counts - 1.0)))
    return TabulatedSum(_summed(lambda x, count: rise(NUMPY, x, count), *condensed(counts, times)), ends)


def sum_of_logs(sizes: np.ndarray, times: np.ndarray) -> TabulatedSum:
    """``Σ times · log(1 + x · sizes)`` as a function of log x."""
    sizes, times = distinct(sizes, times)
    ends = Ends(*_range(sizes), proportional_below=True, slope_above=float(times.sum()))
    return TabulatedSum(_summed(lambda x, size: np.log1p(x * size), *condensed(sizes, times)), ends)


def _range(sizes: np.ndarray) -> tuple[float, float]:
    logs = np.log(sizes) if len(sizes) else np.zeros(1)
    return -FAR - float(logs.max()), FAR - float(logs.min())


def distinct(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each positive value once, and how often it occurs."""
    unique, inverse = np.unique(values, return_inverse=True)
    total = np.bincount(inverse, times, len(unique))
    return unique[unique > 0.0].astype(float), total[unique > 0.0]


def distinct_pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each pair of values once, and how often it occurs."""
    if not len(first):
        return first, second, np.zeros(0)
    order = np.lexsort((first, second))
    ordered = first[order], second[order]
    new = np.concatenate([[True], (np.diff(ordered[0]) != 0.0) | (np.diff(ordered[1]) != 0.0)])
    begins = np.flatnonzero(new)
    return ordered[0][begins], ordered[1][begins], np.diff(begins, append=len(first)).astype(float)


def _summed(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], values: np.ndarray, times: np.ndarray
) -> Function:
    """The function of x and each value, summed over values, in blocks of them."""

    def direct(x: np.ndarray) -> np.ndarray:
        total, step = np.zeros(len(x)), max(1, BLOCK // max(len(x), 1))
        for start in range(0, len(values), step):
            block = slice(start, start + step)
            total += function(x[:, None], values[block]) @ times[block]
        return total

    return direct
