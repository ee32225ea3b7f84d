"""Decisions from draws, for numpy and xarray alike, whoever made them.

With xarray, the dimensions ``chain``, ``draw`` and ``sample`` are averaged over and the others kept; with numpy, every
axis but that of the arms.
"""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
import xarray as xr
from scipy import special

from hiermod.choices import GOALS
from hiermod.errors import AnswerError

SAMPLE_DIMS = ("chain", "draw", "sample")


def logit(rate: Any) -> Any:
    """Log odds of a rate: ``log(p / (1 - p))``.

    Parameters
    ----------
    rate : float, numpy.ndarray or xarray.DataArray
        On the response scale, in [0, 1].

    Returns
    -------
    Same type and shape, on the link scale; NaN outside of [0, 1].

    Raises
    ------
    AnswerError
        If it is no real number.

    Examples
    --------
    >>> import hiermod as hm
    >>> float(hm.logit(0.5))
    0.0
    """
    return special.logit(_real(rate))


def inv_logit(log_odds: Any) -> Any:
    """Rate of log odds: ``1 / (1 + exp(-x))``, without overflow.

    Parameters
    ----------
    log_odds : float, numpy.ndarray or xarray.DataArray
        On the link scale.

    Returns
    -------
    Same type and shape, on the response scale.

    Raises
    ------
    AnswerError
        If they are no real numbers.

    Examples
    --------
    >>> import hiermod as hm
    >>> float(hm.inv_logit(0.0))
    0.5
    """
    return special.expit(_real(log_odds))


def _real(numbers: Any) -> Any:
    """What holds real numbers, as it is; others are made such, or refused.

    Raises
    ------
    AnswerError
        With what was found.
    """
    try:
        values = numbers if isinstance(numbers, xr.DataArray) else np.asarray(numbers)
        if values.dtype.kind != "c":
            return numbers if values.dtype.kind in "biuf" else values.astype(float)
        remedy = " Take their real part, numpy.real(draws)."
    except (TypeError, ValueError):
        remedy = ""
    raise AnswerError(f"Real numbers are needed; {reprlib.repr(numbers)} was given.{remedy}")


def check_goal(goal: str) -> int:
    """1 where higher is better (``"max"``), -1 where lower is (``"min"``)."""
    if goal not in GOALS:
        raise AnswerError(f"goal={goal!r}: 'max' where higher is better, 'min' where lower is.")
    return 1 if goal == "max" else -1


def prob_beats(a: Any, b: Any, *, goal: str = "max") -> Any:
    """Probability that `a` beats `b`: ``P(a > b)``, ties split equally.

    Parameters
    ----------
    a, b : numpy.ndarray, xarray.DataArray or list
        Paired draws of two quantities; a number is compared with each draw.
    goal : {"max", "min"}
        Whether higher or lower is better.

    Returns
    -------
    float, or xarray.DataArray over the dimensions that are not draws.

    Raises
    ------
    AnswerError
        If a draw is NaN, or labelled draws are no pairs.

    Examples
    --------
    >>> import numpy as np, hiermod as hm
    >>> hm.prob_beats(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 5.0, 1.0]))
    0.625
    """
    first, second = _paired(a, b)
    return _mean(wins(first, second, check_goal(goal)), None)


def wins(a: Any, b: Any, sign: int) -> Any:
    """1 for each draw in which `a` beats `b`, a half where they are equal; `sign` is -1 where lower is better."""
    return ((a > b) if sign > 0 else (a < b)) + 0.5 * (a == b)


def losses(chosen: Any, other: Any, sign: int) -> Any:
    """What choosing `chosen` over `other` costs in each draw: how much the other is better, 0 where it is not."""
    return np.maximum(sign * (other - chosen), 0.0)


def _paired(a: Any, b: Any) -> tuple[Any, Any]:
    """Two sets of draws as numbers; labelled ones must have the same labels, since draws are compared one by one."""
    if isinstance(a, xr.DataArray) and isinstance(b, xr.DataArray):
        try:
            return xr.align(_numbers(a), _numbers(b), join="exact")
        except ValueError as error:
            raise AnswerError(
                f"The draws of both quantities have different coordinates, so they are no pairs: {error}"
            ) from error
    return _numbers(a), _numbers(b)


def _numbers(draws: Any) -> Any:
    """Draws as floating-point numbers: unsigned ones would wrap around, booleans have no differences."""
    draws = _real(draws)
    numbers = draws.astype(float) if isinstance(draws, xr.DataArray) else np.asarray(draws, dtype=float)
    missing = np.isnan(numbers.values if isinstance(numbers, xr.DataArray) else numbers)
    if not missing.size:
        raise AnswerError(f"There are no draws: their shape is {missing.shape}.")
    if missing.any():
        place = ", ".join(str(int(axis)) for axis in np.argwhere(missing)[0]) if missing.ndim else ""
        raise AnswerError(
            f"{int(missing.sum()):,} of {missing.size:,} draws are NaN{f', the first at [{place}]' if place else ''}. "
            "A draw that is not known is neither a win nor a loss: find out why it is missing, or leave that draw out "
            "of all arms, as in draws[~np.isnan(draws).any(axis=1)] for arms in columns."
        )
    return numbers


def prob_best(draws: Any, dim: Any, *, goal: str = "max") -> Any:
    """Probability of each arm to be the best; draws in which several are best are split equally among them.

    Parameters
    ----------
    draws : numpy.ndarray or xarray.DataArray
        Draws of all arms.
    dim : int or str
        The axis (numpy) or dimension (xarray) of the arms.
    goal : {"max", "min"}

    Returns
    -------
    numpy.ndarray of shape ``(arms,)``, or xarray.DataArray with `dim` and the dimensions that are not draws.

    Raises
    ------
    AnswerError
        If a draw is NaN.

    Examples
    --------
    >>> import numpy as np, hiermod as hm
    >>> hm.prob_best(np.array([[0.1, 0.4], [0.3, 0.2], [0.1, 0.5], [0.2, 0.2]]), dim=1)
    array([0.375, 0.625])
    """
    values = check_goal(goal) * _numbers(draws)
    best = values == _extreme(values, dim)
    return _mean(best / _total(best, dim), dim)


def expected_loss(draws: Any, dim: Any, *, goal: str = "max") -> Any:
    """Expected loss of choosing each arm: ``E[max_j θ_j - θ_k]``, in the units of the draws.

    Parameters
    ----------
    draws : numpy.ndarray or xarray.DataArray
        Draws of all arms, on the response scale.
    dim : int or str
        The axis (numpy) or dimension (xarray) of the arms.
    goal : {"max", "min"}

    Returns
    -------
    numpy.ndarray of shape ``(arms,)``, or xarray.DataArray with `dim` and the dimensions that are not draws.

    Raises
    ------
    AnswerError
        If a draw is NaN.

    Examples
    --------
    >>> import numpy as np, hiermod as hm
    >>> hm.expected_loss(np.array([[0.0, 1.0], [3.0, 1.0]]), dim=1)
    array([0.5, 1. ])
    """
    values = check_goal(goal) * _numbers(draws)
    best = _extreme(values, dim)
    with np.errstate(invalid="ignore"):  # an infinite arm is as good as the best that is infinite, too
        lost = best - values
    tied = values == best
    return _mean(xr.where(tied, 0.0, lost) if isinstance(lost, xr.DataArray) else np.where(tied, 0.0, lost), dim)


def expected_rank(draws: Any, dim: Any, *, goal: str = "max") -> Any:
    """Expected rank of each arm, 1 being the best; ties share their mean rank.

    Parameters and returns are those of `prob_best`.
    """
    values = check_goal(goal) * _numbers(draws)
    if isinstance(values, xr.DataArray):
        ranks = xr.apply_ufunc(_ranks, values, input_core_dims=[[dim]], output_core_dims=[[dim]])
        return _mean(ranks, dim)
    return _mean(np.moveaxis(_ranks(np.moveaxis(values, dim, -1)), -1, dim), dim)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, the largest first."""
    from scipy.stats import rankdata

    return rankdata(-values, axis=-1, method="average")


def _extreme(values: Any, dim: Any) -> Any:
    return values.max(dim) if isinstance(values, xr.DataArray) else values.max(axis=dim, keepdims=True)


def _total(values: Any, dim: Any) -> Any:
    return values.sum(dim) if isinstance(values, xr.DataArray) else values.sum(axis=dim, keepdims=True)


def _mean(values: Any, dim: Any) -> Any:
    """Average over draws, keeping the arms' axis `dim`."""
    if isinstance(values, xr.DataArray):
        sampled = [name for name in values.dims if name in SAMPLE_DIMS and name != dim]
        return values.mean(sampled or [name for name in values.dims if name != dim])
    values = np.asarray(values)
    if dim is None:
        return float(values.mean())
    kept = dim % values.ndim
    return values.mean(axis=tuple(axis for axis in range(values.ndim) if axis != kept))
