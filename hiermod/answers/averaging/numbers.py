"""Grids: values of a number that stand for the many that it has, in steps that people count in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from hiermod.errors import AnswerError

USUAL = 21  # values of a grid
MOST = 1000
FAR = 3.0  # how many times wider than the middle 98 % a range is, of which the ends are left out
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Grid:
    """Values of a column that a question is to choose by itself. Made by `hiermod.grid`.

    Parameters
    ----------
    column : str
    points : int, optional
        How many values; about 20 in round steps without it.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.grid("age", 30)
    Grid(column='age', points=30)
    """

    column: str
    points: int | None = None

    def __iter__(self) -> Iterator[float]:
        """A grid has no values before a fit chooses them."""
        raise AnswerError(
            f"hm.grid({self.column!r}) has no values of its own: give it as it is, as in fit.rates(hm.grid("
            f"{self.column!r})) or at=hm.grid({self.column!r})."
        )

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """The values, for a column of such numbers.

        Examples
        --------
        >>> import hiermod as hm
        >>> import numpy as np
        >>> hm.grid("age", 3).values(np.array([20.0, 30.0, 60.0]))
        array([20., 40., 60.])
        """
        return round_steps(numbers) if self.points is None else even_steps(numbers, self.points)


def grid(column: str, points: int | None = None) -> Grid:
    """Values of a numeric column for a curve: `fit.rates(hm.grid("age", 30))`, `fit.effect("arm", at=hm.grid("age"))`.

    The values lie in the range of the fitted data; where that is more than three times as wide as its middle 98 %, in
    the latter.

    Parameters
    ----------
    column : str
        A numeric column of the model.
    points : int, optional
        How many values, evenly spaced, from 2 to 1,000. Without it, about 20 in steps of 1, 2, 2.5 or 5 times a power
        of ten, and the ends.

    Returns
    -------
    Grid
        For `variable=` and `at=` of questions, by itself, in a list of columns, or as the values in a dict.

    Raises
    ------
    AnswerError
        If the name is no text, or the number of points is out of range.

    Examples
    --------
    >>> import hiermod as hm
    >>> len(fit.rates(hm.grid("treated", 5)).table)
    5
    """
    if not isinstance(column, str):
        raise AnswerError(f"hm.grid({column!r}): the name of one column is needed.")
    if points is not None and not _is_count(points):
        raise AnswerError(f"hm.grid(points={points!r}): a whole number from 2 to {MOST:,} is needed.")
    return Grid(column, None if points is None else int(points))


def _is_count(points: Any) -> bool:
    return not isinstance(points, bool) and isinstance(points, Integral) and 2 <= int(points) <= MOST


def round_steps(numbers: np.ndarray, points: int = USUAL) -> np.ndarray:
    """About so many values in round steps, and the ends of the range; all values where there are no more."""
    distinct = np.unique(numbers)
    if len(distinct) <= points:
        return distinct
    low, high = shown_range(numbers)
    step = _step((high - low) / (points - 1))
    if (distinct == np.round(distinct)).all():
        step = max(step, 1.0) if step != 2.5 else 2.0
    inner = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    fine = step / 10.0
    ends = np.array([math.ceil(low / fine - 1e-9) * fine, math.floor(high / fine + 1e-9) * fine])
    if (distinct == np.round(distinct)).all():
        ends = np.array([math.ceil(low), math.floor(high)], dtype=float)
    return np.unique(_rounded(np.concatenate([inner, ends]), fine))


def even_steps(numbers: np.ndarray, points: int) -> np.ndarray:
    """So many values, evenly spaced over the range, rounded to a thousandth of their distance."""
    low, high = shown_range(numbers)
    if low == high:
        raise AnswerError(f"All values are {low:g}: there is no grid of them.")
    values = np.linspace(low, high, points)
    rounded = _rounded(values, 10.0 ** math.floor(math.log10((high - low) / (points - 1)) - 2.0))
    return np.clip(rounded, low, high)


def shown_range(numbers: np.ndarray) -> tuple[float, float]:
    """The range of numbers; that of their middle 98 % where a few stand far apart."""
    low, high = float(np.min(numbers)), float(np.max(numbers))
    inner = np.quantile(numbers, [0.01, 0.99])
    if inner[1] > inner[0] and high - low > FAR * (inner[1] - inner[0]):
        return float(inner[0]), float(inner[1])
    return low, high


def _step(least: float) -> float:
    """The smallest round step that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in STEPS if factor * power >= least * (1.0 - 1e-9))


def _rounded(values: np.ndarray, unit: float) -> np.ndarray:
    """Values without the digits that multiples of a unit have by rounding alone."""
    return np.round(values, max(0, 2 - math.floor(math.log10(unit)))) + 0.0
