"""Families of responses that are censored or truncated: of each row its own probability or density.

A response is ``(value, code, upper, least, most)``, as `hiermod.data.columns.bounds` has it. An observed value has its
density f, one that is known to be beyond a value its survival 1 - F, one below it F, and one of an interval the
difference of two F; each over the chance of what is recorded at all, if that is between two bounds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hiermod.data.columns.bounds import EVENT, INTERVAL, LEFT, RIGHT
from hiermod.errors import ModelError
from hiermod.families.ops import NUMPY, Ops
from hiermod.families.record import Chances, Family, Linear

LOG_HALF = float(np.log(0.5))
TINY = 1e-300  # the smallest difference of logarithms


def bounded(family: Family) -> Family:
    """The family of responses that are known by bounds.

    Raises
    ------
    ModelError
        If the family's chances of less and of more are not known.
    """
    if family.log_tails is None:
        raise ModelError(
            f"The family {family.name} takes no censored or truncated responses; weibull, exponential, gamma, "
            "lognormal, shifted_lognormal, inverse_gaussian, frechet, gaussian, student, exgaussian, laplace and "
            "asym_laplace do."
        )
    return replace(
        family, statistic="bounds", log_density=partial(_log_density, family), interval=partial(_interval, family),
        kernel=f"bounded_{family.kernel}" if family.kernel else None, base=family, bambi=None,
    )  # fmt: skip


def log_between(ops: Ops, below: tuple[Any, Any], above: tuple[Any, Any]) -> Any:
    """The logarithm of the chance of an interval, by the logarithms of both tails at its ends.

    It is the difference of the tails that are smaller, so that it keeps its digits far from the middle.
    """
    upper = below[0] < LOG_HALF
    larger = ops.where(upper, above[0], below[1])
    smaller = ops.where(upper, below[0], above[1])
    return larger + ops.log(-ops.expm1(ops.minimum(smaller - larger, -TINY)))


def recorded(family: Family, least: Any, most: Any) -> tuple[Any, Any]:
    """The bounds of what is recorded; numbers above 0 have no bound at 0."""
    least = np.asarray(least, dtype=float)
    return np.where((least <= 0.0) & (family.kind == "positive"), -np.inf, least), np.asarray(most, dtype=float)


def _log_density(family: Family, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    """The log density or log probability of each row, on NumPy arrays."""
    assert ops is NUMPY
    value, code, upper = (np.asarray(part, dtype=float) for part in response[:3])
    least, most = recorded(family, *response[3:])
    tails = partial(_tails, family, mu, parameters)
    total = np.zeros(np.broadcast_shapes(*map(np.shape, (value, mu.eta, *parameters))))
    with np.errstate(all="ignore"):
        if (code == EVENT).any():
            total = np.where(code == EVENT, family.log_density(ops, (value,), mu, *parameters), total)
        if (code != EVENT).any():
            at = tails(value)
            total = np.where(code == RIGHT, at[1], np.where(code == LEFT, at[0], total))
        if (code == INTERVAL).any():
            total = np.where(code == INTERVAL, log_between(ops, at, tails(upper)), total)
        return total - log_recorded(ops, tails, least, most)


def log_recorded(ops: Ops, tails: Any, least: np.ndarray, most: np.ndarray) -> Any:
    """The logarithm of the chance of what is recorded, 0 where all is."""
    low, high = np.isfinite(least), np.isfinite(most)
    if not (low | high).any():
        return 0.0
    below, above = tails(np.where(low, least, 1.0)), tails(np.where(high, most, 2.0))
    both = log_between(ops, below, above)
    return np.where(low & high, both, np.where(low, below[1], np.where(high, above[0], 0.0)))


def _tails(family: Family, mu: Linear, parameters: Any, value: Any) -> tuple[Any, Any]:
    assert family.log_tails is not None
    return family.log_tails(NUMPY, (value,), mu, *parameters)


def _interval(family: Family, response: Any, mu: Linear, *parameters: Any) -> Chances:
    """The chances of less, and of at most as much: the interval in which that of the unknown value lies."""
    value, code, upper = (np.asarray(part, dtype=float) for part in response[:3])
    least, most = recorded(family, *response[3:])
    with np.errstate(all="ignore"):
        at, end, low, high = (np.exp(_tails(family, mu, parameters, part)[0]) for part in (
            value, upper, np.where(np.isfinite(least), least, 1.0), np.where(np.isfinite(most), most, 1.0),
        ))  # fmt: skip
        low, high = np.where(np.isfinite(least), low, 0.0), np.where(np.isfinite(most), high, 1.0)
        share = np.clip((at - low) / (high - low), 0.0, 1.0)
        end = np.clip((end - low) / (high - low), 0.0, 1.0)
    below = np.where(code == LEFT, 0.0, share)
    return below, np.where(code == RIGHT, 1.0, np.where(code == INTERVAL, end, share))
